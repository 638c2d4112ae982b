# What every recipe begins with.

set -euo pipefail
umask 022

# FILE CREDENTIAL CERTIFICATE KEY: "PKI certificates and requirements", section "Configure certificates for
# user accounts". The server is put there at the end: some builds of kubectl ask it for its version at every
# command.
kubeconfig() {
    local file=$KUBERNETES/$1 nobody=https://127.0.0.1:1
    KUBECONFIG=$file kubectl config set-cluster default-cluster --server="$nobody" \
        --certificate-authority "$KUBERNETES/pki/ca.crt" --embed-certs
    KUBECONFIG=$file kubectl config set-credentials "$2" --client-key "$4" \
        --client-certificate "$3" --embed-certs
    KUBECONFIG=$file kubectl config set-context default-system --cluster default-cluster --user "$2"
    KUBECONFIG=$file kubectl config use-context default-system
    sed -i "s,$nobody,https://$MASTER_IP:6443," "$file"
}
