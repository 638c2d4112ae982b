//! A good machine to damage, and certificates that this library refuses to make: openssl makes them, with the
//! machine's own authorities.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kubepki::kubeconfig::Kubeconfig;
use kubepki::{
    Authorities, Certificate, Cluster, Convention, Expected, FindingId, Findings, Issuer, KeyAlgorithm,
    KubeletClientCertificate, Layout, Node, Pki, Role, Severity, Time, Usage, role,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::support::{cluster, control_plane, openssl};

/// What is said about a file.
pub(crate) type Said = (FindingId, Severity, &'static str);

/// The machines that the tests damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first of a cluster.
    ControlPlane,
    /// The same as kubeadm would name everything.
    Kubeadm,
    /// The same with everything that may be asked for.
    Everything,
    /// The same below a root.
    BelowRoot,
    /// The same with one certificate for the API server, towards its clients and kubelets.
    Shared,
    Worker,
    Member,
}

pub(crate) const KINDS: [Kind; 7] = [
    Kind::ControlPlane,
    Kind::Kubeadm,
    Kind::Everything,
    Kind::BelowRoot,
    Kind::Shared,
    Kind::Worker,
    Kind::Member,
];

pub(crate) const KUBECONFIGS: [&str; 5] =
    ["admin.conf", "controller-manager.conf", "kubelet.conf", "scheduler.conf", "super-admin.conf"];

/// A machine's root directory, and what its cluster's owner knows.
pub(crate) struct Machine {
    root: TempDir,
    pub(crate) cluster: Cluster,
    pub(crate) node: Node,
    /// The authorities whose keys are said to be elsewhere.
    pub(crate) external: Vec<Role>,
    /// The moment at which it is looked at.
    pub(crate) now: Time,
}

impl Machine {
    /// A good one: the same each time, in a directory of its own.
    pub(crate) fn new(kind: Kind) -> Self {
        static MADE: OnceLock<Vec<Made>> = OnceLock::new();
        let made = MADE.get_or_init(|| KINDS.into_iter().map(Made::new).collect());
        made.iter().find(|made| made.kind == kind).unwrap().save()
    }

    /// A control-plane node of another cluster.
    pub(crate) fn stranger() -> Self {
        Made::new(Kind::ControlPlane).save()
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::new("/etc/kubernetes").root(self.root.path())
    }

    /// Where a file lies here: one of the machine by its whole path, otherwise one below `/etc/kubernetes`.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        match file.strip_prefix('/') {
            Some(below) => self.root.path().join(below),
            None => self.root.path().join("etc/kubernetes").join(file),
        }
    }

    pub(crate) fn load(&self) -> Pki {
        Pki::load(self.layout()).unwrap()
    }

    pub(crate) fn described(&self) -> Expected {
        let expected = Expected::new(&self.cluster, &self.node).layout(self.layout());
        self.external.iter().copied().fold(expected, Expected::external)
    }

    /// What an audit says, by the description and from the files alone.
    pub(crate) fn audits(&self) -> [(Knowledge, Findings); 2] {
        let pki = self.load();
        let audit = |expected: &Expected| pki.audit(expected, self.now);
        [
            (Knowledge::Described, audit(&self.described())),
            (Knowledge::Inferred, audit(&Expected::inferred(&pki))),
        ]
    }

    pub(crate) fn said(&self, knowledge: Knowledge) -> BTreeSet<(FindingId, Severity, String)> {
        let [described, inferred] = self.audits();
        said(match knowledge {
            Knowledge::Described => &described.1,
            Knowledge::Inferred => &inferred.1,
        })
    }

    /// All files with their modes and bytes.
    pub(crate) fn files(&self) -> Vec<(String, u32, Vec<u8>)> {
        let top = self.path("");
        let mut found = Vec::new();
        let mut waiting = vec![top.clone()];
        while let Some(next) = waiting.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                let metadata = fs::symlink_metadata(&path).unwrap();
                if metadata.is_dir() {
                    waiting.push(path);
                } else if metadata.is_file() {
                    let name = path.strip_prefix(&top).unwrap().display().to_string();
                    found.push((name, metadata.permissions().mode() & 0o7777, fs::read(path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).unwrap()
    }

    pub(crate) fn text(&self, file: &str) -> String {
        String::from_utf8(self.read(file)).unwrap()
    }

    /// Writes a file, whose mode stays; a new one is its owner's alone.
    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(file);
        let is_new = !path.exists();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        if is_new {
            self.mode(file, 0o600);
        }
    }

    pub(crate) fn mode(&self, file: &str, mode: u32) {
        fs::set_permissions(self.path(file), Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap();
    }

    /// Removes whatever is at a path.
    pub(crate) fn clear(&self, file: &str) {
        let path = self.path(file);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).unwrap(),
            Ok(_) => fs::remove_file(path).unwrap(),
            Err(_) => {}
        }
    }

    /// Puts the file `from` over `to`.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        let bytes = self.read(from);
        self.write(to, bytes);
    }

    pub(crate) fn append(&self, file: &str, more: impl AsRef<[u8]>) {
        let bytes = [&self.read(file), more.as_ref()].concat();
        self.write(file, bytes);
    }

    pub(crate) fn kubeconfig(&self, file: &str, change: impl FnOnce(&mut Kubeconfig)) {
        let mut kubeconfig = Kubeconfig::from_yaml(&self.read(file)).unwrap();
        change(&mut kubeconfig);
        self.write(file, kubeconfig.to_yaml().as_bytes());
    }

    /// The first certificate in a file, or that of a kubeconfig's user.
    pub(crate) fn certificate(&self, file: &str) -> Certificate {
        let bytes = self.read(file);
        let pem = match is_kubeconfig(file) {
            true => kubeconfig_of(&bytes).unwrap().users[0].user.client_certificate_data.clone().unwrap(),
            false => bytes,
        };
        Certificate::from_pem(&pem).unwrap().remove(0)
    }

    /// Remakes the certificate in a file with its key and everything else as it was but for `change`.
    pub(crate) fn forge(&self, file: &str, change: impl FnOnce(&mut Forged)) {
        let (forged, key, certificate) = self.make_like(file, change);
        match is_kubeconfig(file) {
            true => self.kubeconfig(file, |kubeconfig| {
                kubeconfig.users[0].user.client_certificate_data = Some(certificate);
                kubeconfig.users[0].user.client_key_data = Some(Zeroizing::new(key));
            }),
            false => {
                // Those above it stay.
                let rest: String = Certificate::from_pem(&self.read(file)).unwrap()[1..]
                    .iter()
                    .map(Certificate::to_pem)
                    .collect();
                self.write(file, [&certificate, rest.as_bytes()].concat());
                if forged.key.is_some() {
                    self.write(&file.replace(".crt", ".key"), key);
                }
            }
        }
    }

    /// A certificate like that in a file.
    pub(crate) fn forged(&self, file: &str, change: impl FnOnce(&mut Forged)) -> Vec<u8> {
        self.make_like(file, change).2
    }

    /// The same for a self-signed authority; kubeconfigs get it as well.
    pub(crate) fn forge_authority(&self, file: &str, change: impl FnOnce(&mut Forged)) {
        self.forge(file, |forged| {
            forged.issuer = None;
            change(forged);
        });
        if file == "pki/ca.crt" {
            for kubeconfig in KUBECONFIGS.into_iter().filter(|name| self.path(name).exists()) {
                self.trust(kubeconfig, &self.text(file));
            }
        }
    }

    /// Has a kubeconfig trust the certificates in `pem`.
    pub(crate) fn trust(&self, file: &str, pem: &str) {
        self.kubeconfig(file, |kubeconfig| {
            kubeconfig.clusters[0].cluster.certificate_authority_data = Some(pem.into());
        });
    }

    fn make_like(&self, file: &str, change: impl FnOnce(&mut Forged)) -> (Forged, Vec<u8>, Vec<u8>) {
        let mut forged = Forged::like(&self.certificate(file), file);
        change(&mut forged);
        let key = match (&forged.key, is_kubeconfig(file)) {
            (Some(arguments), _) => new_key(arguments),
            (None, true) => kubeconfig_of(&self.read(file)).unwrap().users[0]
                .user
                .client_key_data
                .as_ref()
                .unwrap()
                .to_vec(),
            (None, false) if file.ends_with(".crt") => self.key_beside(file),
            (None, false) => panic!("{file}"),
        };
        let certificate = self.make(&forged, &key);
        (forged, key, certificate)
    }

    /// The key of a certificate's file; an authority's may be elsewhere.
    fn key_beside(&self, file: &str) -> Vec<u8> {
        let key = file.replace(".crt", ".key");
        let here = self.path(&key);
        if here.exists() { fs::read(here).unwrap() } else { self.read(&format!("/owner/{key}")) }
    }

    fn make(&self, forged: &Forged, key: &[u8]) -> Vec<u8> {
        let place = tempfile::tempdir_in(self.root.path()).unwrap();
        let at = |name: &str| place.path().join(name).display().to_string();
        fs::write(at("key"), key).unwrap();
        fs::write(at("index"), "").unwrap();
        static SERIAL: AtomicU32 = AtomicU32::new(0x5EED);
        let serial = forged.serial.clone();
        let serial = serial.unwrap_or_else(|| format!("{:08X}", SERIAL.fetch_add(1, Ordering::Relaxed)));
        fs::write(at("serial"), serial).unwrap();
        fs::write(at("conf"), forged.configuration(place.path())).unwrap();
        let conf = at("conf");
        let request =
            ["req", "-new", "-utf8", "-config", &conf, "-key", &at("key"), "-subj", &forged.subject];
        openssl(&[&request[..], &["-out", &at("request")]].concat(), b"").unwrap();
        let [certificate, own_key] = match forged.issuer {
            Some(stem) => {
                ["crt", "key"].map(|end| self.path(&format!("/owner/pki/{stem}.{end}")).display().to_string())
            }
            None => [String::new(), at("key")],
        };
        let mut command = vec!["ca", "-batch", "-notext", "-utf8", "-preserveDN", "-config", &conf];
        match forged.issuer {
            Some(_) => command.extend(["-cert", &certificate]),
            None => command.push("-selfsign"),
        }
        command.extend(["-keyfile", &own_key, "-md", forged.digest]);
        command.extend(["-startdate", &forged.from, "-enddate", &forged.until]);
        command.extend(forged.options);
        let (request, made) = (at("request"), at("made"));
        command.extend(["-in", &request, "-out", &made]);
        openssl(&command, b"")
            .unwrap_or_else(|error| panic!("{}\n{error}", forged.configuration(place.path())));
        fs::read(made).unwrap()
    }
}

