//! Reads a response body and prints the requirements in it as JSON.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use globus_gare::gare::{Detection, Found};
use serde::{Deserialize, Serialize};

const HELP: &str = r#"Reads a response body on standard input and prints the Globus Auth requirements in it as JSON.

Prints for each requirement its code, its location, its parameters, and the query parameters of the
login. "quoted" marks a requirement in a quotation: the layer ignores it, unless the program added
the origin. A note on standard error names a document that exceeds a limit. The status and the
content type do not change the result. If the layer would not inspect such a response, a note says
so.

Usage: explain [--status N] [--content-type T] <BODY
       explain --jsonl <ROWS

Options:
  --status N        the status of the response, 100 to 999
  --content-type T  the content type of the response
  --jsonl           read one response a line: {"id", "http_status", "content_type", "body"}; only
                    "body" is required. Print one line for each
  -h, --help        print this text

Example:
  $ echo '{"authorization_parameters": {"session_required_single_domain": "uchicago.edu"}}' | explain --status 403
  {
    "gares": [
      {
        "code": "AuthorizationRequired",
        "location": "root",
        "authorization_parameters": {
          "session_required_single_domain": [
            "uchicago.edu"
          ]
        },
        "authorize_query": {
          "session_required_single_domain": "uchicago.edu"
        }
      }
    ]
  }

Exit status: 0 if there is a requirement, 1 if there is none, 2 on wrong usage or unreadable input."#;

/// The options of the command line.
#[derive(Default)]
struct Options {
    status: Option<u16>,
    content_type: Option<String>,
    jsonl: bool,
    help: bool,
}

impl Options {
    fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            // Both `--status 403` and `--status=403`.
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value = || value.clone().or_else(|| arguments.next());
            match name {
                "-h" | "--help" => options.help = true,
                "--jsonl" => options.jsonl = true,
                "--status" => {
                    let status = value().and_then(|value| value.parse().ok());
                    let status = status.filter(|status| (100..=999).contains(status));
                    options.status = Some(status.ok_or("--status needs a number, 100 to 999")?);
                }
                "--content-type" => {
                    options.content_type = Some(value().ok_or("--content-type needs a value")?);
                }
                _ => return Err(format!("unknown argument {argument:?}")),
            }
        }
        if options.jsonl && (options.status.is_some() || options.content_type.is_some()) {
            return Err("with --jsonl each row has its own status and content type".to_owned());
        }
        Ok(options)
    }
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    id: serde_json::Value,
    http_status: Option<u16>,
    content_type: Option<String>,
    body: String,
}

#[derive(Serialize)]
struct Explained {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<serde_json::Value>,
    gares: Vec<Explanation>,
}

#[derive(Serialize)]
struct Explanation {
    code: String,
    location: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quoted: bool,
    authorization_parameters: serde_json::Value,
    authorize_query: BTreeMap<&'static str, String>,
}

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("explain: {error}\nexplain --help shows the options");
            return ExitCode::from(2);
        }
    };
    if options.help {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let any = if options.jsonl {
        explain_rows()
    } else {
        explain_body(&options)
    };
    match any {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // The reader of the output has closed it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("explain: {error}");
            ExitCode::from(2)
        }
    }
}

fn explain_body(options: &Options) -> io::Result<bool> {
    let mut body = Vec::new();
    io::stdin().lock().read_to_end(&mut body)?;
    if let Some(note) = not_inspected(options.status, options.content_type.as_deref()) {
        eprintln!("note: {note}");
    }
    let explained = Explained {
        id: None,
        gares: explain(&body)?,
    };
    let mut stdout = io::stdout().lock();
    serde_json::to_writer_pretty(&mut stdout, &explained)?;
    writeln!(stdout)?;
    Ok(!explained.gares.is_empty())
}

fn explain_rows() -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    let mut any = false;
    for (index, line) in io::stdin().lock().split(b'\n').enumerate() {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row: Row = serde_json::from_slice(&line).map_err(|error| {
            let reason = format!("line {}: not a row with a body: {error}", index + 1);
            io::Error::new(io::ErrorKind::InvalidData, reason)
        })?;
        if let Some(note) = not_inspected(row.http_status, row.content_type.as_deref()) {
            eprintln!("note: {}: {note}", row.id);
        }
        let explained = Explained {
            id: Some(row.id),
            gares: explain(row.body.as_bytes())?,
        };
        any |= !explained.gares.is_empty();
        serde_json::to_writer(&mut stdout, &explained)?;
        writeln!(stdout)?;
    }
    Ok(any)
}

fn explain(body: &[u8]) -> io::Result<Vec<Explanation>> {
    let detection = Detection::of(body);
    if let Some(over) = detection.over_limit {
        eprintln!("note: not a requirement: {}: {}", over.location, over.limit);
    }
    let found = detection.found.into_iter();
    found
        .map(|found| {
            let quoted = found.is_quoted();
            let Found { gare, location, .. } = found;
            let params = &gare.authorization_parameters;
            let mut fields = serde_json::to_value(params)?;
            if let Some(fields) = fields.as_object_mut() {
                fields.retain(|name, _| !params.extra.names().any(|unknown| unknown == name));
            }
            Ok(Explanation {
                location: location.to_string(),
                quoted,
                authorization_parameters: fields,
                authorize_query: params.to_query().into_iter().collect(),
                code: gare.code,
            })
        })
        .collect()
}

/// Why the layer with its default settings would not inspect such a response.
fn not_inspected(status: Option<u16>, content_type: Option<&str>) -> Option<String> {
    if let Some(status) = status.filter(|status| !matches!(status, 400..=499 | 502)) {
        return Some(format!(
            "the layer would not inspect a response with status {status}, only 400 to 499 and 502"
        ));
    }
    let content_type = content_type?;
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let json = essence == "application/json" || essence.ends_with("+json");
    let readable = essence.is_empty() || essence.starts_with("text/") || json;
    (!readable).then(|| format!("the layer would not inspect {essence}, only JSON and text"))
}
