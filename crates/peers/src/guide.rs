//! The examples of the guide in other languages.

const TESTING: &str = include_str!("../../fake-globus/src/guide/testing.md");

/// The one block of code in this language, as it stands there.
///
/// # Panics
///
/// Where there is none, or more than one.
pub fn example(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let mut blocks = TESTING.split(&fence).skip(1);
    let block = blocks.next().and_then(|rest| rest.split_once("```"));
    assert!(blocks.next().is_none(), "several examples in {language}");
    block.map(|(code, _)| code).expect("an example")
}
