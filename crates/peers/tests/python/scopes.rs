//! Compares our scope parser with `globus_sdk.scopes`.

use globus_login::{Scope, Scopes};
use proptest::prelude::*;
use serde_json::{Value, json};

use peers::oracle::ask;
use peers::python;

use crate::support::generate;

const GENERATED: usize = 4000;

/// Scope strings that are mostly valid, over few names, so that names repeat.
fn list() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "[a-e]",
        Just("urn:x:all".to_owned()),
        Just("https://y/z".to_owned())
    ];
    let leaf = ("\\*?", name).prop_map(|(star, name)| star + &name);
    let tree = leaf.prop_recursive(3, 12, 3, |inner| {
        let inside = prop::collection::vec(inner.clone(), 1..3);
        (inner, inside).prop_map(|(head, inside)| match head.ends_with(']') {
            true => head,
            false => format!("{head}[{}]", inside.join(" ")),
        })
    });
    prop::collection::vec(tree, 0..4).prop_map(|trees| trees.join(" "))
}

/// Text that is mostly no valid scope string.
fn noise() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!["a", "b", "é", " ", "*", "[", "]"]),
        0..9,
    )
    .prop_map(|pieces| pieces.concat())
}

fn tree(scope: &Scope) -> Value {
    let mut dependencies: Vec<Value> = scope.dependencies().iter().map(tree).collect();
    sort(&mut dependencies);
    json!([scope.name(), scope.is_optional(), dependencies])
}

/// Sorts by text: the SDK's sets have no order.
fn sort(trees: &mut [Value]) {
    trees.sort_by_key(ToString::to_string);
}

fn sorted(trees: &Value) -> Value {
    let Value::Array(items) = trees else {
        return trees.clone();
    };
    let mut items: Vec<Value> = items
        .iter()
        .map(|item| match item {
            Value::Array(parts) => json!([parts[0], parts[1], sorted(&parts[2])]),
            other => other.clone(),
        })
        .collect();
    sort(&mut items);
    Value::Array(items)
}

fn ours(texts: &[String]) -> Option<Scopes> {
    let mut scopes = Scopes::default();
    for text in texts {
        scopes = scopes.union(&text.parse().ok()?).ok()?;
    }
    Some(scopes)
}

pub(crate) fn meaning(scopes: Option<&Scopes>) -> Value {
    let Some(scopes) = scopes else {
        return Value::Null;
    };
    let mut trees: Vec<Value> = scopes.iter().map(tree).collect();
    sort(&mut trees);
    Value::Array(trees)
}

#[checks::test(seconds = 600)]
fn scopes_mean_the_same_to_the_sdk() {
    let script = python::script("scope_oracle.py");
    let texts = prop::collection::vec(prop_oneof![3 => list(), 1 => noise()], 1..3);
    let mut cases: Vec<Vec<String>> = generate(GENERATED, &texts);
    cases.extend(
        [
            "",
            "a [b]",
            "a[b]c",
            "a*b",
            "a[b[c]] b",
            "a *a[b]",
            "*a[*b] a[b]",
            "a[b",
            "a[a]",
        ]
        .map(|text| vec![text.to_owned()]),
    );

    // The SDK parses our serialized scopes, too: their meaning must be the same.
    let united: Vec<Option<Scopes>> = cases.iter().map(|texts| ours(texts)).collect();
    let written = united
        .iter()
        .map(|scopes| json!([scopes.as_ref().map(Scopes::to_string).unwrap_or_default()]));
    let questions: Vec<Value> = cases
        .iter()
        .map(|texts| json!(texts))
        .chain(written)
        .collect();
    let answers = ask(script, &questions);
    let mut read = 0;
    for (at, texts) in cases.iter().enumerate() {
        let mine = meaning(united[at].as_ref());
        assert_eq!(mine, sorted(&answers[at]), "{texts:?}");
        if let Some(scopes) = &united[at] {
            read += 1;
            assert_eq!(
                mine,
                sorted(&answers[cases.len() + at]),
                "{texts:?} written as {scopes}"
            );
        }
    }
    // Many cases are valid, and many are not.
    assert!(
        (500..cases.len() - 500).contains(&read),
        "{read} of {}",
        cases.len()
    );
}
