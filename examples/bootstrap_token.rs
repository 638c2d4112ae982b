//! Makes a bootstrap token: prints its Secret for `kubectl apply -f -`, and, as a comment in it, how a machine joins.
//! `--kubeconfig` writes the bootstrap kubeconfig, for kubelets that join without kubeadm.

mod options;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::token::{BootstrapGroup, BootstrapSecret, BootstrapToken};
use kubepki::{Authorities, Cluster, Endpoint, Role, Time};
use lexopt::prelude::*;
use options::{Error, print, value, write_new_file};

const USAGE: &str = "usage: bootstrap_token [--hours N] [--group GROUP]... [--description TEXT]
                       [--endpoint HOST:PORT] [--ca-cert FILE] [--kubeconfig FILE]
  --hours N              how long the token is good (24)
  --group GROUP          a group that it gives (system:bootstrappers:kubeadm:default-node-token)
  --description TEXT     what it is for
  --endpoint HOST:PORT   where machines reach the API
  --ca-cert FILE         the cluster's ca.crt, which they are to know it by
  --kubeconfig FILE      also write the bootstrap kubeconfig into this file, which must not be there,
                         for the kubelet's --bootstrap-kubeconfig; needs --endpoint and --ca-cert
The output holds the token: pipe it to kubectl apply -f -";

/// The group to which kubeadm binds what a new node may do.
const DEFAULT_GROUP: &str = "system:bootstrappers:kubeadm:default-node-token";

#[derive(Default)]
struct Options {
    hours: Option<Hours>,
    groups: Vec<BootstrapGroup>,
    description: Option<String>,
    endpoint: Option<Endpoint>,
    authorities: Authorities,
    kubeconfig: Option<PathBuf>,
}

/// How long a token is good: one hour at least.
struct Hours(u32);

fn main() -> ExitCode {
    options::run(|| {
        let mut given = Options::default();
        let mut arguments = options::parser();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("hours") => given.hours = Some(value("hours", &mut arguments)?),
                Long("group") => given.groups.push(value("group", &mut arguments)?),
                Long("description") => given.description = Some(value("description", &mut arguments)?),
                Long("endpoint") => given.endpoint = Some(value("endpoint", &mut arguments)?),
                Long("ca-cert") => given.authorities = authorities(Path::new(&arguments.value()?))?,
                Long("kubeconfig") => given.kubeconfig = Some(arguments.value()?.into()),
                Short('h') | Long("help") => return print(format_args!("{USAGE}\n")),
                other => return Err(other.unexpected().into()),
            }
        }
        make(given, Time::now())
    })
}

fn make(given: Options, now: Time) -> Result<(), Error> {
    const HOUR: Duration = Duration::from_hours(1);
    let Hours(hours) = given.hours.unwrap_or(Hours(24));
    let expires = now.checked_add(HOUR * hours).ok_or("--hours: expected an end before the year 10000")?;
    let groups = if given.groups.is_empty() { vec![DEFAULT_GROUP.parse()?] } else { given.groups };
    let token = BootstrapToken::generate()?;
    let mut secret = BootstrapSecret::new(&token).expires(expires).groups(groups);
    if let Some(description) = given.description {
        secret = secret.description(description);
    }
    if let Some(file) = given.kubeconfig {
        let endpoint = given.endpoint.clone().ok_or("--kubeconfig needs --endpoint and --ca-cert")?;
        let kubeconfig = Kubeconfig::for_bootstrap(&Cluster::new(endpoint), &given.authorities, &token)
            .map_err(|error| format!("--kubeconfig needs --ca-cert: {error}"))?;
        write_new_file(&file, 0o600, &kubeconfig.to_yaml())?;
    }
    let endpoint = given.endpoint.map_or("HOST:PORT".to_owned(), |endpoint| endpoint.to_string());
    let pins: Vec<_> = match given.authorities.get(Role::KubernetesCa) {
        Some(authority) => authority.trusted().iter().map(|it| it.public_key().pin()).collect(),
        None => vec!["sha256:PIN".to_owned()],
    };
    let pins: String = pins.iter().map(|pin| format!(" --discovery-token-ca-cert-hash {pin}")).collect();
    let text = token.to_text();
    print(format_args!(
        "# Until {expires}, a machine joins by:\n# kubeadm join {endpoint} --token {}{pins}\n{}",
        *text,
        *secret.manifest().to_yaml()
    ))
}

fn authorities(file: &Path) -> Result<Authorities, Error> {
    let pem = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Authorities::from_files([("pki/ca.crt", pem)]).map_err(|error| {
        // The place within it is the one that was made up above.
        let found = error.found_instead().unwrap_or("something else");
        format!("{}: expected {}, found {found}", file.display(), error.expected()).into()
    })
}

impl FromStr for Hours {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let hours = text.parse().ok().filter(|hours| *hours > 0);
        hours.map(Self).ok_or_else(|| "expected a whole number of hours, at least 1".into())
    }
}
