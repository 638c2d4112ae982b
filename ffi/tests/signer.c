/* Keys that stay with the caller: the openssl command signs. Usage: signer DIRECTORY, which is empty. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "hsm.h"

/* How a signer behaves. */
enum manner { SIGNS, IN_ANOTHER_THREAD, CALLS_THE_LIBRARY, FAILS_, SAYS_NOTHING, LIES, SAYS_TOO_MUCH, SAYS_NULL };

struct signer {
    enum manner manner;
    const char *key;
    int calls;
    int releases;
};

struct job {
    struct signer *signer;
    const kubepki_to_sign *to_sign;
    kubepki_answer *answer;
};

static void *run(void *job) {
    struct job *it = job;
    sign_by_openssl(it->signer->key, it->to_sign, it->answer);
    return NULL;
}

static void callback(void *user, const kubepki_to_sign *to_sign, kubepki_answer *answer) {
    static const uint8_t garbage[10000] = {0x30, 0x45};
    struct signer *signer = user;
    signer->calls++;
    CHECK(is(to_sign->algorithm, "ecdsa-with-SHA256") && to_sign->digest.len == 32 && to_sign->message.len > 100);
    switch (signer->manner) {
    case SIGNS:
        sign_by_openssl(signer->key, to_sign, answer);
        break;
    case IN_ANOTHER_THREAD: {
        struct job job = {signer, to_sign, answer};
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, run, &job) == 0 && pthread_join(thread, NULL) == 0);
        break;
    }
    case CALLS_THE_LIBRARY: {
        kubepki_cluster *cluster = a_cluster();
        kubepki_authorities *authorities = NULL;
        OK(kubepki_authorities_create(cluster, NOW, &authorities));
        kubepki_authorities_free(authorities);
        kubepki_cluster_free(cluster);
        sign_by_openssl(signer->key, to_sign, answer);
        break;
    }
    case FAILS_:
        kubepki_answer_failure(answer, LITERAL("the HSM\nis locked"));
        break;
    case SAYS_NOTHING:
        break;
    case LIES:
        kubepki_answer_signature(answer, garbage, 71);
        break;
    case SAYS_TOO_MUCH:
        kubepki_answer_signature(answer, garbage, sizeof garbage);
        break;
    case SAYS_NULL:
        kubepki_answer_signature(answer, NULL, SIZE_MAX);
        break;
    }
}

static void release(void *user) {
    ((struct signer *)user)->releases++;
}

static kubepki_signer *a_signer(struct signer *signer, kubepki_bytes pem) {
    kubepki_signer *handle = NULL;
    OK(kubepki_signer_new(pem.data, pem.len, callback, signer, release, &handle));
    return handle;
}

/* The files of authorities without the key of one, which goes to a file. */
static kubepki_files *without_key(const kubepki_files *files, const char *path) {
    kubepki_files *rest = NULL;
    OK(kubepki_files_new(&rest));
    for (size_t i = 0; i < kubepki_files_count(files); i++) {
        kubepki_file file = kubepki_files_at(files, i);
        if (!is(file.path, "pki/ca.key")) {
            OK(kubepki_files_add(rest, file.path.data, file.path.len, file.bytes.data, file.bytes.len));
            continue;
        }
        write_file(path, file.bytes.data, file.bytes.len);
    }
    return rest;
}

