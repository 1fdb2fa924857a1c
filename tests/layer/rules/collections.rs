//! Servers of collections, which their owners run.

mod redirects;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GaveUp, Principal, ReauthError, Reauthenticator,
    Session, Target, Trust,
};
use http::header::LOCATION;
use http::{Request, Response};

use super::{bearer, gave_up};
use checks::mock::{Body, answer, authorization, behind, get, send};

const HOST: &str = "g-1a2b3c.0ec76.75bc.data.globus.org";
const ID: &str = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
const OTHER: &str = "d3a2c3f0-0000-4000-8000-000000000000";

fn get_file() -> Request<Body> {
    get_file_at(HOST)
}

fn get_file_at(host: &str) -> Request<Body> {
    let uri = format!("https://{host}/data/file.txt");
    Request::get(uri).body(Body::default()).expect("a request")
}

/// Redirects to a login at Globus Auth, as a collection's server does.
fn to_login(id: &str) -> Response<Body> {
    let to = format!(
        "https://auth.globus.org/v2/oauth2/authorize?client_id={id}&response_type=code&scope=openid"
    );
    let mut response = answer(302, "<html>Found</html>");
    let to = to.parse().expect("a value");
    response.headers_mut().insert(LOCATION, to);
    response
}

/// Returns a file to a request with the token of a login; redirects other requests to a login.
fn file(request: &Request<Body>, id: &str) -> Response<Body> {
    match authorization(request) {
        "Bearer login" => answer(200, "the file"),
        _ => to_login(id),
    }
}

type Make = Arc<dyn Fn(&Challenge) -> Credential + Send + Sync>;

/// Logs in and verifies collections as a test says.
#[derive(Clone)]
struct App {
    login: Make,
    found: Option<Credential>,
    /// The collection that Transfer has for the server, or the error.
    serves: Result<&'static str, Option<ReauthError>>,
    /// Whether Transfer no longer has the server.
    has_moved: Arc<AtomicBool>,
    challenges: Arc<Mutex<Vec<Challenge>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// How long a login takes.
    takes: Duration,
}

impl App {
    fn new(login: impl Fn(&Challenge) -> Credential + Send + Sync + 'static) -> Self {
        Self {
            login: Arc::new(login),
            found: None,
            serves: Err(None),
            has_moved: Arc::default(),
            challenges: Arc::default(),
            asked: Arc::default(),
            takes: Duration::ZERO,
        }
    }

    /// An app whose logins are for the collection of the target.
    fn careful() -> Self {
        Self::new(|challenge| {
            let collection = challenge.target().collection().expect("a collection");
            bearer("login").for_collection(collection)
        })
    }

    fn challenges(&self) -> Vec<Challenge> {
        self.challenges.lock().expect("whole").clone()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("whole").clone()
    }
}

#[async_trait::async_trait]
impl Reauthenticator for App {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        let challenges = &self.challenges;
        challenges.lock().expect("whole").push(challenge.clone());
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        Ok((self.login)(challenge))
    }

    async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        Ok(self.found.clone())
    }

    async fn serves_collection(
        &self,
        target: &Target,
        collection: &str,
    ) -> Result<bool, ReauthError> {
        let mut asked = self.asked.lock().expect("whole");
        asked.push(format!("{} {collection}", target.origin().host()));
        match &self.serves {
            Ok(known) => Ok(*known == collection && !self.has_moved.load(SeqCst)),
            Err(Some(error)) => Err(error.clone()),
            Err(None) => Ok(false),
        }
    }
}

fn layer(app: &App, trust: Trust) -> GareLayer {
    GareLayer::from_session(Session::builder(app.clone()).trust(trust).build())
}

fn named() -> Trust {
    let trust = Trust::globus().collection(format!("https://{HOST}"), ID);
    trust.expect("an origin")
}

fn allows(trust: &Trust, origin: &str) -> bool {
    trust.allows(&origin.parse().expect("an origin"))
}

