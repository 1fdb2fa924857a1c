//! The file's text and its place, as the Python SDK has them.

use std::fs;

use globus_login::JsonFileStore;

use checks::tokens::{put, token, token_file};

#[checks::test]
async fn text_is_escaped_as_python_escapes_it() {
    // print(json.dumps(...)) of each.
    for (text, python) in [
        ("plain", r#""plain""#),
        ("é", r#""\u00e9""#),
        ("é😀\n\u{7f}", r#""\u00e9\ud83d\ude00\n\u007f""#),
        ("\"\\/", r#""\"\\/""#),
        ("\u{1}\t\r\u{8}\u{c}", r#""\u0001\t\r\b\f""#),
        ("\u{2028}\u{fffd}", r#""\u2028\ufffd""#),
    ] {
        let (_home, store) = token_file();
        put(&store, text, token("s", text)).await;
        let written = fs::read_to_string(store.path()).expect("a file");
        let begin = format!(
            r#"{{"data": {{{python}: {{"s": {{"resource_server": "s", "identity_id": "ada", "scope": "all", "access_token": {python}, "expires"#
        );
        assert!(written.starts_with(&begin), "{written}");
    }
}

#[checks::test]
fn app_name_becomes_the_directory_of_the_sdk() {
    for (name, directory) in [
        ("Unnamed Globus App", Some("unnamed-globus-app")),
        ("a. b?/C\u{7}", Some("a--b++c")),
        ("a<b>c:d\"e\\f|g*h", Some("a+b+c+d+e+f+g+h")),
        ("..", Some("--")),
        ("ÄÖ\u{200b}", Some("äö")),
        ("con", None),
        ("COM1", None),
        ("lpt9", None),
        ("com10", Some("com10")),
        ("\u{7}", None),
        ("", None),
    ] {
        match (JsonFileStore::for_app("client", name), directory) {
            (Ok(store), Some(directory)) => {
                let parent = store.path().parent().expect("a directory");
                let end = format!("app/client/{directory}");
                assert!(parent.ends_with(&end), "{name:?}: {}", parent.display());
            }
            (Err(error), None) => {
                let told = error.to_string();
                assert!(told.contains(&format!("{name:?}")), "{told}");
            }
            (found, _) => panic!("{name:?}: {found:?}"),
        }
    }
}
