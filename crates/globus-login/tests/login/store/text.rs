//! The text and the path of the token file, compatible with the Python SDK.

use globus_login::JsonStore;

use checks::tokens::{load, put, token, token_file, user};

/// Any text survives a write and a read.
#[checks::test]
async fn any_text_survives_in_names_and_tokens() {
    for text in [
        "plain",
        "é😀\n\u{7f}",
        "\"\\/",
        "\u{1}\t\r\u{8}\u{c}",
        "\u{2028}\u{fffd}",
    ] {
        let (_home, store) = token_file();
        put(&store, &user(text), token(text, text)).await;
        let tokens = load(&JsonStore::new(store.path()), &user(text)).await;
        assert_eq!(tokens[text], token(text, text));
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
        match (JsonStore::for_app("client", name), directory) {
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
