//! Makes the whole PKI of a new cluster and shows it.
//!
//! Control-plane files go to `DIR/pki/` and `DIR/*.conf`, a worker's to `DIR/workers/NAME/`. `DIR` stands for
//! `/etc/kubernetes`: a configuration with `certificatesDir: /etc/kubernetes/ssl` has `DIR/ssl/` instead of
//! `DIR/pki/`.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Instant;

use kubepki::{Authorities, Node, Part, Pki, Role, Time};
use lexopt::prelude::*;
use options::{Description, Error, Options, print, value};

const USAGE: &str = "usage: create_cluster [--out] DIR [OPTION]...
  [--worker NAME=IP]...               a worker and its address";

struct Arguments {
    out: PathBuf,
    description: Description,
    workers: Vec<Node>,
}

fn main() -> ExitCode {
    options::run(|| match read_arguments()? {
        Some(arguments) => create(&arguments),
        None => print(format_args!("{USAGE}\n{}\n", options::USAGE)),
    })
}

fn create(Arguments { out, description, workers }: &Arguments) -> Result<(), Error> {
    let Description { cluster, node, .. } = description;
    let now = Time::now();
    let mut times = Vec::new();
    let mut start = Instant::now();
    let mut lap = |what: String| times.push((what, std::mem::replace(&mut start, Instant::now()).elapsed()));

    let authorities = Authorities::create(cluster, now)?;
    lap("authorities and service-account key".to_owned());
    let mut machines = vec![(out.clone(), authorities.first(cluster, node, now)?)];
    lap(format!("control-plane node {}", node.name()));
    for worker in workers {
        let directory = out.join("workers").join(worker.name().as_str());
        machines.push((directory, authorities.join(cluster, worker, now)?));
        lap(format!("worker {}", worker.name()));
    }
    Pki::save_all(machines.iter().map(|(directory, pki)| (description.layout(directory), pki)))?;
    lap(format!("{} files written", machines.iter().map(|(_, pki)| pki.files().count()).sum::<usize>()));

    for (directory, pki) in &machines {
        print(format_args!("{}\n\n{}\n", directory.display(), pki.tree()))?;
    }
    for (what, time) in times {
        print(format_args!("{:8.1} ms  {what}\n", time.as_secs_f64() * 1000.0))?;
    }
    Ok(())
}

/// `None` when only the usage is asked for.
fn read_arguments() -> Result<Option<Arguments>, Error> {
    let (mut out, mut options) = (None, Options::default());
    let mut workers = Vec::<Node>::new();
    let mut arguments = options::parser();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("out") => out = Some(PathBuf::from(arguments.value()?)),
            Value(directory) if out.is_none() => out = Some(PathBuf::from(directory)),
            Long("worker") => {
                let Worker(worker) = value("worker", &mut arguments)?;
                if workers.iter().any(|other| other.name() == worker.name()) {
                    return Err(format!("--worker {:?}: each worker once", worker.name().as_str()).into());
                }
                workers.push(worker);
            }
            Short('h') | Long("help") => return Ok(None),
            Long(other) => {
                let other = other.to_owned();
                options = options.take(&other, &mut arguments)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let description = options.first_node()?;
    let node = &description.node;
    if workers.iter().any(|worker| worker.name() == node.name()) {
        return Err(format!("--worker {:?}: the name of the control-plane node", node.name().as_str()).into());
    }
    let out = out.ok_or("--out DIR is missing; --help shows all options")?;
    let authority = description.layout(&out).path(Role::KubernetesCa, Part::Certificate);
    if authority.is_some_and(|path| path.exists()) {
        return Err(format!(
            "--out {out:?}: there is a cluster already; join_node --from it makes more nodes"
        )
        .into());
    }
    Ok(Some(Arguments { out, description, workers }))
}

struct Worker(Node);

impl FromStr for Worker {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, address) = text.split_once('=').ok_or("expected NAME=IP")?;
        let address = address.parse().map_err(|_| format!("expected an IP address, found {address:?}"))?;
        Ok(Self(Node::worker(name.parse()?).addresses([address])))
    }
}
