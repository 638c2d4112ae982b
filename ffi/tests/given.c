/* What a cluster is given and what it asks for: requests, tokens, kubeconfigs, objects. Usage: given DIRECTORY. */
#include "check.h"

/* An authority of its own, outside any cluster. */
static kubepki_issuer *a_root(const kubepki_cluster *cluster) {
    kubepki_profile *profile = NULL;
    OK(kubepki_profile_new(cluster, NULL, LITERAL("root-ca"), LITERAL("Example Signer"), &profile));
    kubepki_issuer *root = NULL;
    OK(kubepki_issuer_self_signed(profile, NOW, &root));
    kubepki_profile_free(profile);
    return root;
}

/* A service's key and request. */
static kubepki_request *a_request(const kubepki_cluster *cluster) {
    kubepki_profile *service = NULL;
    OK(kubepki_profile_new(cluster, NULL, LITERAL("service"), LITERAL("web.shop.svc"), &service));
    kubepki_request *request = NULL;
    OK(kubepki_request_new(service, &request));
    kubepki_profile_free(service);
    return request;
}

/* The object as the API server has it once somebody has created it. */
static kubepki_csr *as_created(const kubepki_csr *csr, const char *user) {
    kubepki_text yaml = kubepki_csr_yaml(csr);
    static const char spec[] = "\nspec:\n";
    char text[20000];
    CHECK(yaml.len < sizeof text / 2);
    size_t at = 0;
    while (memcmp(yaml.data + at, spec, sizeof spec - 1) != 0) {
        at++;
        CHECK(at + sizeof spec < yaml.len);
    }
    at += sizeof spec - 1;
    int len = snprintf(text, sizeof text, "%.*s  username: %s\n%.*s", (int)at, yaml.data, user, (int)(yaml.len - at),
                       yaml.data + at);
    kubepki_csr *created = NULL;
    OK(kubepki_csr_from_yaml(text, (size_t)len, &created));
    return created;
}

static kubepki_signer_policy *a_policy(void) {
    kubepki_signer_policy *policy = NULL;
    OK(kubepki_signer_policy_new(LITERAL("example.com/serving"), &policy));
    OK(kubepki_signer_policy_allow(policy, LITERAL("requester"), LITERAL("system:serviceaccount:shop:*")));
    OK(kubepki_signer_policy_allow(policy, LITERAL("common-name"), LITERAL("*.shop.svc")));
    OK(kubepki_signer_policy_allow(policy, LITERAL("organization"), LITERAL("shops")));
    OK(kubepki_signer_policy_allow(policy, LITERAL("san"), LITERAL("DNS:*.shop.svc")));
    OK(kubepki_signer_policy_allow(policy, LITERAL("san"), LITERAL("DNS:*.shop.svc.cluster.local")));
    OK(kubepki_signer_policy_allow(policy, LITERAL("usage"), LITERAL("server auth")));
    OK(kubepki_signer_policy_allow(policy, LITERAL("usage"), LITERAL("digital signature")));
    OK(kubepki_signer_policy_allow(policy, LITERAL("usage"), LITERAL("key encipherment")));
    OK(kubepki_signer_policy_set_longest(policy, 90 * DAY));
    return policy;
}

