/* A log in memory for tests about people: changes become records, envelopes and entries, as the
 * program writes them, and are read back as from any log. */
#ifndef TESTS_UNIT_PEOPLE_LOG_H
#define TESTS_UNIT_PEOPLE_LOG_H

#include "base/json_write.h"
#include "ledger/entry.h"
#include "ledger/people_event.h"

enum { LOG_ENTRIES_MAX = 256 };
#define LOG_ORIGIN "tutela-test"

typedef struct people_log {
    tut_people *people;
    tut_buf entries[LOG_ENTRIES_MAX];
    uint64_t size;
    const char *origin; /* that records name */
    char problem[512];  /* of the last entry; empty: it counted */
    bool is_as_event;   /* the next one is an event, without envelope */
} people_log;

static void must(tut_status status, const tut_error *err)
{
    if (!tut_is_ok(status))
        fail_msg("%s", err->text);
}

static tut_key *new_key(void)
{
    tut_key *key = NULL;
    tut_error err = {0};
    must(tut_key_generate(TUT_KEY_ED25519, &key, &err), &err);
    return key;
}

static void log_apply(people_log *log, tut_span bytes)
{
    tut_error err = {0};
    tut_arena arena;
    tut_entry entry = {0};
    const char *problem = NULL;
    tut_arena_init(&arena, 0);
    must(tut_entry_parse(bytes, &arena, &entry, &err), &err);
    must(tut_people_apply(log->people, log->size, &entry, &problem, &err), &err);
    tut_str_copy(log->problem, sizeof(log->problem), tut_str_of(problem));
    tut_entry_done(&entry);
    tut_arena_done(&arena);
    log->size++;
}

/* The bytes of an entry again, as somebody who copies it would append them. */
static void log_repeat(people_log *log, uint64_t index)
{
    assert_true(log->size < LOG_ENTRIES_MAX);
    tut_buf_add(&log->entries[log->size], log->entries[index].data, log->entries[index].len);
    log_apply(log, tut_buf_span(&log->entries[log->size]));
}

/* One statement, enveloped where keys sign it. */
static void log_statement(people_log *log, const char *kind, tut_str statement,
                          const tut_key *const *signers, size_t count)
{
    tut_error err = {0};
    TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
    bool is_dsse = count > 0;
    if (is_dsse) {
        tut_json *j = NULL;
        must(tut_json_new(&payload, &j), &err);
        must(tut_dsse_write(j, TUT_DSSE_INTOTO, tut_span_of(statement.data, statement.len), signers,
                            count, &err),
             &err);
        must(tut_json_finish(j, &err), &err);
        tut_json_free(j);
    } else {
        tut_buf_add_str(&payload, statement);
    }
    tut_entry_head head = {.at = 1700000000 + (tut_time)log->size * 60,
                           .kind = tut_str_of(kind),
                           .producer = TUT_LIT("test"),
                           .seq = log->size,
                           .is_dsse = is_dsse};
    assert_true(log->size < LOG_ENTRIES_MAX);
    tut_buf *bytes = &log->entries[log->size];
    tut_entry_compose(&head, tut_buf_str(&payload), bytes);
    must(tut_buf_check(bytes, &err), &err);
    log_apply(log, tut_buf_span(bytes));
}

static void log_change(people_log *log, const tut_people_change *change,
                       const tut_key *const *signers, size_t count)
{
    tut_error err = {0};
    tut_arena arena;
    tut_arena_init(&arena, 0);
    tut_record r = {.at = 1700000000, .actor = "somebody", .origin = log->origin};
    must(tut_people_record(change, &arena, &r, &err), &err);
    tut_buf statement = TUT_BUF_INIT;
    tut_json *j = NULL;
    must(tut_json_new(&statement, &j), &err);
    tut_record_json(&r, j);
    must(tut_json_finish(j, &err), &err);
    tut_json_free(j);
    log_statement(log, r.check, tut_buf_str(&statement), signers, count);
    tut_buf_done(&statement);
    tut_arena_done(&arena);
}

static void log_done(people_log *log)
{
    tut_people_free(log->people);
    for (size_t i = 0; i < LOG_ENTRIES_MAX; i++)
        tut_buf_done(&log->entries[i]);
}

#endif
