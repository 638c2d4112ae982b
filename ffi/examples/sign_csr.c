/* Approves and signs a CertificateSigningRequest for the signer example.com/serving, as a controller would in its loop:
 * services get certificates for their names in a namespace, when a service account of that namespace asks.
 * Usage: sign_csr CERTIFICATE KEY NAMESPACE < OBJECT
 * CERTIFICATE and KEY are the signer's authority in PEM, OBJECT is what `kubectl get csr NAME -o yaml` prints. What is
 * printed goes to the subresources `approval` and `status`.
 * Exit code: 0 with a certificate, 1 without one, 2 for an error. */
#include "try.h"

#define SIGNER KUBEPKI_LITERAL("example.com/serving")
#define LONGEST (UINT64_C(90) * 86400)

/* What may be asked for in the namespace. */
static kubepki_error *tell(kubepki_signer_policy *policy, const char *namespace_name) {
    static const char *const allowed[][2] = {
        {"requester", "system:serviceaccount:%s:*"}, {"common-name", "*.%s.svc"},
        {"common-name", "*.%s.svc.cluster.local"},   {"san", "DNS:*.%s.svc"},
        {"san", "DNS:*.%s.svc.cluster.local"},       {"usage", "server auth"},
        {"usage", "digital signature"},              {"usage", "key encipherment"},
    };
    kubepki_error *error = NULL;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed && error == NULL; i++) {
        const char *before = allowed[i][1], *place = strstr(before, "%s");
        char value[512];
        if (place == NULL) {
            snprintf(value, sizeof value, "%s", before);
        } else {
            snprintf(value, sizeof value, "%.*s%s%s", (int)(place - before), before, namespace_name, place + 2);
        }
        error = kubepki_signer_policy_allow(policy, allowed[i][0], strlen(allowed[i][0]), value, strlen(value));
    }
    return error;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: sign_csr CERTIFICATE KEY NAMESPACE < OBJECT\n");
        return 2;
    }
    /* A little more than is ever taken. */
    static char object[(4 << 20) + 1];
    size_t len = fread(object, 1, sizeof object, stdin);
    int64_t now = (int64_t)time(NULL);
    int is_issued = 0;
    kubepki_error *error = NULL;
    kubepki_issuer *issuer = NULL;
    kubepki_signer_policy *policy = NULL;
    kubepki_approver *approver = NULL;
    kubepki_csr *csr = NULL;
    kubepki_review *review = NULL;
    kubepki_outcome outcome;

    TRY(kubepki_issuer_load(argv[1], strlen(argv[1]), argv[2], strlen(argv[2]), &issuer));
    TRY(kubepki_signer_policy_new(SIGNER, &policy));
    TRY(tell(policy, argv[3]));
    TRY(kubepki_approver_new(&approver));
    TRY(kubepki_approver_set_policy(approver, policy));

    TRY(kubepki_csr_from_yaml(object, len, &csr));
    TRY(kubepki_approver_review(approver, csr, &review));
    TRY(kubepki_review_apply(review, csr, now));
    TRY(kubepki_csr_sign(csr, SIGNER, issuer, LONGEST, now, &outcome));
    is_issued = kubepki_csr_state(csr) == KUBEPKI_STATE_ISSUED;
    if (!is_issued) {
        kubepki_text why = kubepki_review_message(review);
        fprintf(stderr, "review: %.*s\n", (int)why.len, why.data);
        fprintf(stderr, "signing: %.*s\n", (int)outcome.message.len, outcome.message.data);
    }
    print(kubepki_csr_yaml(csr));

done:
    kubepki_review_free(review);
    kubepki_csr_free(csr);
    kubepki_approver_free(approver);
    kubepki_signer_policy_free(policy);
    kubepki_issuer_free(issuer);
    return finish(error) ? 2 : !is_issued;
}
