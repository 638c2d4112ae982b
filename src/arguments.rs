//! Component arguments: which component is given which file, as data.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::cluster::{Etcd, KubeletClientCertificate};
use crate::error::{Error, Result};
use crate::expected::Expected;
use crate::layout::Part::{self, Certificate, Key, Kubeconfig, PublicKey};
use crate::role::Role;

/// A component that is given files of the PKI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Component {
    /// kube-apiserver.
    ApiServer,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// The kubelet.
    Kubelet,
    /// etcd.
    Etcd,
    /// etcdctl.
    Etcdctl,
}

impl Component {
    /// Every component.
    pub const ALL: [Self; 6] =
        [Self::ApiServer, Self::ControllerManager, Self::Scheduler, Self::Kubelet, Self::Etcd, Self::Etcdctl];

    /// The name of the program.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kubelet => "kubelet",
            Self::Etcd => "etcd",
            Self::Etcdctl => "etcdctl",
        }
    }
}

impl FromStr for Component {
    type Err = Error;

    /// Reads [`Component::id`].
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|component| component.id() == text).ok_or_else(|| {
            Error::invalid("component", format!("one of {}", Self::ALL.map(Self::id).join(", ")), text)
        })
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The value of an argument: a file of a role, one that lies elsewhere, or a text.
enum Value<'a> {
    Role(Role, Part),
    Path(&'a Path),
    Text(String),
}

impl Expected {
    /// The arguments by which `component` is given this node's files, each as `--NAME=VALUE`, and those without which
    /// the files would mean nothing. Everything else about a component is its installer's affair, and so is which
    /// components run on this node: a worker's arguments of kube-apiserver name files that a worker does not have.
    ///
    /// There are none for a component that this kind of node does not run.
    ///
    /// ```
    /// use kubepki::{Cluster, Component, Expected, Node};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cluster = Cluster::new("api.example.com:6443".parse()?);
    /// let node = Node::control_plane("cp-1".parse()?, "192.0.2.10".parse()?);
    /// let arguments = Expected::new(&cluster, &node).arguments(Component::Scheduler);
    /// assert_eq!(arguments[0], "--kubeconfig=/etc/kubernetes/scheduler.conf");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn arguments(&self, component: Component) -> Vec<String> {
        let arguments = self.values(component).into_iter();
        arguments.filter_map(|(name, value)| Some(format!("--{name}={}", self.text(value)?))).collect()
    }

    /// The files of this node that `component` is given, each with the name of the argument.
    pub(crate) fn given_files(&self, component: Component) -> Vec<(&'static str, Role, Part)> {
        let file = |(name, value)| match value {
            Value::Role(role, part) => Some((name, role, part)),
            Value::Path(_) | Value::Text(_) => None,
        };
        self.values(component).into_iter().filter_map(file).collect()
    }

    fn values(&self, component: Component) -> Vec<(&'static str, Value<'_>)> {
        let (needed, arguments) = match component {
            Component::ApiServer => (Role::ApiServer, self.api_server()),
            Component::ControllerManager => (Role::ControllerManager, self.controller_manager()),
            Component::Scheduler => (Role::Scheduler, clients_of_the_api_server(Role::Scheduler)),
            Component::Kubelet => (Role::KubeletClient, self.kubelet()),
            Component::Etcd => (Role::EtcdServer, etcd()),
            Component::Etcdctl => match &self.cluster.etcd {
                Etcd::External { ca, cert, key } => (Role::ApiServer, external_etcdctl([ca, cert, key])),
                Etcd::Stacked | Etcd::Dedicated => (Role::EtcdHealthcheckClient, etcdctl()),
            },
        };
        if self.has(needed) { arguments } else { Vec::new() }
    }

    fn text(&self, value: Value<'_>) -> Option<String> {
        Some(match value {
            Value::Role(role, part) => self.layout.path(role, part)?.display().to_string(),
            // No file of the machine tells where an external etcd's are.
            Value::Path(path) if path.as_os_str().is_empty() => return None,
            Value::Path(path) => path.display().to_string(),
            Value::Text(text) => text,
        })
    }

    fn api_server(&self) -> Vec<(&'static str, Value<'_>)> {
        use Role::{
            ApiServer, ApiServerEtcdClient, ApiServerKubeletClient, EtcdCa, FrontProxyCa, FrontProxyClient,
            KubernetesCa, ServiceAccount,
        };
        let kubelet_client = match self.cluster.kubelet_client_certificate {
            KubeletClientCertificate::Separate => ApiServerKubeletClient,
            KubeletClientCertificate::Shared => ApiServer,
        };
        let [etcd_ca, etcd_cert, etcd_key] = match &self.cluster.etcd {
            Etcd::External { ca, cert, key } => [ca, cert, key].map(|path| Value::Path(path)),
            Etcd::Stacked | Etcd::Dedicated => [
                Value::Role(EtcdCa, Certificate),
                Value::Role(ApiServerEtcdClient, Certificate),
                Value::Role(ApiServerEtcdClient, Key),
            ],
        };
        let authentication = &self.cluster.authentication;
        let proxies = authentication.allowed_names(FrontProxyClient.common_name().unwrap_or_default());
        let mut arguments = vec![
            ("client-ca-file", Value::Role(KubernetesCa, Certificate)),
            ("tls-cert-file", Value::Role(ApiServer, Certificate)),
            ("tls-private-key-file", Value::Role(ApiServer, Key)),
            ("kubelet-client-certificate", Value::Role(kubelet_client, Certificate)),
            ("kubelet-client-key", Value::Role(kubelet_client, Key)),
            ("etcd-cafile", etcd_ca),
            ("etcd-certfile", etcd_cert),
            ("etcd-keyfile", etcd_key),
            ("requestheader-client-ca-file", Value::Role(FrontProxyCa, Certificate)),
            ("requestheader-allowed-names", Value::Text(proxies)),
            ("requestheader-username-headers", text("X-Remote-User")),
            ("requestheader-group-headers", text("X-Remote-Group")),
            ("requestheader-extra-headers-prefix", text("X-Remote-Extra-")),
            ("proxy-client-cert-file", Value::Role(FrontProxyClient, Certificate)),
            ("proxy-client-key-file", Value::Role(FrontProxyClient, Key)),
            ("service-account-key-file", Value::Role(ServiceAccount, PublicKey)),
            ("service-account-signing-key-file", Value::Role(ServiceAccount, Key)),
            ("service-account-issuer", Value::Text(self.cluster.token_issuer().to_string())),
            ("authorization-mode", text(authentication.authorization_modes())),
            ("enable-admission-plugins", text("NodeRestriction")),
            ("enable-bootstrap-token-auth", text("true")),
        ];
        if self.cluster.verify_kubelets {
            arguments.push(("kubelet-certificate-authority", Value::Role(KubernetesCa, Certificate)));
        }
        arguments
            .extend(authentication.arguments().into_iter().map(|(name, text)| (name, Value::Text(text))));
        arguments
    }

    fn controller_manager(&self) -> Vec<(&'static str, Value<'_>)> {
        let mut arguments = clients_of_the_api_server(Role::ControllerManager);
        arguments.extend([
            ("client-ca-file", Value::Role(Role::KubernetesCa, Certificate)),
            ("root-ca-file", Value::Role(Role::KubernetesCa, Certificate)),
        ]);
        if !self.is_external(Role::KubernetesCa) {
            arguments.extend([
                ("cluster-signing-cert-file", Value::Role(Role::KubernetesCa, Certificate)),
                ("cluster-signing-key-file", Value::Role(Role::KubernetesCa, Key)),
            ]);
        }
        arguments.extend([
            ("requestheader-client-ca-file", Value::Role(Role::FrontProxyCa, Certificate)),
            ("service-account-private-key-file", Value::Role(Role::ServiceAccount, Key)),
            ("use-service-account-credentials", text("true")),
            // Bootstrap tokens sign cluster-info, and are cleared away, only where this is said.
            ("controllers", text("*,bootstrapsigner,tokencleaner")),
        ]);
        arguments
    }

    /// The defaults of these flags let any stranger run commands.
    fn kubelet(&self) -> Vec<(&'static str, Value<'_>)> {
        let mut arguments = vec![
            ("kubeconfig", Value::Role(Role::KubeletClient, Kubeconfig)),
            ("client-ca-file", Value::Role(Role::KubernetesCa, Certificate)),
            ("anonymous-auth", text("false")),
            ("authentication-token-webhook", text("true")),
            ("authorization-mode", text("Webhook")),
        ];
        if self.has(Role::KubeletServer) {
            arguments.push(("tls-cert-file", Value::Role(Role::KubeletServer, Certificate)));
            arguments.push(("tls-private-key-file", Value::Role(Role::KubeletServer, Key)));
        }
        arguments
    }
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.to_owned())
}

