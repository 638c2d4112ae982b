//! kubeadm's configuration as the description of a cluster and a machine.
//!
//! The files in `fixtures/kubeadm/` are such that kubeadm 1.36 accepts them (`kubeadm config validate`);
//! those that begin with `init-` are for `kubeadm init`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use kubepki::import::{KubeadmConfiguration, Remark};
use kubepki::{
    Certificate, Cluster, Code, Component, Convention, Endpoint, Etcd, Expected, KeyAlgorithm, Layout, Node,
    Role,
};

use crate::support::{control_plane, example, refused, utf8};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kubeadm").join(name)
}

fn load(name: &str) -> KubeadmConfiguration {
    KubeadmConfiguration::load(fixture(name)).unwrap()
}

fn read(yaml: &str) -> kubepki::Result<KubeadmConfiguration> {
    KubeadmConfiguration::from_yaml(yaml.as_bytes())
}

/// A document with the lines of `fields`.
fn document(version: &str, kind: &str, fields: &str) -> String {
    format!("apiVersion: kubeadm.k8s.io/{version}\nkind: {kind}\n{fields}\n---\n")
}

fn kubeadm(endpoint: &str) -> Cluster {
    Cluster::new(endpoint.parse().unwrap()).convention(Convention::Kubeadm)
}

fn remarks(configuration: &KubeadmConfiguration) -> Vec<String> {
    configuration.remarks().iter().map(Remark::to_string).collect()
}

#[test]
fn a_configuration_describes_what_kubeadm_would_make_of_it() {
    let everything = kubeadm("api.example.com:6444")
        .name("prod".parse().unwrap())
        .dns_domain("k8s.example.com".parse().unwrap())
        .service_subnets(["10.100.0.0/16".parse().unwrap()])
        .key_algorithm(KeyAlgorithm::EcdsaP256)
        .authority_lifetime(43_800 * HOUR)
        .leaf_lifetime(2_190 * HOUR + HOUR / 2)
        .kubernetes_version("1.36".parse().unwrap());
    let named = |node: Node, names: &[(Role, &str)]| {
        names.iter().fold(node, |node, (role, name)| node.san(*role, name.parse().unwrap()))
    };
    let v1beta3 = kubeadm("192.0.2.100:8443")
        .name("kubernetes".parse().unwrap())
        .dns_domain("cluster.local".parse().unwrap())
        .service_subnets(["10.96.0.0/12".parse().unwrap()])
        .kubernetes_version("1.36".parse().unwrap());
    let dual_stack = kubeadm("[2001:db8::10]:6443")
        .service_subnets(["2001:db8:42:1::/112".parse().unwrap(), "10.96.0.0/16".parse().unwrap()])
        .key_algorithm(KeyAlgorithm::EcdsaP384)
        .kubernetes_version("1.36".parse().unwrap());
    let external = kubeadm("[2001:db8::100]:443")
        .key_algorithm(KeyAlgorithm::Rsa3072)
        .etcd(Etcd::External {
            ca: "/etc/etcd/ca.crt".into(),
            cert: "/etc/etcd/client.crt".into(),
            key: "/etc/etcd/client.key".into(),
        })
        .kubernetes_version("1.36".parse().unwrap());
    let joining = kubeadm("api.example.com:6443").kubernetes_version("1.36".parse().unwrap());
    let kind = kubeadm("kind-control-plane:6443")
        .name("kind".parse().unwrap())
        .kubernetes_version("1.33".parse().unwrap());
    for (file, cluster, node) in [
        (
            "init-v1beta4.yaml",
            everything,
            named(
                control_plane("cp-1", "192.0.2.10").bind_port(6444),
                &[
                    (Role::ApiServer, "api.example.com"),
                    (Role::ApiServer, "*.api.example.com"),
                    (Role::ApiServer, "192.0.2.99"),
                    (Role::EtcdServer, "etcd.example.com"),
                    (Role::EtcdServer, "192.0.2.97"),
                    (Role::EtcdPeer, "etcd-peer.example.com"),
                    (Role::EtcdPeer, "192.0.2.98"),
                ],
            ),
        ),
        (
            "init-v1beta3.yaml",
            v1beta3,
            named(
                control_plane("cp-1.example.com", "192.0.2.11").bind_port(6443),
                &[
                    (Role::ApiServer, "api.internal"),
                    (Role::EtcdServer, "etcd.example.com"),
                    (Role::EtcdPeer, "etcd-peer.example.com"),
                ],
            ),
        ),
        ("init-dual-stack.yaml", dual_stack, control_plane("cp-1", "2001:db8::10").bind_port(6443)),
        ("init-external-etcd.json", external, control_plane("given", "192.0.2.30").bind_port(6443)),
        (
            "join-control-plane.yaml",
            joining,
            named(control_plane("cp-2", "192.0.2.12").bind_port(6445), &[(Role::ApiServer, "api.internal")]),
        ),
        ("join-worker.yaml", kind, Node::worker("kind-worker".parse().unwrap())),
    ] {
        let mut configuration = load(file);
        if file == "init-external-etcd.json" {
            configuration = configuration
                .node_name("given".parse().unwrap())
                .advertise_address("192.0.2.30".parse().unwrap());
        }
        assert_eq!(configuration.cluster().unwrap(), cluster, "{file}");
        assert_eq!(configuration.node().unwrap(), node, "{file}");
    }
}

