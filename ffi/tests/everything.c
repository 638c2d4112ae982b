/* Everything that the library does, once and as it should be. Usage: everything DIRECTORY, which is empty. */
#include "check.h"

static void the_version_is_that_of_the_header(void) {
    CHECK(strcmp(kubepki_version(), KUBEPKI_VERSION) == 0);
    CHECK(kubepki_version_number() == KUBEPKI_VERSION_NUMBER);
}

static void a_described_cluster_is_made_with_its_first_node(void) {
    kubepki_cluster *cluster = a_cluster();
    OK(kubepki_cluster_set_name(cluster, LITERAL("prod")));
    OK(kubepki_cluster_set_endpoint(cluster, LITERAL("api.example.org:6443")));
    OK(kubepki_cluster_set_dns_domain(cluster, LITERAL("k8s.example.org")));
    OK(kubepki_cluster_add_service_subnet(cluster, LITERAL("10.112.0.0/12")));
    OK(kubepki_cluster_add_service_subnet(cluster, LITERAL("fd00::/108")));
    OK(kubepki_cluster_set_authority_lifetime(cluster, 20 * DAY));
    OK(kubepki_cluster_set_leaf_lifetime(cluster, 10 * DAY));
    OK(kubepki_cluster_set_convention(cluster, LITERAL("documented")));
    OK(kubepki_cluster_verify_kubelets(cluster));
    OK(kubepki_cluster_share_kubelet_client_certificate(cluster));
    kubepki_node *node = a_node();
    OK(kubepki_node_add_address(node, LITERAL("192.0.2.10")));
    OK(kubepki_node_add_address(node, LITERAL("2001:db8::10")));
    OK(kubepki_node_add_san(node, LITERAL("kube-apiserver"), LITERAL("api.internal")));
    OK(kubepki_node_ask_for_kube_proxy(node));
    OK(kubepki_node_add_front_proxy_name(node, LITERAL("front.example.org")));
    OK(kubepki_node_set_bind_port(node, 7443));

    kubepki_pki *pki = NULL;
    OK(kubepki_pki_create(cluster, node, NOW, &pki));
    kubepki_files *files = NULL;
    OK(kubepki_pki_files(pki, &files));
    CHECK(kubepki_files_count(files) > 20);
    kubepki_file first = kubepki_files_at(files, 0);
    CHECK(is(first.path, "pki/ca.crt") && is(first.role, "kubernetes-ca") && is(first.part, "certificate"));
    CHECK(first.mode == 0644);
    const char *expected[] = {"pki/sa.key",     "pki/apiserver.crt", "pki/kubelet.key", "kube-proxy.conf",
                              "super-admin.conf", "kubelet.conf",      "pki/front-proxy-server.crt"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (contents(files, expected[i]).len == 0) {
            fprintf(stderr, "%s is missing\n", expected[i]);
            for (size_t k = 0; k < kubepki_files_count(files); k++) {
                kubepki_file file = kubepki_files_at(files, k);
                fprintf(stderr, "  %.*s\n", (int)file.path.len, file.path.data);
            }
            exit(1);
        }
    }
    CHECK(contents(files, "pki/apiserver-kubelet-client.crt").len == 0);
    CHECK(kubepki_files_at(files, kubepki_files_count(files)).path.data == NULL);

    /* A leaf ends when it is told to, or when its authority does. */
    kubepki_authorities *authorities = NULL;
    OK(kubepki_pki_authorities(pki, &authorities));
    kubepki_profile *jane = a_user(cluster, "jane");
    for (int64_t days = 10; days <= 20; days += 10) {
        kubepki_credential *credential = NULL;
        int64_t end = 0;
        OK(kubepki_authorities_issue(authorities, jane, NOW, &credential));
        OK(kubepki_credential_not_after(credential, &end));
        CHECK(end > NOW + (days - 1) * DAY && end <= NOW + days * DAY);
        kubepki_credential_free(credential);
        OK(kubepki_profile_set_lifetime(jane, 30 * DAY));
    }
    kubepki_profile_free(jane);
    kubepki_authorities_free(authorities);

    kubepki_buffer *tree = NULL;
    OK(kubepki_pki_tree(pki, &tree));
    kubepki_text text = kubepki_buffer_text(tree);
    CHECK(contains(text, "DNS:api.internal") && contains(text, "DNS:kubernetes.default.svc.k8s.example.org"));
    CHECK(contains(text, "IP:10.112.0.1") && contains(text, "IP:2001:db8::10"));

    kubepki_list *arguments = NULL;
    OK(kubepki_pki_arguments(pki, LITERAL("kube-scheduler"), &arguments));
    CHECK(kubepki_list_count(arguments) > 0);
    CHECK(is(kubepki_list_at(arguments, 0), "--kubeconfig=/etc/kubernetes/scheduler.conf"));
    CHECK(kubepki_list_at(arguments, kubepki_list_count(arguments)).data == NULL);

    kubepki_list_free(arguments);
    kubepki_buffer_free(tree);
    kubepki_files_free(files);
    kubepki_pki_free(pki);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

static void etcd_may_be_elsewhere_or_outside(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node(), *member = NULL;
    OK(kubepki_node_etcd_member(LITERAL("etcd-1"), LITERAL("192.0.2.20"), &member));
    OK(kubepki_cluster_set_dedicated_etcd(cluster));
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create(cluster, NOW, &authorities));
    kubepki_pki *pki = NULL;
    OK(kubepki_authorities_join(authorities, cluster, member, NOW, &pki));
    kubepki_files *files = NULL;
    OK(kubepki_pki_files(pki, &files));
    CHECK(contents(files, "pki/etcd/peer.crt").len > 0 && contents(files, "pki/etcd/ca.key").len == 0);
    kubepki_files_free(files);
    kubepki_pki_free(pki);

    OK(kubepki_cluster_set_external_etcd(cluster, LITERAL("/e/ca.crt"), LITERAL("/e/client.crt"),
                                         LITERAL("/e/client.key")));
    kubepki_list *arguments = NULL;
    kubepki_expected *expected = NULL;
    OK(kubepki_expected_new(cluster, node, &expected));
    OK(kubepki_expected_arguments(expected, LITERAL("kube-apiserver"), &arguments));
    CHECK(count_of(arguments, "--etcd-cafile=/e/ca.crt") == 1);
    CHECK(count_of(arguments, "--client-ca-file=/etc/kubernetes/pki/ca.crt") == 1);

    kubepki_expected_free(expected);
    kubepki_list_free(arguments);
    kubepki_authorities_free(authorities);
    kubepki_node_free(member);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

static void authorities_travel_and_let_nodes_join(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node(), *worker = NULL;
    OK(kubepki_node_worker(LITERAL("w-1"), &worker));
    kubepki_authorities *authorities = NULL, *arrived = NULL, *loaded = NULL;
    OK(kubepki_authorities_create(cluster, NOW, &authorities));

    kubepki_files *sent = NULL, *received = NULL;
    OK(kubepki_authorities_files(authorities, &sent));
    OK(kubepki_files_new(&received));
    for (size_t i = 0; i < kubepki_files_count(sent); i++) {
        kubepki_file file = kubepki_files_at(sent, i);
        OK(kubepki_files_add(received, file.path.data, file.path.len, file.bytes.data, file.bytes.len));
    }
    OK(kubepki_authorities_from_files(received, &arrived));

    kubepki_pki *pki = NULL, *of_worker = NULL;
    OK(kubepki_authorities_first(arrived, cluster, node, NOW, &pki));
    OK(kubepki_authorities_join(arrived, cluster, worker, NOW, &of_worker));
    kubepki_layout *layout = a_layout(below("first"));
    OK(kubepki_pki_save(pki, layout));
    OK(kubepki_pki_save(pki, layout));
    FAILS(KUBEPKI_ERROR_EXISTS, kubepki_pki_save(of_worker, layout));
    OK(kubepki_authorities_load(below("first"), strlen(below("first")), &loaded));

    kubepki_buffer *trusted = NULL, *chain = NULL;
    OK(kubepki_authorities_trust_store_pem(loaded, &trusted));
    kubepki_issuer *issuer = NULL;
    OK(kubepki_authorities_issuer(loaded, LITERAL("kubernetes-ca"), &issuer));
    OK(kubepki_issuer_chain_pem(issuer, &chain));
    kubepki_text one = kubepki_buffer_text(trusted), other = kubepki_buffer_text(chain);
    CHECK(one.len == other.len && memcmp(one.data, other.data, one.len) == 0);

    kubepki_issuer_free(issuer);
    kubepki_buffer_free(chain);
    kubepki_buffer_free(trusted);
    kubepki_layout_free(layout);
    kubepki_pki_free(of_worker);
    kubepki_pki_free(pki);
    kubepki_files_free(received);
    kubepki_files_free(sent);
    kubepki_authorities_free(loaded);
    kubepki_authorities_free(arrived);
    kubepki_authorities_free(authorities);
    kubepki_node_free(worker);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

static void a_root_stands_above_the_authorities_of_a_cluster(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_profile *of_root = NULL, *of_intermediate = NULL;
    OK(kubepki_profile_new(cluster, NULL, LITERAL("root-ca"), LITERAL("Example Root"), &of_root));
    OK(kubepki_profile_new(cluster, NULL, LITERAL("intermediate"), LITERAL("Example Site"), &of_intermediate));
    OK(kubepki_profile_set_path_length(of_intermediate, 1));
    OK(kubepki_profile_set_lifetime(of_intermediate, 1000 * DAY));
    CHECK(is(kubepki_profile_role(of_root), "root-ca"));

    kubepki_issuer *root = NULL, *intermediate = NULL, *shortened = NULL, *read = NULL, *loaded = NULL;
    OK(kubepki_issuer_self_signed(of_root, NOW, &root));
    OK(kubepki_issuer_intermediate(root, of_intermediate, NOW, &intermediate));
    int64_t end = 0;
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_issuer_shortened_from(root, &end));
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_issuer_shortened_from(intermediate, &end));
    CHECK(end == 0);
    OK(kubepki_profile_set_lifetime(of_intermediate, 50 * 365 * DAY));
    OK(kubepki_issuer_intermediate(root, of_intermediate, NOW, &shortened));
    OK(kubepki_issuer_shortened_from(shortened, &end));
    CHECK(end > NOW + 49 * 365 * DAY && end <= NOW + 50 * 365 * DAY);
    kubepki_buffer *chain = NULL, *key = NULL;
    OK(kubepki_issuer_chain_pem(intermediate, &chain));
    OK(kubepki_issuer_key_pem(intermediate, &key));
    kubepki_text chain_pem = kubepki_buffer_text(chain), key_pem = kubepki_buffer_text(key);
    OK(kubepki_issuer_from_pem(chain_pem.data, chain_pem.len, key_pem.data, key_pem.len, &read));
    char chain_path[8192], key_path[8192];
    strcpy(chain_path, below("site.crt"));
    strcpy(key_path, below("site.key"));
    write_file(chain_path, chain_pem.data, chain_pem.len);
    write_file(key_path, key_pem.data, key_pem.len);
    OK(kubepki_issuer_load(chain_path, strlen(chain_path), key_path, strlen(key_path), &loaded));

    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create_under(loaded, cluster, NOW, &authorities));
    kubepki_files *files = NULL;
    OK(kubepki_authorities_files(authorities, &files));
    CHECK(contents(files, "pki/root-ca.crt").len > 0 && contents(files, "pki/intermediate.crt").len > 0);

    kubepki_files_free(files);
    kubepki_authorities_free(authorities);
    kubepki_buffer_free(key);
    kubepki_buffer_free(chain);
    kubepki_issuer_free(loaded);
    kubepki_issuer_free(read);
    kubepki_issuer_free(intermediate);
    kubepki_issuer_free(shortened);
    kubepki_issuer_free(root);
    kubepki_profile_free(of_intermediate);
    kubepki_profile_free(of_root);
    kubepki_cluster_free(cluster);
}

