/* Whatever comes in: an error with its code, and nothing made. Usage: bad_input DIRECTORY, which is empty. */
#include "bad.h"

typedef kubepki_error *(*on_cluster)(kubepki_cluster *, const char *, size_t);
typedef kubepki_error *(*on_node)(kubepki_node *, const char *, size_t);
typedef kubepki_error *(*on_kubeadm)(kubepki_kubeadm *, const char *, size_t);
typedef kubepki_error *(*on_profile)(kubepki_profile *, const char *, size_t);

static const on_cluster CLUSTER_TEXTS[] = {
    kubepki_cluster_set_name,          kubepki_cluster_set_endpoint,      kubepki_cluster_set_dns_domain,
    kubepki_cluster_add_service_subnet, kubepki_cluster_set_key_algorithm, kubepki_cluster_set_convention,
    kubepki_cluster_set_kubernetes_version,
};
static const on_node NODE_TEXTS[] = {kubepki_node_add_address, kubepki_node_add_front_proxy_name};
static const on_kubeadm KUBEADM_TEXTS[] = {
    kubepki_kubeadm_set_node_name,
    kubepki_kubeadm_set_advertise_address,
    kubepki_kubeadm_set_endpoint,
};
static const char KUBEADM[] = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n";

static void no_text_that_means_nothing_is_taken(void) {
    kubepki_cluster *cluster = a_cluster(), *no_cluster = NULL;
    kubepki_node *node = a_node(), *no_node = NULL;
    kubepki_kubeadm *kubeadm = NULL;
    OK(kubepki_kubeadm_from_yaml(KUBEADM, sizeof KUBEADM - 1, &kubeadm));
    kubepki_profile *user = a_user(cluster, "jane"), *server = NULL, *no_profile = NULL;
    OK(kubepki_profile_new(cluster, node, LITERAL("kube-apiserver"), NULL, 0, &server));
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create(cluster, NOW, &authorities));
    kubepki_pki *pki = NULL, *no_pki = NULL;
    OK(kubepki_authorities_first(authorities, cluster, node, NOW, &pki));
    kubepki_layout *layout = a_layout("/etc/kubernetes");
    kubepki_expected *expected = NULL;
    OK(kubepki_expected_new(cluster, node, &expected));
    kubepki_issuer *root = NULL, *issuer = NULL;
    OK(kubepki_authorities_issuer(authorities, LITERAL("kubernetes-ca"), &root));
    kubepki_authorities *none = NULL;
    kubepki_list *list = NULL;
    kubepki_buffer *buffer = NULL;
    kubepki_credential *credential = NULL;

    for (size_t i = 0; i < BADS; i++) {
        const char *bad = BAD[i].data;
        size_t len = BAD[i].len;
        EACH(f, CLUSTER_TEXTS) { REFUSES(CLUSTER_TEXTS[f](cluster, bad, len)); }
        EACH(f, NODE_TEXTS) { REFUSES(NODE_TEXTS[f](node, bad, len)); }
        EACH(f, KUBEADM_TEXTS) { REFUSES(KUBEADM_TEXTS[f](kubeadm, bad, len)); }
        REFUSES(kubepki_cluster_new(bad, len, &no_cluster));
        REFUSES(kubepki_node_control_plane(bad, len, LITERAL("192.0.2.10"), &no_node));
        REFUSES(kubepki_node_control_plane(LITERAL("cp-1"), bad, len, &no_node));
        REFUSES(kubepki_node_etcd_member(bad, len, LITERAL("192.0.2.10"), &no_node));
        REFUSES(kubepki_node_etcd_member(LITERAL("cp-1"), bad, len, &no_node));
        REFUSES(kubepki_node_worker(bad, len, &no_node));
        REFUSES(kubepki_node_add_san(node, bad, len, LITERAL("a.example.com")));
        REFUSES(kubepki_node_add_san(node, LITERAL("kube-apiserver"), bad, len));
        REFUSES(kubepki_profile_new(cluster, node, bad, len, NULL, 0, &no_profile));
        REFUSES(kubepki_profile_add_san(server, bad, len));
        REFUSES(kubepki_authorities_issuer(authorities, bad, len, &issuer));
        REFUSES(kubepki_pki_arguments(pki, bad, len, &list));
        REFUSES(kubepki_expected_arguments(expected, bad, len, &list));
        REFUSES(kubepki_expected_add_external(expected, bad, len));
        REFUSES(kubepki_expected_add_external(expected, LITERAL("admin")));
        REFUSES(kubepki_authorities_add(authorities, bad, len, root));
        REFUSES(kubepki_key_generate(bad, len, &buffer));
        REFUSES(kubepki_authorities_new(bad, len, &none));
        REFUSES(kubepki_pki_credential(pki, bad, len, &credential));
        REFUSES(kubepki_layout_path(layout, bad, len, LITERAL("key"), &buffer));
        REFUSES(kubepki_layout_path(layout, LITERAL("etcd-ca"), bad, len, &buffer));
        REFUSES(kubepki_kubeadm_load(bad, len, &kubeadm));
        REFUSES(kubepki_authorities_load(bad, len, &authorities));
        REFUSES(kubepki_issuer_load(bad, len, bad, len, &issuer));
        /* Documents. */
        REFUSES(kubepki_kubeadm_from_yaml(bad, len, &kubeadm));
        REFUSES(kubepki_issuer_from_pem(bad, len, bad, len, &issuer));
        REFUSES(kubepki_credential_from_pem(bad, len, bad, len, &credential));
        REFUSES(kubepki_kubeconfig_check(bad, len));
    }
    /* What no role is told. */
    REFUSES(kubepki_profile_add_group(user, LITERAL("system:masters")));
    REFUSES(kubepki_profile_add_group(server, LITERAL("developers")));
    REFUSES(kubepki_profile_add_san(user, LITERAL("a.example.com")));
    REFUSES(kubepki_profile_set_path_length(user, 1));
    REFUSES(kubepki_profile_new(cluster, node, LITERAL("service-account"), NULL, 0, &no_profile));
    REFUSES(kubepki_profile_new(cluster, node, LITERAL("admin"), LITERAL("jane"), &no_profile));
    REFUSES(kubepki_profile_new(cluster, NULL, LITERAL("user"), NULL, 0, &no_profile));
    FAILS(KUBEPKI_ERROR_NULL, kubepki_profile_new(cluster, NULL, LITERAL("kubelet-client"), NULL, 0, &no_profile));
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_layout_path(layout, LITERAL("user"), LITERAL("key"), &buffer));
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_pki_credential(pki, LITERAL("kube-proxy"), &credential));
    CHECK(no_cluster == NULL && no_node == NULL && no_profile == NULL && issuer == NULL && list == NULL);
    CHECK(buffer == NULL && credential == NULL && none == NULL);

    /* Numbers. */
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_authorities_create(cluster, INT64_MIN, &none));
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_authorities_create(cluster, INT64_MAX, &none));
    OK(kubepki_cluster_set_leaf_lifetime(cluster, 0));
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_pki_create(cluster, node, NOW, &no_pki));
    OK(kubepki_cluster_set_leaf_lifetime(cluster, DAY));
    OK(kubepki_pki_create(cluster, node, NOW, &no_pki));
    kubepki_pki_free(no_pki);
    OK(kubepki_cluster_set_authority_lifetime(cluster, UINT64_MAX));
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_authorities_create(cluster, NOW, &none));
    const kubepki_pki *pkis[] = {pki};
    const kubepki_layout *layouts[] = {layout};
    const size_t huge[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / sizeof pki, SIZE_MAX / sizeof pki + 1};
    EACH(count, huge) { FAILS(KUBEPKI_ERROR_INVALID, kubepki_pki_save_all(pkis, layouts, huge[count])); }
    CHECK(none == NULL);

    kubepki_issuer_free(root);
    kubepki_expected_free(expected);
    kubepki_layout_free(layout);
    kubepki_pki_free(pki);
    kubepki_authorities_free(authorities);
    kubepki_profile_free(server);
    kubepki_profile_free(user);
    kubepki_kubeadm_free(kubeadm);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

