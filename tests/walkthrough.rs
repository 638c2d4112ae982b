//! Kubernetes' page "Manage TLS Certificates in a Cluster" as the README walks through it, from the request to a TLS
//! server with the mounted Secret; and the examples that it uses as they are run.

use std::fmt::Debug;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use kubepki::certificates_api::{
    CertificateSigningRequest, Context, Outcome, SIGNING_DURATION, SanPattern, SignerPolicy, State, Verdict,
    review, sign,
};
use kubepki::{CertificationRequest, Issuer, PrivateKey, Signer, SignerName, Time, Usage, manifest, role};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::judges::free_port;
use crate::support::{der, example, fast_cluster, openssl, utf8};

const SERVICE: &str = "my-svc.my-namespace.svc";
const POD: &str = "my-pod.my-namespace.pod.cluster.local";

/// What the README's section has people type, in a directory of its own, where `kubectl` keeps its objects in `cluster`.
fn walk() -> TempDir {
    let readme = include_str!("../README.md");
    let (_, section) = readme.split_once("\n## Certificates for workloads\n").unwrap();
    let section = section.split_once("\n## ").unwrap().0;
    let blocks = section.split("\n```sh\n").skip(1).map(|block| block.split_once("```\n").unwrap().0);
    let examples = example("sign_csr").parent().unwrap().display().to_string();
    let script = blocks.collect::<String>();
    let script = script.replace("cargo run --release --example ", &format!("{examples}/"));

    let directory = tempfile::tempdir().unwrap();
    let (programs, cluster) = (directory.path().join("bin"), directory.path().join("cluster"));
    for new in [&programs, &cluster] {
        fs::create_dir(new).unwrap();
    }
    let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walkthrough/kubectl");
    std::os::unix::fs::symlink(stand_in, programs.join("kubectl")).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let kubectl = std::env::split_paths(&path).map(|it| it.join("kubectl")).find(|it| it.is_file()).unwrap();
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let output = Command::new("bash")
        .args(["-e", "-c", &script.replace(" -- ", " ")])
        .current_dir(directory.path())
        .env("PATH", path)
        .env("KUBECTL", kubectl)
        .env("KUBECONFIG", "/dev/null")
        .env("CLUSTER", cluster)
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}{}", String::from_utf8_lossy(&output.stderr));
    // Without it a step that fails within a pipe would go unseen.
    assert!(script.starts_with("set -o pipefail\n"), "{script}");
    directory
}

/// The files of a Secret or ConfigMap, as a kubelet mounts them.
fn mount(object: &Value, directory: &Path) {
    fs::create_dir(directory).unwrap();
    for (name, content) in object["data"].as_object().unwrap() {
        let content = content.as_str().unwrap();
        let bytes = match object["kind"] == "Secret" {
            true => Base64::decode_vec(content).unwrap(),
            false => content.as_bytes().to_vec(),
        };
        fs::write(directory.join(name), bytes).unwrap();
    }
}

fn object(cluster: &Path, name: &str) -> Value {
    serde_json::from_slice(&fs::read(cluster.join(format!("{name}.json"))).unwrap()).unwrap()
}

#[test]
fn the_readme_walks_from_a_request_to_a_server_that_clients_verify() {
    let directory = walk();
    let cluster = directory.path().join("cluster");
    let [secret, trusted, pod] = ["secret", "configmap", "pod"].map(|name| object(&cluster, name));
    for object in [&secret, &trusted, &pod] {
        assert_eq!(object["metadata"]["namespace"], "my-namespace");
    }
    assert_eq!(secret["type"], "kubernetes.io/tls");
    assert_eq!(trusted["metadata"]["name"], "example-serving-ca");
    assert_eq!(pod["spec"]["volumes"][0]["secret"]["secretName"], secret["metadata"]["name"]);
    let request = fs::read(cluster.join("my-svc.my-namespace.json")).unwrap();
    let request = CertificateSigningRequest::from_yaml(&request).unwrap();
    assert_eq!((request.state(), request.username()), (State::Issued, "jane"));

    let (secret_files, trusted_files) = (directory.path().join("secret"), directory.path().join("trusted"));
    mount(&secret, &secret_files);
    mount(&trusted, &trusted_files);
    let server = Server::start(&secret_files);
    let long_name = format!("{SERVICE}.cluster.local");
    for name in [SERVICE, &long_name, POD, "192.0.2.24", "10.0.34.2"] {
        server.verified(&trusted_files.join("ca.crt"), name).unwrap();
    }
    let said = server.verified(&trusted_files.join("ca.crt"), "other-svc.my-namespace.svc").unwrap_err();
    assert!(said.contains("hostname mismatch"), "{said}");
    let said = server.verified(&secret_files.join("tls.crt"), SERVICE).unwrap_err();
    assert!(said.contains("unable to get"), "{said}");
}