static void a_user_gets_a_certificate_a_kubeconfig_and_an_identity(void) {
    kubepki_cluster *cluster = a_cluster();
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create(cluster, NOW, &authorities));
    kubepki_profile *jane = a_user(cluster, "jane");
    OK(kubepki_profile_add_group(jane, LITERAL("developers")));
    OK(kubepki_profile_add_group(jane, LITERAL("testers")));
    OK(kubepki_profile_set_lifetime(jane, 7 * DAY));
    kubepki_credential *credential = NULL, *same = NULL;
    OK(kubepki_authorities_issue(authorities, jane, NOW, &credential));
    int64_t end = 0;
    OK(kubepki_credential_not_after(credential, &end));
    CHECK(end > NOW + 6 * DAY && end <= NOW + 7 * DAY);
    FAILS(KUBEPKI_ERROR_ABSENT, kubepki_credential_shortened_from(credential, &end));
    kubepki_text chain = kubepki_credential_chain_pem(credential), key = kubepki_credential_key_pem(credential);
    CHECK(contains(chain, "BEGIN CERTIFICATE") && contains(key, "PRIVATE KEY"));
    OK(kubepki_credential_from_pem(chain.data, chain.len, key.data, key.len, &same));
    kubepki_buffer *kubeconfig = NULL;
    OK(kubepki_credential_kubeconfig(same, cluster, authorities, &kubeconfig));
    kubepki_text yaml = kubepki_buffer_text(kubeconfig);
    CHECK(contains(yaml, "current-context: jane@default-cluster"));
    OK(kubepki_kubeconfig_check(yaml.data, yaml.len));

    kubepki_identity *identity = NULL;
    OK(kubepki_identity_from_pem(chain.data, chain.len, &identity));
    CHECK(is(kubepki_identity_user(identity), "jane") && kubepki_identity_uid(identity).data == NULL);
    CHECK(kubepki_identity_group_count(identity) == 2);
    CHECK(is(kubepki_identity_group_at(identity, 0), "testers"));
    CHECK(is(kubepki_identity_group_at(identity, 1), "developers"));
    CHECK(kubepki_identity_group_at(identity, 2).data == NULL && kubepki_identity_note_count(identity) == 0);
    kubepki_identity_free(identity);

    kubepki_issuer *issuer = NULL;
    OK(kubepki_authorities_issuer(authorities, LITERAL("kubernetes-ca"), &issuer));
    kubepki_profile *super_admin = NULL;
    OK(kubepki_profile_new(cluster, NULL, LITERAL("super-admin"), NULL, 0, &super_admin));
    OK(kubepki_profile_set_lifetime(super_admin, 20 * 366 * DAY));
    kubepki_credential *mighty = NULL;
    OK(kubepki_issuer_issue(issuer, super_admin, NOW, &mighty));
    OK(kubepki_credential_shortened_from(mighty, &end));
    CHECK(end > NOW + 19 * 366 * DAY);
    chain = kubepki_credential_chain_pem(mighty);
    OK(kubepki_identity_from_pem(chain.data, chain.len, &identity));
    CHECK(kubepki_identity_note_count(identity) == 1);
    CHECK(is(kubepki_identity_note_at(identity, 0).id, "authorization-bypassed"));
    CHECK(kubepki_identity_note_at(identity, 1).help.data == NULL);

    kubepki_profile *service = NULL;
    OK(kubepki_profile_new(cluster, NULL, LITERAL("service"), LITERAL("web.shop.svc"), &service));
    OK(kubepki_profile_add_san(service, LITERAL("192.0.2.99")));
    kubepki_buffer *certified = NULL;
    OK(kubepki_issuer_certify(issuer, service, chain.data, chain.len, NOW, &certified));
    CHECK(contains(kubepki_buffer_text(certified), "BEGIN CERTIFICATE"));
    kubepki_buffer_free(certified);
    certified = NULL;

    /* For the key of a request, if that has signed it. */
    kubepki_request *request = NULL;
    OK(kubepki_request_new(service, &request));
    kubepki_text csr = kubepki_request_csr_pem(request);
    OK(kubepki_issuer_certify(issuer, service, csr.data, csr.len, NOW, &certified));
    kubepki_credential *whole = NULL;
    key = kubepki_request_key_pem(request);
    kubepki_text leaf = kubepki_buffer_text(certified);
    OK(kubepki_credential_from_pem(leaf.data, leaf.len, key.data, key.len, &whole));
    char forged[4000];
    CHECK(csr.len < sizeof forged);
    memcpy(forged, csr.data, csr.len);
    char *inside = forged + csr.len / 2;
    *inside = *inside == 'A' ? 'B' : 'A';
    kubepki_buffer *none = NULL;
    kubepki_error *error = kubepki_issuer_certify(issuer, service, forged, csr.len, NOW, &none);
    CHECK(none == NULL && error != NULL);
    CHECK(kubepki_error_code(error) == KUBEPKI_ERROR_BAD_SIGNATURE || kubepki_error_code(error) == KUBEPKI_ERROR_MALFORMED);
    kubepki_error_free(error);
    kubepki_credential_free(whole);
    kubepki_request_free(request);

    kubepki_buffer_free(certified);
    kubepki_profile_free(service);
    kubepki_identity_free(identity);
    kubepki_credential_free(mighty);
    kubepki_profile_free(super_admin);
    kubepki_issuer_free(issuer);
    kubepki_buffer_free(kubeconfig);
    kubepki_credential_free(same);
    kubepki_credential_free(credential);
    kubepki_profile_free(jane);
    kubepki_authorities_free(authorities);
    kubepki_cluster_free(cluster);
}

