/* Several threads create, issue, read and free; the memory of the process grows by no more than KIB after the first tenth
 * of the rounds. Usage: threads THREADS ROUNDS KIB */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <unistd.h>

#include "check.h"

static kubepki_cluster *shared_cluster;
static kubepki_authorities *shared_authorities;
static long rounds;

static void one_round(void) {
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create(shared_cluster, NOW, &authorities));
    kubepki_profile *jane = a_user(shared_cluster, "jane");
    const kubepki_authorities *both[] = {authorities, shared_authorities};
    for (size_t i = 0; i < 2; i++) {
        kubepki_credential *credential = NULL;
        OK(kubepki_authorities_issue(both[i], jane, NOW, &credential));
        kubepki_text chain = kubepki_credential_chain_pem(credential);
        kubepki_identity *identity = NULL;
        OK(kubepki_identity_from_pem(chain.data, chain.len, &identity));
        CHECK(is(kubepki_identity_user(identity), "jane"));
        kubepki_identity_free(identity);
        kubepki_credential_free(credential);
    }
    kubepki_files *files = NULL;
    kubepki_pki *pki = NULL;
    OK(kubepki_authorities_files(authorities, &files));
    OK(kubepki_pki_from_files(files, &pki));
    kubepki_pki_free(pki);
    kubepki_files_free(files);
    kubepki_credential *none = NULL;
    FAILS(KUBEPKI_ERROR_INVALID, kubepki_authorities_issue(shared_authorities, jane, -1, &none));
    kubepki_profile_free(jane);
    kubepki_authorities_free(authorities);
}

static void *run(void *unused) {
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        one_round();
    }
    return NULL;
}

static void run_threads(long count) {
    pthread_t threads[64];
    CHECK(count <= 64);
    for (long i = 0; i < count; i++) {
        CHECK(pthread_create(&threads[i], NULL, run, NULL) == 0);
    }
    for (long i = 0; i < count; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

/* The resident pages of this process, in KiB. */
static long resident(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1 && fclose(file) == 0);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv) {
    CHECK(argc == 4);
    long count = strtol(argv[1], NULL, 10), all = strtol(argv[2], NULL, 10), most = strtol(argv[3], NULL, 10);
    shared_cluster = a_cluster();
    OK(kubepki_authorities_create(shared_cluster, NOW, &shared_authorities));
    long before = 0, after = 0;
    for (int tenth = 0; tenth < 10; tenth++) {
        rounds = all / 10;
        run_threads(count);
        /* The first tenth fills the allocator's arenas. */
        *(tenth == 0 ? &before : &after) = resident();
    }
    printf("%ld KiB after a tenth of the rounds, %ld KiB after all\n", before, after);
    CHECK(after < before + most);
    kubepki_authorities_free(shared_authorities);
    kubepki_cluster_free(shared_cluster);
    return 0;
}
