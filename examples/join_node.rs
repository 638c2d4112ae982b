//! Issues what another node of an existing cluster holds, from the cluster's authorities in a directory.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;

use kubepki::{Authorities, Time};
use lexopt::prelude::*;
use options::{Description, Error, print};

const USAGE: &str =
    "usage: join_node --from DIR --out DIR [--config FILE | --node NAME --address IP] [OPTION]...
  --from DIR       has pki/ca.crt, pki/ca.key and so on, such as /etc/kubernetes of the first node
The machine must be named. What is said of the cluster must be what it was created with:";

fn main() -> ExitCode {
    options::run(join)
}

fn join() -> Result<(), Error> {
    let (mut from, mut out, mut description) = (None, None, Description::default());
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("from") => from = Some(PathBuf::from(arguments.value()?)),
            Long("out") => out = Some(PathBuf::from(arguments.value()?)),
            Short('h') | Long("help") => return print(format_args!("{USAGE}\n{}\n", options::USAGE)),
            Long(other) => {
                let other = other.to_owned();
                description = description.take(&other, &mut arguments)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let (Some(from), Some(out)) = (from, out) else {
        return Err("--from and --out are needed; --help shows all options".into());
    };
    let (cluster, node) = description.node()?;

    let pki = Authorities::load(from)?.join(&cluster, &node, Time::now())?;
    pki.save(out)?;
    print(pki.tree())
}
