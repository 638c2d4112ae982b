//! Kubeconfigs: the files that tell a client where the API server is, whom to trust and who it is.
//!
//! The types follow the schema of `kubectl` (kubernetes/kubernetes, staging/src/k8s.io/client-go,
//! tools/clientcmd/api/v1/types.go), names included. A file that is read and written again keeps everything, also
//! fields that this library does not know, but comments; the fields of the schema are then in alphabetical order, as
//! kubeadm and kubectl write them.
//!
//! Private keys, tokens, passwords and whatever else may be a secret are zeroized on drop and not shown by `Debug`.
//!
//! ```
//! use kubepki::kubeconfig::{Cluster, Kubeconfig, NamedCluster, NamedUser, User};
//!
//! let cluster = Cluster::new("https://api.example.com:6443", "-----BEGIN CERTIFICATE-----\n...");
//! let kubeconfig = Kubeconfig::new(
//!     "jane@prod",
//!     NamedCluster::new("prod", cluster),
//!     NamedUser::new("jane", User::with_token("07401b.f395accd246ae52d")),
//! );
//! let yaml = kubeconfig.to_yaml();
//! assert_eq!(Kubeconfig::from_yaml(yaml.as_bytes())?, kubeconfig);
//! # Ok::<(), kubepki::Error>(())
//! ```

mod assemble;
mod check;
mod users;

use std::collections::{BTreeMap, HashSet};

use zeroize::Zeroizing;

use crate::document;
use crate::document::record::{self, record};
pub use crate::document::{Extension, Fields};
pub use users::{InteractiveMode, OidcUser};

use crate::error::{Code, Error, Result};

record! {
    /// A kubeconfig, `kind: Config` of `apiVersion: v1`.
    pub Kubeconfig {
        /// The clusters, each name once.
        "clusters" clusters: Vec<NamedCluster>,
        /// The contexts, each name once.
        "contexts" contexts: Vec<NamedContext>,
        /// The name of the context that clients use unless they are told another; empty for none.
        "current-context" current_context: String,
        /// Settings of `kubectl`. kubeadm wrote an empty mapping until Kubernetes 1.33.
        "preferences" preferences: Option<Fields>,
        /// More data, for programs that know it by its name.
        "extensions" extensions: Vec<NamedExtension>,
        /// The users, each name once.
        "users" users: Vec<NamedUser>,
    }
}

record! {
    /// A [`Cluster`] with its name.
    pub NamedCluster {
        /// The name, by which contexts refer to it.
        "name" name: String,
        /// The cluster.
        "cluster" cluster: Cluster,
    }
}

record! {
    /// A [`Context`] with its name.
    pub NamedContext {
        /// The name.
        "name" name: String,
        /// The context.
        "context" context: Context,
    }
}

record! {
    /// A [`User`] with its name.
    pub NamedUser {
        /// The name, by which contexts refer to it. The API server does not see it.
        "name" name: String,
        /// The user.
        "user" user: User,
    }
}

record! {
    /// An [`Extension`] with its name.
    pub NamedExtension {
        /// The name, by which a program finds what is its own.
        "name" name: String,
        /// The data.
        "extension" extension: Extension,
    }
}

record! {
    /// Where the API server is, and whom to trust.
    pub Cluster {
        /// More data, for programs that know it by its name.
        "extensions" extensions: Vec<NamedExtension>,
        /// The URL of the API server.
        "server" server: String,
        /// The name to look for in the server's certificate, if it is not the host of the URL.
        "tls-server-name" tls_server_name: Option<String>,
        /// Whether the server's certificate is not verified at all: anybody may then play the server.
        "insecure-skip-tls-verify" insecure_skip_tls_verify: bool,
        /// The path of a file with the trusted certificates, in PEM.
        "certificate-authority" certificate_authority: Option<String>,
        /// The trusted certificates, in PEM; they win over the file.
        "certificate-authority-data" certificate_authority_data: Option<Vec<u8>>,
        /// The URL of a proxy; it may hold a password.
        "proxy-url" proxy_url: Option<Zeroizing<String>>,
        /// Whether responses are not to be compressed.
        "disable-compression" disable_compression: bool,
    }
}

record! {
    /// A cluster and a user, by their names, and a namespace.
    pub Context {
        /// More data, for programs that know it by its name.
        "extensions" extensions: Vec<NamedExtension>,
        /// The name of the cluster.
        "cluster" cluster: String,
        /// The name of the user.
        "user" user: String,
        /// The namespace for requests that name none.
        "namespace" namespace: Option<String>,
    }
}

