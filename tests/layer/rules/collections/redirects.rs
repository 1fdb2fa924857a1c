//! Servers of collections that redirect requests to a login.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use globus_gare::Environment;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, GareOutcome, GaveUp, ReauthError, ResponseUrl, Session, Trust, reauth_fn,
};
use http::StatusCode;
use http::header::LOCATION;

use super::super::{bearer, gave_up};
use super::{
    App, HOST, ID, OTHER, file, get_file, get_file_at, layer, named, target, target_at, to_login,
};
use checks::mock::{MFA, answer, authorization, behind, get, outcome, send};

#[checks::test]
async fn redirect_to_a_login_is_a_challenge() {
    let app = App::careful();
    let client = behind(&layer(&app, named()), |request| file(&request, ID));
    let response = send(&client, get_file()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        (outcome(&response).logins(), outcome(&response).replays()),
        (1, 1)
    );
    let [challenge] = &app.challenges()[..] else {
        panic!("one login");
    };
    assert_eq!(challenge.target().collection(), Some(ID));
    assert_eq!(challenge.status(), StatusCode::FOUND);
    let required = &challenge.gare().authorization_parameters;
    let scope = format!("https://auth.globus.org/scopes/{ID}/https");
    assert_eq!(required.required_scopes, [scope]);
    assert_eq!(required.prompt, None, "there was no token");
    assert_eq!(challenge.found()[0].location.to_string(), "redirect");
    assert!(app.asked().is_empty(), "the program named the collection");
}

#[checks::test]
async fn redirect_to_an_auth_below_a_path_is_a_challenge() {
    const AUTH: &str = "https://login.example.edu/auth";
    let environment = Environment::from_variables([("GLOBUS_SDK_SERVICE_URL_AUTH", AUTH)]);
    let trust = Trust::of(&environment).collection(format!("https://{HOST}"), ID);
    let layer = layer(&App::careful(), trust.expect("an origin"));
    let client = behind(&layer, |request| {
        let mut response = file(&request, ID);
        if let Some(to) = response.headers_mut().get_mut(LOCATION) {
            let page = format!("{AUTH}/v2/oauth2/authorize?client_id={ID}");
            *to = page.parse().expect("a value");
        }
        response
    });
    assert_eq!(send(&client, get_file()).await.status(), 200);
}

#[checks::test]
async fn server_that_always_redirects_is_no_progress() {
    let app = App::careful();
    let client = behind(&layer(&app, named()), |_| to_login(ID));
    let response = send(&client, get_file()).await;
    assert_eq!(response.status(), 302);
    assert!(matches!(gave_up(&response), Some(GaveUp::NoProgress)));
    let prompts: Vec<_> = app.challenges().iter().map(prompt).collect();
    let fresh = Some("login".to_owned());
    assert_eq!(
        prompts,
        [None, fresh],
        "a rejected token needs a fresh login"
    );
}

fn prompt(challenge: &Challenge) -> Option<String> {
    let required = &challenge.gare().authorization_parameters;
    required.prompt.as_ref().map(ToString::to_string)
}

#[checks::test]
async fn claim_of_a_collection_is_verified_once() {
    let mut app = App::careful();
    app.serves = Ok(ID);
    let client = behind(&layer(&app, Trust::globus().collections()), |request| {
        file(&request, ID)
    });
    let hosts = [HOST, "g-4d5e6f.data.globus.org"];
    for host in [hosts, hosts].as_flattened() {
        assert_eq!(send(&client, get_file_at(host)).await.status(), 200);
        client.session().invalidate(&target_at(host));
    }
    assert_eq!(app.asked(), hosts.map(|host| format!("{host} {ID}")));
    assert_eq!(app.challenges().len(), 4);
}

/// Neither another owner's collection nor an unknown one.
#[checks::test]
async fn claim_of_another_collection_gets_no_token() {
    for (trust, serves) in [
        (named(), Ok(OTHER)),
        (Trust::globus().collections(), Ok(ID)),
        (Trust::globus().collections(), Err(None)),
        (
            Trust::globus().collections(),
            Err(Some(ReauthError::new("Transfer answers nonsense"))),
        ),
    ] {
        let mut app = App::careful();
        app.serves = serves;
        let client = behind(&layer(&app, trust), |request| file(&request, OTHER));
        let response = send(&client, get_file()).await;
        assert_eq!(response.status(), 302);
        assert!(matches!(
            gave_up(&response),
            Some(GaveUp::UnverifiedCollection)
        ));
        assert!(app.challenges().is_empty(), "no login starts");
    }
}

