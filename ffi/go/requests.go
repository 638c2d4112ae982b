package kubepki

// #include <kubepki.h>
import "C"

import (
	"bytes"
	"time"
	"unsafe"
)

// A Request is a private key that waits for its certificate. It never changes, so any number of goroutines
// may use it at once.
type Request struct{ handle *handle[*C.kubepki_request] }

// NewRequest makes a key and a request (PKCS#10) with the profile's subject, names and usages.
func NewRequest(cluster Cluster, profile Profile) (*Request, error) {
	var out *C.kubepki_request
	err := profile.use(&cluster, func(profile *C.kubepki_profile) error {
		return failed(C.kubepki_request_new(profile, &out))
	})
	return takeRequest(out, err)
}

// NewRequestWithKey makes a request (PKCS#10) with the profile's subject, names and usages for a key that is
// there already, in PEM, such as one that a program has saved while it waited. The cluster's key algorithm is
// passed over.
func NewRequestWithKey(cluster Cluster, profile Profile, keyPEM Secret) (*Request, error) {
	var out *C.kubepki_request
	err := profile.use(&cluster, func(profile *C.kubepki_profile) error {
		return failed(C.kubepki_request_with_key(profile, unsafe.Pointer(&*first(keyPEM.Bytes())),
			secretSize(keyPEM), &out))
	})
	return takeRequest(out, err)
}

func takeRequest(request *C.kubepki_request, err error) (*Request, error) {
	h, err := own(request, err, func(request *C.kubepki_request) { C.kubepki_request_free(request) })
	if err != nil {
		return nil, err
	}
	return &Request{h}, nil
}

func (r *Request) of() *handle[*C.kubepki_request] {
	if r == nil {
		return nil
	}
	return r.handle
}

// Close overwrites the key. It does nothing the second time.
func (r *Request) Close() error { return r.of().close() }

// PEM gives the request as a block CERTIFICATE REQUEST, for whoever signs.
func (r *Request) PEM() (text []byte, err error) {
	err = r.of().look(func(request *C.kubepki_request) error {
		text = textBytes(C.kubepki_request_csr_pem(request))
		return nil
	})
	return text, err
}

// KeyPEM gives the private key.
func (r *Request) KeyPEM() (text Secret, err error) {
	err = r.of().look(func(request *C.kubepki_request) error {
		text = textSecret(C.kubepki_request_key_pem(request))
		return nil
	})
	return text, err
}

// Accept puts the certificate that was issued, in PEM, and those behind it, together with the key. It must be
// for this key, and have every name and usage that was asked for. The request stays: another answer may come.
func (r *Request) Accept(chainPEM []byte) (*Credential, error) {
	var out *C.kubepki_credential
	err := r.of().look(func(request *C.kubepki_request) error {
		return failed(C.kubepki_request_accept(request, unsafe.Pointer(&*first(chainPEM)), length(chainPEM),
			&out))
	})
	return takeCredential(out, err)
}

// CSR gives the object for the API server, with the usages that it was made with, for a signer such as
// example.com/serving. The certificate is to be valid for lifetime, at least ten minutes, or for as long as
// the signer likes when that is zero.
func (r *Request) CSR(name, signerName string, lifetime time.Duration) (*CSR, error) {
	csr := new(CSR)
	err := r.of().look(func(request *C.kubepki_request) error {
		var out *C.kubepki_csr
		var a attempt
		a.do(C.kubepki_csr_new(chars(name), size(name), chars(signerName), size(signerName), request, &out))
		if a.err != nil {
			return a.err
		}
		defer C.kubepki_csr_free(out)
		a.span("lifetime", lifetime, func(seconds C.uint64_t) *C.kubepki_error {
			return C.kubepki_csr_set_lifetime(out, seconds)
		})
		csr.take(out)
		return a.err
	})
	if err != nil {
		return nil, err
	}
	return csr, nil
}

