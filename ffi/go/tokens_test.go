package kubepki_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
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
		verified := open(kubepki.VerifyClusterInfo(text.Bytes(), token, pins))(t)
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

	believed := open(kubepki.VerifyClusterInfoUnpinned(info.YAML.Bytes(), token))(t)
	if believed.Server != "https://api.example.com:6443" {
		t.Error(believed.Server)
	}
	_, err = kubepki.VerifyClusterInfoUnpinned(info.YAML.Bytes(), other)
	fails(t, err, kubepki.ErrBadSignature, "")
}

func TestAClusterKnowsABootstrapTokenByItsSecret(t *testing.T) {
	const authenticates, signs = "usage-bootstrap-authentication", "usage-bootstrap-signing"
	token := kubepki.BootstrapToken{
		Token:       must(kubepki.GenerateBootstrapToken())(t),
		Expires:     now.Add(day),
		Groups:      []string{"system:bootstrappers:kubeadm:default-node-token"},
		Description: "for w-1",
	}
	id := string(token.Token.Bytes()[:6])
	secret := string(must(kubepki.BootstrapTokenSecret(token))(t).YAML.Bytes())
	for _, says := range []string{"bootstrap.kubernetes.io/token", id, "description", authenticates, signs} {
		if !strings.Contains(secret, says) {
			t.Errorf("expected %q", says)
		}
	}
	token.Usages = []kubepki.BootstrapUsage{kubepki.BootstrapSigning}
	secret = string(must(kubepki.BootstrapTokenSecret(token))(t).YAML.Bytes())
	if strings.Contains(secret, authenticates) || !strings.Contains(secret, signs) {
		t.Error("another usage")
	}
	for _, wrong := range []kubepki.BootstrapToken{
		{},
		{Token: token.Token},
		{Token: token.Token, Expires: now, Groups: []string{"system:masters"}},
		{Token: token.Token, Expires: now, Usages: []kubepki.BootstrapUsage{"all"}},
	} {
		_, err := kubepki.BootstrapTokenSecret(wrong)
		fails(t, err, kubepki.ErrInvalid, "")
	}
}

