package kubepki_test

import (
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kubepki"
)

// A new cluster, and a worker that joins it.
func Example() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	cluster := kubepki.Cluster{Endpoint: "api.example.com:6443", KeyAlgorithm: kubepki.ECDSAP256}
	first := kubepki.Node{
		Kind:      kubepki.ControlPlane,
		Name:      "cp-1",
		Advertise: netip.MustParseAddr("192.0.2.10"),
	}
	pki, err := kubepki.Create(cluster, first, now)
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	authorities, err := pki.Authorities()
	if err != nil {
		log.Fatal(err)
	}
	defer authorities.Close()

	worker, err := authorities.Join(cluster, kubepki.Node{Kind: kubepki.Worker, Name: "w-1"}, now)
	if err != nil {
		log.Fatal(err)
	}
	defer worker.Close()
	files, err := worker.Files()
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range files {
		fmt.Println(file.Mode, file.Path)
	}
	// Output:
	// -rw-r--r-- pki/ca.crt
	// -rw------- kubelet.conf
}

// The kubeconfig of a user.
func ExampleAuthorities_Kubeconfig() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	cluster := kubepki.Cluster{Endpoint: "api.example.com:6443", KeyAlgorithm: kubepki.ECDSAP256}
	authorities, err := kubepki.CreateAuthorities(cluster, now)
	if err != nil {
		log.Fatal(err)
	}
	defer authorities.Close()
	credential, err := authorities.Issue(cluster, kubepki.Profile{
		Role:     kubepki.RoleUser,
		Name:     "jane",
		Groups:   []string{"developers"},
		Lifetime: 90 * 24 * time.Hour,
	}, now)
	if err != nil {
		log.Fatal(err)
	}
	kubeconfig, err := authorities.Kubeconfig(cluster, credential)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(kubepki.CheckKubeconfig(kubeconfig.Bytes()))
	who, err := kubepki.Identify(credential.ChainPEM)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(who.User, who.Groups)
	// Output:
	// <nil>
	// jane [developers]
}

// Says what is wrong with a directory, and mends it.
func ExamplePlan_Apply() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	layout := kubepki.Layout{Directory: exampleDirectory(now)} // usually /etc/kubernetes
	defer os.RemoveAll(layout.Directory)

	os.Remove(filepath.Join(layout.Directory, "pki/apiserver-etcd-client.crt"))

	store, err := kubepki.Open(layout)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	pki, err := store.Load()
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()

	report, err := pki.Audit(nil, now)
	if err != nil {
		log.Fatal(err)
	}
	for _, finding := range report.Findings {
		fmt.Println(finding.Severity, finding.File, finding.ID)
	}

	plan, err := pki.Plan(nil, kubepki.Policy{Within: 60 * 24 * time.Hour}, now)
	if err != nil {
		log.Fatal(err)
	}
	defer plan.Close()
	for _, step := range plan.Steps {
		fmt.Println(step.Role, step.What)
	}
	if err := plan.Apply(pki); err != nil {
		log.Fatal(err)
	}
	if err := store.Commit(pki); err != nil {
		log.Fatal(err)
	}
	// Output:
	// error pki/apiserver-etcd-client.crt missing-file
	// kube-apiserver-etcd-client issue with a new key
}

// The key of the Kubernetes authority stays where it is: in an HSM, a KMS or another process.
func ExampleAuthorities_Attach() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	files, key := filesWithoutTheKey(now)

	authorities, err := kubepki.AuthoritiesFromFiles(files)
	if err != nil {
		log.Fatal(err)
	}
	defer authorities.Close()
	var hsm crypto.Signer = key
	if err := authorities.Attach(kubepki.RoleKubernetesCA, hsm); err != nil {
		log.Fatal(err)
	}

	cluster := kubepki.Cluster{Endpoint: "api.example.com:6443", KeyAlgorithm: kubepki.ECDSAP256}
	credential, err := authorities.Issue(cluster, kubepki.Profile{Role: kubepki.RoleUser, Name: "jane"}, now)
	if err != nil {
		log.Fatal(err)
	}
	chain, err := credential.Chain()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(chain[0].Subject, chain[0].SignatureAlgorithm)
	// Output:
	// CN=jane ECDSA-SHA256
}

