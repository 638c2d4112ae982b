//! The report for programs: JSON, as docs/report.md says, and the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Report;
use super::certificates::Entry;
use crate::document::{Value, text, to_json};
use crate::finding::{Finding, Findings, Severity};
use crate::text::Printable;

/// Of the JSON: it changes when a field changes its meaning or goes away, not when one is added.
const VERSION: i128 = 1;

impl Report<'_> {
    /// The report as JSON. `docs/report.md` of this project says what each field means.
    #[must_use]
    pub fn to_json(&self) -> String {
        let certificates = self.certificates.iter().map(|entry| self.certificate(entry)).collect();
        to_json(&Value::map([
            ("version", Value::Integer(VERSION)),
            ("at", text(self.now)),
            ("findings", list(self.findings)),
            ("certificates", Value::List(certificates)),
        ]))
        .to_string()
    }

    fn certificate(&self, entry: &Entry) -> Value {
        let Entry { role, file, certificate, signer, .. } = entry;
        let left = certificate.not_after().unix() - self.now.unix();
        Value::map([
            ("file", text(file.display())),
            ("role", text(role)),
            ("subject", text(certificate.subject())),
            ("issuer", text(certificate.issuer())),
            ("signed_by", signer.map_or(Value::Null, text)),
            ("serial_number", text(hex(certificate.serial_number()))),
            ("not_before", text(certificate.not_before())),
            ("not_after", text(certificate.not_after())),
            ("seconds_left", Value::Integer(left.into())),
            ("sans", Value::List(certificate.sans().iter().map(text).collect())),
            ("usages", Value::List(certificate.usages().iter().map(text).collect())),
            ("fingerprint", text(hex(&certificate.fingerprint()))),
        ])
    }

    /// The report in the text format of Prometheus (exposition format 0.0.4), for a file that an exporter
    /// reads: when each certificate begins and expires, and how many findings there are of each severity.
    ///
    /// Certificates of one file and one subject, as in a bundle of authorities, are one line: the earliest
    /// expiry and the latest beginning.
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let mut times = BTreeMap::<_, (i64, i64)>::new();
        for entry in &self.certificates {
            let certificate = &entry.certificate;
            let labels = format!(
                "file=\"{}\",role=\"{}\",subject=\"{}\"",
                label(entry.file.display()),
                label(entry.role),
                label(certificate.subject())
            );
            let (begins, expires) = (certificate.not_before().unix(), certificate.not_after().unix());
            let known = times.entry(labels).or_insert((begins, expires));
            *known = (known.0.max(begins), known.1.min(expires));
        }
        let severities = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
            let count = self.findings.iter().filter(|finding| finding.severity() == severity).count();
            (format!("severity=\"{severity}\""), count)
        });
        let mut text = String::new();
        let expiries = times.iter().map(|(labels, (_, expires))| (labels, *expires));
        let help = "The last second of a certificate's validity, since 1970.";
        gauge(&mut text, "kubepki_certificate_expiration_timestamp_seconds", help, expiries);
        let beginnings = times.iter().map(|(labels, (begins, _))| (labels, *begins));
        let help = "The first second of a certificate's validity, since 1970.";
        gauge(&mut text, "kubepki_certificate_not_before_timestamp_seconds", help, beginnings);
        let help = "What an audit found, by severity.";
        gauge(&mut text, "kubepki_findings", help, severities.iter().map(|(labels, count)| (labels, count)));
        text
    }
}

impl Findings {
    /// The findings as JSON: the list `findings` of a [report](Report::to_json).
    #[must_use]
    pub fn to_json(&self) -> String {
        to_json(&list(self)).to_string()
    }
}

fn list(findings: &Findings) -> Value {
    Value::List(findings.iter().map(finding).collect())
}

fn finding(finding: &Finding) -> Value {
    Value::map([
        ("id", text(finding.id())),
        ("severity", text(finding.severity())),
        ("file", text(finding.file().display())),
        ("role", finding.role().map_or(Value::Null, text)),
        ("expected", text(finding.expected())),
        ("found", text(finding.found())),
        ("mend", text(finding.mend())),
    ])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Escaped as the format says: backslash, quotation mark and line break; control characters are escaped
/// before.
fn label(value: impl std::fmt::Display) -> String {
    Printable(value).to_string().replace('\\', "\\\\").replace('"', "\\\"")
}

fn gauge<'a, N: std::fmt::Display>(
    text: &mut String,
    name: &str,
    help: &str,
    samples: impl Iterator<Item = (&'a String, N)>,
) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{{{labels}}} {value}");
    }
}
