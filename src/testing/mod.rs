//! An embedded Globus Transfer and Globus Auth on loopback, for tests and demonstrations.
