//! The store that ends with the program.

use globus_login::{MemoryStore, TokenStore, Work};

use checks::tokens::{put, servers, token};

/// How many namespaces it says that it remembers.
const MAX: usize = 1024;

#[checks::test]
async fn least_recently_used_namespace_is_forgotten() {
    let store = MemoryStore::new();
    let known = async |namespace: &str| {
        let tokens = store.load(namespace).await.expect("tokens");
        servers(&tokens) == ["t"]
    };
    let use_once = async |namespace: &str| put(&store, namespace, token("t", "t")).await;
    use_once("used").await;
    use_once("idle").await;
    for number in 2..MAX {
        use_once(&number.to_string()).await;
    }
    assert!(known("used").await);
    use_once("one more").await;
    assert!(known("used").await && known("one more").await && !known("idle").await);
    let shown = format!("{store:?}");
    assert!(shown.contains("1024"), "{shown}");
}

#[checks::test]
async fn held_lock_is_never_forgotten() {
    let store = MemoryStore::new();
    let mut held = store.lock("held", Work::Login).await.expect("a lock");
    for number in 0..2 * MAX {
        let lock = store.lock(&number.to_string(), Work::Login).await;
        lock.expect("a lock");
    }
    let mut next = tokio_test::task::spawn(store.lock("held", Work::Login));
    assert!(next.poll().is_pending());
    held.leave_note("for you").expect("noted");
    drop(held);
    assert!(next.is_woken());
    let note = next.await.expect("a lock").note();
    assert_eq!(note.as_deref(), Some("for you"));
}
