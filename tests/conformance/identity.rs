//! Who each certificate and token is to the API server, and what it may do.

use std::fmt;
use std::path::{Path, PathBuf};

use kubepki::{Role, Time, kubeconfig::Kubeconfig, role};
use serde_json::{Value, json};

use crate::control_plane::{Machine, NODE};
use crate::http::{Answer, Pair, Request};
use crate::programs::{eventually, kubectl};
use crate::report::{Report, Result, same};

/// A user as the API server sees one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    name: String,
    groups: Vec<String>,
}

impl Identity {
    /// A user in these groups, and in the one of everybody who is known.
    pub(crate) fn new(name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().chain(&["system:authenticated"]).map(|&group| group.to_owned());
        Self { name: name.to_owned(), groups: groups.collect() }
    }

    pub(crate) fn name_and_groups(&self) -> (&str, &[String]) {
        (&self.name, &self.groups)
    }

    /// The headers by which an administrator acts as this user.
    pub(crate) fn impersonated(&self) -> Vec<String> {
        let groups = self.groups.iter().map(|group| format!("Impersonate-Group: {group}"));
        std::iter::once(format!("Impersonate-User: {}", self.name)).chain(groups).collect()
    }

    /// Reads a SelfSubjectReview.
    fn read(review: &str) -> Result<Self> {
        let review: Value = serde_json::from_str(review)?;
        let user = &review["status"]["userInfo"];
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
        };
        let name = user["username"].as_str().ok_or_else(|| format!("no user in {review}"))?;
        Ok(Self { name: name.to_owned(), groups: texts(&user["groups"]) })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.name, self.groups.join(", "))
    }
}

/// The kubeconfigs of a node and of a user with two groups: who each is.
pub(crate) fn whoami(report: &mut Report, machine: &Machine, jane: &Path) {
    for (file, role, name, groups) in [
        ("admin.conf", Role::Admin, "kubernetes-admin", &["kubeadm:cluster-admins"][..]),
        ("super-admin.conf", Role::SuperAdmin, "kubernetes-super-admin", &["system:masters"]),
        ("controller-manager.conf", Role::ControllerManager, "system:kube-controller-manager", &[]),
        ("scheduler.conf", Role::Scheduler, "system:kube-scheduler", &[]),
        ("kube-proxy.conf", Role::KubeProxy, "system:kube-proxy", &[]),
    ] {
        let verdict = is(&machine.kubeconfig(role), &Identity::new(name, groups));
        report.check(&format!("whoami {file}"), verdict);
    }
    report.check("whoami kubelet.conf", kubelet_is_its_node(&machine.kubeconfig(Role::KubeletClient)));
    let verdict = is(jane, &Identity::new("jane", &["testers", "developers"]));
    report.check("whoami of a user with two groups", verdict);
}

/// That a kubelet's kubeconfig is the node's user, in the group that the node authorizer wants.
pub(crate) fn kubelet_is_its_node(kubeconfig: &Path) -> Result<Identity> {
    is(kubeconfig, &Identity::new(&format!("system:node:{NODE}"), &["system:nodes"]))
}

/// `kubectl auth whoami`.
pub(crate) fn is(kubeconfig: &Path, expected: &Identity) -> Result<Identity> {
    let review = kubectl(kubeconfig, &["auth", "whoami", "--output=json"], "")?;
    same(expected, Identity::read(&review)?)
}

/// The kubeconfig of a user with two groups.
pub(crate) fn user_with_two_groups(machine: &Machine) -> Result<PathBuf> {
    // In the certificate they stand in the order of their DER: the shorter first.
    let profile = role::User::new(&machine.cluster, "jane".parse()?)
        .group("developers".parse()?)
        .group("testers".parse()?)
        .profile();
    let credential = machine.authorities.issue(&profile, Time::now())?;
    let kubeconfig = Kubeconfig::for_user(&machine.cluster, &machine.authorities, &credential)?;
    let path = machine.directory.join("jane.conf");
    std::fs::write(&path, kubeconfig.to_yaml().as_bytes())?;
    Ok(path)
}

