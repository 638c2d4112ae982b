package kubepki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"kubepki"
)

const serving = "example.com/serving"

// From the workload's key to its certificate, with the API server's part done by hand.
func TestARequestIsReviewedSignedAndAccepted(t *testing.T) {
	cluster := aCluster()
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	issuer := open(authorities.Issuer(kubepki.RoleKubernetesCA))(t)
	service := kubepki.Profile{Role: kubepki.RoleService, Name: "shop.default.svc"}
	request := open(kubepki.NewRequest(cluster, service))(t)
	made := must(request.CSR("shop", serving, time.Hour))(t)
	if made.Name != "shop" || made.SignerName != serving || made.State != kubepki.StatePending ||
		!bytes.Equal(made.RequestPEM, must(request.PEM())(t)) {
		t.Errorf("%+v", made)
	}

	// The API server says who asks.
	var object map[string]any
	succeeds(t, json.Unmarshal(made.JSON(), &object))
	object["spec"].(map[string]any)["username"] = "system:serviceaccount:default:shop"
	object["metadata"].(map[string]any)["labels"] = map[string]any{"unknown": "survives"}
	csr := must(kubepki.ParseCSR(must(json.Marshal(object))(t)))(t)

	policy := kubepki.SignerPolicy{
		SignerName:  serving,
		Requesters:  []string{"system:serviceaccount:default:*"},
		CommonNames: []string{"*.default.svc"},
		SANs:        []string{"DNS:*.default.svc", "DNS:*.default.svc.cluster.local"},
		Usages:      []string{"digital signature", "server auth", "key encipherment"},
		Longest:     2 * time.Hour,
	}
	if review := open((&kubepki.Approver{}).Review(csr))(t); review.Verdict != kubepki.VerdictNotMine {
		t.Errorf("%+v", review)
	}
	strict := policy
	strict.SANs = []string{"DNS:*.other.svc"}
	denied := must(kubepki.ParseCSR(csr.JSON()))(t)
	review := open((&kubepki.Approver{Policies: []kubepki.SignerPolicy{strict}}).Review(denied))(t)
	if review.Verdict != kubepki.VerdictDeny || !strings.Contains(review.Message, "shop.default.svc") {
		t.Errorf("%+v", review)
	}
	succeeds(t, review.Apply(denied, now))
	if denied.State != kubepki.StateDenied || denied.Message == "" {
		t.Errorf("%+v", denied)
	}
	outcome := must(denied.Sign(serving, issuer, 365*day, now))(t)
	if outcome.Kind != kubepki.OutcomeSkipped || outcome.Message == "" {
		t.Errorf("%+v", outcome)
	}

	review = open((&kubepki.Approver{Policies: []kubepki.SignerPolicy{policy}}).Review(csr))(t)
	if review.Verdict != kubepki.VerdictApprove {
		t.Fatalf("%+v", review)
	}
	succeeds(t, review.Apply(csr, now))
	fails(t, review.Apply(csr, now), kubepki.ErrChanged, "")
	fails(t, csr.Approve("Again", "again", now), kubepki.ErrChanged, "")
	_, err := csr.Sign(serving, issuer, -time.Second, now)
	fails(t, err, kubepki.ErrInvalid, "longest")
	outcome = must(csr.Sign("example.com/other", issuer, 365*day, now))(t)
	if outcome.Kind != kubepki.OutcomeSkipped || csr.State != kubepki.StateApproved {
		t.Errorf("%+v", outcome)
	}
	outcome = must(csr.Sign(serving, issuer, 365*day, now))(t)
	if outcome.Kind != kubepki.OutcomeIssued || csr.State != kubepki.StateIssued {
		t.Fatalf("%+v %s", outcome, csr.YAML())
	}
	if !bytes.Contains(csr.YAML(), []byte("unknown: survives")) {
		t.Errorf("%s", csr.YAML())
	}

	credential := must(request.Accept(csr.CertificatePEM))(t)
	leaf := must(credential.Chain())(t)[0]
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(authorities.TrustStorePEM())(t))
	must(leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, DNSName: "shop.default.svc"}))(t)
	if end := now.Add(time.Hour); leaf.NotAfter.After(end) {
		t.Errorf("expected the end %v, got %v", end, leaf.NotAfter)
	}
	if !bytes.Equal(credential.KeyPEM.Bytes(), must(request.KeyPEM())(t).Bytes()) {
		t.Error("another key")
	}
	other := open(kubepki.NewRequest(cluster, service))(t)
	_, err = other.Accept(csr.CertificatePEM)
	fails(t, err, kubepki.ErrKeyMismatch, "")
	fails(t, review.Apply(must(other.CSR("shop", serving, 0))(t), now), kubepki.ErrChanged, "")
	again := open(kubepki.NewRequestWithKey(cluster, service, must(request.KeyPEM())(t)))(t)
	must(again.Accept(csr.CertificatePEM))(t)
	service.Name = "store.default.svc"
	renamed := open(kubepki.NewRequestWithKey(cluster, service, must(request.KeyPEM())(t)))(t)
	_, err = renamed.Accept(csr.CertificatePEM)
	fails(t, err, kubepki.ErrWrongCertificate, "")
	_, err = kubepki.NewRequestWithKey(cluster, service, kubepki.NewSecret("no PEM"))
	fails(t, err, kubepki.ErrMalformed, "")
	succeeds(t, other.Close())
	_, err = other.PEM()
	fails(t, err, kubepki.ErrClosed, "closed")
}

