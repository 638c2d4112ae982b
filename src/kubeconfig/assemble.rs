//! The kubeconfigs of a cluster's users, and those by which API servers call webhooks.

use super::{Cluster, Fields, Kubeconfig, NamedCluster, NamedUser, User};
use crate::authority::Authorities;
use crate::cluster::{self, Convention};
use crate::error::{Code, Error, Result};
use crate::expected::Expected;
use crate::names::HttpsUrl;
use crate::role::Role;
use crate::role::table::Files;
use crate::x509::{Certificate, Credential, Usage, check_authorities, leaf, to_pem};

impl Kubeconfig {
    /// The kubeconfig of a user whom the Kubernetes authority has issued a client certificate: a context
    /// `USER@CLUSTER` at the cluster's endpoint.
    ///
    /// ```
    /// use kubepki::kubeconfig::Kubeconfig;
    /// use kubepki::{Authorities, Cluster, KeyAlgorithm, Time, role};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
    /// let authorities = Authorities::create(&cluster, Time::now())?;
    /// let jane = role::User::new(&cluster, "jane".parse()?).group("developers".parse()?).profile();
    /// let credential = authorities.issue(&jane, Time::now())?;
    /// let kubeconfig = Kubeconfig::for_user(&cluster, &authorities, &credential)?;
    /// assert_eq!(kubeconfig.current_context, "jane@default-cluster");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::NoIssuer`] when there is no Kubernetes authority, and as [`check`](Self::check): when the certificate is
    /// not one of this cluster's Kubernetes authority.
    pub fn for_user(
        cluster: &cluster::Cluster,
        authorities: &Authorities,
        credential: &Credential,
    ) -> Result<Self> {
        let (context, user) = user_at_cluster(cluster, credential);
        Self::assemble(cluster, authorities, credential, [&context, &user, &cluster.endpoint.url()])
    }

    /// The kubeconfig of any user: a context `NAME@CLUSTER` at the cluster's endpoint. The API server does not see the
    /// name, but who the user's credential says it is.
    ///
    /// ```
    /// use kubepki::kubeconfig::{Exec, Kubeconfig, User};
    /// use kubepki::{Authorities, Cluster, KeyAlgorithm, Time};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
    /// # let authorities = Authorities::create(&cluster, Time::now())?;
    /// let login = Exec::new("example-login").args(["get-token"]);
    /// let kubeconfig = Kubeconfig::with_user(&cluster, &authorities, "jane", User::with_exec(login))?;
    /// assert_eq!(kubeconfig.current_context, "jane@default-cluster");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::NoIssuer`] when there is no Kubernetes authority, and as [`check`](Self::check).
    pub fn with_user(
        cluster: &cluster::Cluster,
        authorities: &Authorities,
        name: &str,
        user: User,
    ) -> Result<Self> {
        let context = format!("{name}@{}", cluster.display_name());
        Self::at(cluster, authorities, [&context, name, &cluster.endpoint.url()], user)
    }

    /// The kubeconfig by which API servers call a webhook that authenticates or authorizes, for
    /// [`TokenWebhook`](crate::TokenWebhook) and [`AuthorizationWebhook`](crate::AuthorizationWebhook): cluster and
    /// context are called `webhook`, the user `kube-apiserver`.
    ///
    /// `authorities` vouch for the server's certificate. `user` is what API servers show it: a client certificate, or
    /// [`User::default`] for nothing, where anybody who reaches the webhook may ask it.
    ///
    /// ```
    /// use kubepki::kubeconfig::{Kubeconfig, User};
    /// use kubepki::{Authorities, Cluster, KeyAlgorithm, Role, Time};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
    /// # let authorities = Authorities::create(&cluster, Time::now())?;
    /// let trusted = authorities.get(Role::KubernetesCa).ok_or("no authority")?.trusted();
    /// let url = "https://auth.example.com/token".parse()?;
    /// let kubeconfig = Kubeconfig::webhook(&url, trusted, User::with_token("07401b.f395accd246ae52d"))?;
    /// assert_eq!(kubeconfig.clusters[0].cluster.server, "https://auth.example.com/token");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] without an authority, [`Code::NotAnAuthority`] for a certificate that may not sign others, and
    /// what [`check`](Self::check) says of a user.
    pub fn webhook(server: &HttpsUrl, authorities: &[Certificate], user: User) -> Result<Self> {
        leaf(authorities).and_then(|_| check_authorities(authorities))?;
        user.check()?;
        let cluster = Cluster::new(server.as_str(), to_pem(authorities));
        let user = NamedUser::new("kube-apiserver", user);
        Ok(Self::new("webhook", NamedCluster::new("webhook", cluster), user))
    }

