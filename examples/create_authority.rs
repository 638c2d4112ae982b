//! Makes a certificate authority of your own, such as one for a signer of `certificates.k8s.io`.

mod options;

use std::path::Path;
use std::process::ExitCode;

use kubepki::{Cluster, Issuer, Time, role};
use lexopt::prelude::*;
use options::{Error, print, value, write_new};

const USAGE: &str = "usage: create_authority --name NAME DIRECTORY [OPTION]...
  DIRECTORY                   gets ca.crt and ca.key; files that are there are never replaced
  --name NAME                 the common name of the authority, such as \"My Example Signer\"
  [--algorithm ALGORITHM]     rsa-2048, rsa-3072, rsa-4096, ecdsa-p256 or ecdsa-p384 (rsa-2048)";

fn main() -> ExitCode {
    options::run(create)
}

fn create() -> Result<(), Error> {
    // Of the cluster's description, an authority needs the key algorithm and the lifetime.
    let mut cluster = Cluster::new("127.0.0.1:6443".parse()?);
    let (mut directory, mut name) = (None, None);
    let mut arguments = options::parser();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(path) if directory.is_none() => directory = Some(path),
            Long("name") => name = Some(value("name", &mut arguments)?),
            Long("algorithm") => cluster = cluster.key_algorithm(value("algorithm", &mut arguments)?),
            Short('h') | Long("help") => return print(format_args!("{USAGE}\n")),
            other => return Err(other.unexpected().into()),
        }
    }
    let name = name.ok_or("--name is missing; --help shows all options")?;
    let directory = directory.ok_or("DIRECTORY is missing; --help shows all options")?;

    let authority = Issuer::self_signed(&role::RootCa::new(&cluster, name).profile(), Time::now())?;
    let key = authority.private_key().ok_or("the key is elsewhere")?.to_pem();
    let certificate = authority.certificate().to_pem();
    write_new(Path::new(&directory), &[("ca.key", 0o600, &key), ("ca.crt", 0o644, &certificate)])
}
