package kubepki_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"kubepki"
)

func TestAPKIIsAFileSystem(t *testing.T) {
	node := aNode()
	node.KubeProxy = true
	pki := open(kubepki.Create(aCluster(), node, now))(t)
	files, system := must(pki.Files())(t), must(pki.FS())(t)
	var paths []string
	for _, file := range files {
		paths = append(paths, file.Path)
		if contents := must(fs.ReadFile(system, file.Path))(t); string(contents) != string(file.Contents.Bytes()) {
			t.Errorf("%s has other contents", file.Path)
		}
		mode := fs.FileMode(0o600)
		if strings.HasSuffix(file.Path, ".crt") {
			mode = 0o644
		}
		if info := must(fs.Stat(system, file.Path))(t); info.Mode() != mode || file.Mode != mode {
			t.Errorf("%s: expected mode %v, got %v and %v", file.Path, mode, info.Mode(), file.Mode)
		}
	}
	if !slices.Contains(paths, "kube-proxy.conf") || !slices.Contains(paths, "pki/etcd/peer.key") {
		t.Error(paths)
	}
	succeeds(t, fstest.TestFS(system, paths...))
	succeeds(t, fstest.TestFS(kubepki.Files{}.FS()))

	// What is written from there is what Save writes.
	one, other := t.TempDir(), t.TempDir()
	succeeds(t, os.CopyFS(filepath.Join(one, "copy"), system))
	succeeds(t, pki.Save(kubepki.Layout{Directory: other}))
	difference, err := exec.Command("diff", "-r", filepath.Join(one, "copy"), other).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, difference)
	}

	// And from there it is read again.
	again := open(kubepki.FromFiles(files))(t)
	if report := must(again.Audit(nil, now))(t); len(report.Findings) != 0 {
		t.Error(report)
	}
}

func TestAFileSystemHasOnlyWhatItCan(t *testing.T) {
	system := kubepki.Files{
		{Path: "/var/lib/kubelet/pki/kubelet.crt", Contents: kubepki.NewSecret("a")},
		{Path: "pki//ca.crt", Contents: kubepki.NewSecret("b")},
		{Path: "pki/ca.crt", Contents: kubepki.NewSecret("c")},
		{Path: "pki/ca.crt/below", Contents: kubepki.NewSecret("d")},
		{Path: "pki/ca.crt/far/below", Contents: kubepki.NewSecret("d")},
		{Path: "pki", Contents: kubepki.NewSecret("d")},
		{Path: "../ca.key", Contents: kubepki.NewSecret("e")},
		{Path: "", Contents: kubepki.NewSecret("f")},
	}.FS()
	for _, path := range []string{"pki/ca.crt/below", "pki/ca.crt/far", "pki/ca.crt/far/below"} {
		if _, err := system.Open(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	succeeds(t, fstest.TestFS(system, "var/lib/kubelet/pki/kubelet.crt", "pki/ca.crt"))
	if contents := must(fs.ReadFile(system, "pki/ca.crt"))(t); string(contents) != "b" {
		t.Errorf("%s", contents)
	}
	var names []string
	succeeds(t, fs.WalkDir(system, ".", func(path string, entry fs.DirEntry, err error) error {
		if !entry.IsDir() {
			names = append(names, path)
		}
		return err
	}))
	if len(names) != 2 {
		t.Error(names)
	}
}

func TestPrintingShowsNoSecret(t *testing.T) {
	authorities := open(kubepki.CreateAuthorities(aCluster(), now))(t)
	files := must(authorities.Files())(t)
	credential := must(authorities.Issue(aCluster(), jane, now))(t)
	system := files.FS()
	opened := must(system.Open("pki/ca.key"))(t)
	values := map[string]any{
		"a secret":     credential.KeyPEM,
		"its address":  &credential.KeyPEM,
		"a credential": *credential,
		"its pointer":  credential,
		"a user":       kubepki.User{Credential: credential, Token: credential.KeyPEM},
		"a hidden one": struct{ key kubepki.Secret }{credential.KeyPEM},
		"a map":        map[string]kubepki.Secret{"key": credential.KeyPEM},
		"anything":     struct{ Held any }{credential.KeyPEM},
		"a manifest":   must(kubepki.TLSSecret("default", "shop", credential))(t),
		"tokens":       kubepki.StaticTokens{CSV: credential.KeyPEM},
		"files":        files,
		"a system":     system,
		"an open file": opened,
		"its info":     must(opened.Stat())(t),
	}
	secrets := []kubepki.Secret{credential.KeyPEM}
	for _, file := range files {
		secrets = append(secrets, file.Contents)
	}
	for name, value := range values {
		var text bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&text, verb, value)
		}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&text, nil)} {
			slog.New(handler).Info("made", "value", value, slog.Group("group", "value", value))
		}
		encoded, _ := json.Marshal(value)
		text.Write(encoded)
		for _, secret := range secrets {
			part := secret.Bytes()[30:50]
			numbers := strings.Trim(fmt.Sprint(part), "[]")
			for _, sight := range []string{
				string(part), fmt.Sprintf("%x", part), numbers, strings.ReplaceAll(numbers, " ", ", "),
				strings.Trim(fmt.Sprintf("%#v", part), "[]byte{}"), base64.StdEncoding.EncodeToString(part),
				base64.StdEncoding.EncodeToString(secret.Bytes()[:60]),
			} {
				if bytes.Contains(text.Bytes(), []byte(sight)) {
					t.Errorf("%s shows %q", name, sight)
				}
			}
		}
	}
	if text, err := json.Marshal(credential); err == nil {
		t.Errorf("%d bytes of JSON", len(text))
	}
	var text strings.Builder
	slog.New(slog.NewTextHandler(&text, nil)).Info("made", "key", credential.KeyPEM)
	if !strings.Contains(text.String(), "key=[secret]") {
		t.Error(text.String())
	}
}

