//! The types of `globus_login`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use globus_gare::gare::detect;
use globus_gare::reauth::{Challenge, Origin, Principal, Reauthenticator, Target};
use globus_login::conformance;
use globus_login::web::{WebError, WebLogins, WebUser};
use globus_login::{
    Account, CheckFor, ElsewherePrompt, GlobusApp, Holder, Interactive, JsonStore, Learned, Leased,
    LoginReply, LoginStore, MemoryStore, RedisStore, Scope, Scopes, Sealer, SqliteStore,
    StoredToken, Waiting, prompt_fn,
};

use http::Request;
use tower::{Layer, ServiceExt};

use checks::sample::TRANSFER_ALL;
use checks::tokens::{DEFAULT, put, user};

use super::{CODE, Shown, TOKEN};

pub(super) async fn show(shown: &mut Shown) {
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
    let collection = CheckFor::Collection("6c54cade-bde5-45c1-bdea-f4bd71dba2cc".to_owned());
    let ready = user.check(&collection, Duration::ZERO).await;
    shown.show("globus_login::CheckFor", &collection);
    shown.show("globus_login::Readiness", &ready.expect("an answer"));
    shown.show("globus_login::Interactive", &Interactive::new());
    let elsewhere = ElsewherePrompt::new().command("tell", [TOKEN]);
    shown.show("globus_login::ElsewherePrompt", &elsewhere);
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

/// Shows the types of a web service, and the user of a request with cookies.
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
    let error = error.expect_err("a login is needed");
    let needed = std::error::Error::source(&error);
    shown.show("globus_login::LoginNeeded", &needed.expect("a cause"));
    shown.show("globus_login::WebError", &WebError::from(error));
    let user = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&user);
    let who = async move |user: WebUser| *seen.lock().expect("no panic") = format!("{user:?}");
    let router = axum::Router::<()>::new().route("/", axum::routing::get(who));
    let service = logins.layer().layer(router);
    shown.show("globus_login::WebService", &service);
    let cookies = format!("__Host-globus-user={TOKEN}; __Host-globus-login={CODE}");
    let request = Request::get("/").header("cookie", cookies);
    let request = request.body(axum::body::Body::empty()).expect("a request");
    service.oneshot(request).await.expect("an answer");
    shown.show(
        "globus_login::WebUser",
        &user.lock().expect("no panic").clone(),
    );
}

/// Shows a stored token, and the stores.
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
    let versioned = file.load(&user).await.expect("a stored login");
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
    let away = redis.load(&user).await.expect_err("the port is closed");
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
        words: None,
        is_told: false,
    };
    let learned = r#"{"required": {"session_required_mfa": true}, "refused_age": 60, "number": 1}"#;
    let learned: Learned = serde_json::from_str(learned).expect("JSON");
    shown.show("globus_login::Learned", &learned);
    shown.show("globus_login::Leased", &Leased::Held);
    shown.show("globus_login::Holder", &holder);
    shown.show("globus_login::Waiting", &waiting);
}
