//! Tokens of service accounts, and the keys that verify them.

use std::ffi::{c_char, c_void};

use ::pki::Time;
use ::pki::token::{Binding, KeySet, ObjectReference, ServiceAccountClaims, ServiceAccountToken};

use crate::authorities::kubepki_authorities;
use crate::cluster::kubepki_cluster;
use crate::error::{Fail, kubepki_error};
use crate::guard::{Input, change, free, input, kubepki_text, look, make, out, seconds, some};
use crate::owned::kubepki_buffer;
use crate::signer::kubepki_signer;

/// Who issues the service-account tokens of a cluster, as its API servers are told.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_token_issuer(
    cluster: Option<&kubepki_cluster>,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_buffer::new(some(cluster, "cluster")?.cluster.token_issuer().as_str())))
}

/// A service-account token that is to be signed. Whoever has sa.key can make tokens for every service account; where
/// there is an API server, the TokenRequest API makes them without it.
pub struct kubepki_service_account_token {
    token: ServiceAccountToken,
    audiences: Vec<String>,
    binding: Option<Binding>,
}

/// A token for a service account: its namespace, its name, and the UID that the API server has given it. It is for the
/// API server and for an hour.
///
/// Threads: any at once. Free `*out` by `kubepki_service_account_token_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_service_account_token_new(
    cluster: Option<&kubepki_cluster>,
    namespace_name: *const c_char,
    namespace_name_len: usize,
    name: *const c_char,
    name_len: usize,
    uid: *const c_char,
    uid_len: usize,
    out: *mut *mut kubepki_service_account_token,
) -> Option<Box<kubepki_error>> {
    let (namespace, name) = (input!(namespace_name, namespace_name_len), input!(name, name_len));
    let uid = input!(uid, uid_len);
    make(out!(out), || {
        let issuer = some(cluster, "cluster")?.cluster.token_issuer();
        let account = ObjectReference::new(name.parse()?, uid.parse()?);
        let token = ServiceAccountToken::new(issuer, namespace.parse()?, account);
        Ok(kubepki_service_account_token { token, audiences: Vec::new(), binding: None })
    })
}

/// Adds one of those who are to accept it. The first one takes the place of the API server.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_service_account_token_add_audience(
    token: Option<&mut kubepki_service_account_token>,
    audience: *const c_char,
    audience_len: usize,
) -> Option<Box<kubepki_error>> {
    let audience = input!(audience, audience_len);
    change("token", token, |known| {
        known.audiences.push(audience.some_text()?.to_owned());
        known.token = known.token.clone().audiences(&known.audiences);
        Ok(())
    })
}

/// How many seconds it is good.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_service_account_token_set_lifetime(
    token: Option<&mut kubepki_service_account_token>,
    lifetime_seconds: u64,
) -> Option<Box<kubepki_error>> {
    change("token", token, |known| {
        known.token = known.token.clone().lifetime(seconds(lifetime_seconds));
        Ok(())
    })
}

/// Binds it to an object by its kind, name and UID, without which it is no longer good: a `pod` or `secret` of the
/// service account's namespace, or a `node`. A pod's token may name the pod's node as well, by a second call.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_service_account_token_bind(
    token: Option<&mut kubepki_service_account_token>,
    kind: *const c_char,
    kind_len: usize,
    name: *const c_char,
    name_len: usize,
    uid: *const c_char,
    uid_len: usize,
) -> Option<Box<kubepki_error>> {
    let (kind, name, uid) = (input!(kind, kind_len), input!(name, name_len), input!(uid, uid_len));
    change("token", token, |known| {
        let object = ObjectReference::new(name.parse()?, uid.parse()?);
        let binding = match (kind.text()?, known.binding.clone()) {
            ("pod", None) => Binding::Pod(object),
            ("node", None) => Binding::Node(object),
            ("secret", None) => Binding::Secret(object),
            ("node", Some(Binding::Pod(pod))) => Binding::PodOnNode { pod, node: object },
            (other, None) => return Err(kubepki_error::invalid("kind", "pod, node or secret", other)),
            (other, Some(_)) => {
                return Err(kubepki_error::invalid("kind", "one object, or a pod and then its node", other));
            }
        };
        known.binding = Some(binding.clone());
        known.token = known.token.clone().bound_to(binding);
        Ok(())
    })
}

/// Signs it by sa.key, from `now` on: a secret. `KUBEPKI_ERROR_ABSENT` where sa.key is not here.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_service_account_token_sign(
    token: Option<&kubepki_service_account_token>,
    authorities: Option<&kubepki_authorities>,
    now: i64,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let token = &some(token, "token")?.token;
        let key = some(authorities, "authorities")?.0.service_account_key();
        let key = key.ok_or_else(|| kubepki_error::absent("authorities", "the service-account key"))?;
        Ok(kubepki_buffer::secret(token.sign(key, Time::from_unix(now)?)?))
    })
}

/// The same by a service-account key that lives elsewhere.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_service_account_token_sign_by(
    token: Option<&kubepki_service_account_token>,
    signer: Option<&kubepki_signer>,
    now: i64,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (token, signer) = (&some(token, "token")?.token, &some(signer, "signer")?.0);
        Ok(kubepki_buffer::secret(token.sign(&**signer, Time::from_unix(now)?)?))
    })
}

/// Frees what was to be signed. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_service_account_token_free(token: Option<Box<kubepki_service_account_token>>) {
    free(token);
}

/// Whom a service-account token makes of its holder.
pub struct kubepki_service_account {
    user: String,
    claims: ServiceAccountClaims,
}

