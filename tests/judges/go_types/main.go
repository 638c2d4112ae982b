// Command judge reads Kubernetes objects into the Go types of k8s.io/api, and refuses what those do not have: unknown
// fields, keys that stand twice, values of another type.
//
// Its input is a list of documents, each YAML or JSON, as a list of texts in JSON. Its output is a list as long: of each
// document {"object": what was read, written again as JSON} or {"refusal": what Go objects to}.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	certificatesv1 "k8s.io/api/certificates/v1"
	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

type answer struct {
	Object  runtime.Object `json:"object,omitempty"`
	Refusal string         `json:"refusal,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		certificatesv1.AddToScheme,
		certificatesv1beta1.AddToScheme,
		corev1.AddToScheme,
		rbacv1.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()

	var documents []string
	if err := json.NewDecoder(os.Stdin).Decode(&documents); err != nil {
		return err
	}
	answers := make([]answer, len(documents))
	for i, document := range documents {
		object, _, err := decoder.Decode([]byte(document), nil, nil)
		if err != nil {
			answers[i].Refusal = err.Error()
			continue
		}
		answers[i].Object = object
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}
