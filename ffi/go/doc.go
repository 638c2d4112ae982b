// Package kubepki makes, audits, renews and extends the whole certificate set of a Kubernetes cluster:
// authorities, leaf certificates, kubeconfigs and the service-account key. Rules and logic are in the C
// library that it links.
//
// A cluster and its machines are described by [Cluster] and [Node]. [Create] makes the files of the first
// machine, [Authorities.Join] those of others; [Load] and [PKI.Audit] say what is wrong with files that are
// there, by themselves or by what is [Expected]; [PKI.Plan] and [Plan.Apply] mend them, and a [Store] writes
// them. [Issuer] and [Profile] are for single certificates. [CSR], [Approver] and [Request] are for requests
// to the API server; [Authentication], [ClusterInfo] and [StaticTokens] for tokens and whatever else API
// servers believe.
//
// A key that is kept elsewhere, in an HSM or a KMS, signs as a [crypto.Signer]: that of one authority by
// [Authorities.Attach], those of all from the start by [SelfSignedBy] and [NewAuthorities].
//
// # Build
//
// The library is found by pkg-config, and linked statically: the program needs nothing of it where it runs.
//
//	ffi/install /usr/local
//	export PKG_CONFIG_PATH=/usr/local/lib/pkgconfig
//	go build
//
// With the build tag kubepki_shared it is linked with libkubepki.so. The module is used from a checkout:
//
//	go mod edit -require=kubepki@v0.0.0 -replace=kubepki=PATH/ffi/go
//
// # Values
//
// Descriptions and results are plain values, and nothing in them needs to be closed. [Authorities],
// [ClusterInfo], [Issuer], [PKI], [Plan], [Request], [Review] and [Store] hold memory of the library: Close
// frees it, and overwrites keys and tokens. What is forgotten is freed by the garbage collector, at some time
// or never. A [Store] that is forgotten keeps its directory locked until then.
//
// Those may be used by any number of goroutines at once: a method that changes one waits until it is alone.
// Plain values, among them [CSR] and [StaticTokens], are as all of Go: whoever changes one must be alone.
//
// The clock is a parameter, counted in whole seconds. No call can be cancelled: all but [Load], [Open] and
// the like only compute, and RSA keys take most of the time.
//
// # Errors
//
// Every error of the library is an [Error]. [errors.Is] finds its [Code], and what is behind it: what a
// crypto.Signer returned, or what the operating system says, such as [io/fs.ErrNotExist]. What an audit finds
// is no failure of the call: [Report.Err] makes an error of it.
//
// # Secrets
//
// Private keys, tokens and kubeconfigs come out as [Secret], which nothing prints. They are copies, which Go
// does not overwrite, but [Secret.Clear]. What stays in the library is overwritten by Close.
package kubepki

// #include <kubepki.h>
import "C"

// Version gives the version of the library, such as 0.1.0.
func Version() string { return C.GoString(C.kubepki_version()) }
