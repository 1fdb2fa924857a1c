//! A token file with sealed logins.

use std::fs;

use globus_login::conformance;
use globus_login::{JsonStore, Login, LoginStore, Sealer, StoreError, UserKey, Version};
use serde_json::{Value, json};
use tempfile::TempDir;

use checks::tokens::{load, put, servers, token, user, with};

const OLD: &str = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "new:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn sealer(keys: &str) -> Sealer {
    keys.parse().expect("keys")
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn plain(&self) -> JsonStore {
        JsonStore::new(self.0.path().join("tokens.json"))
    }

    fn sealed(&self, keys: &str) -> JsonStore {
        self.plain().sealed(sealer(keys))
    }

    fn text(&self) -> String {
        fs::read_to_string(self.plain().path()).expect("a file")
    }

    fn edit(&self, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
        let mut document: Value = serde_json::from_str(&self.text()).expect("JSON");
        let sealed = document["globus-gare"]["sealed"].as_object_mut();
        change(sealed.expect("sealed logins"));
        fs::write(self.plain().path(), document.to_string()).expect("a file");
    }
}

async fn refused(store: &JsonStore, user: &UserKey) -> StoreError {
    let error = store.load(user).await.expect_err("it does not open");
    assert!(error.is_damaged(), "{error}");
    error
}

/// Each handle stands for another program.
#[checks::test]
async fn sealed_file_conforms() {
    let place = Place::new();
    let keeps = conformance::check(|| place.sealed(OLD)).await;
    assert!(keeps.leases && keeps.notices);
}

#[checks::test]
async fn no_token_is_in_a_sealed_file() {
    let place = Place::new();
    let secret = with(
        &token("t", "AccessSecret"),
        json!({"refresh_token": "RefreshSecret"}),
    );
    // A login in plain text is sealed with its next change.
    put(&place.plain(), &user("ada"), secret).await;
    assert!(place.text().contains("AccessSecret"));
    let store = place.sealed(OLD);
    assert_eq!(servers(&load(&store, &user("ada")).await), ["t"]);
    put(&store, &user("ada"), token("u", "AnotherSecret")).await;
    assert_eq!(
        servers(&load(&place.sealed(OLD), &user("ada")).await),
        ["t", "u"]
    );
    for word in ["Secret", "access_token", "satisfied"] {
        assert!(!place.text().contains(word), "{word}: {}", place.text());
    }
}

#[checks::test]
async fn sealed_login_opens_only_in_its_own_place() {
    let place = Place::new();
    let store = place.sealed(OLD);
    put(&store, &user("ada"), token("t", "of ada")).await;
    put(&store, &user("bob"), token("t", "of bob")).await;
    place.edit(|sealed| {
        let names: Vec<String> = sealed.keys().cloned().collect();
        assert_eq!(names.len(), 2);
        let of_ada = sealed[&names[0]].clone();
        let of_bob = std::mem::replace(&mut sealed[&names[1]], of_ada);
        sealed[&names[0]] = of_bob;
    });
    for name in ["ada", "bob"] {
        refused(&store, &user(name)).await;
    }

    let place = Place::new();
    let store = place.sealed(OLD);
    put(&store, &user("ada"), token("t", "first")).await;
    let before: Value = serde_json::from_str(&place.text()).expect("JSON");
    put(&store, &user("ada"), token("t", "second")).await;
    // An earlier text does not open under another number.
    place.edit(|sealed| {
        for (name, now) in sealed.iter_mut() {
            assert_eq!(now["number"], 2);
            now["login"] = before["globus-gare"]["sealed"][name]["login"].clone();
        }
    });
    refused(&store, &user("ada")).await;
    for changed in [
        json!(7),
        json!({"number": 1}),
        json!({"number": "1", "login": "x"}),
    ] {
        place.edit(|sealed| sealed.values_mut().for_each(|it| *it = changed.clone()));
        refused(&store, &user("ada")).await;
    }
}

#[checks::test]
async fn sealed_login_of_an_older_key_is_sealed_again() {
    let place = Place::new();
    put(&place.sealed(OLD), &user("ada"), token("t", "t")).await;
    let error = refused(&place.sealed(NEW), &user("ada")).await;
    assert!(error.to_string().contains("check the keys"), "{error}");
    put(
        &place.sealed(&format!("{NEW},{OLD}")),
        &user("ada"),
        token("u", "u"),
    )
    .await;
    assert_eq!(
        servers(&load(&place.sealed(NEW), &user("ada")).await),
        ["t", "u"]
    );
}

#[checks::test]
async fn sealed_login_without_a_key_is_an_error() {
    let place = Place::new();
    put(&place.sealed(OLD), &user("ada"), token("t", "t")).await;
    let plain = place.plain();
    let error = refused(&plain, &user("ada")).await;
    assert!(error.to_string().contains("JsonStore::sealed"), "{error}");
    let ada = user("ada");
    let error = plain.commit(&ada, &Version::NONE, &Login::default()).await;
    assert!(error.expect_err("a sealed login").is_damaged());
    // Other users are not affected, and the sealed login stays.
    put(&plain, &user("bob"), token("t", "t")).await;
    assert_eq!(
        servers(&load(&place.sealed(OLD), &user("ada")).await),
        ["t"]
    );
}

#[checks::test]
async fn sealed_login_of_an_unknown_key_is_set_aside() {
    let place = Place::new();
    put(&place.sealed(OLD), &user("ada"), token("t", "t")).await;
    put(&place.sealed(OLD), &user("bob"), token("t", "t")).await;
    let store = place.sealed(NEW);
    let aside = store.set_aside(&user("ada")).await.expect("a file");
    let aside = aside.expect("a place");
    let (_, name) = aside.split_once(", as ").expect("a name");
    assert!(
        name.contains(".damaged-") && place.text().contains(name),
        "{aside}"
    );
    assert_eq!(load(&store, &user("ada")).await, Default::default());
    put(&store, &user("ada"), token("u", "u")).await;
    assert_eq!(store.set_aside(&user("ada")).await.expect("a file"), None);
    assert_eq!(
        servers(&load(&place.sealed(OLD), &user("bob")).await),
        ["t"]
    );
}
