/* Users of every kind, and whom they act as. Usage: users DIRECTORY. */
#include "check.h"

static kubepki_cluster *cluster;
static kubepki_authorities *authorities;

/* Whether the user's kubeconfig is one, and has this part. */
static int shows(const kubepki_user *user, const char *part) {
    kubepki_buffer *kubeconfig = NULL;
    OK(kubepki_kubeconfig_with_user(cluster, authorities, LITERAL("jane"), user, &kubeconfig));
    kubepki_text yaml = kubepki_buffer_text(kubeconfig);
    OK(kubepki_kubeconfig_check(TEXT(yaml)));
    int shown = contains(yaml, part);
    kubepki_buffer_free(kubeconfig);
    return shown;
}

static void a_program_that_logs_in_is_told_what_it_needs(void) {
    kubepki_user *user = NULL, *other = NULL;
    OK(kubepki_user_with_exec(LITERAL("example-login"), NULL, &user));
    CHECK(shows(user, "interactiveMode: IfAvailable") && !shows(user, "provideClusterInfo"));
    OK(kubepki_user_add_env(user, LITERAL("LOGIN_URL"), LITERAL("https://login.example.com")));
    OK(kubepki_user_add_env(user, LITERAL("LOGIN_MODE"), LITERAL("device")));
    OK(kubepki_user_set_install_hint(user, LITERAL("ask for it at the desk")));
    OK(kubepki_user_provide_cluster_info(user));
    OK(kubepki_user_set_interactive_mode(user, LITERAL("Never")));
    CHECK(shows(user, "name: LOGIN_URL") && shows(user, "value: device") && shows(user, "ask for it at the desk"));
    CHECK(shows(user, "interactiveMode: Never") && shows(user, "provideClusterInfo: true"));

    OK(kubepki_user_with_token(LITERAL("secret"), &other));
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_user_add_env(other, LITERAL("A"), LITERAL("b")));
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_user_set_install_hint(other, LITERAL("a")));
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_user_provide_cluster_info(other));
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_user_set_interactive_mode(other, LITERAL("Never")));
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_user_set_oidc(other, LITERAL("id-token"), LITERAL("a")));
    kubepki_user_free(other);
    kubepki_user_free(user);
}

static void a_user_of_openid_connect_keeps_its_tokens_in_the_kubeconfig(void) {
    kubepki_user *user = NULL;
    OK(kubepki_user_with_oidc(LITERAL("https://login.example.com"), LITERAL("kubernetes"), &user));
    CHECK(shows(user, "idp-issuer-url: https://login.example.com") && !shows(user, "refresh-token"));
    OK(kubepki_user_set_oidc(user, LITERAL("client-secret"), LITERAL("s1")));
    OK(kubepki_user_set_oidc(user, LITERAL("id-token"), LITERAL("t1")));
    OK(kubepki_user_set_oidc(user, LITERAL("refresh-token"), LITERAL("r1")));
    OK(kubepki_user_set_oidc(user, LITERAL("refresh-token"), LITERAL("r2")));
    OK(kubepki_user_set_oidc(user, LITERAL("idp-certificate-authority"), LITERAL("/e/login.crt")));
    CHECK(shows(user, "client-secret: s1") && shows(user, "id-token: t1") && shows(user, "refresh-token: r2"));
    CHECK(shows(user, "idp-certificate-authority: /e/login.crt") && shows(user, "client-id: kubernetes"));
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_user_set_oidc(user, LITERAL("password"), LITERAL("p")));
    kubepki_user_free(user);
}

