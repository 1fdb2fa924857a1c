//! Where a browser goes after its login: a path of this site, and nothing else.

use serde::{Deserialize, Serialize};
use url::Url;

/// A path of this site, with its query.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct ReturnPath(String);

impl ReturnPath {
    /// The page of the site itself.
    pub(super) fn home() -> Self {
        Self("/".to_owned())
    }

    /// A path that a browser takes for one of the site that it is on: `//host` and `/\host` are
    /// other sites, and a control character is left out by browsers.
    pub(super) fn new(text: &str) -> Option<Self> {
        let is_path = text.starts_with('/') && !text.starts_with("//");
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#';
        (is_path && text.bytes().all(is_plain)).then(|| Self(text.to_owned()))
    }

    /// The path of a URL, such as a `Referer`, if it is one of this site.
    pub(super) fn of_url(text: &str, site: &Url) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_ours = url.origin() == site.origin();
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        Self::new(path).filter(|_| is_ours)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of the path on this site.
    pub(super) fn on(&self, site: &Url) -> Url {
        let url = site.join(&self.0);
        let url = url.ok().filter(|url| url.origin() == site.origin());
        url.unwrap_or_else(|| site.clone())
    }
}
