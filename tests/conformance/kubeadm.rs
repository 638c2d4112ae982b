//! What kubeadm says to our directory, and how what it makes itself differs from ours.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use base64ct::{Base64, Encoding};
use kubepki::{Cluster, Convention, KeyAlgorithm};

use crate::audit::is_clean;
use crate::judges::openssl;
use crate::programs::output;
use crate::report::{Report, Result};
use crate::root::{CERTS, Files, KUBECONFIGS, Kubeadm, Root};
use crate::support::cluster;

/// All that kubeadm has to say about directories with keys of one algorithm.
pub(crate) fn kubeadm(report: &mut Report, algorithm: KeyAlgorithm) -> Result {
    for (name, cluster) in [
        ("documented", cluster(algorithm, Convention::Documented)),
        ("kubeadm", cluster(algorithm, Convention::Kubeadm)),
        ("this kubeadm's", as_of_this_version(algorithm)?),
    ] {
        for kubeadm in Kubeadm::BOTH {
            judge(report, kubeadm, name, &cluster, algorithm)?;
        }
    }
    let ours = Root::with_ours(&as_of_this_version(algorithm)?, algorithm)?;
    compare(report, "as of this version", &ours, &Root::new(algorithm)?.fill(Kubeadm::Newest)?)
}

/// What we make of kubeadm's configuration files, beside what kubeadm makes of them.
pub(crate) fn configurations(report: &mut Report) -> Result {
    for (title, init, cluster) in [
        (
            "hardly anything",
            "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: cp-1}\n",
            "",
        ),
        (
            "names and addresses",
            "localAPIEndpoint: {advertiseAddress: 192.0.2.10, bindPort: 8443}\n\
             nodeRegistration: {name: CP-1.example.com}\n",
            "controlPlaneEndpoint: api.example.com\n\
             clusterName: production\n\
             networking: {dnsDomain: example.internal, serviceSubnet: 'fd00:1::/108,10.112.0.0/12'}\n\
             apiServer: {certSANs: [localhost, 127.0.0.1, 192.0.2.10, '*.api.example.com', '2001:db8::0:1', localhost]}\n\
             etcd: {local: {serverCertSANs: [etcd.example.com, 192.0.2.20], peerCertSANs: ['::1', peer]}}\n\
             encryptionAlgorithm: ECDSA-P384\n",
        ),
        (
            "lifetimes",
            "localAPIEndpoint: {advertiseAddress: '2001:db8::10'}\nnodeRegistration: {name: node-1}\n",
            "controlPlaneEndpoint: '[2001:db8::1]:6443'\n\
             networking: {serviceSubnet: 'fd00:1::/108'}\n\
             certificateValidityPeriod: 2000h\n\
             caCertificateValidityPeriod: 20000h0m0s\n\
             encryptionAlgorithm: RSA-3072\n",
        ),
        (
            "an external etcd",
            "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: cp-1}\n",
            "controlPlaneEndpoint: 192.0.2.1:443\n\
             etcd: {external: {endpoints: ['https://192.0.2.30:2379'], caFile: '', certFile: '', keyFile: ''}}\n\
             encryptionAlgorithm: ECDSA-P256\n",
        ),
    ] {
        let api = "apiVersion: kubeadm.k8s.io/v1beta4";
        let version = Kubeadm::Newest.version()?;
        let configuration = format!(
            "{api}\nkind: InitConfiguration\n{init}---\n\
             {api}\nkind: ClusterConfiguration\nkubernetesVersion: {version}\n{cluster}"
        );
        let [ours, theirs] = [(); 2].map(|()| Root::configured(&configuration));
        let (ours, theirs) = (ours?, theirs?.fill(Kubeadm::Newest)?);
        let mut example = Command::new("create_cluster");
        example.arg("--config").arg(ours.configuration(Kubeadm::Newest));
        output(example.arg("--out").arg(ours.kubernetes()), "")?;
        compare(report, title, &ours, &theirs)?;
    }
    Ok(())
}

