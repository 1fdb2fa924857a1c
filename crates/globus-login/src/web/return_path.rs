//! The return path: where a browser goes after its login. It is a path of this site, never a URL.

use serde::{Deserialize, Serialize};
use url::Url;

/// A path of this site, with its query.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct ReturnPath(String);

impl ReturnPath {
    /// The start page of the site.
    pub(super) fn home() -> Self {
        Self("/".to_owned())
    }

    /// Accepts a path that a browser resolves on the same site. `//host` and `/\host` are other
    /// sites, and browsers drop control characters before they parse a URL.
    pub(super) fn new(text: &str) -> Option<Self> {
        let is_path = text.starts_with('/') && !text.starts_with("//");
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#';
        (is_path && text.bytes().all(is_plain)).then(|| Self(text.to_owned()))
    }

    /// The path of a URL, such as a `Referer`, if the URL is on this site.
    pub(super) fn of_url(text: &str, site: &Url) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_ours = url.origin() == site.origin();
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        Self::new(path).filter(|_| is_ours)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The absolute URL of the path on this site.
    pub(super) fn on(&self, site: &Url) -> Url {
        let url = site.join(&self.0);
        let url = url.ok().filter(|url| url.origin() == site.origin());
        url.unwrap_or_else(|| site.clone())
    }
}
