//! Requirements that are quoted, that come from GridFTP text, or that exceed a limit.

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOutcome, ResponseUrl, Session, Trust};
use http::Request;
use tower::ServiceExt;

use checks::mock::{Body, Login, answer, authorization, behind};

const REFUSED: &str = "Command Failed: Error (login)\\nEndpoint: e\\n---\\nDetails: 530-Login incorrect.\\n530-GridFTP-JSON-Result: {\\\"authorization_parameters\\\": {\\\"session_required_single_domain\\\": [\\\"uchicago.edu\\\"]}}\\n530 End.\\n";

fn quoted() -> String {
    format!(r#"{{"exception": "TransferAPIError: '{REFUSED}'"}}"#)
}

fn stated() -> String {
    format!(r#"{{"code": "PermissionDenied", "message": "{REFUSED}"}}"#)
}

/// Sends one request to `url`, which responds with `body` until there is a login. Returns the
/// descriptions of the logins' challenges, and whether the request was accepted.
async fn ask(
    trust: Trust,
    url: &str,
    from: Option<&'static str>,
    body: String,
) -> (Vec<String>, bool) {
    let login = Login::at_once();
    let session = Session::builder(login.clone()).trust(trust).build();
    let client = behind(&GareLayer::from_session(session), move |request| {
        let mut response = match authorization(&request) {
            "" => answer(403, &body),
            _ => answer(200, ""),
        };
        if let Some(from) = from {
            let uri = http::Uri::from_static(from);
            response.extensions_mut().insert(ResponseUrl(uri));
        }
        response
    });
    let request = Request::get(url).body(Body::default()).expect("a request");
    let response = client.oneshot(request).await.expect("an answer");
    let told = login.challenges();
    let told = told.iter().map(|challenge| challenge.in_plain_words());
    let through = response.status() == 200;
    if !through {
        let outcome = response.extensions().get::<GareOutcome>();
        assert!(outcome.is_none_or(|outcome| outcome.found().is_empty()));
    }
    (told.collect(), through)
}

const TRANSFER: &str = "https://transfer.api.globus.org/x";
const OURS: &str = "https://portal.example.edu/x";

fn with_added_origin() -> Trust {
    Trust::globus().origin(OURS).expect("an origin")
}

#[checks::test]
async fn quoted_requirements_count_from_added_origins() {
    let (told, through) = ask(with_added_origin(), OURS, None, quoted()).await;
    assert!(told.len() == 1 && through, "{told:?}");
    let (told, through) = ask(
        Trust::none().loopback(),
        "http://127.0.0.1:9/x",
        None,
        quoted(),
    )
    .await;
    assert!(told.len() == 1 && through, "{told:?}");
    // Not from Globus, even if the program added its origin.
    for trust in [
        Trust::globus(),
        with_added_origin(),
        Trust::globus().origin(TRANSFER).expect("an origin"),
    ] {
        let (told, through) = ask(trust, TRANSFER, None, quoted()).await;
        assert!(told.is_empty() && !through, "{told:?}");
    }
    // Not after a redirect to or from Globus.
    for (url, from) in [(OURS, TRANSFER), (TRANSFER, OURS)] {
        let (told, through) = ask(with_added_origin(), url, Some(from), quoted()).await;
        assert!(told.is_empty() && !through, "{url} {from} {told:?}");
    }
    let (told, through) = ask(with_added_origin(), OURS, Some(OURS), quoted()).await;
    assert!(told.len() == 1 && through, "{told:?}");
}

#[checks::test]
async fn stated_requirements_count_from_globus() {
    let (told, through) = ask(Trust::globus(), TRANSFER, None, stated()).await;
    assert!(through);
    let words = "transfer.api.globus.org asks you to log in again with an identity from uchicago.edu, the collection's server says.";
    assert_eq!(told, [words]);
}

#[checks::test]
async fn messages_are_attributed_to_their_author() {
    let says = |message: &str| {
        REFUSED.replace(
            r#"{\"session"#,
            &format!(r#"{{\"session_message\": \"{message}\", \"session"#),
        )
    };
    let server = format!(r#"{{"code": "X", "message": "{}"}}"#, says("Call us"));
    let (told, _) = ask(Trust::globus(), TRANSFER, None, server).await;
    assert!(
        told[0].ends_with("uchicago.edu. The collection's server says: \"Call us\""),
        "{told:?}"
    );
    // Transfer has a message of its own, or none. The server's message is not shown as Transfer's.
    for (own, words) in [
        (
            r#""session_message": "Log in""#,
            "factor authentication. It says: \"Log in\"",
        ),
        (r#""prompt": "login""#, "factor authentication."),
    ] {
        let body = format!(
            r#"{{"authorization_parameters": {{"session_required_mfa": true, {own}}}, "message": "{}"}}"#,
            says("Call us")
        );
        let (told, _) = ask(Trust::globus(), TRANSFER, None, body).await;
        assert!(told[0].ends_with(words), "{told:?}");
    }
    // Transfer repeats the server's message at the root.
    let body = format!(
        r#"{{"authorization_parameters": {{"session_required_mfa": true, "session_message": "Call us"}}, "message": "{}"}}"#,
        says("Call us")
    );
    let (told, _) = ask(Trust::globus(), TRANSFER, None, body).await;
    let words = "The collection's server says: \"Call us\"";
    assert!(told[0].ends_with(words), "{told:?}");
    // A nested document repeats it, or the error of an action provider has it.
    let repeated = format!(
        r#"{{"authorization_parameters": {{"session_message": "Call us"}}, "message": "{}"}}"#,
        says("Call us")
    );
    let provider = r#"{"cause": "{\"code\": \"ConsentRequired\", \"required_scope\": \"s\", \"description\": \"Call us\"}"}"#;
    for (member, nested) in [("detail", &repeated[..]), ("details", provider)] {
        let mfa = r#""authorization_parameters": {"session_required_mfa": true}"#;
        let body = format!(r#"{{{mfa}, "{member}": {nested}}}"#);
        let (told, _) = ask(Trust::globus(), TRANSFER, None, body).await;
        assert!(!told[0].contains("Call us"), "{told:?}");
    }
    // A service that says the same as an action provider is no collection's server.
    let mfa = r#""session_required_mfa": true, "session_message": "Call us""#;
    let body = format!(r#"{{"authorization_parameters": {{{mfa}}}, "details": {provider}}}"#);
    let (told, _) = ask(Trust::globus(), TRANSFER, None, body).await;
    assert!(told[0].ends_with("It says: \"Call us\""), "{told:?}");
}

#[checks::test]
async fn too_large_requirements_start_no_login() {
    let policies = vec!["p"; 65].join(",");
    let body =
        format!(r#"{{"authorization_parameters": {{"session_required_policies": "{policies}"}}}}"#);
    let (told, through) = ask(Trust::globus(), TRANSFER, None, body).await;
    assert!(told.is_empty() && !through, "{told:?}");
}

#[checks::test]
async fn action_providers_and_reasons_are_told() {
    let cause = r#"{\"code\": \"ConsentRequired\", \"required_scope\": \"s\"}"#;
    let flow = format!(r#"{{"details": {{"cause": "{cause}"}}}}"#);
    let (told, _) = ask(Trust::globus(), TRANSFER, None, flow).await;
    assert_eq!(
        told,
        ["transfer.api.globus.org asks you to consent to s, the action provider says."]
    );
    let compute = r#"{"reason": "Log in again", "authorization_parameters": {}}"#;
    let (told, _) = ask(Trust::globus(), TRANSFER, None, compute.to_owned()).await;
    assert_eq!(
        told,
        ["transfer.api.globus.org asks you to log in again. It says: \"Log in again\""]
    );
}