static void a_user_acts_as_another(void) {
    kubepki_impersonation *jane = NULL;
    OK(kubepki_impersonation_new(LITERAL("jane"), &jane));
    CHECK(kubepki_impersonation_header_count(jane) == 1);
    OK(kubepki_impersonation_add_group(jane, LITERAL("developers")));
    OK(kubepki_impersonation_set_uid(jane, LITERAL("1001")));
    OK(kubepki_impersonation_add_extra(jane, LITERAL("example.org/scopes"), LITERAL("view")));
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_impersonation_add_extra(jane, LITERAL("Scopes"), LITERAL("view")));
    const char *headers[][2] = {
        {"Impersonate-User", "jane"},
        {"Impersonate-Group", "developers"},
        {"Impersonate-Extra-example.org%2Fscopes", "view"},
        {"Impersonate-Uid", "1001"},
    };
    CHECK(kubepki_impersonation_header_count(jane) == 4);
    for (size_t i = 0; i < 4; i++) {
        kubepki_header header = kubepki_impersonation_header_at(jane, i);
        CHECK(is(header.name, headers[i][0]) && is(header.value, headers[i][1]));
    }
    CHECK(kubepki_impersonation_header_at(jane, 4).name.data == NULL);
    kubepki_list *roles = NULL;
    OK(kubepki_impersonation_roles(jane, LITERAL("act-as-jane"), &roles));
    CHECK(kubepki_list_count(roles) == 1 && contains(kubepki_list_at(roles, 0), "kind: ClusterRole\n"));
    CHECK(contains(kubepki_list_at(roles, 0), "userextras/example.org/scopes"));
    kubepki_list_free(roles);

    kubepki_user *user = NULL;
    OK(kubepki_user_with_token(LITERAL("secret"), &user));
    CHECK(!shows(user, " as: "));
    OK(kubepki_user_set_impersonation(user, jane));
    CHECK(shows(user, " as: jane") && shows(user, "as-uid: \"1001\"") && shows(user, "token: secret"));
    kubepki_user_free(user);
    kubepki_impersonation_free(jane);
}

/* Verifies a token of the cluster's own, and gives what it says. */
static kubepki_service_account *verified(const kubepki_service_account_token *token) {
    kubepki_buffer *made = NULL, *issuer = NULL;
    kubepki_files *files = NULL;
    OK(kubepki_service_account_token_sign(token, authorities, NOW, &made));
    OK(kubepki_cluster_token_issuer(cluster, &issuer));
    OK(kubepki_authorities_files(authorities, &files));
    kubepki_text text = kubepki_buffer_text(made), name = kubepki_buffer_text(issuer);
    kubepki_bytes keys = contents(files, "pki/sa.pub");
    kubepki_service_account *account = NULL;
    OK(kubepki_service_account_verify(TEXT(text), TEXT(keys), TEXT(name), TEXT(name), NOW + 1800, &account));
    kubepki_files_free(files);
    kubepki_buffer_free(issuer);
    kubepki_buffer_free(made);
    return account;
}

static void a_token_is_bound_to_one_object_or_to_a_pod_and_its_node(void) {
    const char *kinds[] = {"pod", "node", "secret"};
    for (size_t i = 0; i < 3; i++) {
        kubepki_service_account_token *token = NULL;
        OK(kubepki_service_account_token_new(cluster, LITERAL("ci"), LITERAL("builder"), LITERAL("uid-1"), &token));
        OK(kubepki_service_account_token_set_lifetime(token, 7200));
        FAILS(KUBEPKI_ERROR_INVALID, kubepki_service_account_token_bind(token, LITERAL("lease"), LITERAL("a"), LITERAL("b")));
        OK(kubepki_service_account_token_bind(token, kinds[i], strlen(kinds[i]), LITERAL("it"), LITERAL("uid-2")));
        FAILS(KUBEPKI_ERROR_INVALID, kubepki_service_account_token_bind(token, LITERAL("secret"), LITERAL("a"), LITERAL("b")));
        kubepki_service_account *account = verified(token);
        kubepki_claims claims = kubepki_service_account_claims(account);
        CHECK(is(claims.user, "system:serviceaccount:ci:builder") && claims.expires == NOW + 7200);
        kubepki_object objects[] = {claims.pod, claims.node, claims.secret};
        for (size_t j = 0; j < 3; j++) {
            CHECK(is(objects[j].name, i == j ? "it" : "") && is(objects[j].uid, i == j ? "uid-2" : ""));
        }
        kubepki_service_account_free(account);
        if (i == 0) {
            OK(kubepki_service_account_token_bind(token, LITERAL("node"), LITERAL("w-1"), LITERAL("uid-3")));
            FAILS(KUBEPKI_ERROR_INVALID, kubepki_service_account_token_bind(token, LITERAL("node"), LITERAL("w-1"), LITERAL("uid-3")));
            account = verified(token);
            claims = kubepki_service_account_claims(account);
            CHECK(is(claims.pod.name, "it") && is(claims.node.name, "w-1") && is(claims.node.uid, "uid-3"));
            kubepki_service_account_free(account);
        }
        kubepki_service_account_token_free(token);
    }
}

