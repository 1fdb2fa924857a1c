//! The events of each scenario, and the table that documents them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, GareOptions, ReauthError, Session, reauth_fn};
use http::Request;
use tower::ServiceExt;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use checks::mock::{
    Body, CONSENT, Login, MFA, POLICY, Service, answer, authorization, behind, get, presenting,
    responses, settle, spawn_in_turn, with,
};

/// A row of the table, or what was observed: levels, `event` or `span`, and the fields.
type Seen = (BTreeSet<String>, String, Vec<String>);

/// Records each event and span of the session.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<(String, Seen)>>>);

struct Name(String);

impl Visit for Name {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Notes {
    fn keep(&self, name: String, what: &str, metadata: &Metadata<'_>) {
        if metadata.target() != "globus_gare" {
            return;
        }
        let fields = metadata.fields().iter().map(|field| field.name());
        let mut fields: Vec<_> = fields
            .filter(|name| *name != "message")
            .map(str::to_owned)
            .collect();
        fields.sort();
        let levels = BTreeSet::from([metadata.level().to_string()]);
        let mut notes = self.0.lock().expect("whole");
        notes.push((name, (levels, what.to_owned(), fields)));
    }

    fn names(&self) -> Vec<String> {
        let notes = self.0.lock().expect("whole");
        notes.iter().map(|(name, _)| name.clone()).collect()
    }
}

impl<S: Subscriber> Layer<S> for Notes {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        self.keep(metadata.name().to_owned(), "span", metadata);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut name = Name(String::new());
        event.record(&mut name);
        self.keep(name.0, "event", event.metadata());
    }
}

/// The table in the page for operators.
fn documented() -> BTreeMap<String, Seen> {
    let page = include_str!("../../../src/guide/operators.md");
    let (_, events) = page.split_once("\n# Events\n").expect("its section");
    let (events, _) = events.split_once("`globus-login`").expect("its end");
    let rows = events.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let mut cells = row.split(" | ");
        let name = cells.next().expect("a name").trim_end_matches('`');
        let (levels, what) = cells
            .next()
            .and_then(|it| it.rsplit_once(' '))
            .expect("a kind");
        let levels = levels.split(" or ").map(str::to_owned).collect();
        let fields = cells.next().expect("fields");
        let fields = fields.split('`').skip(1).step_by(2);
        let mut fields: Vec<_> = fields.map(str::to_owned).collect();
        fields.sort();
        (name.to_owned(), (levels, what.to_owned(), fields))
    })
    .collect()
}

/// Accepts `token-1` for MFA, and `token-2` for a policy too.
fn service(session: &Session) -> Service {
    behind(&GareLayer::from_session(session.clone()), |request| {
        let policy = request.uri().path() == "/policy";
        match authorization(&request) {
            "Bearer token-2" => answer(200, ""),
            "Bearer token-1" if !policy => answer(200, ""),
            _ if policy => answer(403, POLICY),
            _ => answer(403, MFA),
        }
    })
}

async fn ask(client: &Service, request: Request<Body>) {
    let response = client.clone().oneshot(request).await;
    drop(response.expect("an answer"));
}

/// Several requests: some join a login, and one has another requirement.
async fn together() {
    let login = Login::held();
    let client = service(&Session::new(login.clone()));
    let all = ["/", "/", "/policy"].map(|path| presenting(get(path), "Bearer old"));
    let all = spawn_in_turn(&client, all).await;
    login.let_go();
    login.let_go();
    for response in responses(all).await {
        assert_eq!(response.status(), 200);
    }
}

async fn declined() {
    let login = Login::at_once().then(Err(ReauthError::declined()));
    ask(&service(&Session::new(login)), get("/")).await;
}

async fn login_elsewhere() {
    let error = ReauthError::interaction_required("https://portal.example.org/login");
    ask(
        &service(&Session::new(Login::at_once().then(Err(error)))),
        get("/"),
    )
    .await;
}

async fn slow() {
    tokio::time::pause();
    let login = Login::held();
    let client = service(&Session::new(login.clone()));
    let all = [0, 1].map(|_| tokio::spawn(client.clone().oneshot(get("/"))));
    settle().await;
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    settle().await;
    login.let_go();
    for request in all {
        drop(request.await);
    }
    tokio::time::resume();
}

async fn not_allowed_to_ask() {
    let request = with(get("/"), GareOptions::new().no_prompt());
    ask(&service(&Session::new(Login::at_once())), request).await;
}

async fn unauthenticated() {
    let session = Session::new(Login::at_once());
    let client = behind(
        &GareLayer::from_session(session),
        |request| match authorization(&request) {
            "Bearer token-1" => answer(200, ""),
            _ => answer(401, "{}"),
        },
    );
    ask(&client, get("/")).await;
}

async fn stored() {
    let login = Login::at_once().stored("token-1");
    ask(&service(&Session::new(login)), get("/")).await;
}

