//go:build tools

// Package conformance names what tests/conformance/run builds of Kubernetes 1.20: go.mod and go.sum fix all of its
// source.
package conformance

import (
	// Newer than that Kubernetes asks for: its own one ends with a panic when built with a Go of today.
	_ "github.com/modern-go/reflect2"
	_ "k8s.io/kubernetes/cmd/kubeadm"
)