func TestCopiesOfASecretShareItsBytes(t *testing.T) {
	one := kubepki.NewSecret("hunter2")
	other := one
	if one.Clear(); string(other.Bytes()) != strings.Repeat("\x00", 7) {
		t.Errorf("%q", other.Bytes())
	}
	var none kubepki.Secret
	none.Clear()
	if none.Bytes() != nil || none.String() == "" {
		t.Error(none.Bytes())
	}
}

func TestSecretsAreEqualByTheirBytes(t *testing.T) {
	one, none := kubepki.NewSecret("hunter2"), kubepki.Secret{}
	for text, equal := range map[string]bool{"hunter2": true, "hunter3": false, "hunter": false, "": false} {
		if one.Equal(kubepki.NewSecret(text)) != equal || kubepki.NewSecret(text).Equal(one) != equal {
			t.Errorf("%q", text)
		}
	}
	if !none.Equal(kubepki.NewSecret("")) || none.Equal(one) {
		t.Error("none")
	}
}

// Whoever changes a document that was given changes nothing else.
func TestDocumentsAreGivenAsCopies(t *testing.T) {
	pki := open(kubepki.Create(aCluster(), aNode(), now))(t)
	csr := must(open(kubepki.NewRequest(aCluster(), jane))(t).CSR("jane", serving, 0))(t)
	for name, document := range map[string]func() []byte{
		"CSR.YAML":    csr.YAML,
		"CSR.JSON":    csr.JSON,
		"Report.JSON": must(pki.Audit(nil, now))(t).JSON,
		"Plan.JSON":   open(pki.Plan(nil, kubepki.Policy{}, now))(t).JSON,
	} {
		if clear(document()); len(document()) == 0 || document()[0] == 0 {
			t.Errorf("%s: %q", name, document())
		}
	}
}

// cgo lets no bytes through that lie beside a pointer, unless it is told that only they are meant.
func TestBytesMayBePartOfAnything(t *testing.T) {
	authorities := open(kubepki.CreateAuthorities(aCluster(), now))(t)
	credential := must(authorities.Issue(aCluster(), jane, now))(t)
	message := &struct {
		beside *int
		bytes  [1 << 16]byte
	}{beside: new(int)}
	chain := message.bytes[:copy(message.bytes[:], credential.ChainPEM)]
	if who := must(kubepki.Identify(chain))(t); who.User != "jane" {
		t.Error(who)
	}
	credential.ChainPEM = chain
	must(authorities.Kubeconfig(aCluster(), credential))(t)
}

