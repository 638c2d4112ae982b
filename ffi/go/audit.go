package kubepki

// #include <kubepki.h>
import "C"

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Severity says how bad a finding is.
type Severity string

const (
	// SeverityNote: only the convention differs, or nothing needs to be done.
	SeverityNote Severity = "note"
	// SeverityWarning: it will fail soon, or is weak.
	SeverityWarning Severity = "warning"
	// SeverityError: a component would refuse the file, or it grants another identity or more power than its
	// role.
	SeverityError Severity = "error"
)

// A Finding is one judgement about one file.
type Finding struct {
	// ID is what it is about: a stable name, such as expires-soon. docs/findings.md of the project has all of
	// them.
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	// File is below the directory of the machine's Kubernetes files where it lies there.
	File string `json:"file"`
	// Role is that of the file, empty where it has none.
	Role Role `json:"role"`
	// Expected is what was expected, Found what was found instead, and Mend how to mend it: for people.
	Expected string `json:"expected"`
	Found    string `json:"found"`
	Mend     string `json:"mend"`
}

// String gives the finding in one line, without how to mend it.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s: expected %s, found %s", f.Severity, f.File, f.ID, f.Expected, f.Found)
}

// A CertificateReport is what an audit looked at. docs/report.md of the project describes each field.
type CertificateReport struct {
	File         string    `json:"file"`
	Role         Role      `json:"role"`
	Subject      string    `json:"subject"`
	Issuer       string    `json:"issuer"`
	SignedBy     Role      `json:"signed_by"`
	SerialNumber string    `json:"serial_number"`
	NotBefore    time.Time `json:"not_before"`
	NotAfter     time.Time `json:"not_after"`
	SANs         []string  `json:"sans"`
	Usages       []string  `json:"usages"`
	Fingerprint  string    `json:"fingerprint"`
}

// A Report is what an audit found, and what it looked at.
type Report struct {
	// At is the moment for which the audit was made.
	At time.Time `json:"at"`
	// Findings has the worst first. With none, nothing is wrong.
	Findings []Finding `json:"findings"`
	// Certificates are in the order of the role table.
	Certificates []CertificateReport `json:"certificates"`

	text, prometheus string
	json             []byte
}

// String gives the report for people: every certificate with its expiry, its signer and the worst finding
// about it, then each finding.
func (r *Report) String() string { return r.text }

// JSON gives the whole report as docs/report.md of the project describes it.
func (r *Report) JSON() []byte { return bytes.Clone(r.json) }

// Prometheus gives the report in the text format of Prometheus.
func (r *Report) Prometheus() string { return r.prometheus }

// Err gives what is wrong as an error: nil, or an [Error] with ErrFindings and the findings that have
// severity error, a line for each in its message. Warnings and notes are no error.
func (r *Report) Err() error {
	var wrong []Finding
	var lines []string
	for _, finding := range r.Findings {
		if finding.Severity == SeverityError {
			wrong = append(wrong, finding)
			lines = append(lines, finding.String())
		}
	}
	if wrong == nil {
		return nil
	}
	return &Error{Code: ErrFindings, Message: strings.Join(lines, "\n"), Findings: wrong}
}

// Audit says what is wrong with the machine's files: by what is expected of it, or when that is nil, by what
// the machine's own files tell.
func (p *PKI) Audit(expected *Expected, now time.Time) (*Report, error) {
	var report Report
	err := expected.use(func(expected *C.kubepki_expected) error {
		return p.of().look(func(pki *C.kubepki_pki) error {
			var findings *C.kubepki_findings
			if err := failed(C.kubepki_pki_audit(pki, expected, moment(now), &findings)); err != nil {
				return err
			}
			defer C.kubepki_findings_free(findings)
			return report.fill(pki, findings, moment(now))
		})
	})
	if err != nil {
		return nil, err
	}
	return &report, nil
}

func (r *Report) fill(pki *C.kubepki_pki, findings *C.kubepki_findings, now C.int64_t) error {
	var text, prometheus, object *C.kubepki_buffer
	var a attempt
	a.do(C.kubepki_report_text(pki, findings, now, &text))
	a.do(C.kubepki_report_prometheus(pki, findings, now, &prometheus))
	a.do(C.kubepki_report_json(pki, findings, now, &object))
	r.text, r.prometheus, r.json = string(buffer(text)), string(buffer(prometheus)), buffer(object)
	if a.err != nil {
		return a.err
	}
	return json.Unmarshal(r.json, r)
}

// A Policy says what a plan renews, and how.
type Policy struct {
	// Within renews what ends within so long: 30 days when zero.
	Within time.Duration
	// KeepKeys issues for the keys that are there, as long as they can be used.
	KeepKeys bool
	// All issues every leaf certificate again, due or not.
	All bool
}