static void a_bootstrap_token_may_have_one_usage(void) {
    kubepki_buffer *token = NULL;
    OK(kubepki_bootstrap_token_generate(&token));
    kubepki_text text = kubepki_buffer_text(token);
    const char *usages[] = {"authentication", "signing"};
    for (size_t i = 0; i < 2; i++) {
        kubepki_list *list = NULL;
        kubepki_manifest *secret = NULL;
        OK(kubepki_list_new(&list));
        OK(kubepki_list_add(list, usages[i], strlen(usages[i])));
        OK(kubepki_manifest_bootstrap_token(TEXT(text), NOW + DAY, list, NULL, NULL, 0, &secret));
        CHECK(contains(kubepki_manifest_yaml(secret), "usage-bootstrap-authentication") == (i == 0));
        CHECK(contains(kubepki_manifest_yaml(secret), "usage-bootstrap-signing") == (i == 1));
        kubepki_manifest_free(secret);
        kubepki_list_free(list);
    }
    kubepki_buffer_free(token);
}

static void cluster_info_can_be_believed_without_a_pin(void) {
    kubepki_buffer *tokens[2] = {NULL, NULL};
    kubepki_list *signing = NULL;
    kubepki_manifest *made = NULL;
    OK(kubepki_bootstrap_token_generate(&tokens[0]));
    OK(kubepki_bootstrap_token_generate(&tokens[1]));
    kubepki_text token = kubepki_buffer_text(tokens[0]), other = kubepki_buffer_text(tokens[1]);
    OK(kubepki_list_new(&signing));
    OK(kubepki_list_add(signing, TEXT(token)));
    OK(kubepki_manifest_cluster_info(cluster, authorities, signing, &made));
    kubepki_text yaml = kubepki_manifest_yaml(made);
    kubepki_cluster_info *info = NULL;
    FAILS(KUBEPKI_ERROR_NOT_PINNED, kubepki_cluster_info_verify(TEXT(yaml), TEXT(token), NULL, &info));
    FAILS(KUBEPKI_ERROR_BAD_SIGNATURE, kubepki_cluster_info_verify_unpinned(TEXT(yaml), TEXT(other), &info));
    OK(kubepki_cluster_info_verify_unpinned(TEXT(yaml), TEXT(token), &info));
    CHECK(is(kubepki_cluster_info_server(info), "https://api.example.com:6443"));
    kubepki_cluster_info_free(info);
    kubepki_manifest_free(made);
    kubepki_list_free(signing);
    kubepki_buffer_free(tokens[1]);
    kubepki_buffer_free(tokens[0]);
}

static void roles_are_known_by_their_names(void) {
    kubepki_list *roles = NULL;
    OK(kubepki_roles(&roles));
    CHECK(kubepki_list_count(roles) == 23 && is(kubepki_list_at(roles, 22), "user"));
    kubepki_list_free(roles);
    kubepki_node *worker = NULL;
    kubepki_expected *expected = NULL;
    OK(kubepki_node_worker(LITERAL("w-1"), &worker));
    OK(kubepki_node_ask_for_kube_proxy(worker));
    OK(kubepki_expected_new(cluster, worker, &expected));
    OK(kubepki_expected_roles(expected, &roles));
    CHECK(kubepki_list_count(roles) == 2 && is(kubepki_list_at(roles, 0), "kubelet-client"));
    CHECK(is(kubepki_list_at(roles, 1), "kube-proxy"));
    kubepki_list_free(roles);
    kubepki_expected_free(expected);
    kubepki_node_free(worker);
}

int main(void) {
    cluster = a_cluster();
    OK(kubepki_authorities_create(cluster, NOW, &authorities));
    a_program_that_logs_in_is_told_what_it_needs();
    a_user_of_openid_connect_keeps_its_tokens_in_the_kubeconfig();
    a_user_acts_as_another();
    a_token_is_bound_to_one_object_or_to_a_pod_and_its_node();
    a_bootstrap_token_may_have_one_usage();
    cluster_info_can_be_believed_without_a_pin();
    roles_are_known_by_their_names();
    kubepki_authorities_free(authorities);
    kubepki_cluster_free(cluster);
    return 0;
}