fn judge(
    report: &mut Report,
    kubeadm: Kubeadm,
    convention: &str,
    cluster: &Cluster,
    algorithm: KeyAlgorithm,
) -> Result {
    let title = format!("{kubeadm}, {convention} convention");
    let root = Root::with_ours(cluster, algorithm)?;
    let used = |root: &Root, phase| root.is_used_as_it_is(kubeadm, phase);
    report.check(&format!("{title}: init phase certs all"), used(&root, CERTS));
    report.check(&format!("{title}: init phase kubeconfig all"), used(&root, KUBECONFIGS));
    report.check(&format!("{title}: certs check-expiration"), root.lists_everything(kubeadm));
    // In the documented convention kubeadm gives EC keys its own key usages; the old one knows no basic constraints.
    let verdict = root.renews_everything(kubeadm, |new, old| match (kubeadm, convention) {
        (Kubeadm::Old, _) | (_, "documented") => Ok(()),
        _ => alike(&certificate_facts(new)?, &certificate_facts(old)?).map(|_| ()),
    });
    report.check(&format!("{title}: certs renew all"), verdict);
    report.check(&format!("{title}: renewed, init phase certs all"), used(&root, CERTS));
    report.check(&format!("{title}: renewed, check_pki"), is_clean(&root, &[], &[]));

    let external = Root::with_ours(cluster, algorithm)?;
    for keys in [&["pki/ca.key"][..], &["pki/front-proxy-ca.key", "pki/etcd/ca.key"]] {
        external.remove(keys)?;
        let without = format!("{title}, without {}", keys.join(" and "));
        report.check(&format!("{without}: init phase certs all"), used(&external, CERTS));
        report.check(&format!("{without}: init phase kubeconfig all"), used(&external, KUBECONFIGS));
    }
    Ok(())
}

/// A cluster in the convention of the very kubeadm that judges.
fn as_of_this_version(algorithm: KeyAlgorithm) -> Result<Cluster> {
    Ok(cluster(algorithm, Convention::Kubeadm).kubernetes_version(Kubeadm::Newest.version()?.parse()?))
}

/// Our directory beside the one that kubeadm makes from the same configuration.
fn compare(report: &mut Report, title: &str, ours: &Root, theirs: &Root) -> Result {
    let (our_files, their_files) = (ours.files()?, theirs.files()?);
    let list = |files: &Files| -> BTreeSet<String> {
        files.iter().map(|(path, (mode, _))| format!("{mode:o} {}", path.display())).collect()
    };
    report.check(&format!("{title}: the same files and directories, with the same modes"), {
        let (ours, theirs) = (list(&our_files), list(&their_files));
        let different: Vec<_> = ours.symmetric_difference(&theirs).collect();
        match different.is_empty() {
            true => Ok(format!("{} of them", ours.len())),
            false => Err(format!("different: {different:?}").into()),
        }
    });
    for (path, (_, bytes)) in our_files.iter().filter(|(_, (_, bytes))| !bytes.is_empty()) {
        let Some((_, their_bytes)) = their_files.get(path) else { continue };
        let [one, other] =
            [(&ours, bytes), (&theirs, their_bytes)].map(|(root, bytes)| facts(root, path, bytes));
        let verdict = one.and_then(|one| alike(&one, &other?));
        report.check(&format!("{title}: ours and kubeadm's {}", path.display()), verdict);
    }
    Ok(())
}

/// What is left of a file without keys, serial numbers and times of day, line by line.
fn facts(root: &Root, path: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    let text = std::str::from_utf8(bytes)?;
    let file = root.kubernetes().join(path);
    let mut facts = labels(text);
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

/// A certificate as text and as ASN.1: what the one does not show, the other does.
fn certificate_facts(file: &Path) -> Result<Vec<String>> {
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

fn alike(ours: &[String], theirs: &[String]) -> Result<String> {
    let different = ours.iter().zip(theirs).find(|(one, other)| one != other);
    match different {
        Some((one, other)) => Err(format!("expected {other:?}, found {one:?}").into()),
        None if ours.len() != theirs.len() => {
            Err(format!("expected {} lines, found {}", theirs.len(), ours.len()).into())
        }
        None => Ok(format!("{} facts alike", ours.len())),
    }
}
