//! Certificate requests, good and bad: what the real API server and the real kube-controller-manager
//! make of them, and this crate.

use std::fs;
use std::time::Duration;

use kubepki::{Convention, Issuer, KeyAlgorithm, Role, Time, role};
use serde_json::Value;

use crate::api::{Api, Outcome, REQUESTS};
use crate::control_plane::{ControlPlane, Machine};
use crate::ours::Ours;
use crate::programs::eventually;
use crate::report::{Report, Result};
use crate::row::{Row, Verdict};
use crate::rows::{rows, short_rows};
use crate::signer;
use crate::support::cluster;

/// The default of kube-controller-manager's `--cluster-signing-duration`.
const SIGNING_DURATION: Duration = Duration::from_secs(365 * 24 * 3600);

pub(crate) fn requests(report: &mut Report) -> Result {
    let mut cluster = ControlPlane::start(|_| Ok(()))?;
    cluster.api.everybody_may_request()?;
    let ours = Ours::new(cluster.machine.issuer(Role::KubernetesCa), SIGNING_DURATION)?;
    for case in judge(&cluster, "row", rows())? {
        report.check(case.row.what, case.verdict(&ours));
    }
    for (index, signer) in Signer::all()?.into_iter().enumerate() {
        cluster.restart_controller_manager(signer.arguments(&cluster.machine)?)?;
        let ours = Ours::new(&signer.issuer, signer.duration)?;
        for case in judge(&cluster, &format!("signer-{index}"), short_rows())? {
            report.check(&format!("{}: {}", signer.what, case.row.what), case.verdict(&ours));
        }
    }
    let expired = Signer::expired()?;
    cluster.restart_controller_manager(expired.arguments(&cluster.machine)?)?;
    report.check(expired.what, signs_nothing(&cluster, &expired));
    cluster.stop_controller_manager();
    signer::own_signer(report, &cluster)?;
    signer::in_place_of_kubernetes(report, &cluster)
}

/// A kube-controller-manager that signs with another authority, or for another time.
#[derive(Debug)]
struct Signer {
    what: &'static str,
    issuer: Issuer,
    duration: Duration,
}

const HOUR: Duration = Duration::from_secs(3600);

impl Signer {
    fn all() -> Result<[Self; 2]> {
        let now = Time::now();
        Ok([
            Self {
                what: "signs for an hour",
                issuer: authority(KeyAlgorithm::Rsa2048, 1000 * HOUR, now)?,
                duration: HOUR,
            },
            Self {
                what: "authority ends in three days",
                issuer: authority(KeyAlgorithm::EcdsaP384, 72 * HOUR, now)?,
                duration: SIGNING_DURATION,
            },
        ])
    }

    /// One whose authority ended a minute ago.
    fn expired() -> Result<Self> {
        let then = Time::now().saturating_sub(HOUR);
        let issuer = authority(KeyAlgorithm::EcdsaP256, 59 * HOUR / 60, then)?;
        Ok(Self { what: "authority has ended", issuer, duration: SIGNING_DURATION })
    }

    /// Writes its files; gives the arguments of kube-controller-manager that name them.
    fn arguments(&self, machine: &Machine) -> Result<[String; 3]> {
        let path = |suffix| machine.directory.join(format!("signer.{suffix}"));
        let (certificate, key) = (path("crt"), path("key"));
        fs::write(&certificate, self.issuer.certificate().to_pem())?;
        fs::write(&key, self.issuer.private_key().ok_or("a key")?.to_pem().as_bytes())?;
        Ok([
            format!("--cluster-signing-cert-file={}", certificate.display()),
            format!("--cluster-signing-key-file={}", key.display()),
            format!("--cluster-signing-duration={}s", self.duration.as_secs()),
        ])
    }
}

fn authority(algorithm: KeyAlgorithm, lifetime: Duration, now: Time) -> Result<Issuer> {
    let cluster = cluster(algorithm, Convention::Documented);
    Ok(Issuer::self_signed(&role::KubernetesCa::new(&cluster).lifetime(lifetime).profile(), now)?)
}

/// That kube-controller-manager says why it does not sign, and leaves the request open; and so does this crate.
fn signs_nothing(cluster: &ControlPlane, signer: &Signer) -> Result<String> {
    let row = short_rows().swap_remove(0);
    let mut case = create(cluster, "expired", vec![row])?.swap_remove(0);
    let seen = case.seen.as_mut().map_err(|said| said.clone())?;
    seen.approved = cluster.api.approve(&seen.pending)?;
    let log = cluster.machine.directory.join("kube-controller-manager.log");
    let line = eventually(|| {
        let log = fs::read_to_string(&log)?;
        let line = log.lines().find(|line| line.contains("error auto signing csr")).map(str::to_owned);
        Ok(line.ok_or("kube-controller-manager says nothing of it")?)
    })?;
    let state = Outcome::of(&cluster.api.request("expired-0")?)?;
    let ours = Ours::new(&signer.issuer, signer.duration)?.sign(&seen.approved, Time::now());
    let ours = ours.err().ok_or("expected this crate not to sign it, found a signature")?.to_string();
    let words = "refusing to sign a certificate that expired in the past: NotAfter=";
    match [&line, &ours].iter().all(|said| said.contains(words)) && state == Outcome::Open {
        true => Ok(ours),
        false => {
            Err(format!("expected {words:?}, found {line}, {ours}, and the request is {state:?}").into())
        }
    }
}

