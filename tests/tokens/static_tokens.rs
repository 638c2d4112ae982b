//! The static token file.

use std::collections::BTreeMap;
use std::fs;

use kubepki::token::{StaticToken, StaticTokens};
use kubepki::{Code, Group};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::judges::go_tokens::ask;
use crate::support::refused;

/// What kube-apiserver makes of a file: the user of each of these tokens.
fn by_kubernetes(file: &[u8], tokens: &[&str]) -> Result<Value, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens.csv");
    fs::write(&path, file).unwrap();
    ask(&[&["file", path.to_str().unwrap()], tokens].concat())
}

/// Asserts that kube-apiserver sees in a file what is read here, or refuses it too.
fn same_as_kubernetes(file: &str) {
    let Ok(read) = StaticTokens::from_csv(file.as_bytes()) else {
        by_kubernetes(file.as_bytes(), &[]).unwrap_err();
        return;
    };
    let users: BTreeMap<&str, Value> = read
        .tokens()
        .iter()
        .map(|it| (it.token(), json!([it.user(), it.uid(), it.group_names().collect::<Vec<_>>()])))
        .filter(|(token, _)| !token.is_empty())
        .collect();
    let tokens: Vec<&str> = users.keys().copied().collect();
    let seen = by_kubernetes(file.as_bytes(), &tokens).unwrap();
    let expected = if tokens.is_empty() { Value::Null } else { users.values().cloned().collect() };
    assert_eq!(seen, expected, "{file:?}");
    let written = read.to_csv();
    assert_eq!(by_kubernetes(written.as_bytes(), &tokens).unwrap(), expected, "{file:?}: {written:?}");
}

fn remarks(file: &str) -> Vec<String> {
    let remarks = StaticTokens::from_csv(file.as_bytes()).unwrap().remarks();
    remarks.iter().map(ToString::to_string).collect()
}

#[test]
fn kubernetes_knows_the_users_of_a_file_that_is_made() {
    let groups: [Group; 2] = ["developers".parse().unwrap(), "dev \"ops\"".parse().unwrap()];
    let jane = StaticToken::generate("jane, \"J\"".parse().unwrap(), "1001".parse().unwrap()).unwrap();
    let jane = jane.groups(groups).unwrap();
    let john = StaticToken::generate("john".parse().unwrap(), "a,b".parse().unwrap()).unwrap();
    assert_ne!(jane.token(), john.token());
    let file = StaticTokens::new([jane.clone(), john.clone()]);
    let csv = file.to_csv();
    let users = by_kubernetes(csv.as_bytes(), &[jane.token(), john.token(), "other"]).unwrap();
    assert_eq!(
        users,
        json!([["jane, \"J\"", "1001", ["developers", "dev \"ops\""]], ["john", "a,b", []], null])
    );
    assert!(file.remarks().is_empty(), "{:?}", file.remarks());
    assert_eq!(*StaticTokens::from_csv(csv.as_bytes()).unwrap().to_csv(), *csv);
    for token in [jane, john] {
        assert!(token.token().len() == 32 && token.token().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!format!("{file:?} {token:?}").contains(token.token()));
    }
}

#[test]
fn a_group_with_a_comma_would_be_two_and_is_refused() {
    let jane = StaticToken::generate("jane".parse().unwrap(), "1".parse().unwrap()).unwrap();
    let groups: [Group; 1] = ["a,system:masters".parse().unwrap()];
    refused(jane.groups(groups), Code::Invalid, &["group: expected no comma", "a,system:masters"]);
}

#[test]
fn a_file_is_read_as_kubernetes_reads_it() {
    for file in [
        "",
        "\n\r\n\n",
        "a,b,c",
        "a,b,c\n",
        "a,b,c\r\n\r\nd,e,f\r",
        "a,b,c,\n",
        "a,b,c,\"g1,g2\"\n",
        "a,b,c,g1,g2\n",
        "a,b,c,\" g1, g2\"\n",
        "a, b ,c\n",
        ",b,c\n",
        ",,\n",
        "a,b,c\na,d,e\n",
        "\"a\",\"b\"\"b\",\"c\"\n",
        "\"a\nb\",\"c\r\nd\",\"e\r\r\nf\"\n",
        "\"a\rb\",c\rd,e\r",
        "a,b,\"c\r\"\n",
        "\u{feff}a,b,c\n",
        "# a,b,c\n",
        "ä,ö,😀\n",
        // Refused by both.
        "a,b",
        "a,b,c\n \n",
        "a\tb\tc\n",
        "a;b;c\n",
        "a\"b,c,d\n",
        "a, \"b\",c\n",
        "\"a\"b,c,d\n",
        "\"a,b,c\n",
        "\"a,b,c",
        "a,b,\"",
        "a,b,\"\"\"\n",
        "\"a\" ,b,c\n",
        "\"a\"\r",
        "a,b,\"c\"\r\r\n",
    ] {
        same_as_kubernetes(file);
    }
}

