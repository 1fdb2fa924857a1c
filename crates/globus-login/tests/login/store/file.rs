//! The token file of a `JsonStore`.

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant, SystemTime};

use checks::tokens::{self, DEFAULT, load, put, servers, token, token_file, update, user};
use globus_login::{JsonStore, Login, LoginStore, StoreError, Tokens, Version};
use serde_json::{Value, json};

async fn failed(store: &JsonStore) -> StoreError {
    let loaded = store.load(&user(DEFAULT)).await;
    loaded.map(drop).expect_err("it cannot be read")
}

async fn failed_commit(store: &JsonStore) -> StoreError {
    let login = Login::default();
    let written = store.commit(&user(DEFAULT), &Version::NONE, &login).await;
    written.map(drop).expect_err("it cannot be written")
}

#[checks::test]
async fn store_keeps_tokens_and_foreign_members() {
    let home = tempfile::tempdir().expect("a directory");
    let store = JsonStore::new(home.path().join("new/tokens.json"));
    let own = user(DEFAULT);
    assert!(load(&store, &own).await.is_empty());
    put(&store, &own, token("transfer", "é")).await;
    let text = fs::read_to_string(store.path()).expect("a file");
    let mut written: Value = serde_json::from_str(&text).expect("JSON");
    assert!(written["globus-gare"].take().is_object());
    let transfer = json!({
        "resource_server": "transfer", "identity_id": "ada", "scope": "all", "access_token": "é",
        "expires_at_seconds": 4_102_444_800_i64, "token_type": "Bearer",
    });
    let version = format!("globus-gare {}", env!("CARGO_PKG_VERSION"));
    let expected = json!({
        "data": {"DEFAULT": {"transfer": transfer}}, "format_version": "2.0",
        "globus-gare": null, "globus-sdk.version": version,
    });
    assert_eq!(written, expected);
    let kept = &load(&store, &own).await["transfer"];
    assert_eq!(
        (kept.identity_id(), kept.scope(), kept.expires_at_seconds()),
        (Some("ada"), "all", 4_102_444_800)
    );

    let theirs = r#"{"later": [1,  2], "format_version": "2.0", "data": {"z": {"b": {"x": 1.50}, "a": 0}}, "globus-sdk.version": "4.9.0"}"#;
    fs::write(store.path(), theirs).expect("a file");
    // A handle that has written nothing restores nothing.
    let store = JsonStore::new(store.path());
    let z = user("z");
    put(&store, &z, token("c", "c")).await;
    assert_eq!(servers(&load(&store, &z).await), ["c"]);
    update(&store, &z, Tokens::clear).await;
    let after = fs::read_to_string(store.path()).expect("a file");
    let begin = r#"{"later":[1,  2],"format_version":"2.0","data":{"z":{"b":{"x": 1.50},"a":0}},"globus-sdk.version":"4.9.0","#;
    assert!(after.starts_with(begin), "{after}");
}

#[checks::test]
async fn token_file_of_format_1_is_read() {
    let (_home, store) = token_file();
    let old = r#"{"by_rs": {"t": {"scope": "all", "access_token": "a", "refresh_token": null, "token_type": "Bearer",
        "expires_at_seconds": 1, "resource_server": "t"}}, "globus-sdk.version": "3.0.0", "format_version": "1.0"}"#;
    fs::write(store.path(), old).expect("a file");
    assert_eq!(servers(&load(&store, &user(DEFAULT)).await), ["t"]);
    put(&store, &user(DEFAULT), token("u", "u")).await;
    assert_eq!(servers(&load(&store, &user(DEFAULT)).await), ["t", "u"]);
    assert!(
        fs::read_to_string(store.path())
            .expect("a file")
            .contains(r#""format_version":"2.0""#)
    );
}

