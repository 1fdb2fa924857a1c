//! What the browser shows at the end.

use std::borrow::Cow;

use globus_gare::reauth::printable;

const TEMPLATE: &str = include_str!("page.html");

/// A page without anything in it that comes from elsewhere.
pub(super) struct Page {
    mark: &'static str,
    class: &'static str,
    title: &'static str,
    text: Cow<'static, str>,
}

pub(super) const LOGGED_IN: Page = Page {
    mark: "✓",
    class: "done",
    title: "You are logged in",
    text: Cow::Borrowed("You may close this page and go back to your program."),
};

pub(super) const DECLINED: Page = Page {
    mark: "–",
    class: "declined",
    title: "You declined the login",
    text: Cow::Borrowed("Your program has been told. You may close this page."),
};

pub(super) const NOT_OURS: Page = Page {
    mark: "?",
    class: "failed",
    title: "This page belongs to no login",
    text: Cow::Borrowed(
        "Nothing happened. Go back to your program, and open the page that it names.",
    ),
};

pub(super) const NOT_FOUND: Page = Page {
    mark: "?",
    class: "failed",
    title: "There is nothing here",
    text: Cow::Borrowed("This is where a program waits for the end of a login."),
};

/// The page for what Globus Auth gave as its reason.
pub(super) fn failed(reason: &str) -> String {
    let reason = escaped(&printable(reason));
    Page {
        mark: "!",
        class: "failed",
        title: "The login failed",
        text: Cow::Owned(format!(
            "Globus Auth says: {reason}. Your program has been told."
        )),
    }
    .html()
}

impl Page {
    pub(super) fn html(&self) -> String {
        // The text last: what came from elsewhere is not searched for places to fill.
        TEMPLATE
            .replace("{{mark}}", self.mark)
            .replace("{{class}}", self.class)
            .replace("{{title}}", self.title)
            .replace("{{text}}", &self.text)
    }
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}