static void an_error_says_where_what_was_expected_and_what_was_found(void) {
    kubepki_cluster *cluster = NULL;
    kubepki_error *error = kubepki_cluster_new(LITERAL("api_1:6443"), &cluster);
    CHECK(kubepki_error_code(error) == KUBEPKI_ERROR_INVALID && is(kubepki_error_name(error), "invalid"));
    CHECK(kubepki_error_expected(error).len > 0 && contains(kubepki_error_found(error), "api_1"));
    CHECK(kubepki_error_place_count(error) == 1);
    kubepki_place place = kubepki_error_place_at(error, 0);
    CHECK(place.kind == KUBEPKI_PLACE_FIELD && place.text.len > 0);
    CHECK(contains(kubepki_error_message(error), "api_1"));
    CHECK(kubepki_error_place_at(error, 1).text.data == NULL);
    CHECK(kubepki_error_place_at(error, SIZE_MAX).kind == KUBEPKI_PLACE_OTHER);
    kubepki_error_free(error);

    kubepki_authorities *authorities = NULL;
    error = kubepki_authorities_load(LITERAL("/no/such/directory"), &authorities);
    place = kubepki_error_place_at(error, 0);
    CHECK(kubepki_error_code(error) == KUBEPKI_ERROR_IO && place.kind == KUBEPKI_PLACE_FILE);
    CHECK(is(place.text, "/no/such/directory") && kubepki_error_os_error(error) == ENOENT);
    CHECK(kubepki_error_cause(error) == NULL);
    kubepki_error_free(error);
}

