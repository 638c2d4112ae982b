//! Applying a plan, in memory: all of its steps, or when one fails, none.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Action, Plan, Step};
use crate::authority::Authority;
use crate::error::{Code, Error, Result};
use crate::file::File;
use crate::issuer::Issuer;
use crate::key::{PrivateKey, PublicKey, Signer, generate_all};
use crate::kubeconfig::Kubeconfig;
use crate::layout::Part;
use crate::pem;
use crate::pki::{Held, Pki};
use crate::role::{Profile, Role};
use crate::x509::{Certificate, Credential, check_authorities, check_chain, to_pem};

impl Plan {
    /// Makes the changes in memory: [`Store::commit`](crate::Store::commit) then writes the changed files,
    /// and only those.
    ///
    /// # Errors
    ///
    /// [`Code::Changed`] when `pki` is not what the plan was made from, [`Code::Random`], and
    /// [`Code::Signer`] and [`Code::SignerMismatch`] by a signer; `pki` then stays as it is.
    pub fn apply(self, pki: &mut Pki) -> Result<()> {
        if *pki.layout() != self.layout || !pki.files().eq(self.made_from.iter()) {
            return Err(Error::new(Code::Changed, "the files that the plan was made from")
                .found("others: plan again"));
        }
        let mut work = Work { held: Held::all(pki).0, next: pki.clone(), renewed: Vec::new(), plan: &self };
        let (renewals, others): (Vec<_>, Vec<_>) =
            self.steps.iter().partition(|step| step.action == Action::RenewAuthority);
        for step in renewals {
            work.renew(step)?;
            work.next.refresh();
        }
        let profiles =
            others.iter().filter(|step| step.action == Action::Issue).filter_map(|it| it.profile.as_ref());
        let mut keys =
            VecDeque::from(generate_all(&profiles.map(Profile::key_algorithm).collect::<Vec<_>>())?);
        for step in others {
            let key = if step.action == Action::Issue { keys.pop_front() } else { None };
            work.apply(step, key).map_err(|error| error.role(step.role))?;
        }
        work.next.refresh();
        *pki = work.next;
        Ok(())
    }
}

struct Work<'a> {
    plan: &'a Plan,
    /// What there was.
    held: BTreeMap<Role, Held>,
    /// What becomes of it.
    next: Pki,
    /// The old and the new certificate of each authority that is renewed.
    renewed: Vec<(Certificate, Certificate)>,
}

