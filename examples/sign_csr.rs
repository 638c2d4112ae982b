//! Signs a CertificateSigningRequest as kube-controller-manager does, and prints it with its new status.
//!
//! Exit code 0: it has a certificate; 1: it has none; 2: it could not look, or it is no request.

mod options;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use kubepki::certificates_api::{CertificateSigningRequest, Outcome, SIGNING_DURATION, State, sign};
use kubepki::{Code, Issuer, ObjectName, Time};
use lexopt::prelude::*;
use options::{Error, GoDuration, print, value};

const USAGE: &str = "usage: sign_csr --ca-cert FILE --ca-key FILE FILE [OPTION]...
  FILE                        a CertificateSigningRequest in YAML or JSON; - is standard input
  --ca-cert FILE              the certificate of the authority, in PEM
  --ca-key FILE               its private key, in PEM
  [--duration DURATION]       the longest that a certificate is valid, such as 720h (8760h)
  [--at TIME]                 as if it were then, in RFC 3339 (now)
Prints the object in the format that it came in, to be sent back to the API server:
  kubectl get csr NAME -o json | sign_csr --ca-cert ca.crt --ca-key ca.key - |
      kubectl replace --raw /apis/certificates.k8s.io/v1/certificatesigningrequests/NAME/status -f -
Ends with 0 when it has a certificate; with 1 when it has none, also because a field has a value that the API server
refuses; with 2 when there is nothing to sign or to sign with: no such file, none that can be read as a request (of at most
1000 names), or no such authority.";

struct Arguments {
    file: PathBuf,
    certificate: PathBuf,
    authority: Issuer,
    duration: Duration,
    now: Time,
}

fn main() -> ExitCode {
    options::run_or(2, || match read_arguments()? {
        Some(arguments) => sign_file(&arguments),
        None => print(format_args!("{USAGE}\n")).map(|()| ExitCode::SUCCESS),
    })
}

fn sign_file(arguments: &Arguments) -> Result<ExitCode, Error> {
    let Arguments { file, certificate, authority, duration, now } = arguments;
    let place = if is_standard_input(file) { "standard input".into() } else { file.to_string_lossy() };
    let without = |why: String| {
        eprintln!("error: {place}: {why}");
        Ok(ExitCode::from(1))
    };
    let text = read(file).map_err(|error| format!("{place}: {error}"))?;
    let mut object = match CertificateSigningRequest::from_yaml(&text) {
        Ok(object) => object,
        // It can be read, and the API server would not take it.
        Err(error) if error.code() == Code::Invalid => return without(error.to_string()),
        Err(error) => return Err(format!("{place}: {error}").into()),
    };
    // Whoever runs this has chosen the authority for the signer that the request names.
    let signer_name = object.signer_name().clone();
    let outcome = match sign(&mut object, &signer_name, authority, *duration, *now) {
        Ok(outcome) => outcome,
        Err(error) if error.code() == Code::AuthorityExpired => {
            eprintln!("error: {}: {error}", certificate.display());
            return Ok(ExitCode::from(1));
        }
        Err(error) => return without(error.to_string()),
    };
    let show = |object: &CertificateSigningRequest| match text.trim_ascii_start().starts_with(b"{") {
        true => print(object.to_json()),
        false => print(object.to_yaml()),
    };
    match (&outcome, object.state()) {
        (Outcome::Issued, _) => show(&object).map(|()| ExitCode::SUCCESS),
        (_, State::Issued) => {
            eprintln!("note: {place}: {outcome}");
            show(&object).map(|()| ExitCode::SUCCESS)
        }
        (Outcome::Failed(_), _) => {
            show(&object)?;
            without(outcome.to_string())
        }
        (_, State::Pending) => without(format!("{outcome}{}", how_to_approve(&object))),
        _ => without(outcome.to_string()),
    }
}

fn how_to_approve(object: &CertificateSigningRequest) -> String {
    match object.name().parse::<ObjectName>() {
        Ok(name) => format!("; to approve it: kubectl certificate approve {name}"),
        Err(_) => String::new(),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    const LONGEST: u64 = 4 << 20;
    let input: Box<dyn Read> = match is_standard_input(file) {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(file)?),
    };
    let mut text = Vec::new();
    let mut input = input.take(LONGEST + 1);
    input.read_to_end(&mut text)?;
    match input.limit() {
        0 => Err("expected at most 4 MiB, found more than 4 MiB".into()),
        _ => Ok(text),
    }
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

/// `None` when only the usage is asked for.
fn read_arguments() -> Result<Option<Arguments>, Error> {
    let (mut file, mut certificate, mut key) = (None, None, None);
    let (mut duration, mut now) = (GoDuration(SIGNING_DURATION), None);
    let mut arguments = options::parser();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(path) if file.is_none() => file = Some(path),
            Long("ca-cert") => certificate = Some(arguments.value()?),
            Long("ca-key") => key = Some(arguments.value()?),
            Long("duration") => duration = value("duration", &mut arguments)?,
            Long("at") => now = Some(value("at", &mut arguments)?),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    let given = |path: Option<OsString>, what: &str| {
        path.map(PathBuf::from).ok_or_else(|| format!("{what} is missing; --help shows all options"))
    };
    let (certificate, key) = (given(certificate, "--ca-cert FILE")?, given(key, "--ca-key FILE")?);
    Ok(Some(Arguments {
        file: given(file, "FILE, or - for standard input,")?,
        authority: Issuer::load(&certificate, key)?,
        certificate,
        duration: duration.0,
        now: now.unwrap_or_else(Time::now),
    }))
}
