//! Issues one certificate from an existing authority: a serving certificate for a service in the cluster.

mod options;

use std::process::ExitCode;

use kubepki::{Cluster, Issuer, Time, role};

const USAGE: &str = "usage: one_certificate CA.CRT CA.KEY SERVICE.NAMESPACE.svc [NAME|IP]...";

fn main() -> ExitCode {
    options::run(|| {
        let arguments = options::arguments()?;
        let [ca_crt, ca_key, service, sans @ ..] = &arguments[..] else { return Err(USAGE.into()) };
        let authority = Issuer::load(ca_crt, ca_key)?;

        // Of the cluster's description, a service's certificate needs the DNS domain and the key algorithm.
        let cluster = Cluster::new("127.0.0.1:6443".parse()?).dns_domain("cluster.local".parse()?);
        let mut service = role::Service::new(&cluster, service.parse()?);
        for san in sans {
            service = service.san(san.parse()?);
        }
        let credential = authority.issue(&service.profile(), Time::now())?;
        options::print(credential.chain_pem())?;
        options::print(&*credential.key().to_pem())
    })
}