impl Work<'_> {
    fn renew(&mut self, step: &Step) -> Result<()> {
        let role = step.role;
        let held = self.held.get(&role).ok_or_else(|| gone(role))?;
        let (Some(old), Some(profile)) = (held.certificate(), &step.profile) else { return Err(gone(role)) };
        let renewed = match self.next.authorities().get(role).and_then(Authority::issuer) {
            Some(issuer) => issuer.renewed(profile, self.plan.now),
            None => {
                let key = held.key.as_ref().ok_or_else(|| gone(role))?;
                Issuer::renewed_with_key(old, Arc::clone(&key.is), profile, self.plan.now)
            }
        };
        let new = renewed.map_err(|error| error.role(role))?.certificate().clone();
        self.renewed.push((old.clone(), new));
        let certificates = held.certificates.as_ref().map(|it| self.with_renewed(&it.is)).unwrap_or_default();
        self.put(role, Part::Certificate, to_pem(&certificates));
        for (other, part, _) in &step.files {
            if *part == Part::Kubeconfig
                && let Some(mut kubeconfig) = self.kubeconfig(*other)
            {
                for cluster in &mut kubeconfig.clusters {
                    let data = &mut cluster.cluster.certificate_authority_data;
                    let trusted = data.as_ref().and_then(|pem| Certificate::from_pem(pem).ok());
                    if let Some(trusted) = trusted.filter(|it| self.with_renewed(it) != *it) {
                        *data = Some(to_pem(&self.with_renewed(&trusted)).into_bytes());
                    }
                }
                self.put(*other, Part::Kubeconfig, kubeconfig.to_yaml().as_bytes());
            }
        }
        Ok(())
    }

    /// The same certificates, renewed ones in the places of the old.
    fn with_renewed(&self, certificates: &[Certificate]) -> Vec<Certificate> {
        let renewed = |certificate: &Certificate| {
            let mut pairs = self.renewed.iter();
            pairs.find(|(old, _)| old == certificate).map_or(certificate, |(_, new)| new).clone()
        };
        certificates.iter().map(renewed).collect()
    }

    fn apply(&mut self, step: &Step, key: Option<PrivateKey>) -> Result<()> {
        let role = step.role;
        match &step.action {
            Action::RenewAuthority => {}
            Action::Issue | Action::IssueForSameKey => self.issue(step, key)?,
            Action::ListPublicKey => {
                let keys = self.next.authorities().service_account_keys();
                let keys: String = keys.iter().map(PublicKey::to_pem).collect();
                self.put(role, Part::PublicKey, keys);
            }
            Action::Trust => {
                let trusted = self.trusted(role)?;
                self.change_cluster(role, |cluster| cluster.certificate_authority_data = Some(trusted))?;
            }
            Action::Verify => {
                let trusted = self.trusted(role)?;
                self.change_cluster(role, |cluster| {
                    cluster.insecure_skip_tls_verify = false;
                    // Clients refuse both together: nothing that counts stood there.
                    cluster.certificate_authority_data = Some(trusted);
                })?;
            }
            Action::PointTo(url) => self.change_cluster(role, |cluster| {
                cluster.server.clone_from(url);
                cluster.tls_server_name = None;
            })?,
            Action::CutTrailingData => self.change_files(step, |file| {
                let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(file.bytes().len() + 1));
                bytes.extend_from_slice(pem::without_trailing_data(file.bytes()));
                if !bytes.ends_with(b"\n") {
                    bytes.push(b'\n');
                }
                file.with_bytes(&*bytes)
            }),
            Action::SetMode(mode) => self.change_files(step, |file| file.with_mode(*mode)),
        }
        Ok(())
    }

    fn issue(&mut self, step: &Step, key: Option<PrivateKey>) -> Result<()> {
        let role = step.role;
        let held = self.held.get(&role);
        let is_kept = key.is_none();
        let key = key.map(Arc::new).or_else(|| Some(Arc::clone(&held?.key.as_ref()?.is)));
        let (Some(profile), Some(key)) = (&step.profile, key) else { return Err(gone(role)) };
        let issuer = self.next.authorities().issuer_for(profile)?;
        let chain = issuer.certify(profile, key.public_key(), self.plan.now)?;
        let chain = match held.and_then(|held| held.certificates.as_ref()) {
            Some(old) => self.with_old_chain(chain, &old.is),
            None => chain,
        };
        let credential = Credential::assemble(chain, key, None)?;
        if let Some((_, Part::Kubeconfig, _)) = step.files.first() {
            return self.put_into_kubeconfig(role, &credential, is_kept);
        }
        self.put(role, Part::Certificate, credential.chain_pem());
        if !is_kept {
            self.put(role, Part::Key, credential.key().to_pem().as_bytes());
        }
        Ok(())
    }

    /// The new leaf, and what stood behind the old one, if that still leads somewhere: it may be known to
    /// nobody else.
    fn with_old_chain(&self, chain: Vec<Certificate>, old: &[Certificate]) -> Vec<Certificate> {
        let behind = self.with_renewed(old.get(1..).unwrap_or_default());
        let leaf = chain.first().into_iter().cloned();
        let kept: Vec<_> = leaf.chain(behind.iter().cloned()).collect();
        let is_good = !behind.is_empty()
            && behind.iter().all(|it| it.is_valid_at(self.plan.now))
            && check_authorities(&behind).is_ok()
            && check_chain(&kept).is_ok();
        if is_good { kept } else { chain }
    }

    fn put_into_kubeconfig(&mut self, role: Role, credential: &Credential, is_kept: bool) -> Result<()> {
        let made = Kubeconfig::for_role(&self.plan.expected, self.next.authorities(), role, credential)?;
        let kubeconfig = match self.kubeconfig(role) {
            Some(old) => old.with_credential_of(made, is_kept),
            None => made,
        };
        self.put(role, Part::Kubeconfig, kubeconfig.to_yaml().as_bytes());
        Ok(())
    }

    fn kubeconfig(&self, role: Role) -> Option<Kubeconfig> {
        Kubeconfig::from_yaml(self.next.file(role, Part::Kubeconfig)?.bytes()).ok()
    }

    fn change_cluster(
        &mut self,
        role: Role,
        change: impl FnOnce(&mut crate::kubeconfig::Cluster),
    ) -> Result<()> {
        let mut kubeconfig = self.kubeconfig(role).ok_or_else(|| gone(role))?;
        change(kubeconfig.current_cluster_mut().ok_or_else(|| gone(role))?);
        self.put(role, Part::Kubeconfig, kubeconfig.to_yaml().as_bytes());
        Ok(())
    }

    fn trusted(&self, role: Role) -> Result<Vec<u8>> {
        let authority = self.next.authorities().get(Role::KubernetesCa).ok_or_else(|| gone(role))?;
        Ok(authority.trusted_pem().into_bytes())
    }

    fn change_files(&mut self, step: &Step, change: impl Fn(File) -> File) {
        for (role, part, _) in &step.files {
            if let Some(file) = self.next.file(*role, *part).cloned() {
                self.next.put(change(file));
            }
        }
    }

    /// Other bytes for a file, which keeps its mode, or a new file.
    fn put(&mut self, role: Role, part: Part, bytes: impl AsRef<[u8]>) {
        let old = self.next.file(role, part).cloned();
        let file = match old {
            Some(old) => Some(old.with_bytes(bytes)),
            None => File::new(role, part, bytes),
        };
        file.into_iter().for_each(|file| self.next.put(file));
    }
}

/// A plan names nothing that there was not: its files are compared before.
fn gone(role: Role) -> Error {
    Error::new(Code::Changed, "what the plan was made from").found("it is gone").role(role)
}