/// The texts in quotes of the only call of a method in the README.
fn called<T: FromStr<Err: Debug>>(method: &str) -> Vec<T> {
    let readme = include_str!("../README.md");
    let (_, list) = readme.split_once(&format!("        .{method}([")).unwrap();
    let list = list.split_once("])").unwrap().0;
    list.split('"').skip(1).step_by(2).map(|text| text.parse().unwrap()).collect()
}

#[test]
fn the_readmes_policy_approves_the_readmes_request_and_needs_each_pattern_for_it() {
    let directory = walk();
    let mut object = object(&directory.path().join("cluster"), "my-svc.my-namespace");
    object["status"] = json!({});
    let object = CertificateSigningRequest::from_yaml(object.to_string().as_bytes()).unwrap();
    let policy = SignerPolicy::new(object.signer_name().clone()).unwrap();
    let policy = policy.requesters(called("requesters")).common_names(called("common_names")).usages([
        Usage::DigitalSignature,
        Usage::KeyEncipherment,
        Usage::ServerAuth,
    ]);
    let sans: Vec<SanPattern> = called("sans");
    for missing in 0..sans.len() {
        let mut fewer = sans.clone();
        fewer.remove(missing);
        let review = review(&object, &Context::default().policy(policy.clone().sans(fewer)));
        assert_eq!((review.verdict(), review.reason()), (Verdict::Deny, "NameNotAllowed"), "{review}");
    }
    let review = review(&object, &Context::default().policy(policy.sans(sans)));
    assert_eq!(review.verdict(), Verdict::Approve, "{review}");
}

#[test]
fn the_library_alone_goes_the_same_way() {
    let now = Time::now();
    let (name, signer) = ("my-svc".parse().unwrap(), "example.com/serving".parse::<SignerName>().unwrap());
    let service = role::Service::new(&fast_cluster(), SERVICE.parse().unwrap());
    let request = service.san(POD.parse().unwrap()).profile().request().unwrap();
    let mut created = json(CertificateSigningRequest::new(name, signer.clone(), &request).to_json());
    created["spec"]["username"] = "system:serviceaccount:my-namespace:default".into();

    let policy = SignerPolicy::new(signer.clone())
        .unwrap()
        .requesters(["system:serviceaccount:my-namespace:*".parse().unwrap()]);
    let policy = policy
        .common_names(["*.my-namespace.svc".parse().unwrap()])
        .usages([Usage::DigitalSignature, Usage::ServerAuth]);
    let names = ["svc", "svc.cluster.local", "pod.cluster.local"]
        .map(|it| format!("DNS:*.my-namespace.{it}").parse().unwrap());
    let context = Context::default().policy(policy.sans(names));
    let root = role::RootCa::new(&fast_cluster(), "My Example Signer".parse().unwrap()).profile();
    let authority = Issuer::self_signed(&root, now).unwrap();
    let mut object = CertificateSigningRequest::from_yaml(created.to_string().as_bytes()).unwrap();
    review(&object, &context).apply(&mut object, now).unwrap();
    assert_eq!(sign(&mut object, &signer, &authority, SIGNING_DURATION, now).unwrap(), Outcome::Issued);

    let credential = request.accept(object.certificates().unwrap()).unwrap();
    let (namespace, directory) = ("my-namespace".parse().unwrap(), tempfile::tempdir().unwrap());
    let [secret, trusted] = ["secret", "trusted"].map(|name| directory.path().join(name));
    let object = manifest::tls_secret(&namespace, &"server".parse().unwrap(), &credential);
    mount(&json(object.to_json()), &secret);
    let object =
        manifest::ca_config_map(&namespace, &"example-serving-ca".parse().unwrap(), authority.chain());
    mount(&json(object.unwrap().to_json()), &trusted);
    let server = Server::start(&secret);
    server.verified(&trusted.join("ca.crt"), SERVICE).unwrap();
    server.verified(&trusted.join("ca.crt"), POD).unwrap();
    server.verified(&trusted.join("ca.crt"), "other-svc.my-namespace.svc").unwrap_err();
}

