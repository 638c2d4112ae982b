/* Lets a worker join a cluster whose authority's key is elsewhere. What an HSM or a KMS would do, the openssl command
 * does here: it alone reads the key.
 * Usage: sign_with_callback DIRECTORY KEY WORKER-DIRECTORY
 * DIRECTORY holds pki/ca.crt and no pki/ca.key: KEY is the file of that, elsewhere. */
#include "try.h"

#include <stdlib.h>

/* Answers by a signature, or by the reason why there is none. A real one would send to_sign->digest to the HSM. */
static void sign(void *user, const kubepki_to_sign *to_sign, kubepki_answer *answer) {
    char *const *paths = user; /* the key, the message, the signature */
    char command[4096];
    uint8_t signature[1024];
    FILE *file = fopen(paths[1], "wb");
    if (file == NULL || fwrite(to_sign->message.data, 1, to_sign->message.len, file) != to_sign->message.len ||
        fclose(file) != 0) {
        kubepki_answer_failure(answer, KUBEPKI_LITERAL("the message cannot be written"));
        return;
    }
    /* Keys of P-384 would need -sha384: to_sign->algorithm says so. */
    snprintf(command, sizeof command, "openssl dgst -sha256 -sign '%s' -out '%s' '%s'", paths[0], paths[2], paths[1]);
    if (system(command) != 0 || (file = fopen(paths[2], "rb")) == NULL) {
        kubepki_answer_failure(answer, KUBEPKI_LITERAL("openssl has not signed"));
        return;
    }
    kubepki_answer_signature(answer, signature, fread(signature, 1, sizeof signature, file));
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: sign_with_callback DIRECTORY KEY WORKER-DIRECTORY\n");
        return 2;
    }
    int64_t now = (int64_t)time(NULL);
    char message[1024], signature[1024];
    snprintf(message, sizeof message, "%s.message", argv[3]);
    snprintf(signature, sizeof signature, "%s.signature", argv[3]);
    char *paths[] = {argv[2], message, signature};
    kubepki_error *error = NULL;
    kubepki_authorities *authorities = NULL;
    kubepki_buffer *certificates = NULL;
    kubepki_signer *signer = NULL;
    kubepki_cluster *cluster = NULL;
    kubepki_node *worker = NULL;
    kubepki_pki *pki = NULL;
    kubepki_layout *layout = NULL;

    TRY(kubepki_authorities_load(argv[1], strlen(argv[1]), &authorities));
    /* The signer's public key is that of the authority's certificate. */
    TRY(kubepki_authorities_trust_store_pem(authorities, &certificates));
    kubepki_text pem = kubepki_buffer_text(certificates);
    TRY(kubepki_signer_new(pem.data, pem.len, sign, paths, NULL, &signer));
    TRY(kubepki_authorities_attach(authorities, KUBEPKI_LITERAL("kubernetes-ca"), signer));

    TRY(kubepki_cluster_new(KUBEPKI_LITERAL("api.example.com:6443"), &cluster));
    TRY(kubepki_node_worker(KUBEPKI_LITERAL("w-1"), &worker));
    TRY(kubepki_node_add_address(worker, KUBEPKI_LITERAL("192.0.2.20")));
    TRY(kubepki_authorities_join(authorities, cluster, worker, now, &pki));
    TRY(kubepki_layout_new(argv[3], strlen(argv[3]), &layout));
    TRY(kubepki_pki_save(pki, layout));

done:
    remove(message);
    remove(signature);
    kubepki_layout_free(layout);
    kubepki_pki_free(pki);
    kubepki_node_free(worker);
    kubepki_cluster_free(cluster);
    kubepki_signer_free(signer);
    kubepki_buffer_free(certificates);
    kubepki_authorities_free(authorities);
    return finish(error);
}