#[test]
fn no_field_that_kubeadm_knows_is_remarked_on() {
    for file in
        ["init-v1beta3.yaml", "init-dual-stack.yaml", "init-external-etcd.json", "join-control-plane.yaml"]
    {
        assert_eq!(remarks(&load(file)), [""; 0], "{file}");
    }
    assert_eq!(
        remarks(&load("init-v1beta4.yaml")),
        [
            "document 3: \"KubeletConfiguration\" of \"kubelet.config.k8s.io/v1beta1\" is passed over: it is not \
             kubeadm's",
            "document 4: \"KubeProxyConfiguration\" of \"kubeproxy.config.k8s.io/v1alpha1\" is passed over: it is not \
             kubeadm's",
        ]
    );
}

#[test]
fn what_has_no_effect_is_remarked_on_with_its_field() {
    let unknown = |field: &str, version: &str, hint: &str| {
        format!("{field}: unknown to kubeadm's {version}, and without effect{hint}")
    };
    for (kind, version, fields, note) in [
        (
            "ClusterConfiguration",
            "v1beta4",
            "apiServer: {certSans: [hunter2]}",
            unknown("ClusterConfiguration.apiServer.certSans", "v1beta4", "; did you mean certSANs?"),
        ),
        (
            "ClusterConfiguration",
            "v1beta3",
            "encryptionAlgorithm: none of kubeadm's",
            unknown("ClusterConfiguration.encryptionAlgorithm", "v1beta3", "; v1beta4 has it"),
        ),
        (
            "ClusterConfiguration",
            "v1beta3",
            "certificateValidityPeriod: never",
            unknown("ClusterConfiguration.certificateValidityPeriod", "v1beta3", "; v1beta4 has it"),
        ),
        (
            "ClusterConfiguration",
            "v1beta4",
            "apiServer: {timeoutForControlPlane: 4m}",
            unknown("ClusterConfiguration.apiServer.timeoutForControlPlane", "v1beta4", "; v1beta3 has it"),
        ),
        (
            "InitConfiguration",
            "v1beta4",
            "bootstrapTokens: [{}, {toke: hunter2}]",
            unknown("InitConfiguration.bootstrapTokens[1].toke", "v1beta4", ""),
        ),
        (
            "InitConfiguration",
            "v1beta3",
            "\"a\\nb\": hunter2",
            unknown("InitConfiguration.\"a\\nb\"", "v1beta3", ""),
        ),
        (
            "JoinConfiguration",
            "v1beta4",
            "controlPlane: {localAPIEndpoint: {port: 1}}",
            unknown("JoinConfiguration.controlPlane.localAPIEndpoint.port", "v1beta4", ""),
        ),
        (
            "ClusterConfiguration",
            "v1beta4",
            "kubernetesVersion: stable-1",
            "ClusterConfiguration.kubernetesVersion: what stable-1 means, kubeadm looks up where it runs: no version \
             is followed"
                .to_owned(),
        ),
        (
            "InitConfiguration",
            "v1beta4",
            "localAPIEndpoint: {advertiseAddress: 0.0.0.0}",
            "InitConfiguration.localAPIEndpoint.advertiseAddress: 0.0.0.0 is no address of the node: kubeadm puts one \
             there that it finds on the machine"
                .to_owned(),
        ),
        (
            "ClusterConfiguration",
            "v1beta4",
            "apiServer: {certSANs: [a, 10.0.0.256]}",
            "ClusterConfiguration.apiServer.certSANs[1]: \"10.0.0.256\" goes into the certificate, as with kubeadm, \
             but not every client accepts it: expected a DNS name or an IP address: what ends in a number is no DNS \
             name"
                .to_owned(),
        ),
        (
            "ResetConfiguration",
            "v1beta4",
            "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration",
            "document 1: ResetConfiguration is passed over: it says nothing about certificates".to_owned(),
        ),
    ] {
        let configuration = read(&document(version, kind, fields)).unwrap();
        assert_eq!(remarks(&configuration), [note.as_str()]);
        assert!(note.starts_with(configuration.remarks()[0].field()));
    }
    let kind = remarks(&load("join-worker.yaml"));
    let metadata = ["ClusterConfiguration", "InitConfiguration", "JoinConfiguration"];
    assert_eq!(kind, metadata.map(|kind| unknown(&format!("{kind}.metadata"), "v1beta3", "")));
}

