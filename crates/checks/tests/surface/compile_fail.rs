//! The mistakes that users will make, and whether the compiler tells them so
//! that they can mend them. The texts are those of the compiler that `.ci/run`
//! uses; after a change of it, `TRYBUILD=overwrite cargo test --test compile_fail`
//! writes them anew, to be read before they are kept.

#[checks::test(seconds = 600)]
fn misuse_gives_readable_compile_errors() {
    trybuild::TestCases::new().compile_fail("tests/surface/cases/*.rs");
}