static void a_request_is_reviewed_and_signed_and_becomes_a_credential(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_request *request = a_request(cluster);
    CHECK(contains(kubepki_request_csr_pem(request), "BEGIN CERTIFICATE REQUEST"));
    CHECK(contains(kubepki_request_key_pem(request), "PRIVATE KEY"));
    kubepki_csr *asked = NULL;
    OK(kubepki_csr_new(LITERAL("web.shop"), LITERAL("example.com/serving"), request, &asked));
    OK(kubepki_csr_set_lifetime(asked, 30 * DAY));
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_csr_set_lifetime(asked, 599));
    CHECK(contains(kubepki_csr_json(asked), "\"expirationSeconds\": 2592000"));

    kubepki_csr *csr = as_created(asked, "system:serviceaccount:shop:web");
    CHECK(is(kubepki_csr_name(csr), "web.shop") && is(kubepki_csr_signer_name(csr), "example.com/serving"));
    CHECK(is(kubepki_csr_username(csr), "system:serviceaccount:shop:web"));
    kubepki_text sent = kubepki_request_csr_pem(request), received = kubepki_csr_request_pem(csr);
    CHECK(sent.len == received.len && memcmp(sent.data, received.data, sent.len) == 0);
    CHECK(kubepki_csr_state(csr) == KUBEPKI_STATE_PENDING && kubepki_csr_message(csr).len == 0);
    CHECK(kubepki_csr_certificate_pem(csr).data == NULL);

    kubepki_issuer *root = a_root(cluster);
    kubepki_outcome outcome;
    OK(kubepki_csr_sign(csr, LITERAL("example.com/serving"), root, 365 * DAY, NOW, &outcome));
    CHECK(outcome.kind == KUBEPKI_OUTCOME_SKIPPED && is(outcome.message, "it is not approved"));

    kubepki_approver *approver = NULL;
    OK(kubepki_approver_new(&approver));
    kubepki_review *review = NULL;
    OK(kubepki_approver_review(approver, csr, &review));
    CHECK(kubepki_review_verdict(review) == KUBEPKI_VERDICT_NOT_MINE);
    CHECK(is(kubepki_review_reason(review), "UnknownSigner"));
    OK(kubepki_review_apply(review, csr, NOW));
    CHECK(kubepki_csr_state(csr) == KUBEPKI_STATE_PENDING);
    kubepki_review_free(review);

    kubepki_signer_policy *policy = a_policy();
    OK(kubepki_approver_set_policy(approver, policy));
    kubepki_csr *of_another = as_created(asked, "jane");
    OK(kubepki_approver_review(approver, of_another, &review));
    CHECK(kubepki_review_verdict(review) == KUBEPKI_VERDICT_DENY);
    CHECK(is(kubepki_review_reason(review), "RequesterNotAllowed"));
    CHECK(is(kubepki_review_message(review), "\"jane\" may not ask for this"));
    OK(kubepki_review_apply(review, of_another, NOW));
    CHECK(kubepki_csr_state(of_another) == KUBEPKI_STATE_DENIED);
    CHECK(is(kubepki_csr_message(of_another), "\"jane\" may not ask for this"));
    OK(kubepki_csr_sign(of_another, LITERAL("example.com/serving"), root, 365 * DAY, NOW, &outcome));
    CHECK(outcome.kind == KUBEPKI_OUTCOME_SKIPPED && contains(outcome.message, "denied"));
    kubepki_review_free(review);

    OK(kubepki_approver_review(approver, csr, &review));
    CHECK(kubepki_review_verdict(review) == KUBEPKI_VERDICT_APPROVE);
    FAILS(KUBEPKI_ERROR_CHANGED, kubepki_review_apply(review, asked, NOW));
    OK(kubepki_review_apply(review, csr, NOW));
    FAILS(KUBEPKI_ERROR_CHANGED, kubepki_review_apply(review, csr, NOW));
    CHECK(kubepki_csr_state(csr) == KUBEPKI_STATE_APPROVED);
    CHECK(contains(kubepki_csr_json(csr), "\"reason\": \"AutoApproved\""));

    FAILS(KUBEPKI_ERROR_INVALID, kubepki_csr_sign(csr, LITERAL("example.com/serving"), root, 0, NOW, &outcome));
    FAILS(KUBEPKI_ERROR_AUTHORITY_EXPIRED,
          kubepki_csr_sign(csr, LITERAL("example.com/serving"), root, DAY, NOW + 11 * 366 * DAY, &outcome));
    CHECK(kubepki_csr_state(csr) == KUBEPKI_STATE_APPROVED);
    OK(kubepki_csr_sign(csr, LITERAL("example.com/other"), root, 365 * DAY, NOW, &outcome));
    CHECK(outcome.kind == KUBEPKI_OUTCOME_SKIPPED && is(outcome.message, "it is for the signer example.com/serving"));
    OK(kubepki_csr_sign(csr, LITERAL("example.com/serving"), root, 365 * DAY, NOW, &outcome));
    CHECK(outcome.kind == KUBEPKI_OUTCOME_ISSUED && outcome.message.len == 0);
    CHECK(kubepki_csr_state(csr) == KUBEPKI_STATE_ISSUED && contains(kubepki_csr_yaml(csr), "\n  certificate: "));

    kubepki_bytes pem = kubepki_csr_certificate_pem(csr);
    kubepki_credential *credential = NULL;
    OK(kubepki_request_accept(request, TEXT(pem), &credential));
    int64_t end = 0;
    OK(kubepki_credential_not_after(credential, &end));
    CHECK(end > NOW + 29 * DAY && end <= NOW + 30 * DAY);
    kubepki_request *other = a_request(cluster), *same = NULL, *wider = NULL;
    kubepki_credential *none = NULL;
    FAILS(KUBEPKI_ERROR_KEY_MISMATCH, kubepki_request_accept(other, TEXT(pem), &none));
    kubepki_profile *profile = NULL;
    OK(kubepki_profile_new(cluster, NULL, LITERAL("service"), LITERAL("web.shop.svc"), &profile));
    kubepki_text key = kubepki_request_key_pem(request);
    OK(kubepki_request_with_key(profile, TEXT(key), &same));
    OK(kubepki_profile_add_san(profile, LITERAL("192.0.2.24")));
    OK(kubepki_request_with_key(profile, TEXT(key), &wider));
    FAILS(KUBEPKI_ERROR_WRONG_CERTIFICATE, kubepki_request_accept(wider, TEXT(pem), &none));
    CHECK(none == NULL);
    OK(kubepki_request_accept(same, TEXT(pem), &none));
    kubepki_credential_free(none);
    kubepki_request_free(wider);
    kubepki_request_free(same);
    kubepki_profile_free(profile);

    kubepki_manifest *secret = NULL;
    OK(kubepki_manifest_tls_secret(LITERAL("shop"), LITERAL("web-tls"), credential, &secret));
    CHECK(contains(kubepki_manifest_yaml(secret), "type: kubernetes.io/tls\n"));

    kubepki_manifest_free(secret);
    kubepki_request_free(other);
    kubepki_credential_free(credential);
    kubepki_review_free(review);
    kubepki_csr_free(of_another);
    kubepki_signer_policy_free(policy);
    kubepki_approver_free(approver);
    kubepki_issuer_free(root);
    kubepki_csr_free(csr);
    kubepki_csr_free(asked);
    kubepki_request_free(request);
    kubepki_cluster_free(cluster);
}

