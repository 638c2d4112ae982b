package kubepki_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kubepki"
)

const header = "../../include/kubepki.h"

// all gives what an expression finds in a file: its first group.
func all(t testing.TB, file, expression string) (found []string) {
	text := string(must(os.ReadFile(file))(t))
	for _, match := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

// What Go has by other means.
var unused = map[string]string{
	"kubepki_answer_failure":       "kubepki_answer_failure_with_cause",
	"kubepki_error_code":           "its name is the code",
	"kubepki_version_number":       "kubepki_version",
	"kubepki_issuer_load":          "os.ReadFile",
	"kubepki_kubeadm_load":         "os.ReadFile",
	"kubepki_credential_not_after": "crypto/x509",
	"kubepki_profile_role":         "Profile.Role",
	"kubepki_roles":                "the constants of Role",
	"kubepki_findings_count":       "kubepki_report_json",
	"kubepki_findings_at":          "kubepki_report_json",
	"kubepki_findings_worst":       "kubepki_report_json",
	"kubepki_findings_text":        "kubepki_report_text",
	"kubepki_findings_json":        "kubepki_report_json",
	"kubepki_plan_step_count":      "kubepki_plan_json",
	"kubepki_plan_blocked_count":   "kubepki_plan_json",
}

func TestEveryFunctionOfTheHeaderIsReached(t *testing.T) {
	var sources strings.Builder
	for _, name := range must(filepath.Glob("*.go"))(t) {
		if !strings.HasSuffix(name, "_test.go") {
			sources.Write(must(os.ReadFile(name))(t))
		}
	}
	functions := all(t, header, `(?m)^[a-z].*?\b(kubepki_\w+)\(`)
	if len(functions) < 150 {
		t.Errorf("only %d functions", len(functions))
	}
	for _, function := range functions {
		called := regexp.MustCompile(`\b` + function + `\(`).MatchString(sources.String())
		if _, known := unused[function]; called == known {
			t.Errorf("%s: called is %v, and so is that it is not needed", function, called)
		}
		delete(unused, function)
	}
	if len(unused) != 0 {
		t.Error("not in the header:", unused)
	}
}

func TestEveryCodeOfTheHeaderHasItsConstant(t *testing.T) {
	constants := map[string]bool{}
	for _, constant := range all(t, "errors.go", `(?m)^\tErr\w+ +Code = "(.+)"`) {
		constants[constant] = true
	}
	delete(constants, string(kubepki.ErrClosed)) // of Go alone, like the next
	delete(constants, string(kubepki.ErrFindings))
	for _, code := range all(t, header, `KUBEPKI_ERROR_(\w+) =`) {
		name := strings.ToLower(strings.ReplaceAll(code, "_", "-"))
		if !constants[name] {
			t.Errorf("%s has no constant", name)
		}
		delete(constants, name)
	}
	if len(constants) != 0 {
		t.Error("not in the header:", constants)
	}
}

func TestTheVersionIsThatOfTheHeader(t *testing.T) {
	if text := string(must(os.ReadFile(header))(t)); !strings.Contains(text,
		`#define KUBEPKI_VERSION "`+kubepki.Version()+`"`) {
		t.Error(kubepki.Version())
	}
}
