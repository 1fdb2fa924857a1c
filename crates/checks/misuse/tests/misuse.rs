//! The compiler's errors for likely mistakes. The texts are those of the compiler that `.ci/run`
//! uses. After a change of compiler, `TRYBUILD=overwrite cargo test -p checks-misuse` writes them
//! again: read them before you commit them.

#[test]
fn misuse_gives_readable_compile_errors() {
    trybuild::TestCases::new().compile_fail("tests/cases/*.rs");
}

#[test]
fn errors_about_a_stream_name_the_missing_trait() {
    // For `oneshot` of a client with a fixed body type the compiler does not name the missing
    // bound. The page of `GareService` explains this case first.
    for (error, words) in [
        (
            include_str!("cases/body_of_another_crate.stderr"),
            "which makes any body replayable, such as axum's or tonic's",
        ),
        (
            include_str!("cases/stream_as_a_body.stderr"),
            "is not a `ReplayableBody`",
        ),
        (
            include_str!("cases/stream_where_a_service_is_required.stderr"),
            "is not a `ReplayableBody`",
        ),
        (
            include_str!("cases/stream_to_a_boxed_client.stderr"),
            ">: ReplayableBody`",
        ),
    ] {
        assert!(error.contains(words), "{error}");
    }
}
