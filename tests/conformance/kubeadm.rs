//! What kubeadm says to our directory, and how what it makes itself differs from ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64ct::{Base64, Encoding};
use kubepki::{Certificate, Cluster, Convention, KeyAlgorithm, Pki, Time};
use serde_json::Value;

use crate::judges::openssl;
use crate::programs::{kubernetes_version, output};
use crate::report::{Report, Result};
use crate::support::{cluster, control_plane};

const CERTS: &[&str] = &["init", "phase", "certs", "all"];
const KUBECONFIGS: &[&str] = &["init", "phase", "kubeconfig", "all"];

const RENEWABLE: [&str; 11] = [
    "admin.conf",
    "apiserver",
    "apiserver-etcd-client",
    "apiserver-kubelet-client",
    "controller-manager.conf",
    "etcd-healthcheck-client",
    "etcd-peer",
    "etcd-server",
    "front-proxy-client",
    "scheduler.conf",
    "super-admin.conf",
];

/// All that kubeadm has to say about directories with keys of one algorithm.
pub(crate) fn kubeadm(report: &mut Report, algorithm: KeyAlgorithm) -> Result {
    for (name, cluster) in [
        ("documented", cluster(algorithm, Convention::Documented)),
        ("kubeadm", cluster(algorithm, Convention::Kubeadm)),
        ("this kubeadm's", as_of_this_version(algorithm)?),
    ] {
        let root = Root::with_ours(&cluster, algorithm)?;
        report.check(&format!("{name} convention: init phase certs all"), root.is_used_as_it_is(CERTS));
        report.check(
            &format!("{name} convention: init phase kubeconfig all"),
            root.is_used_as_it_is(KUBECONFIGS),
        );
        report.check(&format!("{name} convention: certs check-expiration"), root.lists_everything());
        report.check(
            &format!("{name} convention: certs renew all"),
            root.renews_everything(name != "documented"),
        );
        report.check(
            &format!("{name} convention: renewed, init phase certs all"),
            root.is_used_as_it_is(CERTS),
        );

        let external = Root::with_ours(&cluster, algorithm)?;
        for keys in [&["pki/ca.key"][..], &["pki/front-proxy-ca.key", "pki/etcd/ca.key"]] {
            for key in keys {
                fs::remove_file(external.kubernetes().join(key))?;
            }
            let without = format!("{name} convention, without {}", keys.join(" and "));
            report.check(&format!("{without}: init phase certs all"), external.is_used_as_it_is(CERTS));
            report.check(
                &format!("{without}: init phase kubeconfig all"),
                external.is_used_as_it_is(KUBECONFIGS),
            );
        }
    }
    compare(report, algorithm)
}

/// A cluster in the convention of the very kubeadm that judges.
fn as_of_this_version(algorithm: KeyAlgorithm) -> Result<Cluster> {
    Ok(cluster(algorithm, Convention::Kubeadm).kubernetes_version(kubernetes_version()?.parse()?))
}

