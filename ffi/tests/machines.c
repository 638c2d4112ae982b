/* What is expected of machines, and several of them saved at once. Usage: machines DIRECTORY, which is empty. */
#define _POSIX_C_SOURCE 200809L
#include <sys/stat.h>

#include "check.h"

/* Two control-plane nodes of a cluster. */
static kubepki_cluster *cluster;
static kubepki_node *first, *later;
static kubepki_pki *of_first, *of_later;

static void make(void) {
    cluster = a_cluster();
    first = a_node();
    OK(kubepki_node_control_plane(LITERAL("cp-2"), LITERAL("192.0.2.11"), &later));
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create(cluster, NOW, &authorities));
    OK(kubepki_authorities_first(authorities, cluster, first, NOW, &of_first));
    OK(kubepki_authorities_join(authorities, cluster, later, NOW, &of_later));
    kubepki_authorities_free(authorities);
}

static void unmake(void) {
    kubepki_pki_free(of_later);
    kubepki_pki_free(of_first);
    kubepki_node_free(later);
    kubepki_node_free(first);
    kubepki_cluster_free(cluster);
}

static void only_the_first_node_of_a_cluster_is_expected_to_have_super_admin_conf(void) {
    kubepki_expected *as_first = NULL, *as_later = NULL;
    OK(kubepki_expected_first(cluster, later, &as_first));
    OK(kubepki_expected_new(cluster, later, &as_later));
    kubepki_findings *findings = NULL;
    OK(kubepki_pki_audit(of_later, as_later, NOW, &findings));
    CHECK(kubepki_findings_count(findings) == 0);
    kubepki_findings_free(findings);
    OK(kubepki_pki_audit(of_later, as_first, NOW, &findings));
    CHECK(kubepki_findings_count(findings) == 1);
    kubepki_finding finding = kubepki_findings_at(findings, 0);
    CHECK(is(finding.id, "missing-file") && is(finding.role, "super-admin") && is(finding.file, "super-admin.conf"));
    kubepki_findings_free(findings);

    kubepki_plan *plan = NULL;
    OK(kubepki_pki_plan(of_later, as_later, NULL, NOW, &plan));
    CHECK(kubepki_plan_step_count(plan) == 0);
    kubepki_plan_free(plan);
    OK(kubepki_pki_plan(of_later, as_first, NULL, NOW, &plan));
    CHECK(kubepki_plan_step_count(plan) == 1 && contains(kubepki_plan_text(plan), "super-admin"));
    kubepki_plan_free(plan);
    kubepki_expected_free(as_later);
    kubepki_expected_free(as_first);
}

/* How many arguments of a component begin like this. */
static int arguments(const kubepki_expected *expected, const char *component, const char *beginning) {
    kubepki_list *list = NULL;
    OK(kubepki_expected_arguments(expected, component, strlen(component), &list));
    CHECK(kubepki_list_count(list) > 0);
    int count = count_of(list, beginning);
    kubepki_list_free(list);
    return count;
}

static void arguments_name_the_files_where_they_lie_and_no_key_that_is_elsewhere(void) {
    static const char manager[] = "kube-controller-manager";
    kubepki_expected *expected = NULL;
    OK(kubepki_expected_first(cluster, first, &expected));
    CHECK(arguments(expected, "kube-apiserver", "--client-ca-file=/etc/kubernetes/pki/ca.crt") == 1);
    CHECK(arguments(expected, manager, "--cluster-signing-") == 2);

    kubepki_layout *layout = a_layout("/opt/k8s");
    OK(kubepki_layout_set_certificates(layout, LITERAL("/opt/ssl")));
    OK(kubepki_expected_set_layout(expected, layout));
    kubepki_layout_free(layout);
    CHECK(arguments(expected, "kube-apiserver", "--client-ca-file=/opt/ssl/ca.crt") == 1);
    CHECK(arguments(expected, manager, "--kubeconfig=/opt/k8s/controller-manager.conf") == 1);
    CHECK(arguments(expected, manager, "--cluster-signing-key-file=/opt/ssl/ca.key") == 1);

    OK(kubepki_expected_add_external(expected, LITERAL("etcd-ca")));
    OK(kubepki_expected_add_external(expected, LITERAL("front-proxy-ca")));
    CHECK(arguments(expected, manager, "--cluster-signing-") == 2);
    OK(kubepki_expected_add_external(expected, LITERAL("kubernetes-ca")));
    OK(kubepki_expected_add_external(expected, LITERAL("kubernetes-ca")));
    CHECK(arguments(expected, manager, "--cluster-signing-") == 0);
    CHECK(arguments(expected, manager, "--root-ca-file=/opt/ssl/ca.crt") == 1);
    kubepki_expected_free(expected);
}