/// What a verified service-account token says.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kubepki_claims {
    /// The user that Kubernetes sees: `system:serviceaccount:NAMESPACE:NAME`.
    pub user: kubepki_text,
    /// The service account's namespace.
    pub namespace_name: kubepki_text,
    /// The service account.
    pub account: kubepki_object,
    /// The token's own ID; empty before Kubernetes 1.29.
    pub id: kubepki_text,
    /// When it was issued.
    pub issued: i64,
    /// From when on it is good.
    pub not_before: i64,
    /// When it ends.
    pub expires: i64,
    /// The pod that it is bound to; its texts are empty where there is none, as with the others.
    pub pod: kubepki_object,
    /// The node that it is bound to, or on which the pod runs.
    pub node: kubepki_object,
    /// The Secret that it is bound to.
    pub secret: kubepki_object,
}

/// An object of a cluster.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kubepki_object {
    /// Its name.
    pub name: kubepki_text,
    /// Its UID.
    pub uid: kubepki_text,
}

impl From<Option<&ObjectReference>> for kubepki_object {
    fn from(object: Option<&ObjectReference>) -> Self {
        object.map_or_else(Self::default, |object| Self {
            name: object.name.as_str().into(),
            uid: object.uid.as_str().into(),
        })
    }
}

/// Verifies a token as kube-apiserver does: by public keys, which are PEM as in sa.pub or a JSON Web Key Set; for one
/// issuer and one of the audiences; at a moment, which may be a minute off.
///
/// Threads: any at once. Free `*out` by `kubepki_service_account_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_service_account_verify(
    token: *const c_char,
    token_len: usize,
    keys: *const c_void,
    keys_len: usize,
    issuer: *const c_char,
    issuer_len: usize,
    audience: *const c_char,
    audience_len: usize,
    now: i64,
    out: *mut *mut kubepki_service_account,
) -> Option<Box<kubepki_error>> {
    let (token, keys) = (input!(token, token_len), input!(keys, keys_len));
    let (issuer, audience) = (input!(issuer, issuer_len), input!(audience, audience_len));
    make(out!(out), || {
        let (issuer, now) = (issuer.parse()?, Time::from_unix(now)?);
        let claims =
            ServiceAccountClaims::verify(token.text()?, &key_set(keys)?, &issuer, audience.text()?, now)?;
        Ok(kubepki_service_account { user: claims.user(), claims })
    })
}

/// What the token says; empty for NULL.
///
/// Threads: any at once. The views live as long as the service account.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_service_account_claims(
    account: Option<&kubepki_service_account>,
) -> kubepki_claims {
    look(account, |kubepki_service_account { user, claims }| {
        let (pod, node, secret) = match claims.binding() {
            Some(Binding::Pod(pod)) => (Some(pod), None, None),
            Some(Binding::Node(node)) => (None, Some(node), None),
            Some(Binding::PodOnNode { pod, node }) => (Some(pod), Some(node), None),
            Some(Binding::Secret(secret)) => (None, None, Some(secret)),
            _ => (None, None, None),
        };
        kubepki_claims {
            user: user.as_str().into(),
            namespace_name: claims.namespace().as_str().into(),
            account: Some(claims.service_account()).into(),
            id: claims.id().into(),
            issued: claims.issued().unix(),
            not_before: claims.not_before().unix(),
            expires: claims.expires().unix(),
            pod: pod.into(),
            node: node.into(),
            secret: secret.into(),
        }
    })
}

/// For how many audiences the token is.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_service_account_audience_count(account: Option<&kubepki_service_account>) -> usize {
    look(account, |account| account.claims.audiences().len())
}

/// One of the audiences; empty beyond the last.
///
/// Threads: any at once. The view lives as long as the service account.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_service_account_audience_at(
    account: Option<&kubepki_service_account>,
    index: usize,
) -> kubepki_text {
    look(account, |account| account.claims.audiences().get(index).map(String::as_str).into())
}

/// Frees a service account. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_service_account_free(account: Option<Box<kubepki_service_account>>) {
    free(account);
}

/// The JSON Web Key Set of public keys in PEM, as in sa.pub, byte for byte as kube-apiserver serves it.
///
/// Threads: any. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_jwks(
    keys: *const c_void,
    keys_len: usize,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let keys = input!(keys, keys_len);
    make(out!(out), || Ok(kubepki_buffer::new(key_set(keys)?.to_jwks())))
}

/// The discovery document of OpenID Connect for such keys: with the issuer, which must be a URL of https here, and the
/// URL where the key set is served.
///
/// Threads: any. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_oidc_discovery(
    keys: *const c_void,
    keys_len: usize,
    issuer: *const c_char,
    issuer_len: usize,
    jwks_url: *const c_char,
    jwks_url_len: usize,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let (keys, issuer) = (input!(keys, keys_len), input!(issuer, issuer_len));
    let jwks_url = input!(jwks_url, jwks_url_len);
    make(out!(out), || {
        Ok(kubepki_buffer::new(key_set(keys)?.discovery(&issuer.parse()?, &jwks_url.parse()?)?))
    })
}

/// Public keys in PEM or as a JSON Web Key Set, which begins as no PEM does.
fn key_set(keys: Input<'_>) -> Result<KeySet, Fail> {
    let bytes = keys.bytes()?;
    Ok(match bytes.trim_ascii_start().starts_with(b"{") {
        true => KeySet::from_jwks(bytes)?,
        false => KeySet::from_pem(bytes)?,
    })
}
