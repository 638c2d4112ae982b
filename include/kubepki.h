/*
 * kubepki: the whole certificate set of a Kubernetes cluster.
 *
 * Rules that hold everywhere:
 *
 * - A function that can fail returns an error, which the caller frees, or NULL: then it has succeeded. What it was to
 *   write it writes on success only, and last of its parameters.
 * - What is given is a pointer and a length, which is read during the call and copied if it is kept. Nothing need end
 *   with a zero byte. Where the length is 0 the pointer may be NULL. KUBEPKI_LITERAL("...") is both of a literal.
 * - What is given back is a handle, which the caller frees by the function that belongs to its type, or a view of a
 *   handle's own bytes: that ends with its handle, or with the next call that takes the handle without const.
 * - A handle that is NULL is KUBEPKI_ERROR_NULL, with the parameter's name, unless the function says what it means.
 *   Functions that free accept it, and do nothing; those that only look answer with 0 or an empty view. A kubepki_list
 *   may be NULL, which is empty.
 * - No handle belongs to a thread, and there is no state beside the handles. "Threads: any" and "any at once" say that
 *   any number of threads may call it, also with the same handles. "One at a time" says that nobody else may use the
 *   handle that the call takes without const, and "the last to use it" that nobody does so after it.
 * - Whatever signs by a kubepki_signer may call its callback, on its own thread and on others.
 * - Text is UTF-8, and so are paths. Roles, algorithms, components and conventions are their documented names. Moments
 *   are seconds since 1970, spans are seconds.
 * - Private keys are secrets wherever they stand, and so are tokens and kubeconfigs. They are overwritten when they are
 *   freed. No error quotes one.
 */

#ifndef KUBEPKI_H
#define KUBEPKI_H

#include <stddef.h>
#include <stdint.h>

/* The version of this header; kubepki_version and kubepki_version_number give that of the library. */
#define KUBEPKI_VERSION "0.1.0"
#define KUBEPKI_VERSION_MAJOR 0
#define KUBEPKI_VERSION_MINOR 1
#define KUBEPKI_VERSION_PATCH 0
#define KUBEPKI_VERSION_NUMBER \
    (KUBEPKI_VERSION_MAJOR * 1000000 + KUBEPKI_VERSION_MINOR * 1000 + KUBEPKI_VERSION_PATCH)

/* A literal as a pointer and its length. */
#define KUBEPKI_LITERAL(text) ("" text), (sizeof(text) - 1)

// What went wrong, for programs. No number ever changes its meaning; new ones are added.
typedef enum {
  // Nothing: the code of NULL.
  KUBEPKI_OK = 0,
  // A fault of this library. Whatever the call was to change may be half changed: free it and go on without.
  KUBEPKI_ERROR_INTERNAL = 1,
  // A pointer that must not be NULL is.
  KUBEPKI_ERROR_NULL = 2,
  // Something went wrong for which this version of the interface has no number.
  KUBEPKI_ERROR_OTHER = 3,
  // What was asked for is not there.
  KUBEPKI_ERROR_ABSENT = 4,
  // A certificate that signs has expired.
  KUBEPKI_ERROR_AUTHORITY_EXPIRED = 100,
  // A certificate that signs is not yet valid: most often a clock is wrong.
  KUBEPKI_ERROR_AUTHORITY_NOT_YET_VALID = 101,
  // A signature does not verify.
  KUBEPKI_ERROR_BAD_SIGNATURE = 102,
  // What was looked at is no longer what it was: files, what a machine holds, or a request.
  KUBEPKI_ERROR_CHANGED = 103,
  // Another file is already there: it is left as it is.
  KUBEPKI_ERROR_EXISTS = 104,
  // A text or number that is no legal value of its field.
  KUBEPKI_ERROR_INVALID = 105,
  // The operating system refused: no such file, no space, no permission.
  KUBEPKI_ERROR_IO = 106,
  // A private key does not belong to its certificate.
  KUBEPKI_ERROR_KEY_MISMATCH = 107,
  // Another process, or another store of this one, is changing the same directory.
  KUBEPKI_ERROR_LOCKED = 108,
  // Bytes that are not what they should be: PEM, DER or YAML that cannot be read.
  KUBEPKI_ERROR_MALFORMED = 109,
  // There is nothing that could sign: an authority or its key is missing, or the service-account key is.
  KUBEPKI_ERROR_NO_ISSUER = 110,
  // A certificate that should sign others is no certificate authority, or may not sign this.
  KUBEPKI_ERROR_NOT_AN_AUTHORITY = 111,
  // The operating system gave no random bytes.
  KUBEPKI_ERROR_RANDOM = 112,
  // One certificate authority serves two purposes that must be kept apart.
  KUBEPKI_ERROR_SHARED_AUTHORITY = 113,
  // A signer failed; the message has its reason.
  KUBEPKI_ERROR_SIGNER = 114,
  // A signer answered with a signature that its public key does not verify.
  KUBEPKI_ERROR_SIGNER_MISMATCH = 115,
  // A service subnet has too few addresses.
  KUBEPKI_ERROR_SUBNET_TOO_SMALL = 116,
  // A key or signature algorithm that is not supported.
  KUBEPKI_ERROR_UNSUPPORTED = 117,
  // An authority where a leaf is needed, or the other way around.
  KUBEPKI_ERROR_USAGE_CONFLICT = 118,
  // A certificate or token was not issued by the authority or issuer that it is used with.
  KUBEPKI_ERROR_WRONG_ISSUER = 119,
  // An authority is not one of those that are pinned.
  KUBEPKI_ERROR_NOT_PINNED = 120,
  // A token has expired.
  KUBEPKI_ERROR_TOKEN_EXPIRED = 121,
  // A token is not yet valid: most often a clock is wrong.
  KUBEPKI_ERROR_TOKEN_NOT_YET_VALID = 122,
  // A token is for others.
  KUBEPKI_ERROR_WRONG_AUDIENCE = 123,
  // A certificate is not what was asked for.
  KUBEPKI_ERROR_WRONG_CERTIFICATE = 124,
} kubepki_code;

// What kind of place a `kubepki_place` is.
typedef enum {
  // None of the others.
  KUBEPKI_PLACE_OTHER = 0,
  // A file, by its path.
  KUBEPKI_PLACE_FILE = 1,
  // A field of a description or a document, or a parameter, by its name.
  KUBEPKI_PLACE_FIELD = 2,
  // A certificate, by its role.
  KUBEPKI_PLACE_ROLE = 3,
} kubepki_place_kind;

// How bad a finding is.
typedef enum {
  // There is no finding.
  KUBEPKI_SEVERITY_NONE = 0,
  // Only the convention differs, or nothing needs to be done.
  KUBEPKI_SEVERITY_NOTE = 1,
  // It will fail soon, or is weak.
  KUBEPKI_SEVERITY_WARNING = 2,
  // A component would refuse the file, or it grants another identity or more power than its role.
  KUBEPKI_SEVERITY_ERROR = 3,
} kubepki_severity;

// What was decided about a request.
typedef enum {
  // None of the others; that of NULL.
  KUBEPKI_STATE_OTHER = 0,
  // Nothing yet.
  KUBEPKI_STATE_PENDING = 1,
  // It may be signed.
  KUBEPKI_STATE_APPROVED = 2,
  // It must not be signed, also if it was approved as well.
  KUBEPKI_STATE_DENIED = 3,
  // Its signer refused it, for good.
  KUBEPKI_STATE_FAILED = 4,
  // It has its certificate.
  KUBEPKI_STATE_ISSUED = 5,
} kubepki_state;

// What became of a request that was to be signed.
typedef enum {
  // The object is as it was: it is not, or not yet, to be signed.
  KUBEPKI_OUTCOME_SKIPPED = 0,
  // The object now has its certificate: it goes to the subresource `status`.
  KUBEPKI_OUTCOME_ISSUED = 1,
  // The object now has the condition `Failed`: it goes to the subresource `status`, and will never be signed.
  KUBEPKI_OUTCOME_FAILED = 2,
} kubepki_outcome_kind;

// What is to be done with a request.
typedef enum {
  // To be left as it is, for another approver, for people or for later.
  KUBEPKI_VERDICT_NOT_MINE = 0,
  // To be approved: its signer will accept it, and who asks may have it.
  KUBEPKI_VERDICT_APPROVE = 1,
  // To be denied.
  KUBEPKI_VERDICT_DENY = 2,
} kubepki_verdict;

// Where a callback puts its answer. It lives until the callback returns.
typedef struct kubepki_answer kubepki_answer;

// What an approver knows of its cluster: nodes, policies of signers, and groups of bootstrap tokens.
typedef struct kubepki_approver kubepki_approver;

// The authorities of a cluster and its service-account key.
typedef struct kubepki_authorities kubepki_authorities;

// One text that a function made. It may be a secret: it is overwritten when it is freed.
typedef struct kubepki_buffer kubepki_buffer;

// The description of a cluster: what all of its nodes share. Whatever is not set has kubeadm's value, but names: those
// are of the Kubernetes documentation, unless `kubepki_cluster_set_convention` says `kubeadm`.
typedef struct kubepki_cluster kubepki_cluster;

// Where a cluster is and whom to trust there, as a machine that joins has verified it.
typedef struct kubepki_cluster_info kubepki_cluster_info;

// An issued certificate with its private key, and the intermediates that its holder presents with it.
typedef struct kubepki_credential kubepki_credential;

// A CertificateSigningRequest of `certificates.k8s.io/v1`. Fields that the library does not know survive.
typedef struct kubepki_csr kubepki_csr;

// One failure. It never changes, so any thread may read it, whichever got it.
typedef struct kubepki_error kubepki_error;

// All that one node of a cluster must hold, by their descriptions.
typedef struct kubepki_expected kubepki_expected;

// Files in memory. They are overwritten when they are freed.
typedef struct kubepki_files kubepki_files;

// What an audit found, the worst first.
typedef struct kubepki_findings kubepki_findings;

// Whom Kubernetes sees in a client certificate.
typedef struct kubepki_identity kubepki_identity;

// The user that a client asks the API server to take it for, once it has said who it is itself.
typedef struct kubepki_impersonation kubepki_impersonation;

// A certificate authority that signs: its certificate, those above it, and its key or a signer.
typedef struct kubepki_issuer kubepki_issuer;

// What kubeadm's configuration says about certificates.
typedef struct kubepki_kubeadm kubepki_kubeadm;

// Where the files of a machine lie: kubeconfigs in one directory, certificates and keys in `pki` below it or elsewhere.
typedef struct kubepki_layout kubepki_layout;

// Several texts. They may be secrets: they are overwritten when they are freed.
typedef struct kubepki_list kubepki_list;

// A Kubernetes object. It may hold a secret: it is overwritten when it is freed.
typedef struct kubepki_manifest kubepki_manifest;

// The description of one machine.
typedef struct kubepki_node kubepki_node;

// What one machine holds: credentials and files.
typedef struct kubepki_pki kubepki_pki;

// What would be changed on a machine, and why. Nothing happens before it is applied.
typedef struct kubepki_plan kubepki_plan;

