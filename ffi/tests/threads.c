/* Several threads create, issue, write, load, audit, plan and free; the memory of the process grows by no more than KIB
 * after the first tenth of the rounds. Usage: threads DIRECTORY THREADS ROUNDS KIB */
#define _XOPEN_SOURCE 700
#include <ftw.h>
#include <pthread.h>
#include <unistd.h>

#include "check.h"

#define MOST_THREADS 64

static kubepki_cluster *shared_cluster;
static kubepki_authorities *shared_authorities;
static kubepki_expected *shared_expected;
static kubepki_node *shared_worker;
static long rounds;

static void issue_and_read(void) {
    kubepki_authorities *authorities = NULL;
    OK(kubepki_authorities_create(shared_cluster, NOW, &authorities));
    kubepki_profile *jane = a_user(shared_cluster, "jane");
    const kubepki_authorities *both[] = {authorities, shared_authorities};
    for (size_t i = 0; i < 2; i++) {
        kubepki_credential *credential = NULL;
        OK(kubepki_authorities_issue(both[i], jane, NOW, &credential));
        kubepki_text chain = kubepki_credential_chain_pem(credential);
        kubepki_identity *identity = NULL;
        OK(kubepki_identity_from_pem(TEXT(chain), &identity));
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

static int remove_one(const char *path, const struct stat *unused, int kind, struct FTW *place) {
    (void)unused;
    (void)kind;
    (void)place;
    return remove(path);
}

/* A worker's files: below a directory that is not there before and afterwards. */
static void commit_and_audit(const char *directory) {
    kubepki_layout *layout = a_layout(directory);
    kubepki_store *store = NULL, *second = NULL;
    OK(kubepki_store_open(layout, &store));
    FAILS(KUBEPKI_ERROR_LOCKED, kubepki_store_open(layout, &second));
    kubepki_pki *made = NULL, *loaded = NULL;
    OK(kubepki_authorities_join(shared_authorities, shared_cluster, shared_worker, NOW, &made));
    OK(kubepki_store_commit(store, made));
    OK(kubepki_pki_save(made, layout));
    OK(kubepki_store_load(store, &loaded));
    kubepki_findings *findings = NULL;
    OK(kubepki_pki_audit(loaded, shared_expected, NOW, &findings));
    CHECK(kubepki_findings_count(findings) == 0);
    kubepki_findings_free(findings);
    kubepki_plan *plan = NULL;
    OK(kubepki_pki_plan(loaded, shared_expected, NULL, NOW + 360 * DAY, &plan));
    CHECK(kubepki_plan_step_count(plan) == 0 && kubepki_plan_blocked_count(plan) > 0);
    OK(kubepki_plan_apply(plan, loaded));
    OK(kubepki_store_commit(store, loaded));
    kubepki_plan_free(plan);
    kubepki_pki_free(loaded);
    kubepki_pki_free(made);
    kubepki_store_free(store);
    kubepki_layout_free(layout);
    CHECK(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void *run(void *directory) {
    for (long i = 0; i < rounds; i++) {
        issue_and_read();
        commit_and_audit(directory);
    }
    return NULL;
}

static void run_threads(size_t count) {
    static char directories[MOST_THREADS][8192];
    pthread_t threads[MOST_THREADS];
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "machine-%zu", i);
        strcpy(directories[i], below(name));
        CHECK(pthread_create(&threads[i], NULL, run, directories[i]) == 0);
    }
    for (size_t i = 0; i < count; i++) {
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
    CHECK(argc == 5);
    begin(2, argv);
    size_t count = (size_t)strtol(argv[2], NULL, 10);
    long all = strtol(argv[3], NULL, 10), most = strtol(argv[4], NULL, 10);
    CHECK(count <= MOST_THREADS);
    shared_cluster = a_cluster();
    OK(kubepki_node_worker(LITERAL("w-1"), &shared_worker));
    OK(kubepki_authorities_create(shared_cluster, NOW, &shared_authorities));
    OK(kubepki_expected_new(shared_cluster, shared_worker, &shared_expected));
    long before = 0, after = 0;
    for (int tenth = 0; tenth < 10; tenth++) {
        rounds = all / 10;
        run_threads(count);
        /* The first tenth fills the allocator's arenas. */
        *(tenth == 0 ? &before : &after) = resident();
    }
    printf("%ld KiB after a tenth of the rounds, %ld KiB after all\n", before, after);
    CHECK(after < before + most);
    kubepki_expected_free(shared_expected);
    kubepki_authorities_free(shared_authorities);
    kubepki_node_free(shared_worker);
    kubepki_cluster_free(shared_cluster);
    return 0;
}
