//! Every public type, with secrets in it, shown with `Debug`.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fake_globus::{Browser, Clock, Collection, Counts, FakeGlobus, Person, Policy};
use globus_gare::gare::{Detection, Extra, detect};
use globus_gare::layer::{GareLayer, InspectLimits, ReplayBody, ReplayBodyError, ReplayableBody};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, Environment, GareOptions, GaveUp, GaveUpCounts,
    Origin, Principal, ReauthError, Reauthenticator, ResponseUrl, Session, Stats, Target, Trust,
    Why, reauth_fn,
};
use globus_gare::reqwest::{GareMiddleware, HttpService};
use globus_login::store::conformance;
use globus_login::web::{WebError, WebLogins, WebUser};
use globus_login::{
    Account, GlobusApp, Holder, Interactive, JsonStore, Leased, LoginReply, LoginStore,
    MemoryStore, RedisStore, Scope, Scopes, Sealer, SqliteStore, StoredToken, Waiting, prompt_fn,
};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

use checks::sample::TRANSFER_ALL;
use checks::secrets::assert_hidden;
use checks::tokens::{DEFAULT, put, user};

const TOKEN: &str = "AgTokenThatNobodyMaySee";
const CODE: &str = "CodeThatNobodyMaySee";

/// Types that hold nothing but what a test says, or cannot be made from outside.
const PLAIN: [&str; 13] = [
    "gare::Limit",
    "gare::OverLimit",
    "globus_login::LoginEnd",
    "globus_login::LoginStatus",
    "globus_login::Shown",
    "globus_login::LoginRequest", // shown during a login, see `real_login`
    "globus_login::LoginRecord",  // shown as a part of `Login`
    "globus_login::Work",
    "fake_globus::ErrorShape",
    "fake_globus::RequestKind",
    "fake_globus::ShutdownError",
    "fake_globus::Violation",
    "fake_globus::ViolationKind",
];

/// What has been shown so far.
#[derive(Default)]
struct Shown {
    names: BTreeSet<String>,
    texts: Vec<(String, String)>,
}

impl Shown {
    fn show(&mut self, name: &str, value: &dyn Debug) {
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
    shown.show("reauth::GaveUpCounts", &GaveUpCounts::default());
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
            *seen.lock().expect("whole") = format!("{head:?}");
            None
        })
        .on_event(move |event| {
            use std::fmt::Write as _;
            write!(told.lock().expect("whole"), "{event:?}").expect("memory");
        })
        .build();
    let layer = GareLayer::from_session(session);
    shown.show("layer::GareLayer", &layer);
    let body = r#"{"code": "c", "authorization_parameters": {}}"#;
    let mut service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| async move {
        let refused = Response::builder()
            .status(403)
            .body(Full::<Bytes>::from(body));
        Ok::<_, Infallible>(refused.expect("a response"))
    }));
    shown.show("layer::GareService", &service);
    let mut value = HeaderValue::from_str(&format!("Bearer {TOKEN}")).expect("a value");
    value.set_sensitive(true);
    let request = Request::get("https://transfer.api.globus.org/").header("authorization", value);
    let request = request.body(Full::default()).expect("a request");
    let future = service.ready().await.expect("ready").call(request);
    shown.show("layer::GareFuture", &future);
    let response = future.await.expect("an answer");
    shown.show("reauth::RequestHead", &head.lock().expect("whole").clone());
    let events = events.lock().expect("whole").clone();
    assert!(events.contains("Challenged"), "{events}");
    shown.show("reauth::Event", &events);
    let outcome = response
        .extensions()
        .get::<globus_gare::reauth::GareOutcome>();
    shown.show("reauth::GareOutcome", outcome.expect("an outcome"));
    shown.show("body::GareBody", response.body());
    show_bodies(shown).await;
}

/// A body that is sent again, and the copy of it that was overtaken.
async fn show_bodies(shown: &mut Shown) {
    let secret = format!("{{\"token\": \"{TOKEN}\"}}");
    let mut body = ReplayBody::with_limit(Full::<Bytes>::from(secret), 4);
    shown.show("body::ReplayBody", &body);
    let copy = body.try_clone().expect("a copy");
    copy.collect().await.expect("the body");
    let overtaken = body.collect().await.expect_err("it was sent already");
    let overtaken = overtaken.downcast::<ReplayBodyError>().expect("ours");
    shown.show("body::ReplayBodyError", &overtaken);
    let middleware = GareMiddleware::new(reauth_fn(|_| async { Ok(credential()) }));
    shown.show("reqwest::GareMiddleware", &middleware);
    let token = HeaderValue::from_str(&format!("Bearer {TOKEN}")).expect("a value");
    let builder =
        reqwest::Client::builder().default_headers([(AUTHORIZATION, token)].into_iter().collect());
    let http = HttpService::from_builder(builder).expect("a client");
    shown.show("reqwest::HttpService", &http);
    shown.show("layer::InspectLimits", &InspectLimits::new());
}

