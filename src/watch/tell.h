/*
 * Where alarms go besides the output: a command, a webhook, syslog. Each is told once; what cannot
 * be told there is counted, with why, and does not hold up the watching.
 *
 * A command gets the alarm as JSON on its standard input. It is run as it is, without a shell:
 * words are split at blanks, '…' and "…" hold words together.
 *
 * A webhook is a POST of the same JSON with the header
 *   Tutela-Signature: t=SECONDS,v1=HEX
 * HEX being HMAC-SHA-256 under the key over "SECONDS." and the body: whoever has the key can tell
 * that it is from here, and how old it is.
 */
#ifndef TUT_WATCH_TELL_H
#define TUT_WATCH_TELL_H

#include "base/time.h"
#include "watch/series.h"

enum { TUT_TELL_WORDS = 32, TUT_TELL_SIGNATURE = 96, TUT_TELL_COMMAND_MS = 10000 };

typedef struct tut_tell {
    const char *command; /* or NULL, as each of these */
    const char *url;
    tut_str key; /* of the webhook; empty: not signed */
    bool to_syslog;
    uint64_t told, failed;
    char why[TUT_ERROR_TEXT_MAX]; /* of the first failure */
} tut_tell;

/* tutela.alarm/1: one object, without a line end. */
TUT_MUST tut_status tut_alarm_json(const tut_alarm *a, tut_buf *out, tut_error *err);
/* Whether an episode is over: back to what was, or become the new usual. */
bool tut_alarm_ends(const tut_alarm *a);
/* "latency: up at 2026-11-29T12:00:00Z, 0.2 before, 0.31 after (cusum)" */
void tut_alarm_text(const tut_alarm *a, tut_buf *out);
void tut_tell_alarm(tut_tell *t, const tut_alarm *a, tut_str json);
/* The header's value. */
TUT_MUST tut_status tut_tell_sign(tut_str key, tut_time at, tut_str body,
                                  char ret_value[TUT_TELL_SIGNATURE], tut_error *err);
/* Splits in place of a copy; USAGE for an open quote or too many words. */
TUT_MUST tut_status tut_tell_split(char *command, char *words[TUT_TELL_WORDS + 1], tut_error *err);

#endif