fn clients_of_the_api_server(role: Role) -> Vec<(&'static str, Value<'static>)> {
    ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"]
        .map(|name| (name, Value::Role(role, Kubeconfig)))
        .into()
}

fn etcd() -> Vec<(&'static str, Value<'static>)> {
    vec![
        ("cert-file", Value::Role(Role::EtcdServer, Certificate)),
        ("key-file", Value::Role(Role::EtcdServer, Key)),
        ("client-cert-auth", text("true")),
        ("trusted-ca-file", Value::Role(Role::EtcdCa, Certificate)),
        ("peer-cert-file", Value::Role(Role::EtcdPeer, Certificate)),
        ("peer-key-file", Value::Role(Role::EtcdPeer, Key)),
        ("peer-client-cert-auth", text("true")),
        ("peer-trusted-ca-file", Value::Role(Role::EtcdCa, Certificate)),
    ]
}

fn external_etcdctl(files: [&PathBuf; 3]) -> Vec<(&'static str, Value<'_>)> {
    ["cacert", "cert", "key"].into_iter().zip(files.map(|path| Value::Path(path))).collect()
}

fn etcdctl() -> Vec<(&'static str, Value<'static>)> {
    vec![
        ("cacert", Value::Role(Role::EtcdCa, Certificate)),
        ("cert", Value::Role(Role::EtcdHealthcheckClient, Certificate)),
        ("key", Value::Role(Role::EtcdHealthcheckClient, Key)),
    ]
}
