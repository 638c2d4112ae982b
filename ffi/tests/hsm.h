/* Keys that only the openssl command reads, as only an HSM would. */
#ifndef HSM_H
#define HSM_H

#include "check.h"

/* Reads a file: how many bytes it has. */
static inline size_t read_file(const char *path, void *bytes, size_t most) {
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    size_t len = fread(bytes, 1, most, file);
    CHECK(len < most && fclose(file) == 0);
    return len;
}

/* Runs a command with paths in it. */
#define RUN(...)                                                                        \
    do {                                                                                \
        char command[30000];                                                            \
        CHECK((size_t)snprintf(command, sizeof command, __VA_ARGS__) < sizeof command); \
        CHECK(system(command) == 0);                                                    \
    } while (0)

/* Signs with the key in a file, and answers. */
static inline void sign_by_openssl(const char *key, const kubepki_to_sign *to_sign, kubepki_answer *answer) {
    uint8_t signature[1024];
    write_file(below("message"), to_sign->message.data, to_sign->message.len);
    RUN("openssl dgst -sha256 -sign '%s' -out '%s/signature' '%s/message'", key, base, base);
    kubepki_answer_signature(answer, signature, read_file(below("signature"), signature, sizeof signature));
}

/* Makes a key, which goes to a file, and gives its public key in PEM. */
static inline size_t a_key(const char *path, char *public_pem, size_t most) {
    kubepki_buffer *key = NULL;
    OK(kubepki_key_generate(LITERAL("ecdsa-p256"), &key));
    kubepki_text pem = kubepki_buffer_text(key);
    write_file(path, pem.data, pem.len);
    kubepki_buffer_free(key);
    RUN("openssl pkey -in '%s' -pubout -out '%s/public'", path, base);
    return read_file(below("public"), public_pem, most);
}

/* An authority with a certificate of its own. */
static inline kubepki_issuer *an_authority(const kubepki_cluster *cluster, const char *role, const char *name,
                                           const kubepki_signer *signer) {
    kubepki_profile *profile = NULL;
    OK(kubepki_profile_new(cluster, NULL, role, strlen(role), name, strlen(name), &profile));
    kubepki_issuer *issuer = NULL;
    OK(kubepki_issuer_self_signed_by(profile, signer, NOW, &issuer));
    kubepki_profile_free(profile);
    return issuer;
}

/* A service-account key, and no authorities yet. */
static inline kubepki_authorities *no_authorities(void) {
    kubepki_buffer *key = NULL;
    OK(kubepki_key_generate(LITERAL("ecdsa-p384"), &key));
    kubepki_text pem = kubepki_buffer_text(key);
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_new(TEXT(pem), &authorities));
    kubepki_buffer_free(key);
    return authorities;
}

static inline kubepki_error *add(kubepki_authorities *authorities, const char *role, const kubepki_issuer *issuer) {
    return kubepki_authorities_add(authorities, role, strlen(role), issuer);
}

#endif
