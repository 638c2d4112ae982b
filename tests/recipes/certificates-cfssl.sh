# "Certificates" (Administer a Cluster), cfssl.

mkdir cert
cd cert
cfssl print-defaults config > config.json
cfssl print-defaults csr > csr.json

cat >ca-config.json <<JSON
{
  "signing": {
    "default": {
      "expiry": "8760h"
    },
    "profiles": {
      "kubernetes": {
        "usages": [
          "signing",
          "key encipherment",
          "server auth",
          "client auth"
        ],
        "expiry": "8760h"
      }
    }
  }
}
JSON

cat >ca-csr.json <<JSON
{
  "CN": "kubernetes",
  "key": {
    "algo": "rsa",
    "size": 2048
  },
  "names":[{
    "C": "DE",
    "ST": "Berlin",
    "L": "Berlin",
    "O": "Example",
    "OU": "Operations"
  }]
}
JSON

cfssl gencert -initca ca-csr.json | cfssljson -bare ca

cat >server-csr.json <<JSON
{
  "CN": "kubernetes",
  "hosts": [
    "127.0.0.1",
    "${MASTER_IP}",
    "${MASTER_CLUSTER_IP}",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster",
    "kubernetes.default.svc.cluster.local"
  ],
  "key": {
    "algo": "rsa",
    "size": 2048
  },
  "names": [{
    "C": "DE",
    "ST": "Berlin",
    "L": "Berlin",
    "O": "Example",
    "OU": "Operations"
  }]
}
JSON

cfssl gencert -ca=ca.pem -ca-key=ca-key.pem \
--config=ca-config.json -profile=kubernetes \
server-csr.json | cfssljson -bare server

mkdir -p "$KUBERNETES/pki"
cp ca.pem "$KUBERNETES/pki/ca.crt"
cp ca-key.pem "$KUBERNETES/pki/ca.key"
cp server.pem "$KUBERNETES/pki/apiserver.crt"
cp server-key.pem "$KUBERNETES/pki/apiserver.key"
