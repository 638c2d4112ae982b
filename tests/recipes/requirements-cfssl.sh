# "PKI certificates and requirements": every row of its tables, with the commands of "Certificates", cfssl.
#
# VARIANT=kinds: a profile for each kind of the page.
# VARIANT=one: the profile of "Certificates" for everything, and that page's names in every subject.

case $VARIANT in
kinds)
    server='"server auth"' client='"client auth"' both='"server auth", "client auth"'
    names() { echo "${1:+{\"O\": \"$1\"\}}"; }
    ;;
one)
    both='"server auth", "client auth"'
    server=$both client=$both
    names() {
        echo '{"C": "DE", "ST": "Berlin", "L": "Berlin", "OU": "Operations", "O": "'"${1:-Example}"'"}'
    }
    ;;
esac

profile() {
    echo "\"$1\": {\"usages\": [\"signing\", \"key encipherment\", $2], \"expiry\": \"8760h\"}"
}

cat >ca-config.json <<JSON
{
  "signing": {
    "default": {
      "expiry": "8760h"
    },
    "profiles": {
      $(profile server "$server"),
      $(profile client "$client"),
      $(profile both "$both")
    }
  }
}
JSON

# NAME CN
ca() {
    cfssl gencert -initca - <<JSON | cfssljson -bare "$1"
{"CN": "$2", "key": {"algo": "ecdsa", "size": 256}, "names": [$(names "")]}
JSON
}

# NAME CA PROFILE CN O HOSTS
leaf() {
    cfssl gencert -ca="$2.pem" -ca-key="$2-key.pem" --config=ca-config.json -profile="$3" - <<JSON |
{"CN": "$4", "hosts": [$6], "key": {"algo": "ecdsa", "size": 256}, "names": [$(names "$5")]}
JSON
        cfssljson -bare "$1"
}

pki=$KUBERNETES/pki
mkdir -p "$pki/etcd"
install_pair() {
    cp "$1.pem" "$2.crt"
    cp "$1-key.pem" "$2.key"
}

ca ca kubernetes-ca
ca etcd-ca etcd-ca
ca front-proxy-ca kubernetes-front-proxy-ca
install_pair ca "$pki/ca"
install_pair etcd-ca "$pki/etcd/ca"
install_pair front-proxy-ca "$pki/front-proxy-ca"

node="\"$NODE\", \"$MASTER_IP\""
api='"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster"'
api="$node, \"$MASTER_CLUSTER_IP\", $api, \"kubernetes.default.svc.cluster.local\""
while read -r place ca profile cn o hosts; do
    leaf "${place//\//-}" "$ca" "$profile" "$cn" "${o#-}" "$hosts"
    install_pair "${place//\//-}" "$pki/$place"
done <<TABLE
etcd/server              etcd-ca        both   kube-etcd      - $node, "localhost", "127.0.0.1"
etcd/peer                etcd-ca        both   kube-etcd-peer - $node, "localhost", "127.0.0.1"
etcd/healthcheck-client  etcd-ca        client kube-etcd-healthcheck-client -
apiserver-etcd-client    etcd-ca        client kube-apiserver-etcd-client -
apiserver                ca             server kube-apiserver - $api
apiserver-kubelet-client ca             client kube-apiserver-kubelet-client system:masters
front-proxy-client       front-proxy-ca client front-proxy-client -
TABLE

openssl genrsa -out "$pki/sa.key" 2048
openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub"

while read -r file credential cn o; do
    leaf "$file" ca client "$cn" "${o#-}" ""
    kubeconfig "$file" "$credential" "$file.pem" "$file-key.pem"
done <<TABLE
admin.conf              default-admin              kubernetes-admin               kubeadm:cluster-admins
super-admin.conf        default-super-admin        kubernetes-super-admin         system:masters
kubelet.conf            default-auth               system:node:$NODE              system:nodes
controller-manager.conf default-controller-manager system:kube-controller-manager -
scheduler.conf          default-scheduler          system:kube-scheduler          -
TABLE
