//! Tokens: of machines that join, of service accounts, and in a file.

use std::ffi::{c_char, c_void};

use ::pki::token::{
    BootstrapSecret, BootstrapToken, ClusterInfo, KeySet, ObjectReference, ServiceAccountClaims,
    ServiceAccountToken, StaticToken, StaticTokens, VerifiedClusterInfo,
};
use ::pki::{Role, Time};
use zeroize::Zeroizing;

use crate::authorities::kubepki_authorities;
use crate::cluster::kubepki_cluster;
use crate::error::{Fail, kubepki_error};
use crate::guard::{Input, change, free, input, kubepki_text, look, make, out, seconds, some};
use crate::kubeconfig::kubepki_user;
use crate::manifest::kubepki_manifest;
use crate::owned::{kubepki_buffer, kubepki_list, parsed, texts};

/// Makes a bootstrap token, `[a-z0-9]{6}.[a-z0-9]{16}`: a secret, but for what stands before the dot.
///
/// Threads: any. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_bootstrap_token_generate(
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_buffer::secret(BootstrapToken::generate()?.to_text())))
}

/// The Secret that makes a cluster know a bootstrap token, for authentication and for signing cluster-info: with the moment
/// when it ends, the groups that it gives besides `system:bootstrappers` (NULL for none), and what it is for, in words.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_bootstrap_token(
    token: *const c_char,
    token_len: usize,
    expires: i64,
    groups: Option<&kubepki_list>,
    description: *const c_char,
    description_len: usize,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    let (token, description) = (input!(token, token_len), input!(description, description_len));
    make(out!(out), || {
        let secret = BootstrapSecret::new(&token.parse()?)
            .expires(Time::from_unix(expires)?)
            .groups(parsed(groups)?)
            .description(description.text()?);
        Ok(secret.manifest().into())
    })
}

/// The ConfigMap `cluster-info`, by which a machine that has a bootstrap token comes to trust its cluster, signed by these
/// tokens (NULL for none: kube-controller-manager's `bootstrapsigner` signs it too).
///
/// Threads: any at once. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_cluster_info(
    cluster: Option<&kubepki_cluster>,
    authorities: Option<&kubepki_authorities>,
    tokens: Option<&kubepki_list>,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (cluster, authorities) = (some(cluster, "cluster")?, some(authorities, "authorities")?);
        let info = ClusterInfo::new(&cluster.cluster, &authorities.0)?;
        let tokens: Vec<BootstrapToken> = parsed(tokens)?;
        Ok(tokens.iter().fold(info, ClusterInfo::sign).manifest().into())
    })
}

/// The pins of the Kubernetes authority, `sha256:` and 64 digits, as `kubeadm join --discovery-token-ca-cert-hash` takes
/// them: of each certificate that clients trust.
///
/// Threads: any at once. Free `*out` by `kubepki_list_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_pins(
    authorities: Option<&kubepki_authorities>,
    out: *mut *mut kubepki_list,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let authority = some(authorities, "authorities")?.0.get(Role::KubernetesCa);
        let authority =
            authority.ok_or_else(|| kubepki_error::absent("authorities", Role::KubernetesCa.id()))?;
        Ok(kubepki_list::new(authority.trusted().iter().map(|certificate| certificate.public_key().pin())))
    })
}

/// Where a cluster is and whom to trust there, as a machine that joins has verified it.
pub struct kubepki_cluster_info {
    info: VerifiedClusterInfo,
    trusted_pem: String,
    bootstrap_kubeconfig: Zeroizing<String>,
}

