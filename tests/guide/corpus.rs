// Hidden in the examples of `what_is_a_gare.md`: the bodies that they show are those of the corpus, to the byte.

pub fn assert_real(body: &[u8]) {
    let corpus = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/corpus/errors.jsonl"
    ));
    let text = std::str::from_utf8(body).expect("UTF-8");
    let quoted = serde_json::to_string(text).expect("JSON");
    assert!(corpus.contains(&quoted), "no body of the corpus: {text}");
}