func TestWhatIsClosedIsAnError(t *testing.T) {
	cluster, node := aCluster(), aNode()
	layout := kubepki.Layout{Directory: t.TempDir()}
	root := kubepki.Profile{Role: kubepki.RoleRootCA, Name: "Example Root"}
	pki := must(kubepki.Create(cluster, node, now))(t)
	authorities := must(pki.Authorities())(t)
	credential := must(authorities.Issue(cluster, jane, now))(t)
	issuer := must(kubepki.SelfSigned(cluster, root, now))(t)
	key := must(privateKey(must(issuer.KeyPEM())(t).Bytes()))(t)
	plan := must(pki.Plan(nil, kubepki.Policy{All: true}, now))(t)
	csr := must(open(kubepki.NewRequest(cluster, jane))(t).CSR("jane", serving, 0))(t)
	review := must((&kubepki.Approver{}).Review(csr))(t)
	token := must(kubepki.GenerateBootstrapToken())(t)
	configMap := must(authorities.ClusterInfoConfigMap(cluster, token))(t)
	info := must(kubepki.VerifyClusterInfoUnpinned(configMap.YAML.Bytes(), token))(t)
	ofPKI := must(pki.Cluster())(t)
	store := must(kubepki.Open(layout))(t)
	alive := open(store.Load())(t)
	other := open(kubepki.SelfSigned(cluster, root, now))(t)
	others := open(kubepki.CreateAuthorities(cluster, now))(t)
	for range 2 {
		for _, one := range []interface{ Close() error }{
			pki, authorities, issuer, plan, store, review, info,
		} {
			succeeds(t, one.Close())
		}
	}

	test := func(
		pki *kubepki.PKI, authorities *kubepki.Authorities, issuer *kubepki.Issuer, plan *kubepki.Plan,
		store *kubepki.Store, review *kubepki.Review, info *kubepki.ClusterInfo,
	) {
		errs := map[string]error{
			"Authorities.Add":    authorities.Add(kubepki.RoleKubernetesCA, other),
			"Authorities.Attach": authorities.Attach(kubepki.RoleKubernetesCA, key),
			"an added Issuer":    others.Add(kubepki.RoleKubernetesCA, issuer),
			"PKI.Attach":         pki.Attach(kubepki.RoleKubernetesCA, key),
			"PKI.Save":           pki.Save(layout),
			"SaveAll":            kubepki.SaveAll(kubepki.Placement{alive, layout}, kubepki.Placement{pki, layout}),
			"SaveAll of nothing": kubepki.SaveAll(kubepki.Placement{Layout: layout}),
			"Plan.Apply":         plan.Apply(alive),
			"Review.Apply":       review.Apply(csr, now),
			"Store.Commit":       store.Commit(alive),
		}
		_, errs["Authorities.Files"] = authorities.Files()
		_, errs["Authorities.First"] = authorities.First(cluster, node, now)
		_, errs["Authorities.Issue"] = authorities.Issue(cluster, jane, now)
		_, errs["Authorities.Issuer"] = authorities.Issuer(kubepki.RoleKubernetesCA)
		_, errs["Authorities.Join"] = authorities.Join(cluster, node, now)
		_, errs["Authorities.Kubeconfig"] = authorities.Kubeconfig(cluster, credential)
		_, errs["Authorities.TrustStorePEM"] = authorities.TrustStorePEM()
		_, errs["ClusterInfo.KubeconfigFor"] = info.KubeconfigFor("jane", kubepki.User{TokenFile: "/run/token"})
		_, errs["CreateAuthoritiesUnder"] = kubepki.CreateAuthoritiesUnder(issuer, cluster, now)
		_, errs["Issuer.Certify"] = issuer.Certify(key.Public(), cluster, jane, now)
		_, errs["Issuer.Chain"] = issuer.Chain()
		_, errs["Issuer.ChainPEM"] = issuer.ChainPEM()
		_, errs["Issuer.Intermediate"] = issuer.Intermediate(cluster, root, now)
		_, errs["Issuer.IntermediateBy"] = issuer.IntermediateBy(key, cluster, root, now)
		_, errs["Issuer.Issue"] = issuer.Issue(cluster, jane, now)
		_, errs["Issuer.KeyPEM"] = issuer.KeyPEM()
		_, errs["Issuer.ShortenedFrom"] = issuer.ShortenedFrom()
		_, errs["PKI.Arguments"] = pki.Arguments(kubepki.APIServer)
		_, errs["PKI.Audit"] = pki.Audit(nil, now)
		_, errs["PKI.Authorities"] = pki.Authorities()
		_, errs["PKI.Certificate"] = pki.Certificate(kubepki.RoleAdmin)
		_, errs["PKI.Cluster"] = pki.Cluster()
		_, errs["PKI.Credential"] = pki.Credential(kubepki.RoleAdmin)
		_, errs["PKI.FS"] = pki.FS()
		_, errs["PKI.Files"] = pki.Files()
		_, errs["PKI.Plan"] = pki.Plan(nil, kubepki.Policy{}, now)
		_, errs["PKI.Tree"] = pki.Tree()
		_, errs["Store.Load"] = store.Load()
		_, errs["a closed PKI's Cluster"] = kubepki.CreateAuthorities(ofPKI, now)
		for name, err := range errs {
			t.Run(name, func(t *testing.T) { fails(t, err, kubepki.ErrClosed, "closed") })
		}
	}
	test(pki, authorities, issuer, plan, store, review, info)
	test(new(kubepki.PKI), new(kubepki.Authorities), new(kubepki.Issuer), new(kubepki.Plan), new(kubepki.Store),
		new(kubepki.Review), new(kubepki.ClusterInfo))
	succeeds(t, new(kubepki.PKI).Close())
}

