# "Manage TLS Certificates in a Cluster": a service's certificate by an authority of its own. What goes
# through the API server there goes straight to the signer; server-signing-config.json is a file that the page
# includes.

cat <<EOF_ | cfssl genkey - | cfssljson -bare server
{
  "hosts": [
    "my-svc.my-namespace.svc.cluster.local",
    "my-pod.my-namespace.pod.cluster.local",
    "192.0.2.24",
    "10.0.34.2"
  ],
  "CN": "my-pod.my-namespace.pod.cluster.local",
  "key": {
    "algo": "ecdsa",
    "size": 256
  }
}
EOF_

cat <<EOF_ | cfssl gencert -initca - | cfssljson -bare ca
{
  "CN": "My Example Signer",
  "key": {
    "algo": "rsa",
    "size": 2048
  }
}
EOF_

cat >server-signing-config.json <<EOF_
{
    "signing": {
        "default": {
            "usages": [
                "digital signature",
                "key encipherment",
                "server auth"
            ],
            "expiry": "876000h",
            "ca_constraint": {
                "is_ca": false
            }
        }
    }
}
EOF_

cat server.csr | \
  cfssl sign -ca ca.pem -ca-key ca-key.pem -config server-signing-config.json - | \
  cfssljson -bare ca-signed-server

mkdir -p "$KUBERNETES/pki"
cp ca.pem ca-key.pem ca-signed-server.pem server-key.pem "$KUBERNETES/pki"