#[checks::test]
async fn damaged_token_file_is_left_alone() {
    let (_home, store) = token_file();
    for (text, reason) in [
        (
            r#"{"data": {"DEFAULT": {"t": {"access_token": "s3cr"#,
            "not a JSON object",
        ),
        (
            r#"{"data": {}, "format_version": "3.0", "s3cret": 1}"#,
            "format_version is neither",
        ),
        (
            r#"{"data": 5, "format_version": "2.0"}"#,
            "missing or not an object",
        ),
        (
            r#"{"by_rs": 5, "format_version": "1.0"}"#,
            "missing or not an object",
        ),
        ("[]", "not a JSON object"),
        (
            r#"{"data": {}, "format_version": "2.0", "globus-gare": ["s3cret"]}"#,
            "`globus-gare` has another format",
        ),
        (
            r#"{"by_rs": {}, "format_version": "1.0", "globus-gare": {"sealed": "s3cret"}}"#,
            "`globus-gare` has another format",
        ),
    ] {
        fs::write(store.path(), text).expect("a file");
        for error in [failed_commit(&store).await, failed(&store).await] {
            assert!(error.is_damaged() && !error.is_unavailable());
            let told = error.to_string();
            assert!(
                told.contains("tokens.json") && told.contains("log out"),
                "{told}"
            );
            let source = error.source().expect("a reason").to_string();
            assert!(source.contains(reason), "{source}");
            assert!(!format!("{error:?}").contains("s3cr"), "{error:?}");
            assert_eq!(fs::read_to_string(store.path()).expect("a file"), text);
        }
    }
    // A program that was killed before it wrote leaves an empty file, which is overwritten.
    fs::write(store.path(), "").expect("a file");
    put(&store, &user(DEFAULT), token("t", "t")).await;
    assert_eq!(servers(&load(&store, &user(DEFAULT)).await), ["t"]);
}

/// Only the first read of a damaged file waits for a program that may be writing.
#[checks::test]
async fn damaged_token_file_is_waited_for_once() {
    let (_home, store) = token_file();
    fs::write(store.path(), "{").expect("a file");
    failed(&store).await;
    let began = Instant::now();
    for _ in 0..20 {
        failed(&store).await;
    }
    let each = began.elapsed() / 20;
    assert!(each < Duration::from_millis(100), "{each:?}");
}

#[checks::test]
async fn damaged_token_file_is_set_aside() {
    let (home, store) = token_file();
    let (own, text) = (user(DEFAULT), r#"{"data": {}, "format_version": "3.0"}"#);
    assert_eq!(store.set_aside(&own).await.expect("nothing to do"), None);
    fs::write(store.path(), text).expect("a file");
    let aside = store.set_aside(&own).await.expect("it can be renamed");
    let aside = aside.expect("a damaged file");
    let name = aside.rsplit('/').next().expect("a name");
    let date = name.strip_prefix("tokens.json.damaged-").expect("a date");
    assert!(date.starts_with("20") && date.len() == 17, "{date}");
    let kept = fs::read_to_string(home.path().join(name));
    assert_eq!(kept.expect("the file"), text);
    put(&store, &own, token("t", "t")).await;
    assert_eq!(store.set_aside(&own).await.expect("nothing to do"), None);
    assert_eq!(servers(&load(&store, &own).await), ["t"]);
}

#[checks::test]
async fn error_names_the_file_and_what_to_do() {
    let home = tempfile::tempdir().expect("a directory");
    let (file, directory) = (home.path().join("file"), home.path().join("directory"));
    fs::write(&file, "").expect("a file");
    fs::create_dir(&directory).expect("a directory");
    let store = JsonStore::new(&directory);
    for error in [failed(&store).await, failed_commit(&store).await] {
        assert!(error.is_unavailable(), "{error:?}");
        assert!(
            error.to_string().contains("directory cannot be read"),
            "{error}"
        );
        assert_eq!(
            error.source().expect("a reason").to_string(),
            "the path is not a regular file"
        );
    }
    // A file in place of the directory.
    let store = JsonStore::new(file.join("tokens.json"));
    for error in [failed(&store).await, failed_commit(&store).await] {
        assert!(error.is_unavailable(), "{error:?}");
        let told = error.to_string();
        assert!(
            told.contains("tokens.json") && told.contains("choose another place"),
            "{told}"
        );
    }
}

/// Opening a pipe would wait for a writer.
#[cfg(unix)]
#[checks::test]
async fn pipe_in_place_of_the_token_file_is_an_error() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let (_home, store) = token_file();
    mknodat(
        CWD,
        store.path(),
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .expect("a pipe");
    for error in [failed(&store).await, failed_commit(&store).await] {
        assert_eq!(
            error.source().expect("a reason").to_string(),
            "the path is not a regular file"
        );
    }
}

/// Python empties the file, and then writes it.
#[checks::test]
async fn half_written_token_file_is_read_again() {
    let (_home, store) = token_file();
    put(&store, &user(DEFAULT), token("transfer", "t")).await;
    let whole = fs::read(store.path()).expect("a file");
    for written in [0, 1, whole.len() / 2, whole.len() - 1] {
        // A new handle, which has not read the file.
        let store = JsonStore::new(store.path());
        fs::write(store.path(), &whole[..written]).expect("a file");
        let reading = tokio::spawn({
            let store = store.clone();
            async move { load(&store, &user(DEFAULT)).await }
        });
        // The write comes after the reader has had time to read more than once.
        let (path, whole) = (store.path().to_owned(), whole.clone());
        let writing = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(20));
            fs::write(path, whole)
        });
        writing.await.expect("no panic").expect("a file");
        let tokens = reading.await.expect("no panic");
        assert_eq!(servers(&tokens), ["transfer"], "{written}");
    }
}