record! {
    /// Who a client is: most often a client certificate with its key, or a token.
    pub User {
        /// More data, for programs that know it by its name.
        "extensions" extensions: Vec<NamedExtension>,
        /// The path of a file with the client certificate, in PEM.
        "client-certificate" client_certificate: Option<String>,
        /// The client certificate, in PEM, with the intermediate certificates behind it; it wins over the file.
        "client-certificate-data" client_certificate_data: Option<Vec<u8>>,
        /// The path of a file with the private key, in PEM.
        "client-key" client_key: Option<String>,
        /// The private key, in PEM; it wins over the file.
        "client-key-data" client_key_data: Option<Zeroizing<Vec<u8>>>,
        /// A bearer token.
        "token" token: Option<Zeroizing<String>>,
        /// The path of a file with a bearer token, which wins over `token`.
        "tokenFile" token_file: Option<String>,
        /// The name of the user to impersonate.
        "as" impersonate: Option<String>,
        /// The UID of the user to impersonate.
        "as-uid" impersonate_uid: Option<String>,
        /// The groups of the user to impersonate.
        "as-groups" impersonate_groups: Vec<String>,
        /// More about the user to impersonate.
        "as-user-extra" impersonate_user_extra: BTreeMap<String, Vec<String>>,
        /// The user name for basic authentication, which API servers no longer know.
        "username" username: Option<String>,
        /// The password for basic authentication.
        "password" password: Option<Zeroizing<String>>,
        /// A plugin within the client.
        "auth-provider" auth_provider: Option<AuthProvider>,
        /// A program that hands out a token or a client certificate.
        "exec" exec: Option<Exec>,
    }
}

record! {
    /// A plugin within the client that authenticates, with its settings.
    pub AuthProvider {
        /// The name of the plugin.
        "name" name: String,
        /// The settings; among them may be tokens.
        "config" config: BTreeMap<String, Zeroizing<String>>,
    }
}

record! {
    /// A program that a client runs to authenticate.
    pub Exec {
        /// The version of the interface: `client.authentication.k8s.io/v1`.
        "apiVersion" api_version: Option<String>,
        /// The program.
        "command" command: String,
        /// Its arguments; among them may be secrets.
        "args" args: Zeroizing<Vec<String>>,
        /// Environment variables that it gets besides those of the client.
        "env" env: Vec<ExecEnvVar>,
        /// What to tell a user who does not have the program.
        "installHint" install_hint: Option<String>,
        /// Whether the program is told which cluster it is for.
        "provideClusterInfo" provide_cluster_info: bool,
        /// Whether the program talks to the user: `Never`, `IfAvailable` or `Always`.
        "interactiveMode" interactive_mode: Option<String>,
    }
}

record! {
    /// An environment variable of a program.
    pub ExecEnvVar {
        /// The name.
        "name" name: String,
        /// The value, which may be a secret.
        "value" value: Zeroizing<String>,
    }
}

impl Kubeconfig {
    /// A kubeconfig with one cluster, one user, and one context, which is the current one.
    #[must_use]
    pub fn new(context: impl Into<String>, cluster: NamedCluster, user: NamedUser) -> Self {
        let context = NamedContext {
            name: context.into(),
            context: Context { cluster: cluster.name.clone(), user: user.name.clone(), ..Context::default() },
            ..NamedContext::default()
        };
        Self {
            current_context: context.name.clone(),
            clusters: vec![cluster],
            contexts: vec![context],
            users: vec![user],
            ..Self::default()
        }
    }

    /// Reads a kubeconfig: YAML or JSON, in UTF-8, of at most 4 MiB.
    ///
    /// `kind` and `apiVersion` may be missing, and every field may be `null`, as for `kubectl`.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] if this is no YAML, with line and column, or not the schema, with the field. Also what
    /// YAML allows but no program writes into a kubeconfig: several documents, a key that stands twice, keys that
    /// are no scalar, tags, anchors and aliases. [`Code::Unsupported`] if this is another kind of object or another
    /// version. [`Code::Invalid`] if two clusters, contexts or users have the same name; `kubectl` refuses that too.
    /// No error quotes a value that may be a secret.
    pub fn from_yaml(document: &[u8]) -> Result<Self> {
        let kubeconfig: Self = record::from_document(document, document::LONGEST, "kubeconfig", TYPE)?;
        each_once("clusters", kubeconfig.clusters.iter().map(|cluster| cluster.name.as_str()))?;
        each_once("contexts", kubeconfig.contexts.iter().map(|context| context.name.as_str()))?;
        each_once("users", kubeconfig.users.iter().map(|user| user.name.as_str()))?;
        Ok(kubeconfig)
    }

