//! Calls of a login to its prompt.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use checks::tokens::own;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::ReauthError;
use globus_login::{
    Holder, Interactive, Leased, LoginPrompt, LoginReply, LoginRequest, LoginStatus, LoginStore,
    MemoryStore, Shown, UserKey, Work, prompt_fn,
};
use serde_json::json;
use tokio::sync::mpsc;

use crate::support::doubles::{Gate, Hooked};
use crate::support::endpoint::*;
use crate::support::*;

/// Pastes another wrong code each time.
#[derive(Clone, Default)]
struct Mistypes(Arc<AtomicUsize>);

impl Mistypes {
    fn code(&self) -> LoginReply {
        LoginReply::Code(format!("code-{}", self.0.fetch_add(1, SeqCst)))
    }
}

#[async_trait]
impl LoginPrompt for Mistypes {
    async fn ask(&self, _: &LoginRequest) -> Result<LoginReply, ReauthError> {
        Ok(self.code())
    }

    async fn ask_again(
        &self,
        _: &LoginRequest,
        error: ReauthError,
    ) -> Result<LoginReply, ReauthError> {
        assert_says(&error, "did not accept the code", &["code-"]);
        Ok(self.code())
    }
}

#[checks::test]
async fn rejected_code_is_asked_for_again_five_times() {
    let codes = |endpoint: &Endpoint| {
        let requests = endpoint.requests().into_iter();
        let codes = requests.map(|request| request.field("code").to_owned());
        codes.collect::<Vec<_>>()
    };
    let endpoint = Endpoint::always(refused("invalid_grant", "no such code")).await;
    let app = endpoint.app().prompt(Mistypes::default()).build();
    let error = app.expect("an app").login().await.expect_err("all wrong");
    assert_says(&error, "invalid_grant", &[]);
    let expected: Vec<_> = (0..6).map(|number| format!("code-{number}")).collect();
    assert_eq!(codes(&endpoint), expected);

    // The second code is right. Each exchange has the verifier of this login.
    let endpoint = Endpoint::start(|asked: Seen| async move {
        match asked.field("code") {
            "code-0" => refused("invalid_grant", "no such code"),
            _ => answer(200, &login("given")),
        }
    });
    let endpoint = endpoint.await;
    let app = endpoint.app().prompt(Mistypes::default()).build();
    app.expect("an app").login().await.expect("a login");
    let verifiers = endpoint.requests();
    let verifier = |number: usize| verifiers[number].field("code_verifier");
    assert_eq!((verifier(0), verifiers.len()), (verifier(1), 2));

    // Another error, or a redirect, ends the login.
    let redirected = Browser::redirected();
    for (refusal, redirects) in [("invalid_client", false), ("invalid_grant", true)] {
        let endpoint = Endpoint::always(refused(refusal, "no")).await;
        let app = match redirects {
            true => endpoint.app().prompt(redirected.clone()),
            false => endpoint.app().prompt(Mistypes::default()),
        };
        let done = app.build().expect("an app").login().await;
        done.expect_err(refusal);
        assert_eq!(endpoint.requests().len(), 1, "{refusal}");
    }
}

/// Pastes five wrong codes. By then another program has logged in.
#[derive(Default)]
struct GivesUp(Mistypes);

#[async_trait]
impl LoginPrompt for GivesUp {
    async fn ask(&self, _: &LoginRequest) -> Result<LoginReply, ReauthError> {
        Ok(self.0.code())
    }

    async fn ask_again(&self, _: &LoginRequest, _: ReauthError) -> Result<LoginReply, ReauthError> {
        Ok(match self.0.0.load(SeqCst) {
            5 => LoginReply::Stored,
            _ => self.0.code(),
        })
    }
}

#[checks::test]
async fn last_reply_may_be_that_another_program_logged_in() {
    let endpoint = Endpoint::always(refused("invalid_grant", "no such code")).await;
    let app = endpoint.app().prompt(GivesUp::default()).build();
    app.expect("an app").login().await.expect("a login");
    assert_eq!(endpoint.requests().len(), 5);
}

