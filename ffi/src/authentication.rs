//! How a cluster's API servers learn who somebody is, besides its own certificates and tokens.

use std::ffi::c_char;

use ::pki::{Authentication, AuthorizationWebhook, Oidc, TokenWebhook};

use crate::cluster::kubepki_cluster;
use crate::error::{Fail, kubepki_error};
use crate::guard::{change, input};
use crate::owned::{kubepki_list, parsed};

/// Lets a description be told one more thing.
fn tell(
    cluster: Option<&mut kubepki_cluster>,
    what: impl FnOnce(Authentication) -> Result<Authentication, Fail>,
) -> Option<Box<kubepki_error>> {
    change("cluster", cluster, |known| {
        let told = what(known.cluster.known_authentication().clone())?;
        known.cluster = known.cluster.clone().authentication(told);
        Ok(())
    })
}

/// The same about its provider of OpenID Connect.
fn tell_oidc(
    cluster: Option<&mut kubepki_cluster>,
    what: impl FnOnce(Oidc) -> Result<Oidc, Fail>,
) -> Option<Box<kubepki_error>> {
    tell(cluster, |known| {
        let provider =
            known.provider().cloned().ok_or_else(|| kubepki_error::absent("cluster", "a provider"))?;
        Ok(known.oidc(what(provider)?))
    })
}

/// API servers read a file, by its path on control-plane nodes, for this argument:
///
/// - `token-auth-file`: the tokens of users (`kubepki_static_tokens_csv`);
/// - `authentication-token-webhook-config-file`: which server tells whose a token is (`kubepki_kubeconfig_webhook`);
/// - `authorization-webhook-config-file`: which server tells what a user may do, where nobody else allows it.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_authentication_file(
    cluster: Option<&mut kubepki_cluster>,
    argument: *const c_char,
    argument_len: usize,
    path: *const c_char,
    path_len: usize,
) -> Option<Box<kubepki_error>> {
    let (argument, path) = (input!(argument, argument_len), input!(path, path_len));
    tell(cluster, |known| {
        let path = path.path()?;
        Ok(match argument.text()? {
            "token-auth-file" => known.token_file(path),
            "authentication-token-webhook-config-file" => known.token_webhook(TokenWebhook::new(path)),
            "authorization-webhook-config-file" => {
                known.authorization_webhook(AuthorizationWebhook::new(path))
            }
            other => {
                let expected = "token-auth-file, authentication-token-webhook-config-file or \
                                authorization-webhook-config-file";
                return Err(kubepki_error::invalid("argument", expected, other));
            }
        })
    })
}

/// API servers believe one more authenticating proxy: who has a client certificate of the front proxy's authority with
/// this common name may be anybody.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_add_proxy(
    cluster: Option<&mut kubepki_cluster>,
    common_name: *const c_char,
    common_name_len: usize,
) -> Option<Box<kubepki_error>> {
    let common_name = input!(common_name, common_name_len);
    tell(cluster, |known| Ok(known.proxy(common_name.parse()?)))
}

/// API servers take ID tokens of this provider of OpenID Connect, which are made for this client. The functions below say
/// more of it; this one forgets what they said.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_oidc(
    cluster: Option<&mut kubepki_cluster>,
    issuer_url: *const c_char,
    issuer_url_len: usize,
    client_id: *const c_char,
    client_id_len: usize,
) -> Option<Box<kubepki_error>> {
    let (issuer_url, client_id) = (input!(issuer_url, issuer_url_len), input!(client_id, client_id_len));
    tell(cluster, |known| Ok(known.oidc(Oidc::new(issuer_url.parse()?, client_id.parse()?))))
}

/// The provider's users are called by this claim, such as `sub` or `email`, behind a prefix. Unless this is said, it is
/// `sub` behind the provider's URL and `#`. With no prefix the provider can be any user of the cluster.
/// `KUBEPKI_ERROR_ABSENT` without a provider, here and below.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_oidc_username(
    cluster: Option<&mut kubepki_cluster>,
    claim: *const c_char,
    claim_len: usize,
    prefix: *const c_char,
    prefix_len: usize,
) -> Option<Box<kubepki_error>> {
    let (claim, prefix) = (input!(claim, claim_len), input!(prefix, prefix_len));
    tell_oidc(cluster, |provider| Ok(provider.username(claim.parse()?, prefix.optional()?)))
}

/// The provider's users are in the groups of this claim, behind a prefix. With no prefix the provider can put them into
/// any group of the cluster.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_oidc_groups(
    cluster: Option<&mut kubepki_cluster>,
    claim: *const c_char,
    claim_len: usize,
    prefix: *const c_char,
    prefix_len: usize,
) -> Option<Box<kubepki_error>> {
    let (claim, prefix) = (input!(claim, claim_len), input!(prefix, prefix_len));
    tell_oidc(cluster, |provider| Ok(provider.groups(claim.parse()?, prefix.optional()?)))
}

/// The file, by its path on control-plane nodes, with the certificates by which the provider is trusted, instead of
/// those of the system.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_oidc_ca_file(
    cluster: Option<&mut kubepki_cluster>,
    path: *const c_char,
    path_len: usize,
) -> Option<Box<kubepki_error>> {
    let path = input!(path, path_len);
    tell_oidc(cluster, |provider| Ok(provider.ca_file(path.path()?)))
}

/// Only tokens with this claim of this value are taken, `CLAIM=VALUE`; call it for each.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_add_oidc_required_claim(
    cluster: Option<&mut kubepki_cluster>,
    claim: *const c_char,
    claim_len: usize,
) -> Option<Box<kubepki_error>> {
    let claim = input!(claim, claim_len);
    tell_oidc(cluster, |provider| Ok(provider.required_claim(claim.parse()?)))
}

/// The provider signs by these algorithms, such as `ES256`, instead of `RS256` only (NULL).
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_oidc_signing_algorithms(
    cluster: Option<&mut kubepki_cluster>,
    algorithms: Option<&kubepki_list>,
) -> Option<Box<kubepki_error>> {
    tell_oidc(cluster, |provider| Ok(provider.signing_algorithms(parsed(algorithms)?)))
}