static void a_request_is_decided_about_by_hand_and_may_fail(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_request *request = a_request(cluster);
    kubepki_issuer *root = a_root(cluster);
    kubepki_csr *approved = NULL, *denied = NULL;
    OK(kubepki_csr_new(LITERAL("a"), LITERAL("kubernetes.io/kubelet-serving"), request, &approved));
    OK(kubepki_csr_new(LITERAL("b"), LITERAL("example.com/serving"), request, &denied));
    OK(kubepki_csr_approve(approved, LITERAL("ByHand"), LITERAL("looks good"), NOW));
    CHECK(kubepki_csr_state(approved) == KUBEPKI_STATE_APPROVED && is(kubepki_csr_message(approved), "looks good"));
    OK(kubepki_csr_deny(denied, LITERAL("ByHand"), LITERAL("unknown shop"), NOW));
    CHECK(kubepki_csr_state(denied) == KUBEPKI_STATE_DENIED && is(kubepki_csr_message(denied), "unknown shop"));
    FAILS(KUBEPKI_ERROR_CHANGED, kubepki_csr_approve(denied, LITERAL("ByHand"), NULL, 0, NOW));
    FAILS(KUBEPKI_ERROR_CHANGED, kubepki_csr_deny(approved, LITERAL("ByHand"), NULL, 0, NOW));

    kubepki_outcome outcome;
    OK(kubepki_csr_sign(approved, LITERAL("kubernetes.io/kubelet-serving"), root, 365 * DAY, NOW, &outcome));
    CHECK(outcome.kind == KUBEPKI_OUTCOME_FAILED);
    CHECK(is(outcome.message, "subject organization is not system:nodes"));
    CHECK(kubepki_csr_state(approved) == KUBEPKI_STATE_FAILED);
    CHECK(is(kubepki_csr_message(approved), "subject organization is not system:nodes"));

    kubepki_csr_free(denied);
    kubepki_csr_free(approved);
    kubepki_issuer_free(root);
    kubepki_request_free(request);
    kubepki_cluster_free(cluster);
}

/* Kubelets: the first client certificate by a group of tokens, the serving certificate for the node's own addresses. */
static void kubelets_get_what_is_theirs(void) {
    static const char node[] = "apiVersion: v1\nkind: Node\nmetadata: {name: w-1}\n"
                               "status: {addresses: [{type: InternalIP, address: 192.0.2.20},\n"
                               "  {type: Hostname, address: w-1}]}\n";
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *worker = NULL;
    OK(kubepki_node_worker(LITERAL("w-1"), &worker));
    OK(kubepki_node_add_address(worker, LITERAL("192.0.2.20")));
    kubepki_approver *approver = NULL;
    OK(kubepki_approver_new(&approver));
    OK(kubepki_approver_add_bootstrap_group(approver, LITERAL("system:bootstrappers:ours")));
    OK(kubepki_approver_set_node(approver, node, sizeof node - 1));
    const char *roles[] = {"kubelet-client", "kubelet-server"};
    const char *signers[] = {"kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"};
    const char *users[] = {"system:bootstrap:abcdef\n  groups: [\"system:bootstrappers:ours\"]",
                           "system:node:w-1\n  groups: [\"system:nodes\"]"};
    for (size_t i = 0; i < 2; i++) {
        kubepki_profile *profile = NULL;
        OK(kubepki_profile_new(cluster, worker, roles[i], strlen(roles[i]), NULL, 0, &profile));
        kubepki_request *request = NULL;
        OK(kubepki_request_new(profile, &request));
        kubepki_csr *asked = NULL;
        OK(kubepki_csr_new(LITERAL("w-1"), signers[i], strlen(signers[i]), request, &asked));
        kubepki_csr *csr = as_created(asked, users[i]);
        kubepki_review *review = NULL;
        OK(kubepki_approver_review(approver, csr, &review));
        CHECK(kubepki_review_verdict(review) == KUBEPKI_VERDICT_APPROVE);
        kubepki_review_free(review);
        kubepki_csr_free(csr);
        kubepki_csr_free(asked);
        kubepki_request_free(request);
        kubepki_profile_free(profile);
    }
    kubepki_approver_free(approver);
    kubepki_node_free(worker);
    kubepki_cluster_free(cluster);
}