// What a plan is to renew, and how.
typedef struct kubepki_policy kubepki_policy;

// What one certificate must be: role, subject, usages, subject alternative names, lifetime and key algorithm.
typedef struct kubepki_profile kubepki_profile;

// A private key that waits for its certificate, with the request for it.
typedef struct kubepki_request kubepki_request;

// What an approver decides about a request, and why.
typedef struct kubepki_review kubepki_review;

// Whom a service-account token makes of its holder.
typedef struct kubepki_service_account kubepki_service_account;

// A service-account token that is to be signed. Whoever has sa.key can make tokens for every service account; where
// there is an API server, the TokenRequest API makes them without it.
typedef struct kubepki_service_account_token kubepki_service_account_token;

// What signs for an authority whose key is elsewhere: in an HSM, a KMS or another process.
typedef struct kubepki_signer kubepki_signer;

// What may be approved for one signer: who may ask, and for what. All that is not allowed is denied.
typedef struct kubepki_signer_policy kubepki_signer_policy;

// The tokens of a static token file (`--token-auth-file`), which never end. They are overwritten when they are freed.
typedef struct kubepki_static_tokens kubepki_static_tokens;

// A directory under a lock, from loading to committing.
typedef struct kubepki_store kubepki_store;

// What a client shows a server to say who it is. It may be a secret: it is overwritten when it is freed.
typedef struct kubepki_user kubepki_user;

// Text that belongs to a handle: UTF-8, not terminated. `data` is NULL where there is none.
typedef struct {
  // The first byte.
  const char *data;
  // How many bytes.
  size_t len;
} kubepki_text;

// Where something went wrong.
typedef struct {
  // Which kind of place.
  kubepki_place_kind kind;
  // The path, the name or the role.
  kubepki_text text;
} kubepki_place;

// Bytes that belong to a handle. `data` is NULL where there are none.
typedef struct {
  // The first byte.
  const uint8_t *data;
  // How many bytes.
  size_t len;
} kubepki_bytes;

// One file.
typedef struct {
  // Its role, such as `kube-apiserver`; empty for a file that was added by `kubepki_files_add`.
  kubepki_text role;
  // What it holds: `certificate`, `key`, `public-key` or `kubeconfig`; empty likewise.
  kubepki_text part;
  // Its path below the directory of the machine's Kubernetes files: `pki/apiserver.crt`, `admin.conf`.
  kubepki_text path;
  // Its contents: PEM or YAML. Keys and kubeconfigs are secrets.
  kubepki_bytes bytes;
  // Its mode: 0600 for everything but certificates, which are 0644, or as it was found; 0 for a file that was added.
  uint32_t mode;
} kubepki_file;

// One judgement about one file. docs/findings.md of the project has every id.
typedef struct {
  // How bad it is.
  kubepki_severity severity;
  // What it is about: a stable name, such as `expires-soon`.
  kubepki_text id;
  // The role of the file; empty where it has none.
  kubepki_text role;
  // The file, below the directory of the machine's Kubernetes files where it lies there.
  kubepki_text file;
  // What was expected, for people.
  kubepki_text expected;
  // What was found instead, for people.
  kubepki_text found;
  // How to mend it, for people.
  kubepki_text mend;
} kubepki_finding;

// One thing to be known of an identity.
typedef struct {
  // Its stable name, such as `authorization-bypassed`.
  kubepki_text id;
  // What it means, in a sentence or two.
  kubepki_text help;
} kubepki_note;

// What is to be signed. The views live until the callback returns.
typedef struct {
  // How: `sha256WithRSAEncryption` (PKCS#1 v1.5), `ecdsa-with-SHA256` or `ecdsa-with-SHA384` (in DER). It follows from
  // the public key.
  kubepki_text algorithm;
  // The whole message, for signers that hash themselves.
  kubepki_bytes message;
  // Its digest by the hash of the algorithm, for those that want that.
  kubepki_bytes digest;
} kubepki_to_sign;

// Signs, and answers by `kubepki_answer_signature`, `kubepki_answer_failure` or `kubepki_answer_failure_with_cause`
// before it returns; the last answer counts.
//
// It may be called from any thread, from several at once, and may call this library itself, though not with a handle
// that the call which signs is changing. It must return: no exception and no longjmp may leave it.
typedef void (*kubepki_sign)(void *user, const kubepki_to_sign *to_sign, kubepki_answer *answer);

// Called once, when nothing signs by `user` any more, or no error has the cause any more, on whichever thread drops the
// last. It may free handles of its own, but must not touch the one that the outer call frees or changes. It must return,
// as `kubepki_sign` must.
typedef void (*kubepki_release)(void *user);

// What became of a request that was to be signed, and why.
typedef struct {
  // What.
  kubepki_outcome_kind kind;
  // Why, for people; empty with a certificate. The view lives until the object is changed or freed.
  kubepki_text message;
} kubepki_outcome;

// One header of a request.
typedef struct {
  // Its name, such as `Impersonate-User`.
  kubepki_text name;
  // Its value.
  kubepki_text value;
} kubepki_header;

// An object of a cluster.
typedef struct {
  // Its name.
  kubepki_text name;
  // Its UID.
  kubepki_text uid;
} kubepki_object;

// What a verified service-account token says.
typedef struct {
  // The user that Kubernetes sees: `system:serviceaccount:NAMESPACE:NAME`.
  kubepki_text user;
  // The service account's namespace.
  kubepki_text namespace_name;
  // The service account.
  kubepki_object account;
  // The token's own ID; empty before Kubernetes 1.29.
  kubepki_text id;
  // When it was issued.
  int64_t issued;
  // From when on it is good.
  int64_t not_before;
  // When it ends.
  int64_t expires;
  // The pod that it is bound to; its texts are empty where there is none, as with the others.
  kubepki_object pod;
  // The node that it is bound to, or on which the pod runs.
  kubepki_object node;
  // The Secret that it is bound to.
  kubepki_object secret;
} kubepki_claims;

// One token of a static token file.
typedef struct {
  // The token, as a client sends it: a secret.
  kubepki_text token;
  // The user's name.
  kubepki_text user;
  // The user's UID.
  kubepki_text uid;
} kubepki_static_token;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library, such as `0.1.0`, terminated by a zero byte. `KUBEPKI_VERSION` is that of the header.
//
// Threads: any. It is always there.
const char *kubepki_version(void);

// The version of the library as a number that grows: `KUBEPKI_VERSION_NUMBER` is that of the header.
//
// Threads: any.
uint32_t kubepki_version_number(void);

// Which error this is. `KUBEPKI_OK` for NULL.
//
// Threads: any at once.
kubepki_code kubepki_error_code(const kubepki_error *error);

// The stable name of the code, such as `no-issuer`; `ok` for NULL. It is always there.
//
// Threads: any at once.
kubepki_text kubepki_error_name(const kubepki_error *error);

// The whole message, for people: the places, what was expected and what was found. It quotes no secret.
//
// Threads: any at once. The view lives as long as the error.
kubepki_text kubepki_error_message(const kubepki_error *error);

// What was expected; with `KUBEPKI_ERROR_IO`, what was to be done.
//
// Threads: any at once. The view lives as long as the error.
kubepki_text kubepki_error_expected(const kubepki_error *error);

// What was found instead; empty where nothing can be said.
//
// Threads: any at once. The view lives as long as the error.
kubepki_text kubepki_error_found(const kubepki_error *error);

// How many places the error has.
//
// Threads: any at once.
size_t kubepki_error_place_count(const kubepki_error *error);

// One of the places, the outermost first: a file or a role, then a field in it. Empty beyond the last.
//
// Threads: any at once. The view lives as long as the error.
kubepki_place kubepki_error_place_at(const kubepki_error *error, size_t index);

// The operating system's own number (`errno`) of a `KUBEPKI_ERROR_IO`; 0 where it gave none.
//
// Threads: any at once.
int32_t kubepki_error_os_error(const kubepki_error *error);

// What a signer's callback gave by `kubepki_answer_failure_with_cause`; NULL where it gave nothing. It lives as long as
// the error.
//
// Threads: any at once.
void *kubepki_error_cause(const kubepki_error *error);

// Frees an error. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_error_free(kubepki_error *error);

// The text.
//
// Threads: any at once. The view lives as long as the buffer.
kubepki_text kubepki_buffer_text(const kubepki_buffer *buffer);

// Frees a buffer. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_buffer_free(kubepki_buffer *buffer);

// An empty list, to be filled by `kubepki_list_add`.
//
// Threads: any. Free `*out` by `kubepki_list_free`.
kubepki_error *kubepki_list_new(kubepki_list **out);

// Adds a text, which is copied.
//
// Threads: one at a time.
kubepki_error *kubepki_list_add(kubepki_list *list, const char *text, size_t text_len);

// How many texts there are.
//
// Threads: any at once.
size_t kubepki_list_count(const kubepki_list *list);

// One of the texts; empty beyond the last.
//
// Threads: any at once. The view lives until the list is changed or freed.
kubepki_text kubepki_list_at(const kubepki_list *list, size_t index);

// Frees a list. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_list_free(kubepki_list *list);

// An empty set of files, to be filled by `kubepki_files_add`.
//
// Threads: any. Free `*out` by `kubepki_files_free`.
kubepki_error *kubepki_files_new(kubepki_files **out);

// Adds a file: its path below the directory of a machine's Kubernetes files, such as `pki/ca.crt`, each once, and its
// contents. What is no file of a machine's is passed over by whatever takes the files.
//
// Threads: one at a time. Both are copied.
kubepki_error *kubepki_files_add(kubepki_files *files,
                                 const char *path,
                                 size_t path_len,
                                 const void *bytes,
                                 size_t bytes_len);

// How many files there are.
//
// Threads: any at once.
size_t kubepki_files_count(const kubepki_files *files);

// One of the files; empty beyond the last.
//
// Threads: any at once. The views live until the files are changed or freed.
kubepki_file kubepki_files_at(const kubepki_files *files, size_t index);

// Frees files. NULL is allowed.
//
// Threads: any, the last to use them.
void kubepki_files_free(kubepki_files *files);

// A cluster that clients reach at `endpoint`: `HOST` or `HOST:PORT`. Services are in 10.96.0.0/12, the DNS domain is
// cluster.local, keys are RSA-2048, authorities are valid for ten years and leaves for one.
//
// Threads: any. Free `*out` by `kubepki_cluster_free`.
kubepki_error *kubepki_cluster_new(const char *endpoint, size_t endpoint_len, kubepki_cluster **out);

// The name of the cluster in kubeconfigs, instead of `default-cluster`, or by the convention `kubeadm`, `kubernetes`.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_name(kubepki_cluster *cluster, const char *name, size_t name_len);

// Another endpoint.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_endpoint(kubepki_cluster *cluster, const char *endpoint, size_t endpoint_len);

// The domain of the cluster's DNS, instead of `cluster.local`.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_dns_domain(kubepki_cluster *cluster, const char *domain, size_t domain_len);

// Adds a range of addresses for services, such as `10.96.0.0/12`: one, or one of each family. The first one that is
// added takes the place of those that were there before.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_add_service_subnet(kubepki_cluster *cluster, const char *subnet, size_t subnet_len);

