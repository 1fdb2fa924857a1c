//! Logins that begin in one request and end in another, on any replica.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use globus_login::{
    Holder, Leased, Login, LoginStore, MemoryStore, StoreError, UserKey, Version, Versioned, Work,
};
use http::StatusCode;
use tokio::sync::{Barrier, Notify};

use super::service::*;
use crate::support::*;

/// A store that counts calls, and in which two callbacks can be made to wait for each other.
#[derive(Clone, Debug)]
struct Watched {
    store: MemoryStore,
    asked: Arc<AtomicUsize>,
    leases: Arc<AtomicUsize>,
    /// The first two calls for a lease wait for each other here.
    meeting: Arc<Barrier>,
    meets: Arc<AtomicBool>,
    /// A commit waits here while `is_shut`.
    gate: Arc<Notify>,
    is_shut: Arc<AtomicBool>,
    has_come: Arc<Notify>,
}

impl Watched {
    fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            asked: Arc::default(),
            leases: Arc::default(),
            meeting: Arc::new(Barrier::new(2)),
            meets: Arc::default(),
            gate: Arc::default(),
            is_shut: Arc::default(),
            has_come: Arc::default(),
        }
    }
}

#[async_trait]
impl LoginStore for Watched {
    async fn load(&self, user: &UserKey) -> Result<Versioned, StoreError> {
        self.asked.fetch_add(1, SeqCst);
        self.store.load(user).await
    }

    async fn commit(
        &self,
        user: &UserKey,
        base: &Version,
        login: &Login,
    ) -> Result<Option<Version>, StoreError> {
        self.asked.fetch_add(1, SeqCst);
        if self.is_shut.load(SeqCst) {
            self.has_come.notify_one();
            self.gate.notified().await;
        }
        self.store.commit(user, base, login).await
    }

    async fn lease(
        &self,
        user: &UserKey,
        work: Work,
        holder: &Holder,
        ttl: Duration,
    ) -> Result<Leased, StoreError> {
        self.asked.fetch_add(1, SeqCst);
        if self.meets.load(SeqCst) && self.leases.fetch_add(1, SeqCst) < 2 {
            self.meeting.wait().await;
        }
        self.store.lease(user, work, holder, ttl).await
    }

    async fn release(&self, user: &UserKey, work: Work, holder: &Holder) -> Result<(), StoreError> {
        self.store.release(user, work, holder).await
    }

    fn revision(&self, user: &UserKey) -> Option<u64> {
        self.store.revision(user)
    }
}

#[checks::test]
async fn login_ends_on_another_replica() {
    let service = Service::new().await;
    let (first, second) = (service.replica(), service.replica());
    let (ada, bob) = (Visitor::default(), Visitor::default());
    for round in 1..=2 {
        let to_ada = ada.sent_to(&first, "/ls").await;
        let to_bob = bob.sent_to(&second, "/ls").await;
        // Only the logins that the collection requires are fresh ones.
        assert_eq!(
            value(&to_ada, "prompt"),
            if round == 1 { "" } else { "login" }
        );
        let back_to_bob = service.approve(BOB, &to_bob).await;
        let back_to_ada = service.approve(ADA, &to_ada).await;
        assert_eq!(path(&bob.sent_to(&first, &back_to_bob).await), "/ls");
        assert_eq!(path(&ada.sent_to(&second, &back_to_ada).await), "/ls");
        for replica in [&first, &second] {
            for (browser, name) in [(&ada, "ada"), (&bob, "bob")] {
                let answer = browser.open(replica, "/ls").await;
                assert_eq!(answer.json(), name);
            }
        }
        assert_eq!(service.code_grants(), 2 * round);
        service.minutes_pass(2);
    }
    assert_no_violation(&service.sample.globus);
}

#[checks::test]
async fn login_survives_a_restart() {
    let service = Service::new().await;
    let ada = Visitor::default();
    let page = ada.sent_to(&service.replica(), "/ls?all=yes").await;
    let callback = service.approve(ADA, &page).await;
    let restarted = service.replica();
    assert_eq!(
        path(&ada.sent_to(&restarted, &callback).await),
        "/ls?all=yes"
    );
    assert_eq!(ada.open(&restarted, "/ls").await.json(), "ada");
    assert_eq!(ada.open(&service.replica(), "/ls").await.json(), "ada");
    assert_eq!(service.code_grants(), 1);
}

