//! Turns that programs take.

use std::time::Duration;

use checks::tokens::{DEFAULT, token_file, update};
use globus_login::{JsonFileStore, MemoryStore, TokenStore, Tokens, Work};
use tokio::time::timeout;

/// Far longer than a store takes to look at a lock again. The clock of these tests is paused.
const LONG: Duration = Duration::from_secs(60);

#[checks::test(start_paused = true)]
async fn held_lock_keeps_others_out_until_it_is_dropped() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    let memory = MemoryStore::new();
    // Each pair stands for two programs, or two users of one handle, with one store.
    let file = || JsonFileStore::new(&path);
    let shared = JsonFileStore::new(home.path().join("shared.json"));
    let pairs: [[Box<dyn TokenStore>; 2]; 3] = [
        [Box::new(file()), Box::new(file())],
        [Box::new(shared.clone()), Box::new(shared)],
        [Box::new(memory.clone()), Box::new(memory)],
    ];
    for [one, other] in pairs {
        for work in [Work::Login, Work::Renewal] {
            let held = timeout(LONG, one.lock("a/b", work)).await;
            let mut held = held.expect("nobody holds it").expect("a lock");
            let kept_out = timeout(LONG, other.lock("a/b", work)).await;
            assert!(kept_out.is_err(), "{work:?} is done twice at once");
            let free = match work {
                Work::Login => Work::Renewal,
                _ => Work::Login,
            };
            for (namespace, work) in [("a/b", free), ("a_b", work), ("DEFAULT", work)] {
                let lock = timeout(LONG, other.lock(namespace, work)).await;
                lock.expect("nobody holds it").expect("a lock");
            }
            assert_eq!(held.note(), None);
            held.leave_note("a long note").expect("noted");
            held.leave_note("a note").expect("noted");
            let mut next = tokio_test::task::spawn(other.lock("a/b", work));
            assert!(next.poll().is_pending());
            drop(held);
            let next = timeout(LONG, next).await;
            let next = next.expect("nobody holds it").expect("a lock");
            assert_eq!(next.note().as_deref(), Some("a note"));
        }
    }
}

/// Python programs can take the same lock.
#[cfg(unix)]
#[checks::test]
async fn change_is_made_under_the_lock_beside_the_file() {
    use rustix::fs::{FlockOperation, flock};
    use std::sync::{Arc, OnceLock};

    let (home, store) = token_file();
    let lock = std::fs::File::create(home.path().join("tokens.json.lock")).expect("a file");
    let beside = lock.try_clone().expect("a file");
    let during = Arc::new(OnceLock::new());
    let found = Arc::clone(&during);
    let change = move |_: &mut Tokens| {
        let taken = flock(&beside, FlockOperation::NonBlockingLockExclusive);
        found.set(taken).expect("one change");
    };
    update(&store, DEFAULT, change).await;
    assert_eq!(during.get(), Some(&Err(rustix::io::Errno::WOULDBLOCK)));
    flock(&lock, FlockOperation::NonBlockingLockExclusive).expect("nobody holds it");
}
