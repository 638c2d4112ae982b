//! Issues one certificate from an existing authority: a serving certificate for a service in the cluster.

use kubepki::{Cluster, Issuer, Time, role};

const USAGE: &str = "usage: one_certificate CA.CRT CA.KEY SERVICE.NAMESPACE.svc [NAME|IP]...";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ca_crt, ca_key, service, sans @ ..] = &arguments[..] else { usage() };
    let authority = Issuer::from_pem(&std::fs::read(ca_crt)?, &std::fs::read(ca_key)?)?;

    // Of the cluster's description, a service's certificate needs the DNS domain and the key algorithm.
    let cluster = Cluster::new("127.0.0.1:6443".parse()?).dns_domain("cluster.local".parse()?);
    let mut service = role::Service::new(&cluster, service.parse()?);
    for san in sans {
        service = service.san(san.parse()?);
    }
    let credential = authority.issue(&service.profile(), Time::now())?;
    print!("{}{}", credential.chain_pem(), *credential.key().to_pem());
    Ok(())
}

fn usage() -> ! {
    eprintln!("{USAGE}");
    std::process::exit(2)
}