#[test]
fn what_kubeadm_refuses_is_refused_with_its_place() {
    let cluster = |fields: &str| document("v1beta4", "ClusterConfiguration", fields);
    let init = |fields: &str| document("v1beta4", "InitConfiguration", fields);
    let etcd =
        |files: &str| cluster(&format!("etcd: {{external: {{endpoints: [https://a:2379], {files}}}}}"));
    for (yaml, code, parts) in [
        (
            cluster("clusterName: 1"),
            Code::Malformed,
            ["ClusterConfiguration.clusterName: ", "text", "a number"],
        ),
        (
            cluster("clusterName: ' a'"),
            Code::Invalid,
            ["ClusterConfiguration.clusterName: ", "white space", "\" a\""],
        ),
        (
            cluster("networking: []"),
            Code::Malformed,
            ["ClusterConfiguration.networking: ", "a mapping", "a list"],
        ),
        (
            cluster("networking: {serviceSubnet: '10.96.0.0/12,'}"),
            Code::Invalid,
            ["ClusterConfiguration.networking.serviceSubnet: ", "10.96.0.0/12", "found \"\""],
        ),
        (
            cluster("networking: {serviceSubnet: '10.96.0.0/12,10.0.0.0/16'}"),
            Code::Invalid,
            ["ClusterConfiguration.networking: service subnets: ", "one of IPv4 and one of IPv6", ""],
        ),
        (
            cluster("networking: {serviceSubnet: 10.96.0.0/30}"),
            Code::SubnetTooSmall,
            ["ClusterConfiguration.networking.serviceSubnet: ", "at least 10", ""],
        ),
        (
            cluster("networking: {dnsDomain: -a}"),
            Code::Invalid,
            ["ClusterConfiguration.networking.dnsDomain: ", "neither begin nor end", "-a"],
        ),
        (
            cluster("controlPlaneEndpoint: https://a"),
            Code::Invalid,
            ["ClusterConfiguration.controlPlaneEndpoint: ", "without a scheme", ""],
        ),
        (
            cluster("controlPlaneEndpoint: a:0"),
            Code::Invalid,
            ["ClusterConfiguration.controlPlaneEndpoint: ", "1 to 65535", ""],
        ),
        (
            cluster("encryptionAlgorithm: DSA"),
            Code::Invalid,
            ["ClusterConfiguration.encryptionAlgorithm: ", "rsa-2048", "DSA"],
        ),
        (
            cluster("certificateValidityPeriod: 365d"),
            Code::Invalid,
            ["ClusterConfiguration.certificateValidityPeriod: ", "8760h0m0s", "365d"],
        ),
        (
            cluster("caCertificateValidityPeriod: 87600"),
            Code::Malformed,
            ["ClusterConfiguration.caCertificateValidityPeriod: ", "text", "a number"],
        ),
        (
            cluster("kubernetesVersion: newest"),
            Code::Invalid,
            ["ClusterConfiguration.kubernetesVersion: ", "v1.MINOR.PATCH", "newest"],
        ),
        (
            cluster("certificatesDir: pki"),
            Code::Invalid,
            ["ClusterConfiguration.certificatesDir: ", "an absolute path", "pki"],
        ),
        (
            cluster("apiServer: {certSANs: a}"),
            Code::Malformed,
            ["ClusterConfiguration.apiServer.certSANs: ", "a list", "text"],
        ),
        (
            cluster("apiServer: {certSANs: [a, 'b:1']}"),
            Code::Invalid,
            [
                "ClusterConfiguration.apiServer.certSANs[1]: ",
                "an IP address, a DNS name or a wildcard",
                "b:1",
            ],
        ),
        (
            cluster("etcd: {local: {peerCertSANs: [Upper]}}"),
            Code::Invalid,
            ["ClusterConfiguration.etcd.local.peerCertSANs[0]: ", "lower-case", "Upper"],
        ),
        (
            cluster("etcd: {local: {}, external: {}}"),
            Code::Invalid,
            ["ClusterConfiguration.etcd: ", "local or external", "both"],
        ),
        (
            etcd("caFile: /ca, certFile: /c"),
            Code::Invalid,
            ["ClusterConfiguration.etcd.external.keyFile: ", "certFile", "nothing"],
        ),
        (
            etcd("caFile: /ca, keyFile: /k"),
            Code::Invalid,
            ["ClusterConfiguration.etcd.external.certFile: ", "keyFile", "nothing"],
        ),
        (
            etcd("certFile: /c, keyFile: /k"),
            Code::Invalid,
            ["ClusterConfiguration.etcd.external.caFile: ", "the CA", "nothing"],
        ),
        (
            etcd("caFile: ca"),
            Code::Invalid,
            ["ClusterConfiguration.etcd.external.caFile: ", "an absolute path", "\"ca\""],
        ),
        (
            init("nodeRegistration: {name: a_b}"),
            Code::Invalid,
            ["InitConfiguration.nodeRegistration.name: ", "RFC 1123", "a_b"],
        ),
        (
            init("localAPIEndpoint: {advertiseAddress: cp-1}"),
            Code::Invalid,
            ["InitConfiguration.localAPIEndpoint.advertiseAddress: ", "IPv4 or IPv6", "cp-1"],
        ),
        (
            init("localAPIEndpoint: {bindPort: 65536}"),
            Code::Invalid,
            ["InitConfiguration.localAPIEndpoint.bindPort: ", "1 to 65535", "65536"],
        ),
        (
            init("localAPIEndpoint: {bindPort: '6443'}"),
            Code::Malformed,
            ["InitConfiguration.localAPIEndpoint.bindPort: ", "a number", "text"],
        ),
        (
            init("bootstrapTokens: [a]"),
            Code::Malformed,
            ["InitConfiguration.bootstrapTokens[0]: ", "a mapping", "text"],
        ),
        (
            document("v1beta4", "JoinConfiguration", "controlPlane: true"),
            Code::Malformed,
            ["JoinConfiguration.controlPlane: ", "a mapping", "true or false"],
        ),
    ] {
        refused(read(&yaml), code, &parts);
    }
}

