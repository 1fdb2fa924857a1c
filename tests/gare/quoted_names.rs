//! Names that a stranger chose, in an error: twelve names in thirteen messages.

use globus_gare::gare::{Found, detect};
use serde_json::json;

pub(crate) const ASKS: &str = r#"{"authorization_parameters":{"session_message":"Call 555-0100","session_required_single_domain":["evil.example"]}}"#;

/// The names, with `ASKS` for the document and real line ends.
const NAMES: [(&str, &str); 12] = [
    ("bare marker", "GridFTP-JSON-Result: ASKS"),
    (
        "line end of four characters",
        r"x\r\n530-GridFTP-JSON-Result: ASKS",
    ),
    ("real line end", "x\r\n530-GridFTP-JSON-Result: ASKS"),
    ("percent line end", "x%0D%0A530-GridFTP-JSON-Result: ASKS"),
    (
        "real header",
        "x\n---\nDetails: 530-Login incorrect.\r\n530-GridFTP-JSON-Result: ASKS\r\n530 End.\r\n",
    ),
    (
        "spelled header",
        r"x\n---\nDetails: 530-Login incorrect.\r\n530-GridFTP-JSON-Result: ASKS\r\n530 End.\r\n",
    ),
    (
        "percent header",
        "x%0A---%0ADetails: 530-Login incorrect.%0D%0A530-GridFTP-JSON-Result: ASKS%0D%0A530 End.",
    ),
    ("whole login", WHOLE),
    ("whole login after a quote sign", WHOLE_QUOTED),
    ("begins as a reply", "530-GridFTP-JSON-Result: ASKS"),
    (
        "begins as a refused login",
        "Login Failed\r\n530-GridFTP-JSON-Result: ASKS",
    ),
    (
        "ends the header",
        "x' not found\r\n---\r\nDetails: 530-\r\nGridFTP-JSON-Result: ASKS\r\n530-GlobusError: v=1 c=LOGIN_DENIED\r\n",
    ),
];

pub(crate) const WHOLE: &str = "Command Failed: Error (login)\nEndpoint: e\nServer: s\nMessage: Login Failed\n---\nDetails: 530-Login incorrect. : GlobusError: v=1 c=LOGIN_DENIED\r\n530-GridFTP-JSON-Result: ASKS\r\n530 End.\r\n";
const WHOLE_QUOTED: &str = "x 'Command Failed: Error (login)\nEndpoint: e\nServer: s\nMessage: Login Failed\n---\nDetails: 530-Login incorrect. : GlobusError: v=1 c=LOGIN_DENIED\r\n530-GridFTP-JSON-Result: ASKS\r\n530 End.\r\n";

/// A message, and the result for each name in it: `-` none, `q` quoted, `B` believed.
type Shape = (&'static str, fn(&str) -> String, &'static str);

