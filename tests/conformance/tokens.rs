//! Tokens of service accounts, and of a file: this crate's at the API server, and the API server's here.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use kubepki::token::{
    Binding, KeySet, ObjectReference, ServiceAccountClaims, ServiceAccountToken, StaticToken, StaticTokens,
    TokenIssuer,
};
use kubepki::{Code, Component, KeyAlgorithm, PrivateKey, Signer, Time};
use serde_json::{Value, json};

use crate::api::Api;
use crate::control_plane::{ControlPlane, Machine};
use crate::identity::{self, Identity, review, seen_as, unknown};
use crate::programs::{eventually, kubectl};
use crate::report::{Report, Result, same};

const HOUR: Duration = Duration::from_secs(3600);
const ROBOT: &str = "system:serviceaccount:default:robot";

pub(crate) fn tokens(report: &mut Report) -> Result {
    // The API server knows all three and signs with the first, which is of P-256.
    let [rsa, p384, foreign] =
        [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcdsaP384, KeyAlgorithm::EcdsaP256].map(PrivateKey::generate);
    let (rsa, p384, foreign) = (rsa?, p384?, foreign?);
    let mut csv = static_tokens()?;
    csv.push_str("again,first,1\nagain,second,2,\"g, h \"\n");
    let cluster = ControlPlane::start(|machine| {
        let path = |name: &str| machine.directory.join(name);
        let (more, file) = (path("more.pub"), path("tokens.csv"));
        fs::write(&more, [&rsa, &p384].map(|key| key.public_key().to_pem()).concat())?;
        fs::write(&file, &csv)?;
        machine.more.extend([
            (Component::ApiServer, format!("--service-account-key-file={}", more.display())),
            (Component::ApiServer, format!("--token-auth-file={}", file.display())),
        ]);
        Ok(())
    })?;
    let ControlPlane { machine, api, .. } = &cluster;
    static_file(report, machine, &csv)?;

    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "default"},
    });
    eventually(|| api.apply(&account.to_string()))?;
    let own = machine.authorities.service_account_key().ok_or("no sa.key")?;
    let keys = [own, &rsa, &p384];
    let robot = Robot {
        machine,
        api,
        issuer: machine.cluster.token_issuer(),
        account: reference(api, "serviceaccounts", "robot")?,
        keys: KeySet::new(&keys.map(|key| key.public_key().clone()))?,
        own,
    };
    for key in keys {
        let token = robot.token().sign(key, Time::now())?;
        let what = format!("a token that we sign by {}", key.public_key());
        report.check(&what, identity::token_is(machine, &token, "robot"));
        report.check(&format!("TokenReview of {what}"), robot.reviewed(&token));
    }
    documents(report, &robot)?;
    robot.refusals(report, &foreign)?;
    robot.bindings(report)
}

/// Our own tokens of a file.
fn static_tokens() -> Result<String> {
    let token = |user: &str, uid: &str| StaticToken::generate(user.parse()?, uid.parse()?);
    let jane = token("jane", "1001")?.groups(["developers".parse()?, "testers".parse()?])?;
    let zoe = token("Doe, Zoé \"Z\"", "a b")?.groups(["a group".parse()?])?;
    Ok(StaticTokens::new([jane, zoe, token("alone", "3")?]).to_csv().to_string())
}

/// That each token of a file is to the API server the user whom we read.
fn static_file(report: &mut Report, machine: &Machine, csv: &str) -> Result {
    let tokens = StaticTokens::from_csv(csv.as_bytes())?;
    let remarks: Vec<_> = tokens.remarks().iter().map(ToString::to_string).collect();
    report.check("our remarks on the file", Ok(remarks.join("; ")));
    // Of several with the same token, the last one counts.
    let tokens: BTreeMap<_, _> = tokens.tokens().iter().map(|token| (token.token(), token)).collect();
    for token in tokens.values() {
        let groups: Vec<_> = token.group_names().collect();
        let answer = review(machine, None, &[bearer(token.token())]);
        let what = format!("a token of the file, of {}", token.user());
        report.check(&what, seen_as(answer, &Identity::new(token.user(), &groups)));
    }
    Ok(())
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {}", token.trim())
}