async fn stored_out_of_reach() {
    struct Broken;

    #[async_trait::async_trait]
    impl globus_gare::reauth::Reauthenticator for Broken {
        async fn reauthenticate(
            &self,
            _: &globus_gare::reauth::Challenge,
        ) -> Result<Credential, ReauthError> {
            Ok(Credential::bearer("token-1")?)
        }

        async fn credential(
            &self,
            _: &globus_gare::reauth::CredentialRequest,
        ) -> Result<Option<Credential>, ReauthError> {
            Err(ReauthError::new("the file is locked"))
        }
    }

    ask(&service(&Session::new(Broken)), get("/")).await;
}

async fn from_a_stranger() {
    let request = Request::get("https://globus.org.evil.example/");
    let request = request.body(Body::default()).expect("a request");
    ask(&service(&Session::new(Login::at_once())), request).await;
}

async fn again_and_again() {
    let session = Session::new(reauth_fn(|_| async { Ok(Credential::bearer("same")?) }));
    let client = behind(&GareLayer::from_session(session), |_| answer(403, CONSENT));
    ask(&client, get("/")).await;
}

async fn only_in_a_quotation() {
    const QUOTED: &str = r#"{"exception": "'Command Failed: Error (login)\n---\nDetails: 530-x\n530-GridFTP-JSON-Result: {\"authorization_parameters\": {}}"}"#;
    let client = behind(
        &GareLayer::from_session(Session::new(Login::at_once())),
        |_| answer(403, QUOTED),
    );
    ask(&client, get("/")).await;
}

async fn compressed() {
    let layer = GareLayer::from_session(Session::new(Login::at_once()));
    let client = behind(&layer, |_| {
        let mut response = answer(403, MFA);
        let encoding = http::HeaderValue::from_static("gzip");
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_ENCODING, encoding);
        response
    });
    ask(&client, get("/")).await;
}

async fn asking_for_too_much() {
    let client = behind(
        &GareLayer::from_session(Session::new(Login::at_once())),
        |_| {
            let policies = vec!["p"; 65].join(",");
            answer(
                403,
                &format!(
                    r#"{{"authorization_parameters": {{"session_required_policies": "{policies}"}}}}"#
                ),
            )
        },
    );
    ask(&client, get("/")).await;
}

#[checks::test]
async fn each_scenario_emits_its_events_and_all_are_listed() {
    // While there is only one subscriber, a call site that another test comes to
    // first asks that test's thread whether anybody listens.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let mut seen = BTreeMap::new();
    macro_rules! scenarios {
        ($($scenario:ident: $events:expr;)+) => {$(
            let notes = Notes::default();
            let subscriber = tracing_subscriber::registry().with(notes.clone());
            let guard = tracing::subscriber::set_default(subscriber);
            $scenario().await;
            settle().await;
            drop(guard);
            assert_eq!(notes.names(), $events, "{}", stringify!($scenario));
            for (name, (levels, what, fields)) in notes.0.lock().expect("whole").drain(..) {
                let known = seen.entry(name.clone());
                let known = known.or_insert_with(|| (BTreeSet::new(), what.clone(), fields.clone()));
                assert_eq!((&known.1, &known.2), (&what, &fields), "{name} comes in two forms");
                known.0.extend(levels);
            }
        )+};
    }
    scenarios! {
        together: [
            "challenged", "looking up", "looked up", "logging in", "login", "challenged", "joined",
            "challenged", "looking up", "looked up", "waiting", "logged in", "replayed", "replayed", "replayed",
            "challenged", "looking up", "looked up", "logging in", "login", "logged in", "replayed",
        ];
        declined: [
            "looking up", "looked up", "challenged", "looking up", "looked up", "logging in", "login",
            "login failed", "gave up",
        ];
        login_elsewhere: [
            "looking up", "looked up", "challenged", "looking up", "looked up", "logging in", "login",
            "interaction required", "gave up",
        ];
        slow: [
            "looking up", "looked up", "challenged", "looking up", "challenged", "looked up", "logging in", "login",
            "joined", "login takes long", "logged in", "replayed", "replayed",
        ];
        not_allowed_to_ask: ["looking up", "looked up", "challenged", "looking up", "looked up", "gave up"];
        unauthenticated: ["looking up", "looked up", "challenged", "logging in", "login", "logged in", "replayed"];
        stored: ["looking up", "looked up"];
        stored_out_of_reach: [
            "looking up", "look-up failed", "challenged", "looking up", "look-up failed", "logging in", "login",
            "logged in", "replayed",
        ];
        from_a_stranger: ["not trusted"];
        only_in_a_quotation: ["looking up", "looked up", "only quoted"];
        compressed: ["looking up", "looked up", "not inspected"];
        asking_for_too_much: ["looking up", "looked up", "over limit"];
        again_and_again: [
            "looking up", "looked up", "challenged", "looking up", "looked up", "logging in", "login", "logged in",
            "replayed", "challenged", "gave up",
        ];
    }
    assert_eq!(seen, documented());
}
