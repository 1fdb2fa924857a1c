//! `AppUser::check`: whether a login will last.

use std::time::{Duration, SystemTime};

use checks::tokens::{login as kept_login, own};
use fake_globus::{Collection, Identity};
use globus_gare::Session;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::Principal;
use globus_gare::reqwest::GareMiddleware;
use globus_login::{AppUser, CheckFor, GlobusApp, LoginStore, MemoryStore, Readiness};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::support::*;

const MINUTE: Duration = Duration::from_secs(60);
const NOW: Duration = Duration::ZERO;

/// A collection, and the program of a user.
struct Site {
    sample: Sample,
    browser: Browser,
    store: MemoryStore,
    app: GlobusApp,
    user: AppUser,
    client: ClientWithMiddleware,
}

impl Site {
    async fn new(
        guard: impl FnOnce(Collection) -> Collection,
        more: impl FnOnce(globus_login::GlobusAppBuilder) -> globus_login::GlobusAppBuilder,
    ) -> Self {
        let sample = Sample::guarded(guard).await;
        let (browser, store) = (Browser::redirected(), MemoryStore::new());
        let builder = refreshing(&sample.globus, &browser, &store);
        let app = logged_in(more(builder)).await;
        let session = Session::builder(app.clone()).trust(sample.trust()).build();
        let client = ClientBuilder::new(checks::browser::client());
        Self {
            user: app.for_user(&Principal::Session),
            client: client.with(GareMiddleware::from_session(session)).build(),
            sample,
            browser,
            store,
            app,
        }
    }

    async fn list(&self) -> u16 {
        let answer = self.client.get(self.sample.listing()).send().await;
        answer.expect("an answer").status().as_u16()
    }

    fn collection(&self) -> CheckFor {
        CheckFor::Collection(self.sample.collection.to_string())
    }

    async fn check(&self, good_for: Duration) -> Readiness {
        let checked = self.user.check(&self.collection(), good_for).await;
        checked.expect("an answer")
    }

    fn advance(&self, minutes: u32) {
        self.sample.globus.clock().advance(MINUTE * minutes);
    }

    fn now(&self) -> SystemTime {
        self.sample.globus.clock().now()
    }
}

#[track_caller]
fn assert_unknown(readiness: &Readiness, says: &str) {
    match readiness {
        Readiness::Unknown { words } => assert!(words.contains(says), "{words}"),
        other => panic!("not unknown: {other:?}"),
    }
}

#[track_caller]
fn assert_needs_login(readiness: &Readiness, says: &str) -> AuthorizationParameters {
    match readiness {
        Readiness::NeedsLogin { required, words } => {
            assert!(words.contains(says), "{words}");
            required.clone()
        }
        other => panic!("no login is needed: {other:?}"),
    }
}

#[checks::test]
async fn length_of_session_is_learned_from_challenges() {
    let site = Site::new(|it| it.high_assurance().session_minutes(30), |it| it).await;
    assert_unknown(&site.check(NOW).await, "there was no challenge yet");
    assert_eq!(site.list().await, 200);
    // The first login had no requirement: its age need not be the reason of the challenge.
    site.advance(40);
    assert_eq!(site.list().await, 200);
    assert_eq!(site.browser.logins(), 2);
    assert_unknown(&site.check(NOW).await, "not known for how long");

    // A login that was challenged although it satisfied the requirement was too old.
    site.advance(40);
    assert_eq!(site.list().await, 200);
    assert_eq!(site.browser.logins(), 3);
    let since = site.now();
    let Readiness::Satisfied { until } = site.check(MINUTE * 20).await else {
        panic!("{:?}", site.check(MINUTE * 20).await);
    };
    let length = until.duration_since(since).expect("later");
    assert!(length.abs_diff(MINUTE * 40) < MINUTE, "{length:?}");
    let required = assert_needs_login(
        &site.check(MINUTE * 60).await,
        "The session will probably end at ",
    );
    assert_eq!(required.session_required_single_domain, ["uchicago.edu"]);

    // An earlier challenge gives a better bound.
    site.advance(33);
    assert_eq!(site.list().await, 200);
    assert_needs_login(&site.check(MINUTE * 35).await, "uchicago.edu");
    let Readiness::Satisfied { .. } = site.check(MINUTE * 32).await else {
        panic!("{:?}", site.check(MINUTE * 32).await);
    };
    // A requirement lasts as long as at the place where it was learned.
    let requirement = CheckFor::Requirement(required);
    let checked = site.user.check(&requirement, MINUTE * 32).await;
    let checked = checked.expect("an answer");
    assert!(
        matches!(checked, Readiness::Satisfied { .. }),
        "{checked:?}"
    );

    // A program that shares the store knows the length as well.
    let other = refreshing(&site.sample.globus, &site.browser, &site.store);
    let other = other.build().expect("an app").for_user(&Principal::Session);
    let checked = other.check(&site.collection(), MINUTE * 35).await;
    assert_needs_login(&checked.expect("an answer"), "uchicago.edu");
    // A logout removes the knowledge.
    assert!(site.app.logout().await.expect("told"));
    assert_needs_login(&site.check(NOW).await, "there is no token");
    let kept = kept_login(&site.store, &own(site.sample.globus.client_id())).await;
    let record = kept.record.expect("a record");
    assert_eq!(record.learned().count(), 0);
    assert_no_violation(&site.sample.globus);
}

