//! The seeds of the fuzz targets: made here, kept in `fuzz/corpus/`, and replayed by every test run.
//!
//! `UPDATE_CORPUS=1 cargo test --test integration fuzz_corpus` writes them anew. Keys and certificates are never the same
//! twice: those are made only where they are missing. They guard nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use kubepki::kubeconfig::Kubeconfig;
use kubepki::token::{ClusterInfo, KeySet, ObjectReference, ServiceAccountToken};
use kubepki::{
    Authorities, Convention, Issuer, KeyAlgorithm, Node, Pki, PrivateKey, Profile, Signer, Time, role,
};

use crate::requests::{self, forge::Csr};
use crate::support::{cluster, control_plane, der, fast_cluster, openssl};

#[expect(unreachable_pub, reason = "it is a library of its own in fuzz/")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

/// Seeds by their file names.
type Seeds = BTreeMap<&'static str, Seed>;

enum Seed {
    /// The same bytes in every run.
    Fixed(Vec<u8>),
    /// Holds a key or a signature.
    Random(Make),
}

type Make = fn() -> Vec<u8>;

fn directory(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The seeds of one target: each kind of input that it reads, in each of its forms.
fn seeds(target: &str) -> Seeds {
    match target {
        "certificate" => certificates(),
        "certificate_signing_request" => certificate_signing_requests(),
        "cluster_info" => cluster_infos(),
        "kubeadm_config" => kubeadm_configs(),
        "kubeconfig" => kubeconfigs(),
        "machine" => machines(),
        "names" => names(),
        "pem" => pem(),
        "private_key" => private_keys(),
        "service_account_token" => service_account_tokens(),
        "static_tokens" => static_tokens(),
        _ => panic!("fuzz target {target} has no seeds"),
    }
}

fn random<const N: usize>(seeds: [(&'static str, Make); N]) -> Seeds {
    seeds.map(|(name, make)| (name, Seed::Random(make))).into()
}

fn fixed<const N: usize>(seeds: [(&'static str, &str); N]) -> Seeds {
    seeds.map(|(name, text)| (name, Seed::Fixed(text.as_bytes().to_vec()))).into()
}

fn certificates() -> Seeds {
    random([
        ("api-server", || leaf(&role::ApiServer::new(&fast_cluster(), &node()).profile())),
        ("authority-kubeadm", || der(&authority(KeyAlgorithm::EcdsaP384, Convention::Kubeadm))),
        ("authority-rsa", || der(&authority(KeyAlgorithm::Rsa2048, Convention::Documented))),
        ("bundle", || {
            let [one, two] = [(); 2].map(|()| authority(KeyAlgorithm::EcdsaP256, Convention::Documented));
            (one + &two).into_bytes()
        }),
        ("etcd-server", || leaf(&role::EtcdServer::new(&fast_cluster(), &node()).profile())),
        ("user", || {
            let user = role::User::new(&fast_cluster(), "jürgen, CN=a".parse().unwrap());
            leaf(&user.group("a+b".parse().unwrap()).group("c*d".parse().unwrap()).profile())
        }),
    ])
}

/// The requests are by a fixed key, but for those of openssl.
fn certificate_signing_requests() -> Seeds {
    let object = |csr: &Csr, signer: &str, usages: &[&str]| {
        Seed::Fixed(requests::forged(csr, signer, usages).to_string().into_bytes())
    };
    let names = ["DNS:a.b.svc", "IP:192.0.2.1", "URI:spiffe://a/b", "email:a@b", "RID:1.2.3"];
    let kubelet = Csr::new("O=system:nodes/CN=system:node:n1");
    let mixed = Csr::new("CN=a/OU=b+O=c/emailAddress=d").sans(&names).extension("2.5.29.19", &[0x30, 0]);
    let mut seeds = random([
        ("openssl-rsa", || by_openssl(&["rsa:2048"])),
        ("openssl-p384", || by_openssl(&["ec", "-pkeyopt", "ec_paramgen_curve:P-384"])),
    ]);
    seeds.extend([
        ("kubelet", Seed::Fixed(kubelet.der())),
        ("mixed", Seed::Fixed(mixed.der())),
        ("object-kubelet", object(&kubelet, "kubernetes.io/kube-apiserver-client-kubelet", &["client auth"])),
        (
            "object-serving",
            object(
                &kubelet.sans(&["DNS:n1"]),
                "kubernetes.io/kubelet-serving",
                &["digital signature", "server auth"],
            ),
        ),
        ("object-own", object(&Csr::new("CN=a").sans(&names[..3]), "example.com/serving", &["server auth"])),
    ]);
    seeds
}

fn by_openssl(key: &[&str]) -> Vec<u8> {
    let arguments =
        ["req", "-new", "-noenc", "-outform", "der", "-keyout", "/dev/null", "-subj", "/O=a/CN=b"];
    openssl(&[&arguments[..], &["-addext", "subjectAltName=DNS:a", "-newkey"], key].concat(), &[]).unwrap()
}

fn cluster_infos() -> Seeds {
    let mut seeds = random([("published", || {
        let authorities = Authorities::create(&fast_cluster(), Time::now()).unwrap();
        let info = ClusterInfo::new(&fast_cluster(), &authorities).unwrap();
        info.manifest().to_yaml().as_bytes().to_vec()
    })]);
    seeds.extend(fixed([
        (
            "by-context",
            "data:\n  kubeconfig: |\n    clusters: [{name: a, cluster: {server: https://a}}]\n    \
             contexts: [{name: b, context: {cluster: a}}]\n    current-context: b\n  jws-kubeconfig-abcdef: a..b\n",
        ),
        ("refused", "kind: ConfigMap\ndata: {kubeconfig: '', kubeconfig: &a [*a]}\n"),
    ]));
    seeds
}

fn kubeadm_configs() -> Seeds {
    fixed([
        ("init-v1beta3", include_str!("fixtures/kubeadm/init-v1beta3.yaml")),
        ("init-v1beta4", include_str!("fixtures/kubeadm/init-v1beta4.yaml")),
        ("init-dual-stack", include_str!("fixtures/kubeadm/init-dual-stack.yaml")),
        ("init-external-etcd", include_str!("fixtures/kubeadm/init-external-etcd.json")),
        ("join-control-plane", include_str!("fixtures/kubeadm/join-control-plane.yaml")),
        ("join-worker", include_str!("fixtures/kubeadm/join-worker.yaml")),
        (
            "noted",
            "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: stable-1\n\
             apiServer: {certSans: [a], certSANs: ['*.com', 10.0.0.256, 010.0.0.1, 0.0.0.0]}\n---\n\
             apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: ::}\n",
        ),
        (
            "refused",
            "apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\n---\na: &a [*a, !x y, <<: {z: 1}]\n",
        ),
    ])
}

fn kubeconfigs() -> Seeds {
    let mut seeds = random([
        ("admin", || {
            let pki = kubepki::Pki::create(&fast_cluster(), &node(), Time::now()).unwrap();
            pki.files().find(|file| file.path() == Path::new("admin.conf")).unwrap().bytes().to_vec()
        }),
        ("user", || {
            let cluster = fast_cluster().name("prod: {eu}".parse().unwrap());
            let authorities = Authorities::create(&cluster, Time::now()).unwrap();
            let user = role::User::new(&cluster, "- 'jane'\u{e9}".parse().unwrap()).profile();
            let credential = authorities.issue(&user, Time::now()).unwrap();
            Kubeconfig::for_user(&cluster, &authorities, &credential).unwrap().to_yaml().as_bytes().to_vec()
        }),
    ]);
    seeds.extend(fixed([
        ("everything", EVERYTHING),
        (
            "json",
            r#"{"kind": "Config", "clusters": [{"name": "a", "cluster": {"server": "https://a"}}],
            "users": [{"name": "b", "user": {"token": "c", "x": [1, -1.5e3, null]}}],
            "contexts": [{"name": "d", "context": {"cluster": "a", "user": "b"}}], "current-context": "d"}"#,
        ),
        ("nulls", "apiVersion:\nkind: ''\nclusters: [{cluster: ~}]\nusers: [{user: {exec: {args: null}}}]\n"),
        (
            "empty",
            "users: [{name: a, user: {as-user-extra: {b: null, c: []}, auth-provider: {config: {d: ~}}}}]\n",
        ),
        ("refused", "a: &a [*a, !x y, <<: {z: 1}]\n---\n? |\n  b\n: c"),
    ]));
    seeds
}

fn pem() -> Seeds {
    let mut seeds = random([
        ("certificate-and-key", || {
            let issuer = issuer(KeyAlgorithm::EcdsaP256, Convention::Documented);
            let key = issuer.private_key().unwrap().to_pem();
            format!("Bag Attributes\n{}\n{}", issuer.certificate().to_pem(), *key).into_bytes()
        }),
        ("crlf", || {
            authority(KeyAlgorithm::EcdsaP256, Convention::Documented).replace('\n', "\r\n").into_bytes()
        }),
        ("key-behind-parameters", || {
            format!("{P256_PARAMETERS}{}", *generate(KeyAlgorithm::EcdsaP256).to_pem()).into_bytes()
        }),
        ("public-key", || generate(KeyAlgorithm::EcdsaP384).public_key().to_pem().into_bytes()),
        ("public-key-rsa", || generate(KeyAlgorithm::Rsa2048).public_key().to_pem().into_bytes()),
    ]);
    seeds.extend(fixed([
        (
            "encrypted",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
            -----END RSA PRIVATE KEY-----\n",
        ),
        ("open", "-----BEGIN CERTIFICATE-----\nAAAA\n"),
        ("other-blocks", "-----BEGIN A-----\n-----END A-----\n-----BEGIN B-----\nAQ==\n-----END B-----\n"),
    ]));
    seeds
}

fn private_keys() -> Seeds {
    random([
        ("p256", || der(&generate(KeyAlgorithm::EcdsaP256).to_pem())),
        ("p256-pem", || generate(KeyAlgorithm::EcdsaP256).to_pem().as_bytes().to_vec()),
        ("p384", || der(&generate(KeyAlgorithm::EcdsaP384).to_pem())),
        ("pkcs8-p256", || pkcs8(KeyAlgorithm::EcdsaP256)),
        ("pkcs8-rsa", || pkcs8(KeyAlgorithm::Rsa2048)),
        ("rsa-2048", || der(&generate(KeyAlgorithm::Rsa2048).to_pem())),
    ])
}

fn service_account_tokens() -> Seeds {
    let mut seeds = random([
        ("jwks", || {
            let keys =
                [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Rsa2048].map(|it| generate(it).public_key().clone());
            KeySet::new(&keys).unwrap().to_jwks().into_bytes()
        }),
        ("token", || {
            let account = ObjectReference::new("b".parse().unwrap(), "1".parse().unwrap());
            let token = ServiceAccountToken::new("https://a".parse().unwrap(), "a".parse().unwrap(), account);
            let key = generate(KeyAlgorithm::EcdsaP256);
            token.sign(&key, Time::now()).unwrap().as_bytes().to_vec()
        }),
    ]);
    seeds.extend(fixed([
        (
            "claims",
            "{\"alg\":\"ES256\"}\n{\"aud\":[\"https://a\"],\"exp\":1795003600,\"iat\":1795000000,\"iss\":\"https://a\",\
             \"kubernetes.io\":{\"namespace\":\"a\",\"node\":{\"name\":\"n\",\"uid\":\"2\"},\"pod\":{\"name\":\"p\",\"uid\":\"3\"},\
             \"serviceaccount\":{\"name\":\"b\",\"uid\":\"1\"}},\"nbf\":1795000000,\
             \"sub\":\"system:serviceaccount:a:b\"}",
        ),
        ("legacy", "{\"alg\":\"ES256\"}\n{\"iss\":\"kubernetes/serviceaccount\"}"),
        ("refused", "{\"alg\":\"none\",\"crit\":[]}\n{\"aud\":1,\"exp\":1e9,\"iss\":\"https://a\"}"),
    ]));
    seeds
}

fn static_tokens() -> Seeds {
    fixed([
        ("documented", "31ada4fd-adec-460c-809a-9e56ceb75269,jane,1001,\"developers,testers\"\n"),
        ("odd", "\u{feff}a,system:nodes,,\r\n\r\n,b,c\n\"x\"\"\r\r\ny\",\" d\",e,f,g\na,b,c\r"),
        ("refused", "a,b,c\n\"d\"e,f\n"),
    ])
}

/// What `openssl ecparam -genkey` writes in front of a key.
const P256_PARAMETERS: &str =
    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";

const EVERYTHING: &str = "\
apiVersion: v1
clusters:
- cluster:
    certificate-authority: ca.crt
    disable-compression: true
    extensions: [{name: a, extension: {z: 1, a: \"yes\"}}]
    insecure-skip-tls-verify: true
    proxy-url: http://u:p@proxy
    server: https://api.example.com:6443
    tls-server-name: kubernetes
  name: c
contexts:
- context: {cluster: c, namespace: \"1\", unknown: null, user: u}
  name: u@c
current-context: u@c
future: [1.5, [x]]
kind: Config
preferences: {colors: true}
users:
- name: u
  user:
    as: jane
    as-groups: [system:masters]
    as-uid: '1'
    as-user-extra: {scopes: ['true']}
    auth-provider: {config: {id-token: t}, name: oidc}
    client-certificate: a.crt
    client-key: a.key
    client-key-data: |
      AAAA
      BBBB
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args: [a]
      command: aws
      env: [{name: A, value: b}]
      installHint: \"a\\nb\"
      interactiveMode: Never
      provideClusterInfo: true
    password: p
    token: t
    tokenFile: f
    username: jane
";

fn node() -> Node {
    control_plane("cp-1", "2001:db8::10")
}

fn generate(algorithm: KeyAlgorithm) -> PrivateKey {
    PrivateKey::generate(algorithm).unwrap()
}

fn pkcs8(algorithm: KeyAlgorithm) -> Vec<u8> {
    let key = generate(algorithm).to_pem();
    openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "der"], key.as_bytes()).unwrap()
}

fn issuer(algorithm: KeyAlgorithm, convention: Convention) -> Issuer {
    let profile = role::KubernetesCa::new(&cluster(algorithm, convention)).profile();
    Issuer::self_signed(&profile, Time::now()).unwrap()
}

fn authority(algorithm: KeyAlgorithm, convention: Convention) -> String {
    issuer(algorithm, convention).certificate().to_pem()
}

fn leaf(profile: &Profile) -> Vec<u8> {
    let issuer = issuer(KeyAlgorithm::EcdsaP256, Convention::Documented);
    issuer.issue(profile, Time::now()).unwrap().certificate().der().to_vec()
}

/// One machine of each kind, and what a tired person leaves behind.
fn machines() -> Seeds {
    random([
        ("control-plane", || archive(&machine(&control_plane("cp-1", "192.0.2.10")))),
        ("etcd-member", || archive(&machine(&Node::etcd_member("e-1".parse().unwrap(), address())))),
        ("worker", || archive(&machine(&Node::worker("w-1".parse().unwrap()).addresses([address()])))),
        ("worker-of-kubeadm", || {
            let kubelet = "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  \
                context: {cluster: c, user: u}\nclusters:\n- name: c\n  \
                cluster: {server: 'https://192.0.2.1', certificate-authority: pki/ca.crt}\nusers:\n- name: u\n  \
                user: {client-certificate: /var/lib/kubelet/pki/current.pem, client-key: /var/lib/kubelet/pki/current.pem}\n";
            format!(
                "@@ kubelet.conf\n{kubelet}@@ pki/ca.crt\n{}@@ /var/lib/kubelet/pki/current.pem\n{}@@ pki/ca.srl\n01\n",
                authority(KeyAlgorithm::EcdsaP256, Convention::Kubeadm),
                *generate(KeyAlgorithm::EcdsaP256).to_pem()
            )
            .into_bytes()
        }),
    ])
}

fn address() -> std::net::IpAddr {
    "192.0.2.20".parse().unwrap()
}

fn machine(node: &Node) -> Pki {
    let (cluster, now) = (fast_cluster(), Time::now());
    Authorities::create(&cluster, now).unwrap().join(&cluster, node, now).unwrap()
}

fn archive(pki: &Pki) -> Vec<u8> {
    let file =
        |file: &kubepki::File| [format!("@@ {}\n", file.path().display()).as_bytes(), file.bytes()].concat();
    pki.files().flat_map(file).collect()
}

fn names() -> Seeds {
    fixed([
        ("authority-name", "Example Root, R1"),
        ("cluster-name", "prod: {eu}"),
        ("component", "kube-controller-manager"),
        ("convention", "kubeadm"),
        ("dns-name", "api.example.com"),
        ("dns-a-label", "xn--bcher-kva.example"),
        ("endpoint-dns", "api.example.com:6443"),
        ("endpoint-ipv4", "192.0.2.1:8443"),
        ("endpoint-ipv6", "[2001:db8::1]:6443"),
        ("group", "kubeadm:cluster-admins"),
        ("group-reserved", "system:masters"),
        ("https-url", "https://login.example.com:8443/realms/a%20b"),
        ("ipv4", "10.96.0.1"),
        ("ipv4-mapped", "::ffff:192.0.2.1"),
        ("ipv6-zone", "fe80::1%eth0"),
        ("key-algorithm", "ECDSA-P256"),
        ("node-name", "cp-1.example.com"),
        ("required-claim", "hd=example.com"),
        ("role", "kube-apiserver-kubelet-client"),
        ("san-wildcard", "*.apps.example.com"),
        ("subnet-ipv4", "10.96.0.0/12"),
        ("subnet-ipv6", "fd00:10:96::/108"),
        ("time-fraction", "2026-11-22T09:00:00.25Z"),
        ("time-offset", "2026-11-22T10:30:00+01:30"),
        ("usage", "digital signature"),
        ("usage-alias", "s/mime"),
        ("user-injected", "CN=a/O=system:masters,OU=b+C=c"),
        ("user-umlaut", "jürgen@example.com"),
    ])
}

#[test]
fn what_the_fuzzer_starts_from_holds_in_every_test_run() {
    for (target, run) in targets::TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(directory(target)).unwrap_or_else(|error| panic!("{target}: {error}")) {
            let file = entry.unwrap().path();
            println!("{}", file.display());
            run(&fs::read(file).unwrap());
            count += 1;
        }
        assert!(count > 0, "{target}: no seeds");
    }
}

#[test]
fn seeds_in_the_corpus_are_those_that_are_made_here() {
    for (target, _) in targets::TARGETS {
        for (name, seed) in seeds(target) {
            let file = directory(target).join(name);
            let update = env::var_os("UPDATE_CORPUS").is_some();
            let bytes = match &seed {
                Seed::Fixed(bytes) if update => Some(bytes.clone()),
                Seed::Random(make) if update && !file.exists() => Some(make()),
                _ => None,
            };
            if let Some(bytes) = bytes {
                fs::create_dir_all(directory(target)).unwrap();
                fs::write(&file, bytes).unwrap();
            }
            let found = fs::read(&file).ok();
            let hint = format!("{}: set UPDATE_CORPUS=1 to write it", file.display());
            match seed {
                Seed::Fixed(bytes) => assert_eq!(found, Some(bytes), "{hint}"),
                Seed::Random(_) => assert!(found.is_some(), "{hint}"),
            }
        }
    }
}

#[test]
fn every_target_has_a_program_that_the_fuzzer_runs() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut programs: Vec<_> = fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    programs.sort();
    let mut named: Vec<_> = targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    named.sort();
    assert_eq!(programs, named);
}