/// A good machine in memory.
struct Made {
    kind: Kind,
    cluster: Cluster,
    node: Node,
    now: Time,
    pki: Pki,
    /// What lies elsewhere, by its path: the authorities with their keys, and what stands above them.
    owners: Vec<(PathBuf, Vec<u8>)>,
}

impl Made {
    fn new(kind: Kind) -> Self {
        let convention = if kind == Kind::Kubeadm { Convention::Kubeadm } else { Convention::Documented };
        let mut cluster = cluster(KeyAlgorithm::EcdsaP256, convention);
        let mut node = control_plane("cp-1", "192.0.2.10");
        let now = Time::now();
        match kind {
            Kind::Everything => {
                node = node.addresses(["192.0.2.10".parse().unwrap()]).kube_proxy();
                node = node.front_proxy_server(["metrics.example".parse().unwrap()]);
            }
            Kind::Shared => cluster = cluster.kubelet_client_certificate(KubeletClientCertificate::Shared),
            Kind::Worker => {
                node = Node::worker("w-1".parse().unwrap()).addresses(["192.0.2.20".parse().unwrap()]);
            }
            Kind::Member => {
                node = Node::etcd_member("etcd-1".parse().unwrap(), "192.0.2.30".parse().unwrap());
            }
            Kind::ControlPlane | Kind::Kubeadm | Kind::BelowRoot => {}
        }
        let mut owners = Vec::new();
        let authorities = match kind {
            Kind::BelowRoot => {
                let profile = role::RootCa::new(&cluster, "root".parse().unwrap()).profile();
                let root = Issuer::self_signed(&profile, now).unwrap();
                owners.push(("root.crt".into(), root.certificate().to_pem().into_bytes()));
                Authorities::create_under(&root, &cluster, now).unwrap()
            }
            _ => Authorities::create(&cluster, now).unwrap(),
        };
        let files = authorities.files();
        owners.extend(files.iter().map(|file| (file.path().to_owned(), file.bytes().to_vec())));
        let pki = match kind {
            Kind::Worker | Kind::Member => authorities.join(&cluster, &node, now).unwrap(),
            _ => authorities.first(&cluster, &node, now).unwrap(),
        };
        Self { kind, cluster, node, now, pki, owners }
    }

