//! Holding what we find against what the official Python SDK finds, which is what `gare_oracle.py` says of it.
//!
//! The deliberate differences are all in `expected` and `is_over_limit`.

use std::collections::BTreeMap;

use globus_gare::gare::{AuthorizationParameters, Detection, Extra, Gare};
use serde_json::{Map, Value, json};

/// The fields of a GARE, all of them or none empty, whoever read it.
#[derive(Clone, Debug, PartialEq)]
struct Content {
    code: String,
    fields: Map<String, Value>,
    params_extra: BTreeMap<String, Value>,
    extra: BTreeMap<String, Value>,
}

const FIELDS: [&str; 7] = [
    "session_message",
    "session_required_identities",
    "session_required_policies",
    "session_required_single_domain",
    "session_required_mfa",
    "required_scopes",
    "prompt",
];

/// How many requirements of a body are reported.
const REQUIREMENTS: usize = 64;

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false)) || value.as_array().is_some_and(Vec::is_empty)
}

fn ours(gare: &Gare) -> Content {
    let AuthorizationParameters {
        session_message,
        session_required_mfa,
        required_scopes,
        prompt,
        ..
    } = &gare.authorization_parameters;
    let params = &gare.authorization_parameters;
    let fields = json!({
        "session_message": session_message,
        "session_required_identities": params.session_required_identities,
        "session_required_policies": params.session_required_policies,
        "session_required_single_domain": params.session_required_single_domain,
        "session_required_mfa": session_required_mfa,
        "required_scopes": required_scopes,
        "prompt": prompt,
    });
    let map = |extra: &Extra| {
        extra
            .names()
            .map(|name| (name.to_owned(), extra.get(name).expect("JSON")))
            .collect()
    };
    Content {
        code: gare.code.clone(),
        fields: non_empty(&fields),
        params_extra: map(&params.extra),
        extra: map(&gare.extra),
    }
}

