//! kubeadm in two versions, and the root of a file system that it sees as the whole.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64ct::{Base64, Encoding};
use kubepki::{Certificate, Cluster, KeyAlgorithm, Pki, Role, Time};
use serde_json::Value;

use crate::programs::output;
use crate::report::Result;
use crate::support::control_plane;

pub(crate) const CERTS: &[&str] = &["init", "phase", "certs", "all"];
pub(crate) const KUBECONFIGS: &[&str] = &["init", "phase", "kubeconfig", "all"];

/// Modes and bytes of files, by their paths; directories have no bytes.
pub(crate) type Files = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// The node that all configurations describe.
const NODE: &str = "cp-1";

/// Which kubeadm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kubeadm {
    /// The one of the Kubernetes that runs.
    Newest,
    /// 1.20: authorities with the serial number 0, and `system:masters` everywhere.
    Old,
}

impl Kubeadm {
    pub(crate) const BOTH: [Self; 2] = [Self::Newest, Self::Old];

    fn program(self) -> &'static str {
        match self {
            Self::Newest => "kubeadm",
            Self::Old => "kubeadm-1.20",
        }
    }

    /// Such as `v1.36.3`.
    pub(crate) fn version(self) -> Result<String> {
        let said = output(Command::new(self.program()).args(["version", "--output=short"]), "")?;
        Ok(said.trim().to_owned())
    }

    /// What it renews, in its own order.
    pub(crate) fn renewable(self) -> &'static [&'static str] {
        const ALL: &[&str] = &[
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
        match self {
            Self::Newest => ALL,
            Self::Old => &ALL[..10],
        }
    }

    fn configuration_file(self) -> &'static str {
        match self {
            Self::Newest => "kubeadm.yaml",
            Self::Old => "kubeadm-1.20.yaml",
        }
    }

    /// The advertise address is nobody's (RFC 5737). Without a version of Kubernetes, kubeadm would ask the internet.
    fn configuration(self, algorithm: KeyAlgorithm) -> Result<String> {
        let ecdsa = algorithm == KeyAlgorithm::EcdsaP256;
        let (api, socket, keys) = match self {
            Self::Newest => (
                "v1beta4",
                "unix:///run/containerd/containerd.sock",
                format!("encryptionAlgorithm: {}", if ecdsa { "ECDSA-P256" } else { "RSA-2048" }),
            ),
            Self::Old => (
                "v1beta2",
                "/run/containerd/containerd.sock",
                format!("featureGates: {{IPv6DualStack: true, PublicKeysECDSA: {ecdsa}}}"),
            ),
        };
        Ok(format!(
            "apiVersion: kubeadm.k8s.io/{api}\n\
             kind: InitConfiguration\n\
             localAPIEndpoint: {{advertiseAddress: 192.0.2.10, bindPort: 6443}}\n\
             nodeRegistration: {{name: {NODE}, criSocket: '{socket}'}}\n\
             ---\n\
             apiVersion: kubeadm.k8s.io/{api}\n\
             kind: ClusterConfiguration\n\
             kubernetesVersion: {}\n\
             controlPlaneEndpoint: api.example.com:6443\n\
             {keys}\n\
             apiServer: {{certSANs: [127.0.0.1]}}\n\
             networking: {{serviceSubnet: '10.96.0.0/12,fd00::/108'}}\n",
            self.version()?
        ))
    }
}

impl fmt::Display for Kubeadm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Newest => "newest kubeadm",
            Self::Old => "kubeadm 1.20",
        })
    }
}

/// The root of a file system that kubeadm sees as the whole: `certs renew` knows no other place for kubeconfigs than
/// /etc/kubernetes.
#[derive(Debug)]
pub(crate) struct Root {
    directory: tempfile::TempDir,
}

impl Root {
    /// With nothing but the configurations.
    pub(crate) fn new(algorithm: KeyAlgorithm) -> Result<Self> {
        let root = Self { directory: tempfile::tempdir()? };
        for kubeadm in Kubeadm::BOTH {
            fs::write(root.configuration(kubeadm), kubeadm.configuration(algorithm)?)?;
        }
        Ok(root)
    }

    /// With another configuration of the newest kubeadm.
    pub(crate) fn configured(configuration: &str) -> Result<Self> {
        let root = Self { directory: tempfile::tempdir()? };
        fs::write(root.configuration(Kubeadm::Newest), configuration)?;
        Ok(root)
    }

