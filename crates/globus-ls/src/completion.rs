//! Shell completion: options, and collections that were listed before.

use std::env::consts::EXE_SUFFIX;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::account;
use crate::failure::Failure;
use crate::history;
use crate::options::Options;

/// Writes the completion script for the name that the program was started by.
pub(crate) fn write(shell: Shell) -> Result<(), Failure> {
    let name = std::env::args_os().next();
    let name = name.unwrap_or_else(|| "globus-ls".into());
    let name = Path::new(&name).file_name().unwrap_or(&name);
    let name = name.to_string_lossy();
    let name = name.strip_suffix(EXE_SUFFIX).unwrap_or(&name);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Options::command(), name, &mut script);
    let script = with_collections(String::from_utf8_lossy(&script).into_owned(), shell, name);
    account::write(script.as_bytes())
}

/// Writes the collections that were listed before, latest first.
pub(crate) fn write_collections() -> Result<(), Failure> {
    let lines: String = history::collections()
        .iter()
        .map(|collection| format!("{collection}\n"))
        .collect();
    account::write(lines.as_bytes())
}

/// Makes the script of bash, zsh or fish call `NAME collections` for the first argument.
fn with_collections(script: String, shell: Shell, name: &str) -> String {
    let ask = format!("{name} collections 2>/dev/null");
    match shell {
        Shell::Bash => script.replacen("opts=\"-", &format!("opts=\"$({ask}) -"), 1),
        Shell::Zsh => {
            let argument = "'::collection -- ";
            let Some((before, rest)) = script.split_once(argument) else {
                return script;
            };
            let rest = rest.replacen(":_default'", &format!(":{{compadd $({ask})}}'"), 1);
            format!("{before}{argument}{rest}")
        }
        Shell::Fish => {
            let needs_command = format!("__fish_{}_needs_command", name.replace('-', "_"));
            format!("{script}complete -c {name} -n \"{needs_command}\" -f -a \"({ask})\"\n")
        }
        _ => script,
    }
}
