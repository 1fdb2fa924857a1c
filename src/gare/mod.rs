//! The document: what a Globus Auth requirements error says, and where it hides.
