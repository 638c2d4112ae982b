/* Makes a new cluster's authorities and all files of its first control-plane node.
 * Usage: create_cluster DIRECTORY */
#include "try.h"

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: create_cluster DIRECTORY\n");
        return 2;
    }
    int64_t now = (int64_t)time(NULL);
    kubepki_error *error = NULL;
    kubepki_cluster *cluster = NULL;
    kubepki_node *node = NULL;
    kubepki_layout *layout = NULL;
    kubepki_pki *pki = NULL;
    kubepki_files *files = NULL;
    kubepki_list *arguments = NULL;
    kubepki_manifest *binding = NULL;

    TRY(kubepki_cluster_new(KUBEPKI_LITERAL("api.example.com:6443"), &cluster));
    TRY(kubepki_cluster_add_service_subnet(cluster, KUBEPKI_LITERAL("10.96.0.0/12")));
    TRY(kubepki_cluster_set_key_algorithm(cluster, KUBEPKI_LITERAL("ecdsa-p256")));
    TRY(kubepki_node_control_plane(KUBEPKI_LITERAL("cp-1"), KUBEPKI_LITERAL("192.0.2.10"), &node));
    TRY(kubepki_pki_create(cluster, node, now, &pki));
    TRY(kubepki_layout_new(argv[1], strlen(argv[1]), &layout));
    TRY(kubepki_pki_save(pki, layout));

    TRY(kubepki_pki_files(pki, &files));
    for (size_t i = 0; i < kubepki_files_count(files); i++) {
        kubepki_file file = kubepki_files_at(files, i);
        printf("%04o %.*s\n", (unsigned)file.mode, (int)file.path.len, file.path.data);
    }
    printf("\nkube-apiserver:\n");
    TRY(kubepki_pki_arguments(pki, KUBEPKI_LITERAL("kube-apiserver"), &arguments));
    for (size_t i = 0; i < kubepki_list_count(arguments); i++) {
        print(kubepki_list_at(arguments, i));
        printf("\n");
    }
    printf("\nadmin.conf has power once this is applied:\n");
    TRY(kubepki_manifest_cluster_admins_binding(&binding));
    print(kubepki_manifest_yaml(binding));

done:
    kubepki_manifest_free(binding);
    kubepki_list_free(arguments);
    kubepki_files_free(files);
    kubepki_pki_free(pki);
    kubepki_layout_free(layout);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
    return finish(error);
}
