package kubepki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"kubepki"
)

// A machine that knows a token and a pin comes to trust its cluster, and nobody else.
func TestAMachineJoinsByATokenAndAPin(t *testing.T) {
	cluster := aCluster()
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	token, other := must(kubepki.GenerateBootstrapToken())(t), must(kubepki.GenerateBootstrapToken())(t)
	if len(token.Bytes()) != 23 || bytes.Equal(token.Bytes(), other.Bytes()) {
		t.Errorf("%d bytes", len(token.Bytes()))
	}
	pins := must(authorities.Pins())(t)
	certificate, _ := pem.Decode(must(authorities.TrustStorePEM())(t))
	public := must(x509.ParseCertificate(certificate.Bytes))(t).RawSubjectPublicKeyInfo
	if pin := fmt.Sprintf("sha256:%x", sha256.Sum256(public)); !slices.Equal(pins, []string{pin}) {
		t.Error(pins)
	}

	info := must(authorities.ClusterInfoConfigMap(cluster, token))(t)
	for _, text := range []kubepki.Secret{info.YAML, info.JSON} {
		verified := must(kubepki.VerifyClusterInfo(text.Bytes(), token, pins))(t)
		if verified.Server != "https://api.example.com:6443" ||
			!bytes.Contains(verified.BootstrapKubeconfig.Bytes(), token.Bytes()) ||
			!bytes.Equal(verified.TrustedPEM, must(authorities.TrustStorePEM())(t)) {
			t.Errorf("%+v", verified)
		}
		succeeds(t, kubepki.CheckKubeconfig(verified.BootstrapKubeconfig.Bytes()))
		kubelet := must(verified.KubeconfigFor("kubelet", kubepki.User{TokenFile: "/run/token"}))(t)
		if !bytes.Contains(kubelet.Bytes(), []byte("tokenFile: /run/token")) ||
			bytes.Contains(kubelet.Bytes(), token.Bytes()) {
			t.Error("it is no kubeconfig of that user")
		}
	}
	direct := must(authorities.BootstrapKubeconfig(cluster, token))(t)
	if !bytes.Contains(direct.Bytes(), token.Bytes()) {
		t.Error("the kubeconfig has no token")
	}
	_, err := kubepki.VerifyClusterInfo(info.YAML.Bytes(), other, pins)
	fails(t, err, kubepki.ErrBadSignature, "")
	another := open(kubepki.CreateAuthorities(cluster, now))(t)
	_, err = kubepki.VerifyClusterInfo(info.YAML.Bytes(), token, must(another.Pins())(t))
	fails(t, err, kubepki.ErrNotPinned, "")
	_, err = kubepki.VerifyClusterInfo(info.YAML.Bytes(), token, nil)
	fails(t, err, kubepki.ErrNotPinned, "")
	_, err = kubepki.VerifyClusterInfo(info.YAML.Bytes(), kubepki.NewSecret("token"), pins)
	fails(t, err, kubepki.ErrInvalid, "token")
	if strings.Contains(err.Error(), string(token.Bytes())) {
		t.Error("it shows the token")
	}

	groups := []string{"system:bootstrappers:kubeadm:default-node-token"}
	secret := must(kubepki.BootstrapTokenSecret(token, now.Add(day), groups, "for w-1"))(t)
	for _, says := range []string{"bootstrap.kubernetes.io/token", string(token.Bytes()[:6])} {
		if !bytes.Contains(secret.YAML.Bytes(), []byte(says)) {
			t.Errorf("expected %q", says)
		}
	}
	must(kubepki.BootstrapTokenSecret(token, now.Add(day), nil, ""))(t)
	_, err = kubepki.BootstrapTokenSecret(token, now, []string{"system:masters"}, "")
	fails(t, err, kubepki.ErrInvalid, "")
}