/// A row, and what has become of it.
#[derive(Debug)]
struct Case {
    row: Row,
    sent: Value,
    /// What the API server says when it does not take the object.
    seen: std::result::Result<Seen, String>,
}

/// An object at the API server, as it was by and by.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) pending: Value,
    pub(crate) approved: Value,
    pub(crate) last: Value,
}

impl Case {
    /// Whether the real servers do as the table says, and this crate does as they do.
    fn verdict(&self, ours: &Ours<'_>) -> Result<String> {
        let outcome = self.seen.as_ref().map(|seen| Outcome::of(&seen.last));
        let theirs = match (&self.row.verdict, outcome) {
            (Verdict::Signed, Ok(Ok(Outcome::Issued(_)))) => "a certificate".to_owned(),
            (Verdict::Failed(expected), Ok(Ok(Outcome::Failed(reason, message))))
                if reason == "SignerValidationFailure" && message == *expected =>
            {
                message
            }
            (Verdict::Refused(part), Err(said)) if said.contains(part) => said.clone(),
            (Verdict::NotMine, Ok(Ok(Outcome::Open))) => "nobody signs it".to_owned(),
            (expected, found) => return Err(format!("expected {expected:?}, found {found:?}").into()),
        };
        let ours = match &self.seen {
            Ok(seen) => ours.agrees(&self.row, seen),
            Err(_) => ours.refuses(&self.row, &self.sent),
        };
        Ok(format!("{theirs}; {}", ours.map_err(|error| format!("ours: {error}"))?))
    }
}

/// Creates and approves requests, and waits for what becomes of them.
fn judge(cluster: &ControlPlane, prefix: &str, rows: Vec<Row>) -> Result<Vec<Case>> {
    let mut cases = create(cluster, prefix, rows)?;
    for seen in cases.iter_mut().filter_map(|case| case.seen.as_mut().ok()) {
        seen.approved = cluster.api.approve(&seen.pending)?;
    }
    wait(&cluster.api, &mut cases)?;
    Ok(cases)
}

fn create(cluster: &ControlPlane, prefix: &str, rows: Vec<Row>) -> Result<Vec<Case>> {
    let keys = cluster.machine.directory.join("keys");
    fs::create_dir_all(&keys)?;
    let case = |(index, row): (usize, Row)| {
        let pkcs10 = row.pkcs10.make(&keys).map_err(|error| format!("{}: {error}", row.what))?;
        let sent = row.object(&format!("{prefix}-{index}"), &(row.text)(pkcs10));
        let answer = cluster.api.send("POST", REQUESTS, Some(&row.user), Some(&sent.to_string()))?;
        let seen = match answer.status {
            201 => {
                let pending: Value = serde_json::from_str(&answer.body)?;
                Ok(Seen { approved: pending.clone(), last: pending.clone(), pending })
            }
            _ => Err(message(&answer.body)),
        };
        Ok(Case { row, sent, seen })
    };
    rows.into_iter().enumerate().map(case).collect()
}

/// What a `Status` says, without long values.
fn message(body: &str) -> String {
    let status: Value = serde_json::from_str(body).unwrap_or_default();
    let said = status["message"].as_str().unwrap_or(body).split('"');
    let short = said.map(|part| if part.starts_with("LS0t") || part.len() > 1000 { "..." } else { part });
    short.collect::<Vec<_>>().join("\"")
}

/// Waits until all are signed, or have failed, that are to be.
fn wait(api: &Api, cases: &mut [Case]) -> Result {
    eventually(|| {
        let objects = api.requests()?;
        for case in &mut *cases {
            let Ok(seen) = &mut case.seen else { continue };
            let is_it = |it: &&Value| it["metadata"]["name"] == seen.pending["metadata"]["name"];
            seen.last.clone_from(objects.iter().find(is_it).ok_or("it is gone")?);
            let open = Outcome::of(&seen.last)? == Outcome::Open;
            if open && !matches!(case.row.verdict, Verdict::NotMine) {
                return Err(format!("{} is open", case.row.what).into());
            }
        }
        Ok(())
    })
}