#[test]
fn documents_that_are_none_of_kubeadms_are_refused_by_their_number() {
    let init = || document("v1beta4", "InitConfiguration", "");
    for version in ["v1alpha3", "v1beta1", "v1beta2", "v1beta5", "v1", ""] {
        let yaml = init() + &document(version, "ClusterConfiguration", "");
        let found = format!("found \"ClusterConfiguration\" of \"kubeadm.k8s.io/{version}\"");
        let supported = "kubeadm.k8s.io/v1beta4 or kubeadm.k8s.io/v1beta3";
        refused(read(&yaml), Code::Invalid, &["document 2: apiVersion: ", supported, &found]);
    }
    for (version, kind) in
        [("v1beta4", "ClusterStatus"), ("v1beta4", "initConfiguration"), ("v1beta3", "ResetConfiguration")]
    {
        let parts =
            ["document 2: kind: ", "InitConfiguration, ClusterConfiguration or JoinConfiguration", kind];
        refused(read(&(init() + &document(version, kind, ""))), Code::Invalid, &parts);
    }
    let twice = init()
        + &document("v1beta3", "ClusterConfiguration", "")
        + &document("v1beta3", "InitConfiguration", "");
    refused(read(&twice), Code::Invalid, &["document 3: kind: ", "each kind once", "\"InitConfiguration\""]);
    refused(
        read("kind: InitConfiguration"),
        Code::Malformed,
        &["document 1: apiVersion: ", "text", "nothing"],
    );
    refused(
        read("apiVersion: kubeadm.k8s.io/v1beta4"),
        Code::Malformed,
        &["document 1: kind: ", "found nothing"],
    );
    refused(read("apiVersion: 1\nkind: a"), Code::Malformed, &["document 1: apiVersion: ", "found a number"]);
    refused(read("- a"), Code::Malformed, &["document 1: ", "a mapping", "a list"]);
    for nothing in ["", "---\n---\n", "# nothing"] {
        refused(read(nothing), Code::Malformed, &["a document of kubeadm.k8s.io", "found none"]);
    }
    let other = "apiVersion: v1\nkind: ConfigMap";
    refused(read(other), Code::Malformed, &["a document of kubeadm.k8s.io", "found \"ConfigMap\" of \"v1\""]);
}

