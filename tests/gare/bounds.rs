//! A document that exceeds a limit is no requirement, and is reported.

use globus_gare::gare::{AuthorizationParameters, Detection, Gare, coalesce, detect};
use serde_json::{Value, json};

const VALUES: &str = "more than 64 values in a list";
const VALUE: &str = "a value of more than 512 bytes";
const SCOPE: &str = "a scope of more than 4 KiB";
const REQUIREMENT: &str = "a requirement of more than 16 KiB";
const REQUIREMENTS: &str = "more than 64 requirements";

/// The location of the document that exceeds a limit, and the limit.
fn over_limit(body: &Value) -> Option<(String, &'static str)> {
    let body = body.to_string();
    let Detection {
        found, over_limit, ..
    } = Detection::of(body.as_bytes());
    assert_eq!(found, detect(body.as_bytes()));
    assert_eq!(found.is_empty(), over_limit.is_some(), "{body}");
    over_limit.map(|over| (over.location.to_string(), over.limit))
}

fn asking(params: Value) -> Value {
    json!({ "authorization_parameters": params })
}

#[checks::test]
fn lists_hold_64_values() {
    for list in [
        "session_required_identities",
        "session_required_policies",
        "session_required_single_domain",
        "required_scopes",
    ] {
        assert_eq!(over_limit(&asking(json!({ list: vec!["v"; 64] }))), None);
        for values in [json!(vec!["v"; 65]), json!(vec!["v"; 65].join(","))] {
            let expected = Some(("root".to_owned(), VALUES));
            assert_eq!(
                over_limit(&asking(json!({ list: values }))),
                expected,
                "{list}"
            );
        }
    }
    let legacy = |count| json!({"code": "ConsentRequired", "required_scopes": vec!["s"; count]});
    assert_eq!(over_limit(&legacy(64)), None);
    assert_eq!(over_limit(&legacy(65)), Some(("root".to_owned(), VALUES)));
    let detail = |count| json!({"detail": {"DATA_TYPE": "not_from_allowed_domain#1.0.0", "allowed_domains": vec!["d"; count]}});
    assert_eq!(over_limit(&detail(64)), None);
    assert_eq!(over_limit(&detail(65)), Some(("root".to_owned(), VALUES)));
}

#[checks::test]
fn values_are_512_bytes_and_scopes_4_kib() {
    for (field, longest, limit, is_list) in [
        ("session_required_identities", 512, VALUE, true),
        ("session_required_policies", 512, VALUE, true),
        ("session_required_single_domain", 512, VALUE, true),
        ("required_scopes", 4096, SCOPE, true),
        ("prompt", 512, VALUE, false),
    ] {
        for (length, expected) in [(longest, None), (longest + 1, Some(limit))] {
            let value = "v".repeat(length);
            let value = if is_list {
                json!([value])
            } else {
                json!(value)
            };
            let body = json!({"code": "X", "authorization_parameters": { field: value }});
            let found = over_limit(&body).map(|(_, limit)| limit);
            assert_eq!(found, expected, "{field} {length}");
        }
    }
}

#[checks::test]
fn requirements_are_16_kib() {
    let message = |length| asking(json!({"session_message": "m".repeat(length)}));
    assert_eq!(over_limit(&message(16_384)), None);
    let expected = Some(("root".to_owned(), REQUIREMENT));
    assert_eq!(over_limit(&message(16_385)), expected);
    // Lists, scopes and unknown fields count together.
    let scopes = |count| asking(json!({"required_scopes": vec!["s".repeat(1024); count]}));
    assert_eq!(over_limit(&scopes(16)), None);
    assert_eq!(over_limit(&scopes(17)), expected);
    let unknown = |length: usize| asking(json!({"x": "x".repeat(length - 3)}));
    assert_eq!(over_limit(&unknown(16_384)), None);
    assert_eq!(over_limit(&unknown(16_385)), expected);
    let both = json!({"session_message": "m".repeat(8192), "session_required_policies": vec!["p".repeat(256); 33]});
    assert_eq!(over_limit(&asking(both)), expected);
    // Fields beside the parameters do not count.
    let mut beside = message(1);
    beside["data"] = "d".repeat(100_000).into();
    assert_eq!(over_limit(&beside), None);
}

#[checks::test]
fn bodies_hold_64_requirements() {
    let body = |count: usize| {
        let errors =
            (0..count).map(|n| asking(json!({"session_required_policies": [n.to_string()]})));
        json!({ "errors": errors.collect::<Vec<_>>() }).to_string()
    };
    let told = |count| {
        let detection = Detection::of(body(count).as_bytes());
        let over = detection.over_limit;
        (
            detection.found.len(),
            over.map(|over| (over.location.to_string(), over.limit)),
        )
    };
    assert_eq!(told(64), (64, None));
    let expected = Some(("errors[64]".to_owned(), REQUIREMENTS));
    assert_eq!(told(65), (64, expected.clone()));
    assert_eq!(told(1000), (64, expected));
    // A duplicate does not count.
    let repeated = vec![asking(json!({})); 100];
    assert_eq!(over_limit(&json!({ "errors": repeated })), None);
}

