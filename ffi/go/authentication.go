package kubepki

// #include <kubepki.h>
import "C"

import (
	"cmp"
	"maps"
	"slices"
	"unsafe"
)

// Authentication says whom API servers believe besides the holders of certificates. Files are paths on
// control-plane nodes.
type Authentication struct {
	// TokenFile has the tokens of users: [StaticTokens].
	TokenFile string
	// TokenWebhook is the kubeconfig of the server that tells whose a token is: [WebhookKubeconfig].
	TokenWebhook string
	// AuthorizationWebhook is the kubeconfig of the server that tells what a user may do, where nobody else
	// allows it.
	AuthorizationWebhook string
	// Proxies are authenticating proxies: who has a client certificate of the front proxy's authority with
	// such a common name may be anybody.
	Proxies []string
	// OIDC is a provider of OpenID Connect.
	OIDC *OIDC
}

// OIDC is a provider of OpenID Connect whose ID tokens API servers take.
type OIDC struct {
	// IssuerURL and ClientID are required.
	IssuerURL string
	ClientID  string
	// UsernameClaim is the claim that users are called by: sub. With another one a UsernamePrefix is required.
	UsernameClaim string
	// UsernamePrefix stands before users' names: IssuerURL and # where UsernameClaim is empty too.
	UsernamePrefix string
	// GroupsClaim is the claim with the groups that users are in: none. With one a GroupsPrefix is required.
	GroupsClaim string
	// GroupsPrefix stands before groups' names.
	GroupsPrefix string
	// CAFile has the certificates by which the provider is trusted, instead of those of the system.
	CAFile string
	// RequiredClaims are those that a token must have, with these values.
	RequiredClaims map[string]string
	// SigningAlgorithms are those that the provider signs by: RS256 when empty.
	SigningAlgorithms []string
}

// NoPrefix lets the provider be any user of the cluster, or put users into any group.
const NoPrefix = "-"

func (auth *Authentication) set(cluster *C.kubepki_cluster, a *attempt) {
	for _, file := range [][2]string{
		{"token-auth-file", auth.TokenFile},
		{"authentication-token-webhook-config-file", auth.TokenWebhook},
		{"authorization-webhook-config-file", auth.AuthorizationWebhook},
	} {
		if argument, path := file[0], file[1]; path != "" {
			a.do(C.kubepki_cluster_set_authentication_file(cluster, chars(argument), size(argument),
				chars(path), size(path)))
		}
	}
	for _, name := range auth.Proxies {
		a.do(C.kubepki_cluster_add_proxy(cluster, chars(name), size(name)))
	}
	if auth.OIDC != nil {
		auth.OIDC.set(cluster, a)
	}
}

func (o *OIDC) set(cluster *C.kubepki_cluster, a *attempt) {
	a.do(C.kubepki_cluster_set_oidc(cluster, chars(o.IssuerURL), size(o.IssuerURL), chars(o.ClientID),
		size(o.ClientID)))
	if o.UsernameClaim != "" || o.UsernamePrefix != "" {
		claim, prefix := cmp.Or(o.UsernameClaim, "sub"), a.prefix("UsernamePrefix", o.UsernamePrefix)
		a.do(C.kubepki_cluster_set_oidc_username(cluster, chars(claim), size(claim), chars(prefix),
			size(prefix)))
	}
	switch {
	case o.GroupsClaim != "":
		prefix := a.prefix("GroupsPrefix", o.GroupsPrefix)
		a.do(C.kubepki_cluster_set_oidc_groups(cluster, chars(o.GroupsClaim), size(o.GroupsClaim),
			chars(prefix), size(prefix)))
	case o.GroupsPrefix != "":
		a.refuse("GroupsClaim", "a claim, since there is a GroupsPrefix", "")
	}
	if o.CAFile != "" {
		a.do(C.kubepki_cluster_set_oidc_ca_file(cluster, chars(o.CAFile), size(o.CAFile)))
	}
	for _, claim := range slices.Sorted(maps.Keys(o.RequiredClaims)) {
		text := claim + "=" + o.RequiredClaims[claim]
		a.do(C.kubepki_cluster_add_oidc_required_claim(cluster, chars(text), size(text)))
	}
	a.fail(useList(o.SigningAlgorithms, func(algorithms *C.kubepki_list) error {
		return failed(C.kubepki_cluster_set_oidc_signing_algorithms(cluster, algorithms))
	}))
}

// prefix gives the prefix of a claim as C takes it. Nobody forgets one.
func (a *attempt) prefix(field, prefix string) string {
	switch prefix {
	case "":
		a.refuse(field, "a prefix, or NoPrefix", "")
	case NoPrefix:
		return ""
	}
	return prefix
}