/// Python reads the file, we write, and Python writes what it had read, with a new token: our write
/// stays.
#[checks::test]
async fn write_back_of_an_old_file_undoes_nothing() {
    let (_home, store) = token_file();
    let own = user(DEFAULT);
    for name in ["one", "two", "three"] {
        put(&store, &own, token(name, "first")).await;
    }
    let add = |text: &str, server: &str| {
        let mut file: Value = serde_json::from_str(text).expect("JSON");
        file["data"]["DEFAULT"][server] = tokens::members(&token(server, "by Python"));
        file["data"]["DEFAULT"]["one"]["access_token"] = "by Python".into();
        file["data"]["DEFAULT"]
            .as_object_mut()
            .expect("tokens")
            .remove("three");
        file.to_string()
    };
    let old = fs::read_to_string(store.path()).expect("a file");
    put(&store, &own, token("two", "second")).await;
    put(&store, &own, token("four", "first")).await;
    fs::write(store.path(), add(&old, "python")).expect("a file");

    let all = load(&store, &own).await;
    assert_eq!(servers(&all), ["four", "one", "python", "two"]);
    let access = |server: &str| tokens::members(&all[server])["access_token"].take();
    assert_eq!([access("one"), access("two")], ["by Python", "second"]);
    // The file has all tokens again, for other programs as well.
    assert_eq!(load(&JsonStore::new(store.path()), &own).await, all);

    // A file that was removed is a logout.
    fs::remove_file(store.path()).expect("a file");
    assert!(load(&store, &own).await.is_empty());
}

/// One program uses the path of the file, another one a link to it.
#[cfg(unix)]
#[checks::test]
async fn link_and_file_have_one_lock_and_one_lease() {
    use std::os::unix::fs::symlink;

    use globus_login::{Holder, Leased, Work};

    let (home, store) = token_file();
    fs::create_dir(home.path().join("elsewhere")).expect("a directory");
    let link = home.path().join("elsewhere/link.json");
    symlink("../tokens.json", &link).expect("a link");
    let linked = JsonStore::new(&link);
    // The link's target does not exist yet: it is created, and the link stays.
    put(&linked, &user(DEFAULT), token("t", "t")).await;
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert_eq!(servers(&load(&store, &user(DEFAULT)).await), ["t"]);
    let beside: Vec<_> = fs::read_dir(home.path().join("elsewhere"))
        .expect("a directory")
        .collect();
    assert_eq!(beside.len(), 1, "{beside:?}");

    let (one, two) = (
        Holder::new("one", SystemTime::now()),
        Holder::new("two", SystemTime::now()),
    );
    let (own, minute) = (user(DEFAULT), Duration::from_secs(60));
    let leased = linked.lease(&own, Work::Login, &one, minute).await;
    assert_eq!(leased.expect("free"), Leased::Held);
    let leased = store.lease(&own, Work::Login, &two, minute).await;
    assert!(matches!(leased.expect("told"), Leased::Busy { holder, .. } if holder == one));

    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let store = if writer % 2 == 0 {
            store.clone()
        } else {
            linked.clone()
        };
        writers.spawn(async move {
            for write in 0..20 {
                let name = format!("{writer}-{write}");
                put(&store, &user(DEFAULT), token(&name, "t")).await;
            }
        });
    }
    writers.join_all().await;
    assert_eq!(load(&store, &own).await.len(), 81);
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
    put(&store, &user(DEFAULT), token("t", "t")).await;
    assert_eq!(
        (old.exists(), new.exists(), other.exists()),
        (false, true, true)
    );
}
