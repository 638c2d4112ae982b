//! [`KubernetesVersion`].

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A minor version of Kubernetes, read from `1.36`, `v1.36` or `v1.36.3`: what kubeadm makes has changed over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    minor: u16,
}

impl KubernetesVersion {
    /// The number behind `1.`.
    #[must_use]
    pub fn minor(self) -> u16 {
        self.minor
    }
}

impl FromStr for KubernetesVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let rule = "1.MINOR or v1.MINOR.PATCH";
        let refuse = || Error::invalid("Kubernetes version", rule, text);
        let numbers: Vec<_> = text.strip_prefix('v').unwrap_or(text).split('.').collect();
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        match numbers.as_slice() {
            ["1", minor] if is_number(minor) => minor,
            ["1", minor, patch] if is_number(minor) && is_number(patch) => minor,
            _ => return Err(refuse()),
        }
        .parse()
        .map_or_else(|_| Err(refuse()), |minor| Ok(Self { minor }))
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubernetes_versions_are_told_apart_by_their_minor() {
        for text in ["1.36", "v1.36", "1.36.3", "v1.36.3"] {
            assert_eq!(text.parse::<KubernetesVersion>().unwrap().to_string(), "1.36");
        }
        for text in ["", "1", "2.36", "1.", "1.x", "1.36.", "1.36.3.1", "1.+6", "v1.36-rc.1", "1.70000"] {
            assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
        }
    }
}
