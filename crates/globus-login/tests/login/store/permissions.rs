//! The permissions of a store's files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use checks::tokens::{DEFAULT, load, put, servers, token, token_file, user};
use globus_login::{Holder, JsonStore, LoginStore, SqliteStore, Work};

async fn lease(store: &JsonStore) {
    let holder = Holder::new("test", SystemTime::now());
    let (own, minute) = (user(DEFAULT), Duration::from_secs(60));
    let leased = store.lease(&own, Work::Login, &holder, minute);
    leased.await.expect("it can be leased");
}

#[checks::test]
async fn token_file_is_private_and_a_link_stays_a_link() {
    let mode =
        |path: &std::path::Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let home = tempfile::tempdir().expect("a directory");
    let store = JsonStore::new(home.path().join("new/deep/tokens.json"));
    put(&store, &user(DEFAULT), token("t", "t")).await;
    let directory = home.path().join("new/deep");
    assert_eq!((mode(store.path()), mode(&directory)), (0o600, 0o700));
    // A write also removes the permissions of other users.
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o644)).expect("ours");
    put(&store, &user(DEFAULT), token("t", "u")).await;
    lease(&store).await;
    let mut checked = 0;
    for directory in [directory.clone(), directory.join("tokens.json.d")] {
        assert_eq!(mode(&directory), 0o700);
        for entry in fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 4, "the file, its lock, the lease, and its lock");
    let link = home.path().join("link.json");
    symlink(store.path(), &link).expect("a link");
    put(&JsonStore::new(&link), &user(DEFAULT), token("v", "v")).await;
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert_eq!(servers(&load(&store, &user(DEFAULT)).await), ["t", "v"]);
}

#[checks::test]
async fn permissions_of_others_are_removed_at_the_next_use() {
    let (home, store) = token_file();
    put(&store, &user(DEFAULT), token("t", "t")).await;
    lease(&store).await;
    let directory = home.path().join("tokens.json.d");
    let places = [
        (store.path(), 0o644),
        (&directory, 0o755),
        (home.path(), 0o755),
    ];
    for (path, mode) in places {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    }
    assert_eq!(servers(&load(&store, &user(DEFAULT)).await), ["t"]);
    lease(&store).await;
    let modes = places.map(|(path, _)| {
        let metadata = fs::metadata(path).expect("an existing file");
        metadata.permissions().mode() & 0o777
    });
    // The parent directory may be shared: it stays as it is.
    assert_eq!(modes, [0o600, 0o700, 0o755]);
    let database = SqliteStore::new(home.path().join("tokens.db"));
    put(&database, &user(DEFAULT), token("t", "t")).await;
    let loose = fs::Permissions::from_mode(0o644);
    fs::set_permissions(database.path(), loose).expect("ours");
    load(&database, &user(DEFAULT)).await;
    let metadata = fs::metadata(database.path()).expect("an existing file");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}
