//! Bootstrap tokens at the API server, and `cluster-info`, by which who has one comes to trust the cluster.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use kubepki::token::{BootstrapSecret, BootstrapToken, BootstrapUsage, ClusterInfo};
use kubepki::{Role, Time, manifest};
use serde_json::Value;

use crate::api::Api;
use crate::control_plane::Machine;
use crate::http::Request;
use crate::identity::{self, Identity, seen_as, unknown};
use crate::programs::eventually;
use crate::report::{Report, Result, same};

/// The group of tokens of new nodes.
const GROUP: &str = "system:bootstrappers:kubeadm:default-node-token";
const CLUSTER_INFO: &str = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

/// Bootstrap tokens of every kind; gives one for everything, with the rights of a new node.
pub(crate) fn tokens(report: &mut Report, machine: &Machine, api: &Api) -> Result<BootstrapToken> {
    let [full, plain, signing, expired] = std::array::from_fn(|_| BootstrapToken::generate());
    let (full, plain, signing, expired) = (full?, plain?, signing?, expired?);
    let now = Time::now();
    let soon = now.checked_add(Duration::from_secs(3600)).ok_or("a time")?;
    for secret in [
        BootstrapSecret::new(&full).expires(soon).groups([GROUP.parse()?]).description("a new node"),
        BootstrapSecret::new(&plain).usages([BootstrapUsage::Authentication]),
        BootstrapSecret::new(&signing).usages([BootstrapUsage::Signing]),
        BootstrapSecret::new(&expired).expires(now.saturating_sub(Duration::from_secs(60))),
    ] {
        eventually(|| api.apply(&secret.manifest().to_yaml()))?;
    }
    let seen = |token: &BootstrapToken| {
        identity::review(machine, None, &[format!("Authorization: Bearer {}", *token.to_text())])
    };
    report.check("a bootstrap token", eventually(|| seen_as(seen(&full), &holder(&full, &[GROUP]))));
    report.check("one without groups", eventually(|| seen_as(seen(&plain), &holder(&plain, &[]))));
    report.check("one for signing is nobody", unknown(seen(&signing)));
    report.check("one that has expired is nobody", unknown(seen(&expired)));
    let group = GROUP.parse()?;
    for binding in [
        manifest::node_bootstrapper_binding(&group),
        manifest::node_approval_binding(&group),
        manifest::node_renewal_binding(),
    ] {
        api.apply(&binding.to_yaml())?;
    }
    let signed = signed_alike(machine, api, [&full, &signing]);
    report.check("kube-controller-manager signs cluster-info as we do", signed);
    Ok(full)
}

/// The kubeconfig that a machine makes itself which knows nothing but the token, and the pin of the authority.
pub(crate) fn kubeconfig(report: &mut Report, machine: &Machine, token: &BootstrapToken) -> Result<PathBuf> {
    let url = format!("{}{CLUSTER_INFO}", machine.url);
    let answer = Request { url: &url, ..Request::default() }.send()?;
    let info = ClusterInfo::from_yaml(answer.body.as_bytes())?;
    let pin = machine.issuer(Role::KubernetesCa).certificate().public_key().pin();
    let stranger = info.clone().verify(&format!("{}.0123456789abcdef", token.id()).parse()?, &[pin.parse()?]);
    let refused = match stranger {
        Err(error) => Ok(error),
        Ok(info) => Err(format!("expected another token not to verify it, found {info:?}").into()),
    };
    report.check("cluster-info is not verified by another secret", refused);
    let info = info.verify(token, &[pin.parse()?])?;
    report.check("cluster-info is verified", same(&machine.url.as_str(), info.server()));
    let path = machine.directory.join("bootstrap.conf");
    fs::write(&path, info.bootstrap_kubeconfig(token).to_yaml())?;
    report.check("whoami with the bootstrap kubeconfig", identity::is(&path, &holder(token, &[GROUP])));
    Ok(path)
}

/// That kube-controller-manager signs the same bytes by the same tokens.
fn signed_alike(machine: &Machine, api: &Api, tokens: [&BootstrapToken; 2]) -> Result<String> {
    let info = ClusterInfo::new(&machine.cluster, &machine.authorities)?;
    for object in manifest::cluster_info_reader().iter().chain([&info.manifest()]) {
        eventually(|| api.apply(&object.to_yaml()))?;
    }
    let ours = tokens.into_iter().fold(info, ClusterInfo::sign);
    let ours: Value = serde_json::from_str(&ours.manifest().to_json())?;
    eventually(|| {
        let theirs = api.ask("GET", CLUSTER_INFO, None)?;
        Ok(same(&ours["data"], theirs["data"].clone())?.to_string())
    })
}

/// Who the holder of a bootstrap token is.
fn holder(token: &BootstrapToken, groups: &[&str]) -> Identity {
    let groups = [&["system:bootstrappers"], groups].concat();
    Identity::new(&format!("system:bootstrap:{}", token.id()), &groups)
}
