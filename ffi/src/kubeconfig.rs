//! Kubeconfigs of users of every kind, and of webhooks.

use std::ffi::{c_char, c_void};

use ::pki::Certificate;
use ::pki::kubeconfig::{Exec, InteractiveMode, Kubeconfig, OidcUser, User};

use crate::authorities::kubepki_authorities;
use crate::cluster::kubepki_cluster;
use crate::credential::kubepki_credential;
use crate::error::{Fail, kubepki_error};
use crate::guard::{change, free, guard, input, make, out, some};
use crate::impersonation::kubepki_impersonation;
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
pub struct kubepki_user {
    pub(crate) user: User,
    oidc: Option<OidcUser>,
}

impl From<User> for kubepki_user {
    fn from(user: User) -> Self {
        Self { user, oidc: None }
    }
}

/// Lets a user's program be told one more thing.
fn tell_exec(
    user: Option<&mut kubepki_user>,
    what: impl FnOnce(Exec) -> Result<Exec, Fail>,
) -> Option<Box<kubepki_error>> {
    change("user", user, |known| {
        let exec = known.user.exec.clone();
        let exec = exec.ok_or_else(|| kubepki_error::absent("user", "a user with a program"))?;
        known.user.exec = Some(what(exec)?);
        Ok(())
    })
}

fn interactive_mode(name: &str) -> Result<InteractiveMode, Fail> {
    const ALL: [InteractiveMode; 3] =
        [InteractiveMode::Never, InteractiveMode::IfAvailable, InteractiveMode::Always];
    let known = ALL.into_iter().find(|mode| mode.id() == name);
    known.ok_or_else(|| kubepki_error::invalid("mode", "Never, IfAvailable or Always", name))
}

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
        Ok(User::with_certificate(credential.chain_pem(), key).into())
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
    make(out!(out), || Ok(User::with_token(token.some_text()?).into()))
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
    make(out!(out), || Ok(User::with_token_file(path.path()?.display().to_string()).into()))
}

/// A user for whom a program gets a token or a client certificate, such as a login by OpenID Connect: its path, or its
/// name in `PATH`, and its arguments. It speaks `client.authentication.k8s.io/v1`.
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
    make(out!(out), || Ok(User::with_exec(Exec::new(command.some_text()?).args(texts(arguments))).into()))
}

/// Gives the program one more environment variable. `KUBEPKI_ERROR_ABSENT` where the user has no program, here and below.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_user_add_env(
    user: Option<&mut kubepki_user>,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
) -> Option<Box<kubepki_error>> {
    let (name, value) = (input!(name, name_len), input!(value, value_len));
    tell_exec(user, |exec| Ok(exec.env(name.text()?, value.text()?)))
}

/// What to tell somebody who does not have the program.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_user_set_install_hint(
    user: Option<&mut kubepki_user>,
    hint: *const c_char,
    hint_len: usize,
) -> Option<Box<kubepki_error>> {
    let hint = input!(hint, hint_len);
    tell_exec(user, |exec| Ok(exec.install_hint(hint.text()?)))
}

/// Tells the program which cluster it is for, by the variable `KUBERNETES_EXEC_INFO`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_user_provide_cluster_info(
    user: Option<&mut kubepki_user>,
) -> Option<Box<kubepki_error>> {
    tell_exec(user, |exec| Ok(exec.provide_cluster_info()))
}

/// Whether the program may ask something: `Never`, `IfAvailable` (where there is a terminal, as it is when nothing is
/// said) or `Always`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_user_set_interactive_mode(
    user: Option<&mut kubepki_user>,
    mode: *const c_char,
    mode_len: usize,
) -> Option<Box<kubepki_error>> {
    let mode = input!(mode, mode_len);
    tell_exec(user, |exec| Ok(exec.interactive_mode(interactive_mode(mode.text()?)?)))
}

/// A user with tokens of a provider of OpenID Connect, which `kubectl`'s plugin `oidc` shows and gets anew: the
/// provider's URL, and the client that its tokens are made for. It does not log in: the first tokens come from
/// elsewhere.
///
/// Threads: any. Free `*out` by `kubepki_user_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_user_with_oidc(
    issuer_url: *const c_char,
    issuer_url_len: usize,
    client_id: *const c_char,
    client_id_len: usize,
    out: *mut *mut kubepki_user,
) -> Option<Box<kubepki_error>> {
    let (issuer_url, client_id) = (input!(issuer_url, issuer_url_len), input!(client_id, client_id_len));
    make(out!(out), || {
        let user = OidcUser::new(&issuer_url.parse()?, &client_id.parse()?);
        Ok(kubepki_user { user: User::with_oidc(user.clone()), oidc: Some(user) })
    })
}

/// A setting of that plugin: `client-secret`, `id-token`, `refresh-token`, or `idp-certificate-authority`, which is the
/// path of the file with the certificates by which the provider is trusted. `KUBEPKI_ERROR_ABSENT` for another user.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_user_set_oidc(
    user: Option<&mut kubepki_user>,
    setting: *const c_char,
    setting_len: usize,
    value: *const c_char,
    value_len: usize,
) -> Option<Box<kubepki_error>> {
    let (setting, value) = (input!(setting, setting_len), input!(value, value_len));
    change("user", user, |known| {
        let oidc = known.oidc.clone();
        let oidc = oidc.ok_or_else(|| kubepki_error::absent("user", "a user of OpenID Connect"))?;
        let value = value.text()?;
        let oidc = match setting.text()? {
            "client-secret" => oidc.client_secret(value),
            "id-token" => oidc.id_token(value),
            "refresh-token" => oidc.refresh_token(value),
            "idp-certificate-authority" => oidc.certificate_authority(value),
            other => {
                let expected = "client-secret, id-token, refresh-token or idp-certificate-authority";
                return Err(kubepki_error::invalid("setting", expected, other));
            }
        };
        known.user.auth_provider = User::with_oidc(oidc.clone()).auth_provider;
        known.oidc = Some(oidc);
        Ok(())
    })
}

/// The same user, who acts as another.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_user_set_impersonation(
    user: Option<&mut kubepki_user>,
    impersonation: Option<&kubepki_impersonation>,
) -> Option<Box<kubepki_error>> {
    change("user", user, |known| {
        let other = some(impersonation, "impersonation")?.impersonation.clone();
        known.user = known.user.clone().acting_as(other);
        Ok(())
    })
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
        let (name, user) = (name.text()?, some(user, "user")?.user.clone());
        let kubeconfig = Kubeconfig::with_user(&cluster.cluster, &authorities.0, name, user)?;
        Ok(kubepki_buffer::secret(kubeconfig.to_yaml()))
    })
}

/// The kubeconfig by which API servers call a webhook that authenticates or authorizes: its URL, the authorities that
/// vouch for its certificate, in PEM, and what API servers show it. When `user` is NULL, that is nothing, and anybody
/// may ask it.
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
        let user = user.map(|user| user.user.clone()).unwrap_or_default();
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