#[checks::test]
async fn claim_of_a_collection_is_not_believed_by_default() {
    let login = reauth_fn(|_| async { panic!("no login starts") });
    let session = Session::builder(login).trust(Trust::globus().collections());
    let client = behind(&GareLayer::from_session(session.build()), |_| to_login(ID));
    let response = send(&client, get_file()).await;
    assert!(matches!(
        gave_up(&response),
        Some(GaveUp::UnverifiedCollection)
    ));
}

#[checks::test]
async fn token_that_a_server_rejects_starts_a_login() {
    let app = App::careful();
    let client = behind(&layer(&app, named()), |request| file(&request, ID));
    let old = bearer("old").for_collection(ID);
    let set = client.session().set_credential(&target(), old);
    set.expect("meant for it");
    assert_eq!(send(&client, get_file()).await.status(), 200);
    let prompts: Vec<_> = app.challenges().iter().map(prompt).collect();
    assert_eq!(prompts, [Some("login".to_owned())]);
}

#[checks::test]
async fn claim_that_cannot_be_verified_now_is_unavailable() {
    let mut app = App::careful();
    let error = ReauthError::unavailable("Transfer does not answer");
    app.serves = Err(Some(error));
    let client = behind(&layer(&app, Trust::globus().collections()), |request| {
        file(&request, ID)
    });
    let response = send(&client, get_file()).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::Unavailable(_))));
    assert!(app.challenges().is_empty());
}

#[checks::test]
async fn other_redirects_are_returned_unchanged() {
    let elsewhere = [
        format!("https://{HOST}/elsewhere?client_id={ID}"),
        format!("https://auth.globus.org.evil.example/v2/oauth2/authorize?client_id={ID}"),
        "https://auth.globus.org/v2/oauth2/authorize?client_id=a%20b".to_owned(),
        format!(
            "https://auth.globus.org/v2/oauth2/authorize?client_id={}",
            "a".repeat(65)
        ),
        "https://auth.globus.org/v2/oauth2/authorize".to_owned(),
        "/v2/oauth2/authorize?client_id=x".to_owned(),
    ];
    for to in elsewhere {
        let (app, sent) = (App::careful(), to.clone());
        let client = behind(&layer(&app, named()), move |_| {
            let mut response = answer(302, "");
            response
                .headers_mut()
                .insert(LOCATION, sent.parse().expect("a value"));
            response
        });
        let response = send(&client, get_file()).await;
        assert_eq!(response.status(), 302, "{to}");
        assert!(response.extensions().get::<GareOutcome>().is_none());
        assert!(
            app.challenges().is_empty() && app.asked().is_empty(),
            "{to}"
        );
    }
    // A Globus service is not a collection's server.
    let app = App::careful();
    let client = behind(&layer(&app, named()), |_| to_login(ID));
    assert_eq!(send(&client, get("/")).await.status(), 302);
    assert!(app.challenges().is_empty());
}

