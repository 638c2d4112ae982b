/* Says what is wrong with a machine's files, what would be done about it, and with --renew does it.
 * Usage: audit_renew DIRECTORY [--renew]
 * Exit code: 0 when nothing is wrong or due, 1 for an error, 2 for other arguments, 3 when something is. */
#include "try.h"

int main(int argc, char **argv) {
    int renew = argc == 3 && strcmp(argv[2], "--renew") == 0;
    if ((argc != 2 && !renew) || argv[1][0] == '-') {
        fprintf(stderr, "usage: audit_renew DIRECTORY [--renew]\n");
        return 2;
    }
    int64_t now = (int64_t)time(NULL);
    int is_due = 0;
    kubepki_error *error = NULL;
    kubepki_layout *layout = NULL;
    kubepki_store *store = NULL;
    kubepki_pki *pki = NULL;
    kubepki_findings *findings = NULL;
    kubepki_policy *policy = NULL;
    kubepki_plan *plan = NULL;

    TRY(kubepki_layout_new(argv[1], strlen(argv[1]), &layout));
    if (renew) {
        /* Under a lock, from here to the commit. */
        TRY(kubepki_store_open(layout, &store));
        TRY(kubepki_store_load(store, &pki));
    } else {
        TRY(kubepki_pki_load(layout, &pki));
    }

    /* Nothing is expected beforehand: judged by what the files themselves tell. */
    TRY(kubepki_pki_audit(pki, NULL, now, &findings));
    print(kubepki_findings_text(findings));
    TRY(kubepki_policy_new(&policy));
    TRY(kubepki_policy_set_window(policy, UINT64_C(60) * 86400));
    TRY(kubepki_pki_plan(pki, NULL, policy, now, &plan));
    print(kubepki_plan_text(plan));

    if (renew) {
        TRY(kubepki_plan_apply(plan, pki));
        TRY(kubepki_store_commit(store, pki));
    }
    is_due = kubepki_plan_blocked_count(plan) > 0 || (!renew && kubepki_plan_step_count(plan) > 0);

done:
    kubepki_plan_free(plan);
    kubepki_policy_free(policy);
    kubepki_findings_free(findings);
    kubepki_pki_free(pki);
    kubepki_store_free(store);
    kubepki_layout_free(layout);
    return finish(error) ? 1 : is_due ? 3 : 0;
}
