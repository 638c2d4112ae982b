//! [`NodeAddresses`]: what a kubelet's serving certificate may name.

use std::net::IpAddr;

use crate::document;
use crate::document::record::{self, record};
use crate::error::Result;
use crate::names::{NodeName, San};
use crate::x509::AlternativeName;

/// A node and the addresses by which it may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddresses {
    name: NodeName,
    /// DNS names in lower case.
    addresses: Vec<AlternativeName>,
}

impl NodeAddresses {
    /// A node by its name and addresses.
    #[must_use]
    pub fn new(name: NodeName, addresses: impl IntoIterator<Item = San>) -> Self {
        Self { name, addresses: addresses.into_iter().map(|san| AlternativeName::from(&san)).collect() }
    }

    /// Reads a Node object (`v1`): YAML or JSON, in UTF-8, of at most 4 MiB, with or without its type. Its addresses
    /// are those of `status.addresses`.
    ///
    /// They are the kubelet's own word: one that was taken over can first claim the address of the API server there, and
    /// then ask for a certificate with it. Addresses from an inventory ([`new`](Self::new)) protect from that.
    ///
    /// # Errors
    ///
    /// [`Code::Unsupported`](crate::Code::Unsupported) for another kind, [`Code::Malformed`](crate::Code::Malformed)
    /// when this is no YAML or not the schema, [`Code::Invalid`](crate::Code::Invalid) for a name that no node has.
    pub fn from_yaml(document: &[u8]) -> Result<Self> {
        const TYPE: [(&str, &str); 2] = [("apiVersion", "v1"), ("kind", "Node")];
        let node: Node = record::from_document(document, document::LONGEST, "Node", TYPE)?;
        let name = node.metadata.name.parse::<NodeName>().map_err(|error| error.field("metadata.name"))?;
        let address = |address: NodeAddress| match address.address.parse::<IpAddr>() {
            Ok(address) => AlternativeName::Ip(address),
            Err(_) => AlternativeName::Dns(address.address.to_ascii_lowercase()),
        };
        Ok(Self { name, addresses: node.status.addresses.into_iter().map(address).collect() })
    }

    pub(super) fn name(&self) -> &NodeName {
        &self.name
    }

    pub(super) fn has(&self, san: &AlternativeName) -> bool {
        match san {
            AlternativeName::Dns(name) => {
                self.addresses.contains(&AlternativeName::Dns(name.to_ascii_lowercase()))
            }
            // The signer passes over what Go does not read.
            AlternativeName::Other(_) => true,
            san => self.addresses.contains(san),
        }
    }
}

record! {
    /// The part of a Node that is needed here.
    Node {
        /// Its name.
        "metadata" metadata: NodeMetadata,
        /// What its kubelet says of it.
        "status" status: NodeStatus,
    }
}

record! {
    /// ObjectMeta.
    NodeMetadata {
        /// The name under which the kubelet registered.
        "name" name: String,
    }
}

record! {
    /// NodeStatus.
    NodeStatus {
        /// Host names and addresses.
        "addresses" addresses: Vec<NodeAddress>,
    }
}

record! {
    /// One address.
    NodeAddress {
        /// A host name or an IP address.
        "address" address: String,
    }
}
