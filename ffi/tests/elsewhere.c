/* A cluster whose keys are elsewhere from the start. Usage: elsewhere DIRECTORY, which is empty. */
#include "hsm.h"

static const char *const ROLES[] = {"kubernetes-ca", "etcd-ca", "front-proxy-ca"};
#define AUTHORITIES (sizeof ROLES / sizeof *ROLES)

/* One key in the HSM, by its file. */
struct key {
    char path[8192];
    int calls, releases;
};

static void sign(void *user, const kubepki_to_sign *to_sign, kubepki_answer *answer) {
    struct key *key = user;
    key->calls++;
    sign_by_openssl(key->path, to_sign, answer);
}

static void release(void *user) { ((struct key *)user)->releases++; }

static kubepki_signer *a_signer(struct key *key, const char *name) {
    char pem[2000];
    strcpy(key->path, below(name));
    key->calls = key->releases = 0;
    kubepki_signer *signer = NULL;
    OK(kubepki_signer_new(pem, a_key(key->path, pem, sizeof pem), sign, key, release, &signer));
    return signer;
}

/* By the word of the openssl command. */
static void verifies(const char *authority, const char *certificate) {
    RUN("openssl verify -CAfile '%s' '%s' >/dev/null", below(authority), below(certificate));
}

static void a_cluster_begins_with_keys_that_are_elsewhere(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node();
    kubepki_authorities *authorities = no_authorities();
    kubepki_pki *pki = NULL, *loaded = NULL;
    FAILS(KUBEPKI_ERROR_NO_ISSUER, kubepki_authorities_first(authorities, cluster, node, NOW, &pki));
    struct key keys[AUTHORITIES];
    for (size_t i = 0; i < AUTHORITIES; i++) {
        kubepki_signer *signer = a_signer(&keys[i], ROLES[i]);
        kubepki_issuer *issuer = an_authority(cluster, ROLES[i], "", signer);
        OK(add(authorities, ROLES[i], issuer));
        kubepki_issuer_free(issuer);
        kubepki_signer_free(signer);
        CHECK(keys[i].calls == 1 && keys[i].releases == 0);
    }
    OK(kubepki_authorities_first(authorities, cluster, node, NOW, &pki));
    kubepki_authorities_free(authorities);
    for (size_t i = 0; i < AUTHORITIES; i++) {
        CHECK(keys[i].calls > 1);
    }

    kubepki_layout *layout = a_layout(below("first"));
    OK(kubepki_pki_save(pki, layout));
    kubepki_files *files = NULL;
    OK(kubepki_pki_files(pki, &files));
    CHECK(contents(files, "pki/ca.crt").len > 0 && contents(files, "pki/ca.key").data == NULL);
    CHECK(contents(files, "pki/etcd/ca.key").data == NULL && contents(files, "pki/front-proxy-ca.key").data == NULL);
    CHECK(contents(files, "pki/sa.key").len > 0 && contents(files, "super-admin.conf").len > 0);
    verifies("first/pki/ca.crt", "first/pki/apiserver.crt");
    verifies("first/pki/etcd/ca.crt", "first/pki/etcd/peer.crt");
    verifies("first/pki/front-proxy-ca.crt", "first/pki/front-proxy-client.crt");

    /* What was saved is complete, and nothing on the machine is told to sign with a key that it has not. */
    kubepki_expected *expected = NULL;
    OK(kubepki_expected_first(cluster, node, &expected));
    OK(kubepki_pki_load(layout, &loaded));
    kubepki_findings *findings = NULL;
    OK(kubepki_pki_audit(loaded, expected, NOW, &findings));
    CHECK(kubepki_findings_count(findings) == AUTHORITIES);
    kubepki_findings_free(findings);
    for (size_t i = 0; i < AUTHORITIES; i++) {
        OK(kubepki_expected_add_external(expected, ROLES[i], strlen(ROLES[i])));
    }
    OK(kubepki_pki_audit(loaded, expected, NOW, &findings));
    CHECK(kubepki_findings_count(findings) == 0);
    const kubepki_pki *both[] = {pki, loaded};
    for (size_t i = 0; i < 2; i++) {
        kubepki_list *arguments = NULL;
        OK(kubepki_pki_arguments(both[i], LITERAL("kube-controller-manager"), &arguments));
        CHECK(count_of(arguments, "--cluster-signing-") == 0 && count_of(arguments, "--root-ca-file=") == 1);
        kubepki_list_free(arguments);
    }

    kubepki_findings_free(findings);
    kubepki_expected_free(expected);
    kubepki_files_free(files);
    kubepki_layout_free(layout);
    kubepki_pki_free(loaded);
    kubepki_pki_free(pki);
    for (size_t i = 0; i < AUTHORITIES; i++) {
        CHECK(keys[i].releases == 1);
    }
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

static void authorities_that_must_be_kept_apart_are_refused_and_leave_the_others(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node();
    struct key one, other;
    kubepki_signer *signer = a_signer(&one, "one"), *second = a_signer(&other, "other");
    kubepki_issuer *ours = an_authority(cluster, "kubernetes-ca", "", signer);
    kubepki_issuer *again = an_authority(cluster, "kubernetes-ca", "", second);
    kubepki_issuer *etcds = an_authority(cluster, "etcd-ca", "", second);
    kubepki_issuer *same_key = an_authority(cluster, "etcd-ca", "", signer), *below_ours = NULL;
    kubepki_issuer *of_root = an_authority(cluster, "root-ca", "Example Root", signer);
    kubepki_profile *site = NULL;
    OK(kubepki_profile_new(cluster, NULL, LITERAL("intermediate"), LITERAL("Example Site"), &site));
    OK(kubepki_issuer_intermediate(of_root, site, NOW, &below_ours));

    kubepki_authorities *authorities = no_authorities();
    OK(add(authorities, "kubernetes-ca", ours));
    FAILS(KUBEPKI_ERROR_INVALID, add(authorities, "kubernetes-ca", ours));
    FAILS(KUBEPKI_ERROR_INVALID, add(authorities, "kubernetes-ca", again));
    FAILS(KUBEPKI_ERROR_SHARED_AUTHORITY, add(authorities, "etcd-ca", ours));
    FAILS(KUBEPKI_ERROR_SHARED_AUTHORITY, add(authorities, "etcd-ca", same_key));
    FAILS(KUBEPKI_ERROR_SHARED_AUTHORITY, add(authorities, "etcd-ca", below_ours));
    const char *none[] = {"admin", "root-ca", "intermediate", "kube-apiserver", "service-account", "Kubernetes-CA"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        FAILS(KUBEPKI_ERROR_INVALID, add(authorities, none[i], etcds));
    }
    kubepki_issuer *there = NULL;
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_authorities_issuer(authorities, LITERAL("etcd-ca"), &there));
    OK(add(authorities, "etcd-ca", etcds));
    OK(kubepki_authorities_issuer(authorities, LITERAL("kubernetes-ca"), &there));
    kubepki_buffer *chain = NULL, *expected = NULL;
    OK(kubepki_issuer_chain_pem(there, &chain));
    OK(kubepki_issuer_chain_pem(ours, &expected));
    kubepki_text pem = kubepki_buffer_text(chain), as_before = kubepki_buffer_text(expected);
    CHECK(pem.len == as_before.len && memcmp(pem.data, as_before.data, pem.len) == 0);
    /* A node that needs the third one is refused, one that does not is made. */
    kubepki_pki *pki = NULL;
    kubepki_node *worker = NULL;
    OK(kubepki_node_worker(LITERAL("w-1"), &worker));
    FAILS(KUBEPKI_ERROR_NO_ISSUER, kubepki_authorities_first(authorities, cluster, node, NOW, &pki));
    OK(kubepki_authorities_join(authorities, cluster, worker, NOW, &pki));

    kubepki_authorities *nothing = NULL;
    FAILS(KUBEPKI_ERROR_MALFORMED, kubepki_authorities_new(NULL, 0, &nothing));
    FAILS(KUBEPKI_ERROR_MALFORMED, kubepki_authorities_new(TEXT(pem), &nothing));
    CHECK(nothing == NULL);

    kubepki_pki_free(pki);
    kubepki_node_free(worker);
    kubepki_buffer_free(expected);
    kubepki_buffer_free(chain);
    kubepki_issuer_free(there);
    kubepki_authorities_free(authorities);
    kubepki_profile_free(site);
    kubepki_issuer_free(of_root);
    kubepki_issuer_free(below_ours);
    kubepki_issuer_free(same_key);
    kubepki_issuer_free(etcds);
    kubepki_issuer_free(again);
    kubepki_issuer_free(ours);
    kubepki_signer_free(second);
    kubepki_signer_free(signer);
    CHECK(one.releases == 1 && other.releases == 1);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    a_cluster_begins_with_keys_that_are_elsewhere();
    authorities_that_must_be_kept_apart_are_refused_and_leave_the_others();
    return 0;
}
