//! Saved inputs of the fuzzer as the token file.

use std::fs;

use globus_login::{Login, LoginStore, Version};
use serde_json::Value;

use checks::inputs::kept;
use checks::tokens::{DEFAULT, load, put, servers, token, token_file, user};

/// The content of the file without the tokens of the namespace and the name of its writer.
fn others(text: &[u8]) -> Option<Value> {
    let mut root: Value = serde_json::from_slice(text).ok()?;
    for ours in ["globus-sdk.version", "globus-gare"] {
        root.as_object_mut()?.remove(ours);
    }
    let data = root.get_mut("data")?.as_object_mut()?;
    data.remove(DEFAULT);
    Some(root)
}

/// Checks that the file is left alone, or that it is read and a change of one token keeps the rest.
/// Returns whether it was read.
async fn survives(shown: String, before: Vec<u8>) -> bool {
    let (_home, store) = token_file();
    fs::write(store.path(), &before).expect("a file");
    let own = user(DEFAULT);
    let Ok(loaded) = store.load(&own).await else {
        let changed = store.commit(&own, &Version::NONE, &Login::default()).await;
        changed.expect_err("it cannot be read");
        assert_eq!(fs::read(store.path()).expect("a file"), before, "{shown}");
        return false;
    };
    let tokens = loaded.login.tokens;
    put(&store, &own, token("new", "new")).await;
    let after = fs::read(store.path()).expect("a file");
    let more = load(&store, &own).await;
    let mut expected = servers(&tokens);
    expected.extend((!tokens.contains_key("new")).then_some("new"));
    expected.sort_unstable();
    assert_eq!(servers(&more), expected, "{shown}");
    for (server, token) in tokens.iter().filter(|(server, _)| *server != "new") {
        let text = |token| serde_json::to_string(token).expect("JSON");
        assert_eq!(text(token), text(&more[server]), "{shown}");
    }
    if let Some(before) = others(&before) {
        assert_eq!(Some(before), others(&after), "{shown}");
    }
    true
}

#[checks::test(seconds = 600)]
async fn token_file_of_any_bytes_loses_nothing() {
    // All at once, because the store waits for a file that may be half written.
    let mut all = tokio::task::JoinSet::new();
    for (name, input) in kept("token_file") {
        all.spawn(survives(name, input));
    }
    let all = all.join_all().await;
    let read = all.iter().filter(|was_read| **was_read).count();
    // The inputs have files of both kinds.
    assert!((1..all.len()).contains(&read), "{read} of {}", all.len());
}
