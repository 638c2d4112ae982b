/* What a failing callback says of its failure, and when that is released. Usage: causes DIRECTORY, which is empty. */
#include "hsm.h"

/* What a callback answers, the last of which counts. */
enum manner {
    SIGNS,
    FAILS_ONCE,
    FAILS_TWICE,
    SIGNS_THEN_FAILS,
    FAILS_THEN_SIGNS,
    FAILS_AT_LAST_WITHOUT_CAUSE,
    FAILS_INSIDE_THEN_SIGNS,
};

static enum manner manner;

/* How many causes were given, and how many released. */
static int given, released;

static void release(void *cause) {
    CHECK(cause == &given);
    released++;
}

static void fail(kubepki_answer *answer) {
    given++;
    kubepki_answer_failure_with_cause(answer, LITERAL("the HSM\nis locked"), &given, release);
}

/* What is signed by a key that only this program has. */
static struct {
    kubepki_cluster *cluster;
    kubepki_node *node, *worker;
    kubepki_profile *root, *site, *jane;
    kubepki_signer *signer;
    kubepki_issuer *issuer;
    kubepki_authorities *authorities;
    kubepki_csr *csr;
    kubepki_service_account_token *token;
    kubepki_pki *pki;
    kubepki_plan *plan;
    char public_key[2000];
    size_t public_key_len;
} its;

/* Where a result would go. */
static union {
    kubepki_authorities *authorities;
    kubepki_buffer *buffer;
    kubepki_credential *credential;
    kubepki_issuer *issuer;
    kubepki_pki *pki;
    void *any;
} out;

static void sign(void *user, const kubepki_to_sign *to_sign, kubepki_answer *answer) {
    const enum manner now = manner;
    (void)user;
    if (now == FAILS_INSIDE_THEN_SIGNS) {
        manner = FAILS_ONCE;
        kubepki_credential *none = NULL;
        FAILS(KUBEPKI_ERROR_SIGNER, kubepki_issuer_issue(its.issuer, its.jane, NOW, &none));
        manner = now;
    } else if (now != SIGNS && now != SIGNS_THEN_FAILS) {
        fail(answer);
    }
    if (now == FAILS_TWICE) {
        CHECK(released == given - 1);
        fail(answer);
    } else if (now == FAILS_AT_LAST_WITHOUT_CAUSE) {
        kubepki_answer_failure(answer, LITERAL("the HSM is locked"));
    } else if (now != FAILS_ONCE) {
        sign_by_openssl(below("key"), to_sign, answer);
    }
    if (now == SIGNS_THEN_FAILS) {
        fail(answer);
    }
    const int is_cause_kept = now == FAILS_ONCE || now == FAILS_TWICE || now == SIGNS_THEN_FAILS;
    CHECK(released == given - is_cause_kept);
}

static void make(void) {
    manner = SIGNS;
    its.cluster = a_cluster();
    its.node = a_node();
    its.jane = a_user(its.cluster, "jane");
    OK(kubepki_node_worker(LITERAL("w-1"), &its.worker));
    OK(kubepki_profile_new(its.cluster, NULL, LITERAL("root-ca"), LITERAL("Example Root"), &its.root));
    OK(kubepki_profile_new(its.cluster, NULL, LITERAL("intermediate"), LITERAL("Example Site"), &its.site));
    its.public_key_len = a_key(below("key"), its.public_key, sizeof its.public_key);
    OK(kubepki_signer_new(its.public_key, its.public_key_len, sign, NULL, NULL, &its.signer));
    its.issuer = an_authority(its.cluster, "root-ca", "Example Root", its.signer);

    /* A cluster where it signs for the Kubernetes authority. */
    kubepki_authorities *made = NULL;
    OK(kubepki_authorities_create(its.cluster, NOW, &made));
    its.authorities = no_authorities();
    kubepki_issuer *kubernetes = an_authority(its.cluster, "kubernetes-ca", "", its.signer);
    OK(add(its.authorities, "kubernetes-ca", kubernetes));
    kubepki_issuer_free(kubernetes);
    const char *others[] = {"etcd-ca", "front-proxy-ca"};
    for (size_t i = 0; i < 2; i++) {
        kubepki_issuer *other = NULL;
        OK(kubepki_authorities_issuer(made, others[i], strlen(others[i]), &other));
        OK(add(its.authorities, others[i], other));
        kubepki_issuer_free(other);
    }
    kubepki_authorities_free(made);
    OK(kubepki_authorities_first(its.authorities, its.cluster, its.node, NOW, &its.pki));
    OK(kubepki_pki_plan(its.pki, NULL, NULL, NOW + 350 * DAY, &its.plan));

    kubepki_request *request = NULL;
    OK(kubepki_request_new(its.jane, &request));
    OK(kubepki_csr_new(LITERAL("jane"), LITERAL("example.com/users"), request, &its.csr));
    OK(kubepki_csr_approve(its.csr, LITERAL("ByHand"), LITERAL("for a test"), NOW));
    kubepki_request_free(request);
    OK(kubepki_service_account_token_new(its.cluster, LITERAL("ci"), LITERAL("builder"), LITERAL("uid-1"), &its.token));
}

static void unmake(void) {
    kubepki_service_account_token_free(its.token);
    kubepki_csr_free(its.csr);
    kubepki_plan_free(its.plan);
    kubepki_pki_free(its.pki);
    kubepki_authorities_free(its.authorities);
    kubepki_issuer_free(its.issuer);
    kubepki_signer_free(its.signer);
    kubepki_profile_free(its.jane);
    kubepki_profile_free(its.site);
    kubepki_profile_free(its.root);
    kubepki_node_free(its.worker);
    kubepki_node_free(its.node);
    kubepki_cluster_free(its.cluster);
}

