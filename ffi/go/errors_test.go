package kubepki_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepki"
)

func TestADescriptionThatCannotBeIsRefused(t *testing.T) {
	type (
		cluster = kubepki.Cluster
		node    = kubepki.Node
		names   = map[kubepki.Role][]string
	)
	const invalid = kubepki.ErrInvalid
	small := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/30")}
	ip := netip.MustParseAddr
	for name, wrong := range map[string]struct {
		change func(*cluster, *node)
		code   kubepki.Code
		says   string
	}{
		"no endpoint":   {func(c *cluster, _ *node) { c.Endpoint = "" }, invalid, "endpoint"},
		"a NUL":         {func(c *cluster, _ *node) { c.Endpoint = "a\x00b" }, invalid, "endpoint"},
		"no UTF-8":      {func(c *cluster, _ *node) { c.Name = "\xff" }, invalid, "name"},
		"a huge name":   {func(c *cluster, _ *node) { c.DNSDomain = strings.Repeat("a", 1<<20) }, invalid, ""},
		"no algorithm":  {func(c *cluster, _ *node) { c.KeyAlgorithm = "dsa" }, invalid, "dsa"},
		"no convention": {func(c *cluster, _ *node) { c.Convention = "mine" }, invalid, "mine"},
		"no version":    {func(c *cluster, _ *node) { c.KubernetesVersion = "one" }, invalid, "one"},
		"a small subnet": {func(c *cluster, _ *node) {
			c.ServiceSubnets = small
		}, kubepki.ErrSubnetTooSmall, ""},
		"an empty subnet": {func(c *cluster, _ *node) { c.ServiceSubnets = make([]netip.Prefix, 1) }, invalid, ""},
		"a negative span": {func(c *cluster, _ *node) { c.LeafLifetime = -time.Second }, invalid, "-1s"},
		"half a second":   {func(c *cluster, _ *node) { c.AuthorityLifetime = time.Second / 2 }, invalid, "500ms"},
		"etcd twice": {func(c *cluster, _ *node) {
			c.DedicatedEtcd, c.ExternalEtcd = true, new(kubepki.EtcdFiles)
		}, invalid, "both"},
		"etcd without files": {func(c *cluster, _ *node) { c.ExternalEtcd = new(kubepki.EtcdFiles) }, invalid, ""},
		"no kind":            {func(_ *cluster, n *node) { n.Kind = "" }, invalid, "Kind"},
		"no name":            {func(_ *cluster, n *node) { n.Name = "" }, invalid, "node name"},
		"an injection":       {func(_ *cluster, n *node) { n.Name = "a/O=system:masters" }, invalid, "node name"},
		"no address":         {func(_ *cluster, n *node) { n.Advertise = netip.Addr{} }, invalid, "address"},
		"a zone":             {func(_ *cluster, n *node) { n.Advertise = ip("fe80::1%eth0") }, invalid, "address"},
		"a worker's address": {func(_ *cluster, n *node) { n.Kind = kubepki.Worker }, invalid, "Advertise"},
		"a kubelet nowhere": {func(_ *cluster, n *node) {
			n.Addresses = make([]netip.Addr, 1)
		}, invalid, "address"},
		"names of a client": {func(_ *cluster, n *node) {
			n.SANs = names{kubepki.RoleAdmin: {"a"}}
		}, invalid, "admin"},
		"names of nobody": {func(_ *cluster, n *node) { n.SANs = names{"": {"a"}} }, invalid, "role"},
		"a bad name": {func(_ *cluster, n *node) {
			n.SANs = names{kubepki.RoleAPIServer: {"a b"}}
		}, invalid, "a b"},
		"a bad front proxy": {func(_ *cluster, n *node) { n.FrontProxyNames = []string{""} }, invalid, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ofCluster, ofNode := aCluster(), aNode()
			wrong.change(&ofCluster, &ofNode)
			pki, err := kubepki.Create(ofCluster, ofNode, now)
			fails(t, err, wrong.code, wrong.says)
			if pki != nil {
				t.Error("and yet it was made")
			}
		})
	}
}

func TestAMomentOutOfTimeIsRefused(t *testing.T) {
	for _, moment := range []time.Time{{}, time.Unix(-1, 0), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, err := kubepki.Create(aCluster(), aNode(), moment)
		fails(t, err, kubepki.ErrInvalid, "1970")
	}
}

