//! kubectl: whether a kubeconfig can be read, whether its TLS files are accepted, what it sends for a user, and how it
//! reads and makes objects.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{go, run, said};

fn kubectl(kubeconfig: &Path) -> Command {
    let mut command = Command::new("kubectl");
    command.env_remove("KUBECONFIG").arg("--kubeconfig").arg(kubeconfig);
    command
}

/// The kubeconfig as kubectl understood it: `kubectl config view`, JSON.
pub(crate) fn view(kubeconfig: &Path) -> Result<String, String> {
    let output = run(kubectl(kubeconfig).args(["config", "view", "--raw", "-o", "json"]));
    text(&output)
}

/// Asks the server of the kubeconfig, which must be a closed port of the loopback interface. The port's refusal is a
/// yes: kubectl reads the certificates and keys inside the kubeconfig before it dials, and says what it does not like.
/// Files that the kubeconfig names by their paths it reads later.
pub(crate) fn accepts(kubeconfig: &Path) -> Result<(), String> {
    let output = run(kubectl(kubeconfig).args(["get", "--raw", "/readyz"]));
    let refusal = text(&output).err().ok_or("somebody listens on the closed port")?;
    let refused = refusal.contains("connection refused") || refusal.contains("was refused");
    if refused { Ok(()) } else { Err(refusal) }
}

/// The headers of the request that kubectl sends for the user of a kubeconfig, whose text `make` gives for the URL of a
/// server with this certificate and key: each name, in lower case, with one value.
pub(crate) fn sends(
    certificate: &Path,
    key: &Path,
    make: impl FnOnce(&str) -> String,
) -> Result<Vec<(String, String)>, String> {
    let mut server = Command::new(go::server());
    server.args([certificate, key]).arg("127.0.0.1:0").stdout(Stdio::piped());
    let mut server = server.spawn().expect("it was just built");
    let mut lines = BufReader::new(server.stdout.take().expect("a pipe")).lines();
    let mut line = || lines.next().expect("a line").expect("text");

    let directory = tempfile::tempdir().expect("a directory");
    let kubeconfig = directory.path().join("kubeconfig");
    fs::write(&kubeconfig, make(&format!("https://127.0.0.1:{}", line()))).expect("a file");
    let sent = text(&run(kubectl(&kubeconfig).args(["get", "--raw", "/readyz"])));
    let headers = sent.map(|_| line());
    server.kill().and_then(|()| server.wait()).expect("its end");

    let headers: BTreeMap<String, Vec<String>> = serde_json::from_str(&headers?).expect("headers");
    let pairs = |(name, values): (String, Vec<String>)| {
        values.into_iter().map(move |value| (name.to_ascii_lowercase(), value))
    };
    Ok(headers.into_iter().flat_map(pairs).collect())
}

/// The object that kubectl makes for these arguments, as JSON, without asking a server.
pub(crate) fn create(arguments: &[&str]) -> Result<String, String> {
    let mut kubectl = kubectl(Path::new("/dev/null"));
    text(&run(kubectl.arg("create").args(arguments).args(["--dry-run=client", "-o", "json"])))
}

/// An object, YAML or JSON, as kubectl understood it and with an annotation (`KEY=VALUE`), in JSON. No server is asked.
pub(crate) fn annotated(object: &str, annotation: &str) -> Result<String, String> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(object.as_bytes()).expect("a file that can be written");
    let mut kubectl = kubectl(Path::new("/dev/null"));
    kubectl
        .args(["annotate", "--local", "--show-managed-fields", "-o", "json", annotation, "-f"])
        .arg(file.path());
    text(&run(&mut kubectl))
}

fn text(output: &Output) -> Result<String, String> {
    let accepted = output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned());
    accepted.ok_or_else(|| said(output))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use base64ct::{Base64, Encoding};

    use super::*;
    use crate::judges::free_port;
    use crate::judges::sample::sample;

    fn kubeconfig(name: &str, key: &Path) -> PathBuf {
        let sample = sample();
        let file = sample.directory().join(name);
        let data = |file: &Path| Base64::encode_string(&fs::read(file).unwrap());
        let text = format!(
            "{{apiVersion: v1, kind: Config, current-context: c, \
             clusters: [{{name: k, cluster: {{server: 'https://127.0.0.1:{}', \
             certificate-authority-data: {}}}}}], \
             users: [{{name: u, user: {{client-certificate-data: {}, client-key-data: {}}}}}], \
             contexts: [{{name: c, context: {{cluster: k, user: u}}}}]}}\n",
            free_port(),
            data(&sample.root),
            data(&sample.member),
            data(key),
        );
        fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn kubectl_shows_a_kubeconfig_and_refuses_what_is_none() {
        let sample = sample();
        let shown = view(&kubeconfig("shown.conf", &sample.member_key)).unwrap();
        assert!(shown.contains(r#""current-context": "c""#), "{shown}");
        view(&sample.member).unwrap_err();
    }

    #[test]
    fn kubectl_accepts_a_key_of_its_certificate_only() {
        let sample = sample();
        accepts(&kubeconfig("right.conf", &sample.member_key)).unwrap();
        let said = accepts(&kubeconfig("wrong.conf", &sample.stranger_key)).unwrap_err();
        assert!(said.contains("private key"), "{said}");
    }
}