#[checks::test]
async fn challenged_login_needs_one_with_the_requirement() {
    let site = Site::new(|it| it.high_assurance().session_minutes(30), |it| it).await;
    site.advance(40);
    site.sample
        .globus
        .set_person(fake_globus::Person::automatic().declines());
    assert_eq!(site.list().await, 502);
    let required = assert_needs_login(&site.check(NOW).await, "identity from uchicago.edu");
    site.sample
        .globus
        .set_person(fake_globus::Person::automatic());
    site.user.login_with(required).await.expect("a login");
    assert_unknown(&site.check(NOW).await, "not known for how long");
    assert_eq!(site.list().await, 200);
    // A login without the requirement does not count.
    log_in_again(&site.app).await.expect("a login");
    assert_unknown(&site.check(NOW).await, "not made for the requirement");
}

/// A request that was sent with an earlier login says nothing about the age of the last one.
#[checks::test]
async fn challenge_to_an_older_login_teaches_no_age() {
    let site = Site::new(|it| it.high_assurance().session_minutes(30), |it| it).await;
    site.advance(40);
    assert_eq!(site.list().await, 200);
    site.advance(29);
    // Another program logs in for the same requirement, before a request of this one is challenged.
    let other = refreshing(&site.sample.globus, &site.browser, &site.store);
    let other = other.build().expect("an app").for_user(&Principal::Session);
    let required =
        AuthorizationParameters::default().with_session_required_single_domain(["uchicago.edu"]);
    other.login_with(required.clone()).await.expect("a login");
    site.advance(2);
    let answered = answer_challenge(&site.app, &site.sample.globus, required).await;
    answered.expect("the other program's login");
    assert_eq!(site.browser.logins(), 3);
    let info = site.user.info().await.expect("a store").expect("a record");
    let mut learned = info.learned();
    let learned = learned.find(|(place, _)| *place == "transfer.api.globus.org");
    assert_eq!(learned.expect("a requirement").1.refused_age(), None);
}

#[checks::test]
async fn end_of_an_unrefreshable_token_counts() {
    let days = |days: u32| MINUTE * 60 * 24 * days;
    let offline = Site::new(Collection::high_assurance, |it| it).await;
    assert_unknown(&offline.check(days(3)).await, "there was no challenge yet");
    let online = Site::new(Collection::high_assurance, |it| it.refresh_tokens(false)).await;
    assert_unknown(&online.check(days(1)).await, "there was no challenge yet");
    assert_needs_login(&online.check(days(3)).await, "cannot be refreshed");
    expire(&online.sample.globus);
    assert_needs_login(&online.check(NOW).await, "there is no token");
    // A refreshable token is refreshed.
    expire(&offline.sample.globus);
    assert_unknown(&offline.check(NOW).await, "there was no challenge yet");
    assert_eq!(offline.sample.globus.counts().refresh_grants, 1);
}

#[checks::test]
async fn failed_refresh_is_an_error_of_the_check() {
    let site = Site::new(Collection::high_assurance, |it| it).await;
    let required = AuthorizationParameters::default().with_session_required_mfa(true);
    expire(&site.sample.globus);
    for subject in [site.collection(), CheckFor::Requirement(required)] {
        let token = fake_globus::RequestKind::Token;
        site.sample.globus.fail_next(token, 503, "{}");
        let error = site.user.check(&subject, NOW).await;
        let error = error.expect_err("Globus Auth is down");
        assert_says(&error, "503", &[]);
        assert!(error.is_unavailable(), "{error:?}");
    }
}

