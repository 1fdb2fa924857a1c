//! Programs that misuse `globus-gare`, in `tests/cases`, and the compiler's errors for them.