#[checks::test]
fn too_large_requirement_hides_nothing_else() {
    let large = asking(json!({"session_required_policies": vec!["p"; 65]}));
    let mut root = large.clone();
    root["errors"] = json!([large, asking(json!({"session_required_mfa": true}))]);
    root["detail"] = asking(json!({"prompt": "login"}));
    let detection = Detection::of(root.to_string().as_bytes());
    let places: Vec<_> = detection
        .found
        .iter()
        .map(|found| found.location.to_string())
        .collect();
    assert_eq!(places, ["errors[1]", "detail"]);
    let over = detection.over_limit.expect("a limit");
    assert_eq!(
        (over.location.to_string().as_str(), over.limit),
        ("errors[0]", VALUES)
    );
}

#[checks::test]
fn texts_have_the_same_limits() {
    let document = asking(json!({"session_required_policies": vec!["p"; 65]}));
    let text = format!("530-GridFTP-JSON-Result: {document}");
    let expected = Some(("message (GridFTP reply)".to_owned(), VALUES));
    assert_eq!(over_limit(&json!({ "message": text })), expected);
}

#[checks::test]
fn merged_requirements_stay_within_the_limits() {
    let asks = AuthorizationParameters::default;
    let scope = |n: usize| Gare::new("X", asks().with_required_scopes([n.to_string()]));
    let policy = |n: usize| {
        let params = asks().with_session_required_policies([n.to_string()]);
        Gare::new("X", params)
    };
    for merged in [
        coalesce((0..1000).map(scope)),
        coalesce((0..1000).map(policy)),
    ] {
        let sizes: Vec<_> = merged
            .iter()
            .map(|gare| {
                let params = &gare.authorization_parameters;
                params.required_scopes.len() + params.session_required_policies.len()
            })
            .collect();
        assert_eq!(sizes.iter().sum::<usize>(), 1000);
        assert!(
            sizes.iter().all(|size| *size <= 64) && sizes.len() == 16,
            "{sizes:?}"
        );
        assert_eq!(coalesce(merged.clone()), merged);
    }
    let long = |n: usize| {
        let policy = format!("{n:0512}");
        let params = AuthorizationParameters::default().with_session_required_policies([policy]);
        Gare::new("X", params)
    };
    let merged = coalesce((0..100).map(long));
    assert_eq!(merged.len(), 4);
    // A requirement made by hand may be too large. It stays, and takes in requirements that add
    // nothing.
    let params =
        AuthorizationParameters::default().with_required_scopes((0..100).map(|n| n.to_string()));
    let large = Gare::new("X", params);
    assert_eq!(coalesce([large.clone(), scope(7)]), [large]);
}

#[checks::test]
fn entries_fill_a_requirement_up_to_its_limit() {
    let list = |letter: &str, count| json!(vec![letter.repeat(500); count]);
    let body = |count| {
        json!({
            "code": "AuthorizationRequired",
            "authorization_parameters": {"session_required_policies": list("p", 12)},
            "details": [{"authorization_parameters": {"session_required_single_domain": list("d", count)}}],
        })
    };
    let Detection {
        found, over_limit, ..
    } = Detection::of(body(12).to_string().as_bytes());
    assert_eq!((found.len(), over_limit.is_none()), (1, true));
    // Beyond the limit the two stay separate.
    let Detection {
        found, over_limit, ..
    } = Detection::of(body(24).to_string().as_bytes());
    assert_eq!(over_limit, None);
    let [root, entry] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(root.location.to_string(), "root");
    let params = &root.gare.authorization_parameters;
    assert_eq!(params.session_required_policies.len(), 12);
    assert!(params.session_required_single_domain.is_empty());
    assert_eq!(entry.location.to_string(), "details[0]");
}

/// Strangers choose names that services quote, and owners of collections write GridFTP texts.
#[checks::test]
fn requirement_of_the_service_counts_before_those_of_others() {
    let reply = |n| {
        format!(
            "530-GridFTP-JSON-Result: {}\n",
            asking(json!({"session_required_policies": [format!("{n}")]}))
        )
    };
    let own = asking(json!({"session_required_mfa": true}));
    let replies: String = (0..64).map(reply).collect();
    let replies = format!("{replies}530-GridFTP-JSON-Result: {own}\n");
    let quotation =
        format!("no file 'Command Failed: Error (login)\n---\nDetails: 530-\n{replies}'");
    let text = format!("Error (login)\n{replies}");
    for body in [
        json!({"exception": quotation, "detail": own}),
        json!({"errors": [{"message": text}], "meta": own}),
    ] {
        let Detection {
            found, over_limit, ..
        } = Detection::of(body.to_string().as_bytes());
        assert_eq!(found.len(), 64);
        let location = found[0].location.to_string();
        assert!(
            ["detail", "meta"].contains(&location.as_str()),
            "{location}"
        );
        assert_eq!(over_limit.map(|over| over.limit), Some(REQUIREMENTS));
    }
}

#[checks::test]
fn requirements_within_the_limit_keep_their_order() {
    let policy = |n| asking(json!({"session_required_policies": [format!("{n}")]}));
    let replies = (0..63).map(|n| format!("530-GridFTP-JSON-Result: {}\n", policy(n)));
    let text = format!("Error (login)\n{}", String::from_iter(replies));
    let body = json!({"errors": [{"message": text}], "meta": policy(63)}).to_string();
    let Detection { found, .. } = Detection::of(body.as_bytes());
    let policies = found.iter().map(|found| {
        let policies = &found
            .gare
            .authorization_parameters
            .session_required_policies;
        policies.join(" ")
    });
    assert!(policies.eq((0..64).map(|n| n.to_string())));
}
