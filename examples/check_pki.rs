//! Says what is wrong with the PKI in a directory, and how to mend it.
//!
//! Exit code 0: no finding of severity error; 1: at least one; 2: it could not look.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;

use kubepki::{Cluster, Expected, Layout, Node, Pki, Role, Severity, Time};
use lexopt::prelude::*;
use options::{ClusterOptions, Error, print, value};

const USAGE: &str = "usage: check_pki DIR [OPTION]...
  DIR                                 has pki/ and *.conf, such as /etc/kubernetes
  [--json] [--prometheus]             for programs, instead of the report for people
  [--tree]                            who signed what, before the report
  [--at TIME]                         as if it were then, in RFC 3339 (now)
  [--root PREFIX]                     look below this directory, such as a backup of /
With one of these it is checked against the description, without any against itself:
  [--kind KIND]                       control-plane, worker or etcd-member (control-plane)
  [--node NAME] [--address IP]        the machine                     (cp-1, 127.0.0.1)
  [--san NAME|IP]...                  more names of the API server";

struct Options {
    layout: Layout,
    format: Format,
    now: Time,
    described: Option<(Cluster, Node)>,
}

#[derive(Clone, Copy)]
enum Format {
    Text,
    Tree,
    Json,
    Prometheus,
}

fn main() -> ExitCode {
    options::run_or(2, || match read_options()? {
        Some(options) => check(options),
        None => print(format_args!("{USAGE}\n{}\n", options::USAGE)).map(|()| ExitCode::SUCCESS),
    })
}

fn check(Options { layout, format, now, described }: Options) -> Result<ExitCode, Error> {
    let pki = Pki::load(layout.clone())?;
    let expected = match described {
        Some((cluster, node)) => Expected::new(&cluster, &node).layout(layout),
        None => pki.expected().clone(),
    };
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
fn read_options() -> Result<Option<Options>, Error> {
    let (mut directory, mut root, mut formats, mut now) = (None, None, Vec::new(), None);
    let (mut is_described, mut cluster) = (false, ClusterOptions::new()?);
    let (mut kind, mut sans) = ("control-plane".to_owned(), Vec::new());
    let (mut name, mut address) = ("cp-1".parse()?, [127, 0, 0, 1].into());
    let mut arguments = lexopt::Parser::from_env();
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
                is_described = true;
                match other.as_str() {
                    "kind" => kind = value("kind", &mut arguments)?,
                    "node" => name = value("node", &mut arguments)?,
                    "address" => address = value("address", &mut arguments)?,
                    "san" => sans.push(value("san", &mut arguments)?),
                    _ => cluster = cluster.take(&other, &mut arguments)?,
                }
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let node = match kind.as_str() {
        "control-plane" => Node::control_plane(name, address),
        "etcd-member" => Node::etcd_member(name, address),
        "worker" => Node::worker(name).addresses([address]),
        other => {
            return Err(format!("--kind {other:?}: expected control-plane, worker or etcd-member").into());
        }
    };
    let node = sans.into_iter().fold(node, |node, san| node.san(Role::ApiServer, san));
    let layout = Layout::new(directory.ok_or("DIR is missing; --help shows all options")?);
    let format = match formats.as_slice() {
        [] => Format::Text,
        [format] => *format,
        _ => return Err("--json, --prometheus, --tree: one of them".into()),
    };
    Ok(Some(Options {
        layout: root.into_iter().fold(layout, Layout::root),
        format,
        now: now.unwrap_or_else(Time::now),
        described: is_described.then(|| (cluster.cluster(), node)),
    }))
}
