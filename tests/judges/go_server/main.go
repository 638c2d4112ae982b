// Command judge answers requests over TLS. Its arguments are the files of its certificate and key, and the address to
// listen on. Its first line is the port; each further one has the headers of a request for /readyz, as JSON.
//
// It is a webhook as well, for whoever shows a client certificate: /token knows the user "hooked" by the token "known",
// /access allows that user everything.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	if err := serve(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(certificate, key, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	headers := json.NewEncoder(os.Stdout)
	http.HandleFunc("/readyz", func(_ http.ResponseWriter, request *http.Request) {
		_ = headers.Encode(request.Header)
	})
	http.HandleFunc("/token", review(func(spec map[string]any) any {
		user := map[string]any{"username": "hooked", "groups": []string{"hooks"}}
		return map[string]any{"authenticated": spec["token"] == "known", "user": user}
	}))
	http.HandleFunc("/access", review(func(spec map[string]any) any {
		return map[string]any{"allowed": spec["user"] == "hooked"}
	}))
	server := http.Server{TLSConfig: &tls.Config{ClientAuth: tls.RequestClientCert}}
	return server.ServeTLS(listener, certificate, key)
}

// review answers a TokenReview or SubjectAccessReview, of version v1, by its status.
func review(status func(spec map[string]any) any) http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		var object map[string]any
		if err := json.NewDecoder(request.Body).Decode(&object); err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		spec, _ := object["spec"].(map[string]any)
		version, _ := object["apiVersion"].(string)
		isFirst := version == "authentication.k8s.io/v1" || version == "authorization.k8s.io/v1"
		if len(request.TLS.PeerCertificates) == 0 || !isFirst {
			http.Error(answer, "expected a client certificate and version v1", http.StatusForbidden)
			return
		}
		object["status"] = status(spec)
		answer.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(answer).Encode(object)
	}
}
