//! A record that a store cannot read: of a newer version, or not written by this crate.

use std::fs;
use std::sync::Arc;

use checks::tokens::{DEFAULT, load, login, servers, token, token_file, user};
use globus_login::{JsonStore, Login, LoginStatus, LoginStore, SqliteStore, UserKey, Version};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::assert_says;
use crate::support::doubles::Listening;
use crate::support::endpoint::{Endpoint, sent};

/// A secret in the record, which no error shows.
const SECRET: &str = "s3cret";

/// Stores in files, with a way to change what they hold.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Json,
    Sqlite,
}

struct Place {
    home: TempDir,
    kind: Kind,
}

impl Place {
    /// A store with logins of two users.
    async fn of_two(kind: Kind) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let place = Self { home, kind };
        for (name, epoch) in [(DEFAULT, 7), ("bob", 3)] {
            place.commit(&user(name), &stored(epoch)).await;
        }
        place
    }

    /// As another program.
    fn open(&self) -> Arc<dyn LoginStore> {
        let path = self.home.path().join("tokens");
        match self.kind {
            Kind::Json => Arc::new(JsonStore::new(path)),
            Kind::Sqlite => Arc::new(SqliteStore::new(path)),
        }
    }

    async fn commit(&self, user: &UserKey, login: &Login) {
        let store = self.open();
        let base = store.load(user).await.expect("it can be read").version;
        let done = store.commit(user, &base, login).await;
        assert!(done.expect("it can be written").is_some());
    }

    /// Replaces the record of the app's own user.
    fn replace(&self, record: &str) {
        let path = self.home.path().join("tokens");
        match self.kind {
            Kind::Json => {
                let text = fs::read_to_string(&path).expect("a file");
                let mut file: Value = serde_json::from_str(&text).expect("JSON");
                let record = serde_json::from_str(record).expect("JSON");
                file["globus-gare"]["logins"][DEFAULT] = record;
                fs::write(path, file.to_string()).expect("a file");
            }
            Kind::Sqlite => {
                let database = rusqlite::Connection::open(path).expect("a database");
                let replace = "UPDATE globus_gare_login SET record_json = ? WHERE namespace = ?";
                let rows = database.execute(replace, [record, DEFAULT]);
                assert_eq!(rows.expect("a table"), 1);
            }
        }
    }

    fn holds(&self, text: &str) -> bool {
        let all = fs::read(self.home.path().join("tokens")).expect("a file");
        all.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

fn record(epoch: u64) -> Value {
    json!({"epoch": epoch, "revision": 2, "sub": "ada", "at": 1_700_000_000, "scopes": "all"})
}

fn stored(epoch: u64) -> Login {
    let login = json!({"tokens": {"t": token("t", "access")}, "record": record(epoch)});
    serde_json::from_value(login).expect("a login")
}

/// Records that this version cannot read.
fn unreadable() -> [String; 3] {
    let (mut number, mut list) = (record(7), record(7));
    number["epoch"] = SECRET.into();
    list["unrevoked"] = json!({"later": SECRET});
    [number, list, json!([SECRET])].map(|record| record.to_string())
}

#[checks::test]
async fn record_that_cannot_be_read_is_not_overwritten() {
    for kind in [Kind::Json, Kind::Sqlite] {
        for record in unreadable() {
            let place = Place::of_two(kind).await;
            let before = login(&*place.open(), &user(DEFAULT)).await;
            place.replace(&record);
            let (store, own) = (place.open(), user(DEFAULT));
            let bases = [Login::default(), before].map(|it| Version::of(&it));
            let mut errors = vec![store.load(&own).await.map(drop).expect_err("damaged")];
            for base in &bases {
                let written = store.commit(&own, base, &stored(1)).await;
                errors.push(written.map(drop).expect_err("damaged"));
            }
            for error in errors {
                assert!(error.is_damaged(), "{error:?}");
                let told = error.to_string();
                assert!(
                    told.contains("/tokens cannot be understood: log out"),
                    "{told}"
                );
                assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
            }
            // A change of another user keeps the record.
            assert_eq!(login(&*store, &user("bob")).await.epoch(), 3);
            place.commit(&user("bob"), &stored(4)).await;
            assert!(place.holds(SECRET), "{kind:?}: {record}");
            store.load(&own).await.expect_err("still damaged");
        }
    }
}

/// A newer version adds members.
#[checks::test]
async fn record_with_unknown_members_is_read() {
    for kind in [Kind::Json, Kind::Sqlite] {
        let place = Place::of_two(kind).await;
        let mut newer = record(8);
        newer["later"] = json!({"any": [1]});
        place.replace(&newer.to_string());
        let own = user(DEFAULT);
        assert_eq!(login(&*place.open(), &own).await.epoch(), 8, "{kind:?}");
        assert_eq!(place.open().set_aside(&own).await.expect("a file"), None);
        place.commit(&own, &stored(9)).await;
        assert_eq!(login(&*place.open(), &own).await.epoch(), 9, "{kind:?}");
    }
}

#[checks::test]
async fn record_that_cannot_be_read_is_set_aside_alone() {
    for kind in [Kind::Json, Kind::Sqlite] {
        let place = Place::of_two(kind).await;
        let (store, own) = (place.open(), user(DEFAULT));
        assert_eq!(store.set_aside(&own).await.expect("a file"), None);
        // Twice, which keeps both.
        for (record, secret) in [("[\"first\"]", "first"), ("[\"second\"]", "second")] {
            place.replace(record);
            let aside = store.set_aside(&own).await.expect("a file");
            let aside = aside.expect("a place");
            assert!(
                aside.contains("/tokens, ") && aside.contains("damaged"),
                "{aside}"
            );
            // The tokens stay for a logout, which revokes them.
            assert_eq!(servers(&load(&*store, &own).await), ["t"]);
            assert_eq!(login(&*store, &own).await.epoch(), 0);
            assert_eq!(store.set_aside(&own).await.expect("a file"), None);
            place.commit(&own, &stored(1)).await;
            assert!(place.holds(secret), "{kind:?}");
            assert_eq!(login(&*place.open(), &user("bob")).await.epoch(), 3);
        }
        assert!(place.holds("first"), "{kind:?}");
    }
}

/// A part of the database is not ours any longer.
#[checks::test]
async fn database_without_its_tokens_is_set_aside() {
    let place = Place::of_two(Kind::Sqlite).await;
    let path = place.home.path().join("tokens");
    let database = rusqlite::Connection::open(&path).expect("a database");
    let dropped = database.execute_batch("DROP TABLE token_storage");
    dropped.expect("a table");
    drop(database);
    let (store, own) = (place.open(), user(DEFAULT));
    let error = store.load(&own).await.expect_err("damaged");
    assert!(error.is_damaged(), "{error:?}");
    let aside = store.set_aside(&own).await.expect("it can be renamed");
    assert!(fs::exists(aside.expect("a place")).expect("a directory"));
    assert_eq!(login(&*store, &own).await, Login::default());
    place.commit(&own, &stored(1)).await;
}

#[checks::test]
async fn damaged_record_is_set_aside_by_login_with_and_logout() {
    for logs_in in [true, false] {
        let endpoint = Endpoint::approving().await;
        let (_home, store) = token_file();
        let (person, path) = (Listening::new(), store.path().to_owned());
        let app = endpoint.app().store(store).prompt(person.clone());
        let app = app.build().expect("an app");
        app.login().await.expect("a login");
        let text = fs::read_to_string(&path).expect("a file");
        let mut file: Value = serde_json::from_str(&text).expect("JSON");
        let logins = file["globus-gare"]["logins"].as_object_mut();
        for record in logins.expect("records").values_mut() {
            record["epoch"] = "of a newer version".into();
        }
        fs::write(&path, file.to_string()).expect("a file");
        let error = app.login().await.expect_err("damaged");
        assert_says(&error, "tokens.json cannot be understood", &[]);
        if logs_in {
            app.login_with(Default::default()).await.expect("a login");
            assert_eq!(sent(&app).await.as_deref(), Some("given"));
        } else {
            assert!(app.logout().await.expect("the tokens are revoked"));
            assert!(!app.is_logged_in().await.expect("it can be read"));
        }
        let is_aside = |status: &LoginStatus| matches!(status, LoginStatus::SetAside { .. });
        assert!(person.told(1).await.iter().any(is_aside));
    }
}
