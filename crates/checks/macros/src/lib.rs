//! The attribute of every test: [`macro@test`].

use std::iter::once;

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// Makes a test that fails, with its name, if it does not end in time.
///
/// An `async fn` gets a tokio runtime. All arguments are optional:
///
/// - `seconds = 600`: the time limit, 60 by default. Tests that compile, run programs or explore
///   schedules need more.
/// - `start_paused = true`: the runtime's clock is paused, as by `tokio::test`.
/// - `flavor = "multi_thread"`: a runtime with two worker threads instead of a current-thread
///   runtime.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    // Everything before `fn`, the signature up to its braces, and the braces.
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let Some(body) = tokens.pop() else {
        return error("a test is a function");
    };
    let Some(at) = tokens.iter().position(|token| is_word(token, "fn")) else {
        return error("a test is a function");
    };
    let TokenTree::Ident(name) = &tokens[at + 1] else {
        return error("a test has a name");
    };
    let name = name.to_string();
    let is_async = at > 0 && is_word(&tokens[at - 1], "async");
    let attributes = tokens[..at - usize::from(is_async)].to_vec();
    let signature = tokens[at..].to_vec();
    let keyword = is_async.then(|| TokenTree::from(Ident::new("async", Span::call_site())));
    let inner = keyword.into_iter().chain(signature.clone());
    let mut outer: TokenStream = inner.chain(once(body)).collect();

    let mut limits: TokenStream = "::checks::limit::Limits::default()"
        .parse()
        .expect("tokens");
    match setters(arguments) {
        Ok(setters) => limits.extend(setters),
        Err(error) => return error,
    }
    let call = match is_async {
        true => format!("::checks::limit::run_async(limits, {name:?}, {name})"),
        false => format!("::checks::limit::run(limits, {name:?}, {name})"),
    };
    outer.extend("let limits =".parse::<TokenStream>());
    outer.extend(limits);
    outer.extend(format!("; {call}").parse::<TokenStream>());

    let mut test: TokenStream = "#[::core::prelude::v1::test]".parse().expect("tokens");
    test.extend(attributes);
    test.extend(signature);
    test.extend(once(TokenTree::Group(Group::new(Delimiter::Brace, outer))));
    test
}

/// `name = value, ...` as `.name(value) ...`; an error for anything else.
fn setters(arguments: TokenStream) -> Result<TokenStream, TokenStream> {
    let text = arguments.to_string();
    let mut setters = String::new();
    for argument in text.split(',').map(str::trim) {
        match argument.split_once('=') {
            Some((name, value)) => setters.push_str(&format!(".{}({})", name.trim(), value.trim())),
            // After a last comma.
            None if argument.is_empty() => {}
            None => return Err(error(&format!("`{argument}` has no value"))),
        }
    }
    Ok(setters.parse().expect("tokens"))
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident.to_string() == word)
}

fn error(message: &str) -> TokenStream {
    format!("compile_error!({message:?});")
        .parse()
        .expect("tokens")
}
