//! Certificate requests, good and bad: what the real API server and the real kube-controller-manager make of them.

use std::fs;
use std::time::Duration;

use kubepki::{Convention, Issuer, KeyAlgorithm, Time, role};
use serde_json::Value;

use crate::api::{Api, Outcome, REQUESTS};
use crate::control_plane::{ControlPlane, Machine};
use crate::programs::eventually;
use crate::report::{Report, Result};
use crate::row::{Row, Verdict};
use crate::rows::{rows, short_rows};
use crate::support::cluster;

/// The default of kube-controller-manager's `--cluster-signing-duration`.
const SIGNING_DURATION: Duration = Duration::from_secs(365 * 24 * 3600);

pub(crate) fn requests(report: &mut Report) -> Result {
    let mut cluster = ControlPlane::start(|_| Ok(()))?;
    cluster.api.everybody_may_request()?;
    let cases = judge(&cluster, "row", rows())?;
    for case in &cases {
        report.check(case.row.what, case.verdict());
    }
    for (index, signer) in Signer::all()?.into_iter().enumerate() {
        cluster.restart_controller_manager(signer.arguments(&cluster.machine)?)?;
        for case in judge(&cluster, &format!("signer-{index}"), short_rows())? {
            report.check(&format!("{}: {}", signer.what, case.row.what), case.verdict());
        }
    }
    let expired = Signer::expired()?;
    cluster.restart_controller_manager(expired.arguments(&cluster.machine)?)?;
    report.check(expired.what, signs_nothing(&cluster));
    Ok(())
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

/// That kube-controller-manager says why it does not sign, and leaves the request open.
fn signs_nothing(cluster: &ControlPlane) -> Result<String> {
    let row = short_rows().swap_remove(0);
    let case = create(cluster, "expired", vec![row])?.swap_remove(0);
    let object = case.found?;
    cluster.api.approve(&object)?;
    let log = cluster.machine.directory.join("kube-controller-manager.log");
    let said = eventually(|| {
        let log = fs::read_to_string(&log)?;
        let line = log.lines().find(|line| line.contains("error auto signing csr")).map(str::to_owned);
        Ok(line.ok_or("kube-controller-manager says nothing of it")?)
    })?;
    let expected = "refusing to sign a certificate that expired in the past: NotAfter=";
    let state = Outcome::of(&cluster.api.request("expired-0")?)?;
    match said.find(expected) {
        Some(at) if state == Outcome::Open => Ok(said[at..].split('"').next().unwrap_or_default().to_owned()),
        _ => Err(format!("expected {expected:?}, found {said}, and the request is {state:?}").into()),
    }
}

/// A row, and what has become of it.
#[derive(Debug)]
struct Case {
    row: Row,
    /// The object as the API server has it, or what it says instead.
    found: std::result::Result<Value, String>,
}

impl Case {
    /// Whether the real servers do as the table says.
    fn verdict(&self) -> Result<String> {
        let outcome = self.found.as_ref().map(Outcome::of);
        match (&self.row.verdict, outcome) {
            (Verdict::Signed, Ok(Ok(Outcome::Issued(_)))) => Ok("a certificate".to_owned()),
            (Verdict::Failed(expected), Ok(Ok(Outcome::Failed(reason, message))))
                if reason == "SignerValidationFailure" && message == *expected =>
            {
                Ok(message)
            }
            (Verdict::Refused(part), Err(said)) if said.contains(part) => Ok(said.clone()),
            (Verdict::NotMine, Ok(Ok(Outcome::Open))) => Ok("nobody signs it".to_owned()),
            (expected, found) => Err(format!("expected {expected:?}, found {found:?}").into()),
        }
    }
}

/// Creates and approves requests, and waits for what becomes of them.
fn judge(cluster: &ControlPlane, prefix: &str, rows: Vec<Row>) -> Result<Vec<Case>> {
    let mut cases = create(cluster, prefix, rows)?;
    for object in cases.iter().filter_map(|case| case.found.as_ref().ok()) {
        cluster.api.approve(object)?;
    }
    wait(&cluster.api, &mut cases)?;
    Ok(cases)
}

fn create(cluster: &ControlPlane, prefix: &str, rows: Vec<Row>) -> Result<Vec<Case>> {
    let keys = cluster.machine.directory.join("keys");
    fs::create_dir_all(&keys)?;
    let case = |(index, row): (usize, Row)| {
        let pkcs10 = row.pkcs10.make(&keys).map_err(|error| format!("{}: {error}", row.what))?;
        let object = row.object(&format!("{prefix}-{index}"), &(row.text)(pkcs10)).to_string();
        let answer = cluster.api.send("POST", REQUESTS, Some(&row.user), Some(&object))?;
        let found = match answer.status {
            201 => Ok(serde_json::from_str(&answer.body)?),
            _ => Err(message(&answer.body)),
        };
        Ok(Case { row, found })
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
            let Ok(then) = &case.found else { continue };
            let is_it = |it: &&Value| it["metadata"]["name"] == then["metadata"]["name"];
            let now = objects.iter().find(is_it).ok_or("it is gone")?.clone();
            let open = Outcome::of(&now)? == Outcome::Open;
            case.found = Ok(now);
            if open && !matches!(case.row.verdict, Verdict::NotMine) {
                return Err(format!("{} is open", case.row.what).into());
            }
        }
        Ok(())
    })
}
