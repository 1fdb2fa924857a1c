//! Which hosts get a token, and which can start a login.

use checks::browser::Browser;
use checks::mock::{Body, Login, MFA, answer};
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Session, Trust};
use globus_gare::reqwest::HttpService;
use http::{Request, Uri};
use tower::Layer;

use crate::support::*;

const TRANSFER: &str = "https://transfer.api.globus.org/";
const ID: &str = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
const OTHER: &str = "d3a2c3f0-0000-4000-8000-000000000000";

#[checks::test]
async fn strangers_host_starts_no_login() {
    let demanding = |_: &Request<Body>| answer(403, MFA);
    for url in [
        "https://globus.org.evil.example/",
        "https://auth.globus.org.evil.example/",
        "https://transfer.api.globus.org@evil.example/",
        "https://transfer.api.globus.org:444/",
        "http://transfer.api.globus.org/",
        "https://transfer.api.globus.org./",
        "https://x.transfer.api.globus.org/",
        "https://g-05a4b6.2d513.8443.data.globus.org/",
        "https://xn--transfer-api-globus-org.example/",
        "https://[2001:db8::1].globus.org/",
    ] {
        let Ok(_) = url.parse::<Uri>() else { continue };
        let victim = Victim::new(Trust::globus(), demanding);
        assert_eq!(victim.visit(url).await.status(), 403, "{url}");
        assert_eq!(
            (victim.login.logins(), victim.leaked()),
            (0, vec![]),
            "{url}"
        );
    }
    let victim = Victim::new(Trust::globus(), demanding);
    victim.visit(TRANSFER).await;
    assert!(victim.login.logins() > 0, "a service may ask");
}

#[checks::test]
async fn redirect_to_a_stranger_leaks_no_token() {
    let sample = globus(|collection| collection).await;
    let person = Browser::redirected();
    for status in [301, 302, 303, 307, 308] {
        let stranger = Attacker::always(response(403, MFA)).await;
        let trusted = Attacker::always(redirect(status, &stranger.url)).await;
        let app = app(&sample.globus, &person)
            .resource_server_for(&trusted.url, "transfer.api.globus.org");
        let app = logged_in(app).await;
        let begun = person.logins();
        let trust = Trust::none().origin(&trusted.url).expect("an origin");
        let (_, _, gave_up) = get(&client(&app, trust), &trusted.url).await;
        assert_eq!(gave_up, Some("untrusted"), "{status}");
        assert!(
            trusted.requests()[0].contains("authorization"),
            "it has a token"
        );
        stranger.assert_got_nothing();
        assert_eq!(person.logins(), begun, "{status}");
    }
}

#[checks::test]
async fn owner_of_a_collection_gets_no_other_token() {
    const HOST: &str = "https://files.example.edu/";
    let to_login = |id: &str| {
        let login = format!("https://auth.globus.org/v2/oauth2/authorize?client_id={id}");
        let mut response = answer(302, "");
        let login = login.parse().expect("a value");
        response.headers_mut().insert("location", login);
        response
    };
    let named = Trust::globus().collections().collection(HOST, ID);
    let named = named.expect("an origin");
    let data = "https://g-05a4b6.2d513.8443.data.globus.org/";
    for url in [HOST, data] {
        for reply in [
            answer(401, ""),
            answer(403, MFA),
            to_login(ID),
            to_login(OTHER),
            answer(
                404,
                "Error (login)\n530-GridFTP-JSON-Result: {\"authorization_parameters\": {\"session_required_mfa\": true}}\n",
            ),
        ] {
            // Each login returns the token of a service.
            let victim = Victim::new(named.clone(), move |_| reply.clone());
            victim.visit(url).await;
            assert_eq!(victim.leaked(), [], "{url}");
        }
    }

    // Another owner's collection: its document names another server.
    let sample = globus(|collection| collection).await;
    let person = Browser::redirected();
    let app = logged_in(app(&sample.globus, &person)).await;
    let (auth, id) = (sample.globus.auth_url(), &sample.collection);
    let login = format!("{auth}v2/oauth2/authorize?client_id={id}");
    let owner = Attacker::always(redirect(302, &login)).await;
    let trust = sample.trust().origin(&owner.url).expect("an origin");
    let session = Session::builder(app).trust(trust).build();
    let http = reqwest::Client::builder().no_proxy();
    let http = http.redirect(globus_gare::reqwest::redirects()).build();
    let http = HttpService::from(http.expect("a client"));
    let client = GareLayer::from_session(session).layer(http);
    let (status, _, gave_up) = get(&client, &owner.url).await;
    assert_eq!((status, gave_up), (302, Some("unverified_collection")));
    owner.assert_got_nothing();
    assert_eq!(person.logins(), 1, "the program's own");
}

#[checks::test]
async fn login_page_is_never_returned_as_the_file() {
    let auth = Attacker::always(response(200, "<html>Log in</html>")).await;
    let login = format!("{}/v2/oauth2/authorize?client_id={ID}", auth.url);
    for status in [301, 302, 303, 307, 308] {
        let (to, hop) = (login.clone(), login.clone());
        // Directly, or through a page of the owner.
        let owner = Attacker::new(move |heard| match heard.starts_with("/file") {
            true => redirect(status, "/hop"),
            false => redirect(status, &hop),
        });
        let (owner, direct) = (owner.await, Attacker::always(redirect(status, &to)).await);
        for url in [format!("{}/file", owner.url), direct.url.clone()] {
            let origin = url.trim_end_matches("/file");
            let trust = Trust::none().collection(origin, ID).expect("an origin");
            let trust = trust.origin(&auth.url).expect("an origin");
            let session = Session::builder(Login::at_once()).trust(trust).build();
            let follows = reqwest::Client::builder().no_proxy().build();
            let http = HttpService::from(follows.expect("a client"));
            let client = GareLayer::from_session(session).layer(http);
            let (found, text, gave_up) = get(&client, &url).await;
            let expected = (401, Some("redirected_to_login"));
            assert_eq!((found, gave_up), expected, "{status} {url}: {text}");
        }
    }
}

#[checks::test]
async fn asking_for_a_token_is_not_enough_to_get_one() {
    let sample = globus(|collection| collection).await;
    let person = Browser::redirected();
    let app = logged_in(app(&sample.globus, &person)).await;
    for challenge in [
        "Bearer",
        "Bearer realm=\"globus\", scope=\"all\"",
        "Basic, Bearer",
    ] {
        let mut asks = response(401, MFA);
        let challenge = challenge.parse().expect("a value");
        asks.headers_mut().insert("www-authenticate", challenge);
        let host = Attacker::always(asks).await;
        // The program trusts the origin, and named no resource server for it.
        let trust = sample.trust().origin(&host.url).expect("an origin");
        let (status, ..) = get(&client(&app, trust), &host.url).await;
        assert_eq!(status, 401);
        host.assert_got_nothing();
    }
    assert_eq!(person.logins(), 1, "the program's own");
}