func TestAnErrorSaysWhere(t *testing.T) {
	directory := t.TempDir()
	_, err := kubepki.Load(kubepki.Layout{Directory: filepath.Join(directory, "nowhere")})
	fails(t, err, kubepki.ErrIO, "nowhere")
	var failure *kubepki.Error
	if !errors.As(err, &failure) || failure.Expected == "" || failure.Found == "" {
		t.Fatalf("%#v", failure)
	}
	place := kubepki.Place{Kind: kubepki.PlaceFile, Text: filepath.Join(directory, "nowhere")}
	if !slices.Equal(failure.Places, []kubepki.Place{place}) {
		t.Errorf("%v", failure.Places)
	}

	// Wrapped errors are found as well, and what the operating system said is behind them.
	var number syscall.Errno
	err = fmt.Errorf("joining: %w", err)
	if !errors.Is(err, kubepki.ErrIO) || !errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) ||
		!errors.As(err, &number) || number != syscall.ENOENT {
		t.Error(err)
	}
	file := filepath.Join(directory, "file")
	succeeds(t, os.WriteFile(file, nil, 0o600))
	below := kubepki.Layout{Directory: filepath.Join(file, "kubernetes")}
	if _, err = kubepki.Open(below); !errors.Is(err, syscall.ENOTDIR) {
		t.Error(err)
	}
	if _, err = kubepki.Load(kubepki.Layout{}); errors.Unwrap(err) != nil {
		t.Errorf("%v has %v behind it", err, errors.Unwrap(err))
	}
}