/// admin.conf before and after our ClusterRoleBinding.
pub(crate) fn admin_needs_its_binding(report: &mut Report, machine: &Machine) -> Result {
    let [admin, super_admin] = [Role::Admin, Role::SuperAdmin].map(|role| machine.kubeconfig(role));
    report.check("admin.conf without its binding may not list secrets", refused(&admin, &SECRETS));
    report.check("super-admin.conf may list secrets", allowed(&super_admin, &SECRETS));
    let binding = kubepki::manifest::cluster_admins_binding().to_yaml();
    let applied = kubectl(&super_admin, &["apply", "--filename=-"], &binding);
    report.check("super-admin.conf applies the binding", applied.map(|said| said.trim().to_owned()));
    let verdict = eventually(|| allowed(&admin, &SECRETS));
    report.check("admin.conf with its binding may list secrets", verdict);
    Ok(())
}

/// A user who may call kubelets only once a ClusterRoleBinding of ours is there. Kubelets ask the API server what their
/// caller may.
pub(crate) fn calls_kubelets_once_bound(machine: &Machine, user: &str, binding: &str) -> Result<String> {
    let admin = machine.kubeconfig(Role::SuperAdmin);
    let user = format!("--as={user}");
    let may = ["auth", "can-i", "get", "nodes", "--subresource=log", &user];
    if let Ok(said) = kubectl(&admin, &may, "") {
        return Err(format!("expected no before the binding, found {said}").into());
    }
    kubectl(&admin, &["apply", "--filename=-"], binding)?;
    let said = eventually(|| kubectl(&admin, &may, ""))?;
    Ok(format!("no, then {}", said.trim()))
}

/// A request: what it is for people, its path, and for a POST its body.
type Attempt = (&'static str, &'static str, Option<&'static str>);

const SECRETS: Attempt = ("list secrets", "/api/v1/secrets", None);
const PODS: Attempt = ("list pods", "/api/v1/pods", None);
const NODES: Attempt = ("list nodes", "/api/v1/nodes", None);
const SERVICES: Attempt = ("list services", "/api/v1/services", None);
const SLICES: Attempt = ("list endpoint slices", "/apis/discovery.k8s.io/v1/endpointslices", None);
const OWN_NODE: Attempt = ("read its own node", "/api/v1/nodes/cp-1", None);
const OTHER_NODE: Attempt = (
    "create another node",
    "/api/v1/nodes?dryRun=All",
    Some(r#"{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "cp-2"}}"#),
);
const CREATE_POD: Attempt = (
    "create a pod",
    "/api/v1/namespaces/default/pods?dryRun=All",
    Some(
        r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "another"},
            "spec": {"containers": [{"name": "c", "image": "i"}]}}"#,
    ),
);
const BIND: Attempt = (
    "make itself an administrator",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?dryRun=All",
    Some(
        r#"{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "b"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}"#,
    ),
);