// Go verifies what was signed, and what is verified is what was said.
func TestAServiceAccountHasAToken(t *testing.T) {
	cluster := aCluster()
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	issuer := must(cluster.TokenIssuer())(t)
	account := kubepki.ServiceAccount{Namespace: "default", Name: "shop",
		UID: "9f0c4a1c-3d4a-4f43-9c3e-0a7f0f1b2c3d"}
	token := must(authorities.ServiceAccountToken(cluster, account, time.Hour, now))(t)
	vault := must(authorities.ServiceAccountToken(cluster, account, time.Hour, now, "vault", "other"))(t)
	_, public := without(must(authorities.Files())(t), "pki/sa.pub")

	keys := must(kubepki.JWKS(public.Contents.Bytes()))(t)
	for _, known := range [][]byte{public.Contents.Bytes(), keys} {
		claims := must(kubepki.VerifyServiceAccountToken(token, known, issuer, issuer,
			now.Add(time.Minute)))(t)
		if claims.User != "system:serviceaccount:default:shop" || claims.UID != account.UID ||
			claims.ID == "" ||
			!claims.Issued.Equal(now) || !claims.Expires.Equal(now.Add(time.Hour)) {
			t.Errorf("%+v", claims)
		}
	}
	must(kubepki.VerifyServiceAccountToken(vault, keys, issuer, "vault", now))(t)
	_, err := kubepki.VerifyServiceAccountToken(vault, keys, issuer, issuer, now)
	fails(t, err, kubepki.ErrWrongAudience, "")
	_, err = kubepki.VerifyServiceAccountToken(token, keys, "https://other.example.com", issuer, now)
	fails(t, err, kubepki.ErrWrongIssuer, "")
	_, err = kubepki.VerifyServiceAccountToken(token, keys, issuer, issuer, now.Add(2*time.Hour))
	fails(t, err, kubepki.ErrTokenExpired, "")
	_, err = kubepki.VerifyServiceAccountToken(token, keys, issuer, issuer, now.Add(-time.Hour))
	fails(t, err, kubepki.ErrTokenNotYetValid, "")
	another := open(kubepki.CreateAuthorities(cluster, now))(t)
	_, stranger := without(must(another.Files())(t), "pki/sa.pub")
	_, err = kubepki.VerifyServiceAccountToken(token, stranger.Contents.Bytes(), issuer, issuer, now)
	fails(t, err, kubepki.ErrBadSignature, "")
	_, err = authorities.ServiceAccountToken(cluster, account, -time.Hour, now)
	fails(t, err, kubepki.ErrInvalid, "lifetime")
	rest, _ := without(must(authorities.Files())(t), "pki/sa.key")
	keyless := open(kubepki.AuthoritiesFromFiles(rest))(t)
	_, err = keyless.ServiceAccountToken(cluster, account, time.Hour, now)
	fails(t, err, kubepki.ErrAbsent, "")

	parts := strings.Split(string(token.Bytes()), ".")
	signature := must(base64.RawURLEncoding.DecodeString(parts[2]))(t)
	block, _ := pem.Decode(public.Contents.Bytes())
	key := must(x509.ParsePKIXPublicKey(block.Bytes))(t).(*ecdsa.PublicKey)
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		t.Error("Go does not verify it")
	}
	const server = "https://api.example.com"
	document := must(kubepki.OIDCDiscovery(public.Contents.Bytes(), server, server+"/openid/v1/jwks"))(t)
	if !json.Valid(keys) || !json.Valid(document) || !bytes.Contains(document, []byte("ES256")) {
		t.Errorf("%s %s", keys, document)
	}
}

func TestAFileOfStaticTokensIsMadeAndRead(t *testing.T) {
	var tokens kubepki.StaticTokens
	succeeds(t, tokens.Add("jane", "u1", "developers", "on-call"))
	succeeds(t, tokens.Add("joe", "u2"))
	all := must(tokens.Tokens())(t)
	if len(all) != 2 || all[0].User != "jane" || all[1].UID != "u2" || bytes.Equal(all[0].Token.Bytes(),
		all[1].Token.Bytes()) ||
		!bytes.Contains(tokens.CSV.Bytes(), all[0].Token.Bytes()) || !bytes.Contains(tokens.CSV.Bytes(),
		[]byte(`"developers,on-call"`)) {
		t.Errorf("%d tokens", len(all))
	}
	if remarks := must(tokens.Remarks())(t); len(remarks) != 0 {
		t.Error(remarks)
	}
	weak := kubepki.StaticTokens{CSV: kubepki.NewSecret("secret,root,u3,system:masters\n")}
	if remarks := must(weak.Remarks())(t); len(remarks) == 0 {
		t.Error("nothing is remarked")
	}
	broken := kubepki.StaticTokens{CSV: kubepki.NewSecret("one,\"two\n")}
	_, err := broken.Tokens()
	fails(t, err, kubepki.ErrMalformed, "")
	before := string(tokens.CSV.Bytes())
	if tokens.Add("", "") == nil || string(tokens.CSV.Bytes()) != before {
		t.Error("it was added")
	}
}

