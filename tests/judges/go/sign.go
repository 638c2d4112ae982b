package main

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"sort"
	"strconv"
	"strings"
	"time"
)

// request answers with what Go reads in a request whose signature verifies: subject, DNS names, e-mail addresses, IP
// addresses and URIs, in JSON. Its field is the request, DER in base64.
func request(fields []string) (string, error) {
	if len(fields) != 1 {
		return "", fmt.Errorf("expected 1 field, found %d", len(fields))
	}
	found, err := parsed(fields[0])
	if err != nil {
		return "", err
	}
	answer, err := json.Marshal([]any{
		found.Subject.String(), found.DNSNames, found.EmailAddresses, found.IPAddresses, found.URIs,
	})
	return string(answer), err
}

// sign answers with the certificate, DER in base64, that kube-controller-manager makes of an approved request. Its
// fields: the request (DER in base64), the usages of the object between commas, the seconds that the object asks for
// (may be empty), the cluster's signing duration in seconds, the authority's certificate file and key file, now in Unix
// seconds, and the serial number in hexadecimal digits.
func sign(fields []string) (string, error) {
	if len(fields) != 8 {
		return "", fmt.Errorf("expected 8 fields, found %d", len(fields))
	}
	request, err := parsed(fields[0])
	if err != nil {
		return "", err
	}
	authority, err := tls.LoadX509KeyPair(fields[4], fields[5])
	if err != nil {
		return "", err
	}
	issuer, err := x509.ParseCertificate(authority.Certificate[0])
	if err != nil {
		return "", err
	}
	serial, isNumber := new(big.Int).SetString(fields[7], 16)
	if !isNumber {
		return "", fmt.Errorf("%q is no serial number", fields[7])
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               request.Subject,
		DNSNames:              request.DNSNames,
		EmailAddresses:        request.EmailAddresses,
		IPAddresses:           request.IPAddresses,
		URIs:                  request.URIs,
		BasicConstraintsValid: true,
	}
	extended := map[x509.ExtKeyUsage]bool{}
	for _, name := range strings.Split(fields[1], ",") {
		if bit, isKeyUsage := keyUsages[name]; isKeyUsage {
			template.KeyUsage |= bit
		} else if usage, isExtended := extendedUsages[name]; isExtended {
			extended[usage] = true
		} else {
			return "", fmt.Errorf("%q is no usage", name)
		}
	}
	for usage := range extended {
		template.ExtKeyUsage = append(template.ExtKeyUsage, usage)
	}
	sort.Slice(template.ExtKeyUsage, func(i, j int) bool { return template.ExtKeyUsage[i] < template.ExtKeyUsage[j] })
	if err := limit(template, fields[2], fields[3], fields[6], issuer.NotAfter); err != nil {
		return "", err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, request.PublicKey, authority.PrivateKey.(crypto.Signer))
	return base64.StdEncoding.EncodeToString(der), err
}

func parsed(encoded string) (*x509.CertificateRequest, error) {
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	return request, request.CheckSignature()
}

// limit sets begin and end. Five minutes are put before now; they count only where they are little.
func limit(template *x509.Certificate, wanted, longest, now string, issuerEnds time.Time) error {
	const backdate, little = 5 * time.Minute, 8 * time.Hour
	var numbers [3]int64
	if wanted == "" {
		wanted = longest
	}
	for i, text := range []string{wanted, longest, now} {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		numbers[i] = number
	}
	// Ten minutes are the least that may be asked for, but nothing exceeds what the cluster signs for.
	seconds := numbers[0]
	if seconds < 600 {
		seconds = 600
	}
	if seconds > numbers[1] {
		seconds = numbers[1]
	}
	lifetime, moment := time.Duration(seconds)*time.Second, time.Unix(numbers[2], 0)
	if !moment.Before(issuerEnds) {
		return errors.New("the authority has ended")
	}
	template.NotBefore, template.NotAfter = moment.Add(-backdate), moment.Add(lifetime)
	if lifetime >= little {
		template.NotAfter = template.NotAfter.Add(-backdate)
	}
	if template.NotAfter.After(issuerEnds) {
		template.NotAfter = issuerEnds
	}
	return nil
}

var keyUsages = map[string]x509.KeyUsage{
	"signing":            x509.KeyUsageDigitalSignature,
	"digital signature":  x509.KeyUsageDigitalSignature,
	"content commitment": x509.KeyUsageContentCommitment,
	"key encipherment":   x509.KeyUsageKeyEncipherment,
	"data encipherment":  x509.KeyUsageDataEncipherment,
	"key agreement":      x509.KeyUsageKeyAgreement,
	"cert sign":          x509.KeyUsageCertSign,
	"crl sign":           x509.KeyUsageCRLSign,
	"encipher only":      x509.KeyUsageEncipherOnly,
	"decipher only":      x509.KeyUsageDecipherOnly,
}

var extendedUsages = map[string]x509.ExtKeyUsage{
	"any":              x509.ExtKeyUsageAny,
	"server auth":      x509.ExtKeyUsageServerAuth,
	"client auth":      x509.ExtKeyUsageClientAuth,
	"code signing":     x509.ExtKeyUsageCodeSigning,
	"email protection": x509.ExtKeyUsageEmailProtection,
	"s/mime":           x509.ExtKeyUsageEmailProtection,
	"ipsec end system": x509.ExtKeyUsageIPSECEndSystem,
	"ipsec tunnel":     x509.ExtKeyUsageIPSECTunnel,
	"ipsec user":       x509.ExtKeyUsageIPSECUser,
	"timestamping":     x509.ExtKeyUsageTimeStamping,
	"ocsp signing":     x509.ExtKeyUsageOCSPSigning,
	"microsoft sgc":    x509.ExtKeyUsageMicrosoftServerGatedCrypto,
	"netscape sgc":     x509.ExtKeyUsageNetscapeServerGatedCrypto,
}
