//! What holds for any input: one function for each fuzz target. The tests run the same functions over the corpus.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use kubepki::{ClusterName, DnsName, Endpoint, Group, NodeName, Role, San, Subnet, Time, UserName};

/// A fuzz target: its name, which is also the name of its directory in `corpus/`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every fuzz target.
pub const TARGETS: &[Target] = &[("names", names)];

/// Names, addresses, moments and roles: what can be read is written as a text that is read as the same.
pub fn names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    survives::<ClusterName>(text);
    survives::<DnsName>(text);
    survives::<Endpoint>(text);
    survives::<Group>(text);
    survives::<NodeName>(text);
    survives::<Role>(text);
    survives::<San>(text);
    survives::<Subnet>(text);
    survives::<Time>(text);
    survives::<UserName>(text);
    if let Ok(name) = text.parse::<NodeName>() {
        // A node's name always has its place in a certificate.
        survives::<San>(&San::from(&name).to_string());
    }
}

/// Reads a value of type `T`; if that succeeds, the value must come back from its own text.
fn survives<T>(text: &str)
where
    T: FromStr<Err = kubepki::Error> + Display + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(value) => assert_eq!(value.to_string().parse::<T>().as_ref().ok(), Some(&value), "{text:?}"),
        // An error is for people: writing it must succeed as well.
        Err(error) => assert!(error.to_string().contains("expected"), "{text:?}"),
    }
}