// The algorithm of every key that is made, instead of `rsa-2048`: that, `rsa-3072`, `rsa-4096`, `ecdsa-p256` or
// `ecdsa-p384`.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_key_algorithm(kubepki_cluster *cluster,
                                                 const char *algorithm,
                                                 size_t algorithm_len);

// How many seconds authorities are valid, instead of ten years of 365 days.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_authority_lifetime(kubepki_cluster *cluster, uint64_t lifetime_seconds);

// How many seconds leaves are valid, instead of 365 days. None outlives its authority.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_leaf_lifetime(kubepki_cluster *cluster, uint64_t lifetime_seconds);

// Whose names certificates and kubeconfigs carry: `documented`, as it is unless this is called, or `kubeadm`.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_convention(kubepki_cluster *cluster,
                                              const char *convention,
                                              size_t convention_len);

// The version of kubeadm that the convention `kubeadm` follows where versions differ: `1.36` or `v1.36.3`. Unless this
// is called, names are those that work with every version.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_kubernetes_version(kubepki_cluster *cluster,
                                                      const char *version,
                                                      size_t version_len);

// Members of etcd are on machines of their own (`kubepki_node_etcd_member`), with certificates from the same
// authorities.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_dedicated_etcd(kubepki_cluster *cluster);

// etcd has certificates from elsewhere. The API server is pointed to these files, on each control-plane node: the
// certificates that it trusts etcd by, its client certificate, and the key of that.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_external_etcd(kubepki_cluster *cluster,
                                                 const char *ca,
                                                 size_t ca_len,
                                                 const char *cert,
                                                 size_t cert_len,
                                                 const char *key,
                                                 size_t key_len);

// The API server calls kubelets with its serving certificate, not with one of its own. Its user then needs
// `kubepki_manifest_kubelet_api_admin_binding`, and its key opens every kubelet.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_share_kubelet_client_certificate(kubepki_cluster *cluster);

// Gives every node's kubelet a serving certificate, and lets API servers verify kubelets by it. Each node then needs its
// addresses.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_verify_kubelets(kubepki_cluster *cluster);

// Frees a description. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_cluster_free(kubepki_cluster *cluster);

// Reads the documents of a configuration file of kubeadm (v1beta3, v1beta4) in YAML or JSON, of at most 1 MiB.
//
// Threads: any. Free `*out` by `kubepki_kubeadm_free`.
kubepki_error *kubepki_kubeadm_from_yaml(const void *yaml, size_t yaml_len, kubepki_kubeadm **out);

// Reads such a file.
//
// Threads: any. Free `*out` by `kubepki_kubeadm_free`.
kubepki_error *kubepki_kubeadm_load(const char *path, size_t path_len, kubepki_kubeadm **out);

// The node's name, instead of the file's: kubeadm takes the host's where the file has none.
//
// Threads: one at a time.
kubepki_error *kubepki_kubeadm_set_node_name(kubepki_kubeadm *kubeadm, const char *name, size_t name_len);

// The IP address at which the node's API server is reached, instead of the file's.
//
// Threads: one at a time.
kubepki_error *kubepki_kubeadm_set_advertise_address(kubepki_kubeadm *kubeadm,
                                                     const char *address,
                                                     size_t address_len);

// Where clients reach the API servers, instead of what the file says.
//
// Threads: one at a time.
kubepki_error *kubepki_kubeadm_set_endpoint(kubepki_kubeadm *kubeadm, const char *endpoint, size_t endpoint_len);

// The cluster that it describes.
//
// Threads: any at once. Free `*out` by `kubepki_cluster_free`.
kubepki_error *kubepki_kubeadm_cluster(const kubepki_kubeadm *kubeadm, kubepki_cluster **out);

// The machine that it describes: that of its JoinConfiguration, otherwise the first one.
//
// Threads: any at once. Free `*out` by `kubepki_node_free`.
kubepki_error *kubepki_kubeadm_node(const kubepki_kubeadm *kubeadm, kubepki_node **out);

// The machine of its InitConfiguration, the first one of the cluster.
//
// Threads: any at once. Free `*out` by `kubepki_node_free`.
kubepki_error *kubepki_kubeadm_first_node(const kubepki_kubeadm *kubeadm, kubepki_node **out);

// Where kubeadm has the files of the machine.
//
// Threads: any at once. Free `*out` by `kubepki_layout_free`.
kubepki_error *kubepki_kubeadm_layout(const kubepki_kubeadm *kubeadm, kubepki_layout **out);

// What in it has no effect, or not the one that was meant, for people.
//
// Threads: any at once. Free `*out` by `kubepki_list_free`.
kubepki_error *kubepki_kubeadm_remarks(const kubepki_kubeadm *kubeadm, kubepki_list **out);

// Frees a configuration. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_kubeadm_free(kubepki_kubeadm *kubeadm);

// A control-plane node: its name, and the IP address at which others reach its API server and its member of etcd.
//
// Threads: any. Free `*out` by `kubepki_node_free`.
kubepki_error *kubepki_node_control_plane(const char *name,
                                          size_t name_len,
                                          const char *address,
                                          size_t address_len,
                                          kubepki_node **out);

// A worker.
//
// Threads: any. Free `*out` by `kubepki_node_free`.
kubepki_error *kubepki_node_worker(const char *name, size_t name_len, kubepki_node **out);

// A machine for a member of etcd alone, and the IP address at which others reach it.
//
// Threads: any. Free `*out` by `kubepki_node_free`.
kubepki_error *kubepki_node_etcd_member(const char *name,
                                        size_t name_len,
                                        const char *address,
                                        size_t address_len,
                                        kubepki_node **out);

// Adds an IP address at which API servers call this node's kubelet, which then gets a serving certificate. The first
// one that is added takes the place of those that were there before.
//
// Threads: one at a time.
kubepki_error *kubepki_node_add_address(kubepki_node *node, const char *address, size_t address_len);

// Adds a subject alternative name, a DNS name or an IP address, to one of this node's serving certificates:
// `kube-apiserver`, `etcd-server`, `etcd-peer`, `kubelet-server` or `front-proxy-server`.
//
// Threads: one at a time.
kubepki_error *kubepki_node_add_san(kubepki_node *node,
                                    const char *role,
                                    size_t role_len,
                                    const char *san,
                                    size_t san_len);

// Asks for a kubeconfig of kube-proxy.
//
// Threads: one at a time.
kubepki_error *kubepki_node_ask_for_kube_proxy(kubepki_node *node);

// Asks for a serving certificate of a front proxy on this control-plane node with this name, a DNS name or an IP
// address; call it for each name. The first one takes the place of those that were there before.
//
// Threads: one at a time.
kubepki_error *kubepki_node_add_front_proxy_name(kubepki_node *node, const char *name, size_t name_len);

// The port on which this node's API server listens.
//
// Threads: one at a time.
kubepki_error *kubepki_node_set_bind_port(kubepki_node *node, uint16_t port);

// Frees a description. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_node_free(kubepki_node *node);

// The layout in `directory`, such as `/etc/kubernetes`.
//
// Threads: any. Free `*out` by `kubepki_layout_free`.
kubepki_error *kubepki_layout_new(const char *directory, size_t directory_len, kubepki_layout **out);

// Another directory for certificates and keys than `pki` (kubeadm's `certificatesDir`).
//
// Threads: one at a time.
kubepki_error *kubepki_layout_set_certificates(kubepki_layout *layout, const char *directory, size_t directory_len);

// Looks for everything below `root`, the root of a backup or of a container; no path and no symbolic link leads out.
//
// Threads: one at a time.
kubepki_error *kubepki_layout_set_root(kubepki_layout *layout, const char *root, size_t root_len);

// Where a part of a role lies on the machine: `certificate`, `key`, `public-key` or `kubeconfig`.
// `KUBEPKI_ERROR_ABSENT` when the role has no such file.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_layout_path(const kubepki_layout *layout,
                                   const char *role,
                                   size_t role_len,
                                   const char *part_name,
                                   size_t part_name_len,
                                   kubepki_buffer **out);

// Frees a layout. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_layout_free(kubepki_layout *layout);

// What follows from the descriptions of a cluster and one of its nodes. super-admin.conf is not expected: only the first
// node of a cluster has it.
//
// Threads: any at once. Both descriptions are copied. Free `*out` by `kubepki_expected_free`.
kubepki_error *kubepki_expected_new(const kubepki_cluster *cluster,
                                    const kubepki_node *node,
                                    kubepki_expected **out);

// What follows for the first control-plane node of a cluster: super-admin.conf as well.
//
// Threads: any at once. Both descriptions are copied. Free `*out` by `kubepki_expected_free`.
kubepki_error *kubepki_expected_first(const kubepki_cluster *cluster,
                                      const kubepki_node *node,
                                      kubepki_expected **out);

// Another place for the files than `/etc/kubernetes`, for arguments.
//
// Threads: one at a time.
kubepki_error *kubepki_expected_set_layout(kubepki_expected *expected, const kubepki_layout *layout);

// Says that the key of an authority is not on the node: no audit misses it there. For `kubernetes-ca`,
// kube-controller-manager is then not told to sign with it.
//
// Threads: one at a time.
kubepki_error *kubepki_expected_add_external(kubepki_expected *expected, const char *role, size_t role_len);

// The roles of the machine's own certificates, without the authorities', in the order of the role table.
//
// Threads: any at once. Free `*out` by `kubepki_list_free`.
kubepki_error *kubepki_expected_roles(const kubepki_expected *expected, kubepki_list **out);

// The arguments by which a component (`kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubelet`, `etcd`,
// `etcdctl`) is given the machine's files: each `--NAME=VALUE`.
//
// Threads: any at once. Free `*out` by `kubepki_list_free`.
kubepki_error *kubepki_expected_arguments(const kubepki_expected *expected,
                                          const char *component,
                                          size_t component_len,
                                          kubepki_list **out);

// Frees it. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_expected_free(kubepki_expected *expected);

// Makes the authorities of a new cluster, each its own root, and the service-account key.
//
// Threads: any at once. Free `*out` by `kubepki_authorities_free`.
kubepki_error *kubepki_authorities_create(const kubepki_cluster *cluster, int64_t now, kubepki_authorities **out);

// Makes them as intermediates below `parent`. Trust files hold the intermediates, never what stands above them.
//
// Threads: any at once. Free `*out` by `kubepki_authorities_free`.
kubepki_error *kubepki_authorities_create_under(const kubepki_issuer *parent,
                                                const kubepki_cluster *cluster,
                                                int64_t now,
                                                kubepki_authorities **out);

// Takes the service-account key, in PEM, of a cluster whose authorities exist already, or have their keys elsewhere from
// the start. They are then added by `kubepki_authorities_add`; what a node does not need may be missing.
//
// Threads: any. The key is copied. Free `*out` by `kubepki_authorities_free`.
kubepki_error *kubepki_authorities_new(const void *service_account_key_pem,
                                       size_t service_account_key_pem_len,
                                       kubepki_authorities **out);

