//! Invalid options, and `--version`.

use crate::support::ended;

#[checks::test]
fn contradictory_options_are_rejected_with_a_reason() {
    for (arguments, reason) in [
        (&["--auto", "--decline"][..], "cannot be used with"),
        (&["--delay-ms", "5"], "--auto"),
        (
            &["--high-assurance", "--data-access"],
            "cannot be used with",
        ),
        (&["--session-minutes", "0"], "0 is not in 1.."),
        (
            &["--errors", "older", "--mfa"],
            "an older server cannot ask for a second factor",
        ),
        (&["--print-config"], "--root"),
    ] {
        let rejected = ended(arguments);
        let said = String::from_utf8(rejected.stderr).expect("text");
        assert!(said.contains(reason), "{arguments:?}: {said}");
        assert_eq!(rejected.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(rejected.stdout.is_empty(), "{arguments:?}");
    }
}

#[checks::test]
fn repeated_option_replaces_the_earlier_one() {
    let options =
        "--print-config --auto --root . --port 1 --port 2 --auto --domain a.gov --domain b.gov";
    let options: Vec<&str> = options.split(' ').collect();
    let printed = String::from_utf8(ended(&options).stdout).expect("text");
    for line in ["port = 2", "    \"a.gov\",", "    \"b.gov\","] {
        assert!(
            printed.lines().any(|printed| printed == line),
            "{line}: {printed}"
        );
    }
}

#[checks::test]
fn version_is_printed() {
    let printed = ended(&["--version"]).stdout;
    let expected = format!("fake-globus {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(printed).expect("text"), expected);
}