/// Globus Auth has redeemed the code by then.
#[checks::test]
async fn dropped_login_does_not_lose_its_tokens() {
    let (endpoint, store, gate) = (Endpoint::approving().await, MemoryStore::new(), Gate::new());
    let hooked = Hooked::commits_behind(store.clone(), &gate);
    let app = endpoint.app().store(hooked).build().expect("an app");
    tokio::select! {
        _ = app.login() => panic!("the commit waits"),
        () = gate.reached() => {}
    }
    gate.open();
    let is_kept = async {
        while kept(&store).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let is_kept = tokio::time::timeout(Duration::from_secs(30), is_kept).await;
    is_kept.expect("the tokens are stored");
    assert_eq!(endpoint.revoked(), [""; 0]);
}

/// The other program logs out while this one commits its login.
#[checks::test]
async fn logout_during_the_end_of_a_login_wins() {
    let (endpoint, store, gate) = (Endpoint::approving().await, MemoryStore::new(), Gate::new());
    let app = |store: Arc<dyn LoginStore>| endpoint.app().store(store).build().expect("an app");
    let other = app(Arc::new(store.clone()));
    other.login().await.expect("a login");
    let hooked = Hooked::commits_behind(store.clone(), &gate);
    let ours = app(Arc::new(hooked));
    let login =
        tokio::spawn(async move { ours.login_with(AuthorizationParameters::default()).await });
    gate.reached().await;
    assert!(other.logout().await.expect("a logout"));
    gate.open();
    let error = login.await.expect("no panic").expect_err("a later logout");
    assert!(
        error.to_string().contains("logout during the login"),
        "{error}"
    );
    assert!(kept(&store).await.is_empty());
    let revoked = endpoint.revoked();
    let (first, second) = revoked.split_at(revoked.len() / 2);
    assert!(
        !first.is_empty() && first == second,
        "of both logins: {revoked:?}"
    );
}

/// Waits for a login with another program. Records the request, and checks that the lease is free.
struct Elsewhere(Arc<Mutex<String>>, MemoryStore);

#[async_trait]
impl LoginPrompt for Elsewhere {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        *self.0.lock().expect("no panic") = format!("{request:?}");
        let (user, by) = (own(CLIENT), Holder::new("another", SystemTime::now()));
        let lease = self
            .1
            .lease(&user, Work::Login, &by, Duration::from_secs(1));
        assert_eq!(lease.await.expect("memory"), Leased::Held);
        keep(&self.1, stored(TRANSFER_SERVER, "elsewhere", true)).await;
        Ok(LoginReply::Stored)
    }

    fn waits_elsewhere(&self) -> bool {
        true
    }
}

#[checks::test]
async fn prompt_that_waits_elsewhere_gets_no_lease_and_no_url() {
    let endpoint = Endpoint::approving().await;
    let (shown, store) = (Arc::default(), MemoryStore::new());
    let elsewhere = Elsewhere(Arc::clone(&shown), store.clone());
    let app = endpoint.app().prompt(elsewhere).store(store).build();
    let app = app.expect("an app");
    app.login().await.expect("a login");
    assert_eq!(sent(&app).await.as_deref(), Some("elsewhere"));
    let shown = shown.lock().expect("no panic").clone();
    assert!(shown.contains("authorize_url: None"), "{shown}");
    assert!(endpoint.requests().is_empty());
}

#[checks::test]
async fn stored_reply_exchanges_no_code() {
    let endpoint = Endpoint::approving().await;
    let elsewhere = prompt_fn(|_| async { Ok(LoginReply::Stored) });
    assert!(!elsewhere.waits_elsewhere());
    let app = endpoint.app().prompt(elsewhere).build();
    app.expect("an app").login().await.expect("a login");
    assert!(endpoint.requests().is_empty());
}

