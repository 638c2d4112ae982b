//! What one certificate must be.

use std::ffi::c_char;
use std::time::Duration;

use ::pki::{Cluster, Group, Node, Profile, Role, San, role};

use crate::cluster::kubepki_cluster;
use crate::error::{Fail, kubepki_error};
use crate::guard::{change, free, input, kubepki_text, look, make, out, seconds, some};
use crate::node::kubepki_node;
use crate::owned::kubepki_list;

/// What one certificate must be: role, subject, usages, subject alternative names, lifetime and key algorithm.
pub struct kubepki_profile {
    inputs: Inputs,
    pub(crate) profile: Profile,
}

/// All that a builder is told.
#[derive(Clone)]
struct Inputs {
    role: Role,
    cluster: Cluster,
    node: Option<Node>,
    name: String,
    sans: Vec<San>,
    groups: Vec<Group>,
    lifetime: Option<Duration>,
    path_length: Option<u8>,
}

/// The name of every role, in the order of the role table.
///
/// Threads: any. Free `*out` by `kubepki_list_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_roles(out: *mut *mut kubepki_list) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_list::new(Role::all().map(Role::id))))
}

/// The profile of a certificate of `role`, as the role table names it. By role it is told
///
/// - `node`, where it is one machine's: `kube-apiserver`, `etcd-server`, `etcd-peer`, `kubelet-server` and `kubelet-client`;
///   otherwise that is passed over, and may be NULL;
/// - `name`, where the role has none of its own: the common name of a `root-ca`, an `intermediate` or a `user`, the
///   first DNS name of a `service`, the first name of a `front-proxy-server`; otherwise it must be empty.
///
/// Threads: any at once. Both descriptions are copied. Free `*out` by `kubepki_profile_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_profile_new(
    cluster: Option<&kubepki_cluster>,
    node: Option<&kubepki_node>,
    role: *const c_char,
    role_len: usize,
    name: *const c_char,
    name_len: usize,
    out: *mut *mut kubepki_profile,
) -> Option<Box<kubepki_error>> {
    let (role, name) = (input!(role, role_len), input!(name, name_len));
    make(out!(out), || {
        let inputs = Inputs {
            role: role.parse()?,
            cluster: some(cluster, "cluster")?.cluster.clone(),
            node: node.map(|node| node.node.clone()),
            name: name.text()?.to_owned(),
            sans: Vec::new(),
            groups: Vec::new(),
            lifetime: None,
            path_length: None,
        };
        Ok(kubepki_profile { profile: inputs.profile()?, inputs })
    })
}

/// Adds a subject alternative name, a DNS name or an IP address, to a serving certificate.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_profile_add_san(
    profile: Option<&mut kubepki_profile>,
    san: *const c_char,
    san_len: usize,
) -> Option<Box<kubepki_error>> {
    let san = input!(san, san_len);
    tell(profile, |inputs| {
        inputs.sans.push(san.parse()?);
        Ok(())
    })
}

/// Adds a group to a `user`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_profile_add_group(
    profile: Option<&mut kubepki_profile>,
    group: *const c_char,
    group_len: usize,
) -> Option<Box<kubepki_error>> {
    let group = input!(group, group_len);
    tell(profile, |inputs| {
        inputs.groups.push(group.parse()?);
        Ok(())
    })
}

/// How many seconds the certificate is valid, instead of what the cluster says.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_profile_set_lifetime(
    profile: Option<&mut kubepki_profile>,
    lifetime_seconds: u64,
) -> Option<Box<kubepki_error>> {
    tell(profile, |inputs| {
        inputs.lifetime = Some(seconds(lifetime_seconds));
        Ok(())
    })
}

/// How many authorities may stand between an `intermediate` and a leaf, instead of any number: at least 1 where it is to
/// sign those of a cluster.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_profile_set_path_length(
    profile: Option<&mut kubepki_profile>,
    path_length: u8,
) -> Option<Box<kubepki_error>> {
    tell(profile, |inputs| {
        inputs.path_length = Some(path_length);
        Ok(())
    })
}

/// The role.
///
/// Threads: any at once. It is always there.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_profile_role(profile: Option<&kubepki_profile>) -> kubepki_text {
    look(profile, |profile| profile.profile.role().id().into())
}

/// Frees a profile. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_profile_free(profile: Option<Box<kubepki_profile>>) {
    free(profile);
}

/// Builds anew with one more thing told; what is refused changes nothing.
fn tell(
    profile: Option<&mut kubepki_profile>,
    what: impl FnOnce(&mut Inputs) -> Result<(), Fail>,
) -> Option<Box<kubepki_error>> {
    change("profile", profile, |known| {
        let mut inputs = known.inputs.clone();
        what(&mut inputs)?;
        *known = kubepki_profile { profile: inputs.profile()?, inputs };
        Ok(())
    })
}

/// The last step of every builder.
macro_rules! finish {
    ($inputs:ident, $builder:expr) => {{
        let builder = $builder;
        match $inputs.lifetime {
            Some(lifetime) => builder.lifetime(lifetime).profile(),
            None => builder.profile(),
        }
    }};
}

