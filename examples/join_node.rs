//! Issues what another node of an existing cluster holds, from the cluster's authorities in a directory.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;

use kubepki::{Authorities, Time};
use lexopt::prelude::*;
use options::{Error, Options, print};

const USAGE: &str =
    "usage: join_node --from DIR --out DIR [--config FILE | --node NAME --address IP] [OPTION]...
  --from DIR       has pki/ca.crt, pki/ca.key and so on, such as /etc/kubernetes of the first node
The machine must be named. What is said of the cluster must be what it was created with:";

fn main() -> ExitCode {
    options::run(join)
}

fn join() -> Result<(), Error> {
    let (mut from, mut out, mut options) = (None, None, Options::default());
    let mut arguments = options::parser();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("from") => from = Some(PathBuf::from(arguments.value()?)),
            Long("out") => out = Some(PathBuf::from(arguments.value()?)),
            Short('h') | Long("help") => return print(format_args!("{USAGE}\n{}\n", options::USAGE)),
            Long(other) => {
                let other = other.to_owned();
                options = options.take(&other, &mut arguments)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let (Some(from), Some(out)) = (from, out) else {
        return Err("--from and --out are needed; --help shows all options".into());
    };
    let description = options.node()?;

    let pki = Authorities::load(from)?.join(&description.cluster, &description.node, Time::now())?;
    pki.save(description.layout(&out))?;
    print(pki.tree())
}
