# "Certificates" (Administer a Cluster), easyrsa.

mkdir easy-rsa-master
cp -r /usr/share/easy-rsa easy-rsa-master/easyrsa3 # Debian's, instead of the download
cd easy-rsa-master/easyrsa3
./easyrsa init-pki

./easyrsa --batch "--req-cn=${MASTER_IP}@`date +%s`" build-ca nopass

# easyrsa asks whether to sign.
echo yes | ./easyrsa --subject-alt-name="IP:${MASTER_IP},"\
"IP:${MASTER_CLUSTER_IP},"\
"DNS:kubernetes,"\
"DNS:kubernetes.default,"\
"DNS:kubernetes.default.svc,"\
"DNS:kubernetes.default.svc.cluster,"\
"DNS:kubernetes.default.svc.cluster.local" \
--days=10000 \
build-server-full server nopass

mkdir -p "$KUBERNETES/pki"
cp pki/ca.crt "$KUBERNETES/pki/ca.crt"
cp pki/private/ca.key "$KUBERNETES/pki/ca.key"
cp pki/issued/server.crt "$KUBERNETES/pki/apiserver.crt"
cp pki/private/server.key "$KUBERNETES/pki/apiserver.key"