    /// This kubeconfig as YAML, in the shape that kubeadm gives it.
    #[must_use]
    pub fn to_yaml(&self) -> Zeroizing<String> {
        document::write(&record::with_type(TYPE, self))
    }

    /// The cluster of the current context.
    #[must_use]
    pub fn current_cluster(&self) -> Option<&Cluster> {
        let name = &self.current()?.cluster;
        self.clusters.iter().find(|cluster| cluster.name == *name).map(|cluster| &cluster.cluster)
    }

    /// The user of the current context.
    #[must_use]
    pub fn current_user(&self) -> Option<&User> {
        let name = &self.current()?.user;
        self.users.iter().find(|user| user.name == *name).map(|user| &user.user)
    }

    /// The cluster of the current context, to change it.
    pub(crate) fn current_cluster_mut(&mut self) -> Option<&mut Cluster> {
        let name = self.current()?.cluster.clone();
        self.clusters.iter_mut().find(|cluster| cluster.name == name).map(|cluster| &mut cluster.cluster)
    }

    /// The user of the current context, to change it.
    pub(crate) fn current_user_mut(&mut self) -> Option<&mut User> {
        let name = self.current()?.user.clone();
        self.users.iter_mut().find(|user| user.name == name).map(|user| &mut user.user)
    }

    fn current(&self) -> Option<&Context> {
        let context = self.contexts.iter().find(|context| context.name == self.current_context)?;
        Some(&context.context)
    }
}

impl NamedCluster {
    /// A cluster under a name.
    #[must_use]
    pub fn new(name: impl Into<String>, cluster: Cluster) -> Self {
        Self { name: name.into(), cluster, ..Self::default() }
    }
}

impl NamedUser {
    /// A user under a name.
    #[must_use]
    pub fn new(name: impl Into<String>, user: User) -> Self {
        Self { name: name.into(), user, ..Self::default() }
    }
}

impl Cluster {
    /// A cluster by the URL of its API server and the certificates, in PEM, that are trusted to vouch for it.
    #[must_use]
    pub fn new(server: impl Into<String>, certificate_authority: impl Into<Vec<u8>>) -> Self {
        Self {
            server: server.into(),
            certificate_authority_data: Some(certificate_authority.into()),
            ..Self::default()
        }
    }
}

const TYPE: [(&str, &str); 2] = [("apiVersion", "v1"), ("kind", "Config")];

