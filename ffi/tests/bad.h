/* What comes in where it should not. */
#ifndef BAD_H
#define BAD_H

#include "check.h"

/* The call fails somehow, by what it was given and not by a fault of the library. */
#define REFUSES(call) refuses(call, __FILE__, __LINE__)

static inline void refuses(kubepki_error *error, const char *file, int line) {
    kubepki_code code = kubepki_error_code(error);
    if (code == KUBEPKI_OK || code == KUBEPKI_ERROR_INTERNAL || code == KUBEPKI_ERROR_OTHER) {
        kubepki_text message = kubepki_error_message(error);
        fprintf(stderr, "%s:%d: not refused: %u %.*s\n", file, line, (unsigned)code, (int)message.len, message.data);
        exit(1);
    }
    kubepki_error_free(error);
}

/* The call fails because the parameter of this name is NULL, and says so. */
#define MISSES(name, call) misses(name, call, __FILE__, __LINE__)

static inline void misses(const char *name, kubepki_error *error, const char *file, int line) {
    kubepki_place place = kubepki_error_place_at(error, 0);
    if (kubepki_error_code(error) != KUBEPKI_ERROR_NULL || kubepki_error_place_count(error) != 1 ||
        place.kind != KUBEPKI_PLACE_FIELD || !is(place.text, name)) {
        kubepki_text message = kubepki_error_message(error);
        fprintf(stderr, "%s:%d: not that %s is NULL: %.*s\n", file, line, name, (int)message.len, message.data);
        exit(1);
    }
    kubepki_error_free(error);
}

/* A callback that gives no answer. */
static inline void says_nothing(void *user, const kubepki_to_sign *to_sign, kubepki_answer *answer) {
    (void)user;
    (void)to_sign;
    (void)answer;
}

/* A text that is too long for anything; `fill` makes it one. */
static char LONG[100000];

static inline void fill(void) { memset(LONG, 'a', sizeof LONG); }

/* Texts that mean nothing anywhere: first those that are none. Those of a huge length are never read. */
static const struct {
    const char *data;
    size_t len;
} BAD[] = {
    {NULL, 1},     {NULL, SIZE_MAX}, {"x", SIZE_MAX}, {"x", SIZE_MAX / 2 + 1}, {"\xff\xfe", 2},        {"a\xc3", 2}, {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4},
    {"a\0b", 3},   {"a\nb", 3},      {" no such thing", 14}, {"", 0},          {NULL, 0},              {LONG, sizeof LONG},
};
#define BADS (sizeof BAD / sizeof *BAD)
#define NO_TEXTS 8
/* Those before the empty ones. */
#define BAD_UNLESS_EMPTY 11

#define EACH(function, table) for (size_t function = 0; function < sizeof table / sizeof *table; function++)

#endif
