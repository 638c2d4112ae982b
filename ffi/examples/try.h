/* What every program wants: stop at the first error, say what it is, free everything. */
#ifndef TRY_H
#define TRY_H

#include <kubepki.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TRY(call)                 \
    do {                          \
        if ((error = (call))) {   \
            goto done;            \
        }                         \
    } while (0)

static inline void print(kubepki_text text) { fwrite(text.data, 1, text.len, stdout); }

/* Says what went wrong, if anything did; gives the status for main. */
static inline int finish(kubepki_error *error) {
    if (error == NULL) {
        return 0;
    }
    kubepki_text name = kubepki_error_name(error), message = kubepki_error_message(error);
    fprintf(stderr, "%.*s [%.*s]\n", (int)message.len, message.data, (int)name.len, name.data);
    kubepki_error_free(error);
    return 1;
}

#endif