static kubepki_error *makes_a_root(void) {
    return kubepki_issuer_self_signed_by(its.root, its.signer, NOW, &out.issuer);
}

static kubepki_error *makes_an_intermediate(void) {
    return kubepki_issuer_intermediate(its.issuer, its.site, NOW, &out.issuer);
}

static kubepki_error *makes_an_intermediate_by_it(void) {
    return kubepki_issuer_intermediate_by(its.issuer, its.site, its.signer, NOW, &out.issuer);
}

static kubepki_error *issues(void) { return kubepki_issuer_issue(its.issuer, its.jane, NOW, &out.credential); }

static kubepki_error *certifies(void) {
    return kubepki_issuer_certify(its.issuer, its.jane, its.public_key, its.public_key_len, NOW, &out.buffer);
}

static kubepki_error *makes_authorities(void) {
    return kubepki_authorities_create_under(its.issuer, its.cluster, NOW, &out.authorities);
}

static kubepki_error *issues_for_a_cluster(void) {
    return kubepki_authorities_issue(its.authorities, its.jane, NOW, &out.credential);
}

static kubepki_error *makes_the_first_node(void) {
    return kubepki_authorities_first(its.authorities, its.cluster, its.node, NOW, &out.pki);
}

static kubepki_error *lets_a_worker_join(void) {
    return kubepki_authorities_join(its.authorities, its.cluster, its.worker, NOW, &out.pki);
}

static kubepki_error *signs_a_request(void) {
    kubepki_outcome outcome;
    return kubepki_csr_sign(its.csr, LITERAL("example.com/users"), its.issuer, DAY, NOW, &outcome);
}

static kubepki_error *signs_a_token(void) {
    return kubepki_service_account_token_sign_by(its.token, its.signer, NOW, &out.buffer);
}

static kubepki_error *renews(void) { return kubepki_plan_apply(its.plan, its.pki); }

static void a_cause_is_given_back_by_every_call_that_signs(void) {
    kubepki_error *(*const calls[])(void) = {
        makes_a_root,       makes_an_intermediate, makes_an_intermediate_by_it, issues,
        certifies,          makes_authorities,     issues_for_a_cluster,        makes_the_first_node,
        lets_a_worker_join, signs_a_request,       signs_a_token,               renews,
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        given = released = 0;
        manner = FAILS_ONCE;
        kubepki_error *error = calls[i]();
        CHECK(given > 0 && released == given - 1);
        CHECK(kubepki_error_cause(error) == &given && kubepki_error_os_error(error) == 0);
        CHECK(contains(kubepki_error_message(error), "the HSM is locked"));
        FAILS(KUBEPKI_ERROR_SIGNER, error);
        CHECK(released == given && out.any == NULL);
    }
    CHECK(kubepki_csr_state(its.csr) == KUBEPKI_STATE_APPROVED);
}

static void the_last_answer_counts_and_each_cause_is_released_once(void) {
    const struct {
        enum manner manner;
        int given;
        kubepki_code code;
        int has_cause;
    } cases[] = {
        {FAILS_ONCE, 1, KUBEPKI_ERROR_SIGNER, 1},
        {FAILS_TWICE, 2, KUBEPKI_ERROR_SIGNER, 1},
        {SIGNS_THEN_FAILS, 1, KUBEPKI_ERROR_SIGNER, 1},
        {FAILS_AT_LAST_WITHOUT_CAUSE, 1, KUBEPKI_ERROR_SIGNER, 0},
        {FAILS_THEN_SIGNS, 1, KUBEPKI_OK, 0},
        {FAILS_INSIDE_THEN_SIGNS, 1, KUBEPKI_OK, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        given = released = 0;
        manner = cases[i].manner;
        kubepki_error *error = issues();
        CHECK(given == cases[i].given && released == given - cases[i].has_cause);
        CHECK((kubepki_error_cause(error) != NULL) == cases[i].has_cause);
        FAILS(cases[i].code, error);
        CHECK(released == given && (out.any != NULL) == (cases[i].code == KUBEPKI_OK));
        kubepki_credential_free(out.credential);
        out.any = NULL;
    }
}

static void a_cause_without_an_answer_is_released_at_once(void) {
    given = released = 0;
    fail(NULL);
    CHECK(given == 1 && released == 1);
    kubepki_answer_failure_with_cause(NULL, NULL, SIZE_MAX, &given, release);
    CHECK(released == 2);
    kubepki_answer_failure_with_cause(NULL, LITERAL("x"), &given, NULL);
    CHECK(released == 2);
}

/* Neither is needed. */
static void says_no_cause(void *user, const kubepki_to_sign *to_sign, kubepki_answer *answer) {
    (void)to_sign;
    kubepki_answer_failure_with_cause(answer, "\xff", 1, user, NULL);
}

static void a_cause_need_not_be_released_and_may_be_null(void) {
    void *const causes[] = {NULL, &given};
    for (size_t i = 0; i < 2; i++) {
        kubepki_signer *signer = NULL;
        OK(kubepki_signer_new(its.public_key, its.public_key_len, says_no_cause, causes[i], NULL, &signer));
        kubepki_error *error = kubepki_issuer_self_signed_by(its.root, signer, NOW, &out.issuer);
        kubepki_signer_free(signer);
        CHECK(kubepki_error_cause(error) == causes[i]);
        FAILS(KUBEPKI_ERROR_SIGNER, error);
    }
    CHECK(out.any == NULL);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    make();
    a_cause_is_given_back_by_every_call_that_signs();
    the_last_answer_counts_and_each_cause_is_released_once();
    a_cause_without_an_answer_is_released_at_once();
    a_cause_need_not_be_released_and_may_be_null();
    unmake();
    return 0;
}