    fn save(&self) -> Machine {
        let root = tempfile::tempdir().unwrap();
        self.pki.save(root.path().join("etc/kubernetes")).unwrap();
        for (path, bytes) in &self.owners {
            let path = root.path().join("owner").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let (cluster, node) = (self.cluster.clone(), self.node.clone());
        Machine { root, cluster, node, external: Vec::new(), now: self.now }
    }
}

/// From what an audit knows what a machine must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knowledge {
    Described,
    Inferred,
}

pub(crate) const KNOWLEDGE: [Knowledge; 2] = [Knowledge::Described, Knowledge::Inferred];

pub(crate) fn said(findings: &Findings) -> BTreeSet<(FindingId, Severity, String)> {
    findings.iter().map(|it| (it.id(), it.severity(), it.file().display().to_string())).collect()
}

fn is_kubeconfig(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "conf")
}

pub(crate) fn kubeconfig_of(bytes: &[u8]) -> Option<Kubeconfig> {
    Kubeconfig::from_yaml(bytes).ok()
}

/// A new key in the form of its algorithm, by the arguments of `openssl genpkey`.
pub(crate) fn new_key(arguments: &[&str]) -> Vec<u8> {
    let key = openssl(&[&["genpkey"], arguments].concat(), b"").unwrap();
    // Ed25519 has no other form than PKCS#8.
    openssl(&["pkey", "-traditional"], &key).unwrap_or(key)
}

