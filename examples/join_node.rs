//! Issues what another node of an existing cluster holds, from the cluster's authorities in a directory.

use kubepki::{Authorities, Cluster, Node, Time};

const USAGE: &str = "usage: join_node FROM OUT ENDPOINT control-plane|etcd-member|worker NAME ADDRESS
  FROM is a directory with pki/ca.crt, pki/ca.key and so on, such as /etc/kubernetes of the first node";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, out, endpoint, kind, name, address] = &arguments[..] else { usage() };
    let (name, address) = (name.parse()?, address.parse()?);
    let node = match kind.as_str() {
        "control-plane" => Node::control_plane(name, address),
        "etcd-member" => Node::etcd_member(name, address),
        "worker" => Node::worker(name).addresses([address]),
        _ => usage(),
    };
    let authorities = Authorities::load(from)?;
    // Keys and conventions are the cluster's, so a real installer keeps one description of it for all nodes.
    let pki = authorities.join(&Cluster::new(endpoint.parse()?), &node, Time::now())?;
    pki.save(out)?;
    print!("{}", pki.tree());
    Ok(())
}

fn usage() -> ! {
    eprintln!("{USAGE}");
    std::process::exit(2)
}
