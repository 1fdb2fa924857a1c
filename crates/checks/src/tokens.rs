//! Tokens for tests of login stores.

use globus_login::{JsonStore, Login, LoginStore, StoredToken, Tokens, UserKey};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The name of the app's own user.
pub const DEFAULT: &str = "DEFAULT";

/// The app's own user.
pub fn own(client: impl ToString) -> UserKey {
    UserKey::new("production", client.to_string(), DEFAULT)
}

/// A user of a file. All users of a file have one client.
pub fn user(name: &str) -> UserKey {
    UserKey::new("production", "client", name)
}

/// Ada's token for this resource server, valid for years.
pub fn token(server: &str, access: &str) -> StoredToken {
    let token = json!({
        "resource_server": server, "identity_id": "ada", "scope": "all", "access_token": access,
        "expires_at_seconds": 4_102_444_800_i64, "token_type": "Bearer",
    });
    serde_json::from_value(token).expect("a token")
}

/// The JSON of a token in a store.
pub fn members(token: &StoredToken) -> Value {
    serde_json::to_value(token).expect("JSON")
}

/// The token with these members replaced.
pub fn with(token: &StoredToken, new: Value) -> StoredToken {
    let mut token = members(token);
    for (name, value) in new.as_object().expect("members") {
        token[name] = value.clone();
    }
    serde_json::from_value(token).expect("a token")
}

/// A store for a token file that does not exist yet, in a temporary directory.
pub fn token_file() -> (TempDir, JsonStore) {
    let home = tempfile::tempdir().expect("a directory");
    let store = JsonStore::new(home.path().join("tokens.json"));
    (home, store)
}

/// Changes only the tokens, as a program without records does.
pub async fn update(
    store: &(impl LoginStore + ?Sized),
    user: &UserKey,
    mut change: impl FnMut(&mut Tokens),
) {
    loop {
        let mut loaded = store.load(user).await.expect("it can be read");
        change(&mut loaded.login.tokens);
        let written = store.commit(user, &loaded.version, &loaded.login).await;
        if written.expect("it can be written").is_some() {
            break;
        }
    }
}

/// Stores a token under its resource server.
pub async fn put(store: &(impl LoginStore + ?Sized), user: &UserKey, new: StoredToken) {
    let server = members(&new)["resource_server"].take();
    let server = server.as_str().expect("a name");
    update(store, user, |tokens| {
        tokens.insert(server.to_owned(), new.clone());
    })
    .await;
}

/// Replaces these members in each token of a user.
pub async fn edit(store: &(impl LoginStore + ?Sized), user: &UserKey, new: Value) {
    update(store, user, |tokens| {
        for token in tokens.values_mut() {
            *token = with(token, new.clone());
        }
    })
    .await;
}

pub async fn login(store: &(impl LoginStore + ?Sized), user: &UserKey) -> Login {
    store.load(user).await.expect("it can be read").login
}

pub async fn load(store: &(impl LoginStore + ?Sized), user: &UserKey) -> Tokens {
    login(store, user).await.tokens
}

/// The resource servers of these tokens.
pub fn servers(tokens: &Tokens) -> Vec<&str> {
    tokens.keys().map(String::as_str).collect()
}
