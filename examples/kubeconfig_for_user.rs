//! Prints the kubeconfig of a new user, with a client certificate from the cluster's authority.

mod options;

use std::process::ExitCode;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{Authorities, Cluster, Time, role};

const USAGE: &str = "usage: kubeconfig_for_user DIR ENDPOINT NAME [GROUP]...
  DIR is a directory with pki/ca.crt and pki/ca.key, such as /etc/kubernetes";

fn main() -> ExitCode {
    options::run(|| {
        let arguments = options::arguments()?;
        let [directory, endpoint, name, groups @ ..] = &arguments[..] else { return Err(USAGE.into()) };
        let cluster = Cluster::new(endpoint.parse()?);
        let authorities = Authorities::load(directory)?;
        let mut user = role::User::new(&cluster, name.parse()?);
        for group in groups {
            user = user.group(group.parse()?);
        }
        let credential = authorities.issue(&user.profile(), Time::now())?;
        options::print(&*Kubeconfig::for_user(&cluster, &authorities, &credential)?.to_yaml())
    })
}
