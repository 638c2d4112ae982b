// Command judge answers requests over TLS on a port of the loopback interface, with the certificate and key of the files
// that are its arguments. Its first line is the port; each further one has the headers of a request for /readyz, as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(certificate, key string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	headers := json.NewEncoder(os.Stdout)
	http.HandleFunc("/readyz", func(_ http.ResponseWriter, request *http.Request) {
		_ = headers.Encode(request.Header)
	})
	return http.ServeTLS(listener, nil, certificate, key)
}