/// Our directory in kubeadm's convention beside one that kubeadm made from nothing.
fn compare(report: &mut Report, algorithm: KeyAlgorithm) -> Result {
    let (ours, theirs) =
        (Root::with_ours(&as_of_this_version(algorithm)?, algorithm)?, Root::new(algorithm)?);
    for phase in [CERTS, KUBECONFIGS] {
        theirs.kubeadm(phase)?;
    }
    let (our_files, their_files) = (ours.files()?, theirs.files()?);
    let list = |files: &BTreeMap<PathBuf, (u32, Vec<u8>)>| -> BTreeSet<String> {
        files.iter().map(|(path, (mode, _))| format!("{mode:o} {}", path.display())).collect()
    };
    report.check("the same files and directories, with the same modes", {
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
        report.check(&format!("ours and kubeadm's {}", path.display()), verdict);
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
                    let certificate = root.directory.path().join("certificate");
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

/// The root of a file system that kubeadm sees as the whole: `certs renew` knows no other place for kubeconfigs than
/// /etc/kubernetes.
struct Root {
    directory: tempfile::TempDir,
}

impl Root {
    /// With nothing but a configuration. The advertise address is nobody's (RFC 5737).
    fn new(algorithm: KeyAlgorithm) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let version = kubernetes_version()?;
        let algorithm = match algorithm {
            KeyAlgorithm::EcdsaP256 => "ECDSA-P256",
            _ => "RSA-2048",
        };
        let configuration = format!(
            "apiVersion: kubeadm.k8s.io/v1beta4\n\
             kind: InitConfiguration\n\
             localAPIEndpoint: {{advertiseAddress: 192.0.2.10, bindPort: 6443}}\n\
             nodeRegistration: {{name: cp-1, criSocket: 'unix:///run/containerd/containerd.sock'}}\n\
             ---\n\
             apiVersion: kubeadm.k8s.io/v1beta4\n\
             kind: ClusterConfiguration\n\
             kubernetesVersion: {}\n\
             controlPlaneEndpoint: api.example.com:6443\n\
             encryptionAlgorithm: {algorithm}\n\
             networking: {{serviceSubnet: '10.96.0.0/12,fd00::/108'}}\n",
            version
        );
        fs::write(directory.path().join("kubeadm.yaml"), configuration)?;
        Ok(Self { directory })
    }

    /// With everything of a first node in /etc/kubernetes.
    fn with_ours(cluster: &Cluster, algorithm: KeyAlgorithm) -> Result<Self> {
        let root = Self::new(algorithm)?;
        Pki::create(cluster, &control_plane("cp-1", "192.0.2.10"), Time::now())?.save(root.kubernetes())?;
        Ok(root)
    }

    fn kubernetes(&self) -> PathBuf {
        self.directory.path().join("etc/kubernetes")
    }

    fn kubeadm(&self, arguments: &[&str]) -> Result<String> {
        // Only root may change the root; in a user namespace of one's own everybody is.
        let root = fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0);
        let mut command = match root {
            true => Command::new("kubeadm"),
            false => Command::new("unshare"),
        };
        if !root {
            command.args(["--user", "--map-root-user", "kubeadm"]);
        }
        command.arg("--rootfs").arg(self.directory.path()).args(arguments);
        output(command.arg("--config=/kubeadm.yaml"), "")
    }

    /// Modes and bytes of all files below /etc/kubernetes, and the modes of directories.
    fn files(&self) -> Result<BTreeMap<PathBuf, (u32, Vec<u8>)>> {
        let mut files = BTreeMap::new();
        let mut waiting = vec![self.kubernetes()];
        while let Some(next) = waiting.pop() {
            for entry in fs::read_dir(next)? {
                let path = entry?.path();
                let mode = fs::metadata(&path)?.permissions().mode() & 0o7777;
                let relative = path.strip_prefix(self.kubernetes())?.to_owned();
                if path.is_dir() {
                    files.insert(relative, (mode, Vec::new()));
                    waiting.push(path);
                } else {
                    files.insert(relative, (mode, fs::read(path)?));
                }
            }
        }
        Ok(files)
    }

    /// That a phase answers nothing but "Using ...", and changes nothing.
    fn is_used_as_it_is(&self, phase: &[&str]) -> Result<String> {
        let before = self.files()?;
        let said = self.kubeadm(phase)?;
        let uses = |line: &&str| line.contains("] Using ") || line.contains(" mode: Using user provided ");
        if let Some(other) = said.lines().find(|line| !line.trim().is_empty() && !uses(line)) {
            return Err(format!("expected \"Using existing\" alone, found {other}").into());
        }
        if self.files()? != before {
            return Err("expected that no file is changed, found that some are".into());
        }
        Ok(format!("\"Using existing\" alone, {} times", said.lines().count() - 1))
    }

    /// That `check-expiration` finds everything, each below its authority.
    fn lists_everything(&self) -> Result<String> {
        let listed: Value =
            serde_json::from_str(&self.kubeadm(&["certs", "check-expiration", "--output=json"])?)?;
        let names = |list: &str| -> Vec<&str> {
            let entries = listed[list].as_array().into_iter().flatten();
            entries.filter(|it| it["missing"] != true).filter_map(|it| it["name"].as_str()).collect()
        };
        let (certificates, authorities) = (names("certificates"), names("certificateAuthorities"));
        if certificates != RENEWABLE || authorities != ["ca", "etcd-ca", "front-proxy-ca"] {
            return Err(format!("expected {RENEWABLE:?} and three authorities, found {listed}").into());
        }
        Ok(format!("{} certificates, {} authorities", certificates.len(), authorities.len()))
    }

    /// That `renew all` renews each certificate, which then has the same subject and issuer, or is alike in everything
    /// but key, serial number and time. In the documented convention kubeadm gives EC keys its own key usages.
    fn renews_everything(&self, alike_otherwise: bool) -> Result<String> {
        let before = self.files()?;
        let said = self.kubeadm(&["certs", "renew", "all"])?;
        let renewed = said.lines().filter(|line| line.ends_with(" renewed")).count();
        if renewed != RENEWABLE.len() {
            return Err(format!("expected {} renewed, found {said}", RENEWABLE.len()).into());
        }
        let copy = self.directory.path().join("before.crt");
        for (path, (_, bytes)) in &before {
            let file = self.kubernetes().join(path);
            let authority = path.file_name().is_some_and(|it| it == "ca.crt" || it == "front-proxy-ca.crt");
            if path.extension().is_none_or(|it| it != "crt") || authority {
                continue;
            }
            fs::write(&copy, bytes)?;
            if alike_otherwise {
                alike(&certificate_facts(&file)?, &certificate_facts(&copy)?)?;
            }
            let [old, new] = [&copy, &file].map(|file| first(file));
            let (old, new) = (old?, new?);
            if (old.subject(), old.issuer()) != (new.subject(), new.issuer()) || old == new {
                return Err(format!("{}: expected a new one of {}", path.display(), old.subject()).into());
            }
        }
        Ok(format!("{renewed} renewed"))
    }
}

fn first(file: &Path) -> Result<Certificate> {
    Ok(Certificate::from_pem(&fs::read(file)?)?.into_iter().next().ok_or("no certificate")?)
}
