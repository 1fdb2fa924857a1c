//! Reading and writing `authorization_parameters`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    AuthorizationParameters, Extra,
    object::Object,
    params::{is_param, is_param_save_scopes},
    repair::with_json,
    value::{Kind, Value},
};

/// How much a reading of `authorization_parameters` puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// A proper GARE's: lists are JSON lists.
    Strict,
    /// `LegacyAuthorizationParameters` of the Python SDK: policies and domains may be comma-separated, `prompt` can only
    /// be `login`, and `required_scopes` is an unknown field, which we read nonetheless where it is a list.
    Legacy,
    /// Like `Legacy`, and every list may be comma-separated. Accepts what neither of the others does.
    Lenient {
        /// Whether `prompt` may be anything, as in a proper GARE.
        any_prompt: bool,
    },
}

impl AuthorizationParameters {
    /// Reads an `authorization_parameters` object into these, which are empty (and large: they stay in their place); `None`
    /// where a field that we know is of a wrong type.
    pub(super) fn read(&mut self, object: &Object<'_>, reading: Reading) -> Option<()> {
        let mut unknown = false;
        let mut odd_scopes = false;
        for (name, value) in object.members() {
            let is_null = value.kind() == Kind::Null;
            match &*name {
                name if is_null => unknown |= !is_param(name),
                "session_message" => self.session_message = Some(value.string()?),
                "session_required_identities" => {
                    self.session_required_identities = reading.identities(value)?;
                }
                "session_required_policies" => {
                    self.session_required_policies = reading.policies(value)?;
                }
                "session_required_single_domain" => {
                    self.session_required_single_domain = reading.policies(value)?;
                }
                "session_required_mfa" => self.session_required_mfa = value.boolean()?,
                "required_scopes" if reading == Reading::Strict => {
                    self.required_scopes = value.list()?;
                }
                "required_scopes" => match value.list_or_csv() {
                    Some(scopes) => self.required_scopes = scopes,
                    None => odd_scopes = true,
                },
                "prompt" => {
                    let prompt = value.string()?;
                    if prompt != "login" && !reading.takes_any_prompt() {
                        return None;
                    }
                    self.prompt = Some(prompt);
                }
                _ => unknown = true,
            }
        }
        if odd_scopes {
            self.extra = Extra::within(object, is_param_save_scopes);
        } else if unknown {
            self.extra = Extra::within(object, is_param);
        }
        Some(())
    }
}

impl Reading {
    fn policies(self, value: Value<'_>) -> Option<Vec<String>> {
        match self {
            Self::Strict => value.list(),
            Self::Legacy | Self::Lenient { .. } => value.list_or_csv(),
        }
    }

    fn identities(self, value: Value<'_>) -> Option<Vec<String>> {
        match self {
            Self::Strict | Self::Legacy => value.list(),
            Self::Lenient { .. } => value.list_or_csv(),
        }
    }

    fn takes_any_prompt(self) -> bool {
        matches!(self, Self::Strict | Self::Lenient { any_prompt: true })
    }
}