/// What relying parties ask the API server.
fn documents(report: &mut Report, robot: &Robot<'_>) -> Result {
    let port = robot.machine.url.rsplit(':').next().unwrap_or_default();
    let uri = format!("https://192.0.2.10:{port}/openid/v1/jwks");
    for (path, ours) in [
        ("/openid/v1/jwks", robot.keys.to_jwks()),
        ("/.well-known/openid-configuration", robot.keys.discovery(&robot.issuer, &uri.parse()?)?),
    ] {
        let theirs = robot.api.send("GET", path, None, None).map(|answer| answer.body);
        report.check(&format!("ours is {path}"), theirs.and_then(|theirs| same(&ours, theirs)));
    }
    Ok(())
}

/// An object as the API server has it, by its name and UID.
fn reference(api: &Api, kind: &str, name: &str) -> Result<ObjectReference> {
    let namespace = if kind == "nodes" { "" } else { "namespaces/default/" };
    let object = api.ask("GET", &format!("/api/v1/{namespace}{kind}/{name}"), None)?;
    let uid = object["metadata"]["uid"].as_str().ok_or("no UID")?;
    Ok(ObjectReference::new(name.parse()?, uid.parse()?))
}

/// A service account.
#[derive(Debug)]
struct Robot<'a> {
    machine: &'a Machine,
    api: &'a Api,
    issuer: TokenIssuer,
    account: ObjectReference,
    /// All that the API server knows.
    keys: KeySet,
    /// The one by which it signs.
    own: &'a PrivateKey,
}

