//! What must hold of any bytes, where no public item leads to what reads them: for the fuzzer, and replayed here.

#[cfg(feature = "interactive")]
pub use super::interactive::redirect;
pub use super::store::token_file;

#[cfg(test)]
mod tests {
    use checks::inputs::replay;

    #[checks::test]
    fn saved_token_file_inputs_are_kept_whole() {
        replay("token_file", super::token_file);
    }

    #[cfg(feature = "interactive")]
    #[checks::test]
    fn saved_redirect_inputs_end_no_other_login() {
        replay("redirect", super::redirect);
    }
}
