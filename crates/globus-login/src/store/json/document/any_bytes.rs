//! The invariants of a token file with any bytes.

use serde_json::Value;

use super::{Document, FORMAT, Raw, is_same, member};
use crate::{Login, StoredToken, Tokens};

/// The bytes are not a token file, which is then not written; or they are read, and writing them
/// loses nothing.
pub fn token_file(bytes: &[u8]) {
    let Ok(document) = Document::parse(bytes) else {
        return;
    };
    let text = written(&document);
    let again = Document::parse(text.as_bytes()).expect("what is written can be read");
    assert_eq!(written(&again), text, "a second write changes the text");
    only_what_is_ours_is_new(bytes, &document, &text);

    let mut names: Vec<&str> = document.namespaces.keys().map(String::as_str).collect();
    if !names.contains(&"DEFAULT") {
        names.push("DEFAULT");
    }
    for namespace in names {
        let Ok(login) = document.login(namespace) else {
            assert!(again.login(namespace).is_err(), "the record is lost");
            continue;
        };
        assert_eq!(read(&again, namespace), login);
        login.tokens.values().for_each(can_be_used);
        nothing_changes_by_itself(&document, namespace, &login);
        a_change_leaves_the_rest(&document, namespace, &login);
    }
    a_merge_brings_all(&document);
}

fn read(document: &Document, namespace: &str) -> Login {
    let login = document.login(namespace);
    login.expect("what is written can be read")
}

fn written(document: &Document) -> String {
    document.text().expect("what was read can be written")
}

/// The text has the same JSON as the bytes, apart from our own members.
fn only_what_is_ours_is_new(bytes: &[u8], document: &Document, text: &str) {
    let is_current = member::<String>(&document.root, "format_version").as_deref() == Some(FORMAT);
    // `Value` holds less than the document: no number beyond an f64, no lone surrogate, no deep
    // nesting.
    let (true, Ok(before)) = (is_current, serde_json::from_slice::<Value>(bytes)) else {
        return;
    };
    let mut after: Value = serde_json::from_str(text).expect("JSON");
    if before.get("globus-sdk.version").is_none() {
        let added = after
            .as_object_mut()
            .and_then(|after| after.remove("globus-sdk.version"));
        assert!(added.is_some(), "the version is missing: {text}");
    }
    if before.get(super::OURS).is_none() {
        assert_eq!(after, before);
    }
}

/// Any token can be read and written; one of visible ASCII makes a credential.
fn can_be_used(token: &StoredToken) {
    let (secret, now) = (token.secrets().next(), std::time::SystemTime::now());
    let secret = secret.expect("an access token");
    let secret = secret.expose();
    let can_be_sent = !secret.is_empty() && secret.chars().all(|c| matches!(c, '!'..='~'));
    assert!(!can_be_sent || token.credential(now).is_ok());
    token.is_fresh(now, std::time::Duration::from_secs(60));
    let written = serde_json::to_string(token).expect("JSON");
    let again: StoredToken = serde_json::from_str(&written).expect("what is written can be read");
    assert!(*token == again, "{written}");
}

fn nothing_changes_by_itself(document: &Document, namespace: &str, login: &Login) {
    let mut same = document.clone();
    same.set(namespace, login).expect("written");
    if login.record.is_none() {
        assert_eq!(read(&same, namespace), *login);
        assert_eq!(same.namespaces.len(), document.namespaces.len());
    }
}

/// Adding a token, replacing all, or removing all leaves everything else as it was and where it
/// was.
fn a_change_leaves_the_rest(document: &Document, namespace: &str, login: &Login) {
    let new: StoredToken = serde_json::from_str(
        r#"{"resource_server": "new", "scope": "new", "access_token": "new", "expires_at_seconds": 1}"#,
    )
    .expect("a token");
    let tokens = &login.tokens;
    let mut more = tokens.clone();
    more.insert("new".to_owned(), new.clone());
    let mut others = tokens.clone();
    others.values_mut().for_each(|token| *token = new.clone());
    for wanted in [more, others, Tokens::new()] {
        let mut changed = document.clone();
        let wanted = Login {
            tokens: wanted,
            record: login.record.clone(),
        };
        changed.set(namespace, &wanted).expect("written");
        let text = written(&changed);
        let again = Document::parse(text.as_bytes()).expect("what is written can be read");
        assert_eq!(read(&again, namespace), wanted);
        let touched =
            |server: &str| tokens.contains_key(server) || wanted.tokens.contains_key(server);
        let is_other = |name: &str, server: &str| name != namespace || !touched(server);
        assert_eq!(entries(&again, is_other), entries(document, is_other));
        assert_eq!(others_of(&again), others_of(document));
    }
}

/// A merge adds what another program added, and removes what it removed.
fn a_merge_brings_all(document: &Document) {
    let empty = Document::default();
    let mut merged = empty.clone();
    merged.merge(&empty, document);
    assert_eq!(
        entries(&merged, |_, _| true),
        entries(document, |_, _| true)
    );
    let all = document.namespaces.values().flatten();
    // Only JSON that serde_json can compare is removed.
    if all
        .into_iter()
        .all(|(_, raw): (_, &Raw)| is_same(Some(raw), Some(raw)))
    {
        merged.merge(document, &empty);
        assert_eq!(entries(&merged, |_, _| true), Vec::new());
    }
}

/// The members that a write does not replace.
fn others_of(document: &Document) -> Vec<(&str, &str)> {
    let ours = ["data", "format_version", "globus-sdk.version", super::OURS];
    let members = document.root.iter();
    members
        .filter(|(name, _)| !ours.contains(&name.as_str()))
        .map(|(name, raw)| (name.as_str(), raw.get()))
        .collect()
}

/// The entries of all namespaces, as text and in order.
fn entries(document: &Document, wanted: impl Fn(&str, &str) -> bool) -> Vec<(&str, &str, &str)> {
    let mut entries = Vec::new();
    for (namespace, servers) in &document.namespaces {
        let of_it = servers
            .iter()
            .filter(|(server, _)| wanted(namespace, server));
        entries.extend(of_it.map(|(server, raw)| (namespace.as_str(), server.as_str(), raw.get())));
    }
    entries
}
