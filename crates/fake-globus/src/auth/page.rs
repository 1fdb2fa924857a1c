//! The pages for people. The template escapes every value.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::identity::User;
use crate::scope::Scope;

use super::authorize::LoginRequest;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2733;--dim:#5b6b7a;--line:#d8e0e7;--paper:#fff;--ground:#eef3f7;--go:#155f9c}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9fb0bf;--line:#33414d;--paper:#18212a;--ground:#0e151b;\
--go:#2672b0}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:34rem;margin:8vh auto;padding:2rem;background:var(--paper);border:1px solid var(--line);\
border-radius:12px}
h1{font-size:1.35rem;margin:0 0 .25rem}h2{font-size:1rem;margin:1.5rem 0 .5rem}p{margin:.5rem 0}
.dim{color:var(--dim);font-size:.9rem}ul{list-style:none;margin:0;padding:0}code{overflow-wrap:anywhere}
ul ul{padding-left:1.2rem}.note{border-left:4px solid var(--go);padding:.5rem .9rem;background:var(--ground)}
.problem{border-left:4px solid #c0392b;padding:.5rem .9rem;background:var(--ground)}
label{display:block;border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem;margin:.4rem 0;cursor:pointer}
label:has(:checked){border-color:var(--go)}input{accent-color:var(--go);margin-right:.6rem}
.row{display:flex;gap:.75rem;margin-top:1.5rem}button{font:inherit;padding:.6rem 1.4rem;border-radius:8px;\
border:1px solid var(--line);background:none;color:inherit;cursor:pointer}
button.go{background:var(--go);border-color:var(--go);color:#fff}
.code{font:1.05rem ui-monospace,monospace;width:100%;padding:.7rem;border:1px solid var(--line);border-radius:8px;\
background:var(--ground);color:inherit}";

/// The login page: it asks for an identity and for consent to the scopes.
pub(super) fn login(
    request: &LoginRequest,
    users: &[User],
    ticket: &str,
    problem: Option<&str>,
) -> Response {
    let people = || users.iter().filter(|user| !user.is_client);
    let permitted: Vec<_> = people()
        .flat_map(|user| {
            user.identities()
                .filter(|identity| request.requirement.permits(user, identity))
        })
        .collect();
    let demands = request.requirement.lines();
    let body = html! {
        h1 { "Log in to continue to " (request.client.name) }
        p.dim { "This is a test server: choose an identity. There are no passwords." }
        @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
        @if let Some(message) = &request.message { p.note { (message) } }
        @if !demands.is_empty() {
            h2 { "Required for this login" }
            ul { @for line in &demands { li { "• " (line) } } }
        }
        form method="post" action="/v2/web/decision" {
            input type="hidden" name="ticket" value=(ticket);
            h2 { "Log in as" }
            @if permitted.is_empty() { p.problem { "No identity satisfies the requirement." } }
            @for (index, identity) in permitted.iter().enumerate() {
                label {
                    input type="radio" name="identity" value=(identity.id()) checked[index == 0] required;
                    strong { (identity.username()) } " " span.dim { (identity.people_name()) }
                }
            }
            @if request.requirement.needs_mfa() {
                h2 { "Second factor" }
                label {
                    input type="checkbox" name="mfa" value="yes" required;
                    "I confirm this login on my second device"
                }
            }
            h2 { (request.client.name) " would like to" }
            (scopes(&request.scopes))
            @if request.offline { p.dim { "It can do this while you are away, with a refresh token." } }
            div.row {
                @if !permitted.is_empty() { button.go type="submit" name="decision" value="approve" { "Approve" } }
                button type="submit" name="decision" value="deny" formnovalidate { "Deny" }
            }
        }
    };
    respond(StatusCode::OK, "Log in", &body)
}

fn scopes(list: &[Scope]) -> Markup {
    html! {
        ul {
            @for scope in list {
                li {
                    "• use " code { (scope.name) }
                    @if !scope.dependencies.is_empty() { ", which uses" (scopes(&scope.dependencies)) }
                }
            }
        }
    }
}

/// The page that shows a code to copy.
pub(super) fn code(code: &str) -> Response {
    let body = html! {
        h1 { "You are logged in" }
        p { "Copy this code into the program that you log in to. It works once, within ten minutes." }
        input.code id="auth-code" readonly autofocus value=(code) aria-label="Authorization code";
    };
    respond(StatusCode::OK, "Authorization code", &body)
}

/// A page with an error of a login.
pub(super) fn error(status: StatusCode, problem: &str) -> Response {
    let body = html! {
        h1 { "This login cannot go on" }
        p.problem role="alert" { (problem) }
    };
    respond(status, "Login error", &body)
}

fn respond(status: StatusCode, title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // No `form-action`: some browsers also apply it to the redirect after the form.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    (status, headers, page.into_string()).into_response()
}
