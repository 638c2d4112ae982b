//! The rows of the table of certificate requests that are kubelets'.

use kubepki::Code;

use crate::pkcs10::{RSA, subject};
use crate::row::{Row, kubelet_client, kubelet_serving};
use crate::rows::{TEXT_ONLY, utf32};

/// The usages of both kinds of a kubelet's certificates, as Kubernetes says what it expected.
const CLIENT_USAGES: &str = "usages did not match [client auth digital signature key encipherment]";
const SERVER_USAGES: &str = "usages did not match [digital signature key encipherment server auth]";
const ORGANIZATION: &str = "subject organization is not system:nodes";
const COMMON_NAME: &str = "subject common name does not begin with system:node:";

pub(crate) fn clients() -> Vec<Row> {
    let with_encipherment = &["digital signature", "key encipherment", "client auth"];
    vec![
        kubelet_client().signed("kubelet client"),
        kubelet_client().usages(with_encipherment).signed("kubelet client with key encipherment"),
        kubelet_client().key(RSA).usages(with_encipherment).signed("kubelet client with RSA"),
        kubelet_client().key(RSA).signed("kubelet client with RSA without key encipherment"),
        kubelet_client()
            .usages(&["client auth", "digital signature"])
            .signed("kubelet client with usages in another order"),
        kubelet_client()
            .by("system:node:cp-1", &["system:nodes"])
            .signed("kubelet client of the node itself"),
        kubelet_client()
            .by("system:node:cp-2", &["system:nodes"])
            .refused("kubelet client of another node", "can only create a node CSR with CN=system:node:cp-2"),
        kubelet_client().subject("/O=system:nodes/CN=system:node:").signed("kubelet client of no node"),
        kubelet_client()
            .subject("/O=system:nodes/OU=kubelets/CN=system:node:cp-1/emailAddress=a@example.com")
            .signed("kubelet client with more in its subject"),
        kubelet_client()
            .subject("/O=system:nodes/CN=system:admin/CN=system:node:cp-1")
            .signed("kubelet client whose last CN is the node's"),
        kubelet_client()
            .der(
                subject(&[
                    (10, 0x0c, b"system:nodes"),
                    (10, 0x1c, &utf32("x")),
                    (3, 0x0c, b"system:node:cp-1"),
                ]),
                vec![0xa0, 0],
            )
            .signed("kubelet client with a second O that Go does not read")
            .not_by_ours(Code::Malformed, TEXT_ONLY),
        kubelet_client()
            .extensions(&["subjectAltName=otherName:1.2.3.4;UTF8:zoe"])
            .signed("kubelet client with a name that Go does not know"),
        kubelet_client().subject("/CN=system:node:cp-1").failed("kubelet client without O", ORGANIZATION),
        kubelet_client()
            .subject("/O=system:node/CN=system:node:cp-1")
            .failed("kubelet client with another O", ORGANIZATION),
        kubelet_client()
            .subject("/OU=system:nodes/CN=system:node:cp-1")
            .failed("kubelet client with OU for O", ORGANIZATION),
        kubelet_client()
            .subject("/O=system:nodes+O=team-a/CN=system:node:cp-1")
            .failed("kubelet client with two O in a set", ORGANIZATION),
        kubelet_client()
            .subject("/O=system:nodes/O=system:nodes/CN=system:node:cp-1")
            .failed("kubelet client with its O twice", ORGANIZATION),
        kubelet_client()
            .extensions(&["subjectAltName=DNS:cp-1"])
            .failed("kubelet client with a DNS name", "DNS subjectAltNames are not allowed"),
        kubelet_client()
            .extensions(&["subjectAltName=email:a@example.com"])
            .failed("kubelet client with an e-mail address", "Email subjectAltNames are not allowed"),
        kubelet_client()
            .extensions(&["subjectAltName=IP:192.0.2.10"])
            .failed("kubelet client with an address", "IP subjectAltNames are not allowed"),
        kubelet_client()
            .extensions(&["subjectAltName=URI:https://cp-1"])
            .failed("kubelet client with a URI", "URI subjectAltNames are not allowed"),
        kubelet_client()
            .subject("/O=system:nodes/CN=node:cp-1")
            .failed("kubelet client with another CN", COMMON_NAME),
        kubelet_client().subject("/O=system:nodes").failed("kubelet client without CN", COMMON_NAME),
        kubelet_client()
            .subject("/O=system:nodes/CN=system:node:cp-1/CN=system:admin")
            .failed("kubelet client whose last CN is another", COMMON_NAME),
        kubelet_client().usages(&["client auth"]).failed("kubelet client with too few usages", CLIENT_USAGES),
        kubelet_client()
            .usages(&["digital signature", "client auth", "server auth"])
            .failed("kubelet client that is a server", CLIENT_USAGES),
        kubelet_client()
            .usages(&["digital signature", "server auth"])
            .failed("kubelet client with a server's usages", CLIENT_USAGES),
        kubelet_client()
            .usages(&["signing", "client auth"])
            .failed("kubelet client with the old name signing", CLIENT_USAGES),
        // What is said of several faults is said of the first.
        kubelet_client()
            .subject("/CN=zoe")
            .usages(&["any"])
            .extensions(&["subjectAltName=DNS:cp-1"])
            .failed("kubelet client with every fault", ORGANIZATION),
        kubelet_client()
            .subject("/O=system:nodes/CN=zoe")
            .usages(&["any"])
            .extensions(&["subjectAltName=URI:https://a,IP:192.0.2.1,email:a@example.com"])
            .failed("kubelet client with many faults", "Email subjectAltNames are not allowed"),
        kubelet_client()
            .subject("/O=system:nodes/CN=zoe")
            .usages(&["any"])
            .extensions(&["subjectAltName=URI:https://a,IP:192.0.2.1"])
            .failed("kubelet client with some faults", "IP subjectAltNames are not allowed"),
        kubelet_client()
            .subject("/O=system:nodes/CN=zoe")
            .usages(&["any"])
            .failed("kubelet client with two faults", COMMON_NAME),
    ]
}