// A CSR is a CertificateSigningRequest of certificates.k8s.io/v1: a plain value, which nobody may use while a
// method changes it. Its fields say what is in the object: to write to them changes nothing there. What the
// library does not know of the object survives.
type CSR struct {
	// Name is the object's, empty where the API server is to generate one.
	Name string
	// SignerName says who is to sign.
	SignerName string
	// Username is the user who created the object, as the API server saw it; empty before that.
	Username string
	// RequestPEM is the request within the object (PKCS#10).
	RequestPEM []byte
	// State is what was decided, and Message says why, for people.
	State   State
	Message string
	// CertificatePEM is what was issued, as the object has it, for [Request.Accept]; empty before that.
	CertificatePEM []byte

	yaml, json []byte
}

// A State is what was decided about a request.
type State string

const (
	StatePending  State = "pending"  // nothing yet
	StateApproved State = "approved" // it may be signed
	StateDenied   State = "denied"   // it must not be signed, also if it was approved as well
	StateFailed   State = "failed"   // its signer refused it, for good
	StateIssued   State = "issued"   // it has its certificate
	StateOther    State = "other"    // none of these
)

var states = map[C.kubepki_state]State{
	C.KUBEPKI_STATE_PENDING:  StatePending,
	C.KUBEPKI_STATE_APPROVED: StateApproved,
	C.KUBEPKI_STATE_DENIED:   StateDenied,
	C.KUBEPKI_STATE_FAILED:   StateFailed,
	C.KUBEPKI_STATE_ISSUED:   StateIssued,
	C.KUBEPKI_STATE_OTHER:    StateOther,
}