/* A machine knows a token and a pin; the cluster publishes. */
static void a_machine_joins_by_a_bootstrap_token(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create(cluster, NOW, &authorities));
    kubepki_buffer *made = NULL, *another = NULL, *trusted = NULL, *kubeconfig = NULL;
    OK(kubepki_bootstrap_token_generate(&made));
    OK(kubepki_bootstrap_token_generate(&another));
    kubepki_text token = kubepki_buffer_text(made), other = kubepki_buffer_text(another);
    CHECK(token.len == 23 && token.data[6] == '.');

    kubepki_list *groups = NULL, *tokens = NULL, *pins = NULL, *wrong = NULL;
    OK(kubepki_list_new(&groups));
    OK(kubepki_list_add(groups, LITERAL("system:bootstrappers:kubeadm:default-node-token")));
    kubepki_manifest *secret = NULL, *published = NULL;
    OK(kubepki_manifest_bootstrap_token(TEXT(token), NOW + DAY, NULL, groups, LITERAL("rack 7"), &secret));
    CHECK(contains(kubepki_manifest_yaml(secret), "type: bootstrap.kubernetes.io/token\n"));
    CHECK(contains(kubepki_manifest_yaml(secret), "  usage-bootstrap-signing: dHJ1ZQ==\n"));

    OK(kubepki_list_new(&tokens));
    OK(kubepki_list_add(tokens, TEXT(token)));
    OK(kubepki_manifest_cluster_info(cluster, authorities, tokens, &published));
    kubepki_text yaml = kubepki_manifest_yaml(published);
    OK(kubepki_authorities_pins(authorities, &pins));
    CHECK(kubepki_list_count(pins) == 1 && kubepki_list_at(pins, 0).len == 71);

    kubepki_cluster_info *info = NULL;
    OK(kubepki_list_new(&wrong));
    FAILS(KUBEPKI_ERROR_NOT_PINNED, kubepki_cluster_info_verify(TEXT(yaml), TEXT(token), NULL, &info));
    FAILS(KUBEPKI_ERROR_NOT_PINNED, kubepki_cluster_info_verify(TEXT(yaml), TEXT(token), wrong, &info));
    FAILS(KUBEPKI_ERROR_BAD_SIGNATURE, kubepki_cluster_info_verify(TEXT(yaml), TEXT(other), pins, &info));
    CHECK(info == NULL);
    OK(kubepki_cluster_info_verify(TEXT(yaml), TEXT(token), pins, &info));
    CHECK(is(kubepki_cluster_info_server(info), "https://api.example.com:6443"));
    OK(kubepki_authorities_trust_store_pem(authorities, &trusted));
    kubepki_text one = kubepki_buffer_text(trusted), same = kubepki_cluster_info_trusted_pem(info);
    CHECK(one.len == same.len && memcmp(one.data, same.data, one.len) == 0);
    yaml = kubepki_cluster_info_bootstrap_kubeconfig(info);
    OK(kubepki_kubeconfig_check(TEXT(yaml)));
    CHECK(contains(yaml, "tls-bootstrap-token-user"));
    kubepki_user *kubelet = NULL;
    OK(kubepki_user_with_token_file(LITERAL("/var/run/token"), &kubelet));
    OK(kubepki_cluster_info_kubeconfig(info, LITERAL("kubelet"), kubelet, &kubeconfig));
    CHECK(contains(kubepki_buffer_text(kubeconfig), "current-context: kubelet@kubernetes"));
    kubepki_buffer_free(kubeconfig);
    kubepki_user_free(kubelet);

    OK(kubepki_kubeconfig_for_bootstrap(cluster, authorities, TEXT(token), &kubeconfig));
    yaml = kubepki_buffer_text(kubeconfig);
    OK(kubepki_kubeconfig_check(TEXT(yaml)));
    CHECK(contains(yaml, "tls-bootstrap-token-user@default-cluster"));

    kubepki_cluster_info_free(info);
    kubepki_manifest_free(published);
    kubepki_manifest_free(secret);
    kubepki_list_free(wrong);
    kubepki_list_free(pins);
    kubepki_list_free(tokens);
    kubepki_list_free(groups);
    kubepki_buffer_free(kubeconfig);
    kubepki_buffer_free(trusted);
    kubepki_buffer_free(another);
    kubepki_buffer_free(made);
    kubepki_authorities_free(authorities);
    kubepki_cluster_free(cluster);
}

