use reqwest::Url;
use reqwest::redirect::Policy;

/// A redirect policy that stops at Globus Auth's login page, and is `policy` elsewhere.
///
/// Where it stops, the client returns the redirect itself. A client that follows it gets the login
/// page, a document for people with the status 200. The page is recognised by its path,
/// `/v2/oauth2/authorize`, so that it is found in every environment and in a local Globus.
///
/// [`HttpService::new`](super::HttpService::new) uses it. Set it on the client of a
/// [`GareMiddleware`](super::GareMiddleware) too:
///
/// ```
/// use globus_gare::reqwest::stop_at_login;
/// use reqwest::redirect::Policy;
///
/// # fn main() -> Result<(), reqwest::Error> {
/// let client = reqwest::Client::builder().redirect(stop_at_login(Policy::limited(3))).build()?;
/// # Ok(())
/// # }
/// ```
pub fn stop_at_login(policy: Policy) -> Policy {
    Policy::custom(move |attempt| match is_login_page(attempt.url()) {
        true => attempt.stop(),
        false => policy.redirect(attempt),
    })
}

fn is_login_page(url: &Url) -> bool {
    let path = url.path().trim_end_matches('/');
    path.ends_with("/v2/oauth2/authorize")
}
