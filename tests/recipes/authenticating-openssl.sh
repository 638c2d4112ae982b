# "Authenticating", as it was until Kubernetes 1.8, with its appendix "Creating Certificates", openssl; behind
# it, the user in two groups.

openssl genrsa -out ca.key 2048

openssl req -x509 -new -nodes -key ca.key -subj "/CN=${MASTER_IP}" -days 10000 -out ca.crt

sleep 1 # a person is not faster

openssl genrsa -out server.key 2048

openssl req -new -key server.key -subj "/CN=${MASTER_IP}" -out server.csr

openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 10000

openssl genrsa -out jbeda.pem 2048
openssl req -new -key jbeda.pem -out jbeda-csr.pem -subj "/CN=jbeda/O=app1/O=app2"
openssl x509 -req -in jbeda-csr.pem -CA ca.crt -CAkey ca.key -CAcreateserial -out jbeda.crt -days 10000

mkdir -p "$KUBERNETES/pki"
cp ca.crt "$KUBERNETES/pki/ca.crt"
cp ca.key "$KUBERNETES/pki/ca.key"
cp server.crt "$KUBERNETES/pki/apiserver.crt"
cp server.key "$KUBERNETES/pki/apiserver.key"
cp jbeda.crt "$KUBERNETES/pki/jbeda.crt"
