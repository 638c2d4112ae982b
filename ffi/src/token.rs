//! Tokens: of machines that join, and in a file.

use std::ffi::{c_char, c_void};

use ::pki::token::{
    BootstrapSecret, BootstrapToken, BootstrapUsage, ClusterInfo, StaticToken, StaticTokens,
    VerifiedClusterInfo,
};
use ::pki::{Role, Time};
use zeroize::Zeroizing;

use crate::authorities::kubepki_authorities;
use crate::cluster::kubepki_cluster;
use crate::error::{Fail, kubepki_error};
use crate::guard::{change, free, input, kubepki_text, look, make, out, some};
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

/// The Secret that makes a cluster know a bootstrap token: with the moment when it ends; what it may be used for, which
/// is `authentication`, `signing` (of cluster-info), or without any (NULL) both; the groups that it gives besides
/// `system:bootstrappers`; and what it is for, in words.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_bootstrap_token(
    token: *const c_char,
    token_len: usize,
    expires: i64,
    usages: Option<&kubepki_list>,
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
        let usages = texts(usages).map(usage).collect::<Result<Vec<_>, _>>()?;
        let secret = if usages.is_empty() { secret } else { secret.usages(usages) };
        Ok(secret.manifest().into())
    })
}

fn usage(name: &str) -> Result<BootstrapUsage, Fail> {
    match name {
        "authentication" => Ok(BootstrapUsage::Authentication),
        "signing" => Ok(BootstrapUsage::Signing),
        _ => Err(kubepki_error::invalid("usages", "authentication or signing", name)),
    }
}

/// The ConfigMap `cluster-info`, by which a machine that has a bootstrap token comes to trust its cluster, signed by
/// these tokens, of which there may be none: kube-controller-manager's `bootstrapsigner` signs it too.
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

impl kubepki_cluster_info {
    fn new(info: VerifiedClusterInfo, token: &BootstrapToken) -> Self {
        Self {
            trusted_pem: info.trusted().iter().map(|certificate| certificate.to_pem()).collect(),
            bootstrap_kubeconfig: info.bootstrap_kubeconfig(token).to_yaml(),
            info,
        }
    }
}

/// Believes the ConfigMap `cluster-info`, in YAML or JSON, if the bootstrap token has signed it and every authority in
/// it is pinned.
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
        Ok(kubepki_cluster_info::new(info, &token))
    })
}

/// Believes what the bootstrap token has signed, whoever knows the token: anybody who has used it can play the cluster.
///
/// Threads: any at once. Free `*out` by `kubepki_cluster_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_info_verify_unpinned(
    yaml: *const c_void,
    yaml_len: usize,
    token: *const c_char,
    token_len: usize,
    out: *mut *mut kubepki_cluster_info,
) -> Option<Box<kubepki_error>> {
    let (yaml, token) = (input!(yaml, yaml_len), input!(token, token_len));
    make(out!(out), || {
        let token = token.parse()?;
        let info = ClusterInfo::from_yaml(yaml.bytes()?)?.verify_unpinned(&token)?;
        Ok(kubepki_cluster_info::new(info, &token))
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
        let (info, user) = (&some(info, "info")?.info, some(user, "user")?.user.clone());
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

/// One token of a static token file.
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

/// Reads a static token file, in CSV, as kube-apiserver does. A length of 0 gives an empty one, to be filled by
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

/// Makes a token for a user with this UID, in these groups, and adds it.
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

/// In how many groups the user of a token is.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_static_tokens_group_count(
    tokens: Option<&kubepki_static_tokens>,
    token: usize,
) -> usize {
    look(tokens, |tokens| tokens.tokens.tokens().get(token).map_or(0, |token| token.group_names().count()))
}

/// One of the groups of a token's user; empty beyond the last.
///
/// Threads: any at once. The view lives until the tokens are changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_static_tokens_group_at(
    tokens: Option<&kubepki_static_tokens>,
    token: usize,
    group: usize,
) -> kubepki_text {
    look(tokens, |tokens| {
        tokens.tokens.tokens().get(token).and_then(|token| token.group_names().nth(group)).into()
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