func TestAnyNumberOfGoroutinesUseAValueAtOnce(t *testing.T) {
	cluster, files, key := externalAuthorities(t, kubepki.ECDSAP256)
	authorities := must(kubepki.AuthoritiesFromFiles(files))(t)
	succeeds(t, authorities.Attach(kubepki.RoleKubernetesCA, &hsm{Signer: key}))
	pki := must(authorities.First(cluster, aNode(), now))(t)
	store := open(kubepki.Open(kubepki.Layout{Directory: t.TempDir()}))(t)

	// Some change, some look, and one closes while others are at it.
	var all sync.WaitGroup
	closed := make(chan struct{})
	for i := range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for round := 0; ; round++ {
				if i == 0 && round == 25 {
					succeeds(t, authorities.Close())
					succeeds(t, pki.Close())
					close(closed)
				}
				_, err := authorities.Issue(cluster, jane, now)
				if err == nil {
					_, err = pki.Audit(nil, now)
				}
				if err == nil && round%5 == 0 {
					err = store.Commit(pki)
				}
				select {
				case <-closed:
					return
				default:
				}
				if err != nil && !strings.Contains(err.Error(), "closed") {
					t.Error(err)
					return
				}
			}
		}()
	}
	all.Wait()
}

// What is forgotten is freed: the memory of the process says so, and the lock.
func TestWhatIsForgottenIsFreed(t *testing.T) {
	files := must(open(kubepki.Create(aCluster(), aNode(), now))(t).Files())(t)
	rounds := func(keep func(*kubepki.PKI)) (grown int) {
		before := resident(t)
		for i := range 400 {
			pki := must(kubepki.FromFiles(files))(t)
			must(pki.Authorities())(t)
			keep(pki)
			if i%20 == 0 {
				runtime.GC()
				time.Sleep(time.Millisecond) // cleanups have a goroutine of their own
			}
		}
		return resident(t) - before
	}
	forget := func(*kubepki.PKI) {}
	rounds(forget)
	rounds(forget)
	forgotten := rounds(forget)
	var kept []*kubepki.PKI
	held := rounds(func(pki *kubepki.PKI) { kept = append(kept, pki) })
	if forgotten > 10<<20 || held < 20<<20 {
		t.Errorf("%d bytes more where PKIs are forgotten, %d where %d are kept", forgotten, held, len(kept))
	}
	t.Logf("%d bytes more where PKIs are forgotten, %d where %d are kept", forgotten, held, len(kept))

	layout := kubepki.Layout{Directory: t.TempDir()}
	must(kubepki.Open(layout))(t)
	eventually(t, func() bool {
		store, err := kubepki.Open(layout)
		return err == nil && store.Close() == nil
	})
}

// resident gives the memory that the process has, in bytes.
func resident(t testing.TB) int {
	fields := strings.Fields(string(must(os.ReadFile("/proc/self/statm"))(t)))
	return must(strconv.Atoi(fields[1]))(t) * os.Getpagesize()
}

func TestEveryConstantIsKnownToTheLibrary(t *testing.T) {
	sources := must(filepath.Glob("*.go"))(t)
	find := regexp.MustCompile(`(?m)^\t\w+ +(Role|Part|Component|KeyAlgorithm|Convention) += "([^"]+)"`)
	expected := kubepki.Expected{Cluster: aCluster(), Node: aNode()}
	seen := map[string]int{}
	for _, source := range sources {
		for _, constant := range find.FindAllStringSubmatch(string(must(os.ReadFile(source))(t)), -1) {
			seen[constant[1]]++
			var err error
			switch kind, value := constant[1], constant[2]; kind {
			case "Role":
				_, err = kubepki.Layout{Directory: "/"}.Path(kubepki.Role(value), kubepki.PartKey)
			case "Part":
				_, err = kubepki.Layout{Directory: "/"}.Path(kubepki.RoleUser, kubepki.Part(value))
			case "Component":
				_, err = expected.Arguments(kubepki.Component(value))
			case "KeyAlgorithm":
				expected.Cluster.KeyAlgorithm = kubepki.KeyAlgorithm(value)
				_, err = expected.Arguments(kubepki.APIServer)
			case "Convention":
				expected.Cluster.Convention = kubepki.Convention(value)
				_, err = expected.Arguments(kubepki.APIServer)
			}
			if err != nil && !errors.Is(err, kubepki.ErrAbsent) {
				t.Errorf("%s: %v", constant[0], err)
			}
		}
	}
	counts := map[string]int{"Role": 23, "Part": 4, "Component": 6, "KeyAlgorithm": 5, "Convention": 2}
	for kind, count := range counts {
		if seen[kind] != count {
			t.Errorf("expected %d constants of %s, found %d", count, kind, seen[kind])
		}
	}
}