fn each_once<'a>(list: &'static str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    for (position, name) in names.enumerate() {
        if !seen.insert(name) {
            let field = format!("{list}[{position}].name");
            return Err(Error::new(Code::Invalid, "a name that stands only once")
                .found_text(name)
                .field(field));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KUBEADM: &str = "\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://192.0.2.1:6443
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
kind: Config
preferences: {}
users:
- name: kubernetes-admin
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
";

    const EVERYTHING: &str = "\
apiVersion: v1
clusters:
- cluster:
    certificate-authority: ca.crt
    disable-compression: true
    extensions:
    - extension:
        z: 1
        a: \"yes\"
      name: client.authentication.k8s.io/exec
    insecure-skip-tls-verify: true
    proxy-url: \"http://u:hunter2@proxy\"
    server: https://api.example.com:6443
    tls-server-name: kubernetes
  name: c
  unknown: \"1\"
contexts:
- context:
    cluster: c
    namespace: \"1\"
    unknown: null
    user: u
  name: u@c
current-context: u@c
future:
- 1.5
- - hunter2
kind: Config
preferences:
  colors: true
users:
- name: u
  user:
    as: jane
    as-groups:
    - system:masters
    as-uid: \"1\"
    as-user-extra:
      scopes:
      - \"true\"
    auth-provider:
      config:
        id-token: hunter2
      name: oidc
    client-certificate: a.crt
    client-key: a.key
    client-key-data: aHVudGVyMg==
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - hunter2
      command: aws
      env:
      - name: SECRET
        value: hunter2
      installHint: \"a\\nb\"
      interactiveMode: Never
      provideClusterInfo: true
      stdin: hunter2
    impersonate: hunter2
    password: hunter2
    token: hunter2
    tokenFile: token
    username: jane
";

    fn read(document: &str) -> Kubeconfig {
        Kubeconfig::from_yaml(document.as_bytes()).unwrap()
    }

    fn refusal(document: &str) -> String {
        Kubeconfig::from_yaml(document.as_bytes()).unwrap_err().to_string()
    }

    fn with_names(name: &str) -> Kubeconfig {
        let mut user = User::with_certificate(name, name.as_bytes().to_vec());
        user.token = Some(Zeroizing::new(name.to_owned()));
        user.impersonate_groups = vec![name.to_owned(), name.to_owned()];
        user.impersonate_user_extra = [(name.to_owned(), vec![name.to_owned()])].into();
        Kubeconfig::new(name, NamedCluster::new(name, Cluster::new(name, name)), NamedUser::new(name, user))
    }

    #[test]
    fn a_new_kubeconfig_is_written_as_kubeadm_writes_it() {
        let mut kubeconfig = Kubeconfig::new(
            "kubernetes-admin@kubernetes",
            NamedCluster::new("kubernetes", Cluster::new("https://192.0.2.1:6443", "CA")),
            NamedUser::new("kubernetes-admin", User::with_certificate("CERT", b"KEY".to_vec())),
        );
        assert_eq!(*kubeconfig.to_yaml(), KUBEADM.replace("preferences: {}\n", ""));
        kubeconfig.preferences = Some(Fields::default());
        assert_eq!(*kubeconfig.to_yaml(), KUBEADM);
        assert_eq!(read(KUBEADM), kubeconfig);
        assert_eq!(kubeconfig.current_cluster().unwrap().server, "https://192.0.2.1:6443");
        assert_eq!(**kubeconfig.current_user().unwrap().client_key_data.as_ref().unwrap(), b"KEY");
    }

    #[test]
    fn what_is_read_is_written_again_with_unknown_fields() {
        let kubeconfig = read(EVERYTHING);
        assert_eq!(
            *kubeconfig.to_yaml(),
            EVERYTHING.replace("\"http://u:hunter2@proxy\"", "http://u:hunter2@proxy")
        );
        assert_eq!(read(&EVERYTHING.replace('\n', "\r\n")), kubeconfig);
        assert_eq!(kubeconfig.other.names().collect::<Vec<_>>(), ["future"]);
        assert_eq!(kubeconfig.users[0].user.exec.as_ref().unwrap().env[0].name, "SECRET");
    }

    #[test]
    fn a_key_that_the_document_chose_stays_also_without_a_value() {
        let kubeconfig =
            read("users: [{name: a, user: {as-user-extra: {b: null, c: []}, as-groups: [null]}}]");
        let extra = &kubeconfig.users[0].user.impersonate_user_extra;
        assert_eq!(extra.keys().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(read(&kubeconfig.to_yaml()), kubeconfig);
    }

    #[test]
    fn the_order_of_unknown_fields_does_not_matter() {
        let kubeconfig = read("b: 1\na: 2\nusers: [{z: 1, x: 2}]");
        assert_eq!(read("a: 2\nb: 1\nusers: [{x: 2, z: 1}]"), kubeconfig);
        assert_eq!(read(&kubeconfig.to_yaml()), kubeconfig);
    }

    #[test]
    fn json_is_read_as_kubectl_prints_it() {
        let json = r#"{
            "kind": "Config",
            "apiVersion": "v1",
            "preferences": {},
            "clusters": [{"name": "kubernetes", "cluster": {
                "server": "https://192.0.2.1:6443", "certificate-authority-data": "Q0E="}}],
            "users": [{"name": "kubernetes-admin", "user": {
                "client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ"}}],
            "contexts": [{"name": "kubernetes-admin@kubernetes",
                "context": {"cluster": "kubernetes", "user": "kubernetes-admin"}}],
            "current-context": "kubernetes-admin@kubernetes"
        }"#;
        assert_eq!(read(json), read(KUBEADM));
        assert_eq!(read(&json.replace("    ", "\t")), read(KUBEADM));
    }

    #[test]
    fn null_is_as_good_as_missing() {
        let empty = Kubeconfig::default();
        assert_eq!(read("{}"), empty);
        assert_eq!(read(&empty.to_yaml()), empty);
        assert_eq!(
            read(
                "apiVersion:\nkind: ''\nclusters: null\ncontexts: ~\ncurrent-context: null\npreferences:\nusers:\n"
            ),
            empty
        );
        let entries = read(
            "clusters: [{name: null, cluster: null}]\ncontexts: [null]\nusers:\n- name: u\n  user:\n    token: null\n    \
             exec: {command: aws, args: null, env: null}\n    as-groups: null\n",
        );
        assert_eq!(entries.clusters, [NamedCluster::default()]);
        assert_eq!(entries.contexts, [NamedContext::default()]);
        let exec = Exec { command: "aws".to_owned(), ..Exec::default() };
        assert_eq!(entries.users[0].user, User { exec: Some(exec), ..User::default() });
    }

    #[test]
    fn data_may_be_broken_into_lines() {
        let document = "users:\n- name: u\n  user:\n    client-key-data: |\n      S0\n      VZ\n    client-certificate-data: ''\n";
        assert_eq!(read(document).users[0].user, User::with_certificate("", b"KEY".to_vec()));
    }

    #[test]
    fn what_is_no_kubeconfig_is_refused_with_the_field() {
        for (document, refused) in [
            ("", "kubeconfig: expected a mapping, found nothing"),
            ("[]", "kubeconfig: expected a mapping, found a list"),
            ("kind: Pod", "kind: expected Config, found \"Pod\""),
            ("apiVersion: v2", "apiVersion: expected v1, found \"v2\""),
            (
                "apiVersion: 1",
                "apiVersion: expected text (in quotes, where it looks like something else), found a number",
            ),
            ("users: {}", "users: expected a list, found a mapping"),
            ("users: [a]", "users[0]: expected a mapping, found text"),
            (
                "users: [{user: {token: 1}}]",
                "users[0].user.token: expected text (in quotes, where it looks like something else), found a number",
            ),
            ("users: [{}, {user: {token: yes}}]", "users[1].user.token: expected text"),
            (
                "users: [{user: {client-key-data: hunter2}}]",
                "users[0].user.client-key-data: expected standard base64 with padding (RFC 4648, section 4), found something else",
            ),
            (
                "users: [{user: {auth-provider: {config: {hunter2: 1}}}}]",
                "users[0].user.auth-provider.config: expected text",
            ),
            (
                "clusters: [{cluster: {insecure-skip-tls-verify: 'true'}}]",
                "clusters[0].cluster.insecure-skip-tls-verify: expected true or false, found text",
            ),
            (
                "clusters: [{name: a}, {name: b}, {name: a}]",
                "clusters[2].name: expected a name that stands only once, found \"a\"",
            ),
            (
                "contexts: [{name: a}, {name: a}]",
                "contexts[1].name: expected a name that stands only once, found \"a\"",
            ),
            (
                "users: [{name: a}, {name: a}]",
                "users[1].name: expected a name that stands only once, found \"a\"",
            ),
            ("users: []\nusers: []", "found a key that stands twice in line 2, column 1"),
        ] {
            let refusal = refusal(document);
            assert!(refusal.starts_with(refused) || refusal.ends_with(refused), "{document}: {refusal}");
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
        assert!(refusal(&" ".repeat(5 << 20)).contains("at most 4194304 bytes"));
    }

    #[test]
    fn names_that_look_like_yaml_do_not_change_the_structure() {
        for name in [
            "a: b",
            "# x",
            "a #x",
            "'\"",
            "a\nusers: []",
            "- x",
            "*a",
            "&a",
            "!tag",
            "😀",
            "\0",
            "\u{2028}",
            "true",
            "~",
            "1e3",
            "<<",
            "a\\",
            "%YAML",
            "---",
            "",
            " ",
            "\r\n",
            "{{ x }}",
            "|",
            "\u{feff}",
        ] {
            let kubeconfig = with_names(name);
            assert_eq!(read(&kubeconfig.to_yaml()), kubeconfig);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let kubeconfig = read(EVERYTHING);
        for shown in [format!("{kubeconfig:?}"), format!("{kubeconfig:#?}")] {
            assert!(shown.contains("https://api.example.com:6443") && shown.contains("future"));
            assert!(!shown.contains("hunter2") && !shown.contains("104,"), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn any_name_survives(name in any::<String>()) {
            let kubeconfig = with_names(&name);
            prop_assert_eq!(read(&kubeconfig.to_yaml()), kubeconfig);
        }

        #[test]
        fn any_bytes_are_read_or_refused(document in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Kubeconfig::from_yaml(&document);
        }
    }
}
