//! The parameters of a query or a form.

use super::error::{self, AuthError};

/// Decoded names and values, in order.
#[derive(Clone, Debug)]
pub(super) struct Params(pub(super) Vec<(String, String)>);

impl Params {
    /// The value of `name`, if there is one. A repeated parameter is an error, as OAuth requires.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, String> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            Err(format!("the parameter {name} is given more than once"))
        } else {
            Ok(first)
        }
    }

    /// The value of `name`. A missing or empty parameter is an error.
    pub(super) fn required(&self, name: &str) -> Result<&str, String> {
        self.one(name)?
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("the parameter {name} is missing"))
    }

    /// The first value of `name`, or an empty string.
    pub(super) fn first(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// As [`list`](Self::list), with an error of the API.
    pub(super) fn api_list(&self, name: &str) -> Result<Vec<String>, AuthError> {
        self.list(name)
            .map_err(|problem| error::bad_request(&problem))
    }

    /// The comma-separated values of `name`, or an empty list if the parameter is absent. An empty
    /// value is an error, as in Globus Auth.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, String> {
        let Some(value) = self.one(name)? else {
            return Ok(Vec::new());
        };
        let items: Vec<String> = value
            .split(',')
            .map(|item| item.trim().to_owned())
            .collect();
        if items.iter().any(String::is_empty) {
            Err(format!("{name} has an empty value"))
        } else {
            Ok(items)
        }
    }
}