static void what_ends_soon_is_found_and_renewed_on_disk(void) {
    kubepki_cluster *cluster = a_cluster(), *told = NULL;
    kubepki_node *node = a_node();
    kubepki_pki *made = NULL, *pki = NULL, *again = NULL, *copy = NULL;
    OK(kubepki_pki_create(cluster, node, NOW, &made));
    kubepki_layout *layout = a_layout(below("machine"));
    OK(kubepki_pki_save(made, layout));

    int64_t later = NOW + 350 * DAY;
    kubepki_store *store = NULL, *second = NULL;
    OK(kubepki_store_open(layout, &store));
    FAILS(KUBEPKI_ERROR_LOCKED, kubepki_store_open(layout, &second));
    CHECK(second == NULL);
    OK(kubepki_store_load(store, &pki));

    kubepki_findings *findings = NULL;
    OK(kubepki_pki_audit(pki, NULL, later, &findings));
    CHECK(kubepki_findings_worst(findings) == KUBEPKI_SEVERITY_WARNING && kubepki_findings_count(findings) > 5);
    kubepki_finding finding = kubepki_findings_at(findings, 0);
    CHECK(is(finding.id, "expires-soon") && finding.severity == KUBEPKI_SEVERITY_WARNING);
    CHECK(finding.role.len > 0 && finding.file.len > 0 && finding.expected.len > 0 && finding.found.len > 0);
    CHECK(contains(finding.mend, "plan"));
    CHECK(kubepki_findings_at(findings, kubepki_findings_count(findings)).id.data == NULL);
    CHECK(contains(kubepki_findings_text(findings), "expires-soon"));
    CHECK(contains(kubepki_findings_json(findings), "\"id\": \"expires-soon\""));
    kubepki_buffer *report = NULL;
    OK(kubepki_report_text(pki, findings, later, &report));
    CHECK(contains(kubepki_buffer_text(report), "pki/ca.crt"));
    kubepki_buffer_free(report);
    OK(kubepki_report_json(pki, findings, later, &report));
    CHECK(contains(kubepki_buffer_text(report), "\"certificates\""));
    kubepki_buffer_free(report);
    OK(kubepki_report_prometheus(pki, findings, later, &report));
    CHECK(contains(kubepki_buffer_text(report), "kubepki_findings{severity=\"error\"} 0"));
    kubepki_buffer_free(report);
    kubepki_findings_free(findings);

    OK(kubepki_pki_cluster(pki, &told));
    kubepki_buffer *kubeconfig = NULL;
    kubepki_credential *admin = NULL;
    kubepki_authorities *authorities = NULL;
    OK(kubepki_pki_credential(pki, LITERAL("admin"), &admin));
    OK(kubepki_pki_authorities(pki, &authorities));
    OK(kubepki_credential_kubeconfig(admin, told, authorities, &kubeconfig));
    CHECK(contains(kubepki_buffer_text(kubeconfig), "server: https://api.example.com:6443"));
    kubepki_authorities_free(authorities);
    kubepki_buffer_free(kubeconfig);
    kubepki_credential_free(admin);
    kubepki_plan *plan = NULL;
    kubepki_policy *policy = NULL;
    OK(kubepki_policy_new(&policy));
    OK(kubepki_policy_set_window(policy, 1));
    kubepki_expected *expected = NULL;
    OK(kubepki_expected_first(cluster, node, &expected));
    OK(kubepki_pki_plan(pki, expected, policy, later, &plan));
    CHECK(kubepki_plan_step_count(plan) == 0 && kubepki_plan_blocked_count(plan) == 0);
    CHECK(is(kubepki_plan_text(plan), "nothing to do\n"));
    kubepki_plan_free(plan);
    OK(kubepki_policy_keep_keys(policy));
    OK(kubepki_policy_renew_all(policy));
    OK(kubepki_pki_plan(pki, NULL, policy, later, &plan));
    CHECK(contains(kubepki_plan_json(plan), "\"action\": \"issue-for-same-key\""));
    kubepki_plan_free(plan);

    OK(kubepki_pki_plan(pki, NULL, NULL, later, &plan));
    CHECK(kubepki_plan_step_count(plan) > 5 && contains(kubepki_plan_text(plan), "issue with a new key"));
    OK(kubepki_plan_apply(plan, pki));
    FAILS(KUBEPKI_ERROR_CHANGED, kubepki_plan_apply(plan, pki));
    OK(kubepki_store_commit(store, pki));
    kubepki_store_free(store);

    OK(kubepki_pki_load(layout, &again));
    OK(kubepki_pki_audit(again, expected, later, &findings));
    CHECK(kubepki_findings_worst(findings) == KUBEPKI_SEVERITY_NONE && kubepki_findings_count(findings) == 0);
    kubepki_files *files = NULL;
    OK(kubepki_pki_files(again, &files));
    OK(kubepki_pki_from_files(files, &copy));
    OK(kubepki_pki_credential(copy, LITERAL("admin"), &admin));

    kubepki_credential_free(admin);
    kubepki_files_free(files);
    kubepki_findings_free(findings);
    kubepki_plan_free(plan);
    kubepki_policy_free(policy);
    kubepki_expected_free(expected);
    kubepki_cluster_free(told);
    kubepki_layout_free(layout);
    kubepki_pki_free(copy);
    kubepki_pki_free(again);
    kubepki_pki_free(pki);
    kubepki_pki_free(made);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
}