func TestAuthenticationIsWhatAPIServersAreTold(t *testing.T) {
	cluster := aCluster()
	cluster.Authentication = kubepki.Authentication{
		TokenFile:            "/etc/kubernetes/tokens.csv",
		TokenWebhook:         "/etc/kubernetes/authn.conf",
		AuthorizationWebhook: "/etc/kubernetes/authz.conf",
		Proxies:              []string{"gateway"},
		OIDC: &kubepki.OIDC{
			IssuerURL: "https://id.example.com", ClientID: "kubernetes",
			UsernameClaim: "email", UsernamePrefix: "oidc:",
			GroupsClaim: "groups", GroupsPrefix: kubepki.NoPrefix,
			CAFile:            "/etc/kubernetes/oidc.crt",
			RequiredClaims:    map[string]string{"hd": "example.com"},
			SigningAlgorithms: []string{"ES256", "RS256"},
		},
	}
	arguments := must(kubepki.Expected{Cluster: cluster, Node: aNode()}.Arguments(kubepki.APIServer))(t)
	for _, argument := range []string{
		"--token-auth-file=/etc/kubernetes/tokens.csv",
		"--authentication-token-webhook-config-file=/etc/kubernetes/authn.conf",
		"--authorization-webhook-config-file=/etc/kubernetes/authz.conf",
		"--oidc-issuer-url=https://id.example.com",
		"--oidc-username-claim=email",
		"--oidc-username-prefix=oidc:",
		"--oidc-groups-claim=groups",
		"--oidc-ca-file=/etc/kubernetes/oidc.crt",
		"--oidc-required-claim=hd=example.com",
		"--oidc-signing-algs=ES256,RS256",
		"--requestheader-allowed-names=front-proxy-client,gateway",
	} {
		has(t, arguments, argument)
	}
	cluster.Authentication.OIDC.UsernamePrefix = ""
	_, err := kubepki.Expected{Cluster: cluster, Node: aNode()}.Arguments(kubepki.APIServer)
	fails(t, err, kubepki.ErrInvalid, "UsernamePrefix")
	cluster.Authentication.OIDC = &kubepki.OIDC{IssuerURL: "http://id.example.com"}
	_, err = kubepki.Expected{Cluster: cluster, Node: aNode()}.Arguments(kubepki.APIServer)
	fails(t, err, kubepki.ErrInvalid, "")
}

func TestAKubeconfigIsThatOfAnyUser(t *testing.T) {
	cluster := aCluster()
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	credential := must(authorities.Issue(cluster, jane, now))(t)
	const server, hook = "https://api.example.com:6443", "https://hook.example.com/authn"
	trusted := must(authorities.TrustStorePEM())(t)
	for says, user := range map[string]kubepki.User{
		"client-certificate-data": {Credential: credential},
		"token: abc":              {Token: kubepki.NewSecret("abc")},
		"tokenFile: /run/token":   {TokenFile: "/run/token"},
		"command: kubelogin":      {Exec: []string{"kubelogin", "get-token", "--silent"}},
	} {
		kubeconfig := must(authorities.KubeconfigFor(cluster, "jane", user))(t)
		if !bytes.Contains(kubeconfig.Bytes(), []byte(says)) ||
			!bytes.Contains(kubeconfig.Bytes(), []byte(server)) {
			t.Errorf("expected %q", says)
		}
		succeeds(t, kubepki.CheckKubeconfig(kubeconfig.Bytes()))
		webhook := must(kubepki.WebhookKubeconfig(hook, trusted, &user))(t)
		if !bytes.Contains(webhook.Bytes(), []byte(hook)) || !bytes.Contains(webhook.Bytes(), []byte(says)) {
			t.Errorf("expected %q", says)
		}
	}
	must(kubepki.WebhookKubeconfig(hook, trusted, nil))(t)
	for _, user := range []kubepki.User{{}, {Token: kubepki.NewSecret("abc"), TokenFile: "/run/token"}} {
		_, err := authorities.KubeconfigFor(cluster, "jane", user)
		fails(t, err, kubepki.ErrInvalid, "exactly one")
	}
	_, err := authorities.KubeconfigFor(cluster, "jane", kubepki.User{Token: kubepki.NewSecret("a\xffb-secret")})
	fails(t, err, kubepki.ErrInvalid, "")
	if strings.Contains(err.Error(), "b-secret") {
		t.Error(err)
	}
}

