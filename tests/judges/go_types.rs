//! The Go types of k8s.io/api: whether Kubernetes reads an object, and what it reads.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;

use super::go::{answer, build};

/// What Kubernetes reads of each document, YAML or JSON, of whatever kind it is, as it would write it as JSON; what it
/// objects to where it reads none. A field that the kind does not have is an objection.
pub(crate) fn reads(documents: &[impl AsRef<str>]) -> Vec<Result<Value, String>> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| build("go_types"));
    let documents: Vec<_> = documents.iter().map(AsRef::as_ref).collect();
    let answers = answer(program, serde_json::to_vec(&documents).expect("texts"));
    let answers: Vec<Value> = serde_json::from_str(&answers).expect("a list");
    assert_eq!(answers.len(), documents.len(), "one answer for each document");
    let verdict = |answer: Value| match answer["refusal"].as_str() {
        Some(refusal) => Err(refusal.to_owned()),
        None => Ok(answer["object"].clone()),
    };
    answers.into_iter().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn go_reads_objects_and_refuses_fields_that_they_do_not_have() {
        let request = "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nspec:\n  usage";
        let answers = reads(&[
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  b: c\n",
            r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"b": "c"}}"#,
            &format!("{request}s: [client auth]\n  request: YQ==\n  signerName: a.example.com/b\n"),
            &format!("{request}: [client auth]\n"),
            "apiVersion: v1\nkind: ConfigMap\ndata: {b: 1}\n",
            "apiVersion: v1\nkind: ConfigMap\ndata: {b: c, b: d}\n",
            "apiVersion: v1\nkind: Nothing\n",
        ]);
        let object =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"b": "c"}});
        assert_eq!(answers[..2], [Ok(object.clone()), Ok(object)]);
        assert_eq!(answers[2].as_ref().unwrap()["spec"]["signerName"], "a.example.com/b");
        let complaints =
            [r#"unknown field "spec.usage""#, "cannot unmarshal number", "already set in map", "no kind"];
        for (answer, complaint) in answers[3..].iter().zip(complaints) {
            let said = answer.as_ref().unwrap_err();
            assert!(said.contains(complaint), "{complaint}: {said}");
        }
    }
}