// ParseCSR reads a CertificateSigningRequest, in YAML or JSON, of at most 4 MiB.
func ParseCSR(object []byte) (*CSR, error) {
	csr := new(CSR)
	err := useCSR(object, func(out *C.kubepki_csr) error {
		csr.take(out)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return csr, nil
}

// YAML gives the object in YAML.
func (c *CSR) YAML() []byte { return bytes.Clone(c.yaml) }

// JSON gives the object in JSON, as the API server's subresources take it.
func (c *CSR) JSON() []byte { return bytes.Clone(c.json) }

// Approve approves the request: the condition that the subresource approval takes, with a reason as one word
// for programs, and a message for people. ErrChanged when something was decided already.
func (c *CSR) Approve(reason, message string, now time.Time) error {
	return c.change(func(csr *C.kubepki_csr) error {
		return failed(C.kubepki_csr_approve(csr, chars(reason), size(reason), chars(message), size(message),
			moment(now)))
	})
}

// Deny denies the request, for good; otherwise it is as [CSR.Approve].
func (c *CSR) Deny(reason, message string, now time.Time) error {
	return c.change(func(csr *C.kubepki_csr) error {
		return failed(C.kubepki_csr_deny(csr, chars(reason), size(reason), chars(message), size(message),
			moment(now)))
	})
}

// An Outcome is what became of a request that was to be signed.
type Outcome struct {
	Kind    OutcomeKind
	Message string // why, for people; empty with a certificate
}

// An OutcomeKind says what became of a request.
type OutcomeKind string

const (
	// OutcomeSkipped: the object is as it was: it is not, or not yet, to be signed.
	OutcomeSkipped OutcomeKind = "skipped"
	// OutcomeIssued: it now has its certificate, and goes to the subresource status.
	OutcomeIssued OutcomeKind = "issued"
	// OutcomeFailed: it now has the condition Failed, and likewise: it will never be signed.
	OutcomeFailed OutcomeKind = "failed"
)

var outcomes = map[C.kubepki_outcome_kind]OutcomeKind{
	C.KUBEPKI_OUTCOME_SKIPPED: OutcomeSkipped,
	C.KUBEPKI_OUTCOME_ISSUED:  OutcomeIssued,
	C.KUBEPKI_OUTCOME_FAILED:  OutcomeFailed,
}

// Sign signs an approved request for one signer, such as example.com/serving, whose authority issuer is,
// exactly as kube-controller-manager would: for as long as it asks, but at most for longest
// (kube-controller-manager's own is a year), and not longer than the authority. A request for another signer
// is skipped. An error leaves the object as it was.
func (c *CSR) Sign(signerName string, issuer *Issuer, longest time.Duration, now time.Time) (outcome Outcome,
	err error) {
	var a attempt
	seconds := a.seconds("longest", longest)
	if a.err != nil {
		return outcome, a.err
	}
	err = c.change(func(csr *C.kubepki_csr) error {
		return issuer.of().look(func(issuer *C.kubepki_issuer) error {
			var out C.kubepki_outcome
			err := failed(C.kubepki_csr_sign(csr, chars(signerName), size(signerName), issuer, seconds,
				moment(now), &out))
			outcome = Outcome{outcomes[out.kind], str(out.message)}
			return err
		})
	})
	if err != nil {
		return Outcome{}, err
	}
	return outcome, nil
}

// change changes the object as C has it, and takes over what it then is.
func (c *CSR) change(call func(*C.kubepki_csr) error) error {
	return c.use(func(csr *C.kubepki_csr) error {
		if err := call(csr); err != nil {
			return err
		}
		c.take(csr)
		return nil
	})
}

func (c *CSR) take(csr *C.kubepki_csr) {
	certificate := C.kubepki_csr_certificate_pem(csr)
	*c = CSR{
		Name:           str(C.kubepki_csr_name(csr)),
		SignerName:     str(C.kubepki_csr_signer_name(csr)),
		Username:       str(C.kubepki_csr_username(csr)),
		RequestPEM:     textBytes(C.kubepki_csr_request_pem(csr)),
		State:          states[C.kubepki_csr_state(csr)],
		Message:        str(C.kubepki_csr_message(csr)),
		CertificatePEM: octets(unsafe.Pointer(certificate.data), certificate.len),
		yaml:           textBytes(C.kubepki_csr_yaml(csr)),
		json:           textBytes(C.kubepki_csr_json(csr)),
	}
}

func (c *CSR) use(call func(*C.kubepki_csr) error) error {
	if c == nil {
		return null("csr")
	}
	return useCSR(c.yaml, call)
}

func useCSR(object []byte, call func(*C.kubepki_csr) error) error {
	var csr *C.kubepki_csr
	err := failed(C.kubepki_csr_from_yaml(unsafe.Pointer(&*first(object)), length(object), &csr))
	if err != nil {
		return err
	}
	defer C.kubepki_csr_free(csr)
	return call(csr)
}

// An Approver decides about requests. The zero value approves what nodes may ask for without any of these:
// new client certificates for themselves.
type Approver struct {
	// Nodes are Node objects (v1) in YAML or JSON, as kubelets' serving certificates need them: that of who
	// asks is enough. In an object from the API server the addresses are the kubelet's own word; those of an
	// inventory can be written in the same form.
	Nodes [][]byte
	// Policies say what may be approved for other signers.
	Policies []SignerPolicy
	// BootstrapGroups are the groups whose members may ask for the first client certificate of any node, with
	// kubeadm system:bootstrappers:kubeadm:default-node-token.
	BootstrapGroups []string
}

// A SignerPolicy is what may be approved for one signer: who may ask, and for what. All that is not allowed
// is denied.
//
// In a pattern each * stands for one or more letters, digits, - and _.
type SignerPolicy struct {
	// SignerName is a signer of your own, such as example.com/serving, or kubernetes.io/kube-apiserver-client.
	SignerName string
	// Requesters are users who may ask, by patterns of the names that the API server saw.
	Requesters []string
	// CommonNames are patterns. A request need not have a common name.
	CommonNames []string
	// Organizations are groups.
	Organizations []string
	// SANs are patterns such as DNS:*.my-namespace.svc, IP:10.0.0.0/8, URI:spiffe://example.com/ns/*/sa/* and
	// email:*@example.com.
	SANs []string
	// Usages are such as server auth and digital signature.
	Usages []string
	// Longest is the most that may be asked for. A request must then ask for some, since the signer's own
	// time may be longer.
	Longest time.Duration
}

// A Review is what an [Approver] decides about a request, and why. It never changes, so any number of
// goroutines may use it at once.
type Review struct {
	Verdict Verdict
	Reason  string // one word, for programs
	Message string // for people

	handle *handle[*C.kubepki_review]
}

// A Verdict is what is to be done with a request.
type Verdict string

const (
	VerdictApprove Verdict = "approve"  // its signer will accept it, and who asks may have it
	VerdictDeny    Verdict = "deny"     // it is to be denied
	VerdictNotMine Verdict = "not-mine" // it is left as it is, for another approver, for people or for later
)

var verdicts = map[C.kubepki_verdict]Verdict{
	C.KUBEPKI_VERDICT_APPROVE:  VerdictApprove,
	C.KUBEPKI_VERDICT_DENY:     VerdictDeny,
	C.KUBEPKI_VERDICT_NOT_MINE: VerdictNotMine,
}

// Review decides about a request as it came from the API server, which vouches for user and groups. It never
// approves what kube-controller-manager would refuse to sign. The object stays as it is.
func (a *Approver) Review(csr *CSR) (*Review, error) {
	var out *C.kubepki_review
	err := a.use(func(approver *C.kubepki_approver) error {
		return csr.use(func(csr *C.kubepki_csr) error {
			return failed(C.kubepki_approver_review(approver, csr, &out))
		})
	})
	h, err := own(out, err, func(review *C.kubepki_review) { C.kubepki_review_free(review) })
	if err != nil {
		return nil, err
	}
	return &Review{
		Verdict: verdicts[C.kubepki_review_verdict(out)],
		Reason:  str(C.kubepki_review_reason(out)),
		Message: str(C.kubepki_review_message(out)),
		handle:  h,
	}, nil
}

func (r *Review) of() *handle[*C.kubepki_review] {
	if r == nil {
		return nil
	}
	return r.handle
}

// Close frees the review. It does nothing the second time.
func (r *Review) Close() error { return r.of().close() }

// Apply puts the condition into the object, which then goes to the subresource approval. What is not this
// approver's stays as it is. ErrChanged when something was decided about the object meanwhile, or when it is
// not what was reviewed.
func (r *Review) Apply(csr *CSR, now time.Time) error {
	return r.of().look(func(review *C.kubepki_review) error {
		return csr.change(func(csr *C.kubepki_csr) error {
			return failed(C.kubepki_review_apply(review, csr, moment(now)))
		})
	})
}

func (a *Approver) use(call func(*C.kubepki_approver) error) error {
	if a == nil {
		return null("approver")
	}
	var approver *C.kubepki_approver
	var all attempt
	all.do(C.kubepki_approver_new(&approver))
	if all.err != nil {
		return all.err
	}
	defer C.kubepki_approver_free(approver)
	for _, node := range a.Nodes {
		all.do(C.kubepki_approver_set_node(approver, unsafe.Pointer(&*first(node)), length(node)))
	}
	for _, policy := range a.Policies {
		all.fail(policy.use(func(policy *C.kubepki_signer_policy) error {
			return failed(C.kubepki_approver_set_policy(approver, policy))
		}))
	}
	for _, group := range a.BootstrapGroups {
		all.do(C.kubepki_approver_add_bootstrap_group(approver, chars(group), size(group)))
	}
	if all.err != nil {
		return all.err
	}
	return call(approver)
}

func (p *SignerPolicy) use(call func(*C.kubepki_signer_policy) error) error {
	var policy *C.kubepki_signer_policy
	var a attempt
	a.do(C.kubepki_signer_policy_new(chars(p.SignerName), size(p.SignerName), &policy))
	if a.err != nil {
		return a.err
	}
	defer C.kubepki_signer_policy_free(policy)
	for _, allowed := range []struct {
		kind   string
		values []string
	}{
		{"requester", p.Requesters},
		{"common-name", p.CommonNames},
		{"organization", p.Organizations},
		{"san", p.SANs},
		{"usage", p.Usages},
	} {
		for _, value := range allowed.values {
			a.do(C.kubepki_signer_policy_allow(policy, chars(allowed.kind), size(allowed.kind), chars(value),
				size(value)))
		}
	}
	a.span("Longest", p.Longest, func(seconds C.uint64_t) *C.kubepki_error {
		return C.kubepki_signer_policy_set_longest(policy, seconds)
	})
	if a.err != nil {
		return a.err
	}
	return call(policy)
}