fn json(text: impl AsRef<[u8]>) -> Value {
    serde_json::from_slice(text.as_ref()).unwrap()
}

/// A TLS server on the loopback interface, until this is dropped.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// With `tls.crt` and `tls.key`.
    fn start(files: &Path) -> Self {
        let port = free_port();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-quiet", "-www", "-cert", "tls.crt", "-key", "tls.key", "-accept"]);
        command.arg(format!("127.0.0.1:{port}")).current_dir(files);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = Self { process: process.unwrap(), port };
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "the server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// What a client says to the server that calls it so, and trusts only this.
    fn verified(&self, trusted: &Path, name: &str) -> Result<(), String> {
        let option = if name.parse::<std::net::IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
        let address = format!("127.0.0.1:{}", self.port);
        let trusted = trusted.to_str().unwrap();
        let client = ["s_client", "-brief", "-verify_return_error", "-no-CApath", "-no-CAstore", "-CAfile"];
        let arguments = [&client[..], &[trusted, option, name, "-connect", &address]].concat();
        openssl(&arguments, b"").map(|_| ())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn run(program: &str, arguments: &[&str], input: &[u8], directory: &Path) -> Output {
    let mut command = Command::new(example(program));
    command.args(arguments).current_dir(directory);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // What it does not want to read it need not.
    _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Asserts the exit code, and that standard error has these parts; gives what was printed.
#[track_caller]
fn ends_with(output: Output, code: i32, parts: &[&str]) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "{said}\nis without: {part}");
    }
    utf8(output.stdout)
}

const REQUEST: &[&str] = &["--service", "my-svc.my-namespace", "--signer-name", "example.com/serving"];

/// What `request_service_certificate` prints, with more options.
#[track_caller]
fn requested(directory: &Path, options: &[&str]) -> Value {
    let output = run("request_service_certificate", &[REQUEST, options, &["out"]].concat(), b"", directory);
    let yaml = ends_with(output, 0, &["wrote out/server.key", "wrote out/server.csr"]);
    let object = CertificateSigningRequest::from_yaml(yaml.as_bytes()).unwrap();
    serde_json::from_str(&object.to_json()).unwrap()
}

#[test]
fn a_services_request_is_for_its_key_its_names_and_the_usages_of_a_server() {
    for (options, usages, names) in [
        (
            &[][..],
            &["digital signature", "server auth"][..],
            &[SERVICE, "my-svc.my-namespace.svc.cluster.local"][..],
        ),
        (
            &[
                "--algorithm",
                "rsa-2048",
                "--domain",
                "example.org",
                "--pod",
                POD,
                "--ip",
                "fd00::1",
                "--san",
                "*.shop.example",
            ],
            &["digital signature", "key encipherment", "server auth"],
            &[SERVICE, "my-svc.my-namespace.svc.example.org", POD, "*.shop.example", "fd00::1"],
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let object = requested(directory.path(), options);
        assert_eq!(object["metadata"]["name"], "my-svc.my-namespace");
        assert_eq!(object["spec"]["signerName"], "example.com/serving");
        assert_eq!(object["spec"]["usages"], json!(usages));
        let [key, csr] = ["server.key", "server.csr"].map(|name| directory.path().join("out").join(name));
        assert_eq!(object["spec"]["request"], Base64::encode_string(&fs::read(&csr).unwrap()));
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let key = PrivateKey::from_pem(&fs::read(&key).unwrap()).unwrap();
        let request = CertificationRequest::from_pem(&fs::read(&csr).unwrap()).unwrap();
        assert_eq!(request.public_key(), key.public_key());
        let sans: Vec<_> = request.sans().iter().map(ToString::to_string).collect();
        let wanted = names.iter().map(|name| {
            let kind = if name.contains(':') { "IP" } else { "DNS" };
            format!("{kind}:{name}")
        });
        assert_eq!(sans, wanted.collect::<Vec<_>>());
        openssl(&["req", "-verify", "-noout", "-in", csr.to_str().unwrap()], b"").unwrap();
    }
}

#[test]
fn a_request_says_how_long_and_under_which_name_where_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let object = requested(directory.path(), &["--expires", "1h30m10s", "--name", "other"]);
    assert_eq!(
        (&object["spec"]["expirationSeconds"], &object["metadata"]["name"]),
        (&json!(5410), &json!("other"))
    );
}