// Adds an authority that exists: `kubernetes-ca`, `etcd-ca` or `front-proxy-ca`, each once. No two may share a key, and
// none may stand below another.
//
// Threads: one at a time. The issuer is copied, and its signer kept as long as anything signs by it.
kubepki_error *kubepki_authorities_add(kubepki_authorities *authorities,
                                       const char *role,
                                       size_t role_len,
                                       const kubepki_issuer *issuer);

// Reads the authorities from the directory of a machine's Kubernetes files. One whose key is not there is an external
// one: `kubepki_authorities_attach` lets it sign.
//
// Threads: any. Free `*out` by `kubepki_authorities_free`.
kubepki_error *kubepki_authorities_load(const char *directory, size_t directory_len, kubepki_authorities **out);

// Reads them from files in memory: those that `kubepki_authorities_files` gave, or all of a machine.
//
// Threads: any at once. Free `*out` by `kubepki_authorities_free`.
kubepki_error *kubepki_authorities_from_files(const kubepki_files *files, kubepki_authorities **out);

// Everything as files, for another control-plane machine. The keys are the cluster: carry them over an encrypted channel
// only.
//
// Threads: any at once. Free `*out` by `kubepki_files_free`.
kubepki_error *kubepki_authorities_files(const kubepki_authorities *authorities,
                                         kubepki_files **out);

// Lets `signer` sign for an authority whose key is not here: `kubernetes-ca`, `etcd-ca` or `front-proxy-ca`.
//
// Threads: one at a time. The signer is kept as long as anything signs by it.
kubepki_error *kubepki_authorities_attach(kubepki_authorities *authorities,
                                          const char *role,
                                          size_t role_len,
                                          const kubepki_signer *signer);

// Issues all that the first control-plane node of the cluster holds, super-admin.conf among it.
//
// Threads: any at once. Free `*out` by `kubepki_pki_free`.
kubepki_error *kubepki_authorities_first(const kubepki_authorities *authorities,
                                         const kubepki_cluster *cluster,
                                         const kubepki_node *node,
                                         int64_t now,
                                         kubepki_pki **out);

// Issues all that another node of the cluster holds: a control-plane node, a worker or a member of etcd.
//
// Threads: any at once. Free `*out` by `kubepki_pki_free`.
kubepki_error *kubepki_authorities_join(const kubepki_authorities *authorities,
                                        const kubepki_cluster *cluster,
                                        const kubepki_node *node,
                                        int64_t now,
                                        kubepki_pki **out);

// Makes a key, and has the authority of the profile's role sign a certificate for it.
//
// Threads: any at once. Free `*out` by `kubepki_credential_free`.
kubepki_error *kubepki_authorities_issue(const kubepki_authorities *authorities,
                                         const kubepki_profile *profile,
                                         int64_t now,
                                         kubepki_credential **out);

// What signs for one authority: `kubernetes-ca`, `etcd-ca` or `front-proxy-ca`. `KUBEPKI_ERROR_ABSENT` when it is not
// there or cannot sign.
//
// Threads: any at once. Free `*out`, which is a copy, by `kubepki_issuer_free`.
kubepki_error *kubepki_authorities_issuer(const kubepki_authorities *authorities,
                                          const char *role,
                                          size_t role_len,
                                          kubepki_issuer **out);

// The certificates, in PEM, by which a client outside the cluster verifies the API server.
// `KUBEPKI_ERROR_ABSENT` without a Kubernetes authority.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_authorities_trust_store_pem(const kubepki_authorities *authorities, kubepki_buffer **out);

// Frees authorities. NULL is allowed.
//
// Threads: any, the last to use them.
void kubepki_authorities_free(kubepki_authorities *authorities);

// Makes a new cluster's authorities, and all that its first control-plane node holds.
//
// Threads: any at once. Free `*out` by `kubepki_pki_free`.
kubepki_error *kubepki_pki_create(const kubepki_cluster *cluster,
                                  const kubepki_node *node,
                                  int64_t now,
                                  kubepki_pki **out);

// Reads what a machine's directory holds, whatever that is: files that are missing or cannot be read are for an audit
// to report. Only a directory that cannot be read makes it fail.
//
// Threads: any at once. Free `*out` by `kubepki_pki_free`.
kubepki_error *kubepki_pki_load(const kubepki_layout *layout, kubepki_pki **out);

// Takes the files of a machine from memory; likewise, no file makes it fail.
//
// Threads: any at once. Free `*out` by `kubepki_pki_free`.
kubepki_error *kubepki_pki_from_files(const kubepki_files *files, kubepki_pki **out);

// The machine's files, authorities first, then in the order of the role table.
//
// Threads: any at once. Free `*out`, which is a copy, by `kubepki_files_free`.
kubepki_error *kubepki_pki_files(const kubepki_pki *pki, kubepki_files **out);

// Writes every file, with its mode; directories are made as needed. None that is there is replaced: when one differs,
// nothing is written at all.
//
// Threads: any at once.
kubepki_error *kubepki_pki_save(const kubepki_pki *pki, const kubepki_layout *layout);

// Writes the files of several machines, each where the layout of the same position says: all of them, or when one file
// cannot be written or differs from one that is there, none.
//
// Threads: any at once.
kubepki_error *kubepki_pki_save_all(const kubepki_pki *const *pkis,
                                    const kubepki_layout *const *layouts,
                                    size_t count);

// The authorities as the machine holds them: on a control-plane node with their keys, elsewhere only the certificates
// that it needs.
//
// Threads: any at once. Free `*out`, which is a copy, by `kubepki_authorities_free`.
kubepki_error *kubepki_pki_authorities(const kubepki_pki *pki, kubepki_authorities **out);

// Lets `signer` sign for an authority whose key is not here: `kubernetes-ca`, `etcd-ca` or `front-proxy-ca`.
//
// Threads: one at a time. The signer is kept as long as anything signs by it.
kubepki_error *kubepki_pki_attach(kubepki_pki *pki, const char *role, size_t role_len, const kubepki_signer *signer);

// The credential of a role, also of those that lie in a kubeconfig. `KUBEPKI_ERROR_ABSENT` when there is none.
//
// Threads: any at once. Free `*out`, which is a copy, by `kubepki_credential_free`.
kubepki_error *kubepki_pki_credential(const kubepki_pki *pki,
                                      const char *role,
                                      size_t role_len,
                                      kubepki_credential **out);

// The cluster, for the kubeconfig of a user: as it was described, or where the machine was loaded, as far as its files
// tell. That is no whole description, so an audit or a plan by what the files tell is asked for by NULL, not by this.
// `KUBEPKI_ERROR_ABSENT` where they do not tell the endpoint.
//
// Threads: any at once. Free `*out`, which is a copy, by `kubepki_cluster_free`.
kubepki_error *kubepki_pki_cluster(const kubepki_pki *pki,
                                   kubepki_cluster **out);

// The arguments by which a component (`kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubelet`, `etcd`,
// `etcdctl`) is given this machine's files: each `--NAME=VALUE`. A machine that was made here has its files in
// `/etc/kubernetes`, one that was loaded where they are.
//
// Threads: any at once. Free `*out` by `kubepki_list_free`.
kubepki_error *kubepki_pki_arguments(const kubepki_pki *pki,
                                     const char *component,
                                     size_t component_len,
                                     kubepki_list **out);

// The trust tree, for people: each authority, and under it what it signed.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_pki_tree(const kubepki_pki *pki, kubepki_buffer **out);

// Frees what a machine holds; keys are overwritten. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_pki_free(kubepki_pki *pki);

// Locks a directory, such as `/etc/kubernetes`; it is made if it is not there. `KUBEPKI_ERROR_LOCKED` when another
// store has it open.
//
// Threads: any at once. Free `*out` by `kubepki_store_free`, which unlocks.
kubepki_error *kubepki_store_open(const kubepki_layout *layout, kubepki_store **out);

// Reads what the directory holds, as `kubepki_pki_load` does.
//
// Threads: any at once. Free `*out` by `kubepki_pki_free`.
kubepki_error *kubepki_store_load(const kubepki_store *store, kubepki_pki **out);

// Writes what has changed in `pki` since it was loaded or made, and nothing else: all of it, or when one file cannot be
// written, none. `KUBEPKI_ERROR_CHANGED` when a file is no longer what was loaded.
//
// Threads: one at a time for each `pki`.
kubepki_error *kubepki_store_commit(const kubepki_store *store,
                                    kubepki_pki *pki);

// Unlocks the directory. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_store_free(kubepki_store *store);

// Says what is wrong with the machine's files: by what is expected of it, or when that is NULL, by what the files
// themselves tell.
//
// Threads: any at once. Free `*out` by `kubepki_findings_free`.
kubepki_error *kubepki_pki_audit(const kubepki_pki *pki,
                                 const kubepki_expected *expected,
                                 int64_t now,
                                 kubepki_findings **out);

// How many findings there are.
//
// Threads: any at once.
size_t kubepki_findings_count(const kubepki_findings *findings);

// One of the findings; empty beyond the last.
//
// Threads: any at once. The views live as long as the findings.
kubepki_finding kubepki_findings_at(const kubepki_findings *findings, size_t index);

// The worst severity.
//
// Threads: any at once.
kubepki_severity kubepki_findings_worst(const kubepki_findings *findings);

// The findings as text, for people.
//
// Threads: any at once. The view lives as long as the findings.
kubepki_text kubepki_findings_text(const kubepki_findings *findings);

// The findings as JSON: the list that docs/report.md of the project describes.
//
// Threads: any at once. The view lives as long as the findings.
kubepki_text kubepki_findings_json(const kubepki_findings *findings);

// Frees findings. NULL is allowed.
//
// Threads: any, the last to use them.
void kubepki_findings_free(kubepki_findings *findings);

// The report of an audit, for people: every certificate with its expiry, its signer and the worst finding about it, then
// each finding.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_report_text(const kubepki_pki *pki,
                                   const kubepki_findings *findings,
                                   int64_t now,
                                   kubepki_buffer **out);

// The report as JSON, which docs/report.md of the project describes.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_report_json(const kubepki_pki *pki,
                                   const kubepki_findings *findings,
                                   int64_t now,
                                   kubepki_buffer **out);

// The report in the text format of Prometheus.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_report_prometheus(const kubepki_pki *pki,
                                         const kubepki_findings *findings,
                                         int64_t now,
                                         kubepki_buffer **out);

// Renews what ends within 30 days, with new keys.
//
// Threads: any. Free `*out` by `kubepki_policy_free`.
kubepki_error *kubepki_policy_new(kubepki_policy **out);

// Renews what ends within so many seconds.
//
// Threads: one at a time.
kubepki_error *kubepki_policy_set_window(kubepki_policy *policy, uint64_t window_seconds);

// Issues for the keys that are there, as long as they can be used.
//
// Threads: one at a time.
kubepki_error *kubepki_policy_keep_keys(kubepki_policy *policy);

// Issues every leaf certificate again, due or not.
//
// Threads: one at a time.
kubepki_error *kubepki_policy_renew_all(kubepki_policy *policy);

// Frees a policy. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_policy_free(kubepki_policy *policy);