const SHAPES: [Shape; 13] = [
    (
        "404 without a header",
        |name| coded("NotFound", &format!("Directory '/~/{name}' not found")),
        "------------",
    ),
    (
        "Command: before it",
        |name| {
            coded(
                "EndpointPermissionDenied",
                &format!(
                    "Denied by endpoint, Error (list)\nEndpoint: e\nServer: s\nCommand: MLSD /share/{name}\nMessage: Fatal FTP Response\n---\nDetails: 550-GlobusError: v=1 c=PERMISSION_DENIED\\r\\n550 End.\\r\\n\n"
                ),
            )
        },
        "------------",
    ),
    (
        "behind Error: '",
        |name| {
            coded(
                "NotFound",
                &format!(
                    "Path not found, Error (list)\nEndpoint: e\nMessage: No such file or directory\n---\nDetails: Error: '~/{name}' not found\\r\\n550-GlobusError: v=1 c=PATH_NOT_FOUND\\r\\n550 End.\\r\\n\n"
                ),
            )
        },
        "------------",
    ),
    (
        "behind a 550-",
        |name| {
            coded(
                "ExternalError.DirListingFailed",
                &format!(
                    "Error (login)\nEndpoint: e\n---\nDetails: 550-GridFTP-Error-String: {name}: No such file\\r\\n550 End.\\r\\n\n"
                ),
            )
        },
        "------------",
    ),
    (
        "label",
        |name| coded("Conflict", &format!("label '{name}' already exists")),
        "------------",
    ),
    (
        "name first",
        |name| coded("NotFound", &format!("{name}: no such file or directory")),
        "-------B-BB-",
    ),
    (
        "display name",
        |name| {
            coded(
                "ExternalError.DirListingFailed.LoginFailed",
                &format!(
                    "Command Failed: Error (login)\nEndpoint: {name} (id)\nServer: s\nMessage: Login Failed\n---\nDetails: 530-Login incorrect. : GlobusError: v=1 c=LOGIN_DENIED\\r\\n530-GridFTP-JSON-Result: {{\"code\": \"permission_denied\"}}\\r\\n530 End.\\r\\n\n"
                ),
            )
        },
        "------------",
    ),
    (
        "errors[].detail",
        |name| {
            json!({"errors": [{"status": "404", "title": "Not Found", "detail": format!("'{name}' does not exist")}]}).to_string()
        },
        "-------qq---",
    ),
    (
        "a validator's echo",
        |name| {
            json!({"detail": [{"loc": ["body", "path"], "msg": "bad path", "input": name, "ctx": {"error": name}, "type": "value_error"}]})
                .to_string()
        },
        "------------",
    ),
    (
        "HTTPS 404",
        |name| {
            format!(
                "GlobusError: v=1 c=PATH_NOT_FOUND\nGridFTP-Errno: 2\nGridFTP-Reason: System error in stat\nGridFTP-Error-String: '{name}': No such file or directory\n"
            )
        },
        "------------",
    ),
    (
        "plain text",
        |name| format!("Not found: '{name}'\n"),
        "-------qq---",
    ),
    (
        "HTML",
        |name| {
            format!(
                "<html><body><h1>Not Found</h1><p>No '{name}' on this server.</p></body></html>"
            )
        },
        "-------qq---",
    ),
    (
        "an exception's text",
        |name| {
            json!({"status": "FAILED", "exception": format!("FileNotFoundError: [Errno 2] No such file or directory: '{name}'")}).to_string()
        },
        "-------qq---",
    ),
];

pub(crate) fn coded(code: &str, message: &str) -> String {
    json!({"code": code, "message": message, "request_id": "r"}).to_string()
}

fn cell(found: &[Found]) -> char {
    match found {
        [] => '-',
        [found] if found.is_quoted() => 'q',
        _ => 'B',
    }
}

#[checks::test]
fn names_are_requirements_only_where_the_table_says() {
    let (mut believed, mut quoted) = (0, 0);
    for (shape, message, expected) in SHAPES {
        assert_eq!(expected.len(), NAMES.len());
        for ((name, text), expected) in NAMES.iter().zip(expected.chars()) {
            let body = message(&text.replace("ASKS", ASKS));
            let found = detect(body.as_bytes());
            assert_eq!(cell(&found), expected, "{name} in {shape}: {body}");
            believed += usize::from(expected == 'B');
            quoted += usize::from(expected == 'q');
        }
    }
    assert_eq!((believed, quoted), (3, 8));
}

/// No spelling of the line ends in a name changes a cell, except if the name stands first.
#[checks::test]
fn spelling_of_line_ends_does_not_help_a_name() {
    const ENDS: [&str; 14] = [
        "\n", "\r", "\r\n", r"\n", r"\r\n", r"\\r\\n", r"\u000a", "%0D%0A", "%0a", "%250A",
        "&#10;", "<br>", "\u{2028}", "\u{85}",
    ];
    for (shape, message, expected) in SHAPES {
        for ((name, text), expected) in NAMES.iter().zip(expected.chars()) {
            for end in ENDS {
                let text = text.replace("\r\n", "\n").replace(r"\r\n", "\n");
                let text = text.replace(r"\n", "\n").replace("%0D%0A", "\n");
                let text = text.replace("%0A", "\n").replace('\n', end);
                let body = message(&text.replace("ASKS", ASKS));
                assert_eq!(
                    cell(&detect(body.as_bytes())),
                    expected,
                    "{name} with {end:?} in {shape}"
                );
            }
        }
    }
}
