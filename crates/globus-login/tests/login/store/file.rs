//! The file by itself.

use std::error::Error;
use std::fs;
use std::time::{Duration, SystemTime};

use globus_login::{JsonFileStore, TokenStore, Tokens, Work};

use checks::tokens::{DEFAULT, load, put, servers, token, token_file, update};

const OURS: &str = r#"{"data": {"DEFAULT": {"transfer": {"resource_server": "transfer", "identity_id": "ada", "scope": "all", "access_token": "\u00e9", "expires_at_seconds": 4102444800, "token_type": "Bearer"}}}, "format_version": "2.0", "globus-sdk.version": "VERSION"}"#;

#[checks::test]
async fn store_keeps_tokens_and_foreign_members() {
    let home = tempfile::tempdir().expect("a directory");
    let store = JsonFileStore::new(home.path().join("new/tokens.json"));
    assert!(load(&store).await.is_empty());
    put(&store, DEFAULT, token("transfer", "é")).await;
    let text = fs::read_to_string(store.path()).expect("a file");
    let version = format!("globus-gare {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(text, OURS.replace("VERSION", &version));
    let kept = &load(&store).await["transfer"];
    assert_eq!(
        (kept.identity_id(), kept.scope(), kept.expires_at_seconds()),
        (Some("ada"), "all", 4_102_444_800)
    );

    let theirs = r#"{"later": [1,  2], "format_version": "2.0", "data": {"z": {"b": {"x": 1.50}, "a": 0}}, "globus-sdk.version": "4.9.0"}"#;
    fs::write(store.path(), theirs).expect("a file");
    put(&store, "z", token("c", "c")).await;
    assert_eq!(servers(&store.load("z").await.expect("tokens")), ["c"]);
    update(&store, "z", Tokens::clear).await;
    assert_eq!(fs::read_to_string(store.path()).expect("a file"), theirs);
}

#[checks::test]
async fn token_file_of_format_1_is_read() {
    let (_home, store) = token_file();
    let old = r#"{"by_rs": {"t": {"scope": "all", "access_token": "a", "refresh_token": null, "token_type": "Bearer",
        "expires_at_seconds": 1, "resource_server": "t"}}, "globus-sdk.version": "3.0.0", "format_version": "1.0"}"#;
    fs::write(store.path(), old).expect("a file");
    assert_eq!(servers(&load(&store).await), ["t"]);
    put(&store, DEFAULT, token("u", "u")).await;
    assert_eq!(servers(&load(&store).await), ["t", "u"]);
    assert!(
        fs::read_to_string(store.path())
            .expect("a file")
            .contains(r#""format_version": "2.0""#)
    );
}

#[checks::test]
async fn damaged_token_file_is_left_alone() {
    let (_home, store) = token_file();
    for (text, reason) in [
        (
            r#"{"data": {"DEFAULT": {"t": {"access_token": "s3cr"#,
            "no JSON object",
        ),
        (
            r#"{"data": {}, "format_version": "3.0", "s3cret": 1}"#,
            "format_version is neither",
        ),
        (
            r#"{"data": 5, "format_version": "2.0"}"#,
            "missing or no object",
        ),
        (
            r#"{"by_rs": 5, "format_version": "1.0"}"#,
            "missing or no object",
        ),
        ("[]", "no JSON object"),
    ] {
        fs::write(store.path(), text).expect("a file");
        let error = store
            .update("DEFAULT", Box::new(Tokens::clear))
            .await
            .expect_err(text);
        assert!(error.to_string().contains("tokens.json"), "{error}");
        let source = error.source().expect("a reason").to_string();
        assert!(source.contains(reason), "{source}");
        assert!(!format!("{error:?}").contains("s3cr"), "{error:?}");
        assert_eq!(fs::read_to_string(store.path()).expect("a file"), text);
    }
    // All that a program can leave that was killed before it wrote: nothing is lost by going on.
    fs::write(store.path(), "").expect("a file");
    put(&store, DEFAULT, token("t", "t")).await;
    assert_eq!(servers(&load(&store).await), ["t"]);
}

#[checks::test]
async fn error_names_the_file_that_cannot_be_opened() {
    let home = tempfile::tempdir().expect("a directory");
    let (file, directory) = (home.path().join("file"), home.path().join("directory"));
    fs::write(&file, "").expect("a file");
    fs::create_dir(&directory).expect("a directory");
    // A directory in the place of the file, and a file in the place of its directory.
    for (path, named) in [
        (directory, "the token file"),
        (file.join("tokens.json"), "the lock"),
    ] {
        let store = JsonFileStore::new(&path);
        let error = store
            .update("DEFAULT", Box::new(Tokens::clear))
            .await
            .expect_err("no file");
        assert!(
            error.to_string().starts_with(named) && error.source().is_some(),
            "{error}"
        );
        let error = store.load("DEFAULT").await.expect_err("no file");
        assert!(error.to_string().contains("cannot be read"), "{error}");
    }
    let locked = JsonFileStore::new(file.join("tokens.json"));
    let error = locked.lock("DEFAULT", Work::Login).await.map(|_| ());
    let error = error.expect_err("no lock");
    assert!(error.to_string().contains("cannot be taken"), "{error}");
}

/// A pipe stands in for the file that is being written: its reader gets the first half, and the next read finds the
/// whole file.
#[cfg(unix)]
#[checks::test]
async fn half_written_token_file_is_read_again() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::io::Write;

    let home = tempfile::tempdir().expect("a directory");
    let (path, whole) = (home.path().join("tokens.json"), home.path().join("whole"));
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
    fs::write(&whole, OURS).expect("a file");
    let store = JsonFileStore::new(&path);
    let reading = tokio::spawn(async move { store.load("DEFAULT").await });
    let writing = tokio::task::spawn_blocking(move || {
        // Opens once there is a reader.
        let mut pipe = fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .expect("a reader");
        pipe.write_all(&OURS.as_bytes()[..100]).expect("read");
        fs::rename(whole, path).expect("ours");
    });
    writing.await.expect("no panic");
    let tokens = reading.await.expect("no panic").expect("tokens");
    assert_eq!(servers(&tokens), ["transfer"]);
}

#[cfg(unix)]
#[checks::test]
async fn token_file_is_private_and_a_link_stays_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let mode =
        |path: &std::path::Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let home = tempfile::tempdir().expect("a directory");
    let store = JsonFileStore::new(home.path().join("new/deep/tokens.json"));
    put(&store, DEFAULT, token("t", "t")).await;
    let directory = home.path().join("new/deep");
    assert_eq!((mode(store.path()), mode(&directory)), (0o600, 0o700));
    // Not for a moment is there a file that others can read.
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o644)).expect("ours");
    put(&store, DEFAULT, token("t", "u")).await;
    for entry in fs::read_dir(&directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let link = home.path().join("link.json");
    symlink(store.path(), &link).expect("a link");
    put(&JsonFileStore::new(&link), DEFAULT, token("v", "v")).await;
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert_eq!(servers(&load(&store).await), ["t", "v"]);
}

#[checks::test]
async fn old_leftovers_of_killed_programs_are_removed() {
    let (home, store) = token_file();
    let age = |name: &str, seconds| {
        let path = home.path().join(name);
        let file = fs::File::create(&path).expect("a file");
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds))
            .expect("ours");
        path
    };
    let (old, new) = (
        age("tokens.json.abc.new", 3600),
        age("tokens.json.def.new", 0),
    );
    let other = age("other.json.abc.new", 3600);
    put(&store, DEFAULT, token("t", "t")).await;
    assert_eq!(
        (old.exists(), new.exists(), other.exists()),
        (false, true, true)
    );
}