async fn show_login(shown: &mut Shown) {
    let redirect = format!("http://127.0.0.1/?code={CODE}&state={CODE}");
    let builder = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000");
    shown.show("globus_login::GlobusAppBuilder", &builder);
    let app = builder
        .client_secret(TOKEN)
        .store(MemoryStore::new())
        .build();
    let app = app.expect("an app");
    shown.show("globus_login::GlobusApp", &app);
    let user = app.for_user(&Principal::Session);
    shown.show("globus_login::AppUser", &user);
    let pending = app.begin_login(&Principal::Session, None).await;
    shown.show("globus_login::PendingLogin", &pending.expect("a login"));
    shown.show("globus_login::Interactive", &Interactive::new());
    show_stores(shown).await;
    show_web(shown).await;
    shown.show("globus_login::Scope", &Scope::transfer_all());
    let scopes: Result<Scopes, _> = "a[b *c]".parse();
    shown.show("globus_login::Scopes", &scopes.expect("scopes"));
    let wrong = format!("{TOKEN}[").parse::<Scopes>();
    shown.show(
        "globus_login::ScopeParseError",
        &wrong.expect_err("an open bracket"),
    );
    let account = r#"{"sub": "1", "name": "Ada"}"#;
    let account: Account = serde_json::from_str(account).expect("an account");
    shown.show("globus_login::Account", &account);
    let nowhere = GlobusApp::user("x").auth_url("nowhere").build();
    shown.show("globus_login::SetupError", &nowhere.expect_err("no URL"));
    let reply = [
        LoginReply::Code(CODE.to_owned()),
        LoginReply::Redirect {
            url: redirect.parse().expect("a URL"),
            redirect_uri: "http://127.0.0.1:1".to_owned(),
        },
    ];
    shown.show("globus_login::LoginReply", &reply);
    let secret = CODE.to_owned();
    let prompt = prompt_fn(move |_| {
        let reply = LoginReply::Code(secret.clone());
        async move { Ok(reply) }
    });
    shown.show("globus_login::PromptFn", &prompt);
}

/// Shows the parts of a web service, and what a request with cookies becomes in it.
async fn show_web(shown: &mut Shown) {
    let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000")
        .client_secret(TOKEN)
        .redirect_uri("https://data.example.edu/callback")
        .build()
        .expect("an app");
    let key = "key:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let sealer: Sealer = key.parse().expect("a key");
    let logins = WebLogins::new(app, sealer, "https://data.example.edu").expect("a site");
    shown.show("globus_login::WebLogins", &logins);
    shown.show("globus_login::WebLayer", &logins.layer());
    let origin: Origin = "https://transfer.api.globus.org".parse().expect("one");
    let gare = detect(br#"{"code": "c", "authorization_parameters": {}}"#)
        .remove(0)
        .gare;
    let challenge = Challenge::new(Target::new(origin, Principal::Session), gare);
    let error = logins.reauthenticate(&challenge).await;
    let error = error.expect_err("nobody is waited for");
    let needed = std::error::Error::source(&error);
    shown.show("globus_login::LoginNeeded", &needed.expect("a cause"));
    shown.show("globus_login::WebError", &WebError::from(error));
    let user = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&user);
    let who = async move |user: WebUser| *seen.lock().expect("whole") = format!("{user:?}");
    let router = axum::Router::<()>::new().route("/", axum::routing::get(who));
    let service = logins.layer().layer(router);
    shown.show("globus_login::WebService", &service);
    let cookies = format!("__Host-globus-user={TOKEN}; __Host-globus-login={CODE}");
    let request = Request::get("/").header("cookie", cookies);
    let request = request.body(axum::body::Body::empty()).expect("a request");
    service.oneshot(request).await.expect("an answer");
    shown.show(
        "globus_login::WebUser",
        &user.lock().expect("whole").clone(),
    );
}

