//! Makes the key of a service and a request for its certificate, and prints the CertificateSigningRequest to be applied.

mod options;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use kubepki::certificates_api::CertificateSigningRequest;
use kubepki::{Cluster, DnsName, KeyAlgorithm, ObjectName, San, SignerName, role};
use lexopt::prelude::*;
use options::{Error, GoDuration, print, value, write_new};

const USAGE: &str = "usage: request_service_certificate --service NAME.NAMESPACE --signer-name SIGNER DIRECTORY [OPTION]...
  DIRECTORY                   gets server.key and server.csr; files that are there are never replaced
  --service NAME.NAMESPACE    the service, which is named NAME.NAMESPACE.svc and NAME.NAMESPACE.svc.DOMAIN
  --signer-name SIGNER        who is to sign, such as example.com/serving; no signer of kubernetes.io signs services
  [--pod NAME]...             the DNS name of a pod, such as my-pod.my-namespace.pod.cluster.local
  [--ip IP]...                an address of the service or of a pod
  [--san NAME|IP]...          any other name by which clients call it
  [--domain DOMAIN]           the domain of the cluster's DNS (cluster.local)
  [--name NAME]               of the object (NAME.NAMESPACE of the service)
  [--expires DURATION]        how long the certificate is to be valid, such as 24h; at least 10m (the signer decides)
  [--algorithm ALGORITHM]     rsa-2048, rsa-3072, rsa-4096, ecdsa-p256 or ecdsa-p384 (ecdsa-p256)
The key stays in DIRECTORY. What is printed holds no secret: | kubectl apply -f -";

struct Arguments {
    directory: PathBuf,
    cluster: Cluster,
    service: Service,
    sans: Vec<San>,
    signer_name: SignerName,
    name: Option<ObjectName>,
    expires: Option<GoDuration>,
}

/// The name of the object that the service's request has by default, and what the service is called.
struct Service(ObjectName, DnsName);

/// A signer that may sign for services.
struct OwnSigner(SignerName);

fn main() -> ExitCode {
    options::run(|| match read_arguments()? {
        Some(arguments) => request(arguments),
        None => print(format_args!("{USAGE}\n")),
    })
}

fn request(arguments: Arguments) -> Result<(), Error> {
    let Service(default_name, dns_name) = arguments.service;
    let profile = role::Service::new(&arguments.cluster, dns_name);
    let request = arguments.sans.into_iter().fold(profile, role::Service::san).profile().request()?;
    let name = arguments.name.unwrap_or(default_name);
    let mut object = CertificateSigningRequest::new(name, arguments.signer_name, &request);
    if let Some(GoDuration(lifetime)) = arguments.expires {
        object = object.expires_in(lifetime).map_err(|error| format!("--expires: {error}"))?;
    }
    let files = [("server.key", 0o600, &**request.key().to_pem()), ("server.csr", 0o644, &request.csr_pem())];
    write_new(&arguments.directory, &files)?;
    print(object.to_yaml())
}

/// `None` when only the usage is asked for.
fn read_arguments() -> Result<Option<Arguments>, Error> {
    // Of the cluster's description, a service's certificate needs the DNS domain and the key algorithm.
    let mut cluster = Cluster::new("127.0.0.1:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
    let (mut directory, mut service, mut signer_name, mut name) = (None, None, None, None);
    let (mut expires, mut sans) = (None, Vec::new());
    let mut arguments = options::parser();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(path) if directory.is_none() => directory = Some(path),
            Long("service") => service = Some(value("service", &mut arguments)?),
            Long("signer-name") => {
                let OwnSigner(name) = value("signer-name", &mut arguments)?;
                signer_name = Some(name);
            }
            Long("pod") => sans.push(value::<DnsName>("pod", &mut arguments)?.into()),
            Long("ip") => match value("ip", &mut arguments)? {
                address @ San::Ip(_) => sans.push(address),
                name => return Err(format!("--ip {name}: expected an IP address").into()),
            },
            Long("san") => sans.push(value("san", &mut arguments)?),
            Long("domain") => cluster = cluster.dns_domain(value("domain", &mut arguments)?),
            Long("name") => name = Some(value("name", &mut arguments)?),
            Long("expires") => expires = Some(value("expires", &mut arguments)?),
            Long("algorithm") => cluster = cluster.key_algorithm(value("algorithm", &mut arguments)?),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    let missing = |what: &str| format!("{what} is missing; --help shows all options");
    Ok(Some(Arguments {
        directory: Path::new(&directory.ok_or_else(|| missing("DIRECTORY"))?).to_owned(),
        cluster,
        service: service.ok_or_else(|| missing("--service NAME.NAMESPACE"))?,
        sans,
        signer_name: signer_name.ok_or_else(|| missing("--signer-name, such as example.com/serving,"))?,
        name,
        expires,
    }))
}

impl FromStr for Service {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split('.').count() {
            2 => Ok(Self(text.parse()?, format!("{text}.svc").parse()?)),
            _ => Err("expected NAME.NAMESPACE, such as my-svc.my-namespace, without .svc behind it".into()),
        }
    }
}

impl FromStr for OwnSigner {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let domain = text.split('/').next().unwrap_or_default();
        match domain == "kubernetes.io" || domain.ends_with(".kubernetes.io") {
            false => Ok(Self(text.parse()?)),
            true => Err("the signers of kubernetes.io sign for users and kubelets, and for no service: \
                         expected one of your own, such as example.com/serving"
                .into()),
        }
    }
}
