//! Issues what another node of an existing cluster holds, from the cluster's authorities in a directory.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;

use kubepki::{Authorities, Node, Time};
use lexopt::prelude::*;
use options::{ClusterOptions, Error, print, value};

const USAGE: &str = "usage: join_node --from DIR --out DIR --node NAME --address IP [--kind KIND] [OPTION]...
  --from DIR       has pki/ca.crt, pki/ca.key and so on, such as /etc/kubernetes of the first node
  --kind KIND      control-plane, worker or etcd-member (control-plane)
The other options must be those that the cluster was created with:";

fn main() -> ExitCode {
    options::run(join)
}

fn join() -> Result<(), Error> {
    let (mut from, mut out, mut name, mut address) = (None, None, None, None);
    let (mut kind, mut cluster) = ("control-plane".to_owned(), ClusterOptions::new()?);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("from") => from = Some(PathBuf::from(arguments.value()?)),
            Long("out") => out = Some(PathBuf::from(arguments.value()?)),
            Long("node") => name = Some(value("node", &mut arguments)?),
            Long("address") => address = Some(value("address", &mut arguments)?),
            Long("kind") => kind = value("kind", &mut arguments)?,
            Short('h') | Long("help") => return print(format_args!("{USAGE}\n{}\n", options::USAGE)),
            Long(other) => {
                let other = other.to_owned();
                cluster = cluster.take(&other, &mut arguments)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let (Some(from), Some(out), Some(name), Some(address)) = (from, out, name, address) else {
        return Err("--from, --out, --node and --address are needed; --help shows all options".into());
    };
    let node = match kind.as_str() {
        "control-plane" => Node::control_plane(name, address),
        "etcd-member" => Node::etcd_member(name, address),
        "worker" => Node::worker(name).addresses([address]),
        other => {
            return Err(format!("--kind {other:?}: expected control-plane, worker or etcd-member").into());
        }
    };

    let pki = Authorities::load(from)?.join(&cluster.cluster(), &node, Time::now())?;
    pki.save(out)?;
    print(pki.tree())
}
