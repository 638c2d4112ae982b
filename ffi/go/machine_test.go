package kubepki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kubepki"
)

func TestADescriptionIsWhatIsMade(t *testing.T) {
	cluster := aCluster()
	cluster.Name = "prod"
	cluster.DNSDomain = "k8s.example.org"
	subnet := netip.MustParsePrefix
	cluster.ServiceSubnets = []netip.Prefix{subnet("10.112.0.0/12"), subnet("fd00::/108")}
	cluster.KeyAlgorithm = kubepki.ECDSAP384
	cluster.Convention = kubepki.DocumentedNames
	cluster.KubernetesVersion = "v1.36.3"
	cluster.LeafLifetime = 90 * day
	cluster.VerifyKubelets = true
	cluster.ShareKubeletClientCertificate = true
	node := aNode()
	node.Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")}
	node.SANs = map[kubepki.Role][]string{
		kubepki.RoleAPIServer:  {"api.internal", "198.51.100.1"},
		kubepki.RoleEtcdServer: {"etcd.internal"},
	}
	node.KubeProxy = true
	node.FrontProxyNames = []string{"front.example.org"}
	node.BindPort = 7443
	pki := open(kubepki.Create(cluster, node, now))(t)

	server := must(pki.Certificate(kubepki.RoleAPIServer))(t).Leaf
	for _, name := range []string{
		"api.internal", "198.51.100.1", "kubernetes.default.svc.k8s.example.org",
		"10.112.0.1", "fd00::1", "192.0.2.10",
	} {
		succeeds(t, server.VerifyHostname(name))
	}
	if end := now.Add(90 * day); !server.NotAfter.Equal(end) {
		t.Errorf("expected the end %v, got %v", end, server.NotAfter)
	}
	if key := server.PublicKey.(*ecdsa.PublicKey); key.Curve != elliptic.P384() {
		t.Error(key.Curve)
	}
	succeeds(t, must(pki.Certificate(kubepki.RoleEtcdServer))(t).Leaf.VerifyHostname("etcd.internal"))
	succeeds(t, must(pki.Certificate(kubepki.RoleKubeletServer))(t).Leaf.VerifyHostname("2001:db8::10"))
	succeeds(t, must(pki.Certificate(kubepki.RoleFrontProxyServer))(t).Leaf.VerifyHostname("front.example.org"))
	must(pki.Credential(kubepki.RoleKubeProxy))(t)
	_, err := pki.Credential(kubepki.RoleAPIServerKubeletClient)
	fails(t, err, kubepki.ErrAbsent, "")
	admin := must(os.ReadFile(saved(t, pki, "admin.conf")))(t)
	if !bytes.Contains(admin, []byte("name: prod")) {
		t.Errorf("%s", admin)
	}

	// Arguments and objects name the same files.
	arguments := must(pki.Arguments(kubepki.APIServer))(t)
	has(t, arguments, "--client-ca-file=/etc/kubernetes/pki/ca.crt")
	expected := kubepki.Expected{Cluster: cluster, Node: node}
	if same := must(expected.Arguments(kubepki.APIServer))(t); !slices.Equal(same, arguments) {
		t.Error(same)
	}
	expected.Layout = &kubepki.Layout{Directory: "/srv/kubernetes", Certificates: "/srv/pki"}
	moved := must(expected.Arguments(kubepki.APIServer))(t)
	authority := must(expected.Layout.Path(kubepki.RoleKubernetesCA, kubepki.PartCertificate))(t)
	has(t, moved, "--client-ca-file="+authority)
	if tree := must(pki.Tree())(t); !strings.Contains(tree, "pki/apiserver.crt") {
		t.Error(tree)
	}
}

func TestADefaultIsTheLibrarysOwn(t *testing.T) {
	whole, half := aCluster(), aCluster()
	half.LeafLifetime = 10 * day
	other := aCluster()
	other.AuthorityLifetime = 3000 * day
	ends := func(cluster kubepki.Cluster, role kubepki.Role) (end time.Time) {
		pki := open(kubepki.Create(cluster, aNode(), now))(t)
		for _, certificate := range must(pki.Audit(nil, now))(t).Certificates {
			if certificate.Role == role {
				end = certificate.NotAfter
			}
		}
		return end
	}
	for _, same := range []struct {
		set  kubepki.Cluster
		role kubepki.Role
		end  time.Time
	}{
		{half, kubepki.RoleKubernetesCA, now.Add(3650 * day)},
		{other, kubepki.RoleAPIServer, now.Add(365 * day)},
	} {
		one, two := ends(whole, same.role), ends(same.set, same.role)
		if !one.Equal(same.end) || !two.Equal(same.end) {
			t.Errorf("%s: expected %v, got %v and %v", same.role, same.end, one, two)
		}
	}
}