    /// The kubeconfig of a role, named as the convention says.
    pub(crate) fn for_role(
        expected: &Expected,
        authorities: &Authorities,
        role: Role,
        credential: &Credential,
    ) -> Result<Self> {
        let cluster = &expected.cluster;
        let Files::Kubeconfig { documented_user, .. } = role.row().files else {
            return Self::for_user(cluster, authorities, credential);
        };
        let server = expected.server(role).url();
        let (context, user) = match cluster.convention {
            Convention::Documented => ("default-system".to_owned(), documented_user.to_owned()),
            Convention::Kubeadm => user_at_cluster(cluster, credential),
        };
        Self::assemble(cluster, authorities, credential, [&context, &user, &server])
            .map_err(|error| error.role(role))
    }

    /// This kubeconfig with the client certificate of a newly made one, and its key unless that stays. What the current
    /// context refers to and is not here is the new one's too; all else stays.
    pub(crate) fn with_credential_of(mut self, made: Self, keeps_key: bool) -> Self {
        let (Some(cluster), Some(user)) = (made.current_cluster().cloned(), made.current_user().cloned())
        else {
            return self;
        };
        if self.current_cluster().is_none() || self.current_user().is_none() {
            replace(&mut self.clusters, made.clusters, |it| &it.name);
            replace(&mut self.users, made.users, |it| &it.name);
            replace(&mut self.contexts, made.contexts, |it| &it.name);
            self.current_context = made.current_context;
            return self;
        }
        if let Some(own) = self.current_user_mut() {
            own.client_certificate_data = user.client_certificate_data;
            if !keeps_key {
                own.client_key_data = user.client_key_data;
            }
        }
        if let Some(own) = self.current_cluster_mut() {
            if own.server.is_empty() {
                own.server = cluster.server;
            }
            let is_told = own.certificate_authority.is_some() || own.insecure_skip_tls_verify;
            if !is_told && own.certificate_authority_data.is_none() {
                own.certificate_authority_data = cluster.certificate_authority_data;
            }
        }
        self
    }

    fn assemble(
        cluster: &cluster::Cluster,
        authorities: &Authorities,
        credential: &Credential,
        names: [&str; 3],
    ) -> Result<Self> {
        let certificate = credential.certificate();
        if !certificate.usages().contains(&Usage::ClientAuth) || certificate.subject().common_name().is_none()
        {
            return Err(Error::new(Code::UsageConflict, "a client certificate with a common name")
                .found(format!("the certificate {}", certificate.subject())));
        }
        let user =
            User::with_certificate(credential.chain_pem(), credential.key().to_pem().as_bytes().to_vec());
        Self::at(cluster, authorities, names, user)
    }

    /// A user at an API server of the cluster.
    pub(crate) fn at(
        cluster: &cluster::Cluster,
        authorities: &Authorities,
        [context, name, server]: [&str; 3],
        user: User,
    ) -> Result<Self> {
        let at = Cluster::new(server, authorities.kubernetes()?.trusted_pem());
        let mut kubeconfig =
            Self::new(context, NamedCluster::new(cluster.display_name(), at), NamedUser::new(name, user));
        kubeconfig.preferences = cluster.has_preferences().then(Fields::default);
        kubeconfig.check()?;
        Ok(kubeconfig)
    }
}

/// Puts each of `new` in the place of what has the same name, or at the end.
fn replace<T>(list: &mut Vec<T>, new: Vec<T>, name: impl Fn(&T) -> &String) {
    for new in new {
        match list.iter_mut().find(|old| name(old) == name(&new)) {
            Some(old) => *old = new,
            None => list.push(new),
        }
    }
}

/// The names of a context and its user as kubeadm makes them: `USER@CLUSTER` and the common name.
fn user_at_cluster(cluster: &cluster::Cluster, credential: &Credential) -> (String, String) {
    let user = credential.certificate().subject().common_name().unwrap_or_default();
    (format!("{user}@{}", cluster.display_name()), user.to_owned())
}
