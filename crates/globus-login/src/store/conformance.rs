//! The checks that every [`LoginStore`] has to pass. Run [`check`] on a store of your own in a
//! test.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;

use super::{
    Holder, Leased, Login, LoginStore, StoreError, StoredToken, UserKey, Version, Versioned,
    Waiting, Work,
};
use globus_gare::gare::AuthorizationParameters;

/// The number of tasks that change a login at once, and the number of changes of each.
const WRITERS: usize = 8;
const WRITES: usize = 5;

/// Longer than any check takes.
const LONG: Duration = Duration::from_secs(3600);

/// The optional abilities of a store. Returned by [`check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keeps {
    /// The store keeps leases: a second holder gets none while the first one has it.
    pub leases: bool,
    /// The store keeps notices until they are withdrawn.
    pub notices: bool,
}

/// Checks a store. `open` opens it: each call stands for another program with the same store. The
/// store has to be empty at first.
///
/// A store may keep no leases and no notices; the result says whether it does. Expiry is checked on
/// tokio's clock: pause it (`#[tokio::test(start_paused = true)]`), or the check takes 6 seconds,
/// and a few more with a store whose `changed` polls.
///
/// ```
/// use globus_login::MemoryStore;
/// use globus_login::conformance;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let store = MemoryStore::new();
/// let keeps = conformance::check(|| store.clone()).await;
/// assert!(keeps.leases && keeps.notices);
/// # }
/// ```
///
/// # Panics
///
/// If the store fails a check.
pub async fn check<S: LoginStore>(open: impl Fn() -> S) -> Keeps {
    let store: Arc<dyn LoginStore> = Arc::new(open());
    let other: Arc<dyn LoginStore> = Arc::new(open());
    swap(&*store, &*other).await;
    users(&*store, &*other).await;
    writers(&store, &other).await;
    changes(&store, &other).await;
    Keeps {
        leases: leases(&*store, &*other).await,
        notices: notices(&*store, &*other).await,
    }
}

fn user(name: &str) -> UserKey {
    UserKey::new("production", "conformance", name)
}

fn holder(program: &str) -> Holder {
    Holder::new(program, UNIX_EPOCH)
}

fn token(server: &str) -> StoredToken {
    let token = serde_json::json!({
        "resource_server": server, "scope": "all", "access_token": format!("access é {server}"),
        "refresh_token": "refresh", "identity_id": "ada", "expires_at_seconds": 4_102_444_800_i64,
        "token_type": "Bearer",
    });
    serde_json::from_value(token).expect("a token")
}

fn with(mut login: Login, server: &str) -> Login {
    login.tokens.insert(server.to_owned(), token(server));
    login.recognize(SystemTime::UNIX_EPOCH);
    login
}

/// The value of a call that has to succeed.
#[track_caller]
fn done<T>(result: Result<T, StoreError>) -> T {
    result.expect("the store fails")
}

async fn load(store: &dyn LoginStore, user: &UserKey) -> Versioned {
    done(store.load(user).await)
}

/// A commit succeeds only against the current version, and all programs read it.
async fn swap(store: &dyn LoginStore, other: &dyn LoginStore) {
    let user = user("swap");
    let empty = load(store, &user).await;
    assert_eq!(empty.version, Version::NONE, "an unknown user is at NONE");
    assert_eq!(
        empty.login,
        Login::default(),
        "an unknown user has no login"
    );

    let one = with(Login::default(), "one");
    let committed = store.commit(&user, &Version::NONE, &one).await;
    let committed = done(committed).expect("no other commit");
    let read = load(other, &user).await;
    assert_eq!(read.login, one, "the committed login is read");
    assert_eq!(read.version, committed, "at the version of the commit");

    let two = with(one.clone(), "two");
    let late = other.commit(&user, &Version::NONE, &two).await;
    assert_eq!(done(late), None, "a commit against an old version fails");
    assert_eq!(
        load(store, &user).await.login,
        one,
        "a failed commit changes nothing"
    );
    let second = other.commit(&user, &committed, &two).await;
    let second = done(second).expect("no other commit");
    assert_ne!(second, committed, "each commit has a new version");
    assert_eq!(load(store, &user).await.login, two);

    let mut out = two.clone();
    assert!(out.logged_out(), "there were tokens");
    let third = store.commit(&user, &second, &out).await;
    assert!(done(third).is_some());
    assert_eq!(
        load(other, &user).await.login,
        out,
        "a record without tokens stays"
    );
}

/// Users are kept apart, whatever their names are.
async fn users(store: &dyn LoginStore, other: &dyn LoginStore) {
    let long = "x".repeat(2000);
    let names = [
        "DEFAULT",
        "identity/a",
        "identity_a",
        "identity%2fa",
        "é\"\\\n'",
        &long,
    ];
    for name in names {
        let login = with(Login::default(), name);
        let committed = store.commit(&user(name), &Version::NONE, &login).await;
        assert!(done(committed).is_some(), "{name:?}");
    }
    for name in names {
        let login = load(other, &user(name)).await.login;
        assert_eq!(login, with(Login::default(), name), "{name:?}");
    }
}

