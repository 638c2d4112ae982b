package kubepki

// #include <kubepki.h>
import "C"

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// Kubeadm is a configuration file of kubeadm as a source of descriptions.
type Kubeadm struct {
	// YAML has the documents of the file (v1beta3, v1beta4), in YAML or JSON, of at most 1 MiB.
	YAML []byte
	// NodeName is the node's name, instead of the file's: kubeadm takes the host's where the file has none.
	NodeName string
	// Advertise is the address at which the node's API server is reached, instead of the file's.
	Advertise netip.Addr
	// Endpoint is where clients reach the API servers, instead of what the file says.
	Endpoint string
}

// Cluster gives the cluster that the file describes.
func (k Kubeadm) Cluster() (Cluster, error) {
	k.YAML = bytes.Clone(k.YAML)
	cluster := Cluster{base: func() (out *C.kubepki_cluster, err error) {
		err = k.use(func(kubeadm *C.kubepki_kubeadm) error {
			return failed(C.kubepki_kubeadm_cluster(kubeadm, &out))
		})
		return out, err
	}}
	return cluster, cluster.use(func(*C.kubepki_cluster) error { return nil })
}

// Node gives the machine that the file describes: that of its JoinConfiguration, otherwise the first one.
func (k Kubeadm) Node() (Node, error) {
	return k.node(func(kubeadm *C.kubepki_kubeadm, out **C.kubepki_node) error {
		return failed(C.kubepki_kubeadm_node(kubeadm, out))
	})
}

// FirstNode gives the machine of the file's InitConfiguration, the first one of the cluster.
func (k Kubeadm) FirstNode() (Node, error) {
	return k.node(func(kubeadm *C.kubepki_kubeadm, out **C.kubepki_node) error {
		return failed(C.kubepki_kubeadm_first_node(kubeadm, out))
	})
}

func (k Kubeadm) node(which func(*C.kubepki_kubeadm, **C.kubepki_node) error) (Node, error) {
	k.YAML = bytes.Clone(k.YAML)
	node := Node{base: func() (out *C.kubepki_node, err error) {
		err = k.use(func(kubeadm *C.kubepki_kubeadm) error { return which(kubeadm, &out) })
		return out, err
	}}
	return node, node.use(func(*C.kubepki_node) error { return nil })
}

// Layout says where kubeadm has the files of the machine.
func (k Kubeadm) Layout() (Layout, error) {
	k.YAML = bytes.Clone(k.YAML)
	layout := Layout{base: func() (out *C.kubepki_layout, err error) {
		err = k.use(func(kubeadm *C.kubepki_kubeadm) error {
			return failed(C.kubepki_kubeadm_layout(kubeadm, &out))
		})
		return out, err
	}}
	return layout, layout.use(func(*C.kubepki_layout) error { return nil })
}

// Remarks says what in the file has no effect, or not the one that was meant, for people.
func (k Kubeadm) Remarks() ([]string, error) {
	var out *C.kubepki_list
	err := k.use(func(kubeadm *C.kubepki_kubeadm) error {
		return failed(C.kubepki_kubeadm_remarks(kubeadm, &out))
	})
	return list(out, err)
}

func (k Kubeadm) use(call func(*C.kubepki_kubeadm) error) error {
	var kubeadm *C.kubepki_kubeadm
	var a attempt
	a.do(C.kubepki_kubeadm_from_yaml(unsafe.Pointer(&*first(k.YAML)), length(k.YAML), &kubeadm))
	if a.err != nil {
		return a.err
	}
	defer C.kubepki_kubeadm_free(kubeadm)
	if k.NodeName != "" {
		a.do(C.kubepki_kubeadm_set_node_name(kubeadm, chars(k.NodeName), size(k.NodeName)))
	}
	if advertise := address(k.Advertise); advertise != "" {
		a.do(C.kubepki_kubeadm_set_advertise_address(kubeadm, chars(advertise), size(advertise)))
	}
	if k.Endpoint != "" {
		a.do(C.kubepki_kubeadm_set_endpoint(kubeadm, chars(k.Endpoint), size(k.Endpoint)))
	}
	if a.err != nil {
		return a.err
	}
	return call(kubeadm)
}