func TestObjectsOfAClusterAreMade(t *testing.T) {
	cluster := aCluster()
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	trusted := must(authorities.TrustStorePEM())(t)
	issuer := open(authorities.Issuer(kubepki.RoleKubernetesCA))(t)
	shop := must(issuer.Issue(cluster, kubepki.Profile{Role: kubepki.RoleService, Name: "shop"}, now))(t)
	const group = "system:bootstrappers:kubeadm:default-node-token"
	objects := map[string]*kubepki.Manifest{
		"kubernetes.io/tls": must(kubepki.TLSSecret("default", "shop", shop))(t),
		"kind: ConfigMap":   must(kubepki.CAConfigMap("default", "ca", trusted))(t),
		"kind: ClusterTrustBundle": must(kubepki.ClusterTrustBundle("example.com/serving", "v1",
			trusted))(t),
		"signerName: example.com/any": must(kubepki.ClusterTrustBundle("example.com/any", "v1", trusted))(t),
		"- approve":                   must(kubepki.ApproverRole("approver", "example.com/serving"))(t),
		"- sign":                      must(kubepki.SignerRole("signer", "example.com/serving"))(t),
		"- impersonate":               must(kubepki.ImpersonatorRole("impersonator"))(t),
		"kind: ClusterRoleBinding": must(kubepki.RoleBinding("", "b", "signer",
			kubepki.Subject{Kind: kubepki.SubjectServiceAccount, Name: "default:signer"}))(t),
		"namespace: shop": must(kubepki.RoleBinding("shop", "b", "signer",
			kubepki.Subject{Kind: kubepki.SubjectUser, Name: "jane"}))(t),
		"kind: Group": must(kubepki.RoleBinding("shop", "b", "signer",
			kubepki.Subject{Kind: kubepki.SubjectGroup, Name: "developers"}))(t),
	}
	for _, bootstrap := range []struct {
		object      kubepki.BootstrapObject
		group, says string
	}{
		{kubepki.NodeBootstrapperBinding, group, "system:node-bootstrapper"},
		{kubepki.NodeApprovalBinding, group, "certificatesigningrequests:nodeclient"},
		{kubepki.NodeReader, group, "  - nodes"},
		{kubepki.NodeReaderBinding, group, "name: " + group},
		{kubepki.NodeRenewalBinding, "", "name: system:nodes"},
		{kubepki.ClusterInfoReader, "", "  - cluster-info"},
		{kubepki.ClusterInfoReaderBinding, "", "name: system:anonymous"},
	} {
		objects[bootstrap.says] = must(kubepki.ForBootstrap(bootstrap.object, bootstrap.group))(t)
	}
	for says, object := range objects {
		if !json.Valid(object.JSON.Bytes()) || !bytes.Contains(object.YAML.Bytes(), []byte(says)) {
			t.Errorf("expected %q in\n%s", says, []byte(object.YAML.Bytes()))
		}
	}
	_, err := kubepki.ForBootstrap("anything", group)
	fails(t, err, kubepki.ErrInvalid, "anything")
	_, err = kubepki.ForBootstrap(kubepki.ClusterInfoReader, group)
	fails(t, err, kubepki.ErrInvalid, "")
	_, err = kubepki.RoleBinding("", "b", "signer", kubepki.Subject{Kind: "robot", Name: "a"})
	fails(t, err, kubepki.ErrInvalid, "robot")
	_, err = kubepki.TLSSecret("Default", "shop", shop)
	fails(t, err, kubepki.ErrInvalid, "Default")
	_, err = kubepki.CAConfigMap("default", "ca", nil)
	fails(t, err, kubepki.ErrMalformed, "")
}