// A User is what a client shows a server to say who it is: exactly one of the fields but As.
type User struct {
	// Credential is a client certificate.
	Credential *Credential
	// Token is a bearer token.
	Token Secret
	// TokenFile is a file with a bearer token, which clients read again as it changes.
	TokenFile string
	// Exec is a program that gets a token or a client certificate, such as a login by OpenID Connect.
	Exec *Exec
	// OIDC are tokens of a provider of OpenID Connect.
	OIDC *OIDCUser
	// As is whom the user acts as.
	As *Impersonation
}

// An Exec is a program that says who a user is. It speaks client.authentication.k8s.io/v1.
type Exec struct {
	// Command is its path, or its name in PATH. It is required.
	Command string
	Args    []string
	// Env are environment variables that it is given besides its user's.
	Env map[string]string
	// InstallHint is what to tell somebody who does not have the program.
	InstallHint string
	// ProvideClusterInfo tells it which cluster it is for, by the variable KUBERNETES_EXEC_INFO.
	ProvideClusterInfo bool
	// InteractiveMode says whether it may ask something: InteractiveIfAvailable when empty.
	InteractiveMode InteractiveMode
}

// An InteractiveMode says whether a program may ask something.
type InteractiveMode string

const (
	InteractiveNever       InteractiveMode = "Never"
	InteractiveIfAvailable InteractiveMode = "IfAvailable" // where there is a terminal
	InteractiveAlways      InteractiveMode = "Always"
)

// An OIDCUser has tokens of a provider of OpenID Connect, which kubectl's plugin oidc shows and gets anew. It
// does not log in: the first tokens come from elsewhere.
type OIDCUser struct {
	// IssuerURL is the provider's, and ClientID the client that its tokens are made for. Both are required.
	IssuerURL    string
	ClientID     string
	ClientSecret Secret
	IDToken      Secret
	RefreshToken Secret
	// CAFile has the certificates by which the provider is trusted, instead of those of the system.
	CAFile string
}

func (u *User) use(call func(*C.kubepki_user) error) error {
	if u == nil {
		return call(nil)
	}
	user, err := u.make()
	if err != nil {
		return err
	}
	defer C.kubepki_user_free(user)
	if u.As != nil {
		err := u.As.use(func(other *C.kubepki_impersonation) error {
			return failed(C.kubepki_user_set_impersonation(user, other))
		})
		if err != nil {
			return err
		}
	}
	return call(user)
}

func (u *User) make() (user *C.kubepki_user, err error) {
	given := []bool{u.Credential != nil, len(u.Token.Bytes()) != 0, u.TokenFile != "", u.Exec != nil,
		u.OIDC != nil}
	which := slices.Index(given, true)
	if which < 0 || slices.Contains(given[which+1:], true) {
		return nil, invalid("user", "exactly one of Credential, Token, TokenFile, Exec and OIDC",
			"none or several")
	}
	switch which {
	case 0:
		err = u.Credential.use(func(credential *C.kubepki_credential) error {
			return failed(C.kubepki_user_with_credential(credential, &user))
		})
	case 1:
		err = failed(C.kubepki_user_with_token(secretChars(u.Token), secretSize(u.Token), &user))
	case 2:
		err = failed(C.kubepki_user_with_token_file(chars(u.TokenFile), size(u.TokenFile), &user))
	case 3:
		user, err = u.Exec.make()
	case 4:
		user, err = u.OIDC.make()
	}
	return user, err
}

func (e *Exec) make() (user *C.kubepki_user, err error) {
	err = useList(e.Args, func(arguments *C.kubepki_list) error {
		return failed(C.kubepki_user_with_exec(chars(e.Command), size(e.Command), arguments, &user))
	})
	if err != nil {
		return nil, err
	}
	var a attempt
	for _, name := range slices.Sorted(maps.Keys(e.Env)) {
		value := e.Env[name]
		a.do(C.kubepki_user_add_env(user, chars(name), size(name), chars(value), size(value)))
	}
	if e.InstallHint != "" {
		a.do(C.kubepki_user_set_install_hint(user, chars(e.InstallHint), size(e.InstallHint)))
	}
	if e.ProvideClusterInfo {
		a.do(C.kubepki_user_provide_cluster_info(user))
	}
	if mode := string(e.InteractiveMode); mode != "" {
		a.do(C.kubepki_user_set_interactive_mode(user, chars(mode), size(mode)))
	}
	return a.user(user)
}

func (o *OIDCUser) make() (user *C.kubepki_user, err error) {
	var a attempt
	a.do(C.kubepki_user_with_oidc(chars(o.IssuerURL), size(o.IssuerURL), chars(o.ClientID), size(o.ClientID),
		&user))
	if a.err != nil {
		return nil, a.err
	}
	for _, one := range []struct {
		setting string
		value   []byte
	}{
		{"client-secret", o.ClientSecret.Bytes()},
		{"id-token", o.IDToken.Bytes()},
		{"refresh-token", o.RefreshToken.Bytes()},
		{"idp-certificate-authority", []byte(o.CAFile)},
	} {
		if len(one.value) != 0 {
			a.do(C.kubepki_user_set_oidc(user, chars(one.setting), size(one.setting), byteChars(one.value),
				length(one.value)))
		}
	}
	return a.user(user)
}