pub(crate) const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
pub(crate) const P521: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"];
pub(crate) const ED25519: &[&str] = &["-algorithm", "ED25519"];
pub(crate) const RSA_1024: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"];
pub(crate) const RSA_512: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"];
pub(crate) const RSA_E3: &[&str] =
    &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"];

/// A certificate as openssl makes it; its fields are in openssl's own words.
pub(crate) struct Forged {
    /// `/O=a+O=b/CN=c`.
    pub(crate) subject: String,
    /// The stem of the authority's files; `None` for a self-signed one.
    pub(crate) issuer: Option<&'static str>,
    pub(crate) constraints: &'static str,
    pub(crate) usages: String,
    pub(crate) extended: String,
    pub(crate) sans: String,
    pub(crate) identifier: String,
    pub(crate) authority_identifier: &'static str,
    /// Further lines of the section of extensions.
    pub(crate) more: &'static str,
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) digest: &'static str,
    pub(crate) serial: Option<String>,
    /// `pkix`, `utf8only`, `nombstr`: which types of text a subject gets.
    pub(crate) text: &'static str,
    /// Arguments of `openssl genpkey`; `None` for the key that is there.
    pub(crate) key: Option<&'static [&'static str]>,
    /// Further options of `openssl ca`.
    pub(crate) options: &'static [&'static str],
}

