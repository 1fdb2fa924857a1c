//! The pages of the loopback port.

use http::StatusCode;

use crate::Account;
use crate::page::{Page, reason};
use globus_gare::reauth::ReauthError;

impl Page {
    /// The page for the end of a login.
    pub(crate) fn ended(end: &Result<Option<Account>, ReauthError>) -> Self {
        let (mark, class, title, text) = match end {
            Ok(account) => (
                "✓",
                "done",
                "You are logged in",
                format!(
                    "{}You may close this page and go back to your program.",
                    account.as_ref().map(who).unwrap_or_default()
                ),
            ),
            Err(error) if error.is_declined() => (
                "–",
                "declined",
                "The login was declined",
                format!(
                    "{}You may close this page and go back to your program.",
                    reason(error)
                ),
            ),
            Err(error) => (
                "!",
                "failed",
                "The login failed",
                format!(
                    "{}Go back to your program, and log in again from there.",
                    reason(error)
                ),
            ),
        };
        Self::new(StatusCode::OK, (mark, class), title, text)
    }

    pub(crate) fn of_no_login() -> Self {
        Self::unknown(
            StatusCode::BAD_REQUEST,
            "This page belongs to no login",
            "Nothing was changed. Go back to your program, and open the address that it shows.",
        )
    }

    /// The body of the redirect to the login page. Browsers do not show it.
    pub(crate) fn on_its_way() -> Self {
        Self::unknown(
            StatusCode::FOUND,
            "Log in",
            "Your browser continues to Globus Auth.",
        )
    }

    /// The page for a redirect in a browser that did not begin the login.
    pub(crate) fn of_another_browser() -> Self {
        Self::unknown(
            StatusCode::FORBIDDEN,
            "Another browser began this login",
            "Nothing was changed. A login has to end in the browser in which it began, and that browser has to keep a \
             cookie until then. Go back to that browser, or log in again from your program.",
        )
    }

    /// The page for the second browser that opens the entrance.
    pub(crate) fn opened_twice() -> Self {
        Self::unknown(
            StatusCode::GONE,
            "This login was opened in another browser",
            "The address of a login works in one browser only. Log in again from your program. If you opened the \
             address only once, another user of this machine has opened it as well.",
        )
    }

    pub(crate) fn not_found(status: StatusCode) -> Self {
        Self::unknown(
            status,
            "There is nothing here",
            "A program on this machine waits here for the end of a login. Go back to the page on which you log in.",
        )
    }

    fn unknown(status: StatusCode, title: &'static str, text: &str) -> Self {
        Self::new(status, ("?", "failed"), title, text)
    }
}

fn who(account: &Account) -> String {
    format!("As {}. ", account.called())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::AuthError;
    use crate::page::tests::text;

    #[checks::test]
    fn each_page_says_what_happened_and_what_to_do() {
        let denied = |code| AuthError::new(code, Some("<b>so</b>\nsorry\u{202e}")).explained("no");
        let account = r#"{"sub": "1", "preferred_username": "ada@uchicago.edu"}"#;
        let account = serde_json::from_str(account).expect("an account");
        let ends = [
            Ok(Some(account)),
            Ok(None),
            Err(ReauthError::declined()),
            Err(denied("access_denied")),
            Err(denied("invalid_grant")),
            Err(ReauthError::new("the file is full")),
        ];
        let mut pages: Vec<_> = ends.iter().map(Page::ended).collect();
        pages.push(Page::of_no_login());
        pages.push(Page::of_another_browser());
        pages.push(Page::opened_twice());
        pages.push(Page::not_found(StatusCode::NOT_FOUND));
        let shown: Vec<_> = pages.iter().map(text).collect();
        insta::assert_snapshot!(shown.join("\n\n"), @r"
        ✓
        You are logged in
        As ada@uchicago.edu. You may close this page and go back to your program.

        ✓
        You are logged in
        You may close this page and go back to your program.

        –
        The login was declined
        You may close this page and go back to your program.

        –
        The login was declined
        Globus Auth says: access_denied: &lt;b&gt;so&lt;/b&gt; sorry. You may close this page and go back to your program.

        !
        The login failed
        Globus Auth says: invalid_grant: &lt;b&gt;so&lt;/b&gt; sorry. Go back to your program, and log in again from there.

        !
        The login failed
        The reason: the file is full. Go back to your program, and log in again from there.

        ?
        This page belongs to no login
        Nothing was changed. Go back to your program, and open the address that it shows.

        ?
        Another browser began this login
        Nothing was changed. A login has to end in the browser in which it began, and that browser has to keep a cookie until then. Go back to that browser, or log in again from your program.

        ?
        This login was opened in another browser
        The address of a login works in one browser only. Log in again from your program. If you opened the address only once, another user of this machine has opened it as well.

        ?
        There is nothing here
        A program on this machine waits here for the end of a login. Go back to the page on which you log in.
        ");
    }
}