func TestWhatIsExpectedIsMoreThanWhatFilesTell(t *testing.T) {
	worker := worker
	expected := kubepki.Expected{Cluster: aCluster(), Node: aNode(), First: true}
	pki := open(kubepki.Create(expected.Cluster, expected.Node, now))(t)
	succeeds(t, must(pki.Audit(&expected, now))(t).Err())

	later := expected
	later.First = false
	if report := must(pki.Audit(&later, now))(t); !strings.Contains(report.String(), "super-admin.conf") {
		t.Error(report)
	}
	expected.Node.SANs = map[kubepki.Role][]string{kubepki.RoleAPIServer: {"api.internal"}}
	report := must(pki.Audit(&expected, now))(t)
	fails(t, report.Err(), kubepki.ErrFindings, "api.internal")
	plan := open(pki.Plan(&expected, kubepki.Policy{}, now))(t)
	succeeds(t, plan.Apply(pki))
	succeeds(t, must(pki.Certificate(kubepki.RoleAPIServer))(t).Leaf.VerifyHostname("api.internal"))

	worker.KubeProxy = true
	roles := []kubepki.Role{kubepki.RoleKubeletServer, kubepki.RoleKubeletClient, kubepki.RoleKubeProxy}
	ofWorker := kubepki.Expected{Cluster: aCluster(), Node: worker}
	if found := must(ofWorker.Roles())(t); !slices.Equal(found, roles) {
		t.Error(found)
	}

	const signs = "--cluster-signing-key-file=/etc/kubernetes/pki/ca.key"
	has(t, must(expected.Arguments(kubepki.ControllerManager))(t), signs)
	expected.External = []kubepki.Role{kubepki.RoleKubernetesCA}
	if external := must(expected.Arguments(kubepki.ControllerManager))(t); slices.Contains(external, signs) {
		t.Error(external)
	}
	expected.External = []kubepki.Role{"nobody"}
	_, err := expected.Arguments(kubepki.Kubelet)
	fails(t, err, kubepki.ErrInvalid, "nobody")
	expected.External, expected.Layout = nil, new(kubepki.Layout)
	_, err = kubepki.KubeletConfiguration(expected)
	fails(t, err, kubepki.ErrInvalid, "directory")
}

// saved writes a PKI to a directory, and gives the path of one of its files.
func saved(t testing.TB, pki *kubepki.PKI, file string) string {
	layout := kubepki.Layout{Directory: t.TempDir()}
	succeeds(t, pki.Save(layout))
	return filepath.Join(layout.Directory, file)
}

