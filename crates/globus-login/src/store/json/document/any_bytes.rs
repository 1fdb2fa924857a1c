//! What must hold of any bytes that stand in the file.

use serde_json::Value;

use super::{Document, FORMAT, member};
use crate::{StoredToken, Tokens};

/// They are no tokens, and then nobody writes; or they are read, and written nothing of them is lost.
pub fn token_file(bytes: &[u8]) {
    let Ok(document) = Document::parse(bytes) else {
        return;
    };
    let text = written(&document);
    let again = Document::parse(text.as_bytes()).expect("what is written can be read");
    assert_eq!(written(&again), text, "written once more it is another");
    only_what_is_ours_is_new(bytes, &document, &text);

    let mut names: Vec<&str> = document.namespaces.iter().map(|(name, _)| name).collect();
    if !names.contains(&"DEFAULT") {
        names.push("DEFAULT");
    }
    for namespace in names {
        let tokens = document.tokens(namespace);
        assert_same(&again.tokens(namespace), &tokens);
        tokens.values().for_each(can_be_used);
        nothing_changes_by_itself(&document, namespace, &tokens);
        a_change_leaves_the_rest(&document, namespace, &tokens);
    }
}

fn written(document: &Document) -> String {
    document.text().expect("what was read can be written")
}

/// serde_json, by itself, reads the same from both.
fn only_what_is_ours_is_new(bytes: &[u8], document: &Document, text: &str) {
    let is_current = member::<String>(&document.root, "format_version").as_deref() == Some(FORMAT);
    // It reads less than we keep: no number beyond an f64, no half of a surrogate pair, no deep nesting.
    let (true, Ok(before)) = (is_current, serde_json::from_slice::<Value>(bytes)) else {
        return;
    };
    let mut after: Value = serde_json::from_str(text).expect("JSON");
    if before.get("globus-sdk.version").is_none() {
        let added = after
            .as_object_mut()
            .and_then(|after| after.remove("globus-sdk.version"));
        assert!(added.is_some(), "nobody has written it: {text}");
    }
    assert_eq!(after, before);
}

/// A token may be anything; whoever sends it finds out whether it can be sent.
fn can_be_used(token: &StoredToken) {
    let secret = token.access().secret();
    let can_be_sent = !secret.is_empty() && secret.chars().all(|c| matches!(c, '!'..='~'));
    let credential = token.credential();
    assert!(!can_be_sent || credential.is_ok());
    token.is_fresh(std::time::Duration::from_secs(60));
    let written = serde_json::to_string(token).expect("JSON");
    let again: StoredToken = serde_json::from_str(&written).expect("what is written can be read");
    assert!(token.is_kept_as(&again), "{written}");
}

fn nothing_changes_by_itself(document: &Document, namespace: &str, tokens: &Tokens) {
    let mut same = document.clone();
    let changed = same.set(namespace, tokens, tokens).expect("written");
    assert!(!changed, "nothing is different");
    assert_eq!(written(&same), written(document));
}

/// One token more, another in place of each, none at all: whatever else there is stays, where it is and as it is.
fn a_change_leaves_the_rest(document: &Document, namespace: &str, tokens: &Tokens) {
    let new: StoredToken = serde_json::from_str(
        r#"{"resource_server": "new", "scope": "new", "access_token": "new", "expires_at_seconds": 1}"#,
    )
    .expect("a token");
    let mut more = tokens.clone();
    more.insert("new".to_owned(), new.clone());
    let mut others = tokens.clone();
    others.values_mut().for_each(|token| *token = new.clone());
    for wanted in [more, others, Tokens::new()] {
        let mut changed = document.clone();
        let is_new = changed.set(namespace, tokens, &wanted).expect("written");
        if !is_new {
            assert_same(tokens, &wanted);
            continue;
        }
        let text = written(&changed);
        let read = Document::parse(text.as_bytes()).expect("what is written can be read");
        assert_same(&read.tokens(namespace), &wanted);
        let touched = |server: &str| tokens.contains_key(server) || wanted.contains_key(server);
        assert_eq!(
            entries(&read, |name, server| name != namespace || !touched(server)),
            entries(document, |name, server| name != namespace
                || !touched(server)),
        );
        let others = |document: &Document| -> Vec<(String, String)> {
            let ours = ["data", "format_version", "globus-sdk.version"];
            let members = document.root.iter();
            members
                .filter(|(name, _)| !ours.contains(name))
                .map(|(name, raw)| (name.to_owned(), raw.get().to_owned()))
                .collect()
        };
        assert_eq!(others(&read), others(document));
    }
}

/// The entries of all namespaces, as they are written, in their order.
fn entries(document: &Document, wanted: impl Fn(&str, &str) -> bool) -> Vec<(&str, &str, &str)> {
    let mut entries = Vec::new();
    for (namespace, servers) in document.namespaces.iter() {
        let of_it = servers
            .iter()
            .filter(|(server, _)| wanted(namespace, server));
        entries.extend(of_it.map(|(server, raw)| (namespace, server, raw.get())));
    }
    entries
}

fn assert_same(one: &Tokens, other: &Tokens) {
    assert!(one.keys().eq(other.keys()), "{one:?} and {other:?}");
    let mut pairs = one.values().zip(other.values());
    assert!(
        pairs.all(|(one, other)| one.is_kept_as(other)),
        "{one:?} and {other:?}"
    );
}