int main(int argc, char **argv) {
    begin(argc, argv);
    char key[8192];
    strcpy(key, below("ca.key"));

    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node();
    kubepki_authorities *made = NULL, *authorities = NULL;
    OK(kubepki_authorities_create(cluster, NOW, &made));
    kubepki_files *all = NULL, *files = NULL;
    OK(kubepki_authorities_files(made, &all));
    files = without_key(all, key);
    kubepki_bytes ca = contents(files, "pki/ca.crt");
    kubepki_profile *jane = a_user(cluster, "jane");
    kubepki_credential *credential = NULL;
    kubepki_pki *pki = NULL;

    /* Without a signer nothing is signed; what answers wrongly is an error, and nothing is made. */
    OK(kubepki_authorities_from_files(files, &authorities));
    FAILS(KUBEPKI_ERROR_NO_ISSUER, kubepki_authorities_issue(authorities, jane, NOW, &credential));
    kubepki_authorities_free(authorities);
    const struct {
        enum manner manner;
        kubepki_code code;
        const char *message;
    } wrong[] = {
        {FAILS_, KUBEPKI_ERROR_SIGNER, "the HSM is locked"},
        {SAYS_NOTHING, KUBEPKI_ERROR_SIGNER, "no answer"},
        {LIES, KUBEPKI_ERROR_SIGNER_MISMATCH, "does not verify"},
        {SAYS_TOO_MUCH, KUBEPKI_ERROR_SIGNER, "10000"},
        {SAYS_NULL, KUBEPKI_ERROR_SIGNER, "NULL"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct signer user = {wrong[i].manner, key, 0, 0};
        kubepki_signer *signer = a_signer(&user, ca);
        OK(kubepki_authorities_from_files(files, &authorities));
        OK(kubepki_authorities_attach(authorities, LITERAL("kubernetes-ca"), signer));
        kubepki_signer_free(signer);
        kubepki_error *error = kubepki_authorities_issue(authorities, jane, NOW, &credential);
        CHECK(kubepki_error_code(error) == wrong[i].code && credential == NULL && user.calls == 1);
        CHECK(contains(kubepki_error_message(error), wrong[i].message));
        kubepki_error_free(error);
        FAILS(wrong[i].code, kubepki_authorities_first(authorities, cluster, node, NOW, &pki));
        CHECK(pki == NULL && user.releases == 0);
        kubepki_authorities_free(authorities);
        CHECK(user.releases == 1);
    }

    /* Whichever thread signs, and whatever else it does. */
    for (int manner = SIGNS; manner <= CALLS_THE_LIBRARY; manner++) {
        struct signer user = {(enum manner)manner, key, 0, 0};
        kubepki_signer *signer = a_signer(&user, ca);
        OK(kubepki_authorities_from_files(files, &authorities));
        OK(kubepki_authorities_attach(authorities, LITERAL("kubernetes-ca"), signer));
        FAILS(KUBEPKI_ERROR_EXISTS, kubepki_authorities_attach(authorities, LITERAL("etcd-ca"), signer));
        OK(kubepki_authorities_issue(authorities, jane, NOW, &credential));
        kubepki_buffer *kubeconfig = NULL;
        OK(kubepki_credential_kubeconfig(credential, cluster, authorities, &kubeconfig));
        kubepki_text yaml = kubepki_buffer_text(kubeconfig);
        OK(kubepki_kubeconfig_check(yaml.data, yaml.len));
        kubepki_buffer_free(kubeconfig);
        kubepki_credential_free(credential);
        credential = NULL;

        /* What was made keeps the signer. */
        OK(kubepki_authorities_first(authorities, cluster, node, NOW, &pki));
        kubepki_signer_free(signer);
        kubepki_authorities_free(authorities);
        CHECK(user.calls > 5 && user.releases == 0);
        OK(kubepki_pki_authorities(pki, &authorities));
        kubepki_pki_free(pki);
        pki = NULL;
        OK(kubepki_authorities_issue(authorities, jane, NOW, &credential));
        kubepki_credential_free(credential);
        credential = NULL;
        kubepki_issuer *issuer = NULL;
        OK(kubepki_authorities_issuer(authorities, LITERAL("kubernetes-ca"), &issuer));
        kubepki_buffer *none = NULL;
        FAILS(KUBEPKI_ERROR_ABSENT, kubepki_issuer_key_pem(issuer, &none));
        kubepki_issuer_free(issuer);
        kubepki_authorities_free(authorities);
        CHECK(user.releases == 1);
    }

    /* A directory without the key is renewed with the signer. */
    {
        struct signer user = {SIGNS, key, 0, 0};
        kubepki_signer *signer = a_signer(&user, ca);
        kubepki_plan *plan = NULL;
        kubepki_files *of_machine = NULL;
        kubepki_pki *machine = NULL;
        OK(kubepki_authorities_first(made, cluster, node, NOW, &machine));
        OK(kubepki_pki_files(machine, &of_machine));
        kubepki_files *rest = without_key(of_machine, key);
        OK(kubepki_pki_from_files(rest, &pki));
        OK(kubepki_pki_attach(pki, LITERAL("kubernetes-ca"), signer));
        OK(kubepki_pki_plan(pki, NULL, NULL, NOW + 350 * DAY, &plan));
        CHECK(kubepki_plan_step_count(plan) > 5 && kubepki_plan_blocked_count(plan) == 0);
        OK(kubepki_plan_apply(plan, pki));
        CHECK(user.calls > 5);
        kubepki_plan_free(plan);
        kubepki_files_free(rest);
        kubepki_files_free(of_machine);
        kubepki_pki_free(machine);
        kubepki_pki_free(pki);
        kubepki_signer_free(signer);
        CHECK(user.releases == 1);
    }

    /* A root whose key is elsewhere, and an authority below it whose key is there too. */
    {
        struct signer user = {SIGNS, key, 0, 0};
        kubepki_signer *signer = a_signer(&user, ca);
        kubepki_profile *of_root = NULL, *of_site = NULL;
        OK(kubepki_profile_new(cluster, NULL, LITERAL("root-ca"), LITERAL("Example Root"), &of_root));
        OK(kubepki_profile_new(cluster, NULL, LITERAL("intermediate"), LITERAL("Example Site"), &of_site));
        kubepki_issuer *root = NULL, *same = NULL, *site = NULL;
        OK(kubepki_issuer_self_signed_by(of_root, signer, NOW, &root));
        kubepki_buffer *chain = NULL;
        OK(kubepki_issuer_chain_pem(root, &chain));
        kubepki_text pem = kubepki_buffer_text(chain);
        OK(kubepki_issuer_with_signer(pem.data, pem.len, signer, &same));
        OK(kubepki_issuer_intermediate_by(same, of_site, signer, NOW, &site));
        CHECK(user.calls == 2);
        kubepki_buffer_free(chain);
        kubepki_issuer_free(site);
        kubepki_issuer_free(same);
        kubepki_issuer_free(root);
        kubepki_profile_free(of_site);
        kubepki_profile_free(of_root);
        kubepki_signer_free(signer);
        CHECK(user.releases == 1);
    }

    /* What fails keeps nothing. */
    struct signer user = {SIGNS, key, 0, 0};
    kubepki_signer *signer = NULL;
    FAILS(KUBEPKI_ERROR_NULL, kubepki_signer_new(ca.data, ca.len, NULL, &user, release, &signer));
    FAILS(KUBEPKI_ERROR_MALFORMED, kubepki_signer_new("no key", 6, callback, &user, release, &signer));
    CHECK(user.releases == 0 && signer == NULL);
    OK(kubepki_signer_new(ca.data, ca.len, callback, NULL, NULL, &signer));
    kubepki_signer_free(signer);

    kubepki_profile_free(jane);
    kubepki_files_free(files);
    kubepki_files_free(all);
    kubepki_authorities_free(made);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
    return 0;
}