static void a_layout_says_where_files_lie(void) {
    kubepki_layout *layout = a_layout("/etc/kubernetes");
    OK(kubepki_layout_set_certificates(layout, LITERAL("/etc/kubernetes/ssl")));
    kubepki_buffer *path = NULL;
    OK(kubepki_layout_path(layout, LITERAL("etcd-ca"), LITERAL("key"), &path));
    CHECK(is(kubepki_buffer_text(path), "/etc/kubernetes/ssl/etcd/ca.key"));
    OK(kubepki_layout_set_root(layout, base, strlen(base)));
    kubepki_pki *pki = NULL;
    FAILS(KUBEPKI_ERROR_IO, kubepki_pki_load(layout, &pki));
    kubepki_buffer_free(path);
    kubepki_layout_free(layout);
}

static void kubeadms_configuration_describes_a_cluster_and_its_first_node(void) {
    static const char yaml[] = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
                               "kubernetesVersion: v1.36.3\nencryptionAlgorithm: ECDSA-P256\n"
                               "certificatesDir: /etc/kubernetes/ssl\napiServer: {certSans: [api.internal]}\n---\n"
                               "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n";
    const char *path = below("kubeadm.yaml");
    write_file(path, yaml, sizeof yaml - 1);
    kubepki_kubeadm *kubeadm = NULL, *same = NULL;
    OK(kubepki_kubeadm_from_yaml(yaml, sizeof yaml - 1, &kubeadm));
    OK(kubepki_kubeadm_load(path, strlen(path), &same));
    kubepki_kubeadm_free(same);
    kubepki_node *node = NULL, *first = NULL;
    kubepki_cluster *cluster = NULL;
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_kubeadm_node(kubeadm, &node));
    OK(kubepki_kubeadm_set_node_name(kubeadm, LITERAL("cp-1")));
    OK(kubepki_kubeadm_set_advertise_address(kubeadm, LITERAL("192.0.2.10")));
    OK(kubepki_kubeadm_set_endpoint(kubeadm, LITERAL("api.example.com")));
    OK(kubepki_kubeadm_node(kubeadm, &node));
    OK(kubepki_kubeadm_first_node(kubeadm, &first));
    OK(kubepki_kubeadm_cluster(kubeadm, &cluster));
    OK(kubepki_cluster_set_kubernetes_version(cluster, LITERAL("1.36")));
    kubepki_list *remarks = NULL;
    OK(kubepki_kubeadm_remarks(kubeadm, &remarks));
    CHECK(kubepki_list_count(remarks) == 1 && contains(kubepki_list_at(remarks, 0), "certSANs"));
    kubepki_layout *layout = NULL;
    OK(kubepki_kubeadm_layout(kubeadm, &layout));
    kubepki_manifest *configuration = NULL;
    kubepki_expected *expected = NULL;
    OK(kubepki_expected_first(cluster, first, &expected));
    OK(kubepki_expected_set_layout(expected, layout));
    OK(kubepki_manifest_kubelet_configuration(expected, &configuration));
    CHECK(contains(kubepki_manifest_yaml(configuration), "clientCAFile: /etc/kubernetes/ssl/ca.crt"));

    kubepki_manifest_free(configuration);
    kubepki_expected_free(expected);
    kubepki_layout_free(layout);
    kubepki_list_free(remarks);
    kubepki_cluster_free(cluster);
    kubepki_node_free(first);
    kubepki_node_free(node);
    kubepki_kubeadm_free(kubeadm);
}