/// What each may and may not do, once its node is registered and the administrators are bound.
pub(crate) fn powers(report: &mut Report, machine: &Machine, jane: &Path) {
    let rows: [(&str, PathBuf, &[Attempt], &[Attempt]); 7] = [
        ("admin.conf", machine.kubeconfig(Role::Admin), &[SECRETS, BIND, CREATE_POD, OTHER_NODE], &[]),
        ("super-admin.conf", machine.kubeconfig(Role::SuperAdmin), &[SECRETS, BIND, OTHER_NODE], &[]),
        (
            "controller-manager.conf",
            machine.kubeconfig(Role::ControllerManager),
            &[SECRETS, NODES],
            &[CREATE_POD, BIND],
        ),
        ("scheduler.conf", machine.kubeconfig(Role::Scheduler), &[PODS, NODES], &[SECRETS, BIND]),
        (
            "kubelet.conf",
            machine.kubeconfig(Role::KubeletClient),
            &[OWN_NODE, SERVICES],
            &[SECRETS, OTHER_NODE, BIND],
        ),
        ("kube-proxy.conf", machine.kubeconfig(Role::KubeProxy), &[SERVICES, SLICES], &[SECRETS, PODS, BIND]),
        ("a user with two groups", jane.to_owned(), &[], &[SECRETS, PODS, NODES, BIND]),
    ];
    for (who, kubeconfig, may, may_not) in rows {
        for attempt in may {
            report.check(&format!("{who} may {}", attempt.0), allowed(&kubeconfig, attempt));
        }
        for attempt in may_not {
            report.check(&format!("{who} may not {}", attempt.0), refused(&kubeconfig, attempt));
        }
    }
}

/// That a kubelet's kubeconfig has the rights of its node.
pub(crate) fn kubelet_reads_its_node(kubeconfig: &Path) -> Result<String> {
    allowed(kubeconfig, &OWN_NODE).map(str::to_owned)
}

fn allowed(kubeconfig: &Path, attempt: &Attempt) -> Result<&'static str> {
    try_it(kubeconfig, attempt).map(|_| "allowed")
}

fn refused(kubeconfig: &Path, attempt: &Attempt) -> Result<String> {
    match try_it(kubeconfig, attempt).map_err(|error| error.to_string()) {
        Err(said) if said.contains("(Forbidden)") || said.contains(" is forbidden") => {
            let why = said.split_once("forbidden: ").map_or(&*said, |(_, why)| why);
            Ok(why.trim().to_owned())
        }
        Err(said) => Err(format!("expected to be forbidden, found {said}").into()),
        Ok(_) => Err("expected to be forbidden, found that it is allowed".into()),
    }
}

fn try_it(kubeconfig: &Path, (_, path, body): &Attempt) -> Result<String> {
    match body {
        None => kubectl(kubeconfig, &["get", "--raw", path], ""),
        Some(body) => kubectl(kubeconfig, &["create", "--raw", path, "--filename=-"], body),
    }
}

/// Who the API server says that the holder of a certificate is, with these headers.
pub(crate) fn review(machine: &Machine, client: Option<&Pair>, headers: &[String]) -> Result<Answer> {
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}).to_string();
    let url = format!("{}/apis/authentication.k8s.io/v1/selfsubjectreviews", machine.url);
    let trusted = machine.ca();
    let body = Some(&*body);
    Request { url: &url, trusted: Some(&trusted), client, headers, body, ..Request::default() }.send()
}

/// That the API server answers with this identity.
pub(crate) fn seen_as(answer: Result<Answer>, expected: &Identity) -> Result<Identity> {
    let answer = answer?;
    if answer.status != 201 {
        return Err(format!("expected {expected}, found {}: {}", answer.status, answer.body).into());
    }
    same(expected, Identity::read(&answer.body)?)
}

/// That the API server knows nobody by this certificate.
pub(crate) fn unknown(answer: Result<Answer>) -> Result<String> {
    let answer = answer?;
    match answer.status {
        401 => Ok("401".to_owned()),
        status => Err(format!("expected 401, found {status}: {}", answer.body).into()),
    }
}

/// The headers by which a front proxy says for whom it speaks.
pub(crate) fn front_proxy_headers() -> [String; 2] {
    ["X-Remote-User: eve", "X-Remote-Group: system:masters"].map(str::to_owned)
}

/// The user of [`front_proxy_headers`].
pub(crate) fn eve() -> Identity {
    Identity::new("eve", &["system:masters"])
}

