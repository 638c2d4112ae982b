package kubepki

// #include <kubepki.h>
import "C"

import (
	"net/netip"
	"time"
)

// A Cluster describes what all nodes of a cluster share. Whatever is left empty has kubeadm's value, but
// names: those are of the Kubernetes documentation unless Convention says otherwise.
//
// A Cluster that was read from elsewhere ([Kubeadm.Cluster], [PKI.Cluster]) shows none of that in its fields;
// those that are set take precedence.
type Cluster struct {
	// Endpoint is where clients reach the API servers, HOST or HOST:PORT. It is required.
	Endpoint string
	// Name is the cluster's in kubeconfigs: default-cluster, with KubeadmNames kubernetes.
	Name string
	// DNSDomain is the domain of the cluster's DNS: cluster.local.
	DNSDomain string
	// ServiceSubnets are the ranges of addresses for services, one or one of each family: 10.96.0.0/12.
	ServiceSubnets []netip.Prefix
	// KeyAlgorithm is the kind of every key that is made: RSA2048.
	KeyAlgorithm KeyAlgorithm
	// AuthorityLifetime is how long authorities are valid: ten years of 365 days.
	AuthorityLifetime time.Duration
	// LeafLifetime is how long other certificates are valid: 365 days. None outlives its authority.
	LeafLifetime time.Duration
	// Convention says whose names certificates and kubeconfigs carry: DocumentedNames.
	Convention Convention
	// KubernetesVersion, such as 1.36 or v1.36.3, says which version of kubeadm KubeadmNames follow where they
	// differ: when empty, 1.29 to 1.32.
	KubernetesVersion string
	// DedicatedEtcd says that members of etcd are on machines of their own, not on control-plane nodes.
	DedicatedEtcd bool
	// ExternalEtcd says that etcd has its certificates from elsewhere.
	ExternalEtcd *EtcdFiles
	// ShareKubeletClientCertificate has API servers call kubelets with their serving certificate, not with
	// one of its own. Its user then needs [KubeletAPIAdminBinding], and its key opens every kubelet.
	ShareKubeletClientCertificate bool
	// VerifyKubelets gives every node's kubelet a serving certificate, and lets API servers verify kubelets
	// by it. Each node then needs its Addresses. It is refused with KubeadmNames, which have no such
	// certificate.
	VerifyKubelets bool
	// Authentication says whom API servers believe besides the holders of certificates: nobody.
	Authentication Authentication

	base func() (*C.kubepki_cluster, error)
}

// EtcdFiles are what an API server reaches an external etcd with: paths on each control-plane node.
type EtcdFiles struct {
	CA   string // the certificates that the API server trusts etcd by
	Cert string // the API server's client certificate
	Key  string // the private key of Cert
}

// A KeyAlgorithm says what kind of key is made.
type KeyAlgorithm string

const (
	RSA2048   KeyAlgorithm = "rsa-2048"
	RSA3072   KeyAlgorithm = "rsa-3072"
	RSA4096   KeyAlgorithm = "rsa-4096"
	ECDSAP256 KeyAlgorithm = "ecdsa-p256"
	ECDSAP384 KeyAlgorithm = "ecdsa-p384"
)

// A Convention says whose names are used.
type Convention string

const (
	DocumentedNames Convention = "documented" // those of the Kubernetes documentation
	KubeadmNames    Convention = "kubeadm"    // those that kubeadm uses
)

// A Node describes one machine.
type Node struct {
	// Kind says what the machine is for. It is required.
	Kind Kind
	// Name is the node's name. It is required.
	Name string
	// Advertise is the address at which others reach the node's API server and member of etcd: required of
	// a ControlPlane and an EtcdMember, and none of a Worker.
	Advertise netip.Addr
	// Addresses are where API servers call the kubelet. With any, the kubelet gets a serving certificate.
	Addresses []netip.Addr
	// SANs are additional DNS names and IP addresses of the node's serving certificates, by role:
	// RoleAPIServer, RoleEtcdServer, RoleEtcdPeer, RoleKubeletServer or RoleFrontProxyServer.
	SANs map[Role][]string
	// KubeProxy asks for a kubeconfig of kube-proxy.
	KubeProxy bool
	// FrontProxyNames ask for a serving certificate of a front proxy on this control-plane node, with these
	// DNS names and IP addresses.
	FrontProxyNames []string
	// BindPort is where the node's API server listens: the port of the cluster's Endpoint where that is this
	// node's address, elsewhere 6443.
	BindPort uint16

	base func() (*C.kubepki_node, error)
}

