//! The deciding: who logs in, when, and for whom.
