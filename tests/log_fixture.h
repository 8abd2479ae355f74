/* What the tests of the log share: a directory, a key, entries that are easy to tell apart. */
#ifndef TESTS_LOG_FIXTURE_H
#define TESTS_LOG_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/log_internal.h"

#define FIXTURE_ORIGIN "example.com/log"

typedef struct log_fixture {
    char root[64], dir[96], anchor[96];
    tut_key *key;
    tut_log_signer signer;
    tut_verifier verifier;
    tut_log_options options;
} log_fixture;

static inline void fixture_must(tut_status s, const tut_error *err, const char *what)
{
    if (tut_is_ok(s))
        return;
    (void)fprintf(stderr, "%s: %s: %s: %s\n", what, tut_code_name(s.code), err ? err->path : "",
                  err ? err->text : "");
    abort();
}

/* A line for the shell, run in `where`. */
static inline void fixture_run(const char *line, const char *where)
{
    char command[512];
    (void)snprintf(command, sizeof(command), "cd '%s' && %s", where, line);
    FILE *p = popen(command, "r");
    if (!p || pclose(p) != 0)
        abort();
}

static inline void fixture_wipe(const log_fixture *f)
{
    fixture_run("rm -rf -- ./*", f->root);
}

static inline void fixture_make(log_fixture *f, const char *name)
{
    tut_error err = {0};
    /* Thousands of logs are opened here; what a disk that loses power leaves is acted out. */
    const char *tmp = getenv("TMPDIR");
    if (!tmp)
        tmp = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(f->root, sizeof(f->root), "%.30s/tutela-%.12s-XXXXXX", tmp, name);
    if (!mkdtemp(f->root))
        abort();
    (void)snprintf(f->dir, sizeof(f->dir), "%s/log", f->root);
    (void)snprintf(f->anchor, sizeof(f->anchor), "%s/anchor", f->root);
    fixture_must(tut_key_generate(TUT_KEY_ED25519, &f->key, &err), &err, "key");
    f->signer = (tut_log_signer){.name = FIXTURE_ORIGIN, .key = f->key};
    fixture_must(tut_verifier_of(FIXTURE_ORIGIN, TUT_NOTE_ED25519, tut_key_public(f->key),
                                 &f->verifier, &err),
                 &err, "verifier");
    f->options = (tut_log_options){.dir = f->dir,
                                   .origin = FIXTURE_ORIGIN,
                                   .signers = &f->signer,
                                   .signer_count = 1,
                                   .verifiers = &f->verifier,
                                   .verifier_count = 1,
                                   .anchor = f->anchor};
}

static inline void fixture_done(log_fixture *f)
{
    fixture_run("rm -rf -- \"$PWD\"", f->root);
    tut_verifier_done(&f->verifier);
    tut_key_free(f->key);
}

static inline tut_log *fixture_open(const log_fixture *f, bool for_writing)
{
    tut_error err = {0};
    tut_log *log = NULL;
    fixture_must(tut_log_open(&f->options, for_writing, &log, &err), &err, "open");
    return log;
}

static inline void fixture_close(tut_log *log)
{
    tut_error err = {0};
    fixture_must(tut_log_close(&log, &err), &err, "close");
}

enum { FIXTURE_ENTRY_MAX = 64 };

/* Lengths from 8 to 39 bytes, and some empty ones would be taken for others: every one differs. */
static inline tut_span fixture_entry(uint64_t i, uint8_t room[FIXTURE_ENTRY_MAX])
{
    size_t len = 8 + (size_t)(i * 7 % 32);
    for (size_t at = 0; at < len; at++)
        room[at] = at < 8 ? (uint8_t)(i >> 8 * at) : (uint8_t)(at * 31 + i);
    return tut_span_of(room, len);
}

static inline tut_status fixture_try_append(tut_log *log, size_t count, tut_error *err)
{
    uint64_t first = 0, size = tut_log_size(log);
    uint8_t(*rooms)[FIXTURE_ENTRY_MAX] = calloc(count, sizeof(*rooms));
    tut_span *entries = calloc(count, sizeof(*entries));
    if (!rooms || !entries)
        abort();
    for (size_t i = 0; i < count; i++)
        entries[i] = fixture_entry(size + i, rooms[i]);
    tut_status status = tut_log_append(log, entries, count, &first, err);
    free(rooms);
    free(entries);
    if (tut_is_ok(status) && first != size)
        abort();
    return status;
}

static inline void fixture_append(tut_log *log, size_t count)
{
    tut_error err = {0};
    fixture_must(fixture_try_append(log, count, &err), &err, "append");
}

/* Leaves of the first `size` entries as they ought to be. */
static inline void fixture_range(uint64_t size, tut_merkle_range *ret)
{
    *ret = (tut_merkle_range){0};
    for (uint64_t i = 0; i < size; i++) {
        uint8_t room[FIXTURE_ENTRY_MAX];
        tut_sha256 leaf;
        tut_merkle_leaf(fixture_entry(i, room), &leaf);
        tut_merkle_range_add(ret, &leaf);
    }
}

#endif