pub(crate) fn servers() -> Vec<Row> {
    vec![
        kubelet_serving().signed("kubelet server"),
        kubelet_serving()
            .key(RSA)
            .usages(&["digital signature", "key encipherment", "server auth"])
            .signed("kubelet server with RSA"),
        kubelet_serving()
            .usages(&["server auth", "key encipherment", "digital signature"])
            .signed("kubelet server with usages in another order"),
        kubelet_serving()
            .extensions(&["subjectAltName=DNS:cp-1"])
            .signed("kubelet server with a DNS name alone"),
        kubelet_serving()
            .extensions(&["subjectAltName=IP:192.0.2.10"])
            .signed("kubelet server with an address alone"),
        kubelet_serving()
            .extensions(&["subjectAltName=DNS:kubernetes.default.svc,IP:10.96.0.1"])
            .signed("kubelet server with names of others"),
        kubelet_serving()
            .extensions(&["subjectAltName=DNS:cp-1,otherName:1.2.3.4;UTF8:zoe"])
            .signed("kubelet server with a name that Go does not know"),
        kubelet_serving().by("jane", &[]).signed("kubelet server asked for by a user"),
        kubelet_serving()
            .by("system:node:cp-2", &["system:nodes"])
            .refused("kubelet server of another node", "can only create a node CSR with CN=system:node:cp-2"),
        kubelet_serving()
            .extensions(&[])
            .failed("kubelet server without names", "DNS or IP subjectAltName is required"),
        kubelet_serving()
            .extensions(&["subjectAltName=URI:https://cp-1"])
            .failed("kubelet server with a URI alone", "DNS or IP subjectAltName is required"),
        kubelet_serving()
            .extensions(&["subjectAltName=DNS:cp-1,email:a@example.com,URI:https://cp-1"])
            .failed("kubelet server with an e-mail address", "Email subjectAltNames are not allowed"),
        kubelet_serving()
            .extensions(&["subjectAltName=DNS:cp-1,URI:https://cp-1"])
            .failed("kubelet server with a URI", "URI subjectAltNames are not allowed"),
        kubelet_serving().subject("/CN=system:node:cp-1").failed("kubelet server without O", ORGANIZATION),
        kubelet_serving()
            .subject("/O=system:nodes/O=team-a/CN=system:node:cp-1")
            .failed("kubelet server with two O", ORGANIZATION),
        kubelet_serving()
            .by("jane", &[])
            .subject("/O=system:nodes/CN=cp-1")
            .failed("kubelet server with another CN", COMMON_NAME),
        kubelet_serving()
            .usages(&["server auth"])
            .failed("kubelet server with too few usages", SERVER_USAGES),
        kubelet_serving()
            .usages(&["digital signature", "server auth", "client auth"])
            .failed("kubelet server that is a client", SERVER_USAGES),
        kubelet_serving()
            .usages(&["digital signature", "key encipherment", "client auth"])
            .failed("kubelet server with a client's usages", SERVER_USAGES),
        // The other way round than for clients: usages before the name.
        kubelet_serving()
            .by("jane", &[])
            .subject("/O=system:nodes/CN=cp-1")
            .usages(&["any"])
            .failed("kubelet server with two faults", SERVER_USAGES),
        kubelet_serving()
            .by("jane", &[])
            .subject("/CN=cp-1")
            .usages(&["any"])
            .extensions(&["subjectAltName=email:a@example.com"])
            .failed("kubelet server with every fault", ORGANIZATION),
    ]
}