async fn both_end_well(service: &Service, replica: &Router, browser: &Visitor, first: usize) {
    let before = service.code_grants();
    // Challenged together, they share one error.
    let (one, other) = tokio::join!(
        browser.sent_to(replica, "/ls?tab=0"),
        browser.sent_to(replica, "/ls?tab=1")
    );
    let mut callbacks = Vec::new();
    for page in [one, other] {
        callbacks.push(service.approve(ADA, &page).await);
    }
    for tab in [first, 1 - first] {
        let back = browser.sent_to(replica, &callbacks[tab]).await;
        assert_eq!(path(&back), format!("/ls?tab={tab}"));
        assert_eq!(browser.open(replica, path(&back)).await.json(), "ada");
    }
    assert_eq!(service.code_grants(), before + 1);
}

#[checks::test]
async fn two_tabs_log_in_whichever_ends_first() {
    let service = Service::new().await;
    let replica = service.replica();
    for first in [0, 1] {
        let browser = Visitor::default();
        // In a browser without a login.
        let page = browser.sent_to(&replica, "/who").await;
        let callback = service.approve(ADA, &page).await;
        let other = browser.sent_to(&replica, "/other").await;
        let other = service.approve(ADA, &other).await;
        let tabs = [(callback, "/who"), (other, "/other")];
        for tab in [first, 1 - first] {
            let back = browser.sent_to(&replica, &tabs[tab].0).await;
            assert_eq!(path(&back), tabs[tab].1);
        }
        // After the session has expired.
        for first in [0, 1] {
            service.minutes_pass(2);
            both_end_well(&service, &replica, &browser, first).await;
        }
    }
    assert_no_violation(&service.sample.globus);
}

#[checks::test]
async fn tab_that_needs_more_redeems_its_own_code() {
    let service = Service::new().await;
    let app = service.app().scopes_may_be_required(|_, _| true);
    let replica = service.replica_of(service.logins(app));
    for first in [0, 1] {
        let ada = Visitor::default();
        ada.log_in(&service, &replica, ADA).await;
        service.minutes_pass(2);
        // One tab needs a fresh session, the other a new scope.
        let paths = ["/ls", "/groups"];
        let mut callbacks = Vec::new();
        for path in paths {
            let page = ada.sent_to(&replica, path).await;
            callbacks.push(service.approve(ADA, &page).await);
        }
        let before = service.code_grants();
        for tab in [first, 1 - first] {
            let back = ada.sent_to(&replica, &callbacks[tab]).await;
            assert_eq!(path(&back), paths[tab]);
        }
        assert_eq!(service.code_grants(), before + 2);
        assert_eq!(ada.open(&replica, "/ls").await.json(), "ada");
        // Later logins ask for the scopes of both.
        service.minutes_pass(2);
        let page = ada.sent_to(&replica, "/ls").await;
        assert!(value(&page, "scope").contains(GROUPS), "{page}");
    }
    assert_no_violation(&service.sample.globus);
}

#[checks::test]
async fn replica_with_more_scopes_redeems_its_own_code() {
    let service = Service::new().await;
    let (old, new) = (service.replica(), {
        let app = service.app().scopes([TRANSFER_ALL, GROUPS]);
        service.replica_of(service.logins(app))
    });
    let ada = Visitor::default();
    let page = ada.sent_to(&old, "/who?old").await;
    let of_old = service.approve(ADA, &page).await;
    let page = ada.sent_to(&new, "/who?new").await;
    let of_new = service.approve(ADA, &page).await;
    assert_eq!(path(&ada.sent_to(&old, &of_old).await), "/who?old");
    ada.id(&old).await;
    assert_eq!(path(&ada.sent_to(&new, &of_new).await), "/who?new");
    ada.id(&new).await;
    assert_eq!(service.code_grants(), 2);
}

#[checks::test]
async fn pages_opened_at_once_all_log_in() {
    const TABS: usize = 20;
    let service = Service::new().await;
    let replica = service.replica();
    let browser = Visitor::default();
    let mut callbacks = Vec::new();
    for tab in 0..TABS {
        // Each request was sent before the first response came.
        let alone = Visitor::default();
        let page = alone.sent_to(&replica, &format!("/who?{tab}")).await;
        browser.take_cookies(&alone);
        callbacks.push(service.approve(ADA, &page).await);
    }
    assert_eq!(browser.login_cookies().len(), TABS);
    for (tab, callback) in callbacks.iter().enumerate() {
        let back = browser.sent_to(&replica, callback).await;
        assert_eq!(path(&back), format!("/who?{tab}"));
    }
    browser.open(&replica, "/policies").await;
    assert_eq!(browser.login_cookies().len(), TABS);
    assert_eq!(service.code_grants(), 1);
}

