//! Makes the whole PKI of a new cluster and shows it.
//!
//! Control-plane files go to `DIR/pki/` and `DIR/*.conf`, a worker's to `DIR/workers/NAME/`.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;

use kubepki::{Authorities, Cluster, Node, Role, Time};
use lexopt::prelude::*;

const USAGE: &str = "usage: create_cluster --out DIR
  [--convention documented|kubeadm]   whose names to use             (documented)
  [--algorithm ALGORITHM]             rsa-2048, rsa-3072, rsa-4096, ecdsa-p256 or ecdsa-p384 (rsa-2048)
  [--cluster-name NAME]               the cluster's name in kubeconfigs
  [--endpoint HOST:PORT]              where clients reach the API    (127.0.0.1:6443)
  [--node NAME] [--address IP]        the first control-plane node   (cp-1, 127.0.0.1)
  [--service-subnet CIDR]...          one, or one of each IP family  (10.96.0.0/12)
  [--dns-domain DOMAIN]               of the cluster's DNS           (cluster.local)
  [--san NAME|IP]...                  more names of the API server
  [--worker NAME=IP]...               a worker and its address";

type Error = Box<dyn std::error::Error>;

struct Options {
    out: PathBuf,
    cluster: Cluster,
    node: Node,
    workers: Vec<(String, Node)>,
}

fn main() -> Result<(), lexopt::Error> {
    run().map_err(|error| lexopt::Error::Custom(error.to_string().into()))
}

fn run() -> Result<(), Error> {
    let Some(Options { out, cluster, node, workers }) = options()? else {
        println!("{USAGE}");
        return Ok(());
    };
    let now = Time::now();
    let mut times = Vec::new();
    let mut start = Instant::now();
    let mut lap = |what: String| times.push((what, std::mem::replace(&mut start, Instant::now()).elapsed()));

    let authorities = Authorities::create(&cluster, now)?;
    lap("authorities and service-account key".to_owned());
    let pki = authorities.first(&cluster, &node, now)?;
    lap(format!("{} certificates of {}", pki.credentials().count(), node.name()));
    pki.save(&out)?;
    lap(format!("{} files written to {}", pki.files().count(), out.display()));
    println!("{}", pki.tree());
    for (name, worker) in &workers {
        let directory = out.join("workers").join(name);
        let pki = authorities.join(&cluster, worker, now)?;
        pki.save(&directory)?;
        lap(format!("worker {name}, written to {}", directory.display()));
        println!("worker {name}\n{}", pki.tree());
    }
    for (what, time) in times {
        println!("{:8.1} ms  {what}", time.as_secs_f64() * 1000.0);
    }
    Ok(())
}

/// `None` when only the usage is asked for.
fn options() -> Result<Option<Options>, Error> {
    let mut out = None;
    let mut cluster = Cluster::new("127.0.0.1:6443".parse()?);
    let (mut name, mut address) = ("cp-1".parse()?, [127, 0, 0, 1].into());
    let (mut subnets, mut sans, mut workers) = (Vec::new(), Vec::new(), Vec::new());
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("out") => out = Some(PathBuf::from(arguments.value()?)),
            Long("convention") => cluster = cluster.convention(value("convention", &mut arguments)?),
            Long("algorithm") => cluster = cluster.key_algorithm(value("algorithm", &mut arguments)?),
            Long("cluster-name") => cluster = cluster.name(value("cluster-name", &mut arguments)?),
            Long("endpoint") => cluster = cluster.endpoint(value("endpoint", &mut arguments)?),
            Long("node") => name = value("node", &mut arguments)?,
            Long("address") => address = value("address", &mut arguments)?,
            Long("service-subnet") => subnets.push(value("service-subnet", &mut arguments)?),
            Long("dns-domain") => cluster = cluster.dns_domain(value("dns-domain", &mut arguments)?),
            Long("san") => sans.push(value("san", &mut arguments)?),
            Long("worker") => {
                let Worker(name, node) = value("worker", &mut arguments)?;
                workers.push((name, node));
            }
            Short('h') | Long("help") => return Ok(None),
            other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
        }
    }
    if !subnets.is_empty() {
        cluster = cluster.service_subnets(subnets);
    }
    let node =
        sans.into_iter().fold(Node::control_plane(name, address), |node, san| node.san(Role::ApiServer, san));
    let out = out.ok_or_else(|| format!("--out is missing\n{USAGE}"))?;
    Ok(Some(Options { out, cluster, node, workers }))
}

/// The value of an option, which an error names.
fn value<T: FromStr<Err: Display>>(option: &str, arguments: &mut lexopt::Parser) -> Result<T, Error> {
    let text = arguments.value()?.string()?;
    text.parse().map_err(|error| format!("--{option} {text:?}: {error}").into())
}

struct Worker(String, Node);

impl FromStr for Worker {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, address) = text.split_once('=').ok_or("expected NAME=IP")?;
        Ok(Self(name.to_owned(), Node::worker(name.parse()?).addresses([address.parse()?])))
    }
}