// The keys of all authorities are elsewhere from the start: nobody sees them, also not while they are made.
func ExampleNewAuthorities() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	cluster := kubepki.Cluster{Endpoint: "api.example.com:6443", KeyAlgorithm: kubepki.ECDSAP256}
	key, err := kubepki.GenerateKey(kubepki.ECDSAP256) // of service accounts: API servers need it as a file
	if err != nil {
		log.Fatal(err)
	}
	authorities, err := kubepki.NewAuthorities(key)
	if err != nil {
		log.Fatal(err)
	}
	defer authorities.Close()
	for role, slot := range map[kubepki.Role]crypto.Signer{
		kubepki.RoleKubernetesCA: keyInTheHSM(),
		kubepki.RoleEtcdCA:       keyInTheHSM(),
		kubepki.RoleFrontProxyCA: keyInTheHSM(),
	} {
		issuer, err := kubepki.SelfSignedBy(slot, cluster, kubepki.Profile{Role: role}, now)
		if err != nil {
			log.Fatal(err)
		}
		defer issuer.Close()
		if err := authorities.Add(role, issuer); err != nil {
			log.Fatal(err)
		}
	}

	node := kubepki.Node{Kind: kubepki.ControlPlane, Name: "cp-1", Advertise: netip.MustParseAddr("192.0.2.10")}
	pki, err := authorities.First(cluster, node, now)
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	files, err := pki.FS()
	if err != nil {
		log.Fatal(err)
	}
	names, err := fs.Glob(files, "pki/*.key")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Join(names, "\n"))
	// Output:
	// pki/apiserver-etcd-client.key
	// pki/apiserver-kubelet-client.key
	// pki/apiserver.key
	// pki/front-proxy-client.key
	// pki/sa.key
}

// A machine is compared with its description, not only with itself: a name is missing here.
func ExampleExpected() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	directory := exampleDirectory(now) // usually /etc/kubernetes
	defer os.RemoveAll(directory)
	pki, err := kubepki.Load(kubepki.Layout{Directory: directory})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()

	expected := kubepki.Expected{
		Cluster: kubepki.Cluster{Endpoint: "api.example.com:6443", KeyAlgorithm: kubepki.ECDSAP256},
		Node: kubepki.Node{
			Kind:      kubepki.ControlPlane,
			Name:      "cp-1",
			Advertise: netip.MustParseAddr("192.0.2.10"),
			SANs:      map[kubepki.Role][]string{kubepki.RoleAPIServer: {"api.internal"}},
		},
		First: true,
	}
	report, err := pki.Audit(&expected, now)
	if err != nil {
		log.Fatal(err)
	}
	var failure *kubepki.Error
	if errors.As(report.Err(), &failure) {
		for _, finding := range failure.Findings {
			fmt.Println(finding.File, finding.ID)
		}
	}
	arguments, err := expected.Arguments(kubepki.Kubelet)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(arguments[0])
	// Output:
	// pki/apiserver.crt san-missing
	// --kubeconfig=/etc/kubernetes/kubelet.conf
}

// Everything that reads a file system reads a PKI.
func ExamplePKI_FS() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	cluster := kubepki.Cluster{Endpoint: "api.example.com:6443", KeyAlgorithm: kubepki.ECDSAP256}
	node := kubepki.Node{Kind: kubepki.ControlPlane, Name: "cp-1", Advertise: netip.MustParseAddr("192.0.2.10")}
	pki, err := kubepki.Create(cluster, node, now)
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	files, err := pki.FS()
	if err != nil {
		log.Fatal(err)
	}
	names, err := fs.Glob(files, "pki/etcd/*.crt")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Join(names, "\n"))
	// Output:
	// pki/etcd/ca.crt
	// pki/etcd/healthcheck-client.crt
	// pki/etcd/peer.crt
	// pki/etcd/server.crt
}