fn non_empty(fields: &Value) -> Map<String, Value> {
    let fields = fields.as_object().expect("an object").iter();
    fields
        .filter(|(_, value)| !is_empty(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What we should make of what the SDK found; `None` where we differ in accepting it at all.
fn expected(theirs: &Value) -> Option<Content> {
    let mut fields = non_empty(&theirs["fields"]);
    // Of a consent to dependent scopes the SDK reads the first entry, we all.
    let is_dependent = theirs["consent"] == true && theirs["extra"] == json!({});
    if let (true, Some(all)) = (is_dependent, theirs["unapproved"].as_array()) {
        let scopes = fields.entry("required_scopes").or_insert_with(|| json!([]));
        let scopes = scopes.as_array_mut().expect("a list");
        for scope in all {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
    }
    // A scope that is empty is none.
    if let Some(Value::Array(scopes)) = fields.get_mut("required_scopes") {
        scopes.retain(|scope| scope != "");
    }
    fields.retain(|_, value| !is_empty(value));
    // A consent error that names no scope is no requirement.
    if theirs["consent"] == true && !fields.contains_key("required_scopes") {
        return None;
    }
    // A malformed `authorization_parameters` is what an action provider's consent error has for unknown parameters,
    // whatever it is. We keep the fields of it that are unknown, and nothing of what is not an object.
    let mut params_extra: BTreeMap<String, Value> = match &theirs["params_extra"] {
        Value::Object(extra) => extra
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        _ => BTreeMap::new(),
    };
    if theirs["consent"] == true {
        params_extra.retain(|name, _| !FIELDS.contains(&name.as_str()));
    }
    // The legacy reading does not know `required_scopes`; we do, and leave there only what is no list.
    match params_extra.remove("required_scopes") {
        Some(Value::String(scopes)) => {
            let scopes = scopes.split(',').filter(|scope| !scope.is_empty());
            fields.insert("required_scopes".to_owned(), scopes.collect());
        }
        Some(Value::Array(mut scopes)) if scopes.iter().all(Value::is_string) => {
            scopes.retain(|scope| scope != "");
            fields.insert("required_scopes".to_owned(), Value::Array(scopes));
        }
        Some(Value::Null) | None => {}
        Some(odd) => {
            params_extra.insert("required_scopes".to_owned(), odd);
        }
    }
    fields.retain(|_, value| !is_empty(value));
    // Transfer's consent error keeps a malformed `authorization_parameters` among the unknown fields, where it would
    // hide the good ones once it is written out.
    let extra = theirs["extra"].as_object().expect("an object").iter();
    let extra = extra.filter(|(name, _)| *name != "authorization_parameters");
    Some(Content {
        code: theirs["code"].as_str().expect("a string").to_owned(),
        fields,
        params_extra,
        extra: extra
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    })
}

/// Whether it asks for more than a requirement may: the limits of `gare`, counted anew.
fn is_over_limit(content: &Content) -> bool {
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    let is_long = |(name, value): (&String, &Value)| match value {
        Value::Array(items) => {
            let longest = if name == "required_scopes" { 4096 } else { 512 };
            items.len() > 64 || items.iter().any(|item| length(item) > longest)
        }
        value => name == "prompt" && length(value) > 512,
    };
    let known = content.fields.values().flat_map(|value| match value {
        Value::Array(items) => &items[..],
        value => std::slice::from_ref(value),
    });
    // In the body an unknown field may be spelled longer.
    let unknown = content.params_extra.iter();
    let unknown = unknown.map(|(name, value)| name.len() + value.to_string().len());
    content.fields.iter().any(is_long) || known.map(length).chain(unknown).sum::<usize>() > 16_384
}

/// What a GARE asks for, leaving out what makes no difference to that.
fn requirement(content: &Content) -> (Map<String, Value>, &BTreeMap<String, Value>) {
    let mut fields = content.fields.clone();
    fields.remove("session_message");
    for value in fields.values_mut() {
        if let Value::Array(items) = value {
            items.sort_by_key(Value::to_string);
            items.dedup();
        }
    }
    (fields, &content.params_extra)
}

/// Whether `found` is what the SDK found, or that and what nested documents added to it.
fn matches(found: &Content, theirs: &Content, nested: bool) -> bool {
    if !nested {
        return found == theirs;
    }
    let kept = theirs
        .fields
        .iter()
        .all(|(name, value)| found.fields.get(name) == Some(value));
    let mut theirs = theirs.clone();
    // Scopes that a nested document names take the place of those that nobody can read.
    if found.fields.contains_key("required_scopes") {
        theirs.params_extra.remove("required_scopes");
    }
    theirs.fields.clone_from(&found.fields);
    kept && *found == theirs
}

/// Asserts that all of `theirs` are among what we found, in order; returns how many there are.
pub fn assert_accepted(body: &str, detection: &Detection, theirs: &[Value], nested: bool) -> usize {
    let found = detection.found.iter();
    let found: Vec<Content> = found.map(|found| ours(&found.gare)).collect();
    let mut accepted: Vec<Content> = Vec::new();
    let mut rest = found.iter();
    for theirs in theirs.iter().filter_map(expected) {
        if is_over_limit(&theirs) {
            assert!(detection.over_limit.is_some(), "{body}\nSDK: {theirs:#?}");
            continue;
        }
        // It comes too late, or it names nothing and a detail beside it names too much.
        let may_lack = found.len() == REQUIREMENTS
            || nested && theirs.fields.keys().all(|name| name == "session_message");
        if may_lack && detection.over_limit.is_some() {
            continue;
        }
        // The same requirement counts once.
        if accepted
            .iter()
            .any(|earlier| requirement(earlier) == requirement(&theirs))
        {
            continue;
        }
        let again = found.iter().any(|found| {
            let (ours, theirs) = (requirement(found), requirement(&theirs));
            ours == theirs
                || nested
                    && theirs
                        .0
                        .iter()
                        .all(|(name, value)| ours.0.get(name) == Some(value))
        });
        let here = rest
            .clone()
            .position(|found| matches(found, &theirs, nested));
        match here {
            Some(position) => {
                rest = found
                    .get(found.len() - rest.len() + position + 1..)
                    .unwrap_or_default()
                    .iter()
            }
            None => assert!(
                again && body.contains("\"errors\""),
                "{body}\nSDK: {theirs:#?}\nours: {found:#?}"
            ),
        }
        accepted.push(theirs);
    }
    accepted.len()
}

/// The query that the SDK sends, without what Globus Auth refuses.
pub fn assert_query(body: &str, params: &AuthorizationParameters, theirs: &Value) {
    let Some(pairs) = theirs["query"].as_array() else {
        return;
    };
    let pairs = pairs.iter().filter_map(|pair| {
        let (name, value) = (pair[0].as_str()?, pair[1].as_str()?);
        let value = match name {
            "session_message" if value.trim().is_empty() => String::new(),
            "session_message" => value.to_owned(),
            "session_required_mfa" if value == "False" => String::new(),
            "session_required_mfa" | "prompt" => value.trim().to_owned(),
            _ => value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .collect::<Vec<_>>()
                .join(","),
        };
        (!value.is_empty()).then(|| (name.to_owned(), value))
    });
    let ours = params
        .to_query()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    // The SDK has no order of its own: it goes through a set.
    assert_eq!(
        ours.collect::<BTreeMap<_, _>>(),
        pairs.collect::<BTreeMap<_, _>>(),
        "{body}"
    );
}