func TestADamagedDirectoryIsAuditedAndMended(t *testing.T) {
	whole := kubepki.Expected{Cluster: aCluster(), Node: aNode(), First: true}
	pki := open(kubepki.Create(whole.Cluster, whole.Node, now))(t)
	layout := kubepki.Layout{Directory: filepath.Dir(saved(t, pki, "admin.conf"))}
	path := func(name string) string { return filepath.Join(layout.Directory, name) }
	succeeds(t, os.Remove(path("pki/apiserver-etcd-client.crt")))
	succeeds(t, os.Chmod(path("pki/ca.key"), 0o644))
	succeeds(t, os.WriteFile(path("pki/etcd/peer.crt"), []byte("no PEM"), 0o644))
	later := now.Add(340 * day)

	store := open(kubepki.Open(layout))(t)
	loaded := open(store.Load())(t)
	for _, described := range []bool{false, true} {
		var expected *kubepki.Expected
		if described {
			expected = &whole
		}
		report := must(loaded.Audit(expected, later))(t)
		found := map[string]kubepki.Finding{}
		for _, finding := range report.Findings {
			found[finding.File] = finding
		}
		one := found["pki/apiserver-etcd-client.crt"]
		if one.ID != "missing-file" || one.Severity != kubepki.SeverityError ||
			one.Role != kubepki.RoleAPIServerEtcdClient || one.Expected == "" || one.Mend == "" {
			t.Errorf("%+v", one)
		}
		if one := found["pki/ca.key"]; one.ID == "" || found["pki/etcd/peer.crt"].ID == "" {
			t.Errorf("%+v", report.Findings)
		}
		if !report.At.Equal(later) || len(report.Certificates) < 10 || !json.Valid(report.JSON()) ||
			!strings.Contains(report.String(), "missing-file") ||
			!strings.Contains(report.Prometheus(), "kubepki_findings{") {
			t.Errorf("%s\n%s", report, report.JSON())
		}
		authority := report.Certificates[0]
		if authority.SignedBy != kubepki.RoleKubernetesCA || !authority.NotAfter.Equal(now.Add(3650*day)) ||
			len(authority.Fingerprint) != 64 || authority.Subject != "CN=kubernetes-ca" {
			t.Errorf("%+v", authority)
		}
	}

	plan := open(loaded.Plan(&whole, kubepki.Policy{KeepKeys: true}, later))(t)
	at := slices.IndexFunc(plan.Steps, func(one kubepki.Step) bool { return one.Role == kubepki.RoleAPIServer })
	step := plan.Steps[at]
	if step.Action != "issue-for-same-key" || !slices.Contains(step.Reasons, "expiring") ||
		!step.Ends.Equal(later.Add(365*day)) || !step.ShortenedFrom.IsZero() ||
		step.Files[0] != "pki/apiserver.crt" {
		t.Errorf("%+v", step)
	}
	if len(plan.Restarts) == 0 || !plan.At.Equal(later) || !json.Valid(plan.JSON()) ||
		!strings.Contains(plan.String(), "restart") {
		t.Errorf("%s\n%s", plan, plan.JSON())
	}
	before := must(loaded.Credential(kubepki.RoleAPIServer))(t)
	succeeds(t, plan.Apply(loaded))
	succeeds(t, store.Commit(loaded))
	after := must(loaded.Credential(kubepki.RoleAPIServer))(t)
	if bytes.Equal(before.ChainPEM, after.ChainPEM) ||
		!bytes.Equal(before.KeyPEM.Bytes(), after.KeyPEM.Bytes()) {
		t.Error("it was not issued again for the same key")
	}
	again := open(kubepki.Load(layout))(t)
	if report := must(again.Audit(nil, later))(t); len(report.Findings) != 0 {
		t.Error(report)
	}
	nothing := open(again.Plan(nil, kubepki.Policy{}, later))(t)
	if len(nothing.Steps)+len(nothing.Blocked) != 0 || nothing.String() != "nothing to do\n" {
		t.Error(nothing)
	}
	succeeds(t, nothing.Apply(again))
	all := open(again.Plan(nil, kubepki.Policy{All: true}, later))(t)
	if len(all.Steps) < 10 {
		t.Error(all)
	}
}

// Without its authority's key, nothing is renewed; with a signer in its place, it is.
func TestWhatAPlanCannotMendIsBlockedUntilASignerIsThere(t *testing.T) {
	pki := open(kubepki.Create(aCluster(), aNode(), now))(t)
	files, file := without(must(pki.Files())(t), "pki/ca.key")
	held := open(kubepki.FromFiles(files))(t)
	later := now.Add(340 * day)
	plan := open(held.Plan(nil, kubepki.Policy{}, later))(t)
	at := slices.IndexFunc(plan.Blocked, func(one kubepki.Blocked) bool {
		return one.Role == kubepki.RoleAPIServer
	})
	if at < 0 || plan.Blocked[at].Why == "" || plan.Blocked[at].File != "pki/apiserver.crt" {
		t.Fatalf("%+v", plan.Blocked)
	}
	signer := &hsm{Signer: must(privateKey(file.Contents.Bytes()))(t)}
	succeeds(t, held.Attach(kubepki.RoleKubernetesCA, signer))
	plan = open(held.Plan(nil, kubepki.Policy{}, later))(t)
	succeeds(t, plan.Apply(held))
	if signer.calls.Load() == 0 {
		t.Error("the signer was not asked")
	}
	if leaf := must(held.Certificate(kubepki.RoleAPIServer))(t).Leaf; !leaf.NotAfter.After(later) {
		t.Error(leaf.NotAfter)
	}
}

const kubeadm = `
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10, bindPort: 6443}
nodeRegistration: {name: cp-1}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
controlPlaneEndpoint: api.example.com:6443
certificatesDir: /etc/kubernetes/ssl
clusterName: prod
encryptionAlgorithm: ECDSA-P256
networking: {serviceSubnet: 10.112.0.0/12, dnsDomain: k8s.example.org}
apiServer: {certSANs: [api.internal]}
`