// Go verifies what was signed, and what is verified is what was said.
func TestAServiceAccountHasAToken(t *testing.T) {
	cluster := aCluster()
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	issuer := must(cluster.TokenIssuer())(t)
	account := kubepki.ServiceAccount{Namespace: "default", Name: "shop",
		UID: "9f0c4a1c-3d4a-4f43-9c3e-0a7f0f1b2c3d"}
	plain := kubepki.ServiceAccountToken{Account: account}
	token := must(plain.Sign(authorities, cluster, now))(t)
	others := kubepki.ServiceAccountToken{Account: account, Audiences: []string{"vault", "other"}}
	vault := must(others.Sign(authorities, cluster, now))(t)
	_, public := without(must(authorities.Files())(t), "pki/sa.pub")

	keys := must(kubepki.JWKS(public.Contents.Bytes()))(t)
	for _, known := range [][]byte{public.Contents.Bytes(), keys} {
		claims := must(kubepki.VerifyServiceAccountToken(token, known, issuer, issuer,
			now.Add(time.Minute)))(t)
		if claims.User != "system:serviceaccount:default:shop" || claims.Account != account ||
			!slices.Equal(claims.Audiences, []string{issuer}) || claims.ID == "" ||
			claims.Pod != nil || claims.Node != nil || claims.Secret != nil || !claims.Issued.Equal(now) ||
			!claims.NotBefore.Equal(now) || !claims.Expires.Equal(now.Add(time.Hour)) {
			t.Errorf("%+v", claims)
		}
	}
	ofVault := must(kubepki.VerifyServiceAccountToken(vault, keys, issuer, "vault", now))(t)
	if !slices.Equal(ofVault.Audiences, others.Audiences) {
		t.Error(ofVault.Audiences)
	}
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
	negative := kubepki.ServiceAccountToken{Account: account, Lifetime: -time.Hour}
	_, err = negative.Sign(authorities, cluster, now)
	fails(t, err, kubepki.ErrInvalid, "Lifetime")
	rest, _ := without(must(authorities.Files())(t), "pki/sa.key")
	keyless := open(kubepki.AuthoritiesFromFiles(rest))(t)
	_, err = plain.Sign(keyless, cluster, now)
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

func TestATokenIsBoundToObjectsAndSignedElsewhere(t *testing.T) {
	cluster := aCluster()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	public := pem.EncodeToMemory(&pem.Block{
		Type:  "PUBLIC KEY",
		Bytes: must(x509.MarshalPKIXPublicKey(key.Public()))(t),
	})
	issuer := must(cluster.TokenIssuer())(t)
	token := kubepki.ServiceAccountToken{
		Account:  kubepki.ServiceAccount{Namespace: "ci", Name: "builder", UID: "u1"},
		Lifetime: 2 * time.Hour,
		Pod:      &kubepki.Object{Name: "p-1", UID: "u2"},
		Node:     &kubepki.Object{Name: "w-1", UID: "u3"},
	}
	signed := must(token.SignBy(&hsm{Signer: key}, cluster, now))(t)
	claims := must(kubepki.VerifyServiceAccountToken(signed, public, issuer, issuer, now))(t)
	if *claims.Pod != *token.Pod || *claims.Node != *token.Node || claims.Secret != nil ||
		!claims.Expires.Equal(now.Add(2*time.Hour)) {
		t.Errorf("%+v", claims)
	}
	token.Pod, token.Node, token.Secret = nil, nil, token.Pod
	signed = must(token.SignBy(&hsm{Signer: key}, cluster, now))(t)
	claims = must(kubepki.VerifyServiceAccountToken(signed, public, issuer, issuer, now))(t)
	if *claims.Secret != *token.Secret || claims.Pod != nil || claims.Node != nil {
		t.Errorf("%+v", claims)
	}
	token.Node = token.Secret
	_, err := token.SignBy(&hsm{Signer: key}, cluster, now)
	fails(t, err, kubepki.ErrInvalid, "Secret: expected one object")
	_, err = kubepki.ServiceAccountToken{}.SignBy(&hsm{Signer: key}, cluster, now)
	fails(t, err, kubepki.ErrInvalid, "")
	token.Node = nil
	refuses := func(crypto.Signer, []byte, crypto.SignerOpts) ([]byte, error) { return nil, io.ErrNoProgress }
	_, err = token.SignBy(&hsm{Signer: key, manner: refuses}, cluster, now)
	if !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

func TestAFileOfStaticTokensIsMadeAndRead(t *testing.T) {
	var tokens kubepki.StaticTokens
	succeeds(t, tokens.Add("jane", "u1", "developers", "on-call"))
	succeeds(t, tokens.Add("joe", "u2"))
	all := must(tokens.Tokens())(t)
	if len(all) != 2 || all[0].User != "jane" || all[1].UID != "u2" || all[0].Token.Equal(all[1].Token) ||
		!slices.Equal(all[0].Groups, []string{"developers", "on-call"}) || all[1].Groups != nil ||
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

	// Users have a claim without being told, groups have none.
	of := func(provider kubepki.OIDC) ([]string, error) {
		cluster.Authentication.OIDC = &provider
		return kubepki.Expected{Cluster: cluster, Node: aNode()}.Arguments(kubepki.APIServer)
	}
	const url, client = "https://id.example.com", "kubernetes"
	arguments = must(of(kubepki.OIDC{IssuerURL: url, ClientID: client, UsernamePrefix: "oidc:"}))(t)
	has(t, arguments, "--oidc-username-claim=sub")
	has(t, arguments, "--oidc-username-prefix=oidc:")
	for says, wrong := range map[string]kubepki.OIDC{
		"UsernamePrefix": {IssuerURL: url, ClientID: client, UsernameClaim: "email"},
		"GroupsPrefix":   {IssuerURL: url, ClientID: client, GroupsClaim: "groups"},
		"GroupsClaim":    {IssuerURL: url, ClientID: client, GroupsPrefix: "oidc:"},
		"client ID":      {IssuerURL: url},
		"URL":            {IssuerURL: "http://id.example.com", ClientID: client},
	} {
		_, err := of(wrong)
		fails(t, err, kubepki.ErrInvalid, says)
	}
}

func TestAKubeconfigIsThatOfAnyUser(t *testing.T) {
	cluster := aCluster()
	authorities := open(kubepki.CreateAuthorities(cluster, now))(t)
	credential := must(authorities.Issue(cluster, jane, now))(t)
	const server, hook = "https://api.example.com:6443", "https://hook.example.com/authn"
	trusted := must(authorities.TrustStorePEM())(t)
	told := kubepki.Exec{
		Command:            "kubelogin",
		Env:                map[string]string{"LOGIN_MODE": "device"},
		InstallHint:        "ask at the desk",
		ProvideClusterInfo: true,
		InteractiveMode:    kubepki.InteractiveNever,
	}
	provided := kubepki.OIDCUser{
		IssuerURL:    "https://login.example.com",
		ClientID:     "kubernetes",
		ClientSecret: kubepki.NewSecret("s1"),
		IDToken:      kubepki.NewSecret("t1"),
		RefreshToken: kubepki.NewSecret("r1"),
		CAFile:       "/e/login.crt",
	}
	for says, user := range map[string]kubepki.User{
		"client-certificate-data": {Credential: credential},
		"token: abc":              {Token: kubepki.NewSecret("abc")},
		"tokenFile: /run/token":   {TokenFile: "/run/token"},
		"get-token":               {Exec: &kubepki.Exec{Command: "kubelogin", Args: []string{"get-token"}}},
		"interactiveMode: Never":  {Exec: &told},
		"provideClusterInfo":      {Exec: &told},
		"value: device":           {Exec: &told},
		"ask at the desk":         {Exec: &told},
		"id-token: t1":            {OIDC: &provided},
		"refresh-token: r1":       {OIDC: &provided},
		"client-secret: s1":       {OIDC: &provided},
		"/e/login.crt":            {OIDC: &provided},
		" as: joe":                {TokenFile: "/run/token", As: &kubepki.Impersonation{User: "joe"}},
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
	for _, wrong := range []kubepki.User{
		{Token: kubepki.NewSecret("a\xffb-secret")},
		{Exec: &kubepki.Exec{Command: "a", InteractiveMode: "Sometimes"}},
		{OIDC: &kubepki.OIDCUser{IssuerURL: "https://login.example.com"}},
		{OIDC: &kubepki.OIDCUser{
			IssuerURL: "https://a", ClientID: "a", IDToken: kubepki.NewSecret("a\xffb-secret"),
		}},
		{TokenFile: "/run/token", As: new(kubepki.Impersonation)},
	} {
		_, err := authorities.KubeconfigFor(cluster, "jane", wrong)
		fails(t, err, kubepki.ErrInvalid, "")
		if strings.Contains(err.Error(), "b-secret") {
			t.Error(err)
		}
	}
}

func TestAnImpersonationIsHeadersAndRoles(t *testing.T) {
	other := kubepki.Impersonation{
		User:   "system:serviceaccount:ci:builder",
		Groups: []string{"developers", "on-call"},
		UID:    "1001",
		Extra:  map[string][]string{"example.org/scopes": {"view", "edit"}},
	}
	var header http.Header = must(other.Headers())(t)
	for name, values := range map[string][]string{
		"Impersonate-User":                       {other.User},
		"Impersonate-Group":                      other.Groups,
		"Impersonate-Uid":                        {"1001"},
		"Impersonate-Extra-example.org%2fscopes": {"view", "edit"},
	} {
		if found := header.Values(name); !slices.Equal(found, values) {
			t.Errorf("%s: %q", name, found)
		}
	}
	roles := must(other.Roles("act"))(t)
	if len(roles) != 2 || !strings.Contains(roles[0], "kind: ClusterRole\n") ||
		!strings.Contains(roles[1], "namespace: ci\n") {
		t.Error(roles)
	}
	_, err := kubepki.Impersonation{}.Headers()
	fails(t, err, kubepki.ErrInvalid, "")
	_, err = kubepki.Impersonation{User: "a", Extra: map[string][]string{"Scopes": {"view"}}}.Roles("act")
	fails(t, err, kubepki.ErrInvalid, "Scopes")
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
	_, err = kubepki.ApproverRole("approver", "")
	fails(t, err, kubepki.ErrInvalid, "signer name")
	_, err = kubepki.ForBootstrap(kubepki.ClusterInfoReader, group)
	fails(t, err, kubepki.ErrInvalid, "")
	_, err = kubepki.RoleBinding("", "b", "signer", kubepki.Subject{Kind: "robot", Name: "a"})
	fails(t, err, kubepki.ErrInvalid, "robot")
	_, err = kubepki.TLSSecret("Default", "shop", shop)
	fails(t, err, kubepki.ErrInvalid, "Default")
	_, err = kubepki.CAConfigMap("default", "ca", nil)
	fails(t, err, kubepki.ErrMalformed, "")
}
