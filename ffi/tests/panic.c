/* A bug of the library: this program's clock fails, which Rust's standard library takes for impossible and panics. The
 * panic is caught, and what was begun is undone. Usage: panic DIRECTORY, which is empty. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "check.h"

static int calls;

int clock_gettime(clockid_t clock, struct timespec *out) {
    (void)clock;
    (void)out;
    calls++;
    errno = EINVAL;
    return -1;
}

int main(int argc, char **argv) {
    begin(argc, argv);
    kubepki_cluster *cluster = a_cluster();
    kubepki_node *node = a_node();
    kubepki_pki *pki = NULL;
    OK(kubepki_pki_create(cluster, node, NOW, &pki));
    kubepki_layout *layout = a_layout(below("kubernetes"));
    FAILS(KUBEPKI_ERROR_INTERNAL, kubepki_pki_save(pki, layout));
    struct stat found;
    CHECK(calls == 1 && stat(below("kubernetes"), &found) == -1 && errno == ENOENT);
    kubepki_layout_free(layout);
    kubepki_pki_free(pki);
    kubepki_node_free(node);
    kubepki_cluster_free(cluster);
    return 0;
}