/// A prompt with a page at the end: sends the text of the page, and then sets `shown`.
fn with_a_page(sender: mpsc::UnboundedSender<String>, shown: Arc<AtomicBool>) -> impl LoginPrompt {
    prompt_fn(move |request: LoginRequest| {
        let (sender, shown) = (sender.clone(), Arc::clone(&shown));
        async move {
            let mut end = request.end();
            tokio::spawn(async move {
                let text = match end.wait().await {
                    Ok(account) => account.and_then(|account| account.username),
                    Err(error) => Some(logged(&error)),
                };
                sender.send(text.unwrap_or_default()).expect("a test");
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                shown.store(true, SeqCst);
                drop(end);
            });
            let redirect = sent_to(request.authorize_url()).await;
            Ok(LoginReply::redirect(&request, redirect))
        }
    })
}

#[checks::test]
async fn login_waits_until_its_page_is_shown() {
    let mut named = login("given");
    let claims = json!({"sub": ADA, "aud": CLIENT, "preferred_username": "ada@uchicago.edu"});
    named["id_token"] = id_token(&claims.to_string()).into();
    for (given, text) in [
        (answer(200, &named), "ada@uchicago.edu"),
        (refused("invalid_grant", "too late"), "too late"),
    ] {
        let endpoint = Endpoint::always(given).await;
        let (sender, mut texts) = mpsc::unbounded_channel();
        let shown = Arc::<AtomicBool>::default();
        let app = endpoint
            .app()
            .prompt(with_a_page(sender, Arc::clone(&shown)));
        let done = app.build().expect("an app").login().await;
        assert!(shown.load(SeqCst), "{done:?}");
        let told = texts.recv().await.expect("a text");
        assert!(told.contains(text), "{told}");
    }
}

#[checks::test]
async fn dropped_login_ends_its_page_with_an_error() {
    let endpoint = Endpoint::approving().await;
    let (sender, mut ends) = mpsc::unbounded_channel();
    let silent = prompt_fn(move |request: LoginRequest| {
        sender.send(request.end()).expect("a test");
        std::future::pending()
    });
    let app = endpoint.app().prompt(silent).build().expect("an app");
    let login = tokio::spawn(async move { app.login().await });
    let mut end = ends.recv().await.expect("an end");
    login.abort();
    let error = end.wait().await.expect_err("nobody waits");
    assert_says(&error, "stopped waiting", &[]);
}

#[checks::test]
fn terminal_of_a_web_service_shows_no_status_of_its_users() {
    let shown = Arc::new(Mutex::new(String::new()));
    let text = Arc::clone(&shown);
    let prompt = Interactive::new().output(move |part| {
        if let Shown::Text(part) = part {
            text.lock().expect("whole").push_str(part);
        }
    });
    for (user, is_shown) in [
        (own(CLIENT), true),
        (UserKey::new("production", CLIENT, "identity/ada"), false),
    ] {
        for status in [
            LoginStatus::SessionEndsSoon {
                user: user.clone(),
                place: "transfer.api.globus.org".to_owned(),
                until: SystemTime::now(),
            },
            LoginStatus::NotRefreshable {
                user: user.clone(),
                resource_server: "transfer.api.globus.org".to_owned(),
            },
        ] {
            prompt.status(&status);
            let shown = std::mem::take(&mut *shown.lock().expect("whole"));
            assert_eq!(
                shown.contains("transfer.api.globus.org"),
                is_shown,
                "{shown:?}"
            );
        }
    }
}

#[checks::test]
fn status_is_a_sentence_on_one_line() {
    let day = Duration::from_secs(24 * 3600);
    // In the time zone of this machine, with the date if it is another day.
    for (age, lengths) in [(Duration::ZERO, &[5][..]), (day, &[10, 5])] {
        let status = LoginStatus::LoggingInElsewhere {
            host: "node17\u{1b}[2J\n".to_owned(),
            since: SystemTime::now() - age,
        };
        let said = status.to_string();
        let said = said
            .strip_suffix(": finish that login")
            .expect("what to do");
        let (who, since) = said.split_once(" since ").expect("a time");
        assert_eq!(
            who,
            "another program of yours, on node17 [2J, is logging in"
        );
        let words: Vec<_> = since.split(' ').map(str::len).collect();
        assert_eq!(words, lengths, "{since}");
    }
}
