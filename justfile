# All checks: `just`. One check: `just lint`. Each is a step of `.ci/run`, which needs only a shell.

# Runs every check that a change must pass
check:
    .ci/run

# Checks the formatting
fmt:
    .ci/run fmt

# Installs the official clients, a browser and Redis, and runs the tests that need them
peers:
    .ci/run peers

# Runs clippy on everything
lint:
    .ci/run lint

# Checks that the core has few dependencies, each in one version
lean:
    .ci/run lean

# Builds the documentation, with warnings denied
docs:
    .ci/run docs

# Checks each member of the workspace alone
members:
    .ci/run members

# Checks the libraries without features, with each feature, and with any two
features:
    .ci/run features

# Runs the test command of the README
tests:
    .ci/run tests

# Runs the examples
examples:
    .ci/run examples

# Checks the public API and the crates whose types are in it; `just api --bless` writes the lists again
api *arguments:
    .ci/run api {{ arguments }}

# Builds the packages as for publishing
package:
    .ci/run package

# Builds with the lowest versions that Cargo.toml allows (not part of `check`)
minimal:
    .ci/nightly minimal

# Compares instructions and allocations with those of the peers
guard:
    .ci/run guard

# Checks licences, sources, bans, duplicates, and known vulnerabilities if GitHub can be reached
deny:
    .ci/run deny

# Sends a million requests while all kinds of failures occur: `just soak`, `just soak 50000` (not part of `check`)
soak *arguments:
    .ci/nightly soak {{ arguments }}

# Lists changes of the code that no test notices: `just mutants src/gare/read.rs` (not part of `check`)
mutants *files:
    .ci/nightly mutants {{ files }}

# Measures how many lines the tests run; `just coverage --open` shows them (not part of `check`)
coverage *arguments:
    .ci/nightly coverage {{ arguments }}

# Fuzzes all targets or one: `just fuzz`, `just fuzz detect 600` (not part of `check`)
fuzz *arguments:
    .ci/nightly fuzz {{ arguments }}