func TestKubeadmsConfigurationIsADescription(t *testing.T) {
	file := kubepki.Kubeadm{YAML: []byte(kubeadm)}
	cluster, node, layout := must(file.Cluster())(t), must(file.Node())(t), must(file.Layout())(t)
	clear(file.YAML) // nothing of it is kept
	path := must(layout.Path(kubepki.RoleKubernetesCA, kubepki.PartKey))(t)
	if path != "/etc/kubernetes/ssl/ca.key" {
		t.Error(path)
	}
	pki := open(kubepki.Create(cluster, node, now))(t)
	server := must(pki.Certificate(kubepki.RoleAPIServer))(t).Leaf
	for _, name := range []string{"api.internal", "api.example.com", "10.112.0.1", "kubernetes.default"} {
		succeeds(t, server.VerifyHostname(name))
	}

	// Fields that are set take precedence.
	cluster.Endpoint, cluster.LeafLifetime = "other.example.com", 10*day
	node.SANs = map[kubepki.Role][]string{kubepki.RoleAPIServer: {"more.internal"}}
	server = must(open(kubepki.Create(cluster, node, now))(t).Certificate(kubepki.RoleAPIServer))(t).Leaf
	for _, name := range []string{"api.internal", "more.internal", "other.example.com"} {
		succeeds(t, server.VerifyHostname(name))
	}
	if end := now.Add(10 * day); !server.NotAfter.Equal(end) {
		t.Errorf("expected the end %v, got %v", end, server.NotAfter)
	}
	node.Name = "cp-2"
	_, err := kubepki.Create(cluster, node, now)
	fails(t, err, kubepki.ErrInvalid, "elsewhere")
	layout.Directory = "/srv"
	_, err = kubepki.Load(layout)
	fails(t, err, kubepki.ErrInvalid, "elsewhere")

	file = kubepki.Kubeadm{
		YAML:      []byte(kubeadm + "unknown: field\n"),
		NodeName:  "cp-2",
		Advertise: netip.MustParseAddr("192.0.2.11"),
		Endpoint:  "new.example.com:6443",
	}
	if remarks := must(file.Remarks())(t); len(remarks) != 1 || !strings.Contains(remarks[0], "unknown") {
		t.Error(remarks)
	}
	first := must(file.FirstNode())(t)
	pki = open(kubepki.Create(must(file.Cluster())(t), first, now))(t)
	server = must(pki.Certificate(kubepki.RoleAPIServer))(t).Leaf
	for _, name := range []string{"cp-2", "192.0.2.11", "new.example.com"} {
		succeeds(t, server.VerifyHostname(name))
	}

	for text, says := range map[string]string{
		"":                         "",
		"a: b: c":                  "",
		"a: &a [*a]":               "",
		"\xff":                     "",
		strings.Repeat("#", 2<<20): "",
		strings.Replace(kubeadm, "192.0.2.10", "nowhere", 1): "advertiseAddress",
	} {
		file := kubepki.Kubeadm{YAML: []byte(text)}
		if _, err := file.Node(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestOtherMachinesJoin(t *testing.T) {
	cluster := aCluster()
	cluster.DedicatedEtcd = true
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	// They travel as files.
	carried := open(kubepki.AuthoritiesFromFiles(must(authorities.Files())(t)))(t)
	member := aNode()
	member.Kind, member.Name = kubepki.EtcdMember, "etcd-1"
	for _, machine := range []struct {
		node     kubepki.Node
		has, not []kubepki.Role
	}{
		{
			aNode(),
			[]kubepki.Role{kubepki.RoleAPIServer, kubepki.RoleAPIServerEtcdClient},
			[]kubepki.Role{kubepki.RoleEtcdServer, kubepki.RoleSuperAdmin},
		},
		{
			member,
			[]kubepki.Role{kubepki.RoleEtcdServer, kubepki.RoleEtcdPeer},
			[]kubepki.Role{kubepki.RoleKubeletClient},
		},
		{
			worker,
			[]kubepki.Role{kubepki.RoleKubeletClient, kubepki.RoleKubeletServer},
			[]kubepki.Role{kubepki.RoleAdmin},
		},
	} {
		pki := open(carried.Join(cluster, machine.node, now))(t)
		for _, role := range machine.has {
			must(pki.Credential(role))(t)
		}
		for _, role := range machine.not {
			_, err := pki.Credential(role)
			fails(t, err, kubepki.ErrAbsent, "")
		}
	}

	// Or they lie in a directory, and etcd is somebody else's.
	cluster.DedicatedEtcd = false
	cluster.ExternalEtcd = &kubepki.EtcdFiles{CA: "/e/ca.crt", Cert: "/e/client.crt", Key: "/e/client.key"}
	first := open(authorities.First(cluster, aNode(), now))(t)
	has(t, must(first.Arguments(kubepki.APIServer))(t), "--etcd-certfile=/e/client.crt")
	loaded := open(kubepki.LoadAuthorities(filepath.Dir(saved(t, first, "admin.conf"))))(t)
	open(loaded.Join(cluster, worker, now))(t)
}

func TestAnAuthorityCertifiesKeysOfOthers(t *testing.T) {
	cluster := aCluster()
	ofRoot := kubepki.Profile{Role: kubepki.RoleRootCA, Name: "Example Root"}
	root := open(kubepki.SelfSigned(cluster, ofRoot, now))(t)
	ofSite := kubepki.Profile{Role: kubepki.RoleIntermediate, Name: "Example Site"}
	site := open(root.Intermediate(cluster, ofSite, now))(t)
	key := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))(t)
	service := kubepki.Profile{
		Role:     kubepki.RoleService,
		Name:     "shop.example.org",
		SANs:     []string{"192.0.2.80"},
		Lifetime: 30 * day,
	}
	chain := must(site.Certify(key.Public(), cluster, service, now))(t)
	if len(chain) != 2 || !key.PublicKey.Equal(chain[0].PublicKey) || !chain[0].NotAfter.Equal(now.Add(30*day)) {
		t.Error(chain)
	}
	succeeds(t, chain[0].VerifyHostname("192.0.2.80"))
	succeeds(t, chain[0].CheckSignatureFrom(chain[1]))
	issued := must(site.Issue(cluster, service, now))(t)
	must(issued.TLS())(t)
	_, err := site.Certify("a key", cluster, service, now)
	fails(t, err, kubepki.ErrUnsupported, "public key")

	ca := open(kubepki.SelfSigned(cluster, kubepki.Profile{Role: kubepki.RoleKubernetesCA}, now))(t)
	node := aNode()
	ofServer := kubepki.Profile{Role: kubepki.RoleAPIServer, Node: &node, SANs: []string{"a.example.org"}}
	serving := must(ca.Issue(cluster, ofServer, now))(t)
	succeeds(t, must(serving.Chain())(t)[0].VerifyHostname("a.example.org"))
}

func TestAUserIsWhomItsCertificateNames(t *testing.T) {
	pki := open(kubepki.Create(aCluster(), aNode(), now))(t)
	authorities := open(pki.Authorities())(t)
	cluster := must(pki.Cluster())(t) // as it was described
	user := kubepki.Profile{Role: kubepki.RoleUser, Name: "jane", Groups: []string{"developers", "on-call"}}
	credential := must(authorities.Issue(cluster, user, now))(t)
	kubeconfig := must(authorities.Kubeconfig(cluster, credential))(t)
	succeeds(t, kubepki.CheckKubeconfig(kubeconfig.Bytes()))
	if !bytes.Contains(kubeconfig.Bytes(), []byte("https://api.example.com:6443")) {
		t.Error("it points elsewhere")
	}
	who := must(kubepki.Identify(credential.ChainPEM))(t)
	slices.Sort(who.Groups)
	if who.User != "jane" || !slices.Equal(who.Groups, user.Groups) || who.UID != "" || len(who.Notes) != 0 {
		t.Errorf("%+v", who)
	}
	super := must(kubepki.Identify(must(pki.Credential(kubepki.RoleSuperAdmin))(t).ChainPEM))(t)
	if len(super.Notes) != 1 || super.Notes[0].ID != "authorization-bypassed" || super.Notes[0].Help == "" {
		t.Errorf("%+v", super)
	}
}

func TestManifestsAreObjects(t *testing.T) {
	node := aNode()
	node.Addresses = []netip.Addr{node.Advertise}
	machine := kubepki.Expected{
		Cluster: aCluster(),
		Node:    node,
		Layout:  &kubepki.Layout{Directory: "/srv/kubernetes"},
	}
	for kind, manifest := range map[string]*kubepki.Manifest{
		"kubeadm:cluster-admins": must(kubepki.ClusterAdminsBinding())(t),
		"kubelet-client":         must(kubepki.APIServerKubeletClientBinding())(t),
		"kubelet-api-admin":      must(kubepki.KubeletAPIAdminBinding())(t),
		"/srv/kubernetes":        must(kubepki.KubeletConfiguration(machine))(t),
	} {
		if !json.Valid(manifest.JSON.Bytes()) || !bytes.Contains(manifest.YAML.Bytes(), []byte(kind)) ||
			!bytes.Contains(manifest.JSON.Bytes(), []byte(kind)) {
			t.Errorf("%s", []byte(manifest.YAML.Bytes()))
		}
	}
}
