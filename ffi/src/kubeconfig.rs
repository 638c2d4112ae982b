//! Kubeconfigs of users of every kind, and of webhooks.

use std::ffi::{c_char, c_void};

use ::pki::Certificate;
use ::pki::kubeconfig::{Exec, Kubeconfig, User};

use crate::authorities::kubepki_authorities;
use crate::cluster::kubepki_cluster;
use crate::credential::kubepki_credential;
use crate::error::kubepki_error;
use crate::guard::{free, guard, input, make, out, some};
use crate::owned::{kubepki_buffer, kubepki_list, texts};

/// The kubeconfig of a user whom the cluster's Kubernetes authority has issued this certificate, in YAML.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_credential_kubeconfig(
    credential: Option<&kubepki_credential>,
    cluster: Option<&kubepki_cluster>,
    authorities: Option<&kubepki_authorities>,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let credential = &some(credential, "credential")?.credential;
        let (cluster, authorities) = (some(cluster, "cluster")?, some(authorities, "authorities")?);
        let kubeconfig = Kubeconfig::for_user(&cluster.cluster, &authorities.0, credential)?;
        Ok(kubepki_buffer::secret(kubeconfig.to_yaml()))
    })
}

/// The kubeconfig by which a new machine's kubelet asks for its first certificate (`--bootstrap-kubeconfig`), with a
/// bootstrap token. `kubepki_cluster_info_bootstrap_kubeconfig` is it where only the token is known.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeconfig_for_bootstrap(
    cluster: Option<&kubepki_cluster>,
    authorities: Option<&kubepki_authorities>,
    token: *const c_char,
    token_len: usize,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let token = input!(token, token_len);
    make(out!(out), || {
        let (cluster, authorities) = (some(cluster, "cluster")?, some(authorities, "authorities")?);
        let kubeconfig = Kubeconfig::for_bootstrap(&cluster.cluster, &authorities.0, &token.parse()?)?;
        Ok(kubepki_buffer::secret(kubeconfig.to_yaml()))
    })
}

/// What a client shows a server to say who it is. It may be a secret: it is overwritten when it is freed.
pub struct kubepki_user(pub(crate) User);

/// A user with a client certificate.
///
/// Threads: any at once. Free `*out`, which has a copy, by `kubepki_user_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_user_with_credential(
    credential: Option<&kubepki_credential>,
    out: *mut *mut kubepki_user,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let credential = &some(credential, "credential")?.credential;
        let key = credential.key().to_pem().as_bytes().to_vec();
        Ok(kubepki_user(User::with_certificate(credential.chain_pem(), key)))
    })
}

/// A user with a bearer token.
///
/// Threads: any. Free `*out` by `kubepki_user_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_user_with_token(
    token: *const c_char,
    token_len: usize,
    out: *mut *mut kubepki_user,
) -> Option<Box<kubepki_error>> {
    let token = input!(token, token_len);
    make(out!(out), || Ok(kubepki_user(User::with_token(token.text()?))))
}

/// A user with a bearer token in a file, which clients read again as it changes.
///
/// Threads: any. Free `*out` by `kubepki_user_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_user_with_token_file(
    path: *const c_char,
    path_len: usize,
    out: *mut *mut kubepki_user,
) -> Option<Box<kubepki_error>> {
    let path = input!(path, path_len);
    make(out!(out), || Ok(kubepki_user(User::with_token_file(path.text()?))))
}

/// A user for whom a program gets a token or a client certificate, such as a login by OpenID Connect: its path, or its name
/// in `PATH`, and its arguments (NULL for none). It speaks `client.authentication.k8s.io/v1`.
///
/// Threads: any. Free `*out` by `kubepki_user_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_user_with_exec(
    command: *const c_char,
    command_len: usize,
    arguments: Option<&kubepki_list>,
    out: *mut *mut kubepki_user,
) -> Option<Box<kubepki_error>> {
    let command = input!(command, command_len);
    make(out!(out), || Ok(kubepki_user(User::with_exec(Exec::new(command.text()?).args(texts(arguments))))))
}

/// Frees a user. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_user_free(user: Option<Box<kubepki_user>>) {
    free(user);
}

/// The kubeconfig of any user at the cluster's endpoint, in YAML. The API server does not see the name.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeconfig_with_user(
    cluster: Option<&kubepki_cluster>,
    authorities: Option<&kubepki_authorities>,
    name: *const c_char,
    name_len: usize,
    user: Option<&kubepki_user>,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let name = input!(name, name_len);
    make(out!(out), || {
        let (cluster, authorities) = (some(cluster, "cluster")?, some(authorities, "authorities")?);
        let (name, user) = (name.text()?, some(user, "user")?.0.clone());
        let kubeconfig = Kubeconfig::with_user(&cluster.cluster, &authorities.0, name, user)?;
        Ok(kubepki_buffer::secret(kubeconfig.to_yaml()))
    })
}

/// The kubeconfig by which API servers call a webhook that authenticates or authorizes: its URL, the authorities that vouch
/// for its certificate, in PEM, and what API servers show it. When `user` is NULL, that is nothing, and anybody may ask it.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeconfig_webhook(
    url: *const c_char,
    url_len: usize,
    trusted_pem: *const c_void,
    trusted_pem_len: usize,
    user: Option<&kubepki_user>,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let (url, trusted) = (input!(url, url_len), input!(trusted_pem, trusted_pem_len));
    make(out!(out), || {
        let user = user.map(|user| user.0.clone()).unwrap_or_default();
        let kubeconfig = Kubeconfig::webhook(&url.parse()?, &Certificate::from_pem(trusted.bytes()?)?, user)?;
        Ok(kubepki_buffer::secret(kubeconfig.to_yaml()))
    })
}

/// Checks that what a kubeconfig's current context refers to belongs together: that there is such a cluster and user,
/// that the key is the certificate's, and that the authority issued that. Files that it names are not read.
///
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeconfig_check(
    yaml: *const c_void,
    yaml_len: usize,
) -> Option<Box<kubepki_error>> {
    let yaml = input!(yaml, yaml_len);
    guard(|| Ok(Kubeconfig::from_yaml(yaml.bytes()?)?.check()?))
}