/* In every one, for it stands in arguments, kubeconfigs and errors later. */
static void a_path_that_is_no_text_of_one_line_is_refused_by_its_name(const char *path, size_t len, const char *rule) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_layout *layout = a_layout("/etc/kubernetes");
    kubepki_files *files = NULL;
    OK(kubepki_files_new(&files));
    OK(kubepki_cluster_set_oidc(cluster, LITERAL("https://login.example.com"), LITERAL("kubernetes")));
    kubepki_layout *no_layout = NULL;
    kubepki_kubeadm *kubeadm = NULL;
    kubepki_authorities *authorities = NULL;
    kubepki_issuer *issuer = NULL;
    kubepki_user *user = NULL;
    const struct {
        const char *name;
        kubepki_error *error;
    } refused[] = {
        {"directory", kubepki_layout_new(path, len, &no_layout)},
        {"directory", kubepki_layout_set_certificates(layout, path, len)},
        {"root", kubepki_layout_set_root(layout, path, len)},
        {"directory", kubepki_authorities_load(path, len, &authorities)},
        {"path", kubepki_kubeadm_load(path, len, &kubeadm)},
        {"chain_path", kubepki_issuer_load(path, len, LITERAL("/a"), &issuer)},
        {"key_path", kubepki_issuer_load(LITERAL("/a"), path, len, &issuer)},
        {"path", kubepki_files_add(files, path, len, LITERAL("x"))},
        {"path", kubepki_user_with_token_file(path, len, &user)},
        {"path", kubepki_cluster_set_authentication_file(cluster, LITERAL("token-auth-file"), path, len)},
        {"path", kubepki_cluster_set_oidc_ca_file(cluster, path, len)},
        {"ca", kubepki_cluster_set_external_etcd(cluster, path, len, LITERAL("/a"), LITERAL("/a"))},
        {"cert", kubepki_cluster_set_external_etcd(cluster, LITERAL("/a"), path, len, LITERAL("/a"))},
        {"key", kubepki_cluster_set_external_etcd(cluster, LITERAL("/a"), LITERAL("/a"), path, len)},
    };
    EACH(i, refused) {
        CHECK(is(kubepki_error_place_at(refused[i].error, 0).text, refused[i].name));
        CHECK(is(kubepki_error_expected(refused[i].error), rule));
        FAILS(KUBEPKI_ERROR_INVALID, refused[i].error);
    }
    CHECK(no_layout == NULL && authorities == NULL && kubeadm == NULL && issuer == NULL && user == NULL);
    CHECK(kubepki_files_count(files) == 0);
    kubepki_files_free(files);
    kubepki_layout_free(layout);
    kubepki_cluster_free(cluster);
}

static void a_file_is_below_the_machines_directory_and_there_once(void) {
    static const char *const elsewhere[] = {"/etc/kubernetes/pki/ca.crt", "../ca.crt", "./pki/ca.crt", "pki/../ca.crt", "/"};
    kubepki_files *files = NULL;
    OK(kubepki_files_new(&files));
    EACH(i, elsewhere) {
        FAILS(KUBEPKI_ERROR_INVALID, kubepki_files_add(files, elsewhere[i], strlen(elsewhere[i]), NULL, 0));
    }
    OK(kubepki_files_add(files, LITERAL("pki/ca.crt"), NULL, 0));
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_files_add(files, LITERAL("pki//ca.crt"), LITERAL("x")));
    CHECK(kubepki_files_count(files) == 1);
    /* A view of nothing is no null pointer, nor one that nothing can have. */
    kubepki_file file = kubepki_files_at(files, 0);
    CHECK(file.bytes.len == 0 && (uintptr_t)file.bytes.data > 4096 && (uintptr_t)file.role.data > 4096);
    CHECK(kubepki_files_at(files, 1).bytes.data == NULL);
    kubepki_files_free(files);
}

static void a_secret_is_never_quoted(void) {
    static const char secret[] = "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END EC PRIVATE KEY-----\n";
    kubepki_credential *credential = NULL;
    kubepki_error *error = kubepki_credential_from_pem(secret, sizeof secret - 1, secret, sizeof secret - 1, &credential);
    CHECK(error != NULL && !contains(kubepki_error_message(error), "c2Vj"));
    kubepki_error_free(error);
}