// Makes a plan: what an audit finds and a plan can mend, what ends soon, and what has another key algorithm than is
// described. `expected` is as for `kubepki_pki_audit`; without a policy (NULL) what ends within 30 days is renewed,
// with new keys.
//
// Threads: any at once. Free `*out` by `kubepki_plan_free`.
kubepki_error *kubepki_pki_plan(const kubepki_pki *pki,
                                const kubepki_expected *expected,
                                const kubepki_policy *policy,
                                int64_t now,
                                kubepki_plan **out);

// How many steps there are. With none, applying changes nothing; something may be blocked all the same.
//
// Threads: any at once.
size_t kubepki_plan_step_count(const kubepki_plan *plan);

// How many things are wrong, or due, that no step mends.
//
// Threads: any at once.
size_t kubepki_plan_blocked_count(const kubepki_plan *plan);

// The plan as text, for people.
//
// Threads: any at once. The view lives as long as the plan.
kubepki_text kubepki_plan_text(const kubepki_plan *plan);

// The plan as JSON, which docs/report.md of the project describes.
//
// Threads: any at once. The view lives as long as the plan.
kubepki_text kubepki_plan_json(const kubepki_plan *plan);

// Makes the changes in memory: all steps, or when one fails, none. `kubepki_store_commit` then writes what has changed.
// `KUBEPKI_ERROR_CHANGED` when `pki` is not what the plan was made from.
//
// Threads: one at a time.
kubepki_error *kubepki_plan_apply(const kubepki_plan *plan,
                                  kubepki_pki *pki);

// Frees a plan. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_plan_free(kubepki_plan *plan);

// The name of every role, in the order of the role table.
//
// Threads: any. Free `*out` by `kubepki_list_free`.
kubepki_error *kubepki_roles(kubepki_list **out);

// The profile of a certificate of `role`, as the role table names it. By role it is told
//
// - `node`, where it is one machine's: `kube-apiserver`, `etcd-server`, `etcd-peer`, `kubelet-server` and `kubelet-client`;
//   otherwise that is passed over, and may be NULL;
// - `name`, where the role has none of its own: the common name of a `root-ca`, an `intermediate` or a `user`, the
//   first DNS name of a `service`, the first name of a `front-proxy-server`; otherwise it must be empty.
//
// Threads: any at once. Both descriptions are copied. Free `*out` by `kubepki_profile_free`.
kubepki_error *kubepki_profile_new(const kubepki_cluster *cluster,
                                   const kubepki_node *node,
                                   const char *role,
                                   size_t role_len,
                                   const char *name,
                                   size_t name_len,
                                   kubepki_profile **out);

// Adds a subject alternative name, a DNS name or an IP address, to a serving certificate.
//
// Threads: one at a time.
kubepki_error *kubepki_profile_add_san(kubepki_profile *profile, const char *san, size_t san_len);

// Adds a group to a `user`.
//
// Threads: one at a time.
kubepki_error *kubepki_profile_add_group(kubepki_profile *profile, const char *group, size_t group_len);

// How many seconds the certificate is valid, instead of what the cluster says.
//
// Threads: one at a time.
kubepki_error *kubepki_profile_set_lifetime(kubepki_profile *profile, uint64_t lifetime_seconds);

// How many authorities may stand between an `intermediate` and a leaf, instead of any number: at least 1 where it is to
// sign those of a cluster.
//
// Threads: one at a time.
kubepki_error *kubepki_profile_set_path_length(kubepki_profile *profile,
                                               uint8_t path_length);

// The role.
//
// Threads: any at once. It is always there.
kubepki_text kubepki_profile_role(const kubepki_profile *profile);

// Frees a profile. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_profile_free(kubepki_profile *profile);

// Takes a chain in PEM, the leaf first, and the leaf's private key.
//
// Threads: any. Both are copied. Free `*out` by `kubepki_credential_free`.
kubepki_error *kubepki_credential_from_pem(const void *chain_pem,
                                           size_t chain_pem_len,
                                           const void *key_pem,
                                           size_t key_pem_len,
                                           kubepki_credential **out);

// The whole chain in PEM, the leaf first: the contents of a `.crt` file.
//
// Threads: any at once. The view lives as long as the credential.
kubepki_text kubepki_credential_chain_pem(const kubepki_credential *credential);

// The private key in PEM: a secret.
//
// Threads: any at once. The view lives as long as the credential.
kubepki_text kubepki_credential_key_pem(const kubepki_credential *credential);

// The last second of the leaf's validity, in seconds since 1970.
//
// Threads: any at once.
kubepki_error *kubepki_credential_not_after(const kubepki_credential *credential, int64_t *out);

// The end that was asked for, when the certificate had to end earlier because its authority does;
// `KUBEPKI_ERROR_ABSENT` when it had not.
//
// Threads: any at once.
kubepki_error *kubepki_credential_shortened_from(const kubepki_credential *credential, int64_t *out);

// Frees a credential. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_credential_free(kubepki_credential *credential);

// The identity in the first of some certificates in PEM.
//
// Threads: any. Free `*out` by `kubepki_identity_free`.
kubepki_error *kubepki_identity_from_pem(const void *certificate_pem,
                                         size_t certificate_pem_len,
                                         kubepki_identity **out);

// The user; empty where the API server sees none.
//
// Threads: any at once. The view lives as long as the identity.
kubepki_text kubepki_identity_user(const kubepki_identity *identity);

// The UID, which API servers read from Kubernetes 1.33 on; empty where there is none.
//
// Threads: any at once. The view lives as long as the identity.
kubepki_text kubepki_identity_uid(const kubepki_identity *identity);

// How many groups the certificate names.
//
// Threads: any at once.
size_t kubepki_identity_group_count(const kubepki_identity *identity);

// One of the groups; empty beyond the last.
//
// Threads: any at once. The view lives as long as the identity.
kubepki_text kubepki_identity_group_at(const kubepki_identity *identity, size_t index);

// How many notes there are.
//
// Threads: any at once.
size_t kubepki_identity_note_count(const kubepki_identity *identity);

// One of the notes; empty beyond the last.
//
// Threads: any at once. The views are always there.
kubepki_note kubepki_identity_note_at(const kubepki_identity *identity, size_t index);

// Frees an identity. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_identity_free(kubepki_identity *identity);

// Makes a key and a self-signed certificate by the profile of an authority: a root, or a cluster's own authority. `now`
// is in seconds since 1970, here and everywhere.
//
// Threads: any at once. Free `*out` by `kubepki_issuer_free`.
kubepki_error *kubepki_issuer_self_signed(const kubepki_profile *profile,
                                          int64_t now,
                                          kubepki_issuer **out);

// Makes a self-signed certificate for a key that lives elsewhere.
//
// Threads: any at once. The signer is kept as long as anything signs by it. Free `*out` by `kubepki_issuer_free`.
kubepki_error *kubepki_issuer_self_signed_by(const kubepki_profile *profile,
                                             const kubepki_signer *signer,
                                             int64_t now,
                                             kubepki_issuer **out);

// Takes an authority's certificate in PEM, behind it those above it as far as they are known, and its private key.
//
// Threads: any. Both are copied. Free `*out` by `kubepki_issuer_free`.
kubepki_error *kubepki_issuer_from_pem(const void *chain_pem,
                                       size_t chain_pem_len,
                                       const void *key_pem,
                                       size_t key_pem_len,
                                       kubepki_issuer **out);

// Reads the same from two files.
//
// Threads: any. Free `*out` by `kubepki_issuer_free`.
kubepki_error *kubepki_issuer_load(const char *chain_path,
                                   size_t chain_path_len,
                                   const char *key_path,
                                   size_t key_path_len,
                                   kubepki_issuer **out);

// Takes an authority's certificate in PEM, behind it those above it as far as they are known, and a signer with its key.
//
// Threads: any. The signer is kept as long as anything signs by it. Free `*out` by `kubepki_issuer_free`.
kubepki_error *kubepki_issuer_with_signer(const void *chain_pem,
                                          size_t chain_pem_len,
                                          const kubepki_signer *signer,
                                          kubepki_issuer **out);

// Makes a key and a certificate for an authority below this one, which it never outlives.
//
// Threads: any at once. Free `*out` by `kubepki_issuer_free`.
kubepki_error *kubepki_issuer_intermediate(const kubepki_issuer *issuer,
                                           const kubepki_profile *profile,
                                           int64_t now,
                                           kubepki_issuer **out);

// Makes a certificate for an authority below this one, whose key lives elsewhere.
//
// Threads: any at once. The signer is kept as long as anything signs by it. Free `*out` by `kubepki_issuer_free`.
kubepki_error *kubepki_issuer_intermediate_by(const kubepki_issuer *issuer,
                                              const kubepki_profile *profile,
                                              const kubepki_signer *signer,
                                              int64_t now,
                                              kubepki_issuer **out);

// Makes a key and a certificate for it, valid from five minutes before `now`. Whether the role is one that this
// authority should sign is not looked at: `kubepki_authorities_issue` takes the right one.
//
// Threads: any at once. Free `*out` by `kubepki_credential_free`.
kubepki_error *kubepki_issuer_issue(const kubepki_issuer *issuer,
                                    const kubepki_profile *profile,
                                    int64_t now,
                                    kubepki_credential **out);

// Makes a certificate for a public key in PEM, which may be in a certificate or in a certification request (PKCS#10),
// whose signature is then verified. Names and usages are the profile's. The result is the chain in PEM, the leaf first.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_issuer_certify(const kubepki_issuer *issuer,
                                      const kubepki_profile *profile,
                                      const void *public_key_pem,
                                      size_t public_key_pem_len,
                                      int64_t now,
                                      kubepki_buffer **out);

// The authority's certificate in PEM, then those above it as far as they are known.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_issuer_chain_pem(const kubepki_issuer *issuer, kubepki_buffer **out);

// The authority's private key in PEM; `KUBEPKI_ERROR_ABSENT` where it is with a signer.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_issuer_key_pem(const kubepki_issuer *issuer, kubepki_buffer **out);

// The end that the profile asked for, when this authority's certificate was just made below another and had to end
// earlier because that one does. `KUBEPKI_ERROR_ABSENT` otherwise.
//
// Threads: any at once.
kubepki_error *kubepki_issuer_shortened_from(const kubepki_issuer *issuer, int64_t *out);

// Frees an issuer. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_issuer_free(kubepki_issuer *issuer);

// Makes a private key, in PEM: `rsa-2048`, `rsa-3072`, `rsa-4096`, `ecdsa-p256` or `ecdsa-p384`. RSA takes its time,
// up to a second.
//
// Threads: any. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_key_generate(const char *algorithm, size_t algorithm_len, kubepki_buffer **out);

// A signer that has `sign` called, always with `user`. Its public key is given in PEM: a key, a certificate or a
// certification request.
//
// `user` is kept until the signer, and everything that signs by it, has been freed; then `release` is called with it,
// unless it is NULL. When this function fails, nothing is kept or released.
//
// Threads: any. Free `*out` by `kubepki_signer_free`.
kubepki_error *kubepki_signer_new(const void *public_key_pem,
                                  size_t public_key_pem_len,
                                  kubepki_sign sign,
                                  void *user,
                                  kubepki_release release,
                                  kubepki_signer **out);

