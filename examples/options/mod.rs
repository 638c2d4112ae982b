//! What the examples share: the options that describe a cluster, and how a program ends.

#![allow(dead_code, reason = "no example needs all of it")]

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::str::FromStr;

use kubepki::{Cluster, Subnet};
use lexopt::prelude::*;

pub(crate) type Error = Box<dyn std::error::Error>;

pub(crate) const USAGE: &str =
    "  [--convention documented|kubeadm]   whose names to use              (documented)
  [--kubernetes-version VERSION]      whose kubeadm, such as 1.36     (what all versions work with)
  [--algorithm ALGORITHM]             rsa-2048, rsa-3072, rsa-4096, ecdsa-p256 or ecdsa-p384 (rsa-2048)
  [--cluster-name NAME]               the cluster's name in kubeconfigs
  [--endpoint HOST:PORT]              where clients reach the API     (127.0.0.1:6443)
  [--service-subnet CIDR]...          one, or one of each IP family   (10.96.0.0/12)
  [--dns-domain DOMAIN]               of the cluster's DNS            (cluster.local)";

pub(crate) struct ClusterOptions {
    cluster: Cluster,
    subnets: Vec<Subnet>,
}

impl ClusterOptions {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { cluster: Cluster::new("127.0.0.1:6443".parse()?), subnets: Vec::new() })
    }

    /// Takes an option and its value; an error when it is not one of a cluster.
    pub(crate) fn take(mut self, option: &str, arguments: &mut lexopt::Parser) -> Result<Self, Error> {
        match option {
            "convention" => self.cluster = self.cluster.convention(value(option, arguments)?),
            "kubernetes-version" => {
                self.cluster = self.cluster.kubernetes_version(value(option, arguments)?);
            }
            "algorithm" => self.cluster = self.cluster.key_algorithm(value(option, arguments)?),
            "cluster-name" => self.cluster = self.cluster.name(value(option, arguments)?),
            "endpoint" => self.cluster = self.cluster.endpoint(value(option, arguments)?),
            "service-subnet" => self.subnets.push(value(option, arguments)?),
            "dns-domain" => self.cluster = self.cluster.dns_domain(value(option, arguments)?),
            _ => return Err(Long(option).unexpected().into()),
        }
        Ok(self)
    }

    pub(crate) fn cluster(self) -> Cluster {
        if self.subnets.is_empty() { self.cluster } else { self.cluster.service_subnets(self.subnets) }
    }
}

/// The value of an option, which an error names.
pub(crate) fn value<T: FromStr<Err: Display>>(
    option: &str,
    arguments: &mut lexopt::Parser,
) -> Result<T, Error> {
    let text = arguments.value()?.string()?;
    text.parse().map_err(|error| format!("--{option} {text:?}: {error}").into())
}

/// The arguments of an example without options.
pub(crate) fn arguments() -> Result<Vec<String>, Error> {
    let text =
        |argument: OsString| argument.into_string().map_err(|other| format!("{other:?} is not UTF-8").into());
    std::env::args_os().skip(1).map(text).collect()
}

/// Prints to standard output. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn print(text: impl Display) -> Result<(), Error> {
    match write!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Runs an example: its errors are for people.
pub(crate) fn run(example: impl FnOnce() -> Result<(), Error>) -> ExitCode {
    run_or(1, || example().map(|()| ExitCode::SUCCESS))
}

/// The same for an example whose own exit code says something; `failure` says that there was an error.
pub(crate) fn run_or(failure: u8, example: impl FnOnce() -> Result<ExitCode, Error>) -> ExitCode {
    example().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(failure)
    })
}
