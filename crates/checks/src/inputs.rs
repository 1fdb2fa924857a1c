//! Properties that hold for any input. The fuzz targets in `fuzz/`, and the replays of their
//! inputs, call these functions.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use globus_gare::gare::{self, AuthorizationParameters, Gare, coalesce};
use globus_gare::reauth::{Challenge, Principal, ReauthError, Reauthenticator, Target, printable};
use globus_login::{GlobusApp, LoginPrompt, LoginReply, LoginRequest, Scope, Scopes};
use tokio::runtime::Runtime;
use url::Url;

use crate::corpus::rows;

/// The inputs of a fuzz target in `fuzz/inputs`, by name.
pub fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/inputs")
        .join(target);
    let saved = fs::read_dir(&directory).expect("a directory of inputs");
    let mut inputs: Vec<_> = saved
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            (name, fs::read(path).expect("an input"))
        })
        .collect();
    assert!(!inputs.is_empty(), "no inputs in {}", directory.display());
    inputs.sort();
    inputs
}

/// The [`kept`] inputs, and the bodies of the corpus.
pub fn saved(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut inputs = kept(target);
    inputs.extend(rows().map(|row| (row.id, row.body.into_bytes())));
    inputs
}

/// Calls `check` with each of the [`saved`] inputs.
pub fn replay(target: &str, check: fn(&[u8])) {
    for (name, input) in saved(target) {
        // Names the input if the check fails.
        println!("{name}");
        check(&input);
    }
}

/// Any GARE that is found in a body can be serialized, parsed again, merged, located and shown.
pub fn detect(input: &[u8]) {
    let found = gare::detect(input);
    for found in &found {
        let text = serde_json::to_string(&found.gare).expect("JSON");
        let again: Gare = serde_json::from_str(&text).expect("serialized GAREs parse");
        assert_eq!(again, found.gare, "{text}");
        let location = found.location.to_string();
        assert!(!location.chars().any(char::is_control), "{location:?}");
        let shown = Challenge::new(transfer(), again).in_plain_words();
        assert!(
            shown.chars().all(|c| c == ' ' || is_printable(c)),
            "{shown:?}"
        );
    }
    let asked = |gare: Gare| gare.authorization_parameters;
    let all: Vec<Gare> = found.into_iter().map(|found| found.gare).collect();
    let merged = coalesce(all.clone());
    assert!(merged.len() <= all.len() && merged.is_empty() == all.is_empty());
    assert_eq!(
        coalesce(merged.clone()),
        merged,
        "merging twice changes nothing"
    );
    let merged: Vec<_> = merged.into_iter().map(asked).collect();
    for asked in all.into_iter().map(asked) {
        let covered = merged.iter().any(|merged| {
            let all_in =
                |part: &[String], whole: &[String]| part.iter().all(|item| whole.contains(item));
            all_in(&asked.required_scopes, &merged.required_scopes)
                && all_in(
                    &asked.session_required_policies,
                    &merged.session_required_policies,
                )
                && all_in(
                    &asked.session_required_identities,
                    &merged.session_required_identities,
                )
                && all_in(
                    &merged.session_required_single_domain,
                    &asked.session_required_single_domain,
                )
                && merged.session_required_single_domain.is_empty()
                    == asked.session_required_single_domain.is_empty()
                && merged.session_required_mfa == asked.session_required_mfa
                && merged.prompt == asked.prompt
        });
        assert!(covered, "{asked:?} was lost in {merged:?}");
    }
}

/// The text of a GridFTP reply has the same requirements as plain text and in a JSON string. Cut
/// off anywhere, it does not panic.
pub fn gridftp(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    // With this prefix the body is not JSON, but the text of a refused login.
    let text = format!("Error (login)\n{text}");
    let document = serde_json::json!({ "message": text }).to_string();
    let params = |body: &str| -> Vec<AuthorizationParameters> {
        let found = gare::detect(body.as_bytes()).into_iter();
        found
            .map(|found| found.gare.authorization_parameters)
            .collect()
    };
    assert_eq!(params(&text), params(&document), "{text:?}");
    for (at, _) in text.char_indices().step_by(text.len() / 16 + 1) {
        gare::detect(&text.as_bytes()[..at]);
    }
}

