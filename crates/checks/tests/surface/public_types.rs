//! The `Debug` output of every public type contains no secret.

mod logins;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use globus_gare::gare::{Detection, Extra, detect};
use globus_gare::layer::{GareLayer, InspectLimits, ReplayBody, ReplayableBody};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, Environment, GareOptions, GaveUp, Origin, Principal,
    ReauthError, ResponseUrl, Session, Stats, Target, Trust, Why, reauth_fn,
};
use globus_gare::reqwest::{GareMiddleware, HttpService};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

use checks::secrets::assert_hidden;

use crate::testing_types;

pub(crate) const TOKEN: &str = "AgTokenThatNobodyMaySee";
pub(crate) const CODE: &str = "CodeThatNobodyMaySee";

/// Types without secrets, and types that cannot be constructed from outside.
const PLAIN: [&str; 12] = [
    "gare::OverLimit",
    "globus_login::LoginEnd",
    "globus_login::LoginStatus",
    "globus_login::Shown",
    "globus_login::LoginRequest", // printed during a login, in tests/login/secrets.rs
    "globus_login::LoginRecord",  // printed as a part of `Login`
    "globus_login::Work",
    "fake_globus::ErrorShape",
    "fake_globus::RequestKind",
    "fake_globus::ShutdownError",
    "fake_globus::Violation",
    "fake_globus::ViolationKind",
];

/// The `Debug` texts so far.
#[derive(Default)]
pub(crate) struct Shown {
    names: BTreeSet<String>,
    texts: Vec<(String, String)>,
}

impl Shown {
    pub(crate) fn show(&mut self, name: &str, value: &dyn Debug) {
        assert!(self.names.insert(name.to_owned()), "{name} twice");
        let text = format!("{value:?}\n{value:#?}");
        self.texts.push((name.to_owned(), text));
    }
}

/// `module::Name` of every public type in the sources.
fn in_the_sources(folder: &Path, module: &str, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        let below = if module.is_empty() { &name } else { module };
        if path.is_dir() {
            in_the_sources(&path, below, names);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source");
        for line in source.lines() {
            let mut words = line.split_whitespace();
            let public = words.next() == Some("pub");
            if !public || !matches!(words.next(), Some("struct" | "enum" | "union")) {
                continue;
            }
            let name = words.next().expect("a name");
            let name = name.split(|c: char| !c.is_alphanumeric()).next();
            names.insert(format!("{below}::{}", name.expect("a name")));
        }
    }
}

fn credential() -> Credential {
    Credential::bearer(TOKEN).expect("a token")
}

fn show_reauth(shown: &mut Shown) {
    let origin: Origin = "https://transfer.api.globus.org".parse().expect("one");
    let identity = Principal::Presented(credential());
    let target = Target::new(origin.clone(), identity.clone());
    let body = format!(
        r#"{{"code": "c", "Authorization": "Bearer {TOKEN}",
            "authorization_parameters": {{"session_required_mfa": true, "token": "{TOKEN}"}}}}"#
    );
    let found = detect(body.as_bytes()).remove(0);
    let extra: Extra = found.gare.extra.clone();
    let challenge = Challenge::new(target.clone(), found.gare.clone());
    let session = Session::new(reauth_fn(|_| async { Ok(credential()) }));
    shown.show(
        "gare::AuthorizationParameters",
        &found.gare.authorization_parameters,
    );
    shown.show("gare::Extra", &extra);
    shown.show("gare::Gare", &found.gare);
    shown.show("gare::Location", &found.location);
    let mut detection = Detection::default();
    detection.found.push(found.clone());
    shown.show("gare::Detection", &detection);
    shown.show("gare::Found", &found);
    shown.show(
        "reauth::ResponseUrl",
        &ResponseUrl(
            format!("https://globus.org/?code={CODE}")
                .parse()
                .expect("a URI"),
        ),
    );
    shown.show("reauth::Challenge", &challenge);
    shown.show("reauth::Credential", &credential());
    let environment = Environment::from_variables([("GLOBUS_SDK_ENVIRONMENT", "nowhere")]);
    let unknown = environment.service_url("auth");
    shown.show("reauth::Environment", &environment);
    shown.show(
        "reauth::InvalidEnvironment",
        &unknown.expect_err("no such environment"),
    );
    shown.show("reauth::GareOptions", &GareOptions::new().principal("ada"));
    shown.show("reauth::Principal", &identity);
    shown.show(
        "reauth::InvalidCredential",
        &Credential::bearer(format!("{TOKEN}\n")).expect_err("no token"),
    );
    shown.show(
        "reauth::InvalidOrigin",
        &format!("https://user:{TOKEN}@globus.org")
            .parse::<Origin>()
            .expect_err("none"),
    );
    shown.show("reauth::Origin", &origin);
    let error = ReauthError::from(Credential::bearer(format!("{TOKEN} ")).expect_err("no token"));
    shown.show("reauth::ReauthError", &error);
    shown.show("reauth::GaveUp", &GaveUp::Failed(error));
    let both = reauth_fn(|_| async { Ok(credential()) });
    let both = both.with_credential(|_| async { Ok(Some(credential())) });
    shown.show("reauth::ReauthFn", &both);
    let why = Why::Required(Arc::new(found.gare.clone()));
    shown.show("reauth::Why", &why);
    let wanted = CredentialRequest::new(target.clone(), why).with_rejected(credential());
    shown.show("reauth::CredentialRequest", &wanted);
    shown.show("reauth::Session", &session);
    let builder = Session::builder(reauth_fn(|_| async { Ok(credential()) }));
    shown.show("reauth::SessionBuilder", &builder);
    shown.show("reauth::Stats", &Stats::default());
    shown.show("reauth::Target", &target);
    shown.show("reauth::Trust", &Trust::globus());
}