static int is_there(const char *name) {
    struct stat unused;
    return stat(below(name), &unused) == 0;
}

static void machines_are_saved_all_or_none(void) {
    const kubepki_pki *pkis[] = {of_first, of_later};
    const kubepki_layout *layouts[2];
    kubepki_layout *one = a_layout(below("one")), *other = a_layout(below("other"));
    layouts[0] = one;
    layouts[1] = other;
    CHECK(mkdir(below("other"), 0755) == 0);
    write_file(below("other/kubelet.conf"), "x", 1);
    for (int turned = 0; turned < 2; turned++) {
        FAILS(KUBEPKI_ERROR_EXISTS, kubepki_pki_save_all(pkis, layouts, 2));
        CHECK(!is_there("one") && !is_there("other/pki") && !is_there("other/admin.conf"));
        pkis[0] = of_later, pkis[1] = of_first;
        layouts[0] = other, layouts[1] = one;
    }
    CHECK(remove(below("other/kubelet.conf")) == 0);

    /* A directory that cannot be made is found out only after the first machine has been written beside its place. */
    kubepki_layout *below_a_file = a_layout(below("file/kubernetes"));
    write_file(below("file"), "x", 1);
    pkis[0] = of_first, pkis[1] = of_later;
    layouts[0] = one, layouts[1] = below_a_file;
    kubepki_error *error = kubepki_pki_save_all(pkis, layouts, 2);
    CHECK(kubepki_error_os_error(error) == ENOTDIR && kubepki_error_place_at(error, 0).kind == KUBEPKI_PLACE_FILE);
    FAILS(KUBEPKI_ERROR_IO, error);
    CHECK(!is_there("one"));

    /* One directory is not for two machines. */
    layouts[1] = one;
    FAILS(KUBEPKI_ERROR_EXISTS, kubepki_pki_save_all(pkis, layouts, 2));
    CHECK(!is_there("one"));

    layouts[1] = other;
    for (int again = 0; again < 2; again++) {
        OK(kubepki_pki_save_all(pkis, layouts, 2));
        CHECK(is_there("one/super-admin.conf") && is_there("one/pki/apiserver.key"));
        CHECK(!is_there("other/super-admin.conf") && is_there("other/pki/apiserver.key"));
    }
    kubepki_layout_free(below_a_file);
    kubepki_layout_free(other);
    kubepki_layout_free(one);
}

static void no_machines_are_saved_as_well(void) {
    const kubepki_pki *pkis[] = {NULL};
    const kubepki_layout *layouts[] = {NULL};
    OK(kubepki_pki_save_all(NULL, NULL, 0));
    OK(kubepki_pki_save_all(pkis, layouts, 0));
}

static void what_is_not_there_has_the_operating_systems_number(void) {
    char path[8192];
    strcpy(path, below("nowhere"));
    const size_t len = strlen(path);
    kubepki_layout *layout = a_layout(path);
    kubepki_pki *pki = NULL;
    kubepki_kubeadm *kubeadm = NULL;
    kubepki_authorities *authorities = NULL;
    kubepki_issuer *issuer = NULL;
    kubepki_error *errors[] = {
        kubepki_pki_load(layout, &pki),
        kubepki_kubeadm_load(path, len, &kubeadm),
        kubepki_authorities_load(path, len, &authorities),
        kubepki_issuer_load(path, len, path, len, &issuer),
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        CHECK(kubepki_error_os_error(errors[i]) == ENOENT && is(kubepki_error_place_at(errors[i], 0).text, path));
        FAILS(KUBEPKI_ERROR_IO, errors[i]);
    }
    /* Other failures have none. */
    kubepki_error *error = kubepki_kubeadm_from_yaml(LITERAL("["), &kubeadm);
    CHECK(kubepki_error_os_error(error) == 0);
    FAILS(KUBEPKI_ERROR_MALFORMED, error);
    CHECK(pki == NULL && kubeadm == NULL && authorities == NULL && issuer == NULL);
    kubepki_layout_free(layout);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    make();
    only_the_first_node_of_a_cluster_is_expected_to_have_super_admin_conf();
    arguments_name_the_files_where_they_lie_and_no_key_that_is_elsewhere();
    machines_are_saved_all_or_none();
    no_machines_are_saved_as_well();
    what_is_not_there_has_the_operating_systems_number();
    unmake();
    return 0;
}