#[test]
fn what_is_meant_to_harm_is_refused_in_no_time_and_quoted_by_no_error() {
    let start = Instant::now();
    let init = document("v1beta4", "InitConfiguration", "");
    for (yaml, reason) in [
        (init.clone() + "a: &a [hunter2]\nb: [*a, *a]", "an anchor or alias"),
        (init.clone() + "a: hunter2\na: hunter2", "a key that stands twice"),
        (init.clone() + "a: !hunter2 b", "a tag"),
        (init.clone() + "<<: {kind: hunter2}", "a merge key"),
        (init.clone() + &"[".repeat(100_000), "found"),
        (init.clone() + &"- \n".repeat(300_000), "too many values"),
        (init.clone() + &init.repeat(5_000), "too many documents"),
        (init.clone() + &" ".repeat(1 << 20), "at most 1048576 bytes"),
        (init.replace("kind: ", "certificateKey: [hunter2\nkind: "), "in line"),
        ("apiVersion: hunter2\nkind: [hunter2]".to_owned(), "document 1: kind: "),
        (init.replace("---", "bootstrapTokens: [hunter2]"), "InitConfiguration.bootstrapTokens[0]"),
        (init.replace("---", "bootstrapTokens: {token: hunter2}"), "InitConfiguration.bootstrapTokens"),
    ] {
        let error = read(&yaml).unwrap_err();
        assert_eq!(error.code(), Code::Malformed);
        let text = format!("{error} {error:?}");
        assert!(text.contains(reason) && !text.contains("hunter2"), "{text}");
    }
    assert_eq!(KubeadmConfiguration::from_yaml(b"\x7fELF\xff\xfe\0").unwrap_err().code(), Code::Malformed);
    let many = init.replace("---", &(0..50_000).map(|number| format!("f{number}:\n")).collect::<String>());
    assert_eq!(read(&many).unwrap().remarks().len(), 50_000);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());

    let directory = fixture("");
    let error = KubeadmConfiguration::load(&directory).unwrap_err();
    assert!(error.to_string().starts_with(&directory.display().to_string()), "{error}");
    refused(
        KubeadmConfiguration::load(fixture("none")),
        Code::Io,
        &["fixtures/kubeadm/none", "read this file"],
    );
}

