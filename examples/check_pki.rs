//! Says what is wrong with the PKI in a directory, and how to mend it.
//!
//! Exit code 0: no finding of severity error; 1: at least one; 2: it could not look.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;

use kubepki::{Layout, Pki, Severity, Time};
use lexopt::prelude::*;
use options::{Error, Existing, Names, Options, print, value};

const USAGE: &str = "usage: check_pki DIR [OPTION]...
  DIR                                 has pki/ and *.conf, such as /etc/kubernetes
  [--json] [--prometheus]             for programs, instead of the report for people
  [--tree]                            who signed what, before the report
  [--at TIME]                         as if it were then, in RFC 3339 (now)
  [--root PREFIX]                     look below this directory, such as a backup of /
Ends with 0 without a finding of severity error, with 1 when there is one, with 2 when it could not look.
What these do not say is told by the files themselves, and the defaults stand for what no file tells:";

struct Arguments {
    layout: Layout,
    format: Format,
    now: Time,
    existing: Existing,
}

#[derive(Clone, Copy)]
enum Format {
    Text,
    Tree,
    Json,
    Prometheus,
}

fn main() -> ExitCode {
    options::run_or(2, || match read_arguments()? {
        Some(arguments) => check(arguments),
        None => print(format_args!("{USAGE}\n{}\n", options::USAGE)).map(|()| ExitCode::SUCCESS),
    })
}

fn check(Arguments { layout, format, now, existing }: Arguments) -> Result<ExitCode, Error> {
    let pki = Pki::load(layout.clone())?;
    let expected = existing.expected(&pki, &layout, Names::Told)?;
    let findings = pki.audit(&expected, now);
    let report = pki.report(&findings, now);
    match format {
        Format::Text => print(report)?,
        Format::Tree => print(format_args!("{}\n{report}", pki.tree()))?,
        Format::Json => print(report.to_json())?,
        Format::Prometheus => print(report.to_prometheus())?,
    }
    Ok(ExitCode::from(u8::from(findings.worst() == Some(Severity::Error))))
}

/// `None` when only the usage is asked for.
fn read_arguments() -> Result<Option<Arguments>, Error> {
    let (mut directory, mut root, mut formats, mut now) = (None, None, Vec::new(), None);
    let mut options = Options::default();
    let mut arguments = options::parser();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(text) if directory.is_none() => directory = Some(PathBuf::from(text)),
            Long("json") => formats.push(Format::Json),
            Long("prometheus") => formats.push(Format::Prometheus),
            Long("tree") => formats.push(Format::Tree),
            Long("at") => now = Some(value("at", &mut arguments)?),
            Long("root") => root = Some(PathBuf::from(arguments.value()?)),
            Short('h') | Long("help") => return Ok(None),
            Long(other) => {
                let other = other.to_owned();
                options = options.take(&other, &mut arguments)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let directory = directory.ok_or("DIR is missing; --help shows all options")?;
    let format = match formats.as_slice() {
        [] => Format::Text,
        [format] => *format,
        _ => return Err("--json, --prometheus, --tree: one of them".into()),
    };
    let existing = options.existing()?;
    Ok(Some(Arguments {
        layout: root.into_iter().fold(existing.layout(&directory), Layout::root),
        format,
        now: now.unwrap_or_else(Time::now),
        existing,
    }))
}