// Answers with a signature, which is copied. It is verified before anything is made of it.
//
// Threads: any, before the callback returns.
void kubepki_answer_signature(kubepki_answer *answer, const void *signature, size_t signature_len);

// Answers with a reason, which becomes the message of an error: UTF-8, cut after 1024 bytes. It must be no secret.
//
// Threads: any, before the callback returns.
void kubepki_answer_failure(kubepki_answer *answer, const char *reason, size_t reason_len);

// The same with what the caller knows of it: `kubepki_error_cause` gives it back. It is kept as long as the error; then
// `release` is called with it, unless that is NULL. Without an answer to put it in (NULL) it is released at once.
//
// Threads: any, before the callback returns.
void kubepki_answer_failure_with_cause(kubepki_answer *answer,
                                       const char *reason,
                                       size_t reason_len,
                                       void *cause,
                                       kubepki_release release);

// Frees a signer. What signs by it keeps doing so. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_signer_free(kubepki_signer *signer);

// Makes a key and a request (PKCS#10) with the profile's subject, names and usages.
//
// Threads: any at once. Free `*out` by `kubepki_request_free`.
kubepki_error *kubepki_request_new(const kubepki_profile *profile, kubepki_request **out);

// Makes such a request for a key that is there already, in PEM, such as one that a program has saved while it waited.
// The profile's key algorithm is passed over.
//
// Threads: any at once. The key is copied. Free `*out` by `kubepki_request_free`.
kubepki_error *kubepki_request_with_key(const kubepki_profile *profile,
                                        const void *key_pem,
                                        size_t key_pem_len,
                                        kubepki_request **out);

// The request as a PEM block `CERTIFICATE REQUEST`, for whoever signs.
//
// Threads: any at once. The view lives as long as the request.
kubepki_text kubepki_request_csr_pem(const kubepki_request *request);

// The private key in PEM: a secret. `kubepki_request_with_key` takes it back.
//
// Threads: any at once. The view lives as long as the request.
kubepki_text kubepki_request_key_pem(const kubepki_request *request);

// Puts the certificate that was issued, in PEM, and those behind it, together with the key. It must be for this key, and
// have every name and usage that was asked for. The request stays: another answer may come.
//
// Threads: any at once. Free `*out` by `kubepki_credential_free`.
kubepki_error *kubepki_request_accept(const kubepki_request *request,
                                      const void *chain_pem,
                                      size_t chain_pem_len,
                                      kubepki_credential **out);

// Frees a request; its key is overwritten. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_request_free(kubepki_request *request);

// The object for a request, with the usages that it was made with, for a signer such as `example.com/serving`.
//
// Threads: any at once. Free `*out` by `kubepki_csr_free`.
kubepki_error *kubepki_csr_new(const char *name,
                               size_t name_len,
                               const char *signer_name,
                               size_t signer_name_len,
                               const kubepki_request *request,
                               kubepki_csr **out);

// Reads the object, in YAML or JSON, of at most 4 MiB.
//
// Threads: any. Free `*out` by `kubepki_csr_free`.
kubepki_error *kubepki_csr_from_yaml(const void *yaml, size_t yaml_len, kubepki_csr **out);

// How many seconds the certificate is to be valid, at least 600 (`spec.expirationSeconds`). Signers may make it valid
// for less or more.
//
// Threads: one at a time.
kubepki_error *kubepki_csr_set_lifetime(kubepki_csr *csr, uint64_t lifetime_seconds);

// The object as YAML.
//
// Threads: any at once. The view lives until the object is changed or freed.
kubepki_text kubepki_csr_yaml(const kubepki_csr *csr);

// The object as JSON, as the API server's subresources take it.
//
// Threads: any at once. The view lives until the object is changed or freed.
kubepki_text kubepki_csr_json(const kubepki_csr *csr);

// The name of the object; empty where the API server is to generate one.
//
// Threads: any at once. The view lives until the object is changed or freed.
kubepki_text kubepki_csr_name(const kubepki_csr *csr);

// Who is to sign.
//
// Threads: any at once. The view lives until the object is changed or freed.
kubepki_text kubepki_csr_signer_name(const kubepki_csr *csr);

// The user who created the object, as the API server saw it; empty before that.
//
// Threads: any at once. The view lives until the object is changed or freed.
kubepki_text kubepki_csr_username(const kubepki_csr *csr);

// The request within the object (PKCS#10), in PEM.
//
// Threads: any at once. The view lives until the object is changed or freed.
kubepki_text kubepki_csr_request_pem(const kubepki_csr *csr);

// What was decided.
//
// Threads: any at once.
kubepki_state kubepki_csr_state(const kubepki_csr *csr);

// Why it was decided so, for people; empty where nothing was said.
//
// Threads: any at once. The view lives until the object is changed or freed.
kubepki_text kubepki_csr_message(const kubepki_csr *csr);

// The certificate that was issued, and perhaps intermediates, as the object has it: in PEM, for
// `kubepki_request_accept`. Empty before that.
//
// Threads: any at once. The view lives until the object is changed or freed.
kubepki_bytes kubepki_csr_certificate_pem(const kubepki_csr *csr);

// Approves the request: the condition that the subresource `approval` takes, with a reason as one word for programs,
// and a message for people. `KUBEPKI_ERROR_CHANGED` when something was decided already.
//
// Threads: one at a time.
kubepki_error *kubepki_csr_approve(kubepki_csr *csr,
                                   const char *reason,
                                   size_t reason_len,
                                   const char *message,
                                   size_t message_len,
                                   int64_t now);

// Denies the request, for good; otherwise as `kubepki_csr_approve`.
//
// Threads: one at a time.
kubepki_error *kubepki_csr_deny(kubepki_csr *csr,
                                const char *reason,
                                size_t reason_len,
                                const char *message,
                                size_t message_len,
                                int64_t now);

// Signs an approved request for one signer, whose authority `issuer` is, exactly as kube-controller-manager would: for
// as long as it asks, but at most for so many seconds (kube-controller-manager's own are 31536000, a year), and not
// longer than the authority. A request for another signer is skipped. An error leaves the object as it was.
//
// Threads: one at a time.
kubepki_error *kubepki_csr_sign(kubepki_csr *csr,
                                const char *signer_name,
                                size_t signer_name_len,
                                const kubepki_issuer *issuer,
                                uint64_t duration_seconds,
                                int64_t now,
                                kubepki_outcome *out);

// Frees an object. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_csr_free(kubepki_csr *csr);

// A policy for a signer of your own, such as `example.com/serving`, or for `kubernetes.io/kube-apiserver-client`, that
// allows nothing yet.
//
// Threads: any. Free `*out` by `kubepki_signer_policy_free`.
kubepki_error *kubepki_signer_policy_new(const char *signer_name,
                                         size_t signer_name_len,
                                         kubepki_signer_policy **out);

// Allows one thing more, of this kind:
//
// - `requester`: users who may ask, by a pattern of the names that the API server saw;
// - `common-name`: a pattern of common names. A request need not have one;
// - `organization`: a group;
// - `san`: a pattern of subject alternative names, such as `DNS:*.my-namespace.svc`, `IP:10.0.0.0/8`,
//   `URI:spiffe://example.com/ns/*/sa/*` or `email:*@example.com`;
// - `usage`: such as `server auth` or `digital signature`.
//
// In a pattern each `*` stands for one or more letters, digits, `-` and `_`.
//
// Threads: one at a time.
kubepki_error *kubepki_signer_policy_allow(kubepki_signer_policy *policy,
                                           const char *kind,
                                           size_t kind_len,
                                           const char *value,
                                           size_t value_len);

// The most seconds that may be asked for. A request must then ask for some, since the signer's own time may be longer.
//
// Threads: one at a time.
kubepki_error *kubepki_signer_policy_set_longest(kubepki_signer_policy *policy,
                                                 uint64_t longest_seconds);

// Frees a policy. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_signer_policy_free(kubepki_signer_policy *policy);

// An approver that knows no node, no policy and no group. It approves what nodes may ask for without that: new client
// certificates for themselves.
//
// Threads: any. Free `*out` by `kubepki_approver_free`.
kubepki_error *kubepki_approver_new(kubepki_approver **out);

// Tells it a node, or the node's new addresses: a Node object (`v1`) in YAML or JSON. Kubelets' serving certificates
// need that. In an object from the API server the addresses are the kubelet's own word; those of an inventory can be
// written in the same form.
//
// Threads: one at a time.
kubepki_error *kubepki_approver_set_node(kubepki_approver *approver, const void *yaml, size_t yaml_len);

// Tells it the policy of a signer, or the signer's new one, which is copied.
//
// Threads: one at a time.
kubepki_error *kubepki_approver_set_policy(kubepki_approver *approver, const kubepki_signer_policy *policy);

// Adds a group whose members may ask for the first client certificate of any node, with kubeadm
// `system:bootstrappers:kubeadm:default-node-token`.
//
// Threads: one at a time.
kubepki_error *kubepki_approver_add_bootstrap_group(kubepki_approver *approver, const char *group, size_t group_len);

// Frees an approver. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_approver_free(kubepki_approver *approver);

// Decides about a request as it came from the API server, which vouches for user and groups. It never approves what
// kube-controller-manager would refuse to sign. The object stays as it is.
//
// Threads: any at once. Free `*out` by `kubepki_review_free`.
kubepki_error *kubepki_approver_review(const kubepki_approver *approver,
                                       const kubepki_csr *csr,
                                       kubepki_review **out);

// What is to be done.
//
// Threads: any at once.
kubepki_verdict kubepki_review_verdict(const kubepki_review *review);

// Why, as one word for programs.
//
// Threads: any at once. The view lives as long as the review.
kubepki_text kubepki_review_reason(const kubepki_review *review);

// Why, for people.
//
// Threads: any at once. The view lives as long as the review.
kubepki_text kubepki_review_message(const kubepki_review *review);

// Puts the condition into the object, which then goes to the subresource `approval`. What is not this approver's stays
// as it is. `KUBEPKI_ERROR_CHANGED` when something was decided about the object meanwhile, or when it is not what was
// reviewed.
//
// Threads: one at a time.
kubepki_error *kubepki_review_apply(const kubepki_review *review,
                                    kubepki_csr *csr,
                                    int64_t now);

// Frees a review. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_review_free(kubepki_review *review);

// The object as YAML.
//
// Threads: any at once. The view lives as long as the object.
kubepki_text kubepki_manifest_yaml(const kubepki_manifest *manifest);

// The object as JSON.
//
// Threads: any at once. The view lives as long as the object.
kubepki_text kubepki_manifest_json(const kubepki_manifest *manifest);

// Frees an object. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_manifest_free(kubepki_manifest *manifest);

// The ClusterRoleBinding that gives the user of admin.conf its power.
//
// Threads: any. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_cluster_admins_binding(kubepki_manifest **out);

// The ClusterRoleBinding that the API server needs to call kubelets where its client certificate has no group: with the
// convention `kubeadm` from version 1.36 on.
//
// Threads: any. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_apiserver_kubelet_client_binding(kubepki_manifest **out);

