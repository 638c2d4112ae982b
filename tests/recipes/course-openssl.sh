# The course "Certified Kubernetes Administrator", "TLS in Kubernetes: Certificate Creation". The clients that
# it only names are made as it says: by a similar process, with the same CA key pair. Its API server has one
# file for --client-ca-file and --etcd-cafile.

openssl genrsa -out ca.key 2048
openssl req -new -key ca.key -subj "/CN=KUBERNETES-CA" -out ca.csr #CSR
openssl x509 -req -in ca.csr -signkey ca.key -out ca.crt

sleep 1 # a person is not faster

openssl genrsa -out admin.key 2048
openssl req -new -key admin.key -subj "/CN=kube-admin/OU=system:masters" -out admin.csr
openssl x509 -req -in admin.csr -CA ca.crt -CAkey ca.key -out admin.crt

openssl genrsa -out scheduler.key 2048
openssl req -new -key scheduler.key -subj "/CN=system:kube-scheduler" -out scheduler.csr
openssl x509 -req -in scheduler.csr -CA ca.crt -CAkey ca.key -out scheduler.crt

openssl genrsa -out apiserver-etcd-client.key 2048
openssl req -new -key apiserver-etcd-client.key -subj "/CN=kube-apiserver-etcd-client" \
    -out apiserver-etcd-client.csr
openssl x509 -req -in apiserver-etcd-client.csr -CA ca.crt -CAkey ca.key -out apiserver-etcd-client.crt

# The section that openssl asks for is not in the course.
cat >openssl.cnf <<CNF
[req]
req_extensions = v3_req
distinguished_name = req_distinguished_name

[req_distinguished_name]

[v3_req]
basicConstraints = CA:FALSE
keyUsage = nonRepudiation, digitalSignature, keyEncipherment
subjectAltName = @alt_names

[alt_names]
DNS.1 = kubernetes
DNS.2 = kubernetes.default
DNS.3 = kubernetes.default.svc
DNS.4 = kubernetes.default.svc.cluster.local
IP.1 = ${MASTER_CLUSTER_IP}
IP.2 = ${MASTER_IP}
CNF

openssl genrsa -out apiserver.key 2048
openssl req -new -key apiserver.key -subj "/CN=kube-apiserver" -out apiserver.csr -config openssl.cnf
openssl x509 -req -in apiserver.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out apiserver.crt \
    -extensions v3_req -extfile openssl.cnf -days 100

mkdir -p "$KUBERNETES/pki/etcd"
cp ca.crt ca.key apiserver.crt apiserver.key "$KUBERNETES/pki"
cp apiserver-etcd-client.crt apiserver-etcd-client.key "$KUBERNETES/pki"
cp ca.crt "$KUBERNETES/pki/etcd/ca.crt"
kubeconfig admin.conf default-admin admin.crt admin.key
kubeconfig scheduler.conf default-scheduler scheduler.crt scheduler.key