static void a_manifest_is_yaml_and_json(void) {
    kubepki_manifest *manifests[3] = {NULL, NULL, NULL};
    OK(kubepki_manifest_cluster_admins_binding(&manifests[0]));
    OK(kubepki_manifest_apiserver_kubelet_client_binding(&manifests[1]));
    OK(kubepki_manifest_kubelet_api_admin_binding(&manifests[2]));
    for (size_t i = 0; i < 3; i++) {
        CHECK(contains(kubepki_manifest_yaml(manifests[i]), "kind: ClusterRoleBinding\n"));
        CHECK(contains(kubepki_manifest_json(manifests[i]), "\"kind\": \"ClusterRoleBinding\""));
        kubepki_manifest_free(manifests[i]);
    }
}

int main(int argc, char **argv) {
    begin(argc, argv);
    the_version_is_that_of_the_header();
    a_described_cluster_is_made_with_its_first_node();
    etcd_may_be_elsewhere_or_outside();
    authorities_travel_and_let_nodes_join();
    a_root_stands_above_the_authorities_of_a_cluster();
    a_user_gets_a_certificate_a_kubeconfig_and_an_identity();
    what_ends_soon_is_found_and_renewed_on_disk();
    a_layout_says_where_files_lie();
    kubeadms_configuration_describes_a_cluster_and_its_first_node();
    a_manifest_is_yaml_and_json();
    return 0;
}