/* A token of the service account builder in ci, for one audience or for the API server. */
static kubepki_error *a_token(const kubepki_cluster *cluster, const kubepki_authorities *authorities,
                              const char *audience, kubepki_buffer **out) {
    kubepki_service_account_token *token = NULL;
    OK(kubepki_service_account_token_new(cluster, LITERAL("ci"), LITERAL("builder"), LITERAL("uid-1"), &token));
    if (audience != NULL) {
        OK(kubepki_service_account_token_add_audience(token, audience, strlen(audience)));
    }
    kubepki_error *error = kubepki_service_account_token_sign(token, authorities, NOW, out);
    kubepki_service_account_token_free(token);
    return error;
}

static void a_service_account_shows_a_token_that_others_verify(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node();
    kubepki_pki *pki = NULL;
    OK(kubepki_pki_create(cluster, node, NOW, &pki));
    kubepki_authorities *authorities = NULL;
    OK(kubepki_pki_authorities(pki, &authorities));
    kubepki_files *files = NULL;
    OK(kubepki_pki_files(pki, &files));
    kubepki_bytes keys = contents(files, "pki/sa.pub");
    kubepki_buffer *issuer = NULL, *made = NULL, *own = NULL, *jwks = NULL, *discovery = NULL;
    OK(kubepki_cluster_token_issuer(cluster, &issuer));
    kubepki_text name = kubepki_buffer_text(issuer);
    CHECK(is(name, "https://kubernetes.default.svc.cluster.local"));
    OK(a_token(cluster, authorities, "https://vault.example.com", &made));
    OK(a_token(cluster, authorities, NULL, &own));
    OK(kubepki_jwks(TEXT(keys), &jwks));
    kubepki_text token = kubepki_buffer_text(made), key_set = kubepki_buffer_text(jwks);
    CHECK(contains(key_set, "\"kty\":\"EC\""));

    kubepki_service_account *account = NULL;
    OK(kubepki_service_account_verify(TEXT(token), TEXT(keys), TEXT(name), LITERAL("https://vault.example.com"), NOW,
                                      &account));
    kubepki_claims claims = kubepki_service_account_claims(account);
    CHECK(is(claims.user, "system:serviceaccount:ci:builder") && claims.id.len == 36);
    CHECK(is(claims.namespace_name, "ci") && is(claims.account.name, "builder") && is(claims.account.uid, "uid-1"));
    CHECK(claims.issued == NOW && claims.not_before == NOW && claims.expires == NOW + 3600);
    CHECK(kubepki_service_account_audience_count(account) == 1);
    CHECK(is(kubepki_service_account_audience_at(account, 0), "https://vault.example.com"));
    CHECK(kubepki_service_account_audience_at(account, 1).data == NULL);
    kubepki_service_account_free(account);
    account = NULL;
    kubepki_text to_itself = kubepki_buffer_text(own);
    OK(kubepki_service_account_verify(TEXT(to_itself), TEXT(key_set), TEXT(name), TEXT(name), NOW, &account));
    kubepki_service_account_free(account);
    account = NULL;
    FAILS(KUBEPKI_ERROR_WRONG_AUDIENCE,
          kubepki_service_account_verify(TEXT(token), TEXT(key_set), TEXT(name), TEXT(name), NOW, &account));
    FAILS(KUBEPKI_ERROR_WRONG_ISSUER, kubepki_service_account_verify(TEXT(token), TEXT(key_set), LITERAL("me"),
                                                                     TEXT(name), NOW, &account));
    FAILS(KUBEPKI_ERROR_TOKEN_EXPIRED, kubepki_service_account_verify(TEXT(token), TEXT(key_set), TEXT(name),
                                                                      TEXT(name), NOW + DAY, &account));
    FAILS(KUBEPKI_ERROR_TOKEN_NOT_YET_VALID, kubepki_service_account_verify(TEXT(token), TEXT(key_set), TEXT(name),
                                                                            TEXT(name), NOW - DAY, &account));
    char forged[2000];
    CHECK(token.len < sizeof forged);
    memcpy(forged, token.data, token.len);
    forged[token.len - 40] = forged[token.len - 40] == 'A' ? 'B' : 'A';
    FAILS(KUBEPKI_ERROR_BAD_SIGNATURE, kubepki_service_account_verify(forged, token.len, TEXT(key_set), TEXT(name),
                                                                      TEXT(name), NOW, &account));
    CHECK(account == NULL);
    OK(kubepki_oidc_discovery(TEXT(keys), TEXT(name), LITERAL("https://a.example.com/jwks"), &discovery));
    CHECK(contains(kubepki_buffer_text(discovery), "\"jwks_uri\":\"https://a.example.com/jwks\""));

    kubepki_files *only_public = NULL;
    OK(kubepki_files_new(&only_public));
    OK(kubepki_files_add(only_public, LITERAL("pki/sa.pub"), TEXT(keys)));
    kubepki_authorities *without = NULL;
    OK(kubepki_authorities_from_files(only_public, &without));
    kubepki_buffer *none = NULL;
    FAILS(KUBEPKI_ERROR_ABSENT, a_token(cluster, without, NULL, &none));
    kubepki_list *no_pins = NULL;
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_authorities_pins(without, &no_pins));
    CHECK(none == NULL && no_pins == NULL);

    kubepki_authorities_free(without);
    kubepki_files_free(only_public);
    kubepki_buffer_free(discovery);
    kubepki_buffer_free(jwks);
    kubepki_buffer_free(own);
    kubepki_buffer_free(made);
    kubepki_buffer_free(issuer);
    kubepki_files_free(files);
    kubepki_authorities_free(authorities);
    kubepki_pki_free(pki);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

