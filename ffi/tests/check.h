/* What the C tests share. A test fails by ending the program. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <kubepki.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LITERAL KUBEPKI_LITERAL

/* The bytes of a text. */
#define TEXT(text) (text).data, (text).len

/* 2026-11-22T09:00:00Z */
#define NOW INT64_C(1795338000)
#define DAY INT64_C(86400)

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                \
        }                                                                           \
    } while (0)

/* The call succeeds. */
#define OK(call) succeeds(call, __FILE__, __LINE__)

/* The call fails with this code, and frees its error. */
#define FAILS(code, call) fails(code, call, __FILE__, __LINE__)

static inline void succeeds(kubepki_error *error, const char *file, int line) {
    if (error != NULL) {
        kubepki_text message = kubepki_error_message(error);
        fprintf(stderr, "%s:%d: %.*s\n", file, line, (int)message.len, message.data);
        exit(1);
    }
}

static inline void fails(kubepki_code code, kubepki_error *error, const char *file, int line) {
    kubepki_text message = kubepki_error_message(error);
    if (kubepki_error_code(error) != code) {
        fprintf(stderr, "%s:%d: expected code %u, found %u: %.*s\n", file, line, (unsigned)code,
                (unsigned)kubepki_error_code(error), (int)message.len, message.data);
        exit(1);
    }
    CHECK(error == NULL || message.len > 0);
    kubepki_error_free(error);
}

static inline int is(kubepki_text text, const char *expected) {
    return text.len == strlen(expected) && (text.len == 0 || memcmp(text.data, expected, text.len) == 0);
}

static inline int contains(kubepki_text text, const char *part) {
    size_t len = strlen(part);
    for (size_t at = 0; at + len <= text.len; at++) {
        if (memcmp(text.data + at, part, len) == 0) {
            return 1;
        }
    }
    return 0;
}

static inline void write_file(const char *path, const void *bytes, size_t len) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

/* The directory of a test, which is empty at first. */
static char base[4096];

/* What every test does first: usage: TEST DIRECTORY. */
static inline void begin(int argc, char **argv) {
    CHECK(argc == 2 && strlen(argv[1]) < sizeof base);
    strcpy(base, argv[1]);
}

/* A path below it, until the fourth call from now. */
static inline const char *below(const char *name) {
    static char paths[4][8192];
    static unsigned calls;
    char *path = paths[calls++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", base, name);
    return path;
}

/* A cluster whose keys are made fast. */
static inline kubepki_cluster *a_cluster(void) {
    kubepki_cluster *cluster = NULL;
    OK(kubepki_cluster_new(LITERAL("api.example.com:6443"), &cluster));
    OK(kubepki_cluster_set_key_algorithm(cluster, LITERAL("ecdsa-p256")));
    return cluster;
}

static inline kubepki_node *a_node(void) {
    kubepki_node *node = NULL;
    OK(kubepki_node_control_plane(LITERAL("cp-1"), LITERAL("192.0.2.10"), &node));
    return node;
}

static inline kubepki_layout *a_layout(const char *directory) {
    kubepki_layout *layout = NULL;
    OK(kubepki_layout_new(directory, strlen(directory), &layout));
    return layout;
}

static inline kubepki_profile *a_user(const kubepki_cluster *cluster, const char *name) {
    kubepki_profile *profile = NULL;
    OK(kubepki_profile_new(cluster, NULL, LITERAL("user"), name, strlen(name), &profile));
    return profile;
}

/* How many of a list begin like this. */
static inline int count_of(const kubepki_list *list, const char *beginning) {
    int found = 0;
    for (size_t i = 0; i < kubepki_list_count(list); i++) {
        kubepki_text text = kubepki_list_at(list, i);
        size_t len = strlen(beginning);
        found += text.len >= len && memcmp(text.data, beginning, len) == 0;
    }
    return found;
}

/* The contents of one of some files; nothing when it is not there. */
static inline kubepki_bytes contents(const kubepki_files *files, const char *path) {
    kubepki_bytes none = {NULL, 0};
    for (size_t i = 0; i < kubepki_files_count(files); i++) {
        kubepki_file file = kubepki_files_at(files, i);
        if (is(file.path, path)) {
            return file.bytes;
        }
    }
    return none;
}

#endif
