//! One typed builder for each role: what the role needs is asked for by its constructor, and gives a [`Profile`].

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::profile::Profile;
use crate::cluster::{Cluster, Convention, KubeletClientCertificate, Node};
use crate::names::{AuthorityName, DnsName, Group, San, UserName};
use crate::role::Role;

macro_rules! builder {
    ($(#[$doc:meta])* $name:ident($cluster:ident $(, $input:ident: $type:ty)*) = $profile:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[must_use]
        pub struct $name(Profile);

        impl $name {
            /// Starts from what every certificate of this role needs.
            pub fn new($cluster: &Cluster $(, $input: $type)*) -> Self {
                Self($profile)
            }

            /// How long the certificate is valid, in whole seconds, instead of what the cluster says.
            pub fn lifetime(mut self, lifetime: Duration) -> Self {
                self.0.set_lifetime(lifetime);
                self
            }

            /// The profile.
            #[must_use]
            pub fn profile(self) -> Profile {
                self.0
            }
        }
    };
}

/// Lets a builder take more subject alternative names.
macro_rules! with_sans {
    ($($name:ident)*) => {$(
        impl $name {
            /// Adds a subject alternative name.
            pub fn san(mut self, san: San) -> Self {
                self.0.add_sans([san]);
                self
            }
        }
    )*};
}

builder! {
    /// A root above the authorities of one or more clusters.
    RootCa(cluster, name: AuthorityName) = Profile::new(Role::RootCa, cluster, None, name.as_str())
}

builder! {
    /// An authority between a root and the authorities of a cluster.
    Intermediate(cluster, name: AuthorityName) = Profile::new(Role::Intermediate, cluster, None, name.as_str())
}

impl Intermediate {
    /// How many authorities may stand between this one and a leaf: at least 1 where it is to sign a cluster's three.
    pub fn path_length(mut self, path_length: u8) -> Self {
        self.0.set_path_length(path_length);
        self
    }
}

builder! {
    /// The authority of everything but etcd and the front proxy.
    KubernetesCa(cluster) = Profile::new(Role::KubernetesCa, cluster, None, "")
}

builder! {
    /// The authority of everything of etcd.
    EtcdCa(cluster) = Profile::new(Role::EtcdCa, cluster, None, "")
}

builder! {
    /// The authority of the front proxy.
    FrontProxyCa(cluster) = Profile::new(Role::FrontProxyCa, cluster, None, "")
}

builder! {
    /// The API server's serving certificate, on a control-plane node.
    ApiServer(cluster, node: &Node) = {
        let mut profile = Profile::new(Role::ApiServer, cluster, Some(node), "");
        add_api_server_sans(&mut profile, cluster, node);
        if cluster.kubelet_client_certificate == KubeletClientCertificate::Shared {
            profile.add_client_authentication();
        }
        profile
    }
}

builder! {
    /// The API server's client certificate towards kubelets. Documented, its group is `system:masters`; kubeadm's is
    /// `kubeadm:cluster-admins`.
    ApiServerKubeletClient(cluster) = Profile::new(Role::ApiServerKubeletClient, cluster, None, "")
}

builder! {
    /// The API server's client certificate towards etcd.
    ApiServerEtcdClient(cluster) = Profile::new(Role::ApiServerEtcdClient, cluster, None, "")
}

builder! {
    /// The API server's client certificate towards extension API servers.
    FrontProxyClient(cluster) = Profile::new(Role::FrontProxyClient, cluster, None, "")
}

builder! {
    /// The serving certificate of a front proxy that clients reach by `first`.
    FrontProxyServer(cluster, first: San) = {
        let mut profile = Profile::new(Role::FrontProxyServer, cluster, None, "");
        profile.add_sans([first]);
        profile
    }
}

builder! {
    /// An etcd member's serving certificate. It is good for clients too: the member calls itself with it.
    EtcdServer(cluster, node: &Node) = etcd_member(Role::EtcdServer, cluster, node)
}

builder! {
    /// An etcd member's certificate towards other members.
    EtcdPeer(cluster, node: &Node) = etcd_member(Role::EtcdPeer, cluster, node)
}

builder! {
    /// The client certificate of etcd's liveness probes and of `etcdctl`.
    EtcdHealthcheckClient(cluster) = Profile::new(Role::EtcdHealthcheckClient, cluster, None, "")
}

builder! {
    /// A kubelet's serving certificate, for the node's name and [addresses](Node::addresses).
    KubeletServer(cluster, node: &Node) = {
        let mut profile = Profile::new(Role::KubeletServer, cluster, Some(node), "");
        profile.add_sans([San::from(node.name())]);
        profile.add_sans(node.advertise_address().map(San::Ip));
        profile.add_sans(node.addresses.iter().copied().map(San::from));
        profile.add_sans(node.added_sans(Role::KubeletServer));
        profile
    }
}

builder! {
    /// A kubelet's client certificate, for kubelet.conf: user `system:node:NAME`, group `system:nodes`.
    KubeletClient(cluster, node: &Node) = Profile::new(Role::KubeletClient, cluster, Some(node), "")
}

builder! {
    /// The administrator, for admin.conf. Its group, `kubeadm:cluster-admins`, has power only through
    /// [`manifest::cluster_admins_binding`](crate::manifest::cluster_admins_binding).
    Admin(cluster) = Profile::new(Role::Admin, cluster, None, "")
}

builder! {
    /// The administrator whom authorization does not bind (group `system:masters`), for super-admin.conf: for
    /// emergencies, kept elsewhere.
    SuperAdmin(cluster) = Profile::new(Role::SuperAdmin, cluster, None, "")
}

builder! {
    /// kube-controller-manager, for controller-manager.conf.
    ControllerManager(cluster) = Profile::new(Role::ControllerManager, cluster, None, "")
}

builder! {
    /// kube-scheduler, for scheduler.conf.
    Scheduler(cluster) = Profile::new(Role::Scheduler, cluster, None, "")
}

builder! {
    /// kube-proxy, for kube-proxy.conf.
    KubeProxy(cluster) = Profile::new(Role::KubeProxy, cluster, None, "")
}

builder! {
    /// A workload's serving certificate for the DNS name `first`, which is its common name as well.
    ///
    /// The short name of a service, `SVC.NS.svc`, brings the long one, `SVC.NS.svc.DOMAIN`.
    Service(cluster, first: DnsName) = {
        let mut profile = Profile::new(Role::Service, cluster, None, first.as_str());
        profile.add_sans([San::from(first.clone())]);
        if first.as_str().ends_with(".svc") {
            // A name that would be too long cannot be asked for either.
            profile.add_sans(format!("{first}.{}", cluster.domain()).parse::<San>().ok());
        }
        profile
    }
}

builder! {
    /// Any user of the API server, at first without a group.
    User(cluster, name: UserName) = Profile::new(Role::User, cluster, None, name.as_str())
}

impl User {
    /// Adds a group.
    pub fn group(mut self, group: Group) -> Self {
        self.0.add_group(group.to_string());
        self
    }
}

with_sans! { ApiServer FrontProxyServer EtcdServer EtcdPeer KubeletServer Service }

/// The documentation's names and kubeadm's (pki_helpers.go, `GetAPIServerAltNames`).
fn add_api_server_sans(profile: &mut Profile, cluster: &Cluster, node: &Node) {
    let documented = cluster.convention == Convention::Documented;
    profile.add_sans([node_san(cluster, node)]);
    profile.add_sans(["kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(San::literal));
    if documented {
        profile.add_conventional_sans([San::literal("kubernetes.default.svc.cluster")]);
    }
    profile.add_sans([San::literal(&format!("kubernetes.default.svc.{}", cluster.domain()))]);
    let mut services = cluster.service_addresses().into_iter().map(San::Ip);
    profile.add_sans(services.next());
    // kubeadm knows the first subnet only.
    profile.add_conventional_sans(services.filter(|_| documented));
    profile.add_sans(node.advertise_address().map(San::Ip));
    profile.add_sans([cluster.endpoint.san()]);
    profile.add_sans(node.added_sans(Role::ApiServer));
}

/// The same names for both of a member's certificates (pki_helpers.go, `getAltNames`).
fn etcd_member(role: Role, cluster: &Cluster, node: &Node) -> Profile {
    let mut profile = Profile::new(role, cluster, Some(node), "");
    profile.add_sans([node_san(cluster, node), San::literal("localhost")]);
    profile.add_sans(node.advertise_address().map(San::Ip));
    profile.add_sans([San::Ip(Ipv4Addr::LOCALHOST.into()), San::Ip(Ipv6Addr::LOCALHOST.into())]);
    profile.add_sans(node.added_sans(role));
    profile
}

/// The node's name; kubeadm writes one that is an address as a DNS name all the same.
fn node_san(cluster: &Cluster, node: &Node) -> San {
    match cluster.convention {
        Convention::Documented => San::from(node.name()),
        Convention::Kubeadm => San::literal(node.name().as_str()),
    }
}
