package kubepki

// #include <kubepki.h>
import "C"

// Expected is all that one machine must hold, by descriptions: what [PKI.Audit] and [PKI.Plan] compare it
// with, and what components are told of its files.
type Expected struct {
	// Cluster and Node are required.
	Cluster Cluster
	Node    Node
	// First says that the node is the control-plane node that its cluster began with: only that one has
	// super-admin.conf.
	First bool
	// Layout says where the files lie, for arguments and objects: in /etc/kubernetes when nil.
	Layout *Layout
	// External are authorities whose key is not on the node: no audit misses it there. With RoleKubernetesCA
	// kube-controller-manager is not told to sign with it.
	External []Role
}

// Arguments gives the arguments that tell a component of the machine's files: each --NAME=VALUE.
func (e Expected) Arguments(component Component) ([]string, error) {
	var out *C.kubepki_list
	err := e.use(func(expected *C.kubepki_expected) error {
		return failed(C.kubepki_expected_arguments(expected, chars(string(component)),
			size(string(component)), &out))
	})
	return list(out, err)
}

// Roles gives the roles of the machine's own certificates, without the authorities', in the order of the role
// table.
func (e Expected) Roles() ([]Role, error) {
	var out *C.kubepki_list
	err := e.use(func(expected *C.kubepki_expected) error {
		return failed(C.kubepki_expected_roles(expected, &out))
	})
	names, err := list(out, err)
	if err != nil {
		return nil, err
	}
	roles := make([]Role, len(names))
	for i, name := range names {
		roles[i] = Role(name)
	}
	return roles, nil
}

// use calls with what is expected as C has it, or NULL for none.
func (e *Expected) use(call func(*C.kubepki_expected) error) error {
	if e == nil {
		return call(nil)
	}
	var expected *C.kubepki_expected
	err := describe(&e.Cluster, &e.Node, func(cluster *C.kubepki_cluster, node *C.kubepki_node) error {
		if e.First {
			return failed(C.kubepki_expected_first(cluster, node, &expected))
		}
		return failed(C.kubepki_expected_new(cluster, node, &expected))
	})
	if err != nil {
		return err
	}
	defer C.kubepki_expected_free(expected)
	var a attempt
	if e.Layout != nil {
		a.fail(e.Layout.use(func(layout *C.kubepki_layout) error {
			return failed(C.kubepki_expected_set_layout(expected, layout))
		}))
	}
	for _, role := range e.External {
		a.do(C.kubepki_expected_add_external(expected, chars(string(role)), size(string(role))))
	}
	if a.err != nil {
		return a.err
	}
	return call(expected)
}