// The ClusterRoleBinding that the API server needs to call kubelets with its serving certificate.
//
// Threads: any. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_kubelet_api_admin_binding(kubepki_manifest **out);

// The fields of a KubeletConfiguration that name a machine's files.
//
// Threads: any at once. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_kubelet_configuration(const kubepki_expected *expected, kubepki_manifest **out);

// An object that lets machines join by bootstrap tokens of a group, such as
// `system:bootstrappers:kubeadm:default-node-token`, by its name:
//
// - `node-bootstrapper-binding`: the group may ask for certificates;
// - `node-approval-binding`: kube-controller-manager approves what the group asks for kubelets;
// - `node-reader` and `node-reader-binding`: the group may look whether a node is there, as `kubeadm join` does;
// - `node-renewal-binding`: kube-controller-manager approves what nodes ask for themselves;
// - `cluster-info-reader` and `cluster-info-reader-binding`: everybody may read cluster-info.
//
// The last three are for no group: it must be empty.
//
// Threads: any. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_for_bootstrap(const char *name,
                                              size_t name_len,
                                              const char *group,
                                              size_t group_len,
                                              kubepki_manifest **out);

// The ClusterRole of who approves (`approver`) or signs (`signer`) requests of a signer such as `example.com/serving`,
// or of who may act as any user (`impersonator`), where no signer is told.
//
// Threads: any. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_role(const char *kind,
                                     size_t kind_len,
                                     const char *name,
                                     size_t name_len,
                                     const char *signer_name,
                                     size_t signer_name_len,
                                     kubepki_manifest **out);

// The RoleBinding in a namespace, or with no namespace the ClusterRoleBinding, that gives a role to somebody: a
// `user`, a `group`, or a `serviceaccount`, which is written `NAMESPACE:NAME`.
//
// Threads: any. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_role_binding(const char *namespace_name,
                                             size_t namespace_name_len,
                                             const char *name,
                                             size_t name_len,
                                             const char *role,
                                             size_t role_len,
                                             const char *kind,
                                             size_t kind_len,
                                             const char *subject,
                                             size_t subject_len,
                                             kubepki_manifest **out);

// The Secret of type `kubernetes.io/tls` with a certificate chain and its key.
//
// Threads: any at once. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_tls_secret(const char *namespace_name,
                                           size_t namespace_name_len,
                                           const char *name,
                                           size_t name_len,
                                           const kubepki_credential *credential,
                                           kubepki_manifest **out);

// The ConfigMap with the authorities that clients are to trust, under the key `ca.crt`.
//
// Threads: any. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_ca_config_map(const char *namespace_name,
                                              size_t namespace_name_len,
                                              const char *name,
                                              size_t name_len,
                                              const void *trusted_pem,
                                              size_t trusted_pem_len,
                                              kubepki_manifest **out);

// The ClusterTrustBundle (`certificates.k8s.io/v1beta1`) with the authorities that vouch for what a signer signs, or
// with no signer, for anything. A signer's is named after it: `example.com:serving:NAME`.
//
// Threads: any. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_cluster_trust_bundle(const char *signer_name,
                                                     size_t signer_name_len,
                                                     const char *name,
                                                     size_t name_len,
                                                     const void *trusted_pem,
                                                     size_t trusted_pem_len,
                                                     kubepki_manifest **out);

// The kubeconfig of a user whom the cluster's Kubernetes authority has issued this certificate, in YAML.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_credential_kubeconfig(const kubepki_credential *credential,
                                             const kubepki_cluster *cluster,
                                             const kubepki_authorities *authorities,
                                             kubepki_buffer **out);

// The kubeconfig by which a new machine's kubelet asks for its first certificate (`--bootstrap-kubeconfig`), with a
// bootstrap token. `kubepki_cluster_info_bootstrap_kubeconfig` is it where only the token is known.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_kubeconfig_for_bootstrap(const kubepki_cluster *cluster,
                                                const kubepki_authorities *authorities,
                                                const char *token,
                                                size_t token_len,
                                                kubepki_buffer **out);

// A user with a client certificate.
//
// Threads: any at once. Free `*out`, which has a copy, by `kubepki_user_free`.
kubepki_error *kubepki_user_with_credential(const kubepki_credential *credential, kubepki_user **out);

// A user with a bearer token.
//
// Threads: any. Free `*out` by `kubepki_user_free`.
kubepki_error *kubepki_user_with_token(const char *token, size_t token_len, kubepki_user **out);

// A user with a bearer token in a file, which clients read again as it changes.
//
// Threads: any. Free `*out` by `kubepki_user_free`.
kubepki_error *kubepki_user_with_token_file(const char *path, size_t path_len, kubepki_user **out);

// A user for whom a program gets a token or a client certificate, such as a login by OpenID Connect: its path, or its
// name in `PATH`, and its arguments. It speaks `client.authentication.k8s.io/v1`.
//
// Threads: any. Free `*out` by `kubepki_user_free`.
kubepki_error *kubepki_user_with_exec(const char *command,
                                      size_t command_len,
                                      const kubepki_list *arguments,
                                      kubepki_user **out);

// Gives the program one more environment variable. `KUBEPKI_ERROR_ABSENT` where the user has no program, here and below.
//
// Threads: one at a time.
kubepki_error *kubepki_user_add_env(kubepki_user *user,
                                    const char *name,
                                    size_t name_len,
                                    const char *value,
                                    size_t value_len);

// What to tell somebody who does not have the program.
//
// Threads: one at a time.
kubepki_error *kubepki_user_set_install_hint(kubepki_user *user, const char *hint, size_t hint_len);

// Tells the program which cluster it is for, by the variable `KUBERNETES_EXEC_INFO`.
//
// Threads: one at a time.
kubepki_error *kubepki_user_provide_cluster_info(kubepki_user *user);

// Whether the program may ask something: `Never`, `IfAvailable` (where there is a terminal, as it is when nothing is
// said) or `Always`.
//
// Threads: one at a time.
kubepki_error *kubepki_user_set_interactive_mode(kubepki_user *user, const char *mode, size_t mode_len);

// A user with tokens of a provider of OpenID Connect, which `kubectl`'s plugin `oidc` shows and gets anew: the
// provider's URL, and the client that its tokens are made for. It does not log in: the first tokens come from
// elsewhere.
//
// Threads: any. Free `*out` by `kubepki_user_free`.
kubepki_error *kubepki_user_with_oidc(const char *issuer_url,
                                      size_t issuer_url_len,
                                      const char *client_id,
                                      size_t client_id_len,
                                      kubepki_user **out);

// A setting of that plugin: `client-secret`, `id-token`, `refresh-token`, or `idp-certificate-authority`, which is the
// path of the file with the certificates by which the provider is trusted. `KUBEPKI_ERROR_ABSENT` for another user.
//
// Threads: one at a time.
kubepki_error *kubepki_user_set_oidc(kubepki_user *user,
                                     const char *setting,
                                     size_t setting_len,
                                     const char *value,
                                     size_t value_len);

// The same user, who acts as another.
//
// Threads: one at a time.
kubepki_error *kubepki_user_set_impersonation(kubepki_user *user, const kubepki_impersonation *impersonation);

// Frees a user. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_user_free(kubepki_user *user);

// The kubeconfig of any user at the cluster's endpoint, in YAML. The API server does not see the name.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_kubeconfig_with_user(const kubepki_cluster *cluster,
                                            const kubepki_authorities *authorities,
                                            const char *name,
                                            size_t name_len,
                                            const kubepki_user *user,
                                            kubepki_buffer **out);

// The kubeconfig by which API servers call a webhook that authenticates or authorizes: its URL, the authorities that
// vouch for its certificate, in PEM, and what API servers show it. When `user` is NULL, that is nothing, and anybody
// may ask it.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_kubeconfig_webhook(const char *url,
                                          size_t url_len,
                                          const void *trusted_pem,
                                          size_t trusted_pem_len,
                                          const kubepki_user *user,
                                          kubepki_buffer **out);

// Checks that what a kubeconfig's current context refers to belongs together: that there is such a cluster and user,
// that the key is the certificate's, and that the authority issued that. Files that it names are not read.
//
// Threads: any.
kubepki_error *kubepki_kubeconfig_check(const void *yaml, size_t yaml_len);

// API servers read a file, by its path on control-plane nodes, for this argument:
//
// - `token-auth-file`: the tokens of users (`kubepki_static_tokens_csv`);
// - `authentication-token-webhook-config-file`: which server tells whose a token is (`kubepki_kubeconfig_webhook`);
// - `authorization-webhook-config-file`: which server tells what a user may do, where nobody else allows it.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_authentication_file(kubepki_cluster *cluster,
                                                       const char *argument,
                                                       size_t argument_len,
                                                       const char *path,
                                                       size_t path_len);

// API servers believe one more authenticating proxy: who has a client certificate of the front proxy's authority with
// this common name may be anybody.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_add_proxy(kubepki_cluster *cluster, const char *common_name, size_t common_name_len);

// API servers take ID tokens of this provider of OpenID Connect, which are made for this client. The functions below say
// more of it; this one forgets what they said.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_oidc(kubepki_cluster *cluster,
                                        const char *issuer_url,
                                        size_t issuer_url_len,
                                        const char *client_id,
                                        size_t client_id_len);

// The provider's users are called by this claim, such as `sub` or `email`, behind a prefix. Unless this is said, it is
// `sub` behind the provider's URL and `#`. With no prefix the provider can be any user of the cluster.
// `KUBEPKI_ERROR_ABSENT` without a provider, here and below.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_oidc_username(kubepki_cluster *cluster,
                                                 const char *claim,
                                                 size_t claim_len,
                                                 const char *prefix,
                                                 size_t prefix_len);

// The provider's users are in the groups of this claim, behind a prefix. With no prefix the provider can put them into
// any group of the cluster.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_oidc_groups(kubepki_cluster *cluster,
                                               const char *claim,
                                               size_t claim_len,
                                               const char *prefix,
                                               size_t prefix_len);

// The file, by its path on control-plane nodes, with the certificates by which the provider is trusted, instead of
// those of the system.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_oidc_ca_file(kubepki_cluster *cluster, const char *path, size_t path_len);

// Only tokens with this claim of this value are taken, `CLAIM=VALUE`; call it for each.
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_add_oidc_required_claim(kubepki_cluster *cluster, const char *claim, size_t claim_len);

// The provider signs by these algorithms, such as `ES256`, instead of `RS256` only (NULL).
//
// Threads: one at a time.
kubepki_error *kubepki_cluster_set_oidc_signing_algorithms(kubepki_cluster *cluster, const kubepki_list *algorithms);

// Acting as a user of this name, of whatever kind: `jane`, `system:node:cp-1`, `system:serviceaccount:NAMESPACE:NAME`.
// Without groups the API server adds those that follow from the name, no others that the user has.
//
// Threads: any. Free `*out` by `kubepki_impersonation_free`.
kubepki_error *kubepki_impersonation_new(const char *user,
                                         size_t user_len,
                                         kubepki_impersonation **out);

