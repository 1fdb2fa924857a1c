//! All stores pass the conformance checks.

use globus_login::conformance;
use globus_login::{JsonStore, MemoryStore};

#[checks::test(start_paused = true)]
async fn memory_store_conforms() {
    let store = MemoryStore::new();
    let keeps = conformance::check(|| store.clone()).await;
    assert!(keeps.leases && keeps.notices);
}

/// Each handle stands for another program.
#[checks::test]
async fn json_store_conforms() {
    let home = tempfile::tempdir().expect("a directory");
    let open = || JsonStore::new(home.path().join("new/tokens.json"));
    let keeps = conformance::check(open).await;
    assert!(keeps.leases && keeps.notices);
}

#[cfg(feature = "sqlite")]
#[checks::test]
async fn sqlite_store_conforms() {
    let home = tempfile::tempdir().expect("a directory");
    let open = || globus_login::SqliteStore::new(home.path().join("new/tokens.db"));
    let keeps = conformance::check(open).await;
    assert!(keeps.leases && keeps.notices);
}
