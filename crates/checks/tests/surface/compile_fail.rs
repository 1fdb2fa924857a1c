//! The mistakes that users will make, and whether the compiler tells them so
//! that they can mend them. The texts are those of the compiler that `.ci/run`
//! uses; after a change of it, `TRYBUILD=overwrite cargo test --test compile_fail`
//! writes them anew, to be read before they are kept.

#[checks::test(seconds = 600)]
fn misuse_gives_readable_compile_errors() {
    trybuild::TestCases::new().compile_fail("tests/surface/cases/*.rs");
}

#[checks::test]
fn errors_about_a_stream_name_the_missing_trait() {
    // With `oneshot` of a client whose body type is fixed the compiler stops short of the missing bound: the page of
    // `GareService` begins with that case.
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