func (p *Policy) use(call func(*C.kubepki_policy) error) error {
	var policy *C.kubepki_policy
	var a attempt
	a.do(C.kubepki_policy_new(&policy))
	if a.err != nil {
		return a.err
	}
	defer C.kubepki_policy_free(policy)
	a.span("Within", p.Within, func(seconds C.uint64_t) *C.kubepki_error {
		return C.kubepki_policy_set_window(policy, seconds)
	})
	if p.KeepKeys {
		a.do(C.kubepki_policy_keep_keys(policy))
	}
	if p.All {
		a.do(C.kubepki_policy_renew_all(policy))
	}
	if a.err != nil {
		return a.err
	}
	return call(policy)
}

// A Plan is what would be changed on a machine, and why. Nothing happens before it is applied. Any number of
// goroutines may use it at once.
type Plan struct {
	// At is the moment for which the plan was made.
	At time.Time `json:"at"`
	// Steps are what would be done, in that order. With none, applying changes nothing.
	Steps []Step `json:"steps"`
	// Blocked is what is wrong, or due, and no step mends, the worst first.
	Blocked []Blocked `json:"blocked"`
	// Restarts are components that must restart.
	Restarts []Effect `json:"restarts"`
	// Reloads are components that take up the changes by themselves.
	Reloads []Effect `json:"reloads"`

	handle *handle[*C.kubepki_plan]
	text   string
	json   []byte
}

// A Step is one act for one role. docs/report.md of the project describes each field.
type Step struct {
	Role          Role      `json:"role"`
	Action        string    `json:"action"`
	What          string    `json:"what"`
	Files         []string  `json:"files"`
	Reasons       []string  `json:"reasons"`
	Because       []string  `json:"because"`
	Ends          time.Time `json:"ends"`
	ShortenedFrom time.Time `json:"shortened_from"`
	OldSubject    string    `json:"old_subject"`
	NewSubject    string    `json:"new_subject"`
	AddedSANs     []string  `json:"added_sans"`
	RemovedSANs   []string  `json:"removed_sans"`
}

// Blocked is something that no step of a plan mends.
type Blocked struct {
	File     string   `json:"file"`
	Role     Role     `json:"role"` // empty where the file has none
	Severity Severity `json:"severity"`
	Finding  string   `json:"finding"` // what an audit found; empty where a certificate only ends soon
	What     string   `json:"what"`    // for people
	Why      string   `json:"why"`     // why the plan leaves it, and what to do, for people
}

// An Effect is a component that reads changed files.
type Effect struct {
	Component string   `json:"component"`
	Files     []string `json:"files"`
}

// Plan says what is to be done: what an audit finds and a plan can mend, what ends soon, and what has another
// key algorithm than is described (RSA2048 where [Cluster.KeyAlgorithm] is empty). What is expected is as for
// [PKI.Audit].
func (p *PKI) Plan(expected *Expected, policy Policy, now time.Time) (*Plan, error) {
	var out *C.kubepki_plan
	err := expected.use(func(expected *C.kubepki_expected) error {
		return policy.use(func(policy *C.kubepki_policy) error {
			return p.of().look(func(pki *C.kubepki_pki) error {
				return failed(C.kubepki_pki_plan(pki, expected, policy, moment(now), &out))
			})
		})
	})
	h, err := own(out, err, func(plan *C.kubepki_plan) { C.kubepki_plan_free(plan) })
	if err != nil {
		return nil, err
	}
	plan := &Plan{
		handle: h,
		text:   str(C.kubepki_plan_text(out)),
		json:   textBytes(C.kubepki_plan_json(out)),
	}
	if err := json.Unmarshal(plan.json, plan); err != nil {
		plan.Close()
		return nil, err
	}
	return plan, nil
}

func (p *Plan) of() *handle[*C.kubepki_plan] {
	if p == nil {
		return nil
	}
	return p.handle
}

// Close frees the plan. It does nothing the second time.
func (p *Plan) Close() error { return p.of().close() }

// String gives the plan for people.
func (p *Plan) String() string { return p.text }

// JSON gives the plan as docs/report.md of the project describes it.
func (p *Plan) JSON() []byte { return bytes.Clone(p.json) }

// Apply makes the changes in memory: all steps, or when one fails, none. [Store.Commit] then writes what has
// changed. ErrChanged when pki is not what the plan was made from.
func (p *Plan) Apply(pki *PKI) error {
	return p.of().look(func(plan *C.kubepki_plan) error {
		return pki.of().change(func(pki *C.kubepki_pki) error {
			return failed(C.kubepki_plan_apply(plan, pki))
		})
	})
}