impl Robot<'_> {
    fn token(&self) -> ServiceAccountToken {
        self.token_of(self.issuer.clone())
    }

    fn token_of(&self, issuer: TokenIssuer) -> ServiceAccountToken {
        ServiceAccountToken::new(issuer, "default".parse().expect("a namespace"), self.account.clone())
    }

    fn claims(&self, token: &str) -> kubepki::Result<ServiceAccountClaims> {
        ServiceAccountClaims::verify(
            token.trim(),
            &self.keys,
            &self.issuer,
            self.issuer.as_str(),
            Time::now(),
        )
    }

    /// That the API server and this crate read the same in a token.
    fn reviewed(&self, token: &str) -> Result<String> {
        let asked = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token},
        });
        let answer = self.api.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", Some(&asked))?;
        let (status, claims) = (&answer["status"], self.claims(token)?);
        let expected = json!({
            "authenticated": true,
            "audiences": claims.audiences(),
            "user": {
                "username": claims.user(),
                "uid": claims.service_account().uid.as_str(),
                "groups": ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
                "extra": {
                    "authentication.kubernetes.io/credential-id":
                        [format!("JTI={}", claims.id().unwrap_or_default())],
                },
            },
        });
        Ok(same(&expected, status.clone())?.to_string())
    }

    /// That both refuse what one refuses, as far as it can be told without asking.
    fn refusals(&self, report: &mut Report, foreign: &PrivateKey) -> Result {
        let now = Time::now();
        let seconds = |seconds| now.checked_add(Duration::from_secs(seconds)).ok_or("a time");
        let ago = |seconds| now.saturating_sub(HOUR + Duration::from_secs(seconds));
        let others = self.token().audiences(["vault"]);
        let mut namesake = self.account.clone();
        namesake.uid = "5f6b0a7e-3d1c-4b9a-8a57-0c1de6a4f3b2".parse()?;
        let namesake = ServiceAccountToken::new(self.issuer.clone(), "default".parse()?, namesake);
        for (what, token, ours) in [
            ("of another key", self.token().sign(foreign, now)?, Some(Code::BadSignature)),
            ("for others", others.sign(self.own, now)?, Some(Code::WrongAudience)),
            (
                "of another issuer",
                self.token_of("https://other.example.com".parse()?).sign(self.own, now)?,
                Some(Code::WrongIssuer),
            ),
            ("that has ended", self.token().sign(self.own, ago(90))?, Some(Code::TokenExpired)),
            ("of the future", self.token().sign(self.own, seconds(90)?)?, Some(Code::TokenNotYetValid)),
            ("of an account that is gone", namesake.sign(self.own, now)?, None),
        ] {
            let theirs = unknown(review(self.machine, None, &[bearer(&token)]));
            let verdict = match (self.claims(&token).map_err(|error| error.code()), ours) {
                (Ok(_), None) => theirs,
                (Err(found), Some(code)) if found == code => theirs.map(|theirs| format!("{theirs}, {code}")),
                (found, ours) => Err(format!("expected {ours:?}, found {found:?}").into()),
            };
            report.check(&format!("both refuse a token {what}"), verdict);
        }
        let other_clocks = [("behind", ago(30)), ("ahead", seconds(30)?)];
        for (what, then) in other_clocks {
            let token = self.token().sign(self.own, then)?;
            let verdict = self.claims(&token).map_err(Into::into);
            let verdict = verdict.and_then(|_| identity::token_is(self.machine, &token, "robot"));
            report.check(&format!("both accept a token of a clock half a minute {what}"), verdict);
        }
        Ok(())
    }

    /// Tokens for an object, ours and theirs, before and after it is deleted.
    fn bindings(&self, report: &mut Report) -> Result {
        let meta = |name: &str| json!({"name": name, "namespace": "default"});
        let container = json!([{"name": "c", "image": "none"}]);
        for object in [
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta("s")}),
            json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": meta("p"),
                "spec": {"serviceAccountName": "robot", "containers": container},
            }),
            json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": meta("on-n"),
                "spec": {"serviceAccountName": "robot", "containers": container, "nodeName": "n"},
            }),
        ] {
            eventually(|| self.api.apply(&object.to_string()))?;
        }
        let [node, secret, pod, on_n] = [("nodes", "n"), ("secrets", "s"), ("pods", "p"), ("pods", "on-n")]
            .map(|(kind, name)| reference(self.api, kind, name));
        let (node, pod_on_node) = (node?, on_n?);
        let bindings = [
            ("", "", None),
            ("Secret", "s", Some(Binding::Secret(secret?))),
            ("Pod", "p", Some(Binding::Pod(pod?))),
            ("Pod", "on-n", Some(Binding::PodOnNode { pod: pod_on_node, node: node.clone() })),
            ("Node", "n", Some(Binding::Node(node))),
        ];
        let mut bound = Vec::new();
        for (kind, name, binding) in bindings {
            let what = format!("token for {kind} {name}").replace("for  ", "for nothing else");
            let theirs = self.requested(kind, name)?;
            let token = binding.clone().map_or(self.token(), |binding| self.token().bound_to(binding));
            let ours = token.lifetime(HOUR).sign(self.own, Time::now())?;
            report.check(&format!("their {what} is as ours"), same(&shape(&ours)?, shape(&theirs)?));
            let read = self.claims(&theirs)?;
            let is_read = (read.user(), read.binding()) == (ROBOT.to_owned(), binding.as_ref());
            let verdict = if is_read { Ok(read.user()) } else { Err(format!("found {read:?}").into()) };
            report.check(&format!("we verify their {what}"), verdict);
            report.check(&format!("our {what}"), identity::token_is(self.machine, &ours, "robot"));
            bound.extend(binding.map(|_| (kind, name, ours)));
        }
        for (kind, name, _) in &bound {
            let delete = ["delete", kind, name, "--namespace=default", "--force", "--grace-period=0"];
            kubectl(&self.machine.almighty(), &delete, "")?;
        }
        for (kind, name, token) in bound {
            // The API server remembers for ten seconds that a token was good.
            let refused = eventually(|| unknown(review(self.machine, None, &[bearer(&token)])));
            report.check(&format!("our token for {kind} {name}, deleted"), refused);
        }
        Ok(())
    }

    /// A token of the TokenRequest API.
    fn requested(&self, kind: &str, name: &str) -> Result<String> {
        let mut create = vec!["create", "token", "robot", "--namespace=default", "--duration=1h"];
        let bound = [format!("--bound-object-kind={kind}"), format!("--bound-object-name={name}")];
        if !kind.is_empty() {
            create.extend(bound.iter().map(String::as_str));
        }
        kubectl(&self.machine.almighty(), &create, "")
    }
}

/// Header and payload of a token as they are, but for its ID and times, and how long it is good.
fn shape(token: &str) -> Result<String> {
    let decoded = |part: &str| -> Result<String> {
        Ok(String::from_utf8(Base64UrlUnpadded::decode_vec(part).map_err(|error| error.to_string())?)?)
    };
    let mut parts = token.split('.');
    let mut next = || parts.next().ok_or("a token of three parts");
    let (header, mut payload) = (decoded(next()?)?, decoded(next()?)?);
    let claims: Value = serde_json::from_str(&payload)?;
    let time = |name: &str| claims[name].as_i64().ok_or("a time");
    let lifetime = time("exp")? - time("iat")?;
    for name in ["exp", "iat", "jti", "nbf"] {
        payload = payload.replace(&format!("\"{name}\":{}", claims[name]), name);
    }
    Ok(format!("{header}.{payload} for {lifetime} s"))
}