/// The field `name`: `Some(None)` where it is absent, `None` where `read` will not have it.
pub(super) fn optional<'t, T>(
    object: &Object<'t>,
    name: &str,
    read: impl FnOnce(Value<'t>) -> Option<T>,
) -> Option<Option<T>> {
    match object.get_some(name) {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}

impl Serialize for AuthorizationParameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(message) = &self.session_message {
            map.serialize_entry("session_message", message)?;
        }
        for (name, items) in [
            (
                "session_required_identities",
                &self.session_required_identities,
            ),
            ("session_required_policies", &self.session_required_policies),
            (
                "session_required_single_domain",
                &self.session_required_single_domain,
            ),
        ] {
            if !items.is_empty() {
                map.serialize_entry(name, items)?;
            }
        }
        if self.session_required_mfa {
            map.serialize_entry("session_required_mfa", &true)?;
        }
        if !self.required_scopes.is_empty() {
            map.serialize_entry("required_scopes", &self.required_scopes)?;
        }
        if let Some(prompt) = &self.prompt {
            map.serialize_entry("prompt", prompt)?;
        }
        // A `required_scopes` that is no list is the one field that we know and yet keep.
        let odd_scopes = |name: &str| name == "required_scopes" && self.required_scopes.is_empty();
        self.extra
            .serialize_into(&mut map, |name| is_param(name) && !odd_scopes(name))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for AuthorizationParameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        with_json(raw.get(), |value| {
            let mut params = Self::default();
            params.read(&Object::of(value)?, Reading::Lenient { any_prompt: true })?;
            Some(params)
        })
        .flatten()
        .ok_or_else(|| {
            D::Error::custom("no authorization parameters: no object, or a field of a wrong type")
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[checks::test]
    fn round_trip() {
        let text = concat!(
            r#"{"session_message":"m","session_required_identities":["i"],"session_required_policies":["p","q"],"#,
            r#""session_required_single_domain":["d"],"session_required_mfa":true,"required_scopes":["s"],"#,
            r#""prompt":"consent","optional":{"deep":[1.50]}}"#
        );
        let params: AuthorizationParameters = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&params).unwrap(), text);
    }

    #[checks::test]
    fn empty_fields_are_left_out() {
        let text = r#"{"session_message":null,"session_required_mfa":false,"required_scopes":[],"prompt":null}"#;
        let params: AuthorizationParameters = serde_json::from_str(text).unwrap();
        assert_eq!(params, AuthorizationParameters::default());
        assert_eq!(serde_json::to_string(&params).unwrap(), "{}");
    }

    #[checks::test]
    fn null_is_as_good_as_absent_where_the_field_is_known() {
        for (text, extra) in [
            (r#"{"prompt":null,"required_scopes":null}"#, "{}"),
            (r#"{"new":null}"#, r#"{"new":null}"#),
            (r#"{"new":1,"prompt":null}"#, r#"{"new":1}"#),
            (r#"{"new":1,"newer":null}"#, r#"{"new":1,"newer":null}"#),
        ] {
            let params: AuthorizationParameters = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&params.extra).unwrap(), extra);
            assert_eq!(params.extra.is_empty(), extra == "{}", "{text}");
            assert_eq!(serde_json::to_string(&params).unwrap(), extra);
        }
    }

    #[checks::test]
    fn a_field_is_written_once() {
        let extra = r#"{"prompt":"x","required_scopes":["x"],"session_required_mfa":true}"#;
        let params = AuthorizationParameters {
            extra: serde_json::from_str(extra).unwrap(),
            ..AuthorizationParameters::default().with_required_scopes(["s"])
        };
        assert_eq!(
            serde_json::to_string(&params).unwrap(),
            r#"{"required_scopes":["s"]}"#
        );
        let params = AuthorizationParameters {
            extra: serde_json::from_str(r#"{"prompt":"x"}"#).unwrap(),
            ..AuthorizationParameters::default()
        };
        assert_eq!(serde_json::to_string(&params).unwrap(), "{}");
    }

    #[checks::test]
    fn wrong_types_are_refused() {
        for text in [
            r#"{"session_message": 1}"#,
            r#"{"session_required_identities": {"a": 1}}"#,
            r#"{"session_required_policies": [1]}"#,
            r#"{"session_required_single_domain": true}"#,
            r#"{"session_required_mfa": "true"}"#,
            r#"{"prompt": []}"#,
            "[]",
            "1",
        ] {
            serde_json::from_str::<AuthorizationParameters>(text).expect_err(text);
        }
    }

    #[checks::test]
    fn odd_scopes_survive() {
        let params: AuthorizationParameters =
            serde_json::from_str(r#"{"required_scopes": {"a": 1}}"#).unwrap();
        assert!(params.required_scopes.is_empty());
        assert_eq!(
            serde_json::to_string(&params).unwrap(),
            r#"{"required_scopes":{"a": 1}}"#
        );
    }
}