// What kubeadm would make.
func ExampleKubeadm() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	kubeadm := kubepki.Kubeadm{
		YAML: []byte(`
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: 192.0.2.10
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
controlPlaneEndpoint: api.example.com:6443
encryptionAlgorithm: ECDSA-P256
kubernetesVersion: v1.36.3
`),
		NodeName: "cp-1",
	}
	cluster, err := kubeadm.Cluster()
	if err != nil {
		log.Fatal(err)
	}
	node, err := kubeadm.Node()
	if err != nil {
		log.Fatal(err)
	}
	pki, err := kubepki.Create(cluster, node, now)
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	server, err := pki.Certificate(kubepki.RoleAPIServer)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(server.Leaf.Issuer, server.Leaf.IPAddresses)
	// Output:
	// CN=kubernetes [10.96.0.1 192.0.2.10]
}

// Each failure says which it is, and where.
func ExampleError() {
	_, err := kubepki.Create(kubepki.Cluster{Endpoint: "api.example.com:0"}, kubepki.Node{}, time.Now())
	var failure *kubepki.Error
	if errors.As(err, &failure) && errors.Is(err, kubepki.ErrInvalid) {
		fmt.Println(failure.Places[0].Kind, failure.Places[0].Text)
	}
	fmt.Println(err)
	// Output:
	// field endpoint
	// kubepki: endpoint: expected a port from 1 to 65535 behind the last ':', found "api.example.com:0"
}

// Decides about a request as it came from the API server, and signs it.
func ExampleCSR_Sign() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	cluster := kubepki.Cluster{Endpoint: "api.example.com:6443", KeyAlgorithm: kubepki.ECDSAP256}
	issuer, err := kubepki.SelfSigned(cluster, kubepki.Profile{Role: kubepki.RoleRootCA, Name: "Workloads"}, now)
	if err != nil {
		log.Fatal(err)
	}
	defer issuer.Close()
	shop := kubepki.Profile{Role: kubepki.RoleService, Name: "shop.example.com"}
	request, err := kubepki.NewRequest(cluster, shop)
	if err != nil {
		log.Fatal(err)
	}
	defer request.Close()
	csr, err := request.CSR("shop", "example.com/serving", time.Hour)
	if err != nil {
		log.Fatal(err)
	}

	approver := kubepki.Approver{Policies: []kubepki.SignerPolicy{{
		SignerName:  "example.com/serving",
		Requesters:  []string{"system:serviceaccount:*:*"},
		CommonNames: []string{"*.example.com"},
		SANs:        []string{"DNS:*.example.com"},
		Usages:      []string{"digital signature", "key encipherment", "server auth"},
	}}}
	review, err := approver.Review(csr)
	if err != nil {
		log.Fatal(err)
	}
	defer review.Close()
	fmt.Println(review.Verdict, review.Reason) // nobody has asked: the API server says who it was

	if err := csr.Approve("ByHand", "known to the shop", now); err != nil {
		log.Fatal(err)
	}
	outcome, err := csr.Sign("example.com/serving", issuer, 365*24*time.Hour, now)
	if err != nil {
		log.Fatal(err)
	}
	credential, err := request.Accept(csr.CertificatePEM)
	if err != nil {
		log.Fatal(err)
	}
	chain, err := credential.Chain()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(outcome.Kind, csr.State, chain[0].DNSNames[0])
	// Output:
	// deny RequesterNotAllowed
	// issued issued shop.example.com
}

// A machine that knows a token and a pin comes to trust its cluster.
func ExampleVerifyClusterInfo() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	cluster := kubepki.Cluster{Endpoint: "api.example.com:6443", KeyAlgorithm: kubepki.ECDSAP256}
	authorities, err := kubepki.CreateAuthorities(cluster, now)
	if err != nil {
		log.Fatal(err)
	}
	defer authorities.Close()
	token, err := kubepki.GenerateBootstrapToken()
	if err != nil {
		log.Fatal(err)
	}
	configMap, err := authorities.ClusterInfoConfigMap(cluster, token)
	if err != nil {
		log.Fatal(err)
	}
	pins, err := authorities.Pins()
	if err != nil {
		log.Fatal(err)
	}

	info, err := kubepki.VerifyClusterInfo(configMap.YAML.Bytes(), token, pins)
	if err != nil {
		log.Fatal(err)
	}
	defer info.Close()
	fmt.Println(info.Server)
	_, err = kubepki.VerifyClusterInfo(configMap.YAML.Bytes(), token, nil)
	fmt.Println(errors.Is(err, kubepki.ErrNotPinned))
	// Output:
	// https://api.example.com:6443
	// true
}