/// Shows a token that is kept, and what keeps it.
async fn show_stores(shown: &mut Shown) {
    let token = format!(
        r#"{{"resource_server": "transfer.api.globus.org", "scope": "{TRANSFER_ALL}", "expires_at_seconds": 1,
            "access_token": "{TOKEN}", "refresh_token": "{CODE}"}}"#
    );
    let token: StoredToken = serde_json::from_str(&token).expect("a token");
    shown.show("globus_login::StoredToken", &token);
    let folder = tempfile::tempdir().expect("a directory");
    let file = JsonStore::new(folder.path().join("tokens.json"));
    let memory = MemoryStore::new();
    let database = SqliteStore::new(folder.path().join("tokens.db"));
    for store in [&file as &dyn LoginStore, &memory, &database] {
        put(store, &user(DEFAULT), token.clone()).await;
    }
    let user = user(DEFAULT);
    let versioned = file.load(&user).await.expect("it is there");
    shown.show("globus_login::UserKey", &user);
    shown.show("globus_login::Login", &versioned.login);
    shown.show("globus_login::Version", &versioned.version);
    shown.show("globus_login::Versioned", &versioned);
    shown.show("globus_login::MemoryStore", &memory);
    shown.show("globus_login::JsonStore", &file);
    shown.show("globus_login::SqliteStore", &database);
    let sealer: Sealer = "key:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        .parse()
        .expect("a key");
    shown.show("globus_login::Sealer", &sealer);
    let unsealed = format!("key:{TOKEN}")
        .parse::<Sealer>()
        .expect_err("no key");
    shown.show("globus_login::SealError", &unsealed);
    let redis = RedisStore::builder();
    shown.show("globus_login::RedisStoreBuilder", &redis);
    let redis = redis
        .build(&format!("redis://:{TOKEN}@127.0.0.1:1/"), sealer)
        .expect("a URL");
    shown.show("globus_login::RedisStore", &redis);
    let away = redis.load(&user).await.expect_err("nobody is there");
    shown
        .texts
        .push(("an error of Redis".to_owned(), format!("{away:?}")));
    std::fs::write(file.path(), TOKEN).expect("a file");
    let broken = file.load(&user).await.expect_err("not JSON");
    shown.show("globus_login::StoreError", &broken);
    let keeps = conformance::check(|| memory.clone()).await;
    shown.show("globus_login::Keeps", &keeps);
    let holder = Holder::new("program", std::time::SystemTime::now());
    let waiting = Waiting {
        by: holder.clone(),
        required: Default::default(),
        scopes: Default::default(),
    };
    shown.show("globus_login::Leased", &Leased::Held);
    shown.show("globus_login::Holder", &holder);
    shown.show("globus_login::Waiting", &waiting);
}

/// Shows a server in use; what it knows that is secret.
async fn show_testing(shown: &mut Shown) -> Vec<String> {
    let data = tempfile::tempdir().expect("a directory");
    let ada = fake_globus::Identity::new("ada", "uchicago.edu");
    let collection = Collection::new("data", data.path()).policy(Policy::new("any"));
    let builder = FakeGlobus::builder()
        .identity(ada.clone())
        .collection(collection.clone());
    shown.show("fake_globus::FakeGlobusBuilder", &builder);
    let client = serde_json::json!({"id": collection.id(), "name": "x", "secret": TOKEN});
    let config = serde_json::from_value(serde_json::json!({"clients": [client]}));
    let config: fake_globus::Config = config.expect("a configuration");
    shown.show("fake_globus::Config", &config);
    let globus = builder.start().await.expect("a server");
    let token = globus.issue_token(&ada, TRANSFER_ALL).expect("a token");
    let url = format!("{}endpoint/{}", globus.transfer_url(), collection.id());
    let answer = reqwest::Client::new()
        .get(url)
        .bearer_auth(&token)
        .send()
        .await;
    assert_eq!(answer.expect("an answer").status(), 200);
    shown.show("fake_globus::FakeGlobus", &globus);
    shown.show("fake_globus::Clock", &Clock::default());
    shown.show("fake_globus::Collection", &collection);
    shown.show("fake_globus::Counts", &Counts::default());
    shown.show("fake_globus::Identity", &ada);
    shown.show("fake_globus::Person", &Person::automatic());
    shown.show("fake_globus::Policy", &Policy::new("any"));
    shown.show("fake_globus::SeenRequest", &globus.requests());
    let port = globus
        .transfer_url()
        .trim_end_matches('/')
        .rsplit(':')
        .next();
    let port = port.and_then(|port| port.parse().ok()).expect("a port");
    let taken = FakeGlobus::builder().port(port).start().await;
    shown.show("fake_globus::StartError", &taken.expect_err("it is taken"));
    let unknown = globus.issue_token(
        &fake_globus::Identity::new("eve", "evil.example"),
        TRANSFER_ALL,
    );
    shown.show("fake_globus::UnknownError", &unknown.expect_err("eve"));
    let browser = Browser::new();
    let page = format!("{}v2/web/auth-code?code={CODE}", globus.auth_url());
    let page = browser.open(page).await.expect("a page");
    assert!(page.text.contains(CODE));
    shown.show("fake_globus::Page", &page);
    let failed = browser.open(format!("http://127.0.0.1:1/?code={CODE}"));
    shown.show(
        "fake_globus::BrowserError",
        &failed.await.expect_err("nobody listens"),
    );
    shown.show("fake_globus::Browser", &browser);
    vec![token, globus.client_secret().to_owned()]
}

#[checks::test(seconds = 600)]
async fn public_types_show_no_secret() {
    let mut shown = Shown::default();
    show_reauth(&mut shown);
    show_layer(&mut shown).await;
    show_login(&mut shown).await;
    let mut secrets = show_testing(&mut shown).await;
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
    assert!(missing.is_empty(), "show these above as well: {missing:?}");
    let gone: Vec<_> = shown.names.difference(&sources).collect();
    assert!(gone.is_empty(), "there are no such types: {gone:?}");
}
