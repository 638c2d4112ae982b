// Command judge says what Kubernetes' own packages say about tokens.
//
// Its input is a question in JSON: a list of texts, the first of which is its name. Its output is the answer in JSON:
// {"ok": ...} or {"no": what Go objects to}.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	jose "gopkg.in/square/go-jose.v2"
	"gopkg.in/square/go-jose.v2/jwt"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/authentication/token/tokenfile"
	jws "k8s.io/cluster-bootstrap/token/jws"
	"k8s.io/cluster-bootstrap/util/secrets"
	"k8s.io/cluster-bootstrap/util/tokens"
	"k8s.io/klog/v2"
)

func main() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	var question []string
	answer := map[string]any{}
	err := json.NewDecoder(os.Stdin).Decode(&question)
	if err == nil && len(question) == 0 {
		err = errors.New("no question")
	}
	if err == nil {
		answer["ok"], err = ask(question[0], question[1:])
	}
	if err != nil {
		answer = map[string]any{"no": err.Error()}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(what string, with []string) (any, error) {
	questions := map[string]func([]string) (any, error){
		// Content, token ID and secret: the signature that the token's own code makes.
		"detached": func(it []string) (any, error) { return jws.ComputeDetachedSignature(it[0], it[1], it[2]) },
		// Token: ID and secret.
		"token": func(it []string) (any, error) {
			id, secret, err := tokens.ParseToken(it[0])
			return []string{id, secret}, err
		},
		// Secret in JSON, Unix seconds: groups, and whether it has expired.
		"secret": secret,
		// File of static tokens, tokens: user, UID and groups of each; null for an unknown one.
		"file": file,
		// Token, public key, Unix seconds: header and payload, verified.
		"verify": verify,
		// Private key, claims in JSON: the token.
		"sign": sign,
		// Public keys: the JWKS, as kube-apiserver makes it.
		"jwks": keySet,
		// JWKS, token: the payload, verified by the key that the set names so.
		"verify by set": verifyBySet,
	}
	question, known := questions[what]
	if !known {
		return nil, fmt.Errorf("no such question: %q", what)
	}
	return question(with)
}

func secret(it []string) (any, error) {
	var secret v1.Secret
	if err := json.Unmarshal([]byte(it[0]), &secret); err != nil {
		return nil, err
	}
	at, err := moment(it[1])
	if err != nil {
		return nil, err
	}
	groups, err := secrets.GetGroups(&secret)
	id, named := secrets.ParseName(secret.Name)
	data := map[string]string{}
	for key, value := range secret.Data {
		data[key] = string(value)
	}
	return map[string]any{
		"id": id, "named": named, "namespace": secret.Namespace, "type": secret.Type, "groups": groups,
		"expired": secrets.HasExpired(&secret, at), "data": data,
	}, err
}

func file(it []string) (any, error) {
	authenticator, err := tokenfile.NewCSV(it[0])
	if err != nil {
		return nil, err
	}
	var users []any
	for _, token := range it[1:] {
		response, known, err := authenticator.AuthenticateToken(nil, token)
		if err != nil {
			return nil, err
		}
		if !known {
			users = append(users, nil)
			continue
		}
		user := response.User
		users = append(users, []any{user.GetName(), user.GetUID(), append([]string{}, user.GetGroups()...)})
	}
	return users, nil
}

func verify(it []string) (any, error) {
	key, err := publicKey(it[1])
	if err != nil {
		return nil, err
	}
	at, err := moment(it[2])
	if err != nil {
		return nil, err
	}
	token, err := jwt.ParseSigned(it[0])
	if err != nil {
		return nil, err
	}
	var claims jwt.Claims
	var payload map[string]any
	if err := token.Claims(key, &claims, &payload); err != nil {
		return nil, err
	}
	header := token.Headers[0]
	return map[string]any{"alg": header.Algorithm, "kid": header.KeyID, "payload": payload}, claims.Validate(jwt.Expected{Time: at})
}

func verifyBySet(it []string) (any, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(it[0]), &set); err != nil {
		return nil, err
	}
	token, err := jwt.ParseSigned(it[1])
	if err != nil {
		return nil, err
	}
	keys := set.Key(token.Headers[0].KeyID)
	if len(keys) != 1 {
		return nil, fmt.Errorf("%d keys with the ID %q", len(keys), token.Headers[0].KeyID)
	}
	var payload map[string]any
	return payload, token.Claims(keys[0].Key, &payload)
}

func sign(it []string) (any, error) {
	block, _ := pem.Decode([]byte(it[0]))
	if block == nil {
		return nil, errors.New("no PEM")
	}
	var private crypto.Signer
	var algorithm jose.SignatureAlgorithm
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		private, algorithm = key, jose.RS256
	} else if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		private, algorithm = key, algorithmOf(&key.PublicKey)
	} else {
		return nil, err
	}
	id, err := keyID(private.Public())
	if err != nil {
		return nil, err
	}
	key := jose.JSONWebKey{Key: private, KeyID: id, Algorithm: string(algorithm), Use: "sig"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		return nil, err
	}
	var texts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(it[1]), &texts); err != nil {
		return nil, err
	}
	claims := map[string]any{}
	for name, text := range texts {
		claims[name] = text
	}
	return jwt.Signed(signer).Claims(claims).CompactSerialize()
}

func keySet(it []string) (any, error) {
	var set jose.JSONWebKeySet
	for _, text := range it {
		key, err := publicKey(text)
		if err != nil {
			return nil, err
		}
		id, err := keyID(key)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: id, Algorithm: string(algorithmOf(key)), Use: "sig"})
	}
	text, err := json.Marshal(set)
	return string(text), err
}

func algorithmOf(key crypto.PublicKey) jose.SignatureAlgorithm {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return jose.RS256
	case *ecdsa.PublicKey:
		return jose.SignatureAlgorithm(fmt.Sprintf("ES%d", key.Curve.Params().BitSize))
	}
	return ""
}

func keyID(key crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	digest := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(digest[:]), err
}

func publicKey(text string) (crypto.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM")
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}

func moment(seconds string) (time.Time, error) {
	var unix int64
	_, err := fmt.Sscan(seconds, &unix)
	return time.Unix(unix, 0), err
}
