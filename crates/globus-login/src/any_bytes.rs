//! What must hold of any bytes, where no public item leads to what reads them: for the fuzzer, and replayed here.

pub use super::interactive::redirect;
pub use super::store::token_file;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Holds `check` against the inputs that the fuzzer found worth keeping.
    fn replay(target: &str, check: fn(&[u8])) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let directory = root.join("../../fuzz/inputs").join(target);
        let mut count = 0;
        for entry in std::fs::read_dir(directory).expect("a directory of inputs") {
            let path = entry.expect("an entry").path();
            // Shown when it fails.
            println!("{}", path.display());
            check(&std::fs::read(path).expect("an input"));
            count += 1;
        }
        assert!(count > 0, "no inputs for {target}");
    }

    #[checks::test]
    fn saved_token_file_inputs_are_kept_whole() {
        replay("token_file", super::token_file);
    }

    #[checks::test]
    fn saved_redirect_inputs_end_no_other_login() {
        replay("redirect", super::redirect);
    }
}