static void a_token_file_is_read_and_grows(void) {
    static const char csv[] = "password,root,0,\"system:masters\"\n";
    kubepki_static_tokens *tokens = NULL;
    OK(kubepki_static_tokens_from_csv(csv, sizeof csv - 1, &tokens));
    CHECK(kubepki_static_tokens_count(tokens) == 1);
    kubepki_list *groups = NULL, *remarks = NULL;
    OK(kubepki_list_new(&groups));
    OK(kubepki_list_add(groups, LITERAL("developers")));
    OK(kubepki_static_tokens_add(tokens, LITERAL("jane"), LITERAL("1001"), groups));
    OK(kubepki_static_tokens_add(tokens, LITERAL("joe"), LITERAL("1002"), NULL));
    kubepki_static_token jane = kubepki_static_tokens_at(tokens, 1);
    CHECK(jane.token.len == 32 && is(jane.user, "jane") && is(jane.uid, "1001"));
    CHECK(kubepki_static_tokens_at(tokens, 3).token.data == NULL);
    const size_t groups_of[] = {1, 1, 0, 0};
    for (size_t i = 0; i < 4; i++) {
        CHECK(kubepki_static_tokens_group_count(tokens, i) == groups_of[i]);
    }
    CHECK(is(kubepki_static_tokens_group_at(tokens, 0, 0), "system:masters"));
    CHECK(is(kubepki_static_tokens_group_at(tokens, 1, 0), "developers"));
    CHECK(kubepki_static_tokens_group_at(tokens, 1, 1).data == NULL);
    CHECK(kubepki_static_tokens_group_at(tokens, 3, 0).data == NULL);
    CHECK(contains(kubepki_static_tokens_csv(tokens), ",jane,1001,developers\n"));
    OK(kubepki_static_tokens_remarks(tokens, &remarks));
    CHECK(kubepki_list_count(remarks) > 0 && contains(kubepki_list_at(remarks, 0), "record 1"));
    kubepki_list_free(remarks);
    kubepki_list_free(groups);
    kubepki_static_tokens_free(tokens);

    OK(kubepki_static_tokens_from_csv(NULL, 0, &tokens));
    CHECK(kubepki_static_tokens_count(tokens) == 0 && kubepki_static_tokens_csv(tokens).len == 0);
    kubepki_static_tokens_free(tokens);
}

