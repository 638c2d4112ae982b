package kubepki_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"kubepki"
)

// The API server and a client meet on loopback, and each verifies the other.
func TestServerAndClientVerifyEachOther(t *testing.T) {
	pki := open(kubepki.Create(aCluster(), aNode(), now))(t)
	authorities := open(pki.Authorities())(t)
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(must(authorities.TrustStorePEM())(t)) {
		t.Fatal("the trust store is empty")
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject := r.TLS.PeerCertificates[0].Subject
		io.WriteString(w, subject.CommonName+" "+subject.Organization[0])
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{must(pki.Certificate(kubepki.RoleAPIServer))(t)},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    trusted,
		Time:         func() time.Time { return now },
	}
	server.StartTLS()
	defer server.Close()

	other := open(kubepki.Create(aCluster(), aNode(), now))(t)
	admin := must(pki.Certificate(kubepki.RoleAdmin))(t)
	for _, client := range []struct {
		name string
		with tls.Certificate
		at   time.Time
		host string
		says string
	}{
		{"admin", admin, now, "kubernetes.default.svc", "kubernetes-admin kubeadm:cluster-admins"},
		{"admin, by the endpoint's name", admin, now, "api.example.com", "kubernetes-admin kubeadm:cluster-admins"},
		{"admin of another cluster", must(other.Certificate(kubepki.RoleAdmin))(t), now, "kubernetes", ""},
		{"a server", must(pki.Certificate(kubepki.RoleAPIServer))(t), now, "kubernetes", ""},
		{"nobody", tls.Certificate{}, now, "kubernetes", ""},
		{"admin, after a year", admin, now.Add(366 * day), "kubernetes", ""},
		{"admin, by a name that the server has not", admin, now, "api.example.org", ""},
	} {
		t.Run(client.name, func(t *testing.T) {
			transport := &http.Transport{
				TLSClientConfig: &tls.Config{
					Certificates: []tls.Certificate{client.with},
					RootCAs:      trusted,
					ServerName:   client.host,
					Time:         func() time.Time { return client.at },
				},
			}
			defer transport.CloseIdleConnections()
			answer, err := (&http.Client{Transport: transport}).Get("https://" + server.Listener.Addr().String())
			if client.says == "" {
				if err == nil {
					t.Error("was answered", answer.Status)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if says := string(must(io.ReadAll(answer.Body))(t)); says != client.says {
				t.Errorf("expected %q, got %q", client.says, says)
			}
		})
	}
}

// Members of etcd are server and client to each other.
func TestMembersOfEtcdVerifyEachOther(t *testing.T) {
	pki := open(kubepki.Create(aCluster(), aNode(), now))(t)
	peer := must(pki.Certificate(kubepki.RoleEtcdPeer))(t)
	trusted := x509.NewCertPool()
	for _, file := range must(pki.Files())(t) {
		if file.Path == "pki/etcd/ca.crt" {
			trusted.AppendCertsFromPEM(file.Contents.Bytes())
		}
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{peer},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    trusted,
		RootCAs:      trusted,
		ServerName:   "192.0.2.10",
		Time:         func() time.Time { return now },
	}
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	done := make(chan error)
	go func() { done <- tls.Server(one, config).Handshake() }()
	succeeds(t, tls.Client(other, config).Handshake())
	succeeds(t, <-done)
}