#[test]
fn what_cannot_be_requested_is_said_and_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, parts) in [
        (&["out"][..], &["--service NAME.NAMESPACE is missing"][..]),
        (&["--service", "a.b", "out"], &["--signer-name, such as example.com/serving, is missing"]),
        (REQUEST, &["DIRECTORY is missing"]),
        (&["--service", "my-svc", "out"], &["--service \"my-svc\"", "such as my-svc.my-namespace"]),
        (&["--service", "a.b.svc", "out"], &["without .svc"]),
        (&["--service", "A.b", "out"], &["--service \"A.b\"", "lower-case"]),
        (&["--signer-name", "serving", "out"], &["--signer-name \"serving\"", "example.com/signer-name"]),
        (&["--ip", "my-svc", "out"], &["--ip my-svc: expected an IP address"]),
        (&["--ip", "0.0.0.0", "out"], &["an address of one machine"]),
        (&["--pod", "10.0.34.2", "out"], &["--pod \"10.0.34.2\"", "DNS name"]),
        (&["--expires", "1d", "out"], &["--expires \"1d\"", "such as 8760h or 1h30m"]),
        (&["--expires", "0s", "out"], &["--expires \"0s\": too short"]),
        (
            &["--signer-name", "kubernetes.io/kubelet-serving", "out"],
            &[
                "--signer-name \"kubernetes.io/kubelet-serving\": the signers of kubernetes.io",
                "for no service",
            ],
        ),
        (&["--signer-name", "a.kubernetes.io/b", "out"], &["expected one of your own"]),
        (&["--expires", "99999999999999999999h", "out"], &["--expires"]),
        (&["--algorithm", "ed25519", "out"], &["--algorithm \"ed25519\""]),
        (&["--no-such", "out"], &["--no-such"]),
        (&["out", "another"], &["another"]),
        (
            &[REQUEST, &["--expires", "9m59s", "out"]].concat(),
            &["--expires", "at least 600 seconds", "found 599"],
        ),
    ] {
        let output = run("request_service_certificate", arguments, b"", directory.path());
        assert_eq!(ends_with(output, 1, &[&["error: "], parts].concat()), "", "{arguments:?}");
        assert!(!directory.path().join("out").exists(), "{arguments:?}");
    }
}

#[test]
fn keys_that_are_there_are_never_replaced() {
    for (program, arguments, files) in [
        ("request_service_certificate", REQUEST, ["server.key", "server.csr"]),
        (
            "create_authority",
            &["--name", "My Example Signer", "--algorithm", "ecdsa-p256"],
            ["ca.key", "ca.crt"],
        ),
    ] {
        let arguments = [arguments, &["out"]].concat();
        for there in files {
            let directory = tempfile::tempdir().unwrap();
            fs::create_dir(directory.path().join("out")).unwrap();
            let file = directory.path().join("out").join(there);
            fs::write(&file, "precious").unwrap();
            let said = format!("out/{there}: is there already");
            assert_eq!(ends_with(run(program, &arguments, b"", directory.path()), 1, &[&said]), "");
            assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
            assert_eq!(fs::read_dir(directory.path().join("out")).unwrap().count(), 1);
        }
    }
}

/// A signer with its files, and an approved request.
struct Signing {
    directory: TempDir,
    object: Value,
}

const AT: &str = "2026-01-01T00:00:00Z";