static void api_servers_are_told_how_to_know_users(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node();
    OK(kubepki_cluster_set_authentication_file(cluster, LITERAL("token-auth-file"), LITERAL("/e/tokens.csv")));
    OK(kubepki_cluster_set_authentication_file(cluster, LITERAL("authentication-token-webhook-config-file"),
                                               LITERAL("/e/tokens.conf")));
    OK(kubepki_cluster_set_authentication_file(cluster, LITERAL("authorization-webhook-config-file"),
                                               LITERAL("/e/rights.conf")));
    OK(kubepki_cluster_add_proxy(cluster, LITERAL("login-proxy")));
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_cluster_set_oidc_ca_file(cluster, LITERAL("/e/login.crt")));
    OK(kubepki_cluster_set_oidc(cluster, LITERAL("https://login.example.com"), LITERAL("kubernetes")));
    OK(kubepki_cluster_set_oidc_username(cluster, LITERAL("email"), LITERAL("oidc:")));
    OK(kubepki_cluster_set_oidc_groups(cluster, LITERAL("groups"), NULL, 0));
    OK(kubepki_cluster_set_oidc_ca_file(cluster, LITERAL("/e/login.crt")));
    OK(kubepki_cluster_add_oidc_required_claim(cluster, LITERAL("team=shop")));
    kubepki_list *algorithms = NULL, *arguments = NULL;
    OK(kubepki_list_new(&algorithms));
    OK(kubepki_list_add(algorithms, LITERAL("ES256")));
    OK(kubepki_cluster_set_oidc_signing_algorithms(cluster, algorithms));

    /* The description that is read back is the whole one, and can be told more. */
    kubepki_pki *pki = NULL;
    OK(kubepki_pki_create(cluster, node, NOW, &pki));
    kubepki_cluster_free(cluster);
    OK(kubepki_pki_cluster(pki, &cluster));
    kubepki_pki_free(pki);
    OK(kubepki_cluster_add_proxy(cluster, LITERAL("other-proxy")));
    OK(kubepki_cluster_set_oidc_groups(cluster, LITERAL("groups"), NULL, 0));

    const char *expected[] = {
        "--token-auth-file=/e/tokens.csv",
        "--authentication-token-webhook-config-file=/e/tokens.conf",
        "--authorization-webhook-config-file=/e/rights.conf",
        "--requestheader-allowed-names=front-proxy-client,login-proxy,other-proxy",
        "--oidc-issuer-url=https://login.example.com",
        "--oidc-username-claim=email",
        "--oidc-username-prefix=oidc:",
        "--oidc-groups-claim=groups",
        "--oidc-ca-file=/e/login.crt",
        "--oidc-required-claim=team=shop",
        "--oidc-signing-algs=ES256",
    };
    kubepki_expected *described = NULL;
    OK(kubepki_expected_new(cluster, node, &described));
    OK(kubepki_expected_arguments(described, LITERAL("kube-apiserver"), &arguments));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        int found = count_of(arguments, expected[i]);
        if (found != 1) {
            fprintf(stderr, "%s: %d times\n", expected[i], found);
            exit(1);
        }
    }
    kubepki_expected_free(described);
    kubepki_list_free(arguments);
    kubepki_list_free(algorithms);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

static void users_of_every_kind_get_kubeconfigs(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create(cluster, NOW, &authorities));
    kubepki_profile *jane = a_user(cluster, "jane");
    kubepki_credential *credential = NULL;
    OK(kubepki_authorities_issue(authorities, jane, NOW, &credential));
    kubepki_list *arguments = NULL;
    OK(kubepki_list_new(&arguments));
    OK(kubepki_list_add(arguments, LITERAL("get-token")));

    kubepki_user *users[4] = {NULL, NULL, NULL, NULL};
    OK(kubepki_user_with_credential(credential, &users[0]));
    OK(kubepki_user_with_token(LITERAL("07401b.f395accd246ae52d"), &users[1]));
    OK(kubepki_user_with_token_file(LITERAL("/var/run/token"), &users[2]));
    OK(kubepki_user_with_exec(LITERAL("example-login"), arguments, &users[3]));
    const char *parts[] = {"client-key-data: ", "token: \"07401b.f395accd246ae52d\"", "tokenFile: /var/run/token",
                           "command: example-login"};
    for (size_t i = 0; i < 4; i++) {
        kubepki_buffer *kubeconfig = NULL;
        OK(kubepki_kubeconfig_with_user(cluster, authorities, LITERAL("jane"), users[i], &kubeconfig));
        kubepki_text yaml = kubepki_buffer_text(kubeconfig);
        CHECK(contains(yaml, parts[i]) && contains(yaml, "current-context: jane@default-cluster"));
        OK(kubepki_kubeconfig_check(TEXT(yaml)));
        kubepki_buffer_free(kubeconfig);
    }

    kubepki_buffer *trusted = NULL, *webhook = NULL;
    OK(kubepki_authorities_trust_store_pem(authorities, &trusted));
    kubepki_text pem = kubepki_buffer_text(trusted), leaf = kubepki_credential_chain_pem(credential);
    OK(kubepki_kubeconfig_webhook(LITERAL("https://auth.example.com/token"), TEXT(pem), users[0], &webhook));
    CHECK(contains(kubepki_buffer_text(webhook), "client-key-data: "));
    kubepki_buffer_free(webhook);
    OK(kubepki_kubeconfig_webhook(LITERAL("https://auth.example.com/token"), TEXT(pem), NULL, &webhook));
    CHECK(!contains(kubepki_buffer_text(webhook), "client-key-data: "));
    kubepki_buffer_free(webhook);
    webhook = NULL;
    FAILS(KUBEPKI_ERROR_NOT_AN_AUTHORITY,
          kubepki_kubeconfig_webhook(LITERAL("https://auth.example.com/token"), TEXT(leaf), NULL, &webhook));
    CHECK(webhook == NULL);

    kubepki_manifest *manifest = NULL;
    OK(kubepki_manifest_ca_config_map(LITERAL("shop"), LITERAL("serving-ca"), TEXT(pem), &manifest));
    CHECK(contains(kubepki_manifest_yaml(manifest), "\n  ca.crt: "));
    kubepki_manifest_free(manifest);
    OK(kubepki_manifest_cluster_trust_bundle(LITERAL("example.com/serving"), LITERAL("v1"), TEXT(pem), &manifest));
    CHECK(contains(kubepki_manifest_yaml(manifest), "  name: example.com:serving:v1\n"));
    kubepki_manifest_free(manifest);
    OK(kubepki_manifest_cluster_trust_bundle(NULL, 0, LITERAL("v1"), TEXT(pem), &manifest));
    CHECK(contains(kubepki_manifest_yaml(manifest), "  name: v1\n"));
    kubepki_manifest_free(manifest);

    kubepki_buffer_free(trusted);
    for (size_t i = 0; i < 4; i++) {
        kubepki_user_free(users[i]);
    }
    kubepki_list_free(arguments);
    kubepki_credential_free(credential);
    kubepki_profile_free(jane);
    kubepki_authorities_free(authorities);
    kubepki_cluster_free(cluster);
}

