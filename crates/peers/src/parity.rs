//! Compares our detection with that of the official Python SDK, which `gare_oracle.py` prints.
//!
//! All deliberate differences are in `expected` and `is_over_limit`.

use std::collections::BTreeMap;

use globus_gare::gare::{AuthorizationParameters, Detection, Extra, Gare};
use serde_json::{Map, Value, json};

/// The fields of a GARE that are not empty, as we or the SDK read them.
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

/// The most requirements of a body that are reported.
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

/// What we should find where the SDK finds `theirs`; `None` if we deliberately find nothing.
fn expected(theirs: &Value) -> Option<Content> {
    let mut fields = non_empty(&theirs["fields"]);
    // For dependent consents, the SDK reads the first entry; we read all.
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
    // We drop empty scopes.
    if let Some(Value::Array(scopes)) = fields.get_mut("required_scopes") {
        scopes.retain(|scope| scope != "");
    }
    fields.retain(|_, value| !is_empty(value));
    // A consent error without a scope is no requirement.
    if theirs["consent"] == true && !fields.contains_key("required_scopes") {
        return None;
    }
    // In the consent error of an action provider, the SDK takes a malformed
    // `authorization_parameters` of any type for unknown parameters. We keep the unknown fields of
    // an object, and drop any other type.
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
    // The SDK's legacy variant does not know `required_scopes`. We do, and leave among the unknown
    // fields only a value that is not a list.
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
    // For Transfer's consent error, the SDK keeps a malformed `authorization_parameters` among the
    // unknown fields. Serialized, it would replace the valid one.
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

/// Whether the content exceeds the limits of `gare`, which are repeated here.
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
    // This is a lower bound: the body may spell an unknown field with more bytes.
    let unknown = content.params_extra.iter();
    let unknown = unknown.map(|(name, value)| name.len() + value.to_string().len());
    content.fields.iter().any(is_long) || known.map(length).chain(unknown).sum::<usize>() > 16_384
}

/// What a GARE requires: without the message, and with lists as sets.
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

/// Whether `found` equals `theirs`, or for `nested`, also has what nested documents add.
fn matches(found: &Content, theirs: &Content, nested: bool) -> bool {
    if !nested {
        return found == theirs;
    }
    let kept = theirs
        .fields
        .iter()
        .all(|(name, value)| found.fields.get(name) == Some(value));
    let mut theirs = theirs.clone();
    // Scopes of a nested document replace scopes that cannot be read.
    if found.fields.contains_key("required_scopes") {
        theirs.params_extra.remove("required_scopes");
    }
    theirs.fields.clone_from(&found.fields);
    kept && *found == theirs
}

/// Asserts that we found all of `theirs`, in order; returns their number.
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
        // Beyond the limit on requirements, or empty beside a detail over a limit.
        let may_lack = found.len() == REQUIREMENTS
            || nested && theirs.fields.keys().all(|name| name == "session_message");
        if may_lack && detection.over_limit.is_some() {
            continue;
        }
        // We report a requirement once.
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

/// Asserts that our query is the SDK's, without the values that Globus Auth rejects. Returns
/// whether the SDK has a query.
pub fn assert_query(body: &str, params: &AuthorizationParameters, theirs: &Value) -> bool {
    let Some(pairs) = theirs["query"].as_array() else {
        return false;
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
    // The SDK iterates over a set: its order is arbitrary.
    assert_eq!(
        ours.collect::<BTreeMap<_, _>>(),
        pairs.collect::<BTreeMap<_, _>>(),
        "{body}"
    );
    true
}
