// Command judge says what Go's crypto/x509 and crypto/tls say about certificates, as every Kubernetes component would.
//
// Each line of its input is one check, six fields between tabs:
//
//	server|client, chain file, key file, file of trusted certificates, DNS name or IP address, Unix seconds
//
// Key, name and seconds may be empty. Each line of its output is the answer: "ok", or what Go objects to.
//
// A line "subject", chain file, is answered by the common name and the organizations of the first certificate, in JSON.
//
// A line "sign" is answered as sign.go has it, a line "request" as well.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		answer, err := answer(strings.Split(lines.Text(), "\t"))
		if err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Println(answer)
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(fields []string) (string, error) {
	switch {
	case fields[0] == "sign":
		return sign(fields[1:])
	case fields[0] == "request":
		return request(fields[1:])
	case len(fields) != 2 || fields[0] != "subject":
		return "ok", check(fields)
	}
	chain, err := certificates(fields[1])
	if err != nil {
		return "", err
	}
	subject := chain[0].Subject
	answer, err := json.Marshal([]any{subject.CommonName, append([]string{}, subject.Organization...)})
	return string(answer), err
}

func check(fields []string) error {
	if len(fields) != 6 {
		return fmt.Errorf("expected 6 fields, found %d", len(fields))
	}
	usage, chainFile, keyFile, rootsFile, name, seconds := fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]

	usages := map[string]x509.ExtKeyUsage{"server": x509.ExtKeyUsageServerAuth, "client": x509.ExtKeyUsageClientAuth}
	extKeyUsage, known := usages[usage]
	if !known {
		return fmt.Errorf("expected server or client, found %q", usage)
	}
	options := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{extKeyUsage},
	}

	chain, err := certificates(chainFile)
	if err != nil {
		return err
	}
	for _, intermediate := range chain[1:] {
		options.Intermediates.AddCert(intermediate)
	}
	roots, err := certificates(rootsFile)
	if err != nil {
		return err
	}
	for _, root := range roots {
		options.Roots.AddCert(root)
	}
	if seconds != "" {
		at, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil {
			return err
		}
		options.CurrentTime = time.Unix(at, 0)
	}

	if keyFile != "" {
		if _, err := tls.LoadX509KeyPair(chainFile, keyFile); err != nil {
			return err
		}
	}
	if _, err := chain[0].Verify(options); err != nil {
		return err
	}
	if name != "" {
		return chain[0].VerifyHostname(name)
	}
	return nil
}

func certificates(file string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, errors.New(file + ": no certificate")
	}
	return found, nil
}
