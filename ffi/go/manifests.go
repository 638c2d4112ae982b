package kubepki

// #include <kubepki.h>
import "C"

// A Manifest is a Kubernetes object, for kubectl or a client of the API server. It may hold a secret.
type Manifest struct{ YAML, JSON Secret }

// takeManifest copies and frees.
func takeManifest(m *C.kubepki_manifest, err error) (*Manifest, error) {
	if err != nil {
		return nil, err
	}
	defer C.kubepki_manifest_free(m)
	return &Manifest{YAML: textBytes(C.kubepki_manifest_yaml(m)), JSON: textBytes(C.kubepki_manifest_json(m))}, nil
}

// ClusterAdminsBinding is the ClusterRoleBinding that gives the user of admin.conf its power.
func ClusterAdminsBinding() (*Manifest, error) {
	var out *C.kubepki_manifest
	err := failed(C.kubepki_manifest_cluster_admins_binding(&out))
	return takeManifest(out, err)
}

// APIServerKubeletClientBinding is the ClusterRoleBinding that the API server needs to call kubelets where its client
// certificate has no group: with KubeadmNames from version 1.36 on.
func APIServerKubeletClientBinding() (*Manifest, error) {
	var out *C.kubepki_manifest
	err := failed(C.kubepki_manifest_apiserver_kubelet_client_binding(&out))
	return takeManifest(out, err)
}

// KubeletAPIAdminBinding is the ClusterRoleBinding that the API server needs to call kubelets with its serving
// certificate.
func KubeletAPIAdminBinding() (*Manifest, error) {
	var out *C.kubepki_manifest
	err := failed(C.kubepki_manifest_kubelet_api_admin_binding(&out))
	return takeManifest(out, err)
}

// KubeletConfiguration has the fields of a KubeletConfiguration that name a machine's files, which lie where layout says, or
// when that is nil, in /etc/kubernetes.
func KubeletConfiguration(cluster Cluster, node Node, layout *Layout) (*Manifest, error) {
	var out *C.kubepki_manifest
	err := describe(&cluster, &node, func(cluster *C.kubepki_cluster, node *C.kubepki_node) error {
		return layout.use(func(layout *C.kubepki_layout) error {
			return failed(C.kubepki_manifest_kubelet_configuration(cluster, node, layout, &out))
		})
	})
	return takeManifest(out, err)
}
