//! The files of a `SqliteStore`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use checks::tokens::{DEFAULT, load, put, servers, token, user};
use fs4::fs_std::FileExt;
use globus_login::{LoginStore, SqliteStore};
use rusqlite::Connection;

/// A journal that stays behind would be applied to the next database.
#[checks::test]
async fn database_is_set_aside_with_its_journal() {
    for (mode, end) in [("PERSIST", "-journal"), ("WAL", "-wal")] {
        let home = tempfile::tempdir().expect("a directory");
        let (path, own) = (home.path().join("tokens.db"), user(DEFAULT));
        let store = SqliteStore::new(&path);
        put(&store, &own, token("t", "t")).await;
        let newer = Connection::open(&path).expect("a database");
        let changed = newer.execute_batch(&format!(
            "PRAGMA journal_mode = {mode};
             UPDATE sdk_storage_adapter_internal SET value = '3'
                WHERE attribute = 'globus-sdk.database_schema_version';"
        ));
        changed.expect("a change");
        let journal = home.path().join(format!("tokens.db{end}"));
        let before = fs::read(&journal).expect("a journal");
        assert!(!before.is_empty());

        let aside = store.set_aside(&own).await.expect("it can be renamed");
        let aside = PathBuf::from(aside.expect("a damaged database"));
        assert!(!journal.exists(), "{mode}");
        let name = aside.file_name().expect("a name").to_string_lossy();
        let moved = fs::read(aside.with_file_name(format!("{name}{end}")));
        assert_eq!(moved.expect("the journal"), before, "{mode}");
        drop(newer);
        put(&store, &own, token("u", "u")).await;
        assert_eq!(servers(&load(&store, &own).await), ["u"]);
    }
}

/// Another program sets the database aside first, and makes a new one.
#[checks::test]
async fn new_database_is_not_set_aside() {
    let home = tempfile::tempdir().expect("a directory");
    let (path, own) = (home.path().join("tokens.db"), user(DEFAULT));
    fs::write(&path, "not a database").expect("a file");
    let store = SqliteStore::new(&path);
    let lock = File::create(home.path().join("tokens.db.lock")).expect("a file");
    assert!(FileExt::try_lock_exclusive(&lock).expect("a lock"));
    let aside = tokio::spawn({
        let (store, own) = (store.clone(), own.clone());
        async move { store.set_aside(&own).await }
    });
    // A store that waits for no lock is done long before.
    let other = SqliteStore::new(home.path().join("other.db"));
    for _ in 0..20 {
        put(&other, &own, token("t", "t")).await;
    }
    assert!(!aside.is_finished());
    fs::remove_file(&path).expect("a file");
    put(&store, &own, token("t", "t")).await;
    drop(lock);
    let aside = aside.await.expect("no panic");
    assert_eq!(aside.expect("an answer"), None);
    assert_eq!(servers(&load(&store, &own).await), ["t"]);
}

#[checks::test]
async fn directory_of_a_killed_program_is_removed() {
    let home = tempfile::tempdir().expect("a directory");
    let make = |name: &str, seconds| {
        let path = home.path().join(name);
        fs::create_dir(&path).expect("a directory");
        fs::write(path.join("half"), "written").expect("a file");
        let directory = File::open(&path).expect("a directory");
        let age = Duration::from_secs(seconds);
        let changed = directory.set_modified(SystemTime::now() - age);
        changed.expect("ours");
        (path, directory)
    };
    let (killed, _) = make("tokens.db.abc.new", 3600);
    let (new, _) = make("tokens.db.def.new", 0);
    let (other, _) = make("other.db.abc.new", 3600);
    // A program that is stopped still has its lock.
    let (stopped, lock) = make("tokens.db.ghi.new", 3600);
    assert!(FileExt::try_lock_exclusive(&lock).expect("a lock"));

    let store = SqliteStore::new(home.path().join("tokens.db"));
    put(&store, &user(DEFAULT), token("t", "t")).await;
    let exist = [&killed, &new, &other, &stopped].map(|path| path.exists());
    assert_eq!(exist, [false, true, true, true]);
    // Nothing is left of the store's own directory.
    let left = fs::read_dir(home.path()).expect("a directory");
    assert_eq!(left.count(), 4);
}
