//! Says whom Kubernetes sees in a client certificate, or in the current context of a kubeconfig.

mod options;

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use kubepki::kubeconfig::{Kubeconfig, User};
use kubepki::{Certificate, Time};
use lexopt::prelude::*;
use options::{Error, print, value};
use zeroize::Zeroizing;

const USAGE: &str = "usage: whoami FILE [--at RFC3339]
  FILE             a certificate in PEM (of several, the first one counts), or a kubeconfig
  --at RFC3339     the moment at which validity is judged (now)
Ends with 0, or with 2 when there is no certificate to look at.";

fn main() -> ExitCode {
    match options::run(whoami) {
        ExitCode::SUCCESS => ExitCode::SUCCESS,
        _ => ExitCode::from(2),
    }
}

fn whoami() -> Result<(), Error> {
    let (mut file, mut at) = (None, Time::now());
    let mut arguments = options::parser();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("at") => at = value("at", &mut arguments)?,
            Short('h') | Long("help") => return print(format_args!("{USAGE}\n")),
            Value(path) if file.is_none() => file = Some(path),
            other => return Err(other.unexpected().into()),
        }
    }
    let file = file.ok_or(USAGE)?;
    let file = Path::new(&file);
    let text = read(file)?;
    let report = match is_pem(&text) {
        true => identity(&first(file, &text)?, at),
        false => context(file, &text, at)?,
    };
    print(report)
}

/// User and groups as the API server sees them, and what there is to be said of them.
fn identity(certificate: &Certificate, at: Time) -> String {
    let identity = certificate.identity();
    let mut text = row("user", &identity.user().map_or("(none)".to_owned(), shown));
    for (position, group) in identity.groups().enumerate() {
        text += &row(if position == 0 { "groups" } else { "" }, &shown(group));
    }
    if identity.groups().next().is_none() {
        text += &row("groups", "(none)");
    }
    text += &identity.uid().map(|uid| row("uid", &shown(uid))).unwrap_or_default();
    text += &row("issuer", &certificate.issuer().to_string());
    text += &row("valid", &validity(certificate, at));
    for note in identity.notes() {
        _ = write!(text, "\n{}: {note}\n", note.id());
    }
    text
}

/// The same for the current context of a kubeconfig, with where it leads.
fn context(file: &Path, text: &[u8], at: Time) -> Result<String, Error> {
    let place = file.display();
    let kubeconfig = Kubeconfig::from_yaml(text)
        .map_err(|error| format!("{place}: expected a certificate in PEM or a kubeconfig: {error}"))?;
    let name = shown(&kubeconfig.current_context);
    let context =
        kubeconfig.contexts.iter().find(|context| context.name == kubeconfig.current_context).ok_or_else(
            || format!("{place}: current-context: expected the name of a context, found {name}"),
        )?;
    let user = kubeconfig.current_user().ok_or_else(|| {
        let user = shown(&context.context.user);
        format!("{place}: context {name}: expected the name of a user, found {user}")
    })?;
    let certificate = match (&user.client_certificate_data, &user.client_certificate) {
        (Some(pem), _) if !pem.is_empty() => first(file, pem)?,
        (_, Some(path)) if !path.is_empty() => {
            // As for kubectl: relative to the kubeconfig.
            let path = file.parent().unwrap_or(Path::new("")).join(path);
            first(&path, &read(&path)?)?
        }
        _ => {
            let user_name = shown(&context.context.user);
            let found = other_than_certificate(user);
            return Err(format!(
                "{place}: context {name}, user {user_name}: expected a client certificate, found {found}"
            )
            .into());
        }
    };

    let mut report = row("context", &name) + &row("cluster", &shown(&context.context.cluster));
    let server = kubeconfig.current_cluster().map_or("(no such cluster)".to_owned(), |it| shown(&it.server));
    report += &row("server", &server);
    report += &user.impersonate.iter().map(|user| row("acts as", &shown(user))).collect::<String>();
    Ok(report + &identity(&certificate, at))
}

/// How a user without a client certificate proves who he is.
fn other_than_certificate(user: &User) -> String {
    match user {
        User { exec: Some(exec), .. } => format!("exec: the program {} says who it is", shown(&exec.command)),
        User { auth_provider: Some(plugin), .. } => format!("auth-provider {}", shown(&plugin.name)),
        User { token_file: Some(path), .. } => format!("tokenFile {}", shown(path)),
        User { token: Some(_), .. } => "token".to_owned(),
        User { username: Some(_), .. } => "username and password".to_owned(),
        _ => "nothing: an anonymous user".to_owned(),
    }
}

/// The first certificate of a file: the one that a TLS client presents as its own.
fn first(file: &Path, pem: &[u8]) -> Result<Certificate, Error> {
    let certificates = Certificate::from_pem(pem).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(certificates.into_iter().next().ok_or("no certificate")?)
}

/// A file whole, which may hold a key.
fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    const LONGEST: usize = 4 << 20;
    let failed = |what: &str| format!("{}: {what}", file.display());
    // A pipe would be waited for.
    let metadata = file.metadata().map_err(|error| failed(&error.to_string()))?;
    if !metadata.is_file() {
        return Err(failed("expected a file").into());
    }
    // One buffer that never grows: no copy of a key is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let mut reader =
        File::open(file).map_err(|error| failed(&error.to_string()))?.take(u64::try_from(LONGEST)? + 1);
    reader.read_to_end(&mut bytes).map_err(|error| failed(&error.to_string()))?;
    match bytes.len() > LONGEST {
        true => Err(failed("expected at most 4 MiB").into()),
        false => Ok(bytes),
    }
}

fn is_pem(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b"-----BEGIN "))
}

fn validity(certificate: &Certificate, at: Time) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let (from, until) = (certificate.not_before(), certificate.not_after());
    let days = |later: Time, earlier: Time| match later.since(earlier).as_secs() / DAY {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let now = match () {
        () if at < from => format!("not yet, in {}", days(from, at)),
        () if at > until => format!("expired {} ago", days(at, until)),
        () => format!("{} left", days(until, at)),
    };
    format!("{from} to {until}: {now}")
}

fn row(what: &str, value: &str) -> String {
    format!("{what:9}{value}\n")
}

/// Text that others chose: quoted where it holds what a terminal would obey or a reader overlook.
fn shown(text: &str) -> String {
    let quoted = format!("{text:?}");
    match quoted.len() == text.len() + 2 && text.trim() == text && !text.is_empty() {
        true => text.to_owned(),
        false => quoted,
    }
}