#[test]
fn what_the_file_lacks_the_caller_gives() {
    let address = || "192.0.2.10".parse().unwrap();
    let cluster = read(&document("v1beta4", "ClusterConfiguration", "")).unwrap();
    refused(
        cluster.node(),
        Code::Invalid,
        &["InitConfiguration.nodeRegistration.name: ", "the node's name", "found nothing"],
    );
    let cluster = cluster.node_name("cp-1".parse().unwrap());
    refused(cluster.node(), Code::Invalid, &["InitConfiguration.localAPIEndpoint.advertiseAddress: "]);
    refused(cluster.cluster(), Code::Invalid, &["ClusterConfiguration.controlPlaneEndpoint: "]);
    let cluster = cluster.advertise_address(address());
    assert_eq!(cluster.node().unwrap(), control_plane("cp-1", "192.0.2.10").bind_port(6443));
    assert_eq!(cluster.cluster().unwrap(), kubeadm("192.0.2.10:6443"));

    let join = read(&document("v1beta4", "JoinConfiguration", "controlPlane: {}")).unwrap();
    let join = join.node_name("cp-2".parse().unwrap());
    refused(
        join.node(),
        Code::Invalid,
        &["JoinConfiguration.controlPlane.localAPIEndpoint.advertiseAddress: "],
    );
    let join = join.advertise_address(address());
    assert_eq!(join.node().unwrap(), control_plane("cp-2", "192.0.2.10").bind_port(6443));
    refused(join.first_node(), Code::Invalid, &["InitConfiguration: ", "the first node"]);
    // Another node's address is not where the cluster is reached.
    refused(join.cluster(), Code::Invalid, &["ClusterConfiguration.controlPlaneEndpoint: "]);
    let endpoint: Endpoint = "api.example.com:443".parse().unwrap();
    assert_eq!(join.endpoint(endpoint).cluster().unwrap(), kubeadm("api.example.com:443"));
}

#[test]
fn the_caller_overrides_the_file() {
    let configuration = load("init-dual-stack.yaml")
        .node_name("cp-9".parse().unwrap())
        .advertise_address("192.0.2.9".parse().unwrap());
    assert_eq!(configuration.node().unwrap(), control_plane("cp-9", "192.0.2.9").bind_port(6443));
    let [ours, files] = [&configuration, &load("init-dual-stack.yaml")].map(|it| it.cluster().unwrap());
    assert_eq!(ours, files.endpoint("192.0.2.9:6443".parse().unwrap()));
}

#[test]
fn one_file_may_describe_the_first_node_and_the_one_that_joins() {
    let kind = load("join-worker.yaml");
    assert_eq!(kind.node().unwrap(), Node::worker("kind-worker".parse().unwrap()));
    let first = kind.node_name("kind-control-plane".parse().unwrap()).first_node().unwrap();
    let names = ["localhost", "127.0.0.1"].map(|name| name.parse().unwrap());
    let node = control_plane("kind-control-plane", "192.0.2.20").bind_port(6443);
    assert_eq!(first, names.into_iter().fold(node, |node, name| node.san(Role::ApiServer, name)));
}

#[test]
fn arguments_name_the_directory_of_certificates_that_the_file_has() {
    let configuration = load("init-v1beta4.yaml");
    assert_eq!(configuration.certificates_directory(), Some(Path::new("/etc/kubernetes/ssl")));
    let (cluster, node) = (configuration.cluster().unwrap(), configuration.node().unwrap());
    let arguments =
        Expected::new(&cluster, &node).layout(configuration.layout()).arguments(Component::ApiServer);
    assert!(arguments.contains(&"--client-ca-file=/etc/kubernetes/ssl/ca.crt".to_owned()), "{arguments:?}");

    let without = load("init-dual-stack.yaml");
    assert_eq!((without.certificates_directory(), without.layout()), (None, Layout::default()));
}