    /// With everything of a first node in /etc/kubernetes.
    pub(crate) fn with_ours(cluster: &Cluster, algorithm: KeyAlgorithm) -> Result<Self> {
        let root = Self::new(algorithm)?;
        let node = control_plane(NODE, "192.0.2.10").san(Role::ApiServer, "127.0.0.1".parse()?);
        Pki::create(cluster, &node, Time::now())?.save(root.kubernetes())?;
        Ok(root)
    }

    /// Lets kubeadm make everything of a first node.
    pub(crate) fn fill(self, kubeadm: Kubeadm) -> Result<Self> {
        for phase in [CERTS, KUBECONFIGS] {
            self.run(kubeadm, phase)?;
        }
        Ok(self)
    }

    /// The configuration of a kubeadm.
    pub(crate) fn configuration(&self, kubeadm: Kubeadm) -> PathBuf {
        self.path(kubeadm.configuration_file())
    }

    /// Where a path of the root is in the whole file system.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path.trim_start_matches('/'))
    }

    pub(crate) fn kubernetes(&self) -> PathBuf {
        self.path("/etc/kubernetes")
    }

    /// Takes files below /etc/kubernetes away.
    pub(crate) fn remove(&self, files: &[&str]) -> Result {
        for file in files {
            fs::remove_file(self.kubernetes().join(file))?;
        }
        Ok(())
    }

    /// kubelet.conf as it is once the kubelet renews its own certificate: that is in a file with a date in its name,
    /// below a link of a fixed name, and kubeadm lets kubelet.conf name the link.
    pub(crate) fn let_the_kubelet_renew(&self, kubeadm: Kubeadm) -> Result {
        let kubeconfig = fs::read_to_string(self.kubernetes().join("kubelet.conf"))?;
        let pair =
            [embedded(&kubeconfig, "client-certificate-data")?, embedded(&kubeconfig, "client-key-data")?]
                .concat();
        let name = "/var/lib/kubelet/pki/kubelet-client-2026-11-22-06-40-00.pem";
        fs::create_dir_all(self.path("/var/lib/kubelet/pki"))?;
        fs::write(self.path(name), pair)?;
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600))?;
        symlink(name, self.path("/var/lib/kubelet/pki/kubelet-client-current.pem"))?;
        self.run(kubeadm, &["init", "phase", "kubelet-finalize", "all"])?;
        let kubeconfig = fs::read_to_string(self.kubernetes().join("kubelet.conf"))?;
        match kubeconfig.contains("client-key: /var/lib/kubelet/pki/kubelet-client-current.pem") {
            true => Ok(()),
            false => Err("expected kubelet.conf to name the kubelet's file, found that it does not".into()),
        }
    }

    /// What kubeadm prints when it sees this root.
    pub(crate) fn run(&self, kubeadm: Kubeadm, arguments: &[&str]) -> Result<String> {
        // Only root may change the root; in a user namespace of one's own everybody is.
        let root = fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
        let mut command = match root {
            true => Command::new(kubeadm.program()),
            false => Command::new("unshare"),
        };
        if !root {
            command.args(["--user", "--map-root-user", kubeadm.program()]);
        }
        command.arg("--rootfs").arg(self.directory.path()).args(arguments);
        output(command.arg(format!("--config=/{}", kubeadm.configuration_file())), "")
    }

    /// Modes and bytes of all files below /etc/kubernetes, and the modes of directories.
    pub(crate) fn files(&self) -> Result<Files> {
        files_below(&self.kubernetes())
    }

    /// The same of the whole root.
    pub(crate) fn everything(&self) -> Result<Files> {
        files_below(self.directory.path())
    }

    /// The same files elsewhere.
    pub(crate) fn copy(&self) -> Result<Self> {
        let copy = Self { directory: tempfile::tempdir()? };
        output(Command::new("cp").arg("--archive").arg(self.path("/.")).arg(copy.path("/")), "")?;
        Ok(copy)
    }

    /// That a phase answers nothing but "Using ...", and changes nothing.
    pub(crate) fn is_used_as_it_is(&self, kubeadm: Kubeadm, phase: &[&str]) -> Result<String> {
        let before = self.files()?;
        let said = self.run(kubeadm, phase)?;
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
    pub(crate) fn lists_everything(&self, kubeadm: Kubeadm) -> Result<String> {
        let expected = kubeadm.renewable();
        if kubeadm == Kubeadm::Old {
            // It has no JSON: `NAME  Nov 22, 2027 06:36 UTC  364d  ca  no`, and MISSING before a name.
            let table = self.run(kubeadm, &["certs", "check-expiration"])?;
            let names: Vec<_> = table
                .lines()
                .filter(|line| !line.starts_with("CERTIFICATE"))
                .filter_map(|line| line.split_whitespace().next())
                .collect();
            return match names.iter().eq(expected.iter().chain(&AUTHORITIES)) {
                true => Ok(format!("{} certificates, {} authorities", expected.len(), AUTHORITIES.len())),
                false => Err(format!("expected {expected:?} and {AUTHORITIES:?}, found {table}").into()),
            };
        }
        let listed: Value =
            serde_json::from_str(&self.run(kubeadm, &["certs", "check-expiration", "--output=json"])?)?;
        let names = |list: &str| -> Vec<&str> {
            let entries = listed[list].as_array().into_iter().flatten();
            entries.filter(|it| it["missing"] != true).filter_map(|it| it["name"].as_str()).collect()
        };
        let (certificates, authorities) = (names("certificates"), names("certificateAuthorities"));
        if certificates != expected || authorities != AUTHORITIES {
            return Err(format!("expected {expected:?} and {AUTHORITIES:?}, found {listed}").into());
        }
        Ok(format!("{} certificates, {} authorities", certificates.len(), authorities.len()))
    }

    /// That `renew all` renews every certificate: the subject and the issuer stay. `alike` compares a file with the one
    /// that was there before in all else.
    pub(crate) fn renews_everything(
        &self,
        kubeadm: Kubeadm,
        alike: impl Fn(&Path, &Path) -> Result,
    ) -> Result<String> {
        let before = self.files()?;
        let said = self.run(kubeadm, &["certs", "renew", "all"])?;
        let renewed = said.lines().filter(|line| line.ends_with(" renewed")).count();
        if renewed != kubeadm.renewable().len() {
            return Err(format!("expected {} renewed, found {said}", kubeadm.renewable().len()).into());
        }
        let copy = self.path("before.crt");
        for (path, (_, bytes)) in &before {
            let file = self.kubernetes().join(path);
            let authority = path.file_name().is_some_and(|it| it == "ca.crt" || it == "front-proxy-ca.crt");
            if path.extension().is_none_or(|it| it != "crt") || authority {
                continue;
            }
            fs::write(&copy, bytes)?;
            alike(&file, &copy)?;
            let [old, new] = [&copy, &file].map(|file| first(file));
            let (old, new) = (old?, new?);
            if (old.subject(), old.issuer()) != (new.subject(), new.issuer()) || old == new {
                return Err(format!("{}: expected a new one of {}", path.display(), old.subject()).into());
            }
        }
        Ok(format!("{renewed} renewed"))
    }
}