/// Believes the ConfigMap `cluster-info`, in YAML or JSON, if the bootstrap token has signed it and every authority in it is
/// pinned.
///
/// Threads: any at once. Free `*out` by `kubepki_cluster_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_info_verify(
    yaml: *const c_void,
    yaml_len: usize,
    token: *const c_char,
    token_len: usize,
    pins: Option<&kubepki_list>,
    out: *mut *mut kubepki_cluster_info,
) -> Option<Box<kubepki_error>> {
    let (yaml, token) = (input!(yaml, yaml_len), input!(token, token_len));
    make(out!(out), || {
        let token = token.parse()?;
        let info = ClusterInfo::from_yaml(yaml.bytes()?)?.verify(&token, &parsed(pins)?)?;
        Ok(kubepki_cluster_info {
            trusted_pem: info.trusted().iter().map(|certificate| certificate.to_pem()).collect(),
            bootstrap_kubeconfig: info.bootstrap_kubeconfig(&token).to_yaml(),
            info,
        })
    })
}

/// The URL of the API server.
///
/// Threads: any at once. The view lives as long as what was verified.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_info_server(info: Option<&kubepki_cluster_info>) -> kubepki_text {
    look(info, |info| info.info.server().into())
}

/// The certificates of the cluster's authority in PEM: the contents of `pki/ca.crt`.
///
/// Threads: any at once. The view lives as long as what was verified.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_info_trusted_pem(info: Option<&kubepki_cluster_info>) -> kubepki_text {
    look(info, |info| info.trusted_pem.as_str().into())
}

/// The kubeconfig by which the kubelet asks for its first certificate (`--bootstrap-kubeconfig`), in YAML: a secret.
///
/// Threads: any at once. The view lives as long as what was verified.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_info_bootstrap_kubeconfig(
    info: Option<&kubepki_cluster_info>,
) -> kubepki_text {
    look(info, |info| info.bootstrap_kubeconfig.as_str().into())
}

/// The kubeconfig of any user at this cluster, in YAML, such as the kubelet's once it has its certificate.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_info_kubeconfig(
    info: Option<&kubepki_cluster_info>,
    name: *const c_char,
    name_len: usize,
    user: Option<&kubepki_user>,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let name = input!(name, name_len);
    make(out!(out), || {
        let (info, user) = (&some(info, "info")?.info, some(user, "user")?.0.clone());
        Ok(kubepki_buffer::secret(info.kubeconfig(name.text()?, user)?.to_yaml()))
    })
}

/// Frees what was verified. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_info_free(info: Option<Box<kubepki_cluster_info>>) {
    free(info);
}

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

/// Makes a token for a service account, signed by sa.key: its namespace, its name, and the UID that the API server has given
/// it; for these audiences, where NULL means the API server; and for so many seconds. It is a secret.
/// `KUBEPKI_ERROR_ABSENT` where sa.key is not here.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_service_account_token(
    cluster: Option<&kubepki_cluster>,
    authorities: Option<&kubepki_authorities>,
    namespace_name: *const c_char,
    namespace_name_len: usize,
    name: *const c_char,
    name_len: usize,
    uid: *const c_char,
    uid_len: usize,
    audiences: Option<&kubepki_list>,
    lifetime_seconds: u64,
    now: i64,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let (namespace, name) = (input!(namespace_name, namespace_name_len), input!(name, name_len));
    let uid = input!(uid, uid_len);
    make(out!(out), || {
        let (cluster, authorities) =
            (&some(cluster, "cluster")?.cluster, &some(authorities, "authorities")?.0);
        let account = ObjectReference::new(name.parse()?, uid.parse()?);
        let token = ServiceAccountToken::new(cluster.token_issuer(), namespace.parse()?, account)
            .lifetime(seconds(lifetime_seconds));
        let token = match audiences {
            Some(_) => token.audiences(texts(audiences)),
            None => token,
        };
        let key = authorities.service_account_key();
        let key = key.ok_or_else(|| kubepki_error::absent("authorities", "the service-account key"))?;
        Ok(kubepki_buffer::secret(token.sign(key, Time::from_unix(now)?)?))
    })
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
    /// The UID of the service account.
    pub uid: kubepki_text,
    /// The token's own ID; empty before Kubernetes 1.29.
    pub id: kubepki_text,
    /// When it was issued.
    pub issued: i64,
    /// When it ends.
    pub expires: i64,
}

