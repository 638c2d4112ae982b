//! Who is let in through which door: clients of each authority, at each place that believes one of them.
//!
//! Under a common root this is what the separate intermediates are for; the holder of a certificate then presents
//! everything above it as well.

use kubepki::{Role, role};

use crate::control_plane::{Machine, Members, NODE, node};
use crate::http::{Pair, Request};
use crate::identity::{Identity, eve, front_proxy_headers, review, seen_as, unknown};
use crate::report::{Report, Result};

const AUTHORITIES: [Role; 3] = [Role::KubernetesCa, Role::EtcdCa, Role::FrontProxyCa];

/// Every door, with a certificate of every authority.
pub(crate) fn doors(report: &mut Report, machine: &Machine, members: &Members) -> Result {
    let cluster = &machine.cluster;
    let user = role::SuperAdmin::new(cluster).profile();
    let front_proxy = role::FrontProxyClient::new(cluster).profile();
    let peer = role::EtcdPeer::new(cluster, &node(NODE, [127, 0, 0, 1].into())).profile();
    for authority in AUTHORITIES {
        let master = machine.issue(authority, &user)?;
        let proxy = machine.issue(authority, &front_proxy)?;
        let member = machine.issue(authority, &peer)?;

        let seen = review(machine, Some(&master), &[]);
        report.check(
            &format!("API server, a client of {authority} in system:masters"),
            match authority {
                Role::KubernetesCa => {
                    seen_as(seen, &Identity::new("kubernetes-super-admin", &["system:masters"])).map(text)
                }
                _ => unknown(seen).map(|it| format!("refused: {it}")),
            },
        );
        report.check(
            &format!("front-proxy headers, a client front-proxy-client of {authority}"),
            headers_are_believed_of_the_front_proxy_only(machine, authority, &proxy),
        );
        let etcd = members.etcd.endpoints().split(',').next().unwrap_or_default();
        report.check(
            &format!("etcd, a client of {authority}"),
            of_etcd_only(authority, &format!("{etcd}/health"), &master),
        );
        report.check(
            &format!("etcd's peers, a member of {authority}"),
            of_etcd_only(authority, &format!("{}/version", members.etcd.peers()[0]), &member),
        );
    }
    for (door, url) in [
        ("etcd", members.etcd.endpoints().split(',').next()),
        ("etcd's peers", members.etcd.peers().first().map(|it| &**it)),
    ] {
        let answer = Request { url: url.unwrap_or_default(), ..Request::default() }.send();
        report.check(&format!("{door}, nobody's client"), refused(answer));
    }
    Ok(())
}

/// That the headers of a client with the front proxy's name are believed when its certificate comes from the front
/// proxy's authority, and from no other.
pub(crate) fn headers_are_believed_of_the_front_proxy_only(
    machine: &Machine,
    authority: Role,
    client: &Pair,
) -> Result<String> {
    let answer = review(machine, Some(client), &front_proxy_headers());
    match authority {
        Role::FrontProxyCa => seen_as(answer, &eve()).map(text),
        Role::KubernetesCa => seen_as(answer, &Identity::new("front-proxy-client", &[])).map(text),
        _ => unknown(answer).map(|it| format!("refused: {it}")),
    }
}

fn of_etcd_only(authority: Role, url: &str, client: &Pair) -> Result<String> {
    let answer = Request { url, client: Some(client), ..Request::default() }.send();
    match authority {
        Role::EtcdCa => match answer? {
            answer if answer.status == 200 => Ok(answer.body.trim().to_owned()),
            answer => Err(format!("expected 200, found {answer:?}").into()),
        },
        _ => refused(answer),
    }
}

/// That a connection did not come about.
fn refused<T: std::fmt::Debug>(answer: Result<T>) -> Result<String> {
    match answer {
        Ok(answer) => Err(format!("expected a refusal, found {answer:?}").into()),
        Err(error) => Ok(format!("refused: {}", error.to_string().lines().next().unwrap_or_default())),
    }
}

fn text(identity: Identity) -> String {
    identity.to_string()
}