static void roles_and_bindings_are_made_by_their_names(void) {
    static const struct {
        const char *name, *group, *part;
    } objects[] = {
        {"node-bootstrapper-binding", "system:bootstrappers:ours", "name: kubeadm:kubelet-bootstrap\n"},
        {"node-approval-binding", "system:bootstrappers:ours", "name: kubeadm:node-autoapprove-bootstrap\n"},
        {"node-reader", "system:bootstrappers:ours", "kind: ClusterRole\n"},
        {"node-reader-binding", "system:bootstrappers:ours", "kind: ClusterRoleBinding\n"},
        {"node-renewal-binding", "", "name: kubeadm:node-autoapprove-certificate-rotation\n"},
        {"cluster-info-reader", "", "kind: Role\n"},
        {"cluster-info-reader-binding", "", "kind: RoleBinding\n"},
    };
    kubepki_manifest *manifest = NULL;
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        const char *name = objects[i].name, *group = objects[i].group;
        OK(kubepki_manifest_for_bootstrap(name, strlen(name), group, strlen(group), &manifest));
        CHECK(contains(kubepki_manifest_yaml(manifest), objects[i].part));
        kubepki_manifest_free(manifest);
        manifest = NULL;
        group = group[0] == '\0' ? "system:bootstrappers:ours" : "";
        FAILS(KUBEPKI_ERROR_INVALID, kubepki_manifest_for_bootstrap(name, strlen(name), group, strlen(group), &manifest));
    }
    OK(kubepki_manifest_role(LITERAL("approver"), LITERAL("a"), LITERAL("example.com/serving"), &manifest));
    CHECK(contains(kubepki_manifest_yaml(manifest), "- approve\n"));
    kubepki_manifest_free(manifest);
    OK(kubepki_manifest_role(LITERAL("signer"), LITERAL("a"), LITERAL("example.com/serving"), &manifest));
    CHECK(contains(kubepki_manifest_yaml(manifest), "- sign\n"));
    kubepki_manifest_free(manifest);
    OK(kubepki_manifest_role(LITERAL("impersonator"), LITERAL("a"), NULL, 0, &manifest));
    CHECK(contains(kubepki_manifest_yaml(manifest), "- impersonate\n"));
    kubepki_manifest_free(manifest);
    manifest = NULL;
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_manifest_role(LITERAL("signer"), LITERAL("a"), NULL, 0, &manifest));

    OK(kubepki_manifest_role_binding(NULL, 0, LITERAL("b"), LITERAL("a"), LITERAL("user"), LITERAL("jane"), &manifest));
    CHECK(contains(kubepki_manifest_yaml(manifest), "kind: ClusterRoleBinding\n"));
    kubepki_manifest_free(manifest);
    OK(kubepki_manifest_role_binding(LITERAL("shop"), LITERAL("b"), LITERAL("a"), LITERAL("group"),
                                     LITERAL("developers"), &manifest));
    CHECK(contains(kubepki_manifest_yaml(manifest), "kind: RoleBinding\n"));
    kubepki_manifest_free(manifest);
    OK(kubepki_manifest_role_binding(LITERAL("shop"), LITERAL("b"), LITERAL("a"), LITERAL("serviceaccount"),
                                     LITERAL("pki:approver"), &manifest));
    CHECK(contains(kubepki_manifest_yaml(manifest), "- kind: ServiceAccount\n  name: approver\n  namespace: pki\n"));
    kubepki_manifest_free(manifest);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    a_request_is_reviewed_and_signed_and_becomes_a_credential();
    a_request_is_decided_about_by_hand_and_may_fail();
    kubelets_get_what_is_theirs();
    a_machine_joins_by_a_bootstrap_token();
    a_service_account_shows_a_token_that_others_verify();
    a_token_file_is_read_and_grows();
    api_servers_are_told_how_to_know_users();
    users_of_every_kind_get_kubeconfigs();
    roles_and_bindings_are_made_by_their_names();
    return 0;
}
