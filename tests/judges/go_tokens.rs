//! The packages of Kubernetes that make, read and verify tokens.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;

use super::go::{answer, build};

/// What Kubernetes' packages answer to a question, which is its name and what it is about (`go_tokens/main.go`); as an
/// error, what they object to.
pub(crate) fn ask(question: &[&str]) -> Result<Value, String> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| build("go_tokens"));
    let answer = answer(program, serde_json::to_vec(question).expect("texts"));
    let answer: Value = serde_json::from_str(&answer).expect("an answer");
    match answer["no"].as_str() {
        Some(objection) => Err(objection.to_owned()),
        None => Ok(answer["ok"].clone()),
    }
}