/// What a field of a kubeconfig that kubeadm wrote holds.
pub(crate) fn embedded(kubeconfig: &str, field: &str) -> Result<Vec<u8>> {
    let data = kubeconfig.lines().find_map(|line| line.trim().strip_prefix(&format!("{field}: ")));
    let data = data.ok_or_else(|| format!("expected {field}, found none"))?;
    Ok(Base64::decode_vec(data).map_err(|error| error.to_string())?)
}

/// Of a symbolic link, what it points to.
fn files_below(directory: &Path) -> Result<Files> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            let metadata = fs::symlink_metadata(&path)?;
            let bytes = match metadata.is_file() {
                true => fs::read(&path)?,
                false if metadata.is_symlink() => fs::read_link(&path)?.into_os_string().into_vec(),
                false => Vec::new(),
            };
            files.insert(
                path.strip_prefix(directory)?.to_owned(),
                (metadata.permissions().mode() & 0o7777, bytes),
            );
            if metadata.is_dir() {
                waiting.push(path);
            }
        }
    }
    Ok(files)
}

const AUTHORITIES: [&str; 3] = ["ca", "etcd-ca", "front-proxy-ca"];

fn first(file: &Path) -> Result<Certificate> {
    Ok(Certificate::from_pem(&fs::read(file)?)?.into_iter().next().ok_or("no certificate")?)
}
