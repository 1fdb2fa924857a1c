//! Generated error documents for comparing detectors: valid, with wrong types, comma-separated,
//! legacy, mixed.

use proptest::{collection::vec, option::weighted, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// A body, and whether it has nested documents whose content may be merged.
pub fn body() -> impl Strategy<Value = (String, bool)> {
    let nested = prop_oneof![4 => Just(None), 1 => nested().prop_map(Some)];
    (with_errors(), nested, any::<u8>()).prop_map(|(mut root, nested, spelling)| {
        let has_nested = nested.is_some();
        root.extend(nested.into_iter().flatten());
        (spell(&Value::Object(root), spelling), has_nested)
    })
}

/// `root` as JSON text, sometimes in an unusual spelling, or one that only Python accepts.
fn spell(root: &Value, spelling: u8) -> String {
    let text = root.to_string();
    let first = |added: &str| {
        format!("{{{added},{}", text.strip_prefix('{').unwrap_or("}")).replace(",}", "}")
    };
    match spelling {
        0..=7 => first(r#""not_a_number":NaN"#),
        8..=15 => first(r#""lone":"\ud800 \udc00\ud83d\ude00""#),
        16..=23 => text.replace(r#"":""#, r#"":"\ud8ab"#),
        24..=31 => first(r#""authorization_parameters":{"session_message":"shadowed"}"#),
        32..=39 => text.replace("authorization_parameters", r"\u0061uthorization_parameters"),
        40..=47 => first(
            r#""deep":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"#,
        ),
        48..=55 => serde_json::to_string_pretty(root).expect("JSON"),
        56..=63 => first(r#""big":123456789012345678901234567890.5,"code":"shadowed""#),
        _ => text,
    }
}

/// Members that contain nested documents.
fn nested() -> BoxedStrategy<Map<String, Value>> {
    const TYPES: [&str; 3] = [
        "not_from_allowed_domain#1.0.0",
        "authentication_timeout#1.1.0",
        "missing_required_scopes#1.0.0",
    ];
    let detail = (select(&TYPES[..]), strings(), any::<bool>()).prop_map(|(data_type, items, mfa)| {
        json!({"DATA_TYPE": data_type, "allowed_domains": items, "identities": items, "required_scopes": items,
               "require_mfa": mfa})
    });
    let reply = document().prop_map(|document| {
        let text = format!(
            "530-GridFTP-JSON-Result: {}\\r\\n530 End.\\r\\n",
            Value::Object(document)
        );
        Value::from(text)
    });
    let names = select(&[
        "detail",
        "details",
        "error",
        "meta",
        "inactive_reason",
        "reason",
        "message",
    ]);
    let value = prop_oneof![document().prop_map(Value::Object), detail, reply];
    (names, value)
        .prop_map(|(name, value)| Map::from_iter([(name.to_owned(), value)]))
        .boxed()
}

fn with_errors() -> BoxedStrategy<Map<String, Value>> {
    let entry = prop_oneof![
        4 => document().prop_map(Value::Object),
        1 => (odd(), strings()).prop_map(|(odd, scopes)| {
            json!({"unapproved_scopes": if scopes.len() == 1 { odd } else { json!(scopes) }})
        }),
    ];
    let errors = prop_oneof![
        6 => vec(entry.clone(), 0..4).prop_map(Value::Array),
        1 => odd(),
        1 => (vec(entry, 1..3), odd()).prop_map(|(mut entries, odd)| { entries.push(odd); Value::Array(entries) }),
    ];
    let kind = prop_oneof![Just(json!("dependent_consent_required")), odd()];
    (document(), weighted(0.2, errors), weighted(0.15, kind))
        .prop_map(|(mut root, errors, kind)| {
            root.extend(errors.map(|errors| ("errors".to_owned(), errors)));
            root.extend(kind.map(|kind| ("error".to_owned(), kind)));
            root
        })
        .boxed()
}

/// An error document, in most cases a requirement.
fn document() -> BoxedStrategy<Map<String, Value>> {
    let code = prop_oneof![
        4 => Just(json!("ConsentRequired")),
        4 => string().prop_map(Value::from),
        3 => select(vec![json!(null), json!(""), json!(0), json!(false), json!([]), json!({}), json!(0.0)]),
        1 => odd(),
    ];
    let params = prop_oneof![8 => parameters(), 1 => odd()];
    let scopes = prop_oneof![5 => strings().prop_map(Value::from), 1 => string().prop_map(Value::from), 1 => odd()];
    let scope = prop_oneof![4 => string().prop_map(Value::from), 1 => odd()];
    let text = || prop_oneof![5 => string().prop_map(Value::from), 1 => odd()];
    let fields = (
        weighted(0.8, code),
        weighted(0.7, params),
        weighted(0.3, scopes),
        weighted(0.3, scope),
        weighted(0.3, text()),
        weighted(0.3, text()),
        weighted(0.3, odd()),
    );
    fields
        .prop_map(
            |(code, params, scopes, scope, message, description, unknown)| {
                object([
                    ("code", code),
                    ("authorization_parameters", params),
                    ("required_scopes", scopes),
                    ("required_scope", scope),
                    ("message", message),
                    ("description", description),
                    ("request_id", unknown),
                ])
            },
        )
        .boxed()
}

fn parameters() -> BoxedStrategy<Value> {
    let list = || prop_oneof![6 => strings().prop_map(Value::from), 2 => string().prop_map(Value::from), 1 => odd()];
    let rarely_odd = |usual: BoxedStrategy<Value>| prop_oneof![12 => usual, 1 => odd()];
    let prompt = prop_oneof![4 => Just(json!("login")), 1 => string().prop_map(Value::from)];
    let fields = (
        weighted(0.4, rarely_odd(string().prop_map(Value::from).boxed())),
        weighted(0.3, rarely_odd(strings().prop_map(Value::from).boxed())),
        weighted(0.3, list()),
        weighted(0.3, list()),
        weighted(0.3, rarely_odd(any::<bool>().prop_map(Value::from).boxed())),
        weighted(0.3, list()),
        weighted(0.3, rarely_odd(prompt.boxed())),
        weighted(0.2, odd()),
    );
    fields
        .prop_map(
            |(message, identities, policies, domains, mfa, scopes, prompt, unknown)| {
                Value::Object(object([
                    ("session_message", message),
                    ("session_required_identities", identities),
                    ("session_required_policies", policies),
                    ("session_required_single_domain", domains),
                    ("session_required_mfa", mfa),
                    ("required_scopes", scopes),
                    ("prompt", prompt),
                    ("extra", unknown),
                ]))
            },
        )
        .boxed()
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn strings() -> BoxedStrategy<Vec<String>> {
    vec(string(), 0..4).boxed()
}

fn string() -> BoxedStrategy<String> {
    const KNOWN: [&str; 12] = [
        "a",
        "b",
        "a,b",
        " a, b ,",
        "",
        ",",
        " ",
        "login",
        "consent",
        "ConsentRequired",
        "é\u{1f600}",
        "\"\\\n",
    ];
    prop_oneof![3 => select(&KNOWN[..]).prop_map(str::to_owned), 1 => "\\PC{0,8}"].boxed()
}

/// A value of any type.
fn odd() -> BoxedStrategy<Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(1.5),
        json!(""),
        json!("x,y"),
        json!([]),
        json!({}),
        json!(["a"]),
        json!(["a", 1]),
        json!([null]),
        json!({"foo": ["bar"]}),
    ])
    .boxed()
}