impl Inputs {
    fn profile(&self) -> Result<Profile, Fail> {
        self.check()?;
        let cluster = &self.cluster;
        let sans = || self.sans.iter().cloned();
        Ok(match self.role {
            Role::RootCa => finish!(self, role::RootCa::new(cluster, self.name.parse()?)),
            Role::Intermediate => {
                let builder = role::Intermediate::new(cluster, self.name.parse()?);
                finish!(self, self.path_length.into_iter().fold(builder, role::Intermediate::path_length))
            }
            Role::KubernetesCa => finish!(self, role::KubernetesCa::new(cluster)),
            Role::EtcdCa => finish!(self, role::EtcdCa::new(cluster)),
            Role::FrontProxyCa => finish!(self, role::FrontProxyCa::new(cluster)),
            Role::ApiServer => {
                finish!(self, sans().fold(role::ApiServer::new(cluster, self.node()?), role::ApiServer::san))
            }
            Role::ApiServerKubeletClient => finish!(self, role::ApiServerKubeletClient::new(cluster)),
            Role::ApiServerEtcdClient => finish!(self, role::ApiServerEtcdClient::new(cluster)),
            Role::FrontProxyClient => finish!(self, role::FrontProxyClient::new(cluster)),
            Role::FrontProxyServer => {
                let builder = role::FrontProxyServer::new(cluster, self.name.parse()?);
                finish!(self, sans().fold(builder, role::FrontProxyServer::san))
            }
            Role::EtcdServer => {
                finish!(
                    self,
                    sans().fold(role::EtcdServer::new(cluster, self.node()?), role::EtcdServer::san)
                )
            }
            Role::EtcdPeer => {
                finish!(self, sans().fold(role::EtcdPeer::new(cluster, self.node()?), role::EtcdPeer::san))
            }
            Role::EtcdHealthcheckClient => finish!(self, role::EtcdHealthcheckClient::new(cluster)),
            Role::KubeletServer => {
                let builder = role::KubeletServer::new(cluster, self.node()?);
                finish!(self, sans().fold(builder, role::KubeletServer::san))
            }
            Role::KubeletClient => finish!(self, role::KubeletClient::new(cluster, self.node()?)),
            Role::Admin => finish!(self, role::Admin::new(cluster)),
            Role::SuperAdmin => finish!(self, role::SuperAdmin::new(cluster)),
            Role::ControllerManager => finish!(self, role::ControllerManager::new(cluster)),
            Role::Scheduler => finish!(self, role::Scheduler::new(cluster)),
            Role::KubeProxy => finish!(self, role::KubeProxy::new(cluster)),
            Role::Service => {
                let builder = role::Service::new(cluster, self.name.parse()?);
                finish!(self, sans().fold(builder, role::Service::san))
            }
            Role::User => {
                let builder = role::User::new(cluster, self.name.parse()?);
                finish!(self, self.groups.iter().cloned().fold(builder, role::User::group))
            }
            _ => return Err(kubepki_error::invalid("role", "a role that has a certificate", self.role.id())),
        })
    }

    /// Refuses what the role would pass over.
    fn check(&self) -> Result<(), Fail> {
        const NAMED: [Role; 5] =
            [Role::RootCa, Role::Intermediate, Role::FrontProxyServer, Role::Service, Role::User];
        const SERVING: [Role; 6] = [
            Role::ApiServer,
            Role::FrontProxyServer,
            Role::EtcdServer,
            Role::EtcdPeer,
            Role::KubeletServer,
            Role::Service,
        ];
        let told: [(&str, bool, &[Role]); 4] = [
            ("name", !self.name.is_empty(), &NAMED),
            ("subject alternative name", !self.sans.is_empty(), &SERVING),
            ("group", !self.groups.is_empty(), &[Role::User]),
            ("path length", self.path_length.is_some(), &[Role::Intermediate]),
        ];
        match told.iter().find(|(_, is_told, roles)| *is_told && !roles.contains(&self.role)) {
            None => Ok(()),
            Some((field, _, roles)) => {
                let ids: Vec<_> = roles.iter().map(|role| role.id()).collect();
                Err(kubepki_error::invalid(
                    field,
                    &format!("a role that has one ({})", ids.join(", ")),
                    self.role.id(),
                ))
            }
        }
    }

    fn node(&self) -> Result<&Node, Fail> {
        self.node.as_ref().ok_or_else(|| kubepki_error::null("node"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_but_the_key_pair_has_a_profile() {
        for role in Role::all() {
            let name = match role {
                Role::RootCa | Role::Intermediate | Role::User | Role::FrontProxyServer | Role::Service => {
                    "a.b"
                }
                _ => "",
            };
            let inputs = Inputs {
                role,
                cluster: Cluster::new("api.example.com".parse().unwrap()),
                node: Some(Node::control_plane("cp-1".parse().unwrap(), "192.0.2.10".parse().unwrap())),
                name: name.to_owned(),
                sans: Vec::new(),
                groups: Vec::new(),
                lifetime: Some(seconds(60)),
                path_length: None,
            };
            match inputs.profile() {
                Ok(profile) => assert_eq!((profile.role(), profile.lifetime()), (role, seconds(60))),
                Err(_) => assert_eq!(role, Role::ServiceAccount),
            }
        }
    }
}