/* With everything else as it should be. */
static void no_handle_is_an_error(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node();
    kubepki_pki *pki = NULL;
    OK(kubepki_pki_create(cluster, node, NOW, &pki));
    kubepki_layout *layout = a_layout(base);
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create(cluster, NOW, &authorities));
    kubepki_profile *user = a_user(cluster, "jane");
    kubepki_issuer *issuer = NULL;
    OK(kubepki_authorities_issuer(authorities, LITERAL("etcd-ca"), &issuer));
    kubepki_credential *credential = NULL;
    OK(kubepki_authorities_issue(authorities, user, NOW, &credential));
    kubepki_buffer *chain = NULL;
    OK(kubepki_issuer_chain_pem(issuer, &chain));
    kubepki_text pem = kubepki_buffer_text(chain);
    kubepki_signer *signer = NULL;
    OK(kubepki_signer_new(pem.data, pem.len, says_nothing, NULL, NULL, &signer));
    kubepki_buffer_free(chain);
    kubepki_expected *expected = NULL;
    OK(kubepki_expected_first(cluster, node, &expected));
    kubepki_store *store = NULL;
    OK(kubepki_store_open(layout, &store));
    kubepki_findings *findings = NULL;
    OK(kubepki_pki_audit(pki, expected, NOW, &findings));
    kubepki_plan *plan = NULL;
    OK(kubepki_pki_plan(pki, expected, NULL, NOW, &plan));

    /* Where a result would go, so that nothing but the handle is missing. */
    union {
        kubepki_authorities *authorities;
        kubepki_buffer *buffer;
        kubepki_cluster *cluster;
        kubepki_credential *credential;
        kubepki_expected *expected;
        kubepki_files *files;
        kubepki_findings *findings;
        kubepki_issuer *issuer;
        kubepki_layout *layout;
        kubepki_list *list;
        kubepki_manifest *manifest;
        kubepki_node *node;
        kubepki_pki *pki;
        kubepki_plan *plan;
        kubepki_profile *profile;
        kubepki_signer *signer;
        kubepki_store *store;
        void *any;
    } out;
    out.any = NULL;
    int64_t moment = 0;

    MISSES("cluster", kubepki_cluster_set_name(NULL, LITERAL("x")));
    MISSES("cluster", kubepki_cluster_set_endpoint(NULL, LITERAL("x")));
    MISSES("cluster", kubepki_cluster_set_dns_domain(NULL, LITERAL("x")));
    MISSES("cluster", kubepki_cluster_add_service_subnet(NULL, LITERAL("10.96.0.0/12")));
    MISSES("cluster", kubepki_cluster_set_key_algorithm(NULL, LITERAL("ecdsa-p256")));
    MISSES("cluster", kubepki_cluster_set_convention(NULL, LITERAL("kubeadm")));
    MISSES("cluster", kubepki_cluster_set_kubernetes_version(NULL, LITERAL("1.36")));
    MISSES("cluster", kubepki_cluster_set_authority_lifetime(NULL, 1));
    MISSES("cluster", kubepki_cluster_set_leaf_lifetime(NULL, 1));
    MISSES("cluster", kubepki_cluster_set_dedicated_etcd(NULL));
    MISSES("cluster", kubepki_cluster_set_external_etcd(NULL, LITERAL("a"), LITERAL("b"), LITERAL("c")));
    MISSES("cluster", kubepki_cluster_share_kubelet_client_certificate(NULL));
    MISSES("cluster", kubepki_cluster_verify_kubelets(NULL));
    MISSES("node", kubepki_node_add_san(NULL, LITERAL("kube-apiserver"), LITERAL("a.example.com")));
    MISSES("node", kubepki_node_add_address(NULL, LITERAL("192.0.2.1")));
    MISSES("node", kubepki_node_add_front_proxy_name(NULL, LITERAL("x")));
    MISSES("node", kubepki_node_ask_for_kube_proxy(NULL));
    MISSES("node", kubepki_node_set_bind_port(NULL, 1));
    MISSES("layout", kubepki_layout_set_certificates(NULL, LITERAL("/a")));
    MISSES("layout", kubepki_layout_set_root(NULL, LITERAL("/a")));
    MISSES("layout", kubepki_layout_path(NULL, LITERAL("etcd-ca"), LITERAL("key"), &out.buffer));
    MISSES("kubeadm", kubepki_kubeadm_set_node_name(NULL, LITERAL("x")));
    MISSES("kubeadm", kubepki_kubeadm_set_advertise_address(NULL, LITERAL("192.0.2.1")));
    MISSES("kubeadm", kubepki_kubeadm_set_endpoint(NULL, LITERAL("x")));
    MISSES("kubeadm", kubepki_kubeadm_cluster(NULL, &out.cluster));
    MISSES("kubeadm", kubepki_kubeadm_node(NULL, &out.node));
    MISSES("kubeadm", kubepki_kubeadm_first_node(NULL, &out.node));
    MISSES("kubeadm", kubepki_kubeadm_layout(NULL, &out.layout));
    MISSES("kubeadm", kubepki_kubeadm_remarks(NULL, &out.list));
    MISSES("files", kubepki_files_add(NULL, LITERAL("a"), LITERAL("b")));
    MISSES("cluster", kubepki_profile_new(NULL, node, LITERAL("kube-apiserver"), NULL, 0, &out.profile));
    MISSES("profile", kubepki_profile_add_san(NULL, LITERAL("a.example.com")));
    MISSES("profile", kubepki_profile_add_group(NULL, LITERAL("developers")));
    MISSES("profile", kubepki_profile_set_lifetime(NULL, 1));
    MISSES("profile", kubepki_profile_set_path_length(NULL, 1));
    MISSES("profile", kubepki_issuer_self_signed(NULL, NOW, &out.issuer));
    MISSES("profile", kubepki_issuer_self_signed_by(NULL, signer, NOW, &out.issuer));
    MISSES("signer", kubepki_issuer_self_signed_by(user, NULL, NOW, &out.issuer));
    MISSES("signer", kubepki_issuer_with_signer(LITERAL("x"), NULL, &out.issuer));
    MISSES("issuer", kubepki_issuer_intermediate(NULL, user, NOW, &out.issuer));
    MISSES("profile", kubepki_issuer_intermediate(issuer, NULL, NOW, &out.issuer));
    MISSES("issuer", kubepki_issuer_intermediate_by(NULL, user, signer, NOW, &out.issuer));
    MISSES("profile", kubepki_issuer_intermediate_by(issuer, NULL, signer, NOW, &out.issuer));
    MISSES("signer", kubepki_issuer_intermediate_by(issuer, user, NULL, NOW, &out.issuer));
    MISSES("issuer", kubepki_issuer_issue(NULL, user, NOW, &out.credential));
    MISSES("profile", kubepki_issuer_issue(issuer, NULL, NOW, &out.credential));
    MISSES("issuer", kubepki_issuer_certify(NULL, user, LITERAL("x"), NOW, &out.buffer));
    MISSES("profile", kubepki_issuer_certify(issuer, NULL, LITERAL("x"), NOW, &out.buffer));
    MISSES("issuer", kubepki_issuer_chain_pem(NULL, &out.buffer));
    MISSES("issuer", kubepki_issuer_key_pem(NULL, &out.buffer));
    MISSES("credential", kubepki_credential_not_after(NULL, &moment));
    MISSES("credential", kubepki_credential_shortened_from(NULL, &moment));
    MISSES("credential", kubepki_credential_kubeconfig(NULL, cluster, authorities, &out.buffer));
    MISSES("cluster", kubepki_credential_kubeconfig(credential, NULL, authorities, &out.buffer));
    MISSES("authorities", kubepki_credential_kubeconfig(credential, cluster, NULL, &out.buffer));
    MISSES("cluster", kubepki_authorities_create(NULL, NOW, &out.authorities));
    MISSES("parent", kubepki_authorities_create_under(NULL, cluster, NOW, &out.authorities));
    MISSES("cluster", kubepki_authorities_create_under(issuer, NULL, NOW, &out.authorities));
    MISSES("files", kubepki_authorities_from_files(NULL, &out.authorities));
    MISSES("authorities", kubepki_authorities_files(NULL, &out.files));
    MISSES("authorities", kubepki_authorities_attach(NULL, LITERAL("etcd-ca"), signer));
    MISSES("signer", kubepki_authorities_attach(authorities, LITERAL("etcd-ca"), NULL));
    MISSES("authorities", kubepki_authorities_add(NULL, LITERAL("etcd-ca"), issuer));
    MISSES("issuer", kubepki_authorities_add(authorities, LITERAL("etcd-ca"), NULL));
    MISSES("authorities", kubepki_authorities_first(NULL, cluster, node, NOW, &out.pki));
    MISSES("cluster", kubepki_authorities_first(authorities, NULL, node, NOW, &out.pki));
    MISSES("node", kubepki_authorities_first(authorities, cluster, NULL, NOW, &out.pki));
    MISSES("authorities", kubepki_authorities_join(NULL, cluster, node, NOW, &out.pki));
    MISSES("cluster", kubepki_authorities_join(authorities, NULL, node, NOW, &out.pki));
    MISSES("node", kubepki_authorities_join(authorities, cluster, NULL, NOW, &out.pki));
    MISSES("authorities", kubepki_authorities_issue(NULL, user, NOW, &out.credential));
    MISSES("profile", kubepki_authorities_issue(authorities, NULL, NOW, &out.credential));
    MISSES("authorities", kubepki_authorities_issuer(NULL, LITERAL("etcd-ca"), &out.issuer));
    MISSES("authorities", kubepki_authorities_trust_store_pem(NULL, &out.buffer));
    MISSES("cluster", kubepki_pki_create(NULL, node, NOW, &out.pki));
    MISSES("node", kubepki_pki_create(cluster, NULL, NOW, &out.pki));
    MISSES("layout", kubepki_pki_load(NULL, &out.pki));
    MISSES("files", kubepki_pki_from_files(NULL, &out.pki));
    MISSES("pki", kubepki_pki_files(NULL, &out.files));
    MISSES("pki", kubepki_pki_save(NULL, layout));
    MISSES("layout", kubepki_pki_save(pki, NULL));
    MISSES("pki", kubepki_pki_authorities(NULL, &out.authorities));
    MISSES("pki", kubepki_pki_attach(NULL, LITERAL("etcd-ca"), signer));
    MISSES("signer", kubepki_pki_attach(pki, LITERAL("etcd-ca"), NULL));
    MISSES("pki", kubepki_pki_credential(NULL, LITERAL("admin"), &out.credential));
    MISSES("pki", kubepki_pki_cluster(NULL, &out.cluster));
    MISSES("pki", kubepki_pki_arguments(NULL, LITERAL("etcd"), &out.list));
    MISSES("cluster", kubepki_expected_new(NULL, node, &out.expected));
    MISSES("node", kubepki_expected_new(cluster, NULL, &out.expected));
    MISSES("cluster", kubepki_expected_first(NULL, node, &out.expected));
    MISSES("node", kubepki_expected_first(cluster, NULL, &out.expected));
    MISSES("expected", kubepki_expected_set_layout(NULL, layout));
    MISSES("layout", kubepki_expected_set_layout(expected, NULL));
    MISSES("expected", kubepki_expected_add_external(NULL, LITERAL("etcd-ca")));
    MISSES("expected", kubepki_expected_roles(NULL, &out.list));
    MISSES("expected", kubepki_expected_arguments(NULL, LITERAL("etcd"), &out.list));
    MISSES("pki", kubepki_pki_tree(NULL, &out.buffer));
    MISSES("layout", kubepki_store_open(NULL, &out.store));
    MISSES("store", kubepki_store_load(NULL, &out.pki));
    MISSES("store", kubepki_store_commit(NULL, pki));
    MISSES("pki", kubepki_store_commit(store, NULL));
    MISSES("pki", kubepki_pki_audit(NULL, expected, NOW, &out.findings));
    MISSES("pki", kubepki_report_text(NULL, findings, NOW, &out.buffer));
    MISSES("findings", kubepki_report_text(pki, NULL, NOW, &out.buffer));
    MISSES("pki", kubepki_report_json(NULL, findings, NOW, &out.buffer));
    MISSES("findings", kubepki_report_json(pki, NULL, NOW, &out.buffer));
    MISSES("pki", kubepki_report_prometheus(NULL, findings, NOW, &out.buffer));
    MISSES("findings", kubepki_report_prometheus(pki, NULL, NOW, &out.buffer));
    MISSES("policy", kubepki_policy_set_window(NULL, 1));
    MISSES("policy", kubepki_policy_keep_keys(NULL));
    MISSES("policy", kubepki_policy_renew_all(NULL));
    MISSES("pki", kubepki_pki_plan(NULL, expected, NULL, NOW, &out.plan));
    MISSES("plan", kubepki_plan_apply(NULL, pki));
    MISSES("pki", kubepki_plan_apply(plan, NULL));
    MISSES("expected", kubepki_manifest_kubelet_configuration(NULL, &out.manifest));
    MISSES("issuer", kubepki_issuer_shortened_from(NULL, &moment));
    const kubepki_pki *pkis[] = {pki, NULL};
    const kubepki_layout *layouts[] = {layout, NULL};
    MISSES("pkis", kubepki_pki_save_all(NULL, layouts, 1));
    MISSES("layouts", kubepki_pki_save_all(pkis, NULL, 1));
    MISSES("pkis", kubepki_pki_save_all(pkis, layouts, 2));
    pkis[1] = pki;
    MISSES("layouts", kubepki_pki_save_all(pkis, layouts, 2));
    MISSES("sign", kubepki_signer_new(LITERAL("x"), NULL, NULL, NULL, &out.signer));
    CHECK(out.any == NULL && moment == 0);

    kubepki_plan_free(plan);
    kubepki_findings_free(findings);
    kubepki_store_free(store);
    kubepki_expected_free(expected);
    kubepki_signer_free(signer);
    kubepki_credential_free(credential);
    kubepki_issuer_free(issuer);
    kubepki_profile_free(user);
    kubepki_authorities_free(authorities);
    kubepki_layout_free(layout);
    kubepki_pki_free(pki);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