/// The login page has the status 200, so a program would store it as the file.
#[checks::test]
async fn login_page_is_not_taken_for_the_file() {
    for page in [
        "https://auth.globus.org/v2/oauth2/authorize?client_id=x",
        "https://auth.globus.org/p/login?client_id=x",
    ] {
        let app = App::careful();
        let client = behind(&layer(&app, named()), move |_| {
            let mut response = answer(200, "<html>Log in</html>");
            let url = ResponseUrl(page.parse().expect("a URI"));
            response.extensions_mut().insert(url);
            response
        });
        let response = send(&client, get_file()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(matches!(
            gave_up(&response),
            Some(GaveUp::RedirectedToLogin)
        ));
        assert!(app.challenges().is_empty());
    }
}

#[checks::test]
async fn login_page_is_recognised_only_at_globus_auth() {
    const AUTH: (&str, &str) = (
        "GLOBUS_SDK_SERVICE_URL_AUTH",
        "https://login.example.edu/auth",
    );
    const TRANSFER: (&str, &str) = (
        "GLOBUS_SDK_SERVICE_URL_TRANSFER",
        "https://transfer.example.edu",
    );
    for (variables, page, status) in [
        (&[][..], "https://AUTH.globus.org/p/login", 401),
        (&[], "https://transfer.api.globus.org/p", 200),
        (&[], "http://auth.globus.org/p/login", 200),
        (&[], "https://auth.globus.org:8443/p/login", 200),
        (&[TRANSFER], "https://auth.globus.org/p/login", 401),
        (&[TRANSFER], "https://transfer.example.edu/p", 200),
        (&[AUTH], "https://login.example.edu/p/login", 401),
        (&[AUTH], "https://auth.globus.org/p/login", 200),
    ] {
        let environment = Environment::from_variables(variables.iter().copied());
        let trust = Trust::of(&environment).collection(format!("https://{HOST}"), ID);
        let client = behind(&layer(&App::careful(), trust.expect("an origin")), |_| {
            let mut response = answer(200, "");
            let url = ResponseUrl(page.parse().expect("a URI"));
            response.extensions_mut().insert(url);
            response
        });
        let response = send(&client, get_file()).await;
        assert_eq!(response.status(), status, "{variables:?} {page}");
    }
}

/// A host may get a new owner, so no credential is sent to it until Transfer names it again.
#[checks::test(start_paused = true)]
async fn verified_claim_is_verified_again_after_an_hour() {
    for new_owner in [to_login(ID), answer(401, ""), answer(403, MFA)] {
        let mut app = App::careful();
        app.serves = Ok(ID);
        let sent = Arc::<Mutex<Vec<String>>>::default();
        let (log, has_moved) = (Arc::clone(&sent), Arc::clone(&app.has_moved));
        let trust = Trust::globus().collections();
        let client = behind(&layer(&app, trust), move |request| {
            let mut log = log.lock().expect("whole");
            log.push(authorization(&request).to_owned());
            match has_moved.load(SeqCst) {
                true => new_owner.clone(),
                false => file(&request, ID),
            }
        });
        for (minutes, asked) in [(0, 1), (59, 1), (2, 2), (59, 2)] {
            tokio::time::advance(Duration::from_secs(minutes * 60)).await;
            assert_eq!(send(&client, get_file()).await.status(), 200);
            assert_eq!(app.asked().len(), asked);
        }
        let token = "Bearer login";
        assert_eq!(
            *sent.lock().expect("whole"),
            ["", token, token, token, token]
        );

        app.has_moved.store(true, SeqCst);
        tokio::time::advance(Duration::from_secs(120)).await;
        let response = send(&client, get_file()).await;
        let gave_up = gave_up(&response);
        assert!(
            matches!(gave_up, Some(GaveUp::UnverifiedCollection)),
            "{gave_up:?}"
        );
        assert_eq!(
            sent.lock().expect("whole")[5..],
            [""],
            "the new owner got nothing"
        );
        assert_eq!(app.challenges().len(), 1);
    }
}

#[checks::test(start_paused = true)]
async fn login_may_span_the_end_of_a_verified_hour() {
    let mut app = App::careful();
    app.serves = Ok(ID);
    app.takes = Duration::from_secs(120);
    let client = behind(&layer(&app, Trust::globus().collections()), |request| {
        file(&request, ID)
    });
    for (minutes, asked) in [(0, 1), (57, 2)] {
        tokio::time::advance(Duration::from_secs(minutes * 60)).await;
        assert_eq!(send(&client, get_file()).await.status(), 200);
        assert_eq!(app.asked().len(), asked, "each send verifies");
        client.session().invalidate(&target());
    }
    assert_eq!(app.challenges().len(), 2);
}

#[checks::test]
fn claim_is_verified_without_a_timer() {
    let mut app = App::careful();
    app.serves = Ok(ID);
    let client = behind(&layer(&app, Trust::globus().collections()), |request| {
        file(&request, ID)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let response = runtime.block_on(send(&client, get_file()));
    assert_eq!(app.asked(), [format!("{HOST} {ID}")]);
    // Only the login needs a timer.
    assert!(matches!(gave_up(&response), Some(GaveUp::Failed(_))));
}
