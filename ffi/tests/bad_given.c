/* As bad_input.c, for what a cluster is given and asks for. Usage: bad_given DIRECTORY. */
#include "bad.h"

/* One of everything. */
static kubepki_cluster *cluster;
static kubepki_node *node;
static kubepki_pki *pki;
static kubepki_authorities *authorities;
static kubepki_issuer *issuer;
static kubepki_profile *profile;
static kubepki_credential *credential;
static kubepki_request *request;
static kubepki_csr *csr;
static kubepki_approver *approver;
static kubepki_signer_policy *policy;
static kubepki_review *review;
static kubepki_user *user, *program, *of_oidc;
static kubepki_impersonation *other;
static kubepki_service_account_token *to_sign;
static kubepki_static_tokens *tokens;
static kubepki_buffer *token, *trusted;
static kubepki_cluster_info *info;
static kubepki_signer *signer;
static kubepki_list *wrong;

static void make(void) {
    cluster = a_cluster();
    node = a_node();
    OK(kubepki_pki_create(cluster, node, NOW, &pki));
    OK(kubepki_pki_authorities(pki, &authorities));
    OK(kubepki_authorities_issuer(authorities, LITERAL("kubernetes-ca"), &issuer));
    profile = a_user(cluster, "jane");
    OK(kubepki_authorities_issue(authorities, profile, NOW, &credential));
    OK(kubepki_request_new(profile, &request));
    OK(kubepki_csr_new(LITERAL("jane"), LITERAL("kubernetes.io/kube-apiserver-client"), request, &csr));
    OK(kubepki_approver_new(&approver));
    OK(kubepki_signer_policy_new(LITERAL("example.com/serving"), &policy));
    OK(kubepki_approver_review(approver, csr, &review));
    OK(kubepki_user_with_token(LITERAL("secret"), &user));
    OK(kubepki_user_with_exec(LITERAL("login"), NULL, &program));
    OK(kubepki_user_with_oidc(LITERAL("https://a.example.com"), LITERAL("a"), &of_oidc));
    OK(kubepki_impersonation_new(LITERAL("jane"), &other));
    OK(kubepki_service_account_token_new(cluster, LITERAL("a"), LITERAL("a"), LITERAL("a"), &to_sign));
    OK(kubepki_static_tokens_from_csv(NULL, 0, &tokens));
    OK(kubepki_bootstrap_token_generate(&token));
    OK(kubepki_authorities_trust_store_pem(authorities, &trusted));
    kubepki_list *tokens_of_cluster = NULL, *pins = NULL;
    kubepki_manifest *published = NULL;
    kubepki_text known = kubepki_buffer_text(token);
    OK(kubepki_list_new(&tokens_of_cluster));
    OK(kubepki_list_add(tokens_of_cluster, TEXT(known)));
    OK(kubepki_authorities_pins(authorities, &pins));
    OK(kubepki_manifest_cluster_info(cluster, authorities, tokens_of_cluster, &published));
    kubepki_text yaml = kubepki_manifest_yaml(published);
    OK(kubepki_cluster_info_verify(TEXT(yaml), TEXT(known), pins, &info));
    kubepki_manifest_free(published);
    kubepki_list_free(pins);
    kubepki_list_free(tokens_of_cluster);
    kubepki_text pem = kubepki_buffer_text(trusted);
    OK(kubepki_signer_new(TEXT(pem), says_nothing, NULL, NULL, &signer));
    OK(kubepki_list_new(&wrong));
    OK(kubepki_list_add(wrong, LITERAL("no\nsuch thing")));
}