/// The URL of a login for any requirement: a service cannot change the parameters of the protocol,
/// each parameter occurs once, and Globus Auth accepts all. Invalid scopes fail the login before
/// anybody is prompted.
pub fn authorize_url(input: &[u8]) {
    let found = gare::detect(input).into_iter();
    let given = serde_json::from_slice::<AuthorizationParameters>(input);
    let asked = found.map(|found| found.gare.authorization_parameters);
    asked.chain(given).for_each(|asked| check_login_of(&asked));
}

fn check_login_of(asked: &AuthorizationParameters) {
    let Some(url) = login_url(asked) else {
        assert!(!can_be_asked_for(&asked.required_scopes), "{asked:?}");
        return;
    };
    assert_eq!(
        url[..url::Position::AfterPath],
        *"https://auth.globus.org/v2/oauth2/authorize"
    );
    assert_eq!(url.fragment(), None);
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut query: HashMap<&str, &str> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(query.len(), pairs.len(), "a parameter comes twice: {url}");
    assert!(
        query.values().all(|value| !value.trim().is_empty()),
        "a parameter is blank: {url}"
    );

    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "https://auth.globus.org/v2/web/auth-code"),
        ("code_challenge_method", "S256"),
        ("access_type", "online"),
    ] {
        assert_eq!(query.remove(name), Some(value), "{name}");
    }
    assert_eq!(query.remove("code_challenge").map(str::len), Some(43));
    assert!(query.remove("state").is_some_and(|state| state.len() >= 22));
    let scopes = query.remove("scope").expect("scopes");
    let scopes: Scopes = scopes.parse().expect("scopes");
    for required in &asked.required_scopes {
        let required = required.parse().expect("scopes");
        let together = scopes.union(&required).expect("scopes");
        assert_eq!(together, scopes, "{required} is not in it");
    }
    for (name, value) in asked.to_query() {
        assert!(name.starts_with("session_") || name == "prompt");
        assert_eq!(query.remove(name), Some(value.as_str()), "{name}");
    }
    let prompt = query.remove("prompt");
    assert!(prompt.is_none() || prompt == Some("login") && asked.requires_session());
    assert!(query.is_empty(), "unexpected parameters: {query:?}");
}

const CLIENT: &str = "3f1c2d9e-0000-4000-8000-000000000000";

/// Whether the scopes are valid, also together with the scopes of the program.
fn can_be_asked_for(scopes: &[String]) -> bool {
    let ours = Scopes::from(Scope::transfer_all());
    let all = scopes.iter().try_fold(ours, |all, scopes| {
        let scopes: Scopes = scopes.parse()?;
        all.union(&scopes)
    });
    all.is_ok()
}

/// The URL of the login page; `None` if the login fails before the prompt.
fn login_url(asked: &AuthorizationParameters) -> Option<Url> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().expect("a runtime")
    });
    static SEEN: LazyLock<Arc<Mutex<Option<Url>>>> = LazyLock::new(Arc::default);
    static APP: LazyLock<GlobusApp> = LazyLock::new(|| {
        let app = GlobusApp::user(CLIENT)
            .auth_url("https://auth.globus.org")
            .scopes_may_be_required(|_, _| true);
        app.prompt(Reader(SEEN.clone())).build().expect("an app")
    });
    let challenge = Challenge::new(transfer(), Gare::new("X", asked.clone()));
    // Tests run on several threads, and share one URL.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let answer = RUNTIME.block_on(APP.reauthenticate(&challenge));
    let url = SEEN.lock().expect("no panic").take();
    let error = answer.expect_err("the prompt declines");
    assert_eq!(error.is_declined(), url.is_some(), "{error}");
    url
}

/// A prompt that records the URL of the login page, and declines.
struct Reader(Arc<Mutex<Option<Url>>>);

#[async_trait]
impl LoginPrompt for Reader {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        *self.0.lock().expect("no panic") = Some(request.authorize_url().clone());
        Err(ReauthError::declined())
    }
}

fn transfer() -> Target {
    let origin = "https://transfer.api.globus.org".parse();
    Target::new(origin.expect("an origin"), Principal::Session)
}

/// Whether `printable` keeps `c`.
fn is_printable(c: char) -> bool {
    printable(&c.to_string()).chars().eq([c])
}
