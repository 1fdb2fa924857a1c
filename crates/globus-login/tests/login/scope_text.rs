//! Scopes as text.

use globus_login::{Scope, Scopes};

#[checks::test]
fn scopes_are_united_with_their_dependencies() {
    for (text, united) in [
        ("a b  b c", "a b c"),
        ("  a\t\n b ", "a b"),
        ("", ""),
        ("t:all[*x *y] a t:all t:all[*x z]", "t:all[*x *y z] a"),
        ("a[b[c d] e] f", "a[b[c d] e] f"),
        ("a[*b] a[b]", "a[b]"),
        ("a[b] a[*b]", "a[b]"),
        ("a *a[b]", "a[b] *a[b]"),
        ("a[b[c]] b", "a[b[c]] b[c]"),
        ("a*b", "a *b"),
    ] {
        let scopes: Scopes = text.parse().expect(text);
        assert_eq!(scopes.to_string(), united, "{text:?}");
        assert_eq!(scopes.is_empty(), united.is_empty(), "{text:?}");
        // The same, scope by scope.
        let mut one_by_one = Scopes::default();
        for scope in &scopes {
            one_by_one = one_by_one.union(&scope.clone().into()).expect(text);
        }
        assert_eq!(one_by_one, scopes, "{text:?}");
    }
}

#[checks::test]
fn malformed_scope_text_is_rejected() {
    for text in [
        "a[b",
        "a]",
        "a[[b]]",
        "*",
        "[a]",
        "a[]",
        "a [b]",
        "a[b]c",
        "a[b][c]",
        "**a",
        "* a",
        "a[* b]",
        "a[a]",
        "a[b[a]]",
        "a[b] b[a]",
    ] {
        let error = text.parse::<Scopes>().expect_err(text).to_string();
        assert!(error.starts_with("invalid scopes: "), "{error}");
        text.parse::<Scope>().expect_err(text);
    }
    for text in ["", "a b"] {
        text.parse::<Scope>().expect_err(text);
    }
    // Only the union has a cycle.
    let (one, other): (Scopes, Scopes) =
        ("a[b]".parse().expect("one"), "b[a]".parse().expect("one"));
    one.union(&other).expect_err("a scope depends on itself");
}

/// At most 4,096 scopes written out, in brackets at most 64 deep.
#[checks::test]
fn scope_text_has_a_depth_and_a_count_limit() {
    let deep = "a[".repeat(100_000).parse::<Scopes>();
    let error = deep.expect_err("no brackets close").to_string();
    assert!(error.contains("too deeply"), "{error}");

    let too_many = |text: &str| {
        let error = text.parse::<Scopes>().expect_err("too many scopes");
        assert!(error.to_string().contains("too many"), "{error}");
    };
    let names = |count: usize| (0..count).map(|number| format!("s{number} "));
    let most: Scopes = names(4096).collect::<String>().parse().expect("scopes");
    assert_eq!(most.iter().count(), 4096);
    too_many(&names(4097).collect::<String>());

    // Each level names the next one twice, so that the count doubles. 20 levels are a million
    // scopes; 40 levels are too deep as well.
    let level = |level| format!("l{level}[x{level}[l{0}] y{level}[l{0}]] ", level + 1);
    for levels in [20, 40] {
        too_many(&(0..levels).map(level).collect::<String>());
    }
}
