//! Locks and leases between programs.

use std::fs;
use std::time::{Duration, SystemTime};

use checks::tokens::{DEFAULT, load, put, servers, token, token_file, user};
use globus_login::{Holder, JsonStore, Leased, Login, LoginStore, Version, Work};

use crate::support::program::{self, Program};

/// Python programs can take the same lock.
#[cfg(unix)]
#[checks::test]
async fn change_waits_for_the_lock_beside_the_file() {
    use rustix::fs::{FlockOperation, flock};

    let (home, store) = token_file();
    let path = home.path().join("tokens.json.lock");
    let lock = fs::File::create(&path).expect("a file");
    flock(&lock, FlockOperation::NonBlockingLockExclusive).expect("nobody holds it");
    let writing = tokio::spawn({
        let store = store.clone();
        async move { put(&store, &user(DEFAULT), token("t", "t")).await }
    });
    // A writer of another file, which waits for no lock, is done long before.
    let other = JsonStore::new(home.path().join("other.json"));
    for _ in 0..20 {
        put(&other, &user(DEFAULT), token("t", "t")).await;
    }
    assert!(!writing.is_finished() && !store.path().exists());
    // Removing the lock file breaks no lock: waiters open the new file.
    fs::remove_file(&path).expect("a file");
    let second = fs::File::create(&path).expect("a file");
    flock(&second, FlockOperation::NonBlockingLockExclusive).expect("another file");
    drop(lock);
    for _ in 0..20 {
        put(&other, &user(DEFAULT), token("t", "u")).await;
    }
    assert!(!writing.is_finished() && !store.path().exists());
    drop(second);
    writing.await.expect("no panic");
    assert_eq!(servers(&load(&store, &user(DEFAULT)).await), ["t"]);
}

/// Nobody waits for the lease of a program on this machine that has died.
#[checks::test(seconds = 600)]
async fn lease_of_a_killed_program_is_free_at_once() {
    const HOUR: Duration = Duration::from_secs(3600);
    let lease = async |store: &JsonStore| {
        let holder = Holder::new("program", SystemTime::now());
        let own = user(DEFAULT);
        let leased = store.lease(&own, Work::Login, &holder, HOUR);
        leased.await.expect("it can be leased")
    };
    if let Some(path) = program::argument() {
        let store = JsonStore::new(path);
        program::report(&format!("{:?}", lease(&store).await));
        return std::future::pending().await;
    }
    let (_home, store) = token_file();
    let path = store.path().to_str().expect("text");
    let mut other = Program::start(module_path!(), path, &[]);
    assert_eq!(other.reported().await, "Held");
    let Leased::Busy { holder, .. } = lease(&store).await else {
        panic!("the lease is free");
    };
    assert_eq!(holder.program(), "program");
    other.kill().await;
    assert_eq!(lease(&store).await, Leased::Held);
}

/// Somebody has removed the directory of the leases. Each handle stands for another program.
#[cfg(unix)]
#[checks::test]
async fn lease_taken_again_in_a_new_file_is_held() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (home, store) = token_file();
    let own = user(DEFAULT);
    let [one, two] = ["one", "two"].map(|name| Holder::new(name, SystemTime::now()));
    for _ in 0..2 {
        let leased = store.lease(&own, Work::Login, &one, HOUR).await;
        assert_eq!(leased.expect("it can be leased"), Leased::Held);
        let other = JsonStore::new(store.path());
        let leased = other.lease(&own, Work::Login, &two, HOUR).await;
        let leased = leased.expect("an answer");
        assert!(matches!(leased, Leased::Busy { .. }), "{leased:?}");
        fs::remove_dir_all(home.path().join("tokens.json.d")).expect("a directory");
    }
}

/// Another user has put a link in place of one of our files.
#[cfg(unix)]
#[checks::test]
async fn link_in_place_of_a_lock_or_lease_is_not_followed() {
    let (home, store) = token_file();
    let (own, target) = (user(DEFAULT), home.path().join("target"));
    let holder = Holder::new("program", SystemTime::now());
    let lease = || store.lease(&own, Work::Login, &holder, Duration::from_secs(3600));
    assert_eq!(lease().await.expect("it can be leased"), Leased::Held);
    fs::write(&target, "not ours").expect("a file");
    for name in ["tokens.json.d/DEFAULT.login", "tokens.json.d/lock"] {
        let planted = home.path().join(name);
        fs::remove_file(&planted).expect("a file");
        std::os::unix::fs::symlink(&target, &planted).expect("a link");
        let error = lease().await.expect_err("a link");
        assert!(error.to_string().contains(name), "{error}");
    }
    let planted = home.path().join("tokens.json.lock");
    std::os::unix::fs::symlink(&target, &planted).expect("a link");
    let login = Login::default();
    let error = store.commit(&own, &Version::NONE, &login).await;
    let error = error.expect_err("a link");
    assert!(error.to_string().contains("tokens.json.lock"), "{error}");
    let source = std::error::Error::source(&error).expect("a reason");
    assert_eq!(source.to_string(), "the path is a symbolic link");
    assert_eq!(fs::read_to_string(&target).expect("a file"), "not ours");
}
