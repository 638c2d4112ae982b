//! Programs and libraries that were not written for this crate, and say yes or no to what it makes.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) mod etcd;
pub(crate) mod go;
pub(crate) mod go_tokens;
pub(crate) mod go_types;
pub(crate) mod kubectl;
pub(crate) mod openssl;
#[cfg(test)]
mod sample;
pub(crate) mod webpki;

/// One question about a certificate chain, the same for [`openssl`], [`go`] and [`webpki`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check<'a> {
    /// PEM: the certificate in question, behind it its intermediates.
    pub(crate) chain: &'a Path,
    /// PEM: the certificates that are trusted.
    pub(crate) trusted: &'a Path,
    /// What stands at the end of the chain.
    pub(crate) anchor: Anchor,
    /// What the certificate is to be used for.
    pub(crate) usage: Usage,
    /// The DNS name or IP address that it must be good for.
    pub(crate) name: Option<&'a str>,
    /// The moment, in Unix seconds; without it, now.
    pub(crate) at: Option<u64>,
}

/// What a party proves with its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    Server,
    Client,
}

/// Whether the trusted certificate signed itself. OpenSSL wants to be told when it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Root,
    Intermediate,
}

/// A port of the loopback interface on which nobody listens, given to no other test of this process.
///
/// It lies below the range from which the system takes ports for outgoing connections.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    (0..COUNT)
        .find_map(|_| {
            let offset = std::process::id().wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
            let port = u16::try_from(FIRST + offset).ok()?;
            TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
        })
        .expect("a free port")
}

/// Runs a command to its end; a program that is missing is the machine's fault, not the test's.
fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| missing(command, &error))
}

fn missing(command: &Command, error: &std::io::Error) -> ! {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        std::io::ErrorKind::NotFound => panic!("{program} is not installed: run tests/run"),
        _ => panic!("{program}: {error}"),
    }
}

/// What a command said, when it did not succeed.
fn verdict(output: &Output) -> Result<(), String> {
    if output.status.success() { Ok(()) } else { Err(said(output)) }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stderr).trim_end(),
        String::from_utf8_lossy(&output.stdout).trim_end()
    )
}