#[checks::test]
fn collections_are_trusted_only_if_added() {
    let hosts = [
        HOST,
        "g-1.gaccess.io",
        "n-2.dn.glob.us",
        "n-3.DNSTEAM.globuscs.info",
    ];
    for host in hosts {
        let origin = format!("https://{host}");
        assert!(!allows(&Trust::globus(), &origin), "{host}");
        assert!(allows(&Trust::globus().collections(), &origin), "{host}");
    }
    let trust = Trust::globus().collections();
    for origin in [
        "http://g-1.gaccess.io",
        "https://g-1.gaccess.io:8443",
        "https://gaccess.io.evil.example",
        "https://evil-gaccess.io",
        "https://data.globus.org.evil.example",
        "https://m-d3a2c3.collection1.tutorials.globus.org",
    ] {
        assert!(!allows(&trust, origin), "{origin}");
    }
    assert!(allows(&trust, "https://transfer.api.globus.org"));
    let insecure = Trust::none().collection("http://data.example.edu", ID);
    assert!(insecure.is_err(), "a token is not sent in the clear");
}

/// Neither after a login nor with the first request.
#[checks::test]
async fn ordinary_token_is_never_sent_to_a_collection() {
    let added = Trust::globus().origin(format!("https://{HOST}"));
    for trust in [Trust::globus().collections(), added.expect("one"), named()] {
        let mut app = App::new(|_| bearer("transfer-token"));
        app.found = Some(bearer("transfer-token"));
        let client = behind(&layer(&app, trust), |request| {
            match authorization(&request) {
                "" => answer(401, ""),
                token => panic!("the collection's owner has {token}"),
            }
        });
        let response = send(&client, get_file()).await;
        assert_eq!(response.status(), 401);
        match gave_up(&response) {
            Some(GaveUp::Failed(error)) => {
                assert!(
                    error.to_string().contains("not meant for this host"),
                    "{error}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[checks::test]
async fn token_of_a_collection_is_sent_nowhere_else() {
    for name in [ID, HOST] {
        let app = App::new(move |_| bearer("login").for_collection(name));
        let client = behind(&layer(&app, named()), |request| {
            match (request.uri().host(), authorization(&request)) {
                (Some(HOST), "Bearer login") => answer(200, "the file"),
                (_, "") => answer(401, ""),
                (host, token) => panic!("{host:?} has {token}"),
            }
        });
        assert_eq!(send(&client, get_file()).await.status(), 200, "{name}");
        let response = send(&client, get("/")).await;
        assert_eq!(response.status(), 401, "{name}");
        assert!(
            matches!(gave_up(&response), Some(GaveUp::Failed(_))),
            "{name}"
        );
    }
}

/// Not even if the program itself sets it.
#[checks::test]
async fn set_credential_must_be_meant_for_the_host() {
    let app = App::careful();
    let client = behind(&layer(&app, named()), |request| file(&request, ID));
    let session = client.session();
    assert!(
        session
            .set_credential(&target(), bearer("transfer-token"))
            .is_err()
    );
    let others = bearer("login").for_collection(OTHER);
    assert!(session.set_credential(&target(), others).is_err());
    let own = bearer("login").for_collection(ID);
    session
        .set_credential(&target(), own)
        .expect("meant for it");
    assert_eq!(send(&client, get_file()).await.status(), 200);
    assert!(app.challenges().is_empty());
}

/// A caller's target verifies nothing.
#[checks::test]
async fn looked_up_credential_must_be_meant_for_the_host() {
    let mut app = App::careful();
    app.found = Some(bearer("login").for_collection(OTHER));
    let client = behind(
        &layer(&app, Trust::globus().collections()),
        |request| match authorization(&request) {
            "" => to_login(ID),
            token => panic!("the collection's owner has {token}"),
        },
    );
    let named = target().with_collection(OTHER);
    assert!(client.session().credential(&named).await.is_err());
    assert_eq!(send(&client, get_file()).await.status(), 302);
}

#[checks::test]
async fn token_of_another_collection_is_not_sent() {
    let app = App::new(|_| bearer("login").for_collection(OTHER));
    let client = behind(&layer(&app, named()), |request| {
        match authorization(&request) {
            "" => to_login(ID),
            token => panic!("the collection's owner has {token}"),
        }
    });
    let response = send(&client, get_file()).await;
    assert_eq!(response.status(), 302);
    assert!(matches!(gave_up(&response), Some(GaveUp::Failed(_))));
}

fn target() -> Target {
    target_at(HOST)
}

fn target_at(host: &str) -> Target {
    let origin = format!("https://{host}").parse().expect("an origin");
    Target::new(origin, Principal::Session)
}
