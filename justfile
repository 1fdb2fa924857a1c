# Every check: `just`. One: `just lint`. Each is a step of `.ci/run`, which needs nothing but a shell.

# Runs every check that a change must pass
check:
    .ci/run

# Formatting
fmt:
    .ci/run fmt

# Installs the official clients and a browser, and runs all tests, theirs among them
peers:
    .ci/run peers

# Clippy over everything
lint:
    .ci/run lint

# The core has few dependencies, each once
lean:
    .ci/run lean

# Documentation, warnings denied
docs:
    .ci/run docs

# Each member of the workspace alone
members:
    .ci/run members

# No feature, each alone, any two
features:
    .ci/run features

# The test command of the README
tests:
    .ci/run tests

# The examples, run for real
examples:
    .ci/run examples

# The public API and whose types are in it; `just api --bless` writes the list anew
api *arguments:
    .ci/run api {{ arguments }}

# What would be published
package:
    .ci/run package

# The lowest versions that Cargo.toml allows
minimal:
    .ci/run minimal

# Instructions and allocations beside those of the peers
guard:
    .ci/run guard

# Licences, sources, bans, duplicates; known vulnerabilities, where GitHub can be reached
deny:
    .ci/run deny

# A million requests while all that can go wrong does: `just soak`, `just soak 50000` (not part of `check`)
soak *arguments:
    .ci/nightly soak {{ arguments }}

# Names the changes of the code that no test notices: `just mutants src/gare/lex.rs` (not part of `check`)
mutants *files:
    .ci/nightly mutants {{ files }}

# How many lines the tests run; `just coverage --open` shows which (not part of `check`: a build of its own)
coverage *arguments:
    .ci/nightly coverage {{ arguments }}

# Fuzzes: `just fuzz`, `just fuzz detect 600` (not part of `check`)
fuzz *arguments:
    .ci/nightly fuzz {{ arguments }}
