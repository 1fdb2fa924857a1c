//! Tokens to keep.

use globus_login::{JsonFileStore, StoredToken, TokenStore, Tokens};
use serde_json::json;

pub fn token(server: &str, access: &str) -> StoredToken {
    let token = json!({
        "resource_server": server, "identity_id": "ada", "scope": "all", "access_token": access,
        "expires_at_seconds": 4_102_444_800_i64, "token_type": "Bearer",
    });
    serde_json::from_value(token).expect("a token")
}

pub async fn put(store: &JsonFileStore, namespace: &str, new: StoredToken, server: &str) {
    let server = server.to_owned();
    let change = move |tokens: &mut Tokens| {
        tokens.insert(server.clone(), new.clone());
    };
    store
        .update(namespace, Box::new(change))
        .await
        .expect("kept");
}

pub fn servers(tokens: &Tokens) -> Vec<&str> {
    tokens.keys().map(String::as_str).collect()
}
