// kubelet-certificates gets the certificates of a node exactly as its kubelet does, by the kubelet's own packages, and
// ends when it has them.
//
//	kubelet-certificates client NODE BOOTSTRAP-KUBECONFIG KUBECONFIG DIRECTORY
//	kubelet-certificates server NODE KUBECONFIG DIRECTORY TYPE=ADDRESS...
//
// The first writes KUBECONFIG, whose certificate and key are in DIRECTORY. The second wants a certificate for the
// addresses, with the types that a Node object gives them.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/certificate"
	"k8s.io/kubernetes/pkg/kubelet/certificate/bootstrap"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 5 && arguments[0] == "client":
		node, from, to, directory := arguments[1], arguments[2], arguments[3], arguments[4]
		return bootstrap.LoadClientCert(context.Background(), to, from, directory, types.NodeName(node))
	case len(arguments) > 4 && arguments[0] == "server":
		return server(arguments[1], arguments[2], arguments[3], arguments[4:])
	}
	return fmt.Errorf("usage: client NODE FROM TO DIRECTORY, or server NODE KUBECONFIG DIRECTORY TYPE=ADDRESS...")
}

func server(node, kubeconfig, directory string, named []string) error {
	var addresses []v1.NodeAddress
	for _, text := range named {
		kind, address, _ := strings.Cut(text, "=")
		addresses = append(addresses, v1.NodeAddress{Type: v1.NodeAddressType(kind), Address: address})
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	get := func() []v1.NodeAddress { return addresses }
	manager, err := certificate.NewKubeletServerCertificateManager(
		client, &kubeletconfig.KubeletConfiguration{}, types.NodeName(node), get, directory)
	if err != nil {
		return err
	}
	manager.Start()
	for manager.Current() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}