/// Writers that repeat failed commits lose none of each other's changes.
async fn writers(store: &Arc<dyn LoginStore>, other: &Arc<dyn LoginStore>) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(if writer % 2 == 0 { store } else { other });
        writers.spawn(async move {
            for write in 0..WRITES {
                let server = format!("{writer}-{write}");
                let user = user("writers");
                loop {
                    let Versioned { version, login } = load(&*store, &user).await;
                    let login = with(login, &server);
                    let committed = store.commit(&user, &version, &login).await;
                    if done(committed).is_some() {
                        break;
                    }
                }
            }
        });
    }
    writers.join_all().await;
    let kept = load(&**store, &user("writers")).await.login;
    assert_eq!(kept.tokens.len(), WRITERS * WRITES, "a write is lost");
}

/// A change wakes a program that waits for one.
async fn changes(store: &Arc<dyn LoginStore>, other: &Arc<dyn LoginStore>) {
    let user = user("changes");
    let (waiting, key) = (Arc::clone(other), user.clone());
    let mut changed = tokio::spawn(async move { waiting.changed(&key, &Version::NONE).await });
    // By then, it has read the store: only the change can wake it.
    let early = tokio::time::timeout(Duration::from_millis(100), &mut changed).await;
    assert!(early.is_err(), "`changed` waits for a change");
    let login = with(Login::default(), "one");
    let committed = store.commit(&user, &Version::NONE, &login).await;
    assert!(done(committed).is_some());
    let changed = tokio::time::timeout(LONG, changed).await;
    let changed = changed.expect("`changed` returns").expect("no panic");
    done(changed);
}

/// One holder has the lease, until it releases the lease or the lease expires.
async fn leases(store: &dyn LoginStore, other: &dyn LoginStore) -> bool {
    let (user, one, two) = (user("leases"), holder("one"), holder("two"));
    let lease = async |store: &dyn LoginStore, work, by: &Holder, ttl| {
        done(store.lease(&user, work, by, ttl).await)
    };
    assert_eq!(lease(store, Work::Login, &one, LONG).await, Leased::Held);
    let Leased::Busy { holder, remaining } = lease(other, Work::Login, &two, LONG).await else {
        return false;
    };
    assert_eq!(holder, one, "the holder is named");
    assert!(remaining <= LONG && !remaining.is_zero(), "{remaining:?}");
    let refresh = lease(other, Work::Refresh, &two, LONG).await;
    assert_eq!(refresh, Leased::Held, "each work has a lease of its own");
    let another = self::user("another");
    let another = other.lease(&another, Work::Login, &two, LONG).await;
    assert_eq!(
        done(another),
        Leased::Held,
        "each user has a lease of their own"
    );
    assert_eq!(
        lease(store, Work::Login, &one, LONG).await,
        Leased::Held,
        "the holder keeps it"
    );
    let extended = other.extend(&user, Work::Login, &two, LONG).await;
    assert!(!done(extended), "only the holder extends it");
    done(other.release(&user, Work::Login, &two).await);
    let busy = lease(other, Work::Login, &two, LONG).await;
    assert!(
        matches!(busy, Leased::Busy { .. }),
        "only the holder releases it"
    );
    done(store.release(&user, Work::Login, &one).await);
    assert_eq!(lease(other, Work::Login, &two, LONG).await, Leased::Held);

    let second = Duration::from_secs(1);
    lease(other, Work::Login, &two, second).await;
    let busy = lease(store, Work::Login, &one, second).await;
    assert!(matches!(busy, Leased::Busy { .. }), "not expired yet");
    let extended = other.extend(&user, Work::Login, &two, second * 3).await;
    assert!(done(extended));
    for _ in 0..2 {
        let busy = lease(store, Work::Login, &one, second).await;
        assert!(matches!(busy, Leased::Busy { .. }), "extended");
        // The first time is over then, and the second one after that.
        tokio::time::sleep(second * 7 / 4).await;
    }
    assert_eq!(
        lease(store, Work::Login, &one, LONG).await,
        Leased::Held,
        "expired"
    );
    let extended = other.extend(&user, Work::Login, &two, second).await;
    assert!(!done(extended), "another holder has it");
    let version = load(store, &user).await.version;
    assert_eq!(version, Version::NONE, "a lease changes no version");
    true
}

/// All programs see a notice, until it is withdrawn or expires.
async fn notices(store: &dyn LoginStore, other: &dyn LoginStore) -> bool {
    let user = user("notices");
    let waiting = |program| Waiting {
        by: holder(program),
        required: AuthorizationParameters::default().with_session_required_mfa(true),
        scopes: "a[b] c".parse().expect("scopes"),
        words: None,
        is_told: false,
    };
    let all = async |store: &dyn LoginStore| done(store.waiting(&user).await);
    let (one, two) = (waiting("one"), waiting("two"));
    done(store.post(&user, &one, LONG).await);
    if all(other).await.is_empty() {
        return false;
    }
    done(store.post(&user, &one, LONG).await);
    assert_eq!(
        all(other).await,
        std::slice::from_ref(&one),
        "a notice replaces the one before"
    );
    let second = Duration::from_secs(1);
    done(other.post(&user, &two, second).await);
    assert_eq!(all(store).await.len(), 2);
    done(store.withdraw(&user, &one.by).await);
    assert_eq!(all(other).await, std::slice::from_ref(&two));
    assert_eq!(all(store).await, [two]);
    tokio::time::sleep(second * 3 / 2).await;
    assert_eq!(all(store).await, [], "expired");
    let version = load(store, &user).await.version;
    assert_eq!(version, Version::NONE, "a notice changes no version");
    true
}