#[checks::test]
async fn missing_consent_of_a_mapped_collection_is_found() {
    let site = Site::new(Collection::data_access, |it| it).await;
    let required = assert_needs_login(&site.check(NOW).await, "data_access");
    site.user.login_with(required).await.expect("a login");
    assert_unknown(&site.check(NOW).await, "there was no challenge yet");
    assert_eq!(site.list().await, 200);
    assert_eq!(site.browser.logins(), 2, "the request repeats no login");
    // Without a record, the consents are looked up at Globus Auth.
    forget_record(&site.store, &site.sample.globus).await;
    assert_unknown(&site.check(NOW).await, "there was no challenge yet");
    let scope = globus_login::Scope::transfer_data_access(site.sample.collection.to_string());
    let requirement = CheckFor::Requirement(consent(&scope.to_string()));
    let check = async || {
        let checked = site.user.check(&requirement, NOW).await;
        checked.expect("an answer")
    };
    assert_unknown(&check().await, "not made for the requirement");
    let revoked = site.sample.globus.revoke_consents(&ada());
    revoked.expect("a known identity");
    assert_needs_login(&site.check(NOW).await, "data_access");
    assert_needs_login(&check().await, "data_access");
}

/// For a web service, whose logins end in another request.
#[checks::test]
async fn begin_login_records_the_requirement() {
    let site = Site::new(Collection::high_assurance, |it| it).await;
    let required = AuthorizationParameters::default().with_session_required_mfa(true);
    let challenge = challenge(&site.sample.globus, required.clone());
    let begun = site.app.begin_login(&Principal::Session, Some(&challenge));
    let pending = begun.await.expect("a login");
    // The record has the requirement of the service; the authorize URL has the identity as well.
    let identities = value(pending.authorize_url(), "session_required_identities");
    assert_eq!(identities, ada().id().to_string());
    let info = site.user.info().await.expect("a store");
    let info = info.expect("a record");
    let learned: Vec<_> = info.learned().collect();
    let [(place, learned)] = &learned[..] else {
        panic!("learned something else: {learned:?}");
    };
    assert_eq!(*place, "transfer.api.globus.org");
    assert_eq!(
        (learned.required(), learned.refused_age()),
        (&required, None)
    );
}

/// Without the session, the next request would need a second login.
#[checks::test]
async fn login_for_a_missing_consent_includes_the_session() {
    let site = Site::new(|it| it.data_access().session_minutes(30), |it| it).await;
    site.advance(40);
    assert_eq!(site.list().await, 200);
    let logins = site.browser.logins();
    let revoked = site.sample.globus.revoke_consents(&ada());
    revoked.expect("a known identity");
    forget_consents(&site).await;
    let required = assert_needs_login(&site.check(NOW).await, "data_access");
    assert_eq!(required.session_required_single_domain, ["uchicago.edu"]);
    site.advance(40);
    site.user.login_with(required).await.expect("a login");
    assert_eq!(site.list().await, 200);
    assert_eq!(site.browser.logins(), logins + 1);
}

/// Removes the dependencies from the recorded scopes.
async fn forget_consents(site: &Site) {
    let user = own(site.sample.globus.client_id());
    let mut kept = serde_json::to_value(kept_login(&site.store, &user).await).expect("JSON");
    kept["record"]["scopes"] = format!("openid {TRANSFER_ALL}").into();
    let changed = serde_json::from_value(kept).expect("a login");
    let base = site.store.load(&user).await.expect("memory").version;
    let done = site.store.commit(&user, &base, &changed).await;
    done.expect("memory").expect("no other commit");
}

fn ada() -> Identity {
    Identity::new("ada", "uchicago.edu")
}

#[checks::test]
async fn introspection_finds_missing_identities() {
    let globus = globus(fake_globus::Person::automatic()).await;
    let app = |secret: bool| {
        let id = globus.confidential_client_id().to_string();
        let app = GlobusApp::user(if secret {
            id
        } else {
            globus.client_id().to_string()
        })
        .auth_url(globus.auth_url())
        .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
        .prompt(Browser::redirected())
        .clock(clock(&globus));
        match secret {
            true => app.client_secret(globus.client_secret()),
            false => app,
        }
    };
    let required = |id: String, mfa| {
        let required = AuthorizationParameters::default().with_session_required_identities([id]);
        CheckFor::Requirement(required.with_session_required_mfa(mfa))
    };
    let ada = ada().id().to_string();
    let nobody = "b0b0b0b0-0000-4000-8000-000000000000".to_owned();
    let portal = logged_in(app(true)).await.for_user(&Principal::Session);
    let check = async |user: &AppUser, what: CheckFor| {
        let checked = user.check(&what, NOW).await;
        checked.expect("an answer")
    };
    assert_unknown(
        &check(&portal, required(ada.clone(), false)).await,
        "not known for how long",
    );
    assert_needs_login(&check(&portal, required(ada.clone(), true)).await, &ada);
    assert_needs_login(
        &check(&portal, required(nobody.clone(), false)).await,
        &nobody,
    );
    // A client without a secret cannot introspect.
    let program = logged_in(app(false)).await.for_user(&Principal::Session);
    for id in [ada, nobody] {
        let checked = check(&program, required(id, false)).await;
        assert_unknown(&checked, "not made for the requirement");
    }
    assert_no_violation(&globus);
}