#[checks::test]
async fn callback_loaded_twice_redeems_once() {
    let store = Watched::new();
    let service = Service::on(store.clone()).await;
    let (first, second) = (service.replica(), service.replica());
    let ada = Visitor::default();
    let page = ada.sent_to(&first, "/who").await;
    let callback = service.approve(ADA, &page).await;
    // Two requests of one browser, which has no id yet, want the lease at the same time.
    store.meets.store(true, SeqCst);
    let again = Visitor::default();
    again.take_cookies(&ada);
    let (one, other) = tokio::join!(
        ada.sent_to(&first, &callback),
        again.sent_to(&second, &callback)
    );
    assert_eq!((path(&one), path(&other)), ("/who", "/who"));
    assert_eq!(ada.id(&first).await, again.id(&second).await);
    // And once more, after the end of the login.
    assert_eq!(path(&ada.sent_to(&second, &callback).await), "/who");
    assert_eq!(service.code_grants(), 1);
    assert_no_violation(&service.sample.globus);
}

#[checks::test]
async fn login_ends_without_its_browser() {
    let store = Watched::new();
    let service = Service::on(store.clone()).await;
    let replica = service.replica();
    let ada = Visitor::default();
    let page = ada.sent_to(&replica, "/who").await;
    let callback = service.approve(ADA, &page).await;
    store.is_shut.store(true, SeqCst);
    {
        let answer = ada.sent_to(&replica, &callback);
        tokio::select! {
            _ = answer => panic!("the gate is shut"),
            () = store.has_come.notified() => {}
        }
    }
    // The browser is gone. The code is redeemed, but no token is stored yet.
    store.is_shut.store(false, SeqCst);
    store.gate.notify_one();
    assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/who");
    assert_eq!(service.code_grants(), 1);
    ada.id(&replica).await;
}

#[checks::test(seconds = 600)]
async fn requests_without_a_cookie_change_nothing() {
    let store = Watched::new();
    let service = Service::on(store.clone()).await;
    let replica = service.replica();
    let (ada, bob) = (Visitor::default(), Visitor::default());
    ada.log_in(&service, &replica, ADA).await;
    let page = bob.sent_to(&replica, "/who").await;
    let callback = service.approve(BOB, &page).await;
    let asked = store.asked.load(SeqCst);
    let requests = service.sample.globus.requests().len();
    for request in 0..10_005 {
        let path = ["/who", "/ls", "/hello"][request % 3];
        let answer = Visitor::default().open(&replica, path).await;
        let is_page = answer.status == StatusCode::SEE_OTHER;
        assert_eq!(is_page, path != "/hello", "{path}");
    }
    assert_eq!(store.asked.load(SeqCst), asked);
    assert_eq!(service.sample.globus.requests().len(), requests);
    // The user is still logged in, and the login under way ends.
    assert_eq!(ada.open(&replica, "/ls").await.json(), "ada");
    assert_eq!(path(&bob.sent_to(&replica, &callback).await), "/who");
}

#[checks::test]
async fn challenge_that_teaches_nothing_asks_the_store_once() {
    let store = Watched::new();
    let service = Service::on(store.clone()).await;
    let replica = service.replica();
    let ada = Visitor::default();
    ada.log_in(&service, &replica, ADA).await;
    assert_eq!(ada.open(&replica, "/ls").await.json(), "ada");
    // At first the requirement of the collection is new, and then the age of the refused login.
    for (minutes, asked) in [(2, 2), (3, 2), (4, 1)] {
        service.minutes_pass(minutes);
        for asked in [asked, 1] {
            let before = store.asked.load(SeqCst);
            let page = ada.sent_to(&replica, "/ls").await;
            assert_eq!(store.asked.load(SeqCst) - before, asked, "{minutes}");
            assert_eq!(value(&page, "prompt"), "login");
        }
        let page = ada.sent_to(&replica, "/ls").await;
        let callback = service.approve(ADA, &page).await;
        assert_eq!(path(&ada.sent_to(&replica, &callback).await), "/ls");
        assert_eq!(ada.open(&replica, "/ls").await.json(), "ada");
    }
    assert_no_violation(&service.sample.globus);
}
