//! Text of a service is shown without characters that steer a terminal or change the writing
//! direction, and cut. The message of a panic is not shown.

use globus_gare::gare::{Gare, detect};
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, GareOutcome, Origin, Principal, ReauthError, Target, printable, reauth_fn,
};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

/// Escapes, C1 controls, line ends, bidi embeddings and isolates, zero width, tags.
const HOSTILE: [char; 16] = [
    '\u{1b}',
    '\u{9b}',
    '\u{7}',
    '\u{8}',
    '\r',
    '\n',
    '\0',
    '\u{7f}',
    '\u{202e}',
    '\u{202a}',
    '\u{2066}',
    '\u{2069}',
    '\u{200b}',
    '\u{200f}',
    '\u{feff}',
    '\u{e0041}',
];

fn body(text: &str) -> String {
    let text = serde_json::to_string(text).expect("JSON");
    format!(
        r#"{{"code": {text}, "authorization_parameters": {{"session_message": {text},
            "session_required_identities": [{text}], "session_required_policies": [{text}],
            "session_required_single_domain": [{text}], "required_scopes": [{text}], "prompt": {text},
            {text}: {text}}}, {text}: {text}}}"#
    )
}

fn challenge(text: &str) -> Challenge {
    let origin: Origin = "https://transfer.api.globus.org".parse().expect("one");
    let gare: Gare = serde_json::from_str(&body(text)).expect("a GARE");
    Challenge::new(Target::new(origin, Principal::Session), gare)
}

fn assert_harmless(what: &str, text: &str, line_ends: bool) {
    for c in HOSTILE {
        let allowed = line_ends && c == '\n';
        assert!(allowed || !text.contains(c), "{what} shows {c:?}: {text:?}");
    }
}

#[checks::test]
fn service_text_is_printable_wherever_it_is_shown() {
    for c in HOSTILE {
        let hostile = format!("log in{c}[2J{c} please{c}");
        let challenge = challenge(&hostile);
        assert_harmless("in plain words", &challenge.in_plain_words(), false);
        assert_harmless("Debug", &format!("{challenge:?}"), false);
        // `{:#?}` has line breaks of its own.
        assert_harmless("indented Debug", &format!("{challenge:#?}"), true);
        assert_harmless("printable", &printable(&hostile), false);
        let found = detect(body(&hostile).as_bytes());
        assert_harmless("what was found", &format!("{found:?}"), false);
        assert_harmless("where", &found[0].location.to_string(), false);
    }
}

#[checks::test]
fn overlong_service_text_is_cut_in_every_part() {
    let long = "x".repeat(200_000);
    let words = challenge(&long).in_plain_words();
    // Five lists of one value each, and the message: each is cut to 300 characters.
    assert!(words.chars().count() < 6 * 310, "{}", words.len());
    assert!(words.contains('…'));
}

#[checks::test]
async fn panic_message_of_a_login_is_not_shown() {
    let layer = GareLayer::new(reauth_fn(|_| async {
        panic!("with AgTokenThatNobodyMaySee in its message");
    }));
    let service = service_fn(|_: Request<Full<bytes::Bytes>>| async {
        Response::builder()
            .status(403)
            .body(Full::<bytes::Bytes>::from(body("x")))
    });
    let request = Request::get("https://transfer.api.globus.org/");
    let request = request.body(Full::default()).expect("a request");
    let response = layer.layer(service).oneshot(request).await;
    let response = response.expect("an answer");
    let outcome = response.extensions().get::<GareOutcome>().expect("one");
    let reason = outcome.gave_up().expect("a reason");
    let shown = format!("{reason} {reason:?} {reason:#?} {outcome:?}");
    assert!(shown.contains("the reauthenticator panicked"));
    checks::secrets::assert_hidden("a panic", &shown, &["AgTokenThatNobodyMaySee"]);
}

#[checks::test]
fn login_url_is_returned_but_its_query_is_not_shown() {
    let url = "https://auth.globus.org/v2/oauth2/authorize?state=StateThatNobodyMaySee";
    let error = ReauthError::interaction_required(url);
    assert_eq!(error.login_url(), Some(url));
    let shown = format!("{error} {error:?} {error:#?}");
    checks::secrets::assert_hidden("an error", &shown, &["StateThatNobodyMaySee"]);
}