impl Forged {
    /// The same certificate.
    fn like(certificate: &Certificate, file: &str) -> Self {
        let subject = certificate.subject();
        let groups: Vec<_> = subject.organizations().collect();
        let usages = |extended: bool| {
            let usages = certificate.usages().iter().filter_map(|usage| match openssl_name(*usage) {
                (name, is_extended) if is_extended == extended => Some(name),
                _ => None,
            });
            usages.collect::<Vec<_>>().join(",")
        };
        let sans: Vec<_> = certificate.sans().iter().map(ToString::to_string).collect();
        let identifier = certificate.subject_key_identifier().unwrap_or_default();
        Self {
            subject: named(subject.common_name().unwrap_or_default(), &groups),
            issuer: Some(match file {
                _ if file.contains("etcd") => "etcd/ca",
                _ if file.contains("front-proxy") => "front-proxy-ca",
                _ => "ca",
            }),
            constraints: if certificate.is_authority() { "critical,CA:TRUE" } else { "critical,CA:FALSE" },
            usages: usages(false),
            extended: usages(true),
            sans: sans.join(","),
            identifier: identifier.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            }),
            authority_identifier: if certificate.authority_key_identifier().is_some() { "keyid" } else { "" },
            more: "",
            from: openssl_time(certificate.not_before()),
            until: openssl_time(certificate.not_after()),
            digest: "sha256",
            serial: None,
            text: "pkix",
            key: None,
            options: &[],
        }
    }

    pub(crate) fn named(&mut self, common_name: &str, groups: &[&str]) {
        self.subject = named(common_name, groups);
    }

    pub(crate) fn valid(&mut self, from: Time, until: Time) {
        (self.from, self.until) = (openssl_time(from), openssl_time(until));
    }

    pub(crate) fn without_san(&mut self, san: &str) {
        let left: Vec<_> = self.sans.split(',').filter(|it| *it != san).collect();
        assert_ne!(left.join(","), self.sans, "{san}");
        self.sans = left.join(",");
    }

    fn configuration(&self, place: &Path) -> String {
        let place = place.display();
        let mut text = format!(
            "[req]\ndistinguished_name=name\nstring_mask={}\n[name]\n[ca]\ndefault_ca=own\n[own]\n\
             new_certs_dir={place}\ndatabase={place}/index\nserial={place}/serial\n\
             policy=any\nunique_subject=no\nx509_extensions=extensions\n\
             [any]\norganizationName=optional\norganizationalUnitName=optional\ncommonName=optional\n\
             [extensions]\n",
            self.text
        );
        let critical =
            |usages: &String| if usages.is_empty() { String::new() } else { format!("critical,{usages}") };
        for (name, value) in [
            ("basicConstraints", self.constraints),
            ("keyUsage", &critical(&self.usages)),
            ("extendedKeyUsage", &self.extended),
            ("subjectAltName", &self.sans),
            // Without a word of it openssl puts them there.
            ("subjectKeyIdentifier", if self.identifier.is_empty() { "none" } else { &self.identifier }),
            (
                "authorityKeyIdentifier",
                if self.authority_identifier.is_empty() { "none" } else { self.authority_identifier },
            ),
        ] {
            if !value.is_empty() {
                writeln!(text, "{name}={value}").unwrap();
            }
        }
        text + self.more
    }
}

/// A subject for openssl.
pub(crate) fn named(common_name: &str, groups: &[&str]) -> String {
    let groups: Vec<_> = groups.iter().map(|group| format!("O={group}")).collect();
    match (groups.join("+"), common_name) {
        (groups, "") if groups.is_empty() => "/".to_owned(),
        (groups, name) if groups.is_empty() => format!("/CN={name}"),
        (groups, "") => format!("/{groups}"),
        (groups, name) => format!("/{groups}/CN={name}"),
    }
}

fn openssl_name(usage: Usage) -> (&'static str, bool) {
    match usage {
        Usage::DigitalSignature => ("digitalSignature", false),
        Usage::KeyEncipherment => ("keyEncipherment", false),
        Usage::CertSign => ("keyCertSign", false),
        Usage::CrlSign => ("cRLSign", false),
        Usage::ServerAuth => ("serverAuth", true),
        Usage::ClientAuth => ("clientAuth", true),
        other => panic!("{other}"),
    }
}

fn openssl_time(time: Time) -> String {
    time.to_string().replace(['-', ':', 'T'], "")
}

pub(crate) fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}