// In this group too.
//
// Threads: one at a time.
kubepki_error *kubepki_impersonation_add_group(kubepki_impersonation *impersonation,
                                               const char *group,
                                               size_t group_len);

// With this UID.
//
// Threads: one at a time.
kubepki_error *kubepki_impersonation_set_uid(kubepki_impersonation *impersonation, const char *uid, size_t uid_len);

// With one more value of an extra field, whose key is in lower case.
//
// Threads: one at a time.
kubepki_error *kubepki_impersonation_add_extra(kubepki_impersonation *impersonation,
                                               const char *key,
                                               size_t key_len,
                                               const char *value,
                                               size_t value_len);

// How many headers a request needs.
//
// Threads: any at once.
size_t kubepki_impersonation_header_count(const kubepki_impersonation *impersonation);

// One of the headers of a request to the API server; empty beyond the last.
//
// Threads: any at once. The views live until the impersonation is changed or freed.
kubepki_header kubepki_impersonation_header_at(const kubepki_impersonation *impersonation, size_t index);

// The roles that allow it, of this name, each in YAML: a ClusterRole, to be given by `kubepki_manifest_role_binding`,
// and where the user is a service account a Role in its namespace.
//
// Threads: any at once. Free `*out` by `kubepki_list_free`.
kubepki_error *kubepki_impersonation_roles(const kubepki_impersonation *impersonation,
                                           const char *name,
                                           size_t name_len,
                                           kubepki_list **out);

// Frees it. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_impersonation_free(kubepki_impersonation *impersonation);

// Who issues the service-account tokens of a cluster, as its API servers are told.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_cluster_token_issuer(const kubepki_cluster *cluster, kubepki_buffer **out);

// A token for a service account: its namespace, its name, and the UID that the API server has given it. It is for the
// API server and for an hour.
//
// Threads: any at once. Free `*out` by `kubepki_service_account_token_free`.
kubepki_error *kubepki_service_account_token_new(const kubepki_cluster *cluster,
                                                 const char *namespace_name,
                                                 size_t namespace_name_len,
                                                 const char *name,
                                                 size_t name_len,
                                                 const char *uid,
                                                 size_t uid_len,
                                                 kubepki_service_account_token **out);

// Adds one of those who are to accept it. The first one takes the place of the API server.
//
// Threads: one at a time.
kubepki_error *kubepki_service_account_token_add_audience(kubepki_service_account_token *token,
                                                          const char *audience,
                                                          size_t audience_len);

// How many seconds it is good.
//
// Threads: one at a time.
kubepki_error *kubepki_service_account_token_set_lifetime(kubepki_service_account_token *token,
                                                          uint64_t lifetime_seconds);

// Binds it to an object by its kind, name and UID, without which it is no longer good: a `pod` or `secret` of the
// service account's namespace, or a `node`. A pod's token may name the pod's node as well, by a second call.
//
// Threads: one at a time.
kubepki_error *kubepki_service_account_token_bind(kubepki_service_account_token *token,
                                                  const char *kind,
                                                  size_t kind_len,
                                                  const char *name,
                                                  size_t name_len,
                                                  const char *uid,
                                                  size_t uid_len);

// Signs it by sa.key, from `now` on: a secret. `KUBEPKI_ERROR_ABSENT` where sa.key is not here.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_service_account_token_sign(const kubepki_service_account_token *token,
                                                  const kubepki_authorities *authorities,
                                                  int64_t now,
                                                  kubepki_buffer **out);

// The same by a service-account key that lives elsewhere.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_service_account_token_sign_by(const kubepki_service_account_token *token,
                                                     const kubepki_signer *signer,
                                                     int64_t now,
                                                     kubepki_buffer **out);

// Frees what was to be signed. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_service_account_token_free(kubepki_service_account_token *token);

// Verifies a token as kube-apiserver does: by public keys, which are PEM as in sa.pub or a JSON Web Key Set; for one
// issuer and one of the audiences; at a moment, which may be a minute off.
//
// Threads: any at once. Free `*out` by `kubepki_service_account_free`.
kubepki_error *kubepki_service_account_verify(const char *token,
                                              size_t token_len,
                                              const void *keys,
                                              size_t keys_len,
                                              const char *issuer,
                                              size_t issuer_len,
                                              const char *audience,
                                              size_t audience_len,
                                              int64_t now,
                                              kubepki_service_account **out);

// What the token says; empty for NULL.
//
// Threads: any at once. The views live as long as the service account.
kubepki_claims kubepki_service_account_claims(const kubepki_service_account *account);

// For how many audiences the token is.
//
// Threads: any at once.
size_t kubepki_service_account_audience_count(const kubepki_service_account *account);

// One of the audiences; empty beyond the last.
//
// Threads: any at once. The view lives as long as the service account.
kubepki_text kubepki_service_account_audience_at(const kubepki_service_account *account, size_t index);

// Frees a service account. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_service_account_free(kubepki_service_account *account);

// The JSON Web Key Set of public keys in PEM, as in sa.pub, byte for byte as kube-apiserver serves it.
//
// Threads: any. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_jwks(const void *keys, size_t keys_len, kubepki_buffer **out);

// The discovery document of OpenID Connect for such keys: with the issuer, which must be a URL of https here, and the
// URL where the key set is served.
//
// Threads: any. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_oidc_discovery(const void *keys,
                                      size_t keys_len,
                                      const char *issuer,
                                      size_t issuer_len,
                                      const char *jwks_url,
                                      size_t jwks_url_len,
                                      kubepki_buffer **out);

// Makes a bootstrap token, `[a-z0-9]{6}.[a-z0-9]{16}`: a secret, but for what stands before the dot.
//
// Threads: any. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_bootstrap_token_generate(kubepki_buffer **out);

// The Secret that makes a cluster know a bootstrap token: with the moment when it ends; what it may be used for, which
// is `authentication`, `signing` (of cluster-info), or without any (NULL) both; the groups that it gives besides
// `system:bootstrappers`; and what it is for, in words.
//
// Threads: any. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_bootstrap_token(const char *token,
                                                size_t token_len,
                                                int64_t expires,
                                                const kubepki_list *usages,
                                                const kubepki_list *groups,
                                                const char *description,
                                                size_t description_len,
                                                kubepki_manifest **out);

// The ConfigMap `cluster-info`, by which a machine that has a bootstrap token comes to trust its cluster, signed by
// these tokens, of which there may be none: kube-controller-manager's `bootstrapsigner` signs it too.
//
// Threads: any at once. Free `*out` by `kubepki_manifest_free`.
kubepki_error *kubepki_manifest_cluster_info(const kubepki_cluster *cluster,
                                             const kubepki_authorities *authorities,
                                             const kubepki_list *tokens,
                                             kubepki_manifest **out);

// The pins of the Kubernetes authority, `sha256:` and 64 digits, as `kubeadm join --discovery-token-ca-cert-hash` takes
// them: of each certificate that clients trust.
//
// Threads: any at once. Free `*out` by `kubepki_list_free`.
kubepki_error *kubepki_authorities_pins(const kubepki_authorities *authorities,
                                        kubepki_list **out);

// Believes the ConfigMap `cluster-info`, in YAML or JSON, if the bootstrap token has signed it and every authority in
// it is pinned.
//
// Threads: any at once. Free `*out` by `kubepki_cluster_info_free`.
kubepki_error *kubepki_cluster_info_verify(const void *yaml,
                                           size_t yaml_len,
                                           const char *token,
                                           size_t token_len,
                                           const kubepki_list *pins,
                                           kubepki_cluster_info **out);

// Believes what the bootstrap token has signed, whoever knows the token: anybody who has used it can play the cluster.
//
// Threads: any at once. Free `*out` by `kubepki_cluster_info_free`.
kubepki_error *kubepki_cluster_info_verify_unpinned(const void *yaml,
                                                    size_t yaml_len,
                                                    const char *token,
                                                    size_t token_len,
                                                    kubepki_cluster_info **out);

// The URL of the API server.
//
// Threads: any at once. The view lives as long as what was verified.
kubepki_text kubepki_cluster_info_server(const kubepki_cluster_info *info);

// The certificates of the cluster's authority in PEM: the contents of `pki/ca.crt`.
//
// Threads: any at once. The view lives as long as what was verified.
kubepki_text kubepki_cluster_info_trusted_pem(const kubepki_cluster_info *info);

// The kubeconfig by which the kubelet asks for its first certificate (`--bootstrap-kubeconfig`), in YAML: a secret.
//
// Threads: any at once. The view lives as long as what was verified.
kubepki_text kubepki_cluster_info_bootstrap_kubeconfig(const kubepki_cluster_info *info);

// The kubeconfig of any user at this cluster, in YAML, such as the kubelet's once it has its certificate.
//
// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
kubepki_error *kubepki_cluster_info_kubeconfig(const kubepki_cluster_info *info,
                                               const char *name,
                                               size_t name_len,
                                               const kubepki_user *user,
                                               kubepki_buffer **out);

// Frees what was verified. NULL is allowed.
//
// Threads: any, the last to use it.
void kubepki_cluster_info_free(kubepki_cluster_info *info);

// Reads a static token file, in CSV, as kube-apiserver does. A length of 0 gives an empty one, to be filled by
// `kubepki_static_tokens_add`.
//
// Threads: any. Free `*out` by `kubepki_static_tokens_free`.
kubepki_error *kubepki_static_tokens_from_csv(const void *csv, size_t csv_len, kubepki_static_tokens **out);

// Makes a token for a user with this UID, in these groups, and adds it.
//
// Threads: one at a time.
kubepki_error *kubepki_static_tokens_add(kubepki_static_tokens *tokens,
                                         const char *user,
                                         size_t user_len,
                                         const char *uid,
                                         size_t uid_len,
                                         const kubepki_list *groups);

// The file: a secret.
//
// Threads: any at once. The view lives until the tokens are changed or freed.
kubepki_text kubepki_static_tokens_csv(const kubepki_static_tokens *tokens);

// How many tokens there are.
//
// Threads: any at once.
size_t kubepki_static_tokens_count(const kubepki_static_tokens *tokens);

// One of the tokens, in the order of the file; empty beyond the last.
//
// Threads: any at once. The views live until the tokens are changed or freed.
kubepki_static_token kubepki_static_tokens_at(const kubepki_static_tokens *tokens, size_t index);

// In how many groups the user of a token is.
//
// Threads: any at once.
size_t kubepki_static_tokens_group_count(const kubepki_static_tokens *tokens, size_t token);

// One of the groups of a token's user; empty beyond the last.
//
// Threads: any at once. The view lives until the tokens are changed or freed.
kubepki_text kubepki_static_tokens_group_at(const kubepki_static_tokens *tokens, size_t token, size_t group);

// What kube-apiserver does not say of the file: tokens without effect, that can be guessed, or that give power.
//
// Threads: any at once. Free `*out` by `kubepki_list_free`.
kubepki_error *kubepki_static_tokens_remarks(const kubepki_static_tokens *tokens, kubepki_list **out);

// Frees tokens. NULL is allowed.
//
// Threads: any, the last to use them.
void kubepki_static_tokens_free(kubepki_static_tokens *tokens);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KUBEPKI_H */
