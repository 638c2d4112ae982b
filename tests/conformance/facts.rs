//! What a file of a directory says, line by line, and how two such files are compared.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64ct::{Base64, Encoding};

use crate::judges::openssl;
use crate::programs::output;
use crate::report::Result;
use crate::root::Root;

/// What is left of a file without keys, serial numbers and times of day, line by line. Of a certificate in it, what
/// `certificate_facts` says.
pub(crate) fn facts(
    root: &Root,
    path: &Path,
    certificate_facts: impl Fn(&Path) -> Result<Vec<String>>,
) -> Result<Vec<String>> {
    let file = root.kubernetes().join(path);
    let text = fs::read_to_string(&file)?;
    let mut facts = labels(&text);
    match path.extension().and_then(|it| it.to_str()) {
        Some("crt") => facts.extend(certificate_facts(&file)?),
        Some("conf") => {
            for line in text.lines() {
                let Some((name, data)) = line.split_once("-data: ") else {
                    facts.push(line.to_owned());
                    continue;
                };
                facts.push(format!("{name}-data"));
                let pem = Base64::decode_vec(data).map_err(|error| error.to_string())?;
                facts.extend(labels(std::str::from_utf8(&pem)?));
                if name.trim() == "client-certificate" {
                    let certificate = root.path("certificate");
                    fs::write(&certificate, &pem)?;
                    facts.extend(certificate_facts(&certificate)?);
                }
                if name.trim() == "certificate-authority" {
                    let same = pem == fs::read(root.kubernetes().join("pki/ca.crt"))?;
                    facts.push(format!("the bytes of ca.crt: {same}"));
                }
            }
            facts.push(format!("a line feed at the end: {}", text.ends_with('\n')));
        }
        extension => {
            let public: &[&str] = if extension == Some("pub") { &["-pubin"] } else { &[] };
            let mut openssl = Command::new("openssl");
            openssl.args(["pkey", "-noout", "-text", "-in"]).arg(&file).args(public);
            facts.extend(masked(&output(&mut openssl, "")?));
        }
    }
    Ok(facts)
}

/// The first and last lines of PEM blocks.
fn labels(text: &str) -> Vec<String> {
    text.lines().filter(|line| line.starts_with("-----")).map(str::to_owned).collect()
}

/// A certificate as text, with its names in one order. Whether it says of itself that it is no authority means nothing to
/// anybody, and old kubeadm does not.
pub(crate) fn essential_facts(file: &Path) -> Result<Vec<String>> {
    let mut facts = masked(&openssl::text(file));
    facts.retain(|line| line != "X509v3 Basic Constraints: critical" && line != "CA:FALSE");
    for line in facts.iter_mut().filter(|line| line.starts_with("DNS:") || line.starts_with("IP Address:")) {
        let mut names: Vec<_> = line.split(", ").collect();
        names.sort_unstable();
        *line = names.join(", ");
    }
    Ok(facts)
}

/// A certificate as text and as ASN.1: what the one does not show, the other does.
pub(crate) fn certificate_facts(file: &Path) -> Result<Vec<String>> {
    let mut facts = masked(&openssl::text(file));
    let asn1 = output(Command::new("openssl").args(["asn1parse", "-in"]).arg(file), "")?;
    let mut identifies_a_key = false;
    for line in asn1.lines() {
        // `  123:d=4  hl=2 l=  13 prim: UTCTIME           :261122045200Z`
        let depth = line.split_once("d=").and_then(|(_, rest)| rest.split_whitespace().next());
        let depth = depth.unwrap_or_default();
        let element = line.find("prim:").or_else(|| line.find("cons:")).map_or(line, |at| &line[at..]);
        let (kind, value) = element
            .split_once(":")
            .map_or((element, ""), |(_, rest)| rest.split_once(':').unwrap_or((rest, "")));
        let kind = kind.trim();
        let value = match kind {
            "INTEGER" if depth == "2" => "a serial number",
            "UTCTIME" | "GENERALIZEDTIME" => value.get(..6).unwrap_or(value),
            "OCTET STRING" | "OCTET STRING      [HEX DUMP]" if identifies_a_key => "a key identifier",
            _ => value,
        };
        identifies_a_key = match kind {
            "OBJECT" => value.ends_with("Key Identifier"),
            // Between the two there may stand whether the extension is critical.
            _ => identifies_a_key && kind == "BOOLEAN",
        };
        facts.push(format!("{depth} {kind} {value}"));
    }
    Ok(facts)
}

/// Text of openssl without the numbers that differ every time.
fn masked(text: &str) -> Vec<String> {
    let mut facts = Vec::new();
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix("keyid:").unwrap_or(line);
        let hexadecimal = |octet: &str| octet.len() <= 2 && octet.bytes().all(|it| it.is_ascii_hexdigit());
        if !line.is_empty() && line.split(':').all(hexadecimal) {
            continue;
        }
        if line.starts_with("Serial Number:") {
            facts.push("Serial Number".to_owned());
        } else if line.starts_with("Not ") {
            let words = line.split_whitespace().filter(|word| word.matches(':').count() != 2);
            facts.push(words.collect::<Vec<_>>().join(" "));
        } else {
            facts.push(line.to_owned());
        }
    }
    facts
}

/// That both are the same.
pub(crate) fn alike(found: &[String], expected: &[String]) -> Result<String> {
    let different = found.iter().zip(expected).find(|(one, other)| one != other);
    match different {
        Some((one, other)) => Err(format!("expected {other:?}, found {one:?}").into()),
        None if found.len() != expected.len() => {
            Err(format!("expected {} lines, found {}", expected.len(), found.len()).into())
        }
        None => Ok(format!("{} facts alike", found.len())),
    }
}
