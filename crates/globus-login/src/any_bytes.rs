//! Entry points for the fuzzer, for parsers that no public item reaches. Saved inputs are replayed
//! here.

#[cfg(feature = "interactive")]
pub use super::interactive::redirect;
pub use super::store::token_file;

#[cfg(test)]
mod tests {
    use checks::inputs::replay;

    #[checks::test]
    fn saved_token_file_inputs_lose_nothing() {
        replay("token_file", super::token_file);
    }

    #[cfg(feature = "interactive")]
    #[checks::test]
    fn saved_redirect_inputs_end_only_their_own_login() {
        replay("redirect", super::redirect);
    }
}
