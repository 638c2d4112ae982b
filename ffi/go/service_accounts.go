package kubepki

// #include <kubepki.h>
import "C"

import (
	"crypto"
	"time"
	"unsafe"
)

// TokenIssuer says who issues the service-account tokens of a cluster, as its API servers are told.
func (c Cluster) TokenIssuer() (string, error) {
	var out *C.kubepki_buffer
	err := c.use(func(cluster *C.kubepki_cluster) error {
		return failed(C.kubepki_cluster_token_issuer(cluster, &out))
	})
	return string(buffer(out)), err
}

// A ServiceAccount is whom a token is for.
type ServiceAccount struct {
	Namespace string
	Name      string
	UID       string // the one that the API server has given it
}

// An Object is a pod, a Secret or a node of a cluster.
type Object struct {
	Name string
	UID  string // the one that the API server has given it
}

// A ServiceAccountToken describes a token that is to be signed. Whoever has sa.key can make tokens for every
// service account; where there is an API server, its TokenRequest API makes them without it.
type ServiceAccountToken struct {
	// Account is required.
	Account ServiceAccount
	// Audiences are those who are to accept it: the API server when empty.
	Audiences []string
	// Lifetime is how long it is good: an hour.
	Lifetime time.Duration
	// Pod, Secret and Node are what it is bound to: without that object it is no longer good. A pod and a secret
	// are of the account's namespace. It is one of them, or a pod and its node.
	Pod, Secret, Node *Object
}

// Sign makes the token, from now on, signed by sa.key. ErrAbsent where sa.key is not here.
func (t ServiceAccountToken) Sign(authorities *Authorities, cluster Cluster, now time.Time) (Secret, error) {
	var out *C.kubepki_buffer
	err := t.use(cluster, func(token *C.kubepki_service_account_token) error {
		return authorities.of().look(func(authorities *C.kubepki_authorities) error {
			return failed(C.kubepki_service_account_token_sign(token, authorities, moment(now), &out))
		})
	})
	return secretBuffer(out), err
}

// SignBy makes the token, from now on, signed by a service-account key that lives elsewhere. [Issuer] says
// what is asked of the signer.
func (t ServiceAccountToken) SignBy(signer crypto.Signer, cluster Cluster, now time.Time) (Secret, error) {
	var out *C.kubepki_buffer
	err := t.use(cluster, func(token *C.kubepki_service_account_token) error {
		return useSigner(signer, func(signer *C.kubepki_signer) error {
			return failed(C.kubepki_service_account_token_sign_by(token, signer, moment(now), &out))
		})
	})
	return secretBuffer(out), err
}

func (t *ServiceAccountToken) use(cluster Cluster, call func(*C.kubepki_service_account_token) error) error {
	return cluster.use(func(cluster *C.kubepki_cluster) error {
		var token *C.kubepki_service_account_token
		var a attempt
		a.do(C.kubepki_service_account_token_new(cluster, chars(t.Account.Namespace),
			size(t.Account.Namespace), chars(t.Account.Name), size(t.Account.Name), chars(t.Account.UID),
			size(t.Account.UID), &token))
		if a.err != nil {
			return a.err
		}
		defer C.kubepki_service_account_token_free(token)
		for _, audience := range t.Audiences {
			a.do(C.kubepki_service_account_token_add_audience(token, chars(audience), size(audience)))
		}
		a.span("Lifetime", t.Lifetime, func(seconds C.uint64_t) *C.kubepki_error {
			return C.kubepki_service_account_token_set_lifetime(token, seconds)
		})
		if t.Secret != nil && (t.Pod != nil || t.Node != nil) {
			a.refuse("Secret", "one object, or a Pod and its Node", t.Secret.Name)
		}
		for _, bound := range []struct {
			kind   string
			object *Object
		}{{"pod", t.Pod}, {"secret", t.Secret}, {"node", t.Node}} {
			if kind, object := bound.kind, bound.object; object != nil {
				a.do(C.kubepki_service_account_token_bind(token, chars(kind), size(kind),
					chars(object.Name), size(object.Name), chars(object.UID), size(object.UID)))
			}
		}
		if a.err != nil {
			return a.err
		}
		return call(token)
	})
}

// Claims are what a verified service-account token says.
type Claims struct {
	// User is the one that Kubernetes sees: system:serviceaccount:NAMESPACE:NAME.
	User string
	// Account is the service account.
	Account ServiceAccount
	// Audiences are those who are to accept the token.
	Audiences []string
	// ID is the token's own; empty before Kubernetes 1.29.
	ID string
	// Issued is when the token was issued, NotBefore from when on it is good, and Expires when it ends.
	Issued, NotBefore, Expires time.Time
	// Pod, Secret and Node are what it is bound to, nil where there is none.
	Pod, Secret, Node *Object
}

// VerifyServiceAccountToken verifies a token as kube-apiserver does: by public keys, which are PEM as in
// sa.pub or a JSON Web Key Set; for one issuer and one of the audiences; at a moment, which may be a minute
// off.
func VerifyServiceAccountToken(token Secret, keys []byte, issuer, audience string, now time.Time) (*Claims,
	error) {
	var account *C.kubepki_service_account
	err := failed(C.kubepki_service_account_verify(secretChars(token), secretSize(token),
		unsafe.Pointer(&*first(keys)), length(keys), chars(issuer), size(issuer),
		chars(audience), size(audience), moment(now), &account))
	if err != nil {
		return nil, err
	}
	defer C.kubepki_service_account_free(account)
	var audiences []string
	for i := range C.kubepki_service_account_audience_count(account) {
		audiences = append(audiences, str(C.kubepki_service_account_audience_at(account, i)))
	}
	claims := C.kubepki_service_account_claims(account)
	return &Claims{
		User: str(claims.user),
		Account: ServiceAccount{
			Namespace: str(claims.namespace_name),
			Name:      str(claims.account.name),
			UID:       str(claims.account.uid),
		},
		Audiences: audiences,
		ID:        str(claims.id),
		Issued:    instant(claims.issued),
		NotBefore: instant(claims.not_before),
		Expires:   instant(claims.expires),
		Pod:       object(claims.pod),
		Secret:    object(claims.secret),
		Node:      object(claims.node),
	}, nil
}

func object(o C.kubepki_object) *Object {
	if o.name.len == 0 {
		return nil
	}
	return &Object{Name: str(o.name), UID: str(o.uid)}
}

// JWKS gives the JSON Web Key Set of public keys in PEM, as in sa.pub, byte for byte as kube-apiserver serves
// it.
func JWKS(keys []byte) ([]byte, error) {
	var out *C.kubepki_buffer
	err := failed(C.kubepki_jwks(unsafe.Pointer(&*first(keys)), length(keys), &out))
	return buffer(out), err
}

// OIDCDiscovery gives the discovery document of OpenID Connect for public keys in PEM, as in sa.pub: with the
// issuer, which must be a URL of https here, and the URL where the key set ([JWKS]) is served.
func OIDCDiscovery(keys []byte, issuer, jwksURL string) ([]byte, error) {
	var out *C.kubepki_buffer
	err := failed(C.kubepki_oidc_discovery(unsafe.Pointer(&*first(keys)), length(keys),
		chars(issuer), size(issuer), chars(jwksURL), size(jwksURL), &out))
	return buffer(out), err
}