// A request that Go made, of a kubelet.
func kubeletRequest(t testing.TB, signer string, usages string, template *x509.CertificateRequest) []byte {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	der := must(x509.CreateCertificateRequest(rand.Reader, template, key))(t)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	return fmt.Appendf(nil, `{"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
		"metadata": {"name": "csr-1"},
		"spec": {"signerName": "kubernetes.io/%s", "username": "system:node:n1",
		"groups": ["system:nodes", "system:authenticated"], "usages": [%s], "request": %q}}`,
		signer, usages, base64.StdEncoding.EncodeToString(text))
}

func TestAnApproverKnowsNodesByTheirObjects(t *testing.T) {
	object := kubeletRequest(t, "kubelet-serving", `"digital signature", "server auth"`,
		&x509.CertificateRequest{
			Subject:     pkix.Name{CommonName: "system:node:n1", Organization: []string{"system:nodes"}},
			DNSNames:    []string{"n1"},
			IPAddresses: []net.IP{net.IPv4(192, 0, 2, 20)},
		})
	csr := must(kubepki.ParseCSR(object))(t)
	if csr.Username != "system:node:n1" || csr.State != kubepki.StatePending || len(csr.CertificatePEM) != 0 {
		t.Errorf("%+v", csr)
	}
	node := func(address string) []byte {
		return fmt.Appendf(nil, `{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [
			{type: InternalIP, address: %s}, {type: Hostname, address: n1}]}}`, address)
	}
	for address, verdict := range map[string]kubepki.Verdict{
		"192.0.2.20": kubepki.VerdictApprove,
		"192.0.2.21": kubepki.VerdictDeny,
	} {
		approver := kubepki.Approver{Nodes: [][]byte{node(address)}}
		if review := open(approver.Review(csr))(t); review.Verdict != verdict || review.Reason == "" {
			t.Errorf("%s: %+v", address, review)
		}
	}

	object = kubeletRequest(t, "kube-apiserver-client-kubelet", `"digital signature", "client auth"`,
		&x509.CertificateRequest{
			Subject: pkix.Name{CommonName: "system:node:n1", Organization: []string{"system:nodes"}},
		})
	client := must(kubepki.ParseCSR(object))(t)
	if review := open((&kubepki.Approver{}).Review(client))(t); review.Verdict != kubepki.VerdictApprove {
		t.Errorf("%+v", review)
	}
	issuer := open(open(kubepki.CreateAuthorities(aCluster(), now))(t).Issuer(kubepki.RoleKubernetesCA))(t)
	succeeds(t, client.Approve("ByHand", "seen", now))
	outcome := must(client.Sign(client.SignerName, issuer, 365*day, now))(t)
	if outcome.Kind != kubepki.OutcomeIssued {
		t.Errorf("%+v", outcome)
	}
	if who := must(kubepki.Identify(client.CertificatePEM))(t); who.User != "system:node:n1" {
		t.Errorf("%+v", who)
	}
}

func TestARequestOrPolicyThatCannotBeIsRefused(t *testing.T) {
	for _, text := range []string{"", "a: b: c", "kind: Secret", "apiVersion: certificates.k8s.io/v1"} {
		if csr, err := kubepki.ParseCSR([]byte(text)); err == nil || csr != nil {
			t.Errorf("%q is taken for a request", text)
		}
	}
	csr := must(kubepki.ParseCSR(kubeletRequest(t, "kubelet-serving", `"server auth"`,
		&x509.CertificateRequest{})))(t)
	for says, approver := range map[string]kubepki.Approver{
		"Node":   {Nodes: [][]byte{[]byte("kind: Pod")}},
		"signer": {Policies: []kubepki.SignerPolicy{{SignerName: "no slash"}}},
		"URI":    {Policies: []kubepki.SignerPolicy{{SignerName: serving, SANs: []string{"nothing"}}}},
		"fly":    {Policies: []kubepki.SignerPolicy{{SignerName: serving, Usages: []string{"fly"}}}},
		"1ns":    {Policies: []kubepki.SignerPolicy{{SignerName: serving, Longest: 1}}},
		"group":  {BootstrapGroups: []string{""}},
	} {
		if _, err := approver.Review(csr); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	request := open(kubepki.NewRequest(aCluster(), jane))(t)
	_, err := request.CSR("shop", serving, time.Minute)
	fails(t, err, kubepki.ErrInvalid, "600")
	_, err = request.CSR("Shop", serving, 0)
	fails(t, err, kubepki.ErrInvalid, "Shop")
	_, err = request.Accept([]byte("no PEM"))
	fails(t, err, kubepki.ErrMalformed, "")
	_, err = new(kubepki.CSR).Sign(serving, nil, day, now)
	fails(t, err, kubepki.ErrMalformed, "")
	_, err = new(kubepki.Request).KeyPEM()
	fails(t, err, kubepki.ErrClosed, "")
}
