//! Tokens to keep, and a file to keep them in.

use globus_login::{JsonFileStore, StoredToken, TokenStore, Tokens};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The namespace of an app's own user.
pub const DEFAULT: &str = "DEFAULT";

/// A token of Ada's for this resource server, good for years.
pub fn token(server: &str, access: &str) -> StoredToken {
    let token = json!({
        "resource_server": server, "identity_id": "ada", "scope": "all", "access_token": access,
        "expires_at_seconds": 4_102_444_800_i64, "token_type": "Bearer",
    });
    serde_json::from_value(token).expect("a token")
}

/// The members of a token, as a store writes them.
pub fn members(token: &StoredToken) -> Value {
    serde_json::to_value(token).expect("JSON")
}

/// The token with these members in the place of its own.
pub fn with(token: &StoredToken, new: Value) -> StoredToken {
    let mut token = members(token);
    for (name, value) in new.as_object().expect("members") {
        token[name] = value.clone();
    }
    serde_json::from_value(token).expect("a token")
}

/// A token file in a directory that is removed in the end. The file is not there yet.
pub fn token_file() -> (TempDir, JsonFileStore) {
    let home = tempfile::tempdir().expect("a directory");
    let store = JsonFileStore::new(home.path().join("tokens.json"));
    (home, store)
}

pub async fn update(
    store: &impl TokenStore,
    namespace: &str,
    change: impl FnMut(&mut Tokens) + Send + 'static,
) {
    let updated = store.update(namespace, Box::new(change)).await;
    updated.expect("kept");
}

/// Keeps a token under its resource server.
pub async fn put(store: &impl TokenStore, namespace: &str, new: StoredToken) {
    let server = members(&new)["resource_server"].take();
    let server = server.as_str().expect("a name").to_owned();
    let change = move |tokens: &mut Tokens| {
        tokens.insert(server.clone(), new.clone());
    };
    update(store, namespace, change).await;
}

/// Gives each token of the app's own user these members.
pub async fn edit(store: &impl TokenStore, new: Value) {
    let change = move |tokens: &mut Tokens| {
        for token in tokens.values_mut() {
            *token = with(token, new.clone());
        }
    };
    update(store, DEFAULT, change).await;
}

/// Lets every token of the app's own user expire.
pub async fn expire(store: &impl TokenStore) {
    edit(store, json!({"expires_at_seconds": 1})).await;
}

pub async fn load(store: &impl TokenStore) -> Tokens {
    store.load(DEFAULT).await.expect("tokens")
}

/// The resource servers of these tokens.
pub fn servers(tokens: &Tokens) -> Vec<&str> {
    tokens.keys().map(String::as_str).collect()
}