async fn show_layer(shown: &mut Shown) {
    let head = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&head);
    let events = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&events);
    let session = Session::builder(reauth_fn(|_| async { Ok(credential()) }))
        .principal_by(move |head| {
            *seen.lock().expect("no panic") = format!("{head:?}");
            None
        })
        .on_event(move |event| {
            use std::fmt::Write as _;
            write!(told.lock().expect("no panic"), "{event:?}").expect("memory");
        })
        .build();
    let layer = GareLayer::from_session(session);
    shown.show("layer::GareLayer", &layer);
    let body = r#"{"code": "c", "authorization_parameters": {}}"#;
    let mut service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| async move {
        let challenge = Response::builder()
            .status(403)
            .body(Full::<Bytes>::from(body));
        Ok::<_, Infallible>(challenge.expect("a response"))
    }));
    shown.show("layer::GareService", &service);
    let mut value = HeaderValue::from_str(&format!("Bearer {TOKEN}")).expect("a value");
    value.set_sensitive(true);
    let request = Request::get("https://transfer.api.globus.org/").header("authorization", value);
    let request = request.body(Full::default()).expect("a request");
    let future = service.ready().await.expect("ready").call(request);
    shown.show("layer::GareFuture", &future);
    let response = future.await.expect("an answer");
    shown.show(
        "reauth::RequestHead",
        &head.lock().expect("no panic").clone(),
    );
    let events = events.lock().expect("no panic").clone();
    assert!(events.contains("Challenged"), "{events}");
    shown.show("reauth::Event", &events);
    shown.show("reauth::EventKind", &events);
    let outcome = response
        .extensions()
        .get::<globus_gare::reauth::GareOutcome>();
    shown.show("reauth::GareOutcome", outcome.expect("an outcome"));
    shown.show("body::GareBody", response.body());
    show_bodies(shown).await;
}

/// Shows a body that is replayed, and its overtaken copy.
async fn show_bodies(shown: &mut Shown) {
    let secret = format!("{{\"token\": \"{TOKEN}\"}}");
    let mut body = ReplayBody::with_limit(Full::<Bytes>::from(secret), 4);
    shown.show("body::ReplayBody", &body);
    let copy = body.try_clone().expect("a copy");
    copy.collect().await.expect("the body");
    let overtaken = body.collect().await.expect_err("it was sent already");
    let text = format!("{overtaken:?} {overtaken}");
    shown.texts.push(("an overtaken body".to_owned(), text));
    let middleware = GareMiddleware::new(reauth_fn(|_| async { Ok(credential()) }));
    shown.show("reqwest::GareMiddleware", &middleware);
    let token = HeaderValue::from_str(&format!("Bearer {TOKEN}")).expect("a value");
    let builder =
        reqwest::Client::builder().default_headers([(AUTHORIZATION, token)].into_iter().collect());
    let http = HttpService::from_builder(builder).expect("a client");
    shown.show("reqwest::HttpService", &http);
    shown.show("layer::InspectLimits", &InspectLimits::new());
}

#[checks::test(seconds = 600)]
async fn public_types_show_no_secret() {
    let mut shown = Shown::default();
    show_reauth(&mut shown);
    show_layer(&mut shown).await;
    logins::show(&mut shown).await;
    let mut secrets = testing_types::show(&mut shown).await;
    secrets.extend([TOKEN.to_owned(), CODE.to_owned()]);
    for (name, text) in &shown.texts {
        assert_hidden(name, text, &secrets);
    }

    let mut sources = BTreeSet::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    in_the_sources(&crates.join("../src"), "", &mut sources);
    for (folder, name) in [
        ("fake-globus", "fake_globus"),
        ("globus-login", "globus_login"),
    ] {
        in_the_sources(&crates.join(folder).join("src"), name, &mut sources);
    }
    shown.names.extend(PLAIN.map(str::to_owned));
    let missing: Vec<_> = sources.difference(&shown.names).collect();
    assert!(
        missing.is_empty(),
        "show these types above, too: {missing:?}"
    );
    let gone: Vec<_> = shown.names.difference(&sources).collect();
    assert!(gone.is_empty(), "these types do not exist: {gone:?}");
}