#[test]
fn every_example_takes_a_configuration_which_its_other_options_override() {
    let directory = tempfile::tempdir().unwrap();
    let run = |name: &str, arguments: &[&str]| -> Output {
        let output =
            Command::new(example(name)).args(arguments).current_dir(directory.path()).output().unwrap();
        println!("{name} {arguments:?}: {output:?}");
        output
    };
    let fixture = |name: &str| fixture(name).display().to_string();
    let (first, second) = (fixture("init-v1beta4.yaml"), fixture("join-control-plane.yaml"));
    let created = run("create_cluster", &["first", "--config", &first, "--cluster-name", "other"]);
    assert!(created.status.success());
    let said = utf8(created.stderr);
    assert!(said.contains(&format!("note: {first}: document 3: ")), "{said}");
    let first_node = directory.path().join("first");
    assert!(first_node.join("ssl/etcd/ca.key").exists() && !first_node.join("pki").exists());
    let kubeconfig = std::fs::read_to_string(first_node.join("super-admin.conf")).unwrap();
    assert!(kubeconfig.contains("kubernetes-super-admin@other"));

    assert!(run("check_pki", &["first", "--config", &first, "--cluster-name", "other"]).status.success());
    let missing =
        run("check_pki", &["first", "--config", &first, "--cluster-name", "other", "--san", "a.example.com"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(utf8(missing.stdout).contains("a.example.com"));

    let renewed = run("renew_pki", &["first", "--config", &first, "--cluster-name", "other", "--all"]);
    assert!(renewed.status.success());
    assert!(run("check_pki", &["first", "--config", &first, "--cluster-name", "other"]).status.success());

    std::fs::rename(first_node.join("ssl"), first_node.join("pki")).unwrap();
    let arguments = ["--from", "first", "--out", "second", "--config", &second, "--node", "cp-9"];
    assert!(run("join_node", &arguments).status.success());
    let certificate = std::fs::read(directory.path().join("second/pki/apiserver.crt")).unwrap();
    let certificate = Certificate::from_pem(&certificate).unwrap().remove(0);
    let sans: Vec<_> = certificate.sans().iter().map(ToString::to_string).collect();
    for name in ["DNS:cp-9", "DNS:api.internal", "IP:192.0.2.12"] {
        assert!(sans.contains(&name.to_owned()), "{sans:?}");
    }

    for (file, option) in [
        (document("v1beta4", "ClusterConfiguration", "controlPlaneEndpoint: a"), "--node NAME"),
        (document("v1beta4", "InitConfiguration", "nodeRegistration: {name: a}"), "--address IP"),
        (document("v1beta4", "InitConfiguration", "nodeRegistration: {nam: a}"), "--node NAME"),
        (document("v1beta4", "JoinConfiguration", "nodeRegistration: {name: a}"), "--endpoint HOST:PORT"),
    ] {
        std::fs::write(directory.path().join("lacks.yaml"), &file).unwrap();
        let output = run("check_pki", &["first", "--config", "lacks.yaml"]);
        let said = utf8(output.stderr);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            said.contains("error: lacks.yaml: ") && said.contains(&format!("; {option} gives it")),
            "{said}"
        );
        assert_eq!(said.contains("note: lacks.yaml: "), file.contains("nam: a"), "{said}");
    }

    let noted = run("create_cluster", &["third", "--config", &first, "--kind", "worker"]);
    let said = utf8(noted.stderr);
    assert!(
        said.contains("error: --kind") && said.contains(&format!("note: {first}: document 3: ")),
        "{said}"
    );

    let refused = "apiServer: {certSans: [a.example], certSANs: [a_b]}";
    let refused = document("v1beta4", "ClusterConfiguration", refused);
    std::fs::write(directory.path().join("refused.yaml"), refused).unwrap();
    let said = utf8(run("create_cluster", &["third", "--config", "refused.yaml"]).stderr);
    let note = "note: refused.yaml: ClusterConfiguration.apiServer.certSans: unknown to kubeadm's v1beta4";
    assert!(said.starts_with(note) && said.contains("\nerror: refused.yaml: "), "{said}");

    let joining = document("v1beta4", "JoinConfiguration", "nodeRegistration: {name: a}");
    std::fs::write(directory.path().join("joining.yaml"), joining).unwrap();
    let joining = run("create_cluster", &["third", "--config", "joining.yaml", "--endpoint", "a"]);
    let said = utf8(joining.stderr);
    assert_eq!(joining.status.code(), Some(1));
    assert!(said.contains("InitConfiguration") && said.contains("; join_node makes"), "{said}");
    assert!(!directory.path().join("third").exists());
}