/// The certificates that are files: the API server's own, as clients, and no certificate at all.
pub(crate) fn certificates(report: &mut Report, machine: &Machine, kubelet_client: &Identity) {
    let pair = |role| machine.pair(role);
    let headers = front_proxy_headers();

    let client = pair(Role::FrontProxyClient);
    report.check(
        "front-proxy headers with front-proxy-client.crt are believed",
        seen_as(review(machine, Some(&client), &headers), &eve()),
    );
    report.check(
        "front-proxy-client.crt without headers is nobody",
        unknown(review(machine, Some(&client), &[])),
    );
    report.check(
        "front-proxy headers with apiserver-kubelet-client.crt are not believed",
        seen_as(review(machine, Some(&pair(Role::ApiServerKubeletClient)), &headers), kubelet_client),
    );
    for (file, role) in [
        ("apiserver-etcd-client.crt", Role::ApiServerEtcdClient),
        ("etcd/healthcheck-client.crt", Role::EtcdHealthcheckClient),
    ] {
        let answer = review(machine, Some(&pair(role)), &headers);
        report.check(&format!("front-proxy headers with {file} are not believed"), unknown(answer));
    }
    for (file, role) in [("apiserver.crt", Role::ApiServer), ("kubelet.crt", Role::KubeletServer)] {
        let answer = review(machine, Some(&pair(role)), &[]);
        report.check(&format!("{file} as a client is refused"), unknown(answer));
    }
    report.check("without a certificate nothing is allowed", anonymous(machine));
}

fn anonymous(machine: &Machine) -> Result<String> {
    for headers in [&[][..], &front_proxy_headers()] {
        for path in ["/api/v1/namespaces", "/api/v1/secrets", "/metrics"] {
            let (url, trusted) = (format!("{}{path}", machine.url), machine.ca());
            let answer =
                Request { url: &url, trusted: Some(&trusted), headers, ..Request::default() }.send()?;
            if answer.status != 403 || !answer.body.contains("system:anonymous") {
                return Err(format!("expected 403 of system:anonymous, found {answer:?}").into());
            }
        }
        let answer = review(machine, None, headers)?;
        if answer.status != 403 {
            return Err(format!("whoami: expected 403, found {answer:?}").into());
        }
    }
    Ok("system:anonymous: 403".to_owned())
}

/// A service-account token that the API server signs with sa.key is accepted through sa.pub.
pub(crate) fn token_is_accepted(machine: &Machine) -> Result<Identity> {
    let super_admin = machine.almighty();
    // The namespace is made by the API server itself, soon after it is ready.
    let apply = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, namespace: default}\n";
    eventually(|| kubectl(&super_admin, &["apply", "--filename=-"], apply))?;
    let token = kubectl(&super_admin, &["create", "token", "robot", "--namespace=default"], "")?;
    token_is(machine, &token, "robot")
}

/// That a token is that of a service account in the namespace `default`.
pub(crate) fn token_is(machine: &Machine, token: &str, name: &str) -> Result<Identity> {
    let name = format!("system:serviceaccount:default:{name}");
    let expected = Identity::new(&name, &["system:serviceaccounts", "system:serviceaccounts:default"]);
    seen_as(review(machine, None, &[format!("Authorization: Bearer {}", token.trim())]), &expected)
}

/// Every name of the API server's certificate, asked for at the server that runs.
pub(crate) fn serving_names(report: &mut Report, machine: &Machine, names: &[&str]) {
    let at = machine.url.trim_start_matches("https://");
    let trusted = machine.ca();
    let ask = |name: &str| {
        let url = format!("https://{name}/readyz");
        Request { url: &url, trusted: Some(&trusted), at: Some(at), ..Request::default() }.send()
    };
    for name in names {
        report.check(&format!("the API server is verified as {name}"), ask(name).map(|it| it.status));
    }
    let wrong = match ask("other.example.com") {
        Ok(answer) => Err(format!("expected curl to refuse it, found {answer:?}").into()),
        Err(error) => Ok(error.to_string().lines().next().unwrap_or_default().to_owned()),
    };
    report.check("the API server is not verified as other.example.com", wrong);
}