impl Signing {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = role::RootCa::new(&fast_cluster(), "My Example Signer".parse().unwrap()).profile();
        let authority = Issuer::self_signed(&root, time(AT)).unwrap();
        fs::write(directory.path().join("ca.crt"), authority.certificate().to_pem()).unwrap();
        fs::write(directory.path().join("ca.key"), &*authority.private_key().unwrap().to_pem()).unwrap();
        let service = role::Service::new(&fast_cluster(), SERVICE.parse().unwrap()).profile();
        let (name, signer) = ("my-svc".parse().unwrap(), "example.com/serving".parse().unwrap());
        let mut object = CertificateSigningRequest::new(name, signer, &service.request().unwrap());
        object.approve("Checked", "by hand", time(AT)).unwrap();
        Self { directory, object: serde_json::from_str(&object.to_json()).unwrap() }
    }

    /// With one field changed.
    fn with(&self, path: &str, value: Value) -> Vec<u8> {
        let mut object = self.object.clone();
        let (parent, field) = path.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[field] = value;
        object.to_string().into_bytes()
    }

    /// With another request.
    fn asking(&self, der: &[u8]) -> Vec<u8> {
        let base64 = Base64::encode_string(der);
        let pem =
            format!("-----BEGIN CERTIFICATE REQUEST-----\n{base64}\n-----END CERTIFICATE REQUEST-----\n");
        self.with("/spec/request", Base64::encode_string(pem.as_bytes()).into())
    }

    fn request(&self) -> Vec<u8> {
        der(&utf8(Base64::decode_vec(self.object["spec"]["request"].as_str().unwrap()).unwrap()))
    }

    fn sign(&self, options: &[&str], input: &[u8]) -> Output {
        let arguments = [&["--ca-cert", "ca.crt", "--ca-key", "ca.key"], options, &["-"]].concat();
        run("sign_csr", &arguments, input, self.directory.path())
    }
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

#[test]
fn sign_csr_prints_what_it_has_signed_in_the_format_that_it_came_in() {
    let signing = Signing::new();
    let json = signing.object.to_string().into_bytes();
    let yaml = CertificateSigningRequest::from_yaml(&json).unwrap().to_yaml().into_bytes();
    for (input, options, begin, ends) in [
        (&json, &["--at", AT][..], "{\n", "2026-12-31T23:55:00Z"),
        (&yaml, &["--at", AT, "--duration", "24h"], "apiVersion: ", "2026-01-01T23:55:00Z"),
        (&yaml, &["--at", AT, "--duration", "1h30m1s"], "apiVersion: ", "2026-01-01T01:30:01Z"),
    ] {
        let printed = ends_with(signing.sign(options, input), 0, &[]);
        assert!(printed.starts_with(begin), "{printed}");
        let signed = CertificateSigningRequest::from_yaml(printed.as_bytes()).unwrap();
        assert_eq!(signed.certificates().unwrap()[0].not_after(), time(ends));

        let file = signing.directory.path().join("csr");
        fs::write(&file, &printed).unwrap();
        let arguments = ["csr", "--ca-cert", "ca.crt", "--ca-key", "ca.key"];
        let again = run("sign_csr", &arguments, b"", signing.directory.path());
        assert_eq!(ends_with(again, 0, &["note: csr: not signed: it has its certificate already"]), printed);
    }
}