// A Kind says what a machine is for.
type Kind string

const (
	ControlPlane Kind = "control-plane"
	Worker       Kind = "worker"
	EtcdMember   Kind = "etcd-member" // a machine for a member of etcd alone
)

// A Layout says where the files of a machine lie.
type Layout struct {
	// Directory has the kubeconfigs: /etc/kubernetes on most machines. It is required.
	Directory string
	// Certificates has certificates and keys, where that is not pki below Directory.
	Certificates string
	// Root is the root of a backup or a container, below which everything is looked for. No path and no
	// symbolic link leads out.
	Root string

	base func() (*C.kubepki_layout, error)
}

// Path says where a part of a role lies on the machine: ErrAbsent where the role has no such file.
func (l Layout) Path(role Role, part Part) (string, error) {
	var out *C.kubepki_buffer
	err := l.use(func(layout *C.kubepki_layout) error {
		return failed(C.kubepki_layout_path(layout, chars(string(role)), size(string(role)),
			chars(string(part)), size(string(part)), &out))
	})
	return string(buffer(out)), err
}

// use calls with the description as C has it. Nothing of it is kept.
func (c *Cluster) use(call func(*C.kubepki_cluster) error) error {
	var cluster *C.kubepki_cluster
	var a attempt
	switch {
	case c.base != nil:
		cluster, a.err = c.base()
	default:
		a.do(C.kubepki_cluster_new(chars(c.Endpoint), size(c.Endpoint), &cluster))
	}
	if a.err != nil {
		return a.err
	}
	defer C.kubepki_cluster_free(cluster)
	c.set(cluster, &a)
	if a.err != nil {
		return a.err
	}
	return call(cluster)
}

func (c *Cluster) set(cluster *C.kubepki_cluster, a *attempt) {
	if c.base != nil && c.Endpoint != "" {
		a.do(C.kubepki_cluster_set_endpoint(cluster, chars(c.Endpoint), size(c.Endpoint)))
	}
	if c.Name != "" {
		a.do(C.kubepki_cluster_set_name(cluster, chars(c.Name), size(c.Name)))
	}
	if c.DNSDomain != "" {
		a.do(C.kubepki_cluster_set_dns_domain(cluster, chars(c.DNSDomain), size(c.DNSDomain)))
	}
	for _, subnet := range c.ServiceSubnets {
		text := subnet.String()
		a.do(C.kubepki_cluster_add_service_subnet(cluster, chars(text), size(text)))
	}
	if text := string(c.KeyAlgorithm); text != "" {
		a.do(C.kubepki_cluster_set_key_algorithm(cluster, chars(text), size(text)))
	}
	if text := string(c.Convention); text != "" {
		a.do(C.kubepki_cluster_set_convention(cluster, chars(text), size(text)))
	}
	if c.KubernetesVersion != "" {
		a.do(C.kubepki_cluster_set_kubernetes_version(cluster, chars(c.KubernetesVersion),
			size(c.KubernetesVersion)))
	}
	a.span("AuthorityLifetime", c.AuthorityLifetime, func(seconds C.uint64_t) *C.kubepki_error {
		return C.kubepki_cluster_set_authority_lifetime(cluster, seconds)
	})
	a.span("LeafLifetime", c.LeafLifetime, func(seconds C.uint64_t) *C.kubepki_error {
		return C.kubepki_cluster_set_leaf_lifetime(cluster, seconds)
	})
	c.setEtcd(cluster, a)
	if c.ShareKubeletClientCertificate {
		a.do(C.kubepki_cluster_share_kubelet_client_certificate(cluster))
	}
	if c.VerifyKubelets {
		a.do(C.kubepki_cluster_verify_kubelets(cluster))
	}
	c.Authentication.set(cluster, a)
}