/// Verifies a token as kube-apiserver does: by public keys, which are PEM as in sa.pub or a JSON Web Key Set; for one issuer
/// and one of the audiences; at a moment, which may be a minute off.
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
    look(account, |kubepki_service_account { user, claims }| kubepki_claims {
        user: user.as_str().into(),
        uid: claims.service_account().uid.as_str().into(),
        id: claims.id().into(),
        issued: claims.issued().unix(),
        expires: claims.expires().unix(),
    })
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

/// The discovery document of OpenID Connect for such keys: with the issuer, which must be a URL of https here, and the URL
/// where the key set is served.
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

/// The tokens of a static token file (`--token-auth-file`), which never end. They are overwritten when they are freed.
pub struct kubepki_static_tokens {
    tokens: StaticTokens,
    csv: Zeroizing<String>,
}

impl From<StaticTokens> for kubepki_static_tokens {
    fn from(tokens: StaticTokens) -> Self {
        Self { csv: tokens.to_csv(), tokens }
    }
}

/// One token of such a file.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kubepki_static_token {
    /// The token, as a client sends it: a secret.
    pub token: kubepki_text,
    /// The user's name.
    pub user: kubepki_text,
    /// The user's UID.
    pub uid: kubepki_text,
}

/// Reads such a file, in CSV, as kube-apiserver does. No bytes are an empty one, to be filled by
/// `kubepki_static_tokens_add`.
///
/// Threads: any. Free `*out` by `kubepki_static_tokens_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_static_tokens_from_csv(
    csv: *const c_void,
    csv_len: usize,
    out: *mut *mut kubepki_static_tokens,
) -> Option<Box<kubepki_error>> {
    let csv = input!(csv, csv_len);
    make(out!(out), || Ok(StaticTokens::from_csv(csv.bytes()?)?.into()))
}

/// Makes a token for a user with this UID, in these groups (NULL for none), and adds it.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_static_tokens_add(
    tokens: Option<&mut kubepki_static_tokens>,
    user: *const c_char,
    user_len: usize,
    uid: *const c_char,
    uid_len: usize,
    groups: Option<&kubepki_list>,
) -> Option<Box<kubepki_error>> {
    let (user, uid) = (input!(user, user_len), input!(uid, uid_len));
    change("tokens", tokens, |known| {
        let token = StaticToken::generate(user.parse()?, uid.parse()?)?.groups(parsed(groups)?)?;
        *known = StaticTokens::new(known.tokens.tokens().iter().cloned().chain([token])).into();
        Ok(())
    })
}

/// The file: a secret.
///
/// Threads: any at once. The view lives until the tokens are changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_static_tokens_csv(tokens: Option<&kubepki_static_tokens>) -> kubepki_text {
    look(tokens, |tokens| tokens.csv.as_str().into())
}

/// How many tokens there are.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_static_tokens_count(tokens: Option<&kubepki_static_tokens>) -> usize {
    look(tokens, |tokens| tokens.tokens.tokens().len())
}

/// One of the tokens, in the order of the file; empty beyond the last.
///
/// Threads: any at once. The views live until the tokens are changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_static_tokens_at(
    tokens: Option<&kubepki_static_tokens>,
    index: usize,
) -> kubepki_static_token {
    look(tokens, |tokens| match tokens.tokens.tokens().get(index) {
        None => kubepki_static_token::default(),
        Some(token) => kubepki_static_token {
            token: token.token().into(),
            user: token.user().into(),
            uid: token.uid().into(),
        },
    })
}

/// What kube-apiserver does not say of the file: tokens without effect, that can be guessed, or that give power.
///
/// Threads: any at once. Free `*out` by `kubepki_list_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_static_tokens_remarks(
    tokens: Option<&kubepki_static_tokens>,
    out: *mut *mut kubepki_list,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_list::new(some(tokens, "tokens")?.tokens.remarks())))
}

/// Frees tokens. NULL is allowed.
///
/// Threads: any, the last to use them.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_static_tokens_free(tokens: Option<Box<kubepki_static_tokens>>) {
    free(tokens);
}