static void unmake(void) {
    kubepki_list_free(wrong);
    kubepki_signer_free(signer);
    kubepki_cluster_info_free(info);
    kubepki_buffer_free(trusted);
    kubepki_buffer_free(token);
    kubepki_static_tokens_free(tokens);
    kubepki_service_account_token_free(to_sign);
    kubepki_impersonation_free(other);
    kubepki_user_free(of_oidc);
    kubepki_user_free(program);
    kubepki_user_free(user);
    kubepki_review_free(review);
    kubepki_signer_policy_free(policy);
    kubepki_approver_free(approver);
    kubepki_csr_free(csr);
    kubepki_request_free(request);
    kubepki_credential_free(credential);
    kubepki_profile_free(profile);
    kubepki_issuer_free(issuer);
    kubepki_authorities_free(authorities);
    kubepki_pki_free(pki);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

/* Where a result would go. */
static union {
    kubepki_approver *approver;
    kubepki_buffer *buffer;
    kubepki_cluster_info *info;
    kubepki_credential *credential;
    kubepki_csr *csr;
    kubepki_impersonation *impersonation;
    kubepki_list *list;
    kubepki_manifest *manifest;
    kubepki_request *request;
    kubepki_review *review;
    kubepki_service_account *account;
    kubepki_service_account_token *to_sign;
    kubepki_signer_policy *policy;
    kubepki_static_tokens *tokens;
    kubepki_user *user;
    void *any;
} out;

static kubepki_outcome outcome;

static const char *const KINDS[] = {"requester", "common-name", "organization", "san", "usage"};

static void no_text_that_means_nothing_is_taken(void) {
    kubepki_text one = kubepki_buffer_text(token), pem = kubepki_buffer_text(trusted);
    OK(kubepki_cluster_set_oidc(cluster, LITERAL("https://login.example.com"), LITERAL("kubernetes")));
    for (size_t i = 0; i < BADS; i++) {
        const char *bad = BAD[i].data;
        size_t len = BAD[i].len;
        if (i < NO_TEXTS) {
            REFUSES(kubepki_list_add(wrong, bad, len));
            REFUSES(kubepki_csr_approve(csr, bad, len, LITERAL("a"), NOW));
            REFUSES(kubepki_csr_approve(csr, LITERAL("a"), bad, len, NOW));
            REFUSES(kubepki_csr_deny(csr, bad, len, LITERAL("a"), NOW));
            REFUSES(kubepki_csr_deny(csr, LITERAL("a"), bad, len, NOW));
            REFUSES(kubepki_user_with_token(bad, len, &out.user));
            REFUSES(kubepki_user_with_token_file(bad, len, &out.user));
            REFUSES(kubepki_user_with_exec(bad, len, NULL, &out.user));
            REFUSES(kubepki_kubeconfig_with_user(cluster, authorities, bad, len, user, &out.buffer));
            REFUSES(kubepki_manifest_bootstrap_token(one.data, one.len, NOW, NULL, NULL, bad, len, &out.manifest));
            REFUSES(kubepki_cluster_set_authentication_file(cluster, LITERAL("token-auth-file"), NULL, len));
        }
        if (i < BAD_UNLESS_EMPTY) {
            REFUSES(kubepki_static_tokens_from_csv(bad, len, &out.tokens));
            REFUSES(kubepki_manifest_role_binding(bad, len, LITERAL("a"), LITERAL("a"), LITERAL("user"), LITERAL("a"),
                                                  &out.manifest));
            REFUSES(kubepki_manifest_cluster_trust_bundle(bad, len, LITERAL("a"), pem.data, pem.len, &out.manifest));
        }
        if (i != 10) { /* A pattern and a prefix may begin with a space. */
            REFUSES(kubepki_signer_policy_allow(policy, LITERAL("requester"), bad, len));
            REFUSES(kubepki_signer_policy_allow(policy, LITERAL("common-name"), bad, len));
        }
        REFUSES(kubepki_signer_policy_allow(policy, LITERAL("organization"), bad, len));
        REFUSES(kubepki_signer_policy_allow(policy, LITERAL("san"), bad, len));
        REFUSES(kubepki_signer_policy_allow(policy, LITERAL("usage"), bad, len));
        REFUSES(kubepki_signer_policy_allow(policy, bad, len, LITERAL("server auth")));
        REFUSES(kubepki_signer_policy_new(bad, len, &out.policy));
        REFUSES(kubepki_approver_add_bootstrap_group(approver, bad, len));
        REFUSES(kubepki_approver_set_node(approver, bad, len));
        REFUSES(kubepki_csr_new(bad, len, LITERAL("example.com/a"), request, &out.csr));
        REFUSES(kubepki_csr_new(LITERAL("a"), bad, len, request, &out.csr));
        REFUSES(kubepki_csr_from_yaml(bad, len, &out.csr));
        REFUSES(kubepki_request_with_key(profile, bad, len, &out.request));
        REFUSES(kubepki_csr_sign(csr, bad, len, issuer, DAY, NOW, &outcome));
        REFUSES(kubepki_request_accept(request, bad, len, &out.credential));
        REFUSES(kubepki_cluster_set_authentication_file(cluster, bad, len, LITERAL("/a")));
        REFUSES(kubepki_cluster_add_proxy(cluster, bad, len));
        REFUSES(kubepki_cluster_set_oidc(cluster, bad, len, LITERAL("a")));
        REFUSES(kubepki_cluster_set_oidc(cluster, LITERAL("https://a.example.com"), bad, len));
        REFUSES(kubepki_cluster_set_oidc_username(cluster, bad, len, NULL, 0));
        REFUSES(kubepki_cluster_set_oidc_groups(cluster, bad, len, NULL, 0));
        REFUSES(kubepki_cluster_add_oidc_required_claim(cluster, bad, len));
        REFUSES(kubepki_kubeconfig_for_bootstrap(cluster, authorities, bad, len, &out.buffer));
        REFUSES(kubepki_kubeconfig_webhook(bad, len, pem.data, pem.len, NULL, &out.buffer));
        REFUSES(kubepki_kubeconfig_webhook(LITERAL("https://a.example.com"), bad, len, NULL, &out.buffer));
        REFUSES(kubepki_manifest_bootstrap_token(bad, len, NOW, NULL, NULL, NULL, 0, &out.manifest));
        REFUSES(kubepki_cluster_info_verify(bad, len, one.data, one.len, NULL, &out.info));
        REFUSES(kubepki_cluster_info_verify(LITERAL("{}"), bad, len, NULL, &out.info));
        REFUSES(kubepki_cluster_info_verify_unpinned(bad, len, one.data, one.len, &out.info));
        REFUSES(kubepki_cluster_info_verify_unpinned(LITERAL("{}"), bad, len, &out.info));
        REFUSES(kubepki_service_account_token_new(cluster, bad, len, LITERAL("a"), LITERAL("a"), &out.to_sign));
        REFUSES(kubepki_service_account_token_new(cluster, LITERAL("a"), bad, len, LITERAL("a"), &out.to_sign));
        REFUSES(kubepki_service_account_token_new(cluster, LITERAL("a"), LITERAL("a"), bad, len, &out.to_sign));
        REFUSES(kubepki_service_account_token_bind(to_sign, bad, len, LITERAL("a"), LITERAL("a")));
        REFUSES(kubepki_service_account_token_bind(to_sign, LITERAL("pod"), bad, len, LITERAL("a")));
        REFUSES(kubepki_service_account_token_bind(to_sign, LITERAL("pod"), LITERAL("a"), bad, len));
        REFUSES(kubepki_user_set_interactive_mode(program, bad, len));
        REFUSES(kubepki_user_with_oidc(bad, len, LITERAL("a"), &out.user));
        REFUSES(kubepki_user_with_oidc(LITERAL("https://a.example.com"), bad, len, &out.user));
        REFUSES(kubepki_user_set_oidc(of_oidc, bad, len, LITERAL("a")));
        REFUSES(kubepki_impersonation_new(bad, len, &out.impersonation));
        REFUSES(kubepki_impersonation_add_group(other, bad, len));
        REFUSES(kubepki_impersonation_set_uid(other, bad, len));
        REFUSES(kubepki_impersonation_add_extra(other, bad, len, LITERAL("a")));
        REFUSES(kubepki_impersonation_add_extra(other, LITERAL("a"), bad, len));
        REFUSES(kubepki_impersonation_roles(other, bad, len, &out.list));
        REFUSES(kubepki_service_account_verify(bad, len, LITERAL("{}"), LITERAL("a"), LITERAL("a"), NOW, &out.account));
        REFUSES(kubepki_service_account_verify(LITERAL("a.b.c"), bad, len, LITERAL("a"), LITERAL("a"), NOW,
                                               &out.account));
        REFUSES(kubepki_jwks(bad, len, &out.buffer));
        REFUSES(kubepki_oidc_discovery(bad, len, LITERAL("https://a.example.com"), LITERAL("https://a.example.com/k"),
                                       &out.buffer));
        REFUSES(kubepki_static_tokens_add(tokens, bad, len, LITERAL("1"), NULL));
        REFUSES(kubepki_static_tokens_add(tokens, LITERAL("jane"), bad, len, NULL));
        REFUSES(kubepki_manifest_for_bootstrap(bad, len, NULL, 0, &out.manifest));
        REFUSES(kubepki_manifest_for_bootstrap(LITERAL("node-reader"), bad, len, &out.manifest));
        REFUSES(kubepki_manifest_role(bad, len, LITERAL("a"), NULL, 0, &out.manifest));
        REFUSES(kubepki_manifest_role(LITERAL("impersonator"), bad, len, NULL, 0, &out.manifest));
        REFUSES(kubepki_manifest_role(LITERAL("signer"), LITERAL("a"), bad, len, &out.manifest));
        REFUSES(kubepki_manifest_role_binding(NULL, 0, bad, len, LITERAL("a"), LITERAL("user"), LITERAL("a"),
                                              &out.manifest));
        REFUSES(kubepki_manifest_role_binding(NULL, 0, LITERAL("a"), bad, len, LITERAL("user"), LITERAL("a"),
                                              &out.manifest));
        REFUSES(kubepki_manifest_role_binding(NULL, 0, LITERAL("a"), LITERAL("a"), bad, len, LITERAL("a"),
                                              &out.manifest));
        REFUSES(kubepki_manifest_role_binding(NULL, 0, LITERAL("a"), LITERAL("a"), LITERAL("serviceaccount"), bad, len,
                                              &out.manifest));
        REFUSES(kubepki_manifest_tls_secret(bad, len, LITERAL("a"), credential, &out.manifest));
        REFUSES(kubepki_manifest_tls_secret(LITERAL("a"), bad, len, credential, &out.manifest));
        REFUSES(kubepki_manifest_ca_config_map(bad, len, LITERAL("a"), pem.data, pem.len, &out.manifest));
        REFUSES(kubepki_manifest_ca_config_map(LITERAL("a"), LITERAL("a"), bad, len, &out.manifest));
        REFUSES(kubepki_manifest_cluster_trust_bundle(NULL, 0, bad, len, pem.data, pem.len, &out.manifest));
        REFUSES(kubepki_manifest_cluster_trust_bundle(NULL, 0, LITERAL("a"), bad, len, &out.manifest));
    }
    /* Lists of them. */
    REFUSES(kubepki_manifest_bootstrap_token(one.data, one.len, NOW, NULL, wrong, NULL, 0, &out.manifest));
    REFUSES(kubepki_manifest_bootstrap_token(one.data, one.len, NOW, wrong, NULL, NULL, 0, &out.manifest));
    REFUSES(kubepki_manifest_cluster_info(cluster, authorities, wrong, &out.manifest));
    REFUSES(kubepki_cluster_set_oidc_signing_algorithms(cluster, wrong));
    REFUSES(kubepki_static_tokens_add(tokens, LITERAL("jane"), LITERAL("1"), wrong));
    REFUSES(kubepki_cluster_set_oidc_ca_file(cluster, NULL, 0));
    REFUSES(kubepki_cluster_set_oidc_username(cluster, LITERAL("email"), LITERAL("system:")));
    REFUSES(kubepki_cluster_set_oidc_groups(cluster, LITERAL("groups"), LITERAL("-")));
    REFUSES(kubepki_oidc_discovery(LITERAL("{}"), LITERAL("a"), LITERAL("https://a.example.com/k"), &out.buffer));
    /* Numbers. */
    REFUSES(kubepki_csr_set_lifetime(csr, UINT64_MAX));
    REFUSES(kubepki_csr_approve(csr, LITERAL("a"), LITERAL("b"), INT64_MAX));
    REFUSES(kubepki_csr_deny(csr, LITERAL("a"), LITERAL("b"), INT64_MIN));
    REFUSES(kubepki_csr_sign(csr, LITERAL("example.com/serving"), issuer, 0, INT64_MIN, &outcome));
    REFUSES(kubepki_manifest_bootstrap_token(one.data, one.len, INT64_MAX, NULL, NULL, NULL, 0, &out.manifest));
    for (uint64_t lifetime = 0; lifetime < 2; lifetime++) {
        OK(kubepki_service_account_token_set_lifetime(to_sign, 0 - lifetime));
        REFUSES(kubepki_service_account_token_sign(to_sign, authorities, NOW, &out.buffer));
    }
    CHECK(out.any == NULL && kubepki_csr_state(csr) == KUBEPKI_STATE_PENDING);
    CHECK(kubepki_static_tokens_count(tokens) == 0);
}

static void a_secret_is_never_quoted(void) {
    static const char secret[] = "abcdef.0123456789abcdeX";
    kubepki_error *error = kubepki_manifest_bootstrap_token(secret, sizeof secret - 1, NOW, NULL, NULL, NULL, 0, &out.manifest);
    CHECK(error != NULL && !contains(kubepki_error_message(error), "0123"));
    kubepki_error_free(error);
    error = kubepki_service_account_verify(secret, sizeof secret - 1, LITERAL("{\"keys\": [{\"d\": \"0123\"}]}"),
                                           LITERAL("a"), LITERAL("a"), NOW, &out.account);
    CHECK(error != NULL && !contains(kubepki_error_message(error), "0123"));
    kubepki_error_free(error);
    CHECK(out.any == NULL);
}

static void no_handle_is_an_error(void) {
    MISSES("list", kubepki_list_add(NULL, LITERAL("a")));
    MISSES("profile", kubepki_request_new(NULL, &out.request));
    MISSES("profile", kubepki_request_with_key(NULL, LITERAL("a"), &out.request));
    MISSES("info", kubepki_cluster_info_kubeconfig(NULL, LITERAL("a"), user, &out.buffer));
    MISSES("user", kubepki_cluster_info_kubeconfig(info, LITERAL("a"), NULL, &out.buffer));
    MISSES("request", kubepki_request_accept(NULL, LITERAL("a"), &out.credential));
    MISSES("request", kubepki_csr_new(LITERAL("a"), LITERAL("example.com/a"), NULL, &out.csr));
    MISSES("csr", kubepki_csr_set_lifetime(NULL, 600));
    MISSES("csr", kubepki_csr_approve(NULL, LITERAL("a"), LITERAL("b"), NOW));
    MISSES("csr", kubepki_csr_deny(NULL, LITERAL("a"), LITERAL("b"), NOW));
    MISSES("csr", kubepki_csr_sign(NULL, LITERAL("example.com/serving"), issuer, DAY, NOW, &outcome));
    MISSES("issuer", kubepki_csr_sign(csr, LITERAL("example.com/serving"), NULL, DAY, NOW, &outcome));
    EACH(kind, KINDS) {
        MISSES("policy", kubepki_signer_policy_allow(NULL, KINDS[kind], strlen(KINDS[kind]), LITERAL("a")));
    }
    MISSES("policy", kubepki_signer_policy_set_longest(NULL, 1));
    MISSES("approver", kubepki_approver_set_node(NULL, LITERAL("a")));
    MISSES("approver", kubepki_approver_set_policy(NULL, policy));
    MISSES("policy", kubepki_approver_set_policy(approver, NULL));
    MISSES("approver", kubepki_approver_add_bootstrap_group(NULL, LITERAL("a")));
    MISSES("approver", kubepki_approver_review(NULL, csr, &out.review));
    MISSES("csr", kubepki_approver_review(approver, NULL, &out.review));
    MISSES("review", kubepki_review_apply(NULL, csr, NOW));
    MISSES("csr", kubepki_review_apply(review, NULL, NOW));
    MISSES("cluster", kubepki_cluster_set_authentication_file(NULL, LITERAL("token-auth-file"), LITERAL("/a")));
    MISSES("cluster", kubepki_cluster_add_proxy(NULL, LITERAL("a")));
    MISSES("cluster", kubepki_cluster_set_oidc(NULL, LITERAL("https://a.example.com"), LITERAL("a")));
    MISSES("cluster", kubepki_cluster_set_oidc_username(NULL, LITERAL("a"), LITERAL("a")));
    MISSES("cluster", kubepki_cluster_set_oidc_groups(NULL, LITERAL("a"), LITERAL("a")));
    MISSES("cluster", kubepki_cluster_set_oidc_ca_file(NULL, LITERAL("/a")));
    MISSES("cluster", kubepki_cluster_add_oidc_required_claim(NULL, LITERAL("a=b")));
    MISSES("cluster", kubepki_cluster_set_oidc_signing_algorithms(NULL, NULL));
    MISSES("cluster", kubepki_cluster_token_issuer(NULL, &out.buffer));
    MISSES("cluster", kubepki_kubeconfig_for_bootstrap(NULL, authorities, LITERAL("a"), &out.buffer));
    MISSES("authorities", kubepki_kubeconfig_for_bootstrap(cluster, NULL, LITERAL("a"), &out.buffer));
    MISSES("credential", kubepki_user_with_credential(NULL, &out.user));
    MISSES("cluster", kubepki_kubeconfig_with_user(NULL, authorities, LITERAL("a"), user, &out.buffer));
    MISSES("authorities", kubepki_kubeconfig_with_user(cluster, NULL, LITERAL("a"), user, &out.buffer));
    MISSES("user", kubepki_kubeconfig_with_user(cluster, authorities, LITERAL("a"), NULL, &out.buffer));
    MISSES("cluster", kubepki_manifest_cluster_info(NULL, authorities, NULL, &out.manifest));
    MISSES("authorities", kubepki_manifest_cluster_info(cluster, NULL, NULL, &out.manifest));
    MISSES("authorities", kubepki_authorities_pins(NULL, &out.list));
    MISSES("cluster", kubepki_service_account_token_new(NULL, LITERAL("a"), LITERAL("a"), LITERAL("a"), &out.to_sign));
    MISSES("token", kubepki_service_account_token_add_audience(NULL, LITERAL("a")));
    MISSES("token", kubepki_service_account_token_set_lifetime(NULL, 60));
    MISSES("token", kubepki_service_account_token_bind(NULL, LITERAL("pod"), LITERAL("a"), LITERAL("a")));
    MISSES("token", kubepki_service_account_token_sign(NULL, authorities, NOW, &out.buffer));
    MISSES("authorities", kubepki_service_account_token_sign(to_sign, NULL, NOW, &out.buffer));
    MISSES("token", kubepki_service_account_token_sign_by(NULL, signer, NOW, &out.buffer));
    MISSES("signer", kubepki_service_account_token_sign_by(to_sign, NULL, NOW, &out.buffer));
    MISSES("user", kubepki_user_add_env(NULL, LITERAL("a"), LITERAL("a")));
    MISSES("user", kubepki_user_set_install_hint(NULL, LITERAL("a")));
    MISSES("user", kubepki_user_provide_cluster_info(NULL));
    MISSES("user", kubepki_user_set_interactive_mode(NULL, LITERAL("Never")));
    MISSES("user", kubepki_user_set_oidc(NULL, LITERAL("id-token"), LITERAL("a")));
    MISSES("user", kubepki_user_set_impersonation(NULL, other));
    MISSES("impersonation", kubepki_user_set_impersonation(user, NULL));
    MISSES("impersonation", kubepki_impersonation_add_group(NULL, LITERAL("a")));
    MISSES("impersonation", kubepki_impersonation_set_uid(NULL, LITERAL("a")));
    MISSES("impersonation", kubepki_impersonation_add_extra(NULL, LITERAL("a"), LITERAL("a")));
    MISSES("impersonation", kubepki_impersonation_roles(NULL, LITERAL("a"), &out.list));
    MISSES("tokens", kubepki_static_tokens_add(NULL, LITERAL("a"), LITERAL("1"), NULL));
    MISSES("tokens", kubepki_static_tokens_remarks(NULL, &out.list));
    MISSES("credential", kubepki_manifest_tls_secret(LITERAL("a"), LITERAL("a"), NULL, &out.manifest));
    CHECK(out.any == NULL);
}

/* With everything else as it should be. */
static void no_place_for_the_result_is_an_error(void) {
    kubepki_text one = kubepki_buffer_text(token), pem = kubepki_buffer_text(trusted), yaml = kubepki_csr_yaml(csr);
    MISSES("out", kubepki_list_new(NULL));
    MISSES("out", kubepki_request_new(profile, NULL));
    MISSES("out", kubepki_request_with_key(profile, LITERAL("a"), NULL));
    MISSES("out", kubepki_cluster_info_kubeconfig(info, LITERAL("a"), user, NULL));
    MISSES("out", kubepki_request_accept(request, pem.data, pem.len, NULL));
    MISSES("out", kubepki_csr_new(LITERAL("a"), LITERAL("example.com/a"), request, NULL));
    MISSES("out", kubepki_csr_from_yaml(yaml.data, yaml.len, NULL));
    MISSES("out", kubepki_csr_sign(csr, LITERAL("example.com/serving"), issuer, DAY, NOW, NULL));
    MISSES("out", kubepki_signer_policy_new(LITERAL("example.com/a"), NULL));
    MISSES("out", kubepki_approver_new(NULL));
    MISSES("out", kubepki_approver_review(approver, csr, NULL));
    MISSES("out", kubepki_cluster_token_issuer(cluster, NULL));
    MISSES("out", kubepki_kubeconfig_for_bootstrap(cluster, authorities, one.data, one.len, NULL));
    MISSES("out", kubepki_user_with_credential(credential, NULL));
    MISSES("out", kubepki_user_with_token(LITERAL("a"), NULL));
    MISSES("out", kubepki_user_with_token_file(LITERAL("/a"), NULL));
    MISSES("out", kubepki_user_with_exec(LITERAL("a"), NULL, NULL));
    MISSES("out", kubepki_kubeconfig_with_user(cluster, authorities, LITERAL("a"), user, NULL));
    MISSES("out", kubepki_kubeconfig_webhook(LITERAL("https://a.example.com"), pem.data, pem.len, NULL, NULL));
    MISSES("out", kubepki_bootstrap_token_generate(NULL));
    MISSES("out", kubepki_manifest_bootstrap_token(one.data, one.len, NOW, NULL, NULL, NULL, 0, NULL));
    MISSES("out", kubepki_manifest_cluster_info(cluster, authorities, NULL, NULL));
    MISSES("out", kubepki_authorities_pins(authorities, NULL));
    MISSES("out", kubepki_cluster_info_verify(LITERAL("{}"), one.data, one.len, NULL, NULL));
    MISSES("out", kubepki_cluster_info_verify_unpinned(LITERAL("{}"), one.data, one.len, NULL));
    MISSES("out", kubepki_service_account_token_new(cluster, LITERAL("a"), LITERAL("a"), LITERAL("a"), NULL));
    MISSES("out", kubepki_service_account_token_sign(to_sign, authorities, NOW, NULL));
    MISSES("out", kubepki_service_account_token_sign_by(to_sign, signer, NOW, NULL));
    MISSES("out", kubepki_user_with_oidc(LITERAL("https://a.example.com"), LITERAL("a"), NULL));
    MISSES("out", kubepki_impersonation_new(LITERAL("a"), NULL));
    MISSES("out", kubepki_impersonation_roles(other, LITERAL("a"), NULL));
    MISSES("out", kubepki_roles(NULL));
    MISSES("out", kubepki_service_account_verify(LITERAL("a.b.c"), LITERAL("{}"), LITERAL("a"), LITERAL("a"), NOW, NULL));
    MISSES("out", kubepki_jwks(LITERAL("{}"), NULL));
    MISSES("out", kubepki_oidc_discovery(LITERAL("{}"), LITERAL("https://a.example.com"),
                                       LITERAL("https://a.example.com/k"), NULL));
    MISSES("out", kubepki_static_tokens_from_csv(NULL, 0, NULL));
    MISSES("out", kubepki_static_tokens_remarks(tokens, NULL));
    MISSES("out", kubepki_manifest_for_bootstrap(LITERAL("node-renewal-binding"), NULL, 0, NULL));
    MISSES("out", kubepki_manifest_role(LITERAL("impersonator"), LITERAL("a"), NULL, 0, NULL));
    MISSES("out", kubepki_manifest_role_binding(NULL, 0, LITERAL("a"), LITERAL("a"), LITERAL("user"), LITERAL("a"), NULL));
    MISSES("out", kubepki_manifest_tls_secret(LITERAL("a"), LITERAL("a"), credential, NULL));
    MISSES("out", kubepki_manifest_ca_config_map(LITERAL("a"), LITERAL("a"), pem.data, pem.len, NULL));
    MISSES("out", kubepki_manifest_cluster_trust_bundle(NULL, 0, LITERAL("a"), pem.data, pem.len, NULL));
}

static void nothing_is_seen_in_no_handle(void) {
    CHECK(kubepki_request_csr_pem(NULL).data == NULL && kubepki_request_key_pem(NULL).data == NULL);
    CHECK(kubepki_csr_yaml(NULL).data == NULL && kubepki_csr_json(NULL).data == NULL);
    CHECK(kubepki_csr_name(NULL).data == NULL && kubepki_csr_signer_name(NULL).data == NULL);
    CHECK(kubepki_csr_username(NULL).data == NULL && kubepki_csr_request_pem(NULL).data == NULL);
    CHECK(kubepki_csr_state(NULL) == KUBEPKI_STATE_OTHER && kubepki_csr_message(NULL).data == NULL);
    CHECK(kubepki_csr_certificate_pem(NULL).data == NULL);
    CHECK(kubepki_review_verdict(NULL) == KUBEPKI_VERDICT_NOT_MINE && kubepki_review_reason(NULL).data == NULL);
    CHECK(kubepki_review_message(NULL).data == NULL && kubepki_cluster_info_server(NULL).data == NULL);
    CHECK(kubepki_cluster_info_trusted_pem(NULL).data == NULL && kubepki_cluster_info_bootstrap_kubeconfig(NULL).data == NULL);
    CHECK(kubepki_service_account_claims(NULL).user.data == NULL && kubepki_static_tokens_csv(NULL).data == NULL);
    CHECK(kubepki_static_tokens_count(NULL) == 0 && kubepki_static_tokens_at(NULL, 0).token.data == NULL);
}

static void nothing_may_be_freed(void) {
    kubepki_approver_free(NULL);
    kubepki_cluster_info_free(NULL);
    kubepki_csr_free(NULL);
    kubepki_request_free(NULL);
    kubepki_review_free(NULL);
    kubepki_impersonation_free(NULL);
    kubepki_service_account_free(NULL);
    kubepki_service_account_token_free(NULL);
    kubepki_signer_policy_free(NULL);
    kubepki_static_tokens_free(NULL);
    kubepki_user_free(NULL);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    fill();
    make();
    no_text_that_means_nothing_is_taken();
    a_secret_is_never_quoted();
    no_handle_is_an_error();
    no_place_for_the_result_is_an_error();
    unmake();
    nothing_is_seen_in_no_handle();
    nothing_may_be_freed();
    return 0;
}
