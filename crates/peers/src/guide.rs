//! The examples of the testing guide in Python and JavaScript.

const TESTING: &str = include_str!("../../fake-globus/src/guide/testing.md");

/// The code block in this language.
///
/// # Panics
///
/// If the guide has no such block, or more than one.
pub fn example(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let mut blocks = TESTING.split(&fence).skip(1);
    let block = blocks.next().and_then(|rest| rest.split_once("```"));
    assert!(blocks.next().is_none(), "several examples in {language}");
    block.map(|(code, _)| code).expect("an example")
}