/* With everything else as it should be, and nowhere to put the result. */
static void no_place_for_the_result_is_an_error(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node();
    kubepki_pki *pki = NULL;
    OK(kubepki_pki_create(cluster, node, NOW, &pki));
    kubepki_authorities *authorities = NULL;
    OK(kubepki_pki_authorities(pki, &authorities));
    kubepki_layout *layout = a_layout(base);
    kubepki_store *store = NULL;
    OK(kubepki_store_open(layout, &store));
    kubepki_profile *user = a_user(cluster, "jane"), *of_root = NULL;
    OK(kubepki_profile_new(cluster, NULL, LITERAL("root-ca"), LITERAL("Root"), &of_root));
    kubepki_issuer *root = NULL;
    OK(kubepki_issuer_self_signed(of_root, NOW, &root));
    kubepki_credential *credential = NULL;
    OK(kubepki_authorities_issue(authorities, user, NOW, &credential));
    kubepki_text chain = kubepki_credential_chain_pem(credential), key = kubepki_credential_key_pem(credential);
    kubepki_signer *signer = NULL;
    OK(kubepki_signer_new(chain.data, chain.len, says_nothing, NULL, NULL, &signer));
    kubepki_files *files = NULL;
    OK(kubepki_pki_files(pki, &files));
    kubepki_findings *findings = NULL;
    OK(kubepki_pki_audit(pki, NULL, NOW, &findings));
    kubepki_expected *expected = NULL;
    OK(kubepki_expected_new(cluster, node, &expected));
    kubepki_kubeadm *kubeadm = NULL;
    OK(kubepki_kubeadm_from_yaml(KUBEADM, sizeof KUBEADM - 1, &kubeadm));

    MISSES("out", kubepki_cluster_new(LITERAL("api.example.com"), NULL));
    MISSES("out", kubepki_node_control_plane(LITERAL("a"), LITERAL("192.0.2.1"), NULL));
    MISSES("out", kubepki_node_worker(LITERAL("a"), NULL));
    MISSES("out", kubepki_node_etcd_member(LITERAL("a"), LITERAL("192.0.2.1"), NULL));
    MISSES("out", kubepki_layout_new(LITERAL("/a"), NULL));
    MISSES("out", kubepki_layout_path(layout, LITERAL("etcd-ca"), LITERAL("key"), NULL));
    MISSES("out", kubepki_kubeadm_from_yaml(KUBEADM, sizeof KUBEADM - 1, NULL));
    MISSES("out", kubepki_kubeadm_load(LITERAL("/a"), NULL));
    MISSES("out", kubepki_kubeadm_cluster(kubeadm, NULL));
    MISSES("out", kubepki_kubeadm_node(kubeadm, NULL));
    MISSES("out", kubepki_kubeadm_first_node(kubeadm, NULL));
    MISSES("out", kubepki_kubeadm_layout(kubeadm, NULL));
    MISSES("out", kubepki_kubeadm_remarks(kubeadm, NULL));
    MISSES("out", kubepki_files_new(NULL));
    MISSES("out", kubepki_profile_new(cluster, node, LITERAL("admin"), NULL, 0, NULL));
    MISSES("out", kubepki_signer_new(chain.data, chain.len, says_nothing, NULL, NULL, NULL));
    MISSES("out", kubepki_issuer_self_signed(of_root, NOW, NULL));
    MISSES("out", kubepki_issuer_from_pem(chain.data, chain.len, key.data, key.len, NULL));
    MISSES("out", kubepki_issuer_load(LITERAL("/a"), LITERAL("/b"), NULL));
    MISSES("out", kubepki_issuer_intermediate(root, of_root, NOW, NULL));
    MISSES("out", kubepki_issuer_issue(root, user, NOW, NULL));
    MISSES("out", kubepki_issuer_certify(root, user, chain.data, chain.len, NOW, NULL));
    MISSES("out", kubepki_issuer_chain_pem(root, NULL));
    MISSES("out", kubepki_issuer_key_pem(root, NULL));
    MISSES("out", kubepki_credential_from_pem(chain.data, chain.len, key.data, key.len, NULL));
    MISSES("out", kubepki_credential_not_after(credential, NULL));
    MISSES("out", kubepki_credential_shortened_from(credential, NULL));
    MISSES("out", kubepki_credential_kubeconfig(credential, cluster, authorities, NULL));
    MISSES("out", kubepki_identity_from_pem(chain.data, chain.len, NULL));
    MISSES("out", kubepki_authorities_create(cluster, NOW, NULL));
    MISSES("out", kubepki_authorities_create_under(root, cluster, NOW, NULL));
    MISSES("out", kubepki_authorities_new(key.data, key.len, NULL));
    MISSES("out", kubepki_key_generate(LITERAL("ecdsa-p256"), NULL));
    MISSES("out", kubepki_issuer_shortened_from(root, NULL));
    MISSES("out", kubepki_issuer_self_signed_by(of_root, signer, NOW, NULL));
    MISSES("out", kubepki_issuer_with_signer(chain.data, chain.len, signer, NULL));
    MISSES("out", kubepki_issuer_intermediate_by(root, of_root, signer, NOW, NULL));
    MISSES("out", kubepki_authorities_load(LITERAL("/a"), NULL));
    MISSES("out", kubepki_authorities_from_files(files, NULL));
    MISSES("out", kubepki_authorities_files(authorities, NULL));
    MISSES("out", kubepki_authorities_first(authorities, cluster, node, NOW, NULL));
    MISSES("out", kubepki_authorities_join(authorities, cluster, node, NOW, NULL));
    MISSES("out", kubepki_authorities_issue(authorities, user, NOW, NULL));
    MISSES("out", kubepki_authorities_issuer(authorities, LITERAL("etcd-ca"), NULL));
    MISSES("out", kubepki_authorities_trust_store_pem(authorities, NULL));
    MISSES("out", kubepki_pki_create(cluster, node, NOW, NULL));
    MISSES("out", kubepki_pki_load(layout, NULL));
    MISSES("out", kubepki_pki_from_files(files, NULL));
    MISSES("out", kubepki_pki_files(pki, NULL));
    MISSES("out", kubepki_pki_authorities(pki, NULL));
    MISSES("out", kubepki_pki_credential(pki, LITERAL("admin"), NULL));
    MISSES("out", kubepki_pki_cluster(pki, NULL));
    MISSES("out", kubepki_pki_arguments(pki, LITERAL("etcd"), NULL));
    MISSES("out", kubepki_expected_new(cluster, node, NULL));
    MISSES("out", kubepki_expected_first(cluster, node, NULL));
    MISSES("out", kubepki_expected_roles(expected, NULL));
    MISSES("out", kubepki_expected_arguments(expected, LITERAL("etcd"), NULL));
    MISSES("out", kubepki_pki_tree(pki, NULL));
    MISSES("out", kubepki_store_open(layout, NULL));
    MISSES("out", kubepki_store_load(store, NULL));
    MISSES("out", kubepki_pki_audit(pki, NULL, NOW, NULL));
    MISSES("out", kubepki_report_text(pki, findings, NOW, NULL));
    MISSES("out", kubepki_report_json(pki, findings, NOW, NULL));
    MISSES("out", kubepki_report_prometheus(pki, findings, NOW, NULL));
    MISSES("out", kubepki_policy_new(NULL));
    MISSES("out", kubepki_pki_plan(pki, NULL, NULL, NOW, NULL));
    MISSES("out", kubepki_manifest_cluster_admins_binding(NULL));
    MISSES("out", kubepki_manifest_apiserver_kubelet_client_binding(NULL));
    MISSES("out", kubepki_manifest_kubelet_api_admin_binding(NULL));
    MISSES("out", kubepki_manifest_kubelet_configuration(expected, NULL));

    kubepki_kubeadm_free(kubeadm);
    kubepki_expected_free(expected);
    kubepki_findings_free(findings);
    kubepki_files_free(files);
    kubepki_signer_free(signer);
    kubepki_credential_free(credential);
    kubepki_issuer_free(root);
    kubepki_profile_free(of_root);
    kubepki_profile_free(user);
    kubepki_store_free(store);
    kubepki_layout_free(layout);
    kubepki_authorities_free(authorities);
    kubepki_pki_free(pki);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

static void nothing_is_seen_in_no_handle(void) {
    CHECK(kubepki_error_code(NULL) == KUBEPKI_OK && is(kubepki_error_name(NULL), "ok"));
    CHECK(kubepki_error_message(NULL).data == NULL && kubepki_error_expected(NULL).data == NULL);
    CHECK(kubepki_error_found(NULL).data == NULL && kubepki_error_place_count(NULL) == 0);
    CHECK(kubepki_error_os_error(NULL) == 0 && kubepki_error_cause(NULL) == NULL);
    CHECK(kubepki_error_place_at(NULL, 0).text.data == NULL && kubepki_buffer_text(NULL).data == NULL);
    CHECK(kubepki_list_count(NULL) == 0 && kubepki_list_at(NULL, 0).data == NULL);
    CHECK(kubepki_files_count(NULL) == 0 && kubepki_files_at(NULL, 0).bytes.data == NULL);
    CHECK(kubepki_profile_role(NULL).data == NULL && kubepki_credential_chain_pem(NULL).data == NULL);
    CHECK(kubepki_credential_key_pem(NULL).data == NULL && kubepki_identity_user(NULL).data == NULL);
    CHECK(kubepki_identity_uid(NULL).data == NULL && kubepki_identity_group_count(NULL) == 0);
    CHECK(kubepki_identity_group_at(NULL, 0).data == NULL && kubepki_identity_note_count(NULL) == 0);
    CHECK(kubepki_identity_note_at(NULL, 0).id.data == NULL && kubepki_findings_count(NULL) == 0);
    CHECK(kubepki_findings_at(NULL, 0).id.data == NULL && kubepki_findings_text(NULL).data == NULL);
    CHECK(kubepki_findings_json(NULL).data == NULL && kubepki_findings_worst(NULL) == KUBEPKI_SEVERITY_NONE);
    CHECK(kubepki_plan_step_count(NULL) == 0 && kubepki_plan_blocked_count(NULL) == 0);
    CHECK(kubepki_plan_text(NULL).data == NULL && kubepki_plan_json(NULL).data == NULL);
    CHECK(kubepki_manifest_yaml(NULL).data == NULL && kubepki_manifest_json(NULL).data == NULL);
    kubepki_answer_signature(NULL, "x", 1);
    kubepki_answer_failure(NULL, "x", 1);
}

static void nothing_may_be_freed(void) {
    kubepki_authorities_free(NULL);
    kubepki_buffer_free(NULL);
    kubepki_cluster_free(NULL);
    kubepki_credential_free(NULL);
    kubepki_error_free(NULL);
    kubepki_expected_free(NULL);
    kubepki_files_free(NULL);
    kubepki_findings_free(NULL);
    kubepki_identity_free(NULL);
    kubepki_issuer_free(NULL);
    kubepki_kubeadm_free(NULL);
    kubepki_layout_free(NULL);
    kubepki_list_free(NULL);
    kubepki_manifest_free(NULL);
    kubepki_node_free(NULL);
    kubepki_pki_free(NULL);
    kubepki_plan_free(NULL);
    kubepki_policy_free(NULL);
    kubepki_profile_free(NULL);
    kubepki_signer_free(NULL);
    kubepki_store_free(NULL);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    fill();
    no_text_that_means_nothing_is_taken();
    an_error_says_where_what_was_expected_and_what_was_found();
    a_file_is_below_the_machines_directory_and_there_once();
    a_path_that_is_no_text_of_one_line_is_refused_by_its_name(LITERAL("/etc/kubernetes\xff"), "text in UTF-8");
    a_path_that_is_no_text_of_one_line_is_refused_by_its_name(LITERAL("/etc\0"), "a path without control characters");
    a_path_that_is_no_text_of_one_line_is_refused_by_its_name(LITERAL("/etc\n"), "a path without control characters");
    a_path_that_is_no_text_of_one_line_is_refused_by_its_name(NULL, 0, "a path");
    a_secret_is_never_quoted();
    no_handle_is_an_error();
    no_place_for_the_result_is_an_error();
    nothing_is_seen_in_no_handle();
    nothing_may_be_freed();
    return 0;
}