// user gives one that was told everything, or frees it.
func (a *attempt) user(user *C.kubepki_user) (*C.kubepki_user, error) {
	if a.err != nil {
		C.kubepki_user_free(user)
		return nil, a.err
	}
	return user, nil
}

// KubeconfigFor gives the kubeconfig of any user at the cluster's endpoint, in YAML. The API server does not
// see the name.
func (a *Authorities) KubeconfigFor(cluster Cluster, name string, user User) (Secret, error) {
	var out *C.kubepki_buffer
	err := cluster.use(func(cluster *C.kubepki_cluster) error {
		return user.use(func(user *C.kubepki_user) error {
			return a.of().look(func(authorities *C.kubepki_authorities) error {
				return failed(C.kubepki_kubeconfig_with_user(cluster, authorities, chars(name), size(name),
					user, &out))
			})
		})
	})
	return secretBuffer(out), err
}

// BootstrapKubeconfig gives the kubeconfig by which a new machine's kubelet asks for its first certificate
// (--bootstrap-kubeconfig), with a bootstrap token. [VerifyClusterInfo] makes it where only the token is
// known.
func (a *Authorities) BootstrapKubeconfig(cluster Cluster, token Secret) (Secret, error) {
	var out *C.kubepki_buffer
	err := cluster.use(func(cluster *C.kubepki_cluster) error {
		return a.of().look(func(authorities *C.kubepki_authorities) error {
			return failed(C.kubepki_kubeconfig_for_bootstrap(cluster, authorities, secretChars(token),
				secretSize(token), &out))
		})
	})
	return secretBuffer(out), err
}

// WebhookKubeconfig gives the kubeconfig by which API servers call a webhook that authenticates or
// authorizes: its URL, the authorities that vouch for its certificate, and what API servers show it. When
// user is nil, that is nothing, and anybody may ask it.
func WebhookKubeconfig(url string, trustedPEM []byte, user *User) (Secret, error) {
	var out *C.kubepki_buffer
	err := user.use(func(user *C.kubepki_user) error {
		return failed(C.kubepki_kubeconfig_webhook(chars(url), size(url),
			unsafe.Pointer(&*first(trustedPEM)), length(trustedPEM), user, &out))
	})
	return secretBuffer(out), err
}

// StaticTokens is a file of tokens that never end (--token-auth-file), in CSV. The zero value is an empty
// one.
type StaticTokens struct{ CSV Secret }

// A StaticToken is one token of [StaticTokens].
type StaticToken struct {
	Token Secret // as a client sends it
	User  string
	UID   string
	// Groups are the groups that the user is in.
	Groups []string
}

// Add makes a token for a user with this UID, in these groups, and adds it.
func (s *StaticTokens) Add(user, uid string, groups ...string) error {
	return s.use(func(tokens *C.kubepki_static_tokens) error {
		err := useList(groups, func(groups *C.kubepki_list) error {
			return failed(C.kubepki_static_tokens_add(tokens, chars(user), size(user), chars(uid), size(uid),
				groups))
		})
		if err == nil {
			s.CSV = textSecret(C.kubepki_static_tokens_csv(tokens))
		}
		return err
	})
}

// Tokens gives the tokens of the file, in its order, read as kube-apiserver does.
func (s *StaticTokens) Tokens() (all []StaticToken, err error) {
	err = s.use(func(tokens *C.kubepki_static_tokens) error {
		for i := range C.kubepki_static_tokens_count(tokens) {
			one := C.kubepki_static_tokens_at(tokens, i)
			token := StaticToken{Token: textSecret(one.token), User: str(one.user), UID: str(one.uid)}
			for n := range C.kubepki_static_tokens_group_count(tokens, i) {
				token.Groups = append(token.Groups, str(C.kubepki_static_tokens_group_at(tokens, i, n)))
			}
			all = append(all, token)
		}
		return nil
	})
	return all, err
}

// Remarks says what kube-apiserver does not say of the file: tokens without effect, that can be guessed, or
// that give power.
func (s *StaticTokens) Remarks() ([]string, error) {
	var out *C.kubepki_list
	err := s.use(func(tokens *C.kubepki_static_tokens) error {
		return failed(C.kubepki_static_tokens_remarks(tokens, &out))
	})
	return list(out, err)
}

func (s *StaticTokens) use(call func(*C.kubepki_static_tokens) error) error {
	var tokens *C.kubepki_static_tokens
	err := failed(C.kubepki_static_tokens_from_csv(unsafe.Pointer(&*first(s.CSV.Bytes())), secretSize(s.CSV),
		&tokens))
	if err != nil {
		return err
	}
	defer C.kubepki_static_tokens_free(tokens)
	return call(tokens)
}