func TestFindingsAreAnError(t *testing.T) {
	cluster := aCluster()
	cluster.LeafLifetime = 20 * day // which ends soon: a warning
	pki := open(kubepki.Create(cluster, aNode(), now))(t)
	report := must(pki.Audit(nil, now.Add(19*day)))(t)
	if succeeds(t, report.Err()); len(report.Findings) == 0 {
		t.Error("there should be warnings")
	}
	report = must(pki.Audit(nil, now.Add(21*day)))(t)
	err := fmt.Errorf("auditing: %w", report.Err())
	fails(t, err, kubepki.ErrFindings, "error: pki/apiserver.crt: expired: expected ")
	var failure *kubepki.Error
	if !errors.As(err, &failure) || len(failure.Findings) < 5 {
		t.Fatal(err)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(failure.Findings) {
		t.Errorf("%d lines for %d findings", lines, len(failure.Findings))
	}
	for _, finding := range failure.Findings {
		if finding.Severity != kubepki.SeverityError || !strings.Contains(err.Error(), finding.String()) {
			t.Errorf("%+v", finding)
		}
	}
	succeeds(t, new(kubepki.Report).Err())
}

func TestDirectoriesFailWithTheirCodes(t *testing.T) {
	layout := kubepki.Layout{Directory: t.TempDir()}
	pki := open(kubepki.Create(aCluster(), aNode(), now))(t)
	succeeds(t, pki.Save(layout))
	succeeds(t, pki.Save(layout)) // the same again

	other := open(kubepki.Create(aCluster(), aNode(), now))(t)
	fails(t, other.Save(layout), kubepki.ErrExists, layout.Directory)
	elsewhere := kubepki.Layout{Directory: filepath.Join(t.TempDir(), "kubernetes")}
	both := []kubepki.Placement{{PKI: other, Layout: elsewhere}, {PKI: other, Layout: layout}}
	fails(t, kubepki.SaveAll(both...), kubepki.ErrExists, layout.Directory)
	if _, err := os.Stat(elsewhere.Directory); !errors.Is(err, fs.ErrNotExist) {
		t.Error("one of two was saved", err)
	}
	both[1].PKI = pki
	succeeds(t, kubepki.SaveAll(both...))
	must(os.Stat(filepath.Join(elsewhere.Directory, "admin.conf")))(t)
	fails(t, kubepki.SaveAll(kubepki.Placement{PKI: pki}), kubepki.ErrInvalid, "directory")
	succeeds(t, kubepki.SaveAll())
	fails(t, pki.Save(kubepki.Layout{}), kubepki.ErrInvalid, "directory")
	_, err := kubepki.Load(kubepki.Layout{})
	fails(t, err, kubepki.ErrInvalid, "directory")

	store := open(kubepki.Open(layout))(t)
	_, err = kubepki.Open(layout)
	fails(t, err, kubepki.ErrLocked, layout.Directory)

	loaded := open(store.Load())(t)
	plan := open(loaded.Plan(nil, kubepki.Policy{All: true}, now))(t)
	fails(t, plan.Apply(other), kubepki.ErrChanged, "")
	succeeds(t, plan.Apply(loaded))
	fails(t, plan.Apply(loaded), kubepki.ErrChanged, "")
	succeeds(t, os.WriteFile(filepath.Join(layout.Directory, "admin.conf"), []byte("{}"), 0o600))
	fails(t, store.Commit(loaded), kubepki.ErrChanged, "admin.conf")
}

func TestWhatIsNotThereIsAbsent(t *testing.T) {
	cluster := aCluster()
	worker := open(open(kubepki.CreateAuthorities(cluster, now))(t).Join(cluster, worker, now))(t)
	_, err := worker.Credential(kubepki.RoleAPIServer)
	fails(t, err, kubepki.ErrAbsent, "")
	_, err = worker.Certificate(kubepki.RoleAPIServer)
	fails(t, err, kubepki.ErrAbsent, "")
	_, err = worker.Credential("")
	fails(t, err, kubepki.ErrInvalid, "role")
	authorities := open(worker.Authorities())(t)
	_, err = authorities.Issuer(kubepki.RoleKubernetesCA)
	fails(t, err, kubepki.ErrAbsent, "")
	_, err = authorities.Issue(cluster, jane, now)
	fails(t, err, kubepki.ErrNoIssuer, "")
	for _, path := range []string{"", "../pki/ca.crt", "pki/ca.crt"} {
		_, err = kubepki.FromFiles(kubepki.Files{{Path: path}, {Path: "pki/ca.crt"}})
		fails(t, err, kubepki.ErrInvalid, "path")
	}
	_, err = open(kubepki.FromFiles(nil))(t).Cluster()
	fails(t, err, kubepki.ErrAbsent, "")
	_, err = worker.Arguments("kube-dns")
	fails(t, err, kubepki.ErrInvalid, "kube-dns")
	_, err = kubepki.Expected{Cluster: cluster}.Arguments(kubepki.APIServer)
	fails(t, err, kubepki.ErrInvalid, "Kind")
	_, err = worker.Audit(&kubepki.Expected{Node: aNode()}, now)
	fails(t, err, kubepki.ErrInvalid, "endpoint")
	_, err = worker.Plan(nil, kubepki.Policy{Within: -day}, now)
	fails(t, err, kubepki.ErrInvalid, "Within")
}

func TestWhatCannotBeReadIsMalformed(t *testing.T) {
	const noDER = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	for _, text := range []string{"", "no PEM", noDER} {
		_, err := kubepki.NewIssuer([]byte(text), kubepki.NewSecret([]byte(text)))
		fails(t, err, kubepki.ErrMalformed, "")
		_, err = (&kubepki.Credential{ChainPEM: []byte(text)}).Chain()
		if err == nil {
			t.Errorf("%q is a chain", text)
		}
		_, err = kubepki.Identify([]byte(text))
		fails(t, err, kubepki.ErrMalformed, "")
	}
	fails(t, kubepki.CheckKubeconfig([]byte("a: &b [*b]")), kubepki.ErrMalformed, "")
	noPEM := kubepki.Files{{Path: "pki/ca.crt", Contents: kubepki.NewSecret("no PEM")}}
	_, err := kubepki.AuthoritiesFromFiles(noPEM)
	fails(t, err, kubepki.ErrMalformed, "pki/ca.crt")
}

func TestAKeyMustBeThatOfItsCertificate(t *testing.T) {
	cluster := aCluster()
	root := kubepki.Profile{Role: kubepki.RoleRootCA, Name: "Example Root"}
	one := open(kubepki.SelfSigned(cluster, root, now))(t)
	other := open(kubepki.SelfSigned(cluster, root, now))(t)
	chain, key := must(one.ChainPEM())(t), must(one.KeyPEM())(t)
	_, err := kubepki.NewIssuer(chain, must(other.KeyPEM())(t))
	fails(t, err, kubepki.ErrKeyMismatch, "")
	open(kubepki.NewIssuer(chain, key))(t)

	// What is issued by one authority is no user of another.
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	others := open(kubepki.CreateAuthorities(cluster, now))(t)
	credential := must(authorities.Issue(cluster, jane, now))(t)
	_, err = others.Kubeconfig(cluster, credential)
	fails(t, err, kubepki.ErrWrongIssuer, "")
	credential.KeyPEM = key
	_, err = authorities.Kubeconfig(cluster, credential)
	fails(t, err, kubepki.ErrKeyMismatch, "")
}

func TestAnAuthorityOutOfItsTimeDoesNotSign(t *testing.T) {
	cluster := aCluster()
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	_, err := authorities.Issue(cluster, jane, now.Add(3651*day))
	fails(t, err, kubepki.ErrAuthorityExpired, "")
	_, err = authorities.Issue(cluster, jane, now.Add(-day))
	fails(t, err, kubepki.ErrAuthorityNotYetValid, "")
	last := must(authorities.Issue(cluster, jane, now.Add(3640*day)))(t)
	if end := now.Add(4005 * day); !last.ShortenedFrom.Equal(end) {
		t.Errorf("expected to be shortened from %v, got %v", end, last.ShortenedFrom)
	}
	first := must(authorities.Issue(cluster, jane, now))(t)
	if !first.ShortenedFrom.IsZero() {
		t.Error("shortened from", first.ShortenedFrom)
	}
	_, err = authorities.Issue(cluster, kubepki.Profile{Role: kubepki.RoleKubernetesCA}, now)
	fails(t, err, kubepki.ErrNoIssuer, "kubernetes-ca")
	_, err = kubepki.SelfSigned(cluster, jane, now)
	fails(t, err, kubepki.ErrUsageConflict, "")
	_, err = authorities.Issue(cluster, kubepki.Profile{Role: kubepki.RoleAPIServer}, now)
	fails(t, err, kubepki.ErrNull, "node")
	_, err = authorities.Issue(cluster, kubepki.Profile{Role: kubepki.RoleUser, Name: "system:admin"}, now)
	fails(t, err, kubepki.ErrInvalid, "")
	brief := jane
	brief.Lifetime = time.Millisecond
	_, err = authorities.Issue(cluster, brief, now)
	fails(t, err, kubepki.ErrInvalid, "Lifetime")
}