func (c *Cluster) setEtcd(cluster *C.kubepki_cluster, a *attempt) {
	switch etcd := c.ExternalEtcd; {
	case etcd != nil && c.DedicatedEtcd:
		a.refuse("etcd", "DedicatedEtcd or ExternalEtcd", "both")
	case etcd != nil:
		a.do(C.kubepki_cluster_set_external_etcd(cluster, chars(etcd.CA), size(etcd.CA),
			chars(etcd.Cert), size(etcd.Cert), chars(etcd.Key), size(etcd.Key)))
	case c.DedicatedEtcd:
		a.do(C.kubepki_cluster_set_dedicated_etcd(cluster))
	}
}

// use calls with the description as C has it, or NULL for none.
func (n *Node) use(call func(*C.kubepki_node) error) error {
	if n == nil {
		return call(nil)
	}
	node, err := n.make()
	if err != nil {
		return err
	}
	defer C.kubepki_node_free(node)
	var a attempt
	n.set(node, &a)
	if a.err != nil {
		return a.err
	}
	return call(node)
}

func (n *Node) make() (node *C.kubepki_node, err error) {
	name, advertise := n.Name, address(n.Advertise)
	if n.base != nil {
		if n.Kind != "" || name != "" || advertise != "" {
			return nil, invalid("node", "no Kind, Name or Advertise, where it was read from elsewhere", name)
		}
		return n.base()
	}
	switch n.Kind {
	case ControlPlane:
		err = failed(C.kubepki_node_control_plane(chars(name), size(name), chars(advertise), size(advertise),
			&node))
	case EtcdMember:
		err = failed(C.kubepki_node_etcd_member(chars(name), size(name), chars(advertise), size(advertise),
			&node))
	case Worker:
		if advertise != "" {
			return nil, invalid("Advertise", "none: others reach a worker at its Addresses", advertise)
		}
		err = failed(C.kubepki_node_worker(chars(name), size(name), &node))
	default:
		err = invalid("Kind", "control-plane, worker or etcd-member", string(n.Kind))
	}
	return node, err
}

func (n *Node) set(node *C.kubepki_node, a *attempt) {
	for _, ip := range n.Addresses {
		text := address(ip)
		a.do(C.kubepki_node_add_address(node, chars(text), size(text)))
	}
	for role, sans := range n.SANs {
		for _, san := range sans {
			a.do(C.kubepki_node_add_san(node, chars(string(role)), size(string(role)), chars(san), size(san)))
		}
	}
	if n.KubeProxy {
		a.do(C.kubepki_node_ask_for_kube_proxy(node))
	}
	for _, name := range n.FrontProxyNames {
		a.do(C.kubepki_node_add_front_proxy_name(node, chars(name), size(name)))
	}
	if n.BindPort != 0 {
		a.do(C.kubepki_node_set_bind_port(node, C.uint16_t(n.BindPort)))
	}
}

// use calls with the layout as C has it.
func (l *Layout) use(call func(*C.kubepki_layout) error) error {
	layout, err := l.make()
	if err != nil {
		return err
	}
	defer C.kubepki_layout_free(layout)
	return call(layout)
}

func (l *Layout) make() (layout *C.kubepki_layout, err error) {
	var a attempt
	switch {
	case l.base != nil && l.Directory != "":
		a.refuse("Directory", "none, where the layout was read from elsewhere", l.Directory)
	case l.base != nil:
		layout, a.err = l.base()
	default:
		a.do(C.kubepki_layout_new(chars(l.Directory), size(l.Directory), &layout))
	}
	if a.err != nil {
		return nil, a.err
	}
	if l.Certificates != "" {
		a.do(C.kubepki_layout_set_certificates(layout, chars(l.Certificates), size(l.Certificates)))
	}
	if l.Root != "" {
		a.do(C.kubepki_layout_set_root(layout, chars(l.Root), size(l.Root)))
	}
	if a.err != nil {
		C.kubepki_layout_free(layout)
		return nil, a.err
	}
	return layout, nil
}

// describe calls with both descriptions as C has them, NULL for no node.
func describe(cluster *Cluster, node *Node, call func(*C.kubepki_cluster, *C.kubepki_node) error) error {
	return cluster.use(func(cluster *C.kubepki_cluster) error {
		return node.use(func(node *C.kubepki_node) error { return call(cluster, node) })
	})
}
