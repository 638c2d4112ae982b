//! What kubeadm says to our directory, and how what it makes itself differs from ours.

use std::collections::BTreeSet;
use std::process::Command;

use kubepki::{Cluster, Convention, KeyAlgorithm};

use crate::audit::is_clean;
use crate::facts::{alike, certificate_facts, facts};
use crate::programs::output;
use crate::report::{Report, Result};
use crate::root::{CERTS, Files, KUBECONFIGS, Kubeadm, Root};
use crate::support::cluster;

/// All that kubeadm has to say about directories with keys of one algorithm.
pub(crate) fn kubeadm(report: &mut Report, algorithm: KeyAlgorithm) -> Result {
    for (name, cluster) in [
        ("documented", cluster(algorithm, Convention::Documented)),
        ("kubeadm", cluster(algorithm, Convention::Kubeadm)),
        ("this kubeadm's", as_of_this_version(algorithm)?),
    ] {
        for kubeadm in Kubeadm::BOTH {
            judge(report, kubeadm, name, &cluster, algorithm)?;
        }
    }
    let ours = Root::with_ours(&as_of_this_version(algorithm)?, algorithm)?;
    compare(report, "as of this version", &ours, &Root::new(algorithm)?.fill(Kubeadm::Newest)?)
}

/// What we make of kubeadm's configuration files, beside what kubeadm makes of them.
pub(crate) fn configurations(report: &mut Report) -> Result {
    for (title, version, init, cluster) in [
        (
            "hardly anything",
            "v1beta3",
            "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: cp-1}\n",
            "",
        ),
        (
            "names and addresses",
            "v1beta4",
            "localAPIEndpoint: {advertiseAddress: 192.0.2.10, bindPort: 8443}\n\
             nodeRegistration: {name: CP-1.example.com}\n",
            "controlPlaneEndpoint: api.example.com\n\
             clusterName: production\n\
             networking: {dnsDomain: example.internal, serviceSubnet: 'fd00:1::/108,10.112.0.0/12'}\n\
             apiServer: {certSANs: [localhost, 127.0.0.1, 192.0.2.10, '*.api.example.com', '2001:db8::0:1', localhost, \
             UPPER.example.com, 010.0.0.1]}\n\
             etcd: {local: {serverCertSANs: [etcd.example.com, 192.0.2.20], peerCertSANs: ['::1', peer]}}\n\
             encryptionAlgorithm: ECDSA-P384\n",
        ),
        (
            "lifetimes",
            "v1beta4",
            "localAPIEndpoint: {advertiseAddress: '2001:db8::10'}\nnodeRegistration: {name: node-1}\n",
            "controlPlaneEndpoint: '[2001:db8::1]:6443'\n\
             networking: {serviceSubnet: 'fd00:1::/108'}\n\
             certificateValidityPeriod: 2000h\n\
             caCertificateValidityPeriod: 20000h0m0s\n\
             encryptionAlgorithm: RSA-3072\n",
        ),
        (
            "an external etcd",
            "v1beta4",
            "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: cp-1}\n",
            "controlPlaneEndpoint: 192.0.2.1:443\n\
             etcd: {external: {endpoints: ['https://192.0.2.30:2379'], caFile: '', certFile: '', keyFile: ''}}\n\
             encryptionAlgorithm: ECDSA-P256\n",
        ),
    ] {
        let api = format!("apiVersion: kubeadm.k8s.io/{version}");
        let version = Kubeadm::Newest.version()?;
        let configuration = format!(
            "{api}\nkind: InitConfiguration\n{init}---\n\
             {api}\nkind: ClusterConfiguration\nkubernetesVersion: {version}\n{cluster}"
        );
        let [ours, theirs] = [(); 2].map(|()| Root::configured(&configuration));
        let (ours, theirs) = (ours?, theirs?.fill(Kubeadm::Newest)?);
        let mut example = Command::new("create_cluster");
        example.arg("--config").arg(ours.configuration(Kubeadm::Newest));
        output(example.arg("--out").arg(ours.kubernetes()), "")?;
        compare(report, title, &ours, &theirs)?;
    }
    Ok(())
}

fn judge(
    report: &mut Report,
    kubeadm: Kubeadm,
    convention: &str,
    cluster: &Cluster,
    algorithm: KeyAlgorithm,
) -> Result {
    let title = format!("{kubeadm}, {convention} convention");
    let root = Root::with_ours(cluster, algorithm)?;
    let used = |root: &Root, phase| root.is_used_as_it_is(kubeadm, phase);
    report.check(&format!("{title}: init phase certs all"), used(&root, CERTS));
    report.check(&format!("{title}: init phase kubeconfig all"), used(&root, KUBECONFIGS));
    report.check(&format!("{title}: certs check-expiration"), root.lists_everything(kubeadm));
    // In the documented convention kubeadm gives EC keys its own key usages; the old one knows no basic constraints.
    let verdict = root.renews_everything(kubeadm, |new, old| match (kubeadm, convention) {
        (Kubeadm::Old, _) | (_, "documented") => Ok(()),
        _ => alike(&certificate_facts(new)?, &certificate_facts(old)?).map(|_| ()),
    });
    report.check(&format!("{title}: certs renew all"), verdict);
    report.check(&format!("{title}: renewed, init phase certs all"), used(&root, CERTS));
    report.check(&format!("{title}: renewed, check_pki"), is_clean(&root, &[], &[]));

    let external = Root::with_ours(cluster, algorithm)?;
    for keys in [&["pki/ca.key"][..], &["pki/front-proxy-ca.key", "pki/etcd/ca.key"]] {
        external.remove(keys)?;
        let without = format!("{title}, without {}", keys.join(" and "));
        report.check(&format!("{without}: init phase certs all"), used(&external, CERTS));
        report.check(&format!("{without}: init phase kubeconfig all"), used(&external, KUBECONFIGS));
    }
    Ok(())
}

/// A cluster in the convention of the very kubeadm that judges.
fn as_of_this_version(algorithm: KeyAlgorithm) -> Result<Cluster> {
    Ok(cluster(algorithm, Convention::Kubeadm).kubernetes_version(Kubeadm::Newest.version()?.parse()?))
}

/// Our directory beside the one that kubeadm makes from the same configuration.
fn compare(report: &mut Report, title: &str, ours: &Root, theirs: &Root) -> Result {
    let (our_files, their_files) = (ours.files()?, theirs.files()?);
    let list = |files: &Files| -> BTreeSet<String> {
        files.iter().map(|(path, (mode, _))| format!("{mode:o} {}", path.display())).collect()
    };
    report.check(&format!("{title}: the same files and directories, with the same modes"), {
        let (ours, theirs) = (list(&our_files), list(&their_files));
        let different: Vec<_> = ours.symmetric_difference(&theirs).collect();
        match different.is_empty() {
            true => Ok(format!("{} of them", ours.len())),
            false => Err(format!("different: {different:?}").into()),
        }
    });
    let files = our_files.iter().filter(|(_, (_, bytes))| !bytes.is_empty()).map(|(path, _)| path);
    for path in files.filter(|path| their_files.contains_key(*path)) {
        report.check(
            &format!("{title}: ours and kubeadm's {}", path.display()),
            facts(ours, path, certificate_facts)
                .and_then(|one| alike(&one, &facts(theirs, path, certificate_facts)?)),
        );
    }
    Ok(())
}