#[test]
fn sign_csr_ends_with_one_where_there_is_no_certificate_and_says_why() {
    let signing = Signing::new();
    let mut forged = signing.request();
    *forged.last_mut().unwrap() ^= 1;
    let new =
        ["req", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=a", "-outform", "DER"];
    let edwards = openssl(&new, b"").unwrap();
    let decided = |kind: &str| {
        let condition = json!([{"type": kind, "status": "True", "reason": "Checked", "message": "not ours"}]);
        signing.with("/status/conditions", condition)
    };
    let with = |field: &str, value: Value| signing.with(field, value);
    for (input, part) in [
        (
            signing.with("/status", json!({})),
            "it is not approved; to approve it: kubectl certificate approve my-svc\n",
        ),
        (decided("Denied"), "it is denied: \"not ours\""),
        (decided("Failed"), "it has failed: \"not ours\""),
        (with("/spec/signerName", "kubernetes.io/other".into()), "nobody signs for kubernetes.io/other"),
        (with("/spec/signerName", "serving".into()), "spec.signerName: "),
        (
            with("/spec/expirationSeconds", 599.into()),
            "spec.expirationSeconds: expected at least 600 seconds",
        ),
        (with("/spec/usages", json!(["serving"])), "spec.usages[0]: "),
        (with("/spec/usages", json!([])), "spec.usages: "),
        (signing.asking(&forged), "spec.request: expected a signature by the key that the request is for"),
        (signing.asking(&edwards), "spec.request: expected a signature by RSA, ECDSA P-256 or P-384"),
    ] {
        let printed = ends_with(signing.sign(&["--at", AT], &input), 1, &["error: standard input: ", part]);
        assert_eq!(printed, "", "{part}");
    }
    let expired = signing.sign(&["--at", "2050-01-01T00:00:00Z"], signing.object.to_string().as_bytes());
    let part = "error: ca.crt: expected a signer that has not expired, found the signer has expired: \
                NotAfter=2035-12-30T00:00:00Z";
    assert_eq!(ends_with(expired, 1, &[part]), "");
}

#[test]
fn sign_csr_prints_a_request_that_its_signer_refuses_with_the_condition_failed() {
    let signing = Signing::new();
    let refused = signing.with("/spec/signerName", "kubernetes.io/kubelet-serving".into());
    let words = "subject organization is not system:nodes";
    let printed = ends_with(signing.sign(&["--at", AT], &refused), 1, &["failed: ", words]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let condition = json!({
        "type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": words, "lastUpdateTime": AT,
    });
    assert_eq!(printed["status"]["conditions"][1], condition);
}

#[test]
fn sign_csr_ends_with_two_where_it_cannot_look() {
    let signing = Signing::new();
    let other = Signing::new();
    let key = other.directory.path().join("ca.key").display().to_string();
    let text = |text: &str| text.as_bytes().to_vec();
    let names: Vec<_> = (0..=1000).map(|number| format!("DNS:a{number}")).collect();
    let names = format!("subjectAltName={}", names.join(","));
    let new = ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=a"];
    let many = openssl(&[&new[..], &["-addext", &names, "-outform", "DER"]].concat(), b"").unwrap();
    for (input, part) in [
        (text(""), "expected a mapping"),
        (text("{"), "standard input: "),
        (text("a: &b [*b]"), "standard input: "),
        (signing.with("/kind", "Secret".into()), "kind: "),
        (signing.with("/apiVersion", "certificates.k8s.io/v1beta1".into()), "apiVersion: "),
        (signing.with("/spec/request", "?".into()), "spec.request: "),
        (
            signing.with("/spec/request", "YQ==".into()),
            "spec.request: expected one PEM block CERTIFICATE REQUEST",
        ),
        (signing.asking(b"a"), "spec.request: expected a certification request"),
        (vec![b' '; 4 << 20], "expected a mapping"),
        (vec![b' '; 5 << 20], "standard input: expected at most 4 MiB, found more than 4 MiB\n"),
        (signing.asking(&many), "spec.request: expected at most 1000 subject alternative names, found 1001"),
    ] {
        assert_eq!(ends_with(signing.sign(&["--at", AT], &input), 2, &["error: ", part]), "", "{part}");
    }
    let authority = ["--ca-cert", "ca.crt", "--ca-key", "ca.key"];
    for (arguments, part) in [
        (&[&authority[..], &["none"]].concat()[..], "none: No such file"),
        (&[&authority[..], &["."]].concat(), ".: Is a directory"),
        (&authority, "FILE, or - for standard input, is missing"),
        (&["-"], "--ca-cert FILE is missing"),
        (&["--ca-cert", "ca.crt", "-"], "--ca-key FILE is missing"),
        (&["--ca-cert", "ca.crt", "--ca-key", "none", "-"], "none: "),
        (&["--ca-cert", "ca.key", "--ca-key", "ca.key", "-"], "ca.key: expected a PEM block CERTIFICATE"),
        (&["--ca-cert", "ca.crt", "--ca-key", &key, "-"], &key),
        (&["--at", "yesterday"], "--at \"yesterday\""),
        (&["--duration", "8760"], "--duration \"8760\": expected hours, minutes and seconds"),
        (&["--duration", ""], "--duration \"\": expected hours, minutes and seconds"),
        (&["--duration", "0"], "--duration \"0\": too short: expected at least 1s"),
        (&["--duration", "0h0m"], "--duration \"0h0m\": too short"),
        (&["-", "another"], "another"),
        (&["--approve"], "--approve"),
    ] {
        let output =
            run("sign_csr", arguments, signing.object.to_string().as_bytes(), signing.directory.path());
        assert_eq!(ends_with(output, 2, &["error: ", part]), "", "{part}");
    }
    let usage = ends_with(run("sign_csr", &["--help"], b"", signing.directory.path()), 0, &[]);
    assert!(usage.contains("Ends with 0 when it has a certificate; with 1 when it has none"), "{usage}");
}