proptest! {
    #[test]
    fn any_file_is_read_as_kubernetes_reads_it(file in "[ab\",\\r\\n é]{0,24}", head in "(a,b,c,?)?") {
        same_as_kubernetes(&(head + &file));
    }
}

#[test]
fn what_makes_kubernetes_refuse_to_start_is_refused_with_its_line() {
    for (file, reason) in [
        ("a,b,c\n\nd,e\n", "line 3: expected at least 3 columns: token, user name, UID, found 2"),
        ("a\n", "line 1: expected at least 3 columns"),
        ("\"a\nb\",c,d\nhunter2\"x,b,c", "line 3: expected quotes around whole fields only"),
        ("hunter2,b,\"c\n\n", "line 1: expected quotes around whole fields only"),
        ("hunter2,\"b\"c,d\n", "line 1: expected quotes around whole fields only"),
    ] {
        let error = StaticTokens::from_csv(file.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::Malformed);
        assert!(error.to_string().starts_with(reason) && !error.to_string().contains("hunter2"), "{error}");
    }
    refused(StaticTokens::from_csv(b"a,b,\xff"), Code::Malformed, &["expected UTF-8", "from 4 on"]);
    refused(StaticTokens::from_csv(&vec![b','; 2 << 20]), Code::Malformed, &["at most 1 MiB"]);
}

#[test]
fn what_is_not_what_it_looks_like_is_remarked_on() {
    const T: &str = "8f14e45fceea167a5a36dedd4bea2543";
    for (file, expected) in [
        (format!("{T},jane,1,\"developers,system:monitoring\"\n"), vec![]),
        (format!(",jane,1\n{T},jane,1\n"), vec!["record 1: is passed over: its token is empty"]),
        (
            format!("{T},jane,1,system:masters\nx{T},john,2\n{T},jane,1\n"),
            vec!["record 1: is without effect: record 3 has the same token"],
        ),
        (
            format!("\u{feff}{T},jane,1\n"),
            vec!["record 1: its token begins with a byte order mark, which belongs to the token"],
        ),
        (
            format!(" {T},jane,1\n"),
            vec!["record 1: its token has white space or control characters: no client can send it"],
        ),
        (
            format!("{T},jane,1,system:masters\n"),
            vec!["record 1: group system:masters: may do everything, and no rule can take that away"],
        ),
        (
            format!("{T},jane,1,kubeadm:cluster-admins\n"),
            vec!["record 1: group kubeadm:cluster-admins: administrates the cluster"],
        ),
        (
            format!("{T},jane,1,\"a, b,\"\n"),
            vec![
                "record 1: group \" b\": expected no white space at either end",
                "record 1: group \"\": expected at least one character",
            ],
        ),
        (
            format!("{T},jane,1,system:nodes\n"),
            vec![
                "record 1: group \"system:nodes\": expected another group: this one comes with a role or from the API server",
            ],
        ),
        (
            format!("{T},system:kube-scheduler,1\n"),
            vec![
                "record 1: user \"system:kube-scheduler\": expected a user's name: those that begin with system: belong to components, which have roles",
            ],
        ),
        (
            format!("{T},jane,1,a,b\n"),
            vec![
                "record 1: columns behind the fourth are not looked at: several groups stand in one, in quotes",
            ],
        ),
    ] {
        assert_eq!(remarks(&file), expected);
    }
    let guessable = "its token can be guessed, or is one of the documentation";
    for token in ["secret", "0123456789abcde", "aaaaaaaaaaaaaaaaaaaaaaaa", "02b50b05283e98dd0fd71db496ef01e8"]
    {
        assert_eq!(remarks(&format!("{token},jane,1\n")), [format!("record 1: {guessable}")]);
        let file = StaticTokens::from_csv(format!("{token},jane,1\n").as_bytes()).unwrap();
        assert!(!format!("{file:?} {:?}", file.remarks()).contains(token));
    }
}

#[test]
fn a_large_file_is_judged_in_a_moment() {
    let file = "a,b,c\n".repeat(100_000);
    let tokens = StaticTokens::from_csv(file.as_bytes()).unwrap();
    assert_eq!(tokens.tokens().len(), 100_000);
    assert_eq!(tokens.remarks().len(), 100_000);
}
