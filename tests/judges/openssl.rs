//! The openssl command: RFC 5280 details that Go and webpki let pass.

use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use super::{Anchor, Check, Usage, run, said, verdict};

fn openssl() -> Command {
    Command::new("openssl")
}

/// `openssl verify -x509_strict` for one purpose, and for a name.
pub(crate) fn verify(check: &Check<'_>) -> Result<(), String> {
    let mut command = openssl();
    command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-purpose"]);
    command.arg(match check.usage {
        Usage::Server => "sslserver",
        Usage::Client => "sslclient",
    });
    if check.anchor == Anchor::Intermediate {
        command.arg("-partial_chain");
    }
    if let Some(name) = check.name {
        let option = if name.parse::<IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
        command.args([option, name]);
    }
    if let Some(at) = check.at {
        command.arg("-attime").arg(at.to_string());
    }
    // Of the file in question openssl reads the first certificate only; the intermediates come as untrusted ones.
    command.arg("-untrusted").arg(check.chain).arg("-CAfile").arg(check.trusted).arg(check.chain);
    verdict(&run(&mut command))
}

/// `openssl pkey -check`: whether the numbers of a private key belong together.
pub(crate) fn check_key(key: &Path) -> Result<(), String> {
    verdict(&run(openssl().args(["pkey", "-check", "-noout", "-in"]).arg(key)))
}

/// `openssl x509 -text`: the certificate as people know it.
pub(crate) fn text(certificate: &Path) -> String {
    let output = run(openssl().args(["x509", "-text", "-noout", "-in"]).arg(certificate));
    assert!(output.status.success(), "{}: {}", certificate.display(), said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The extensions of a certificate in their order, by openssl's names: `X509v3 Key Usage: critical`.
pub(crate) fn extensions(certificate: &Path) -> Vec<String> {
    text(certificate)
        .lines()
        .skip_while(|line| line.trim() != "X509v3 extensions:")
        .filter_map(|line| {
            let name = line.strip_prefix("            ")?;
            (!name.starts_with(' ')).then(|| name.trim_end().trim_end_matches(':').to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judges::sample::sample;

    #[test]
    fn openssl_accepts_a_chain_for_its_purpose_and_names_only() {
        let sample = sample();
        let check = sample.check();
        verify(&check).unwrap();
        verify(&Check { name: Some("127.0.0.1"), ..check }).unwrap();
        for (wrong, complaint) in [
            (Check { name: Some("other.example.com"), ..check }, "hostname mismatch"),
            (Check { name: Some("192.0.2.1"), ..check }, "IP address mismatch"),
            (Check { usage: Usage::Client, ..check }, "purpose"),
            (Check { at: Some(946_684_800), ..check }, "not yet valid"),
            (Check { trusted: &sample.stranger, ..check }, "unable to get"),
        ] {
            let said = verify(&wrong).unwrap_err();
            assert!(said.contains(complaint), "{wrong:?}: {said}");
        }
    }

    #[test]
    fn openssl_wants_to_be_told_of_an_anchor_below_a_root() {
        let sample = sample();
        let check = Check { trusted: &sample.intermediate, ..sample.check() };
        verify(&check).unwrap_err();
        verify(&Check { anchor: Anchor::Intermediate, ..check }).unwrap();
    }

    #[test]
    fn openssl_checks_keys_and_names_extensions_in_their_order() {
        let sample = sample();
        check_key(&sample.key).unwrap();
        check_key(&sample.chain).unwrap_err();
        assert_eq!(
            extensions(&sample.chain),
            [
                "X509v3 Key Usage: critical",
                "X509v3 Extended Key Usage",
                "X509v3 Subject Alternative Name",
                "X509v3 Authority Key Identifier",
                "X509v3 Subject Key Identifier",
            ]
        );
    }
}
