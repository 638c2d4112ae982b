//! Files that may be anything, and what real clusters hold that is unusual and right.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use kubepki::Severity::{self, Error, Note, Warning};
use kubepki::kubeconfig::{NamedUser, User};
use kubepki::{Convention, FindingId as Id, Layout, Pki, Role};

use super::damages::renewed_by_the_kubelet;
use super::machine::{
    ED25519, Forged, KINDS, KUBECONFIGS, Kind, Knowledge, Machine, P256, P521, RSA_1024, new_key, said,
};
use crate::disk::is_root;
use crate::support::{authority, example, openssl};

/// Longer than judging a machine takes anywhere, and shorter than reading what is endless.
const LONG: Duration = Duration::from_secs(20);

/// What it is, and how it gets into a file's place.
type Junk = (&'static str, fn(&Machine, &str));
/// What it is, and how it is made.
type Key = (&'static str, fn() -> Vec<u8>);

/// What may stand in a file's place; no part of the role table can use it.
const ANYTHING: &[Junk] = &[
    ("nothing", |m, file| m.write(file, "")),
    ("1 GiB of zeros", |m, file| File::create(m.path(file)).unwrap().set_len(1 << 30).unwrap()),
    ("a directory", |m, file| {
        m.clear(file);
        fs::create_dir(m.path(file)).unwrap();
    }),
    ("a pipe", |m, file| {
        m.clear(file);
        assert!(Command::new("mkfifo").arg(m.path(file)).status().unwrap().success());
    }),
    ("a link out of the directory", |m, file| {
        m.clear(file);
        symlink("../../../../../../../../../../../../etc/hostname", m.path(file)).unwrap();
    }),
    ("a link to nothing", |m, file| {
        m.clear(file);
        symlink("nothing", m.path(file)).unwrap();
    }),
    ("a link to itself", |m, file| {
        m.clear(file);
        symlink(m.path(file).file_name().unwrap(), m.path(file)).unwrap();
    }),
    ("a link to a device", |m, file| {
        m.clear(file);
        symlink("/dev/zero", m.path(file)).unwrap();
    }),
    ("bytes", |m, file| m.write(file, (0..=255_u8).cycle().skip(128).take(3000).collect::<Vec<_>>())),
    ("half of itself", |m, file| {
        let bytes = m.read(file);
        m.write(file, &bytes[..bytes.len() / 2 + 13]);
    }),
    ("a certificate request", |m, file| {
        let key = m.path("pki/sa.key").display().to_string();
        let request = openssl(&["req", "-new", "-subj", "/CN=a", "-key", &key], b"").unwrap();
        m.write(file, request);
    }),
    ("YAML with anchors", |m, file| m.write(file, "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n")),
    ("a key that stands twice", |m, file| m.write(file, "apiVersion: v1\nkind: Config\nkind: Config\n")),
    ("deep YAML", |m, file| m.write(file, "{a: ".repeat(100_000))),
];

/// What is long, for one file of each kind.
const LONG_TEXTS: &[Junk] = &[
    ("100 MB of YAML", |m, file| m.write(file, "a: [b]\n".repeat(14_000_000))),
    ("4 MB of YAML", |m, file| m.write(file, "- a\n".repeat(1_000_000))),
    ("4 MB without a line break", |m, file| m.write(file, "[".repeat(4_000_000))),
    ("many blocks", |m, file| m.write(file, "-----BEGIN X-----\n-----END X-----\n".repeat(100_000))),
];

#[test]
fn whatever_stands_for_a_file_is_an_error_of_that_file_alone() {
    let machine = Machine::new(Kind::Everything);
    let mut wrong = Vec::new();
    for (name, mode, bytes) in machine.files() {
        let is_first = ["admin.conf", "pki/ca.crt", "pki/ca.key", "pki/sa.pub"].contains(&name.as_str());
        let long = if is_first { LONG_TEXTS } else { &[] };
        for (what, put) in ANYTHING.iter().chain(long) {
            put(&machine, &name);
            let start = Instant::now();
            for (knowledge, findings) in machine.audits() {
                let is_error = findings.iter().any(|it| it.severity() == Error);
                if !is_error || findings.iter().any(|it| it.file() != name.as_str()) {
                    wrong.push(format!("{name} is {what}, {knowledge:?}:\n{findings}"));
                }
            }
            assert!(start.elapsed() < LONG, "{name} is {what}: {:?}", start.elapsed());
            machine.clear(&name);
            machine.write(&name, &bytes);
            machine.mode(&name, mode);
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n"));
    let [(_, described), (_, inferred)] = machine.audits();
    assert!(described.is_empty() && inferred.is_empty(), "what was put back: {described}{inferred}");
}

/// Keys that do not go with what stands beside them.
const KEYS: &[Key] = &[
    ("a new key", || new_key(P256)),
    ("Ed25519", || new_key(ED25519)),
    ("P-521", || new_key(P521)),
    ("RSA of 1024 bits", || new_key(RSA_1024)),
    ("an encrypted key", || openssl(&["pkcs8", "-topk8", "-passout", "pass:a"], &new_key(P256)).unwrap()),
    ("an EC key in PKCS#8", || openssl(&["pkcs8", "-topk8", "-nocrypt"], &new_key(P256)).unwrap()),
];

#[test]
fn a_key_of_another_kind_is_an_error_of_that_key_alone() {
    let machine = Machine::new(Kind::Everything);
    let mut wrong = Vec::new();
    for (name, _, bytes) in machine.files() {
        let is_key = name.ends_with(".key");
        if !is_key && !name.ends_with(".conf") {
            continue;
        }
        for (what, key) in KEYS {
            match is_key {
                true => machine.write(&name, key()),
                false => {
                    machine.kubeconfig(&name, |it| it.users[0].user.client_key_data = Some(key().into()))
                }
            }
            // sa.key may be any that signs tokens; sa.pub then lacks its public half.
            let blamed = match (name.as_str(), *what) {
                ("pki/sa.key", "a new key" | "RSA of 1024 bits" | "an EC key in PKCS#8") => "pki/sa.pub",
                (name, _) => name,
            };
            for (knowledge, findings) in machine.audits() {
                let files = [name.as_str(), blamed];
                let is_error = findings.iter().any(|it| it.severity() == Error && it.file() == blamed);
                if !is_error || findings.iter().any(|it| files.iter().all(|file| it.file() != *file)) {
                    wrong.push(format!("{name} is {what}, {knowledge:?}:\n{findings}"));
                }
            }
        }
        machine.write(&name, &bytes);
    }
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn absurd_dates_are_findings_of_their_file() {
    let mut wrong = Vec::new();
    for (name, ..) in Machine::new(Kind::Everything).files() {
        if !name.ends_with(".crt") && !name.ends_with(".conf") {
            continue;
        }
        let is_authority = name.ends_with("ca.crt");
        for (from, until) in [
            ("19500101000000Z", "19510101000000Z"),
            ("19500101000000Z", "99991231235959Z"),
            ("20200101000000Z", "99991231235959Z"),
            ("99991231235958Z", "99991231235959Z"),
            ("20400101000000Z", "20200101000000Z"),
        ] {
            let machine = Machine::new(Kind::Everything);
            match is_authority {
                true => {
                    machine.forge_authority(&name, |it| (it.from, it.until) = (from.into(), until.into()))
                }
                false => machine.forge(&name, |it| (it.from, it.until) = (from.into(), until.into())),
            }
            // RFC 5280, section 4.1.2.5: an end that is no end.
            let is_fine = is_authority && (from, until) == ("20200101000000Z", "99991231235959Z");
            for (knowledge, findings) in machine.audits() {
                let about = findings.iter().filter(|it| it.file() == name.as_str()).count();
                // What an authority has issued outlives it; kubeconfigs hold its certificate.
                let is_about_others = |it: &kubepki::Finding| {
                    let holds_it = name == "pki/ca.crt" && KUBECONFIGS.iter().any(|file| it.file() == *file);
                    it.file() != name.as_str() && it.id() != Id::OutlivesAuthority && !holds_it
                };
                if (about == 0) != is_fine || findings.iter().any(is_about_others) {
                    wrong.push(format!("{name} {from} to {until}, {knowledge:?}:\n{findings}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_machine_of_huge_files_is_judged_in_little_memory() {
    let machine = Machine::new(Kind::Everything);
    let files = machine.files();
    for (index, (name, ..)) in files.iter().enumerate() {
        match index % 2 {
            0 => File::create(machine.path(name)).unwrap().set_len(1 << 30).unwrap(),
            _ => machine.write(name, "[".repeat(4_000_000)),
        }
    }
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 262144; exec \"$@\"", "sh"]).arg(example("check_pki"));
    let output = command.arg("/etc/kubernetes").arg("--root").arg(machine.path("/")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    for (name, ..) in files {
        assert!(said.contains(&name), "{name} is not in:\n{said}");
    }
}

#[test]
fn what_another_user_may_not_read_is_said_and_the_rest_is_judged() {
    let machine = Machine::new(Kind::ControlPlane);
    let program = machine.path("/check_pki");
    fs::copy(example("check_pki"), &program).unwrap();
    machine.mode("/", 0o755);
    for (name, ..) in machine.files() {
        machine.mode(&name, 0o644);
    }
    machine.mode("pki/apiserver.crt", 0o600);
    let mut command = match is_root() {
        false => Command::new(&program),
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
            command
        }
    };
    if !is_root() {
        machine.mode("pki/apiserver.crt", 0o000);
    }
    let output =
        command.args(["--json", "/etc/kubernetes", "--root"]).arg(machine.path("/")).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = |id: &str| -> Vec<&str> {
        let findings = said["findings"].as_array().unwrap().iter();
        findings.filter(|it| it["id"] == id).map(|it| it["file"].as_str().unwrap()).collect()
    };
    assert_eq!(files("unreadable-file"), ["pki/apiserver.crt"]);
    assert_eq!(files("key-readable-by-others").len(), 16, "{said}");
    assert_eq!(said["findings"].as_array().unwrap().len(), 17, "{said}");
}

/// What is unusual and right: what it is, and the worst that may be said about it.
type Unusual = (&'static str, Kind, Option<Severity>, fn(&mut Machine));

pub(crate) const UNUSUAL: &[Unusual] = &[
    ("an authority has the serial number 0", Kind::Kubeadm, None, |m| {
        m.forge_authority("pki/ca.crt", |it| it.serial = Some("00".into()));
    }),
    ("an authority has no common name", Kind::ControlPlane, Some(Note), |m| {
        reissue(m, "ca", |it| it.subject = "/O=Talos".into(), |_| {});
    }),
    ("an authority has an empty subject", Kind::ControlPlane, Some(Note), |m| {
        reissue(m, "etcd/ca", |it| it.subject = "/".into(), |_| {});
    }),
    ("no key identifiers anywhere", Kind::ControlPlane, None, |m| {
        let without = |it: &mut Forged| (it.identifier, it.authority_identifier) = (String::new(), "");
        for stem in STEMS {
            reissue(m, stem, without, without);
        }
    }),
    ("an authority key identifier names issuer and serial number", Kind::ControlPlane, None, |m| {
        m.forge("pki/apiserver.crt", |it| it.authority_identifier = "keyid,issuer:always");
    }),
    ("leaves have no basic constraints", Kind::ControlPlane, None, |m| {
        m.forge("pki/apiserver.crt", |it| it.constraints = "");
        m.forge("admin.conf", |it| it.constraints = "");
    }),
    ("constraints and usages are not critical", Kind::ControlPlane, None, |m| {
        m.forge_authority("pki/etcd/ca.crt", |it| {
            (it.constraints, it.usages) = ("CA:TRUE", String::new());
            it.more = "keyUsage=keyCertSign,cRLSign,digitalSignature\n";
        });
    }),
    ("an authority has no key usages", Kind::ControlPlane, None, |m| {
        m.forge_authority("pki/etcd/ca.crt", |it| it.usages = String::new());
    }),
    ("an authority signs no CRL and enciphers keys", Kind::ControlPlane, None, |m| {
        m.forge_authority("pki/ca.crt", |it| {
            it.usages = "digitalSignature,keyEncipherment,keyCertSign".into()
        });
    }),
    ("an authority has a path length", Kind::ControlPlane, None, |m| {
        m.forge_authority("pki/ca.crt", |it| it.constraints = "critical,CA:TRUE,pathlen:0");
    }),
    ("an authority signed itself with SHA-1", Kind::ControlPlane, None, |m| {
        m.forge_authority("pki/ca.crt", |it| it.digest = "sha1");
    }),
    ("an authority never ends", Kind::ControlPlane, None, |m| {
        m.forge_authority("pki/ca.crt", |it| it.until = "99991231235959Z".into());
    }),
    ("an authority for clients only signs those of the front proxy", Kind::ControlPlane, None, |m| {
        m.forge_authority("pki/front-proxy-ca.crt", |it| it.extended = "clientAuth".into());
    }),
    ("a name is a wildcard", Kind::ControlPlane, None, |m| {
        m.forge("pki/apiserver.crt", |it| it.sans += ",DNS:*.example.com");
    }),
    ("a wildcard stands for the endpoint", Kind::ControlPlane, None, |m| {
        m.forge("pki/apiserver.crt", |it| {
            it.without_san("DNS:api.example.com");
            it.sans += ",DNS:*.example.com";
        });
    }),
    ("names in capitals", Kind::ControlPlane, None, |m| {
        m.forge("pki/apiserver.crt", |it| it.sans = it.sans.replace("api.example.com", "API.Example.com"));
    }),
    ("a trust file holds several generations", Kind::ControlPlane, None, |m| {
        m.append("pki/ca.crt", authority())
    }),
    ("a certificate began before its authority", Kind::ControlPlane, None, |m| {
        m.forge("pki/apiserver.crt", |it| it.from = "20200101000000Z".into());
    }),
    ("blocks EC PARAMETERS before keys", Kind::ControlPlane, None, |m| {
        let parameters = openssl(&["ecparam", "-name", "prime256v1"], b"").unwrap();
        for key in files_that_end(m, ".key") {
            m.write(&key, [parameters.clone(), m.read(&key)].concat());
        }
    }),
    ("every line ends with CRLF", Kind::ControlPlane, None, |m| {
        for file in files_that_end(m, "") {
            m.write(&file, m.text(&file).replace('\n', "\r\n"));
        }
    }),
    ("openssl's text before the blocks", Kind::ControlPlane, None, |m| {
        for file in files_that_end(m, ".crt") {
            m.write(&file, openssl(&["x509", "-text"], &m.read(&file)).unwrap());
        }
        let key = openssl(&["ec", "-text"], &m.read("pki/apiserver.key")).unwrap();
        let at = key.windows(10).position(|part| part == b"-----BEGIN").unwrap();
        m.write("pki/apiserver.key", [b"Key in my own words\n", &key[at..]].concat());
    }),
    ("keys in PKCS#8", Kind::ControlPlane, None, |m| {
        for key in files_that_end(m, ".key") {
            m.write(&key, openssl(&["pkcs8", "-topk8", "-nocrypt"], &m.read(&key)).unwrap());
        }
        for file in KUBECONFIGS {
            m.kubeconfig(file, |it| {
                let key = it.users[0].user.client_key_data.clone().unwrap();
                let key = openssl(&["pkcs8", "-topk8", "-nocrypt"], &key).unwrap();
                it.users[0].user.client_key_data = Some(key.into());
            });
        }
    }),
    ("a leaf brings its authority along", Kind::ControlPlane, None, |m| {
        m.append("pki/apiserver.crt", m.read("pki/ca.crt"));
        m.append("pki/etcd/peer.crt", m.read("pki/etcd/ca.crt"));
    }),
    ("a leaf brings what nobody asked for", Kind::ControlPlane, None, |m| {
        m.append("pki/apiserver.crt", authority());
    }),
    ("groups in one RDN", Kind::ControlPlane, Some(Warning), |m| {
        m.forge("admin.conf", |it| it.named("kubernetes-admin", &["developers", "kubeadm:cluster-admins"]));
    }),
    ("groups as UTF8String", Kind::ControlPlane, None, |m| {
        for file in ["admin.conf", "super-admin.conf", "kubelet.conf"] {
            m.forge(file, |it| it.text = "utf8only");
        }
    }),
    ("subjects with a country and a unit", Kind::ControlPlane, None, |m| {
        m.forge("pki/etcd/server.crt", |it| it.subject = "/C=AT/ST=Wien/L=Wien/OU=IT/CN=kube-etcd".into());
        m.forge("scheduler.conf", |it| it.subject = "/C=AT/OU=IT/CN=system:kube-scheduler".into());
    }),
    ("signatures with SHA-512", Kind::ControlPlane, None, |m| {
        m.forge("pki/apiserver.crt", |it| it.digest = "sha512");
        m.forge("scheduler.conf", |it| it.digest = "sha384");
    }),
    ("a long serial number", Kind::ControlPlane, None, |m| {
        m.forge("pki/apiserver.crt", |it| it.serial = Some("7F".repeat(20)));
    }),
    ("names of mail and the web", Kind::ControlPlane, Some(Note), |m| {
        m.forge("pki/apiserver.crt", |it| it.sans += ",email:a@example.com,URI:https://example.com");
    }),
    ("extensions that mean nothing here", Kind::ControlPlane, None, |m| {
        m.forge("pki/apiserver.crt", |it| {
            it.more = "nsComment=made by hand\ncertificatePolicies=1.2.3.4\n\
                crlDistributionPoints=URI:http://example.com/crl\n\
                authorityInfoAccess=OCSP;URI:http://example.com\n1.2.3.4.5=ASN1:NULL\n";
        });
    }),
    ("sa.pub holds an older key too", Kind::ControlPlane, None, |m| {
        m.append("pki/sa.pub", openssl(&["pkey", "-pubout"], &new_key(P256)).unwrap());
    }),
    ("sa.pub holds a certificate", Kind::ControlPlane, None, |m| {
        let key = m.path("pki/sa.key").display().to_string();
        let certificate = openssl(&["req", "-x509", "-new", "-key", &key, "-subj", "/CN=sa"], b"").unwrap();
        m.write("pki/sa.pub", certificate);
    }),
    ("the authorities' keys are elsewhere", Kind::ControlPlane, None, |m| {
        for stem in STEMS {
            m.remove(&format!("pki/{stem}.key"));
        }
        m.external = vec![Role::KubernetesCa, Role::EtcdCa, Role::FrontProxyCa];
    }),
    ("super-admin.conf is kept elsewhere", Kind::ControlPlane, None, |m| m.remove("super-admin.conf")),
    ("the kubelet renews its certificate", Kind::Worker, None, renewed_by_the_kubelet),
    ("a kubeconfig names files", Kind::ControlPlane, None, |m| {
        m.kubeconfig("scheduler.conf", |it| {
            let user = &mut it.users[0].user;
            m.write("pki/users/scheduler.crt", user.client_certificate_data.take().unwrap());
            m.write("pki/users/scheduler.key", &*user.client_key_data.take().unwrap());
            user.client_certificate = Some("pki/users/scheduler.crt".into());
            user.client_key = Some("/etc/kubernetes/pki/users/scheduler.key".into());
            it.clusters[0].cluster.certificate_authority_data = None;
            it.clusters[0].cluster.certificate_authority = Some("pki/ca.crt".into());
        });
    }),
    ("a kubeconfig has more users", Kind::ControlPlane, None, |m| {
        m.kubeconfig("admin.conf", |it| it.users.push(NamedUser::new("other", User::with_token("secret"))));
    }),
    ("stricter modes", Kind::ControlPlane, None, |m| {
        for file in files_that_end(m, "") {
            m.mode(&file, 0o400);
        }
    }),
    ("certificates for their owner alone", Kind::ControlPlane, None, |m| {
        for file in files_that_end(m, ".crt") {
            m.mode(&file, 0o600);
        }
    }),
];

const STEMS: [&str; 3] = ["ca", "etcd/ca", "front-proxy-ca"];

/// Makes an authority anew for its key, and everything that it signs.
fn reissue(m: &Machine, stem: &str, authority: fn(&mut Forged), leaf: fn(&mut Forged)) {
    let file = format!("pki/{stem}.crt");
    m.forge_authority(&file, authority);
    m.copy(&file, &format!("/owner/{file}"));
    let is_its = |file: &str| match stem {
        "ca" => !file.contains("etcd") && !file.contains("front-proxy"),
        stem => file.contains(stem.trim_end_matches("ca").trim_end_matches(['/', '-'])),
    };
    for file in files_that_end(m, ".crt").into_iter().chain(files_that_end(m, ".conf")) {
        if !file.ends_with("ca.crt") && is_its(&file) {
            m.forge(&file, leaf);
        }
    }
}

fn files_that_end(m: &Machine, end: &str) -> Vec<String> {
    m.files().into_iter().map(|(name, ..)| name).filter(|name| name.ends_with(end)).collect()
}

#[test]
fn what_is_unusual_and_right_is_tolerated() {
    let mut wrong = Vec::new();
    for (name, kind, worst, change) in UNUSUAL {
        let mut machine = Machine::new(*kind);
        change(&mut machine);
        let [(_, described), (_, inferred)] = machine.audits();
        if described.worst() != *worst || inferred.worst() > *worst {
            wrong.push(format!("{name}:\n{described}-- inferred:\n{inferred}"));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_machine_of_one_convention_judged_by_the_other_differs_in_names_only() {
    for (kind, other) in [(Kind::Kubeadm, Convention::Documented), (Kind::ControlPlane, Convention::Kubeadm)]
    {
        let mut machine = Machine::new(kind);
        machine.cluster = machine.cluster.convention(other);
        let [(_, described), _] = machine.audits();
        let known = [Id::DiffersFromConvention, Id::SanUnexpected];
        assert!(!described.is_empty() && described.iter().all(|it| known.contains(&it.id())), "{described}");
        assert_eq!(described.worst(), Some(Note), "{described}");
    }
}

#[test]
fn without_a_root_the_same_is_said() {
    for kind in KINDS {
        let machine = Machine::new(kind);
        machine.clear("pki/ca.crt");
        let pki = Pki::load(Layout::new(machine.path(""))).unwrap();
        let findings = pki.audit(pki.expected(), machine.now);
        assert_eq!(said(&findings), machine.said(Knowledge::Inferred), "{kind:?}");
    }
}
