//! Scope strings with dependent scopes, such as `transfer:all[*collection/data_access]`.

use serde::{Deserialize, Serialize};

use super::service::SERVICES;

/// The deepest tree of scopes that is parsed. It bounds the recursion.
const MAX_DEPTH: usize = 16;

/// A scope with its dependent scopes, which its resource server gets in turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scope {
    pub(super) name: String,
    /// Marked with `*`: the user may revoke the consent to it alone.
    pub(super) atomically_revocable: bool,
    pub(super) dependencies: Vec<Scope>,
}

/// Parses a space-separated list of scopes. The error is a message.
pub(super) fn parse(text: &str) -> Result<Vec<Scope>, String> {
    let mut rest = text;
    let scopes = list(&mut rest, 0)?;
    if rest.is_empty() {
        Ok(scopes)
    } else {
        Err(format!("unbalanced brackets in scope string: {text}"))
    }
}

fn list(rest: &mut &str, depth: usize) -> Result<Vec<Scope>, String> {
    if depth > MAX_DEPTH {
        return Err(format!("scopes nested deeper than {MAX_DEPTH}"));
    }
    let mut scopes = Vec::new();
    loop {
        *rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with(']') {
            return Ok(scopes);
        }
        scopes.push(scope(rest, depth)?);
    }
}

fn scope(rest: &mut &str, depth: usize) -> Result<Scope, String> {
    let atomically_revocable = rest.starts_with('*');
    *rest = rest.strip_prefix('*').unwrap_or(rest);
    let end = rest
        .find(|c: char| c.is_whitespace() || "[]*".contains(c))
        .unwrap_or(rest.len());
    let (name, tail) = rest.split_at(end);
    if name.is_empty() {
        return Err("a scope without a name".to_owned());
    }
    *rest = tail;
    let mut dependencies = Vec::new();
    if let Some(inner) = rest.strip_prefix('[') {
        *rest = inner;
        dependencies = list(rest, depth + 1)?;
        *rest = rest.strip_prefix(']').ok_or("a bracket is never closed")?;
    }
    Ok(Scope {
        name: name.to_owned(),
        atomically_revocable,
        dependencies,
    })
}

/// The resource server of a scope. `None` if no service has such a scope.
pub(super) fn resource_server(name: &str) -> Option<&str> {
    if matches!(name, "openid" | "profile" | "email" | "offline_access") {
        return Some("auth.globus.org");
    }
    let mut services = SERVICES.iter().copied().flatten();
    let known = services
        .find(|service| name.len() > service.scopes.len() && name.starts_with(service.scopes));
    if let Some(service) = known {
        return Some(service.resource_server);
    }
    if let Some(rest) = name.strip_prefix("urn:globus:auth:scope:") {
        return rest
            .split_once(':')
            .filter(|(server, scope)| !server.is_empty() && !scope.is_empty())
            .map(|(s, _)| s);
    }
    let (server, scope) = name
        .strip_prefix("https://auth.globus.org/scopes/")?
        .split_once('/')?;
    (!server.is_empty() && !scope.is_empty()).then_some(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn dependent_scopes_are_parsed_as_a_tree() {
        let parsed = parse("openid a[b *c[d]] e").expect("scopes");
        let names: Vec<_> = parsed.iter().map(|scope| scope.name.as_str()).collect();
        assert_eq!(names, ["openid", "a", "e"]);
        let below: Vec<_> = parsed[1]
            .dependencies
            .iter()
            .map(|s| (s.name.as_str(), s.atomically_revocable))
            .collect();
        assert_eq!(below, [("b", false), ("c", true)]);
        assert_eq!(parsed[1].dependencies[1].dependencies[0].name, "d");
    }

    #[checks::test]
    fn malformed_scope_lists_are_rejected() {
        for text in ["a[b", "a]", "a[[b]]", "*", "[a]", &"a[".repeat(1000)] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[checks::test]
    fn scope_names_its_resource_server() {
        for (scope, server) in [
            ("openid", Some("auth.globus.org")),
            (
                "urn:globus:auth:scope:transfer.api.globus.org:all",
                Some("transfer.api.globus.org"),
            ),
            (
                "https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/all",
                Some("flows.globus.org"),
            ),
            (
                "https://auth.globus.org/scopes/abc/data_access",
                Some("abc"),
            ),
            ("nonsense", None),
            ("urn:globus:auth:scope:", None),
            ("https://auth.globus.org/scopes//x", None),
        ] {
            assert_eq!(resource_server(scope), server, "{scope}");
        }
    }
}
