/* The sequencer through its own child: appending, refusing, ending, dying. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/jail.h"
#include "ledger/sequencer_server.h"

#define ORIGIN "tutela-test"

static char dir[64], state[80];
static tut_keystore *keys;
static tut_sequencer_options options;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int make_dir(void **unused)
{
    (void)unused;
    tut_error err = {0};
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-test-seq-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(state, sizeof(state), "%s/state", dir);
    (void)setenv("XDG_DATA_HOME", dir, 1);
    if (!tut_is_ok(tut_keystore_open(ORIGIN, true, &keys, &err))) {
        (void)fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    options = (tut_sequencer_options){.state_dir = state, .origin = ORIGIN, .keys = keys};
    return 0;
}

static int remove_dir(void **unused)
{
    (void)unused;
    tut_keystore_free(keys);
    keys = NULL;
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void must(tut_status status, const tut_error *err)
{
    if (!tut_is_ok(status))
        fail_msg("%s: %s: %s", tut_code_name(status.code), err->path, err->text);
}

static tut_sequencer *connect_to(void)
{
    tut_sequencer *c = NULL;
    tut_error err = {0};
    must(tut_sequencer_connect(&options, &c, &err), &err);
    return c;
}

static void close_client(tut_sequencer *c)
{
    tut_error err = {0};
    must(tut_sequencer_close(&c, &err), &err);
    assert_null(c);
}

/* Of a process that ends without closing it. */
static tut_sequencer *volatile left_behind;

static tut_submission event(tut_log_name log, uint64_t seq, const char *payload)
{
    return (tut_submission){.log = log,
                            .kind = "test.event",
                            .producer = "test",
                            .seq = seq,
                            .payload = tut_span_of(payload, strlen(payload))};
}

static uint64_t append_one(tut_sequencer *c, tut_log_name log, uint64_t seq, const char *payload)
{
    tut_submission s = event(log, seq, payload);
    uint64_t index = UINT64_MAX;
    tut_error err = {0};
    must(tut_sequencer_append(c, &s, 1, &index, &err), &err);
    return index;
}

/* --- what the log holds afterwards --- */

static tut_log *open_log(tut_log_name name)
{
    static char path[128];
    tut_log *log = NULL;
    tut_error err = {0};
    (void)snprintf(path, sizeof(path), "%s/ledger/%s", state, tut_log_names[name]);
    tut_log_options o = {
        .dir = path, .origin = name == TUT_LOG_EVIDENCE ? ORIGIN "/evidence" : ORIGIN "/traffic"};
    must(tut_log_open(&o, false, &log, &err), &err);
    return log;
}

static void assert_entry(tut_log_name name, uint64_t index, const char *kind, uint64_t seq)
{
    TUT_AUTO(tut_log) log = open_log(name);
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_arena arena;
    tut_entry entry;
    tut_error err = {0};
    must(tut_log_entry(log, index, &bytes, &err), &err);
    tut_arena_init(&arena, 0);
    must(tut_entry_parse(tut_buf_span(&bytes), &arena, &entry, &err), &err);
    assert_true(tut_str_eq_z(entry.head.kind, kind));
    assert_int_equal(entry.head.seq, seq);
    assert_int_equal(entry.head.uid, geteuid());
    tut_entry_done(&entry);
    tut_arena_done(&arena);
}

static uint64_t size_of(tut_log_name name)
{
    TUT_AUTO(tut_log) log = open_log(name);
    return tut_log_size(log);
}

/* --- */

static void what_was_appended_is_in_the_log(void **unused)
{
    (void)unused;
    tut_sequencer *c = connect_to();
    assert_int_equal(append_one(c, TUT_LOG_EVIDENCE, 0, "{\"a\":1}"), 0);
    assert_int_equal(append_one(c, TUT_LOG_EVIDENCE, 1, "{\"a\":2}"), 1);
    assert_entry(TUT_LOG_EVIDENCE, 1, "test.event", 1); /* while it is open, too */
    close_client(c);
    c = connect_to();
    assert_int_equal(append_one(c, TUT_LOG_EVIDENCE, 0, "{\"a\":3}"), 2);
    close_client(c);
    assert_entry(TUT_LOG_EVIDENCE, 2, "test.event", 0);
}

static void a_refused_append_leaves_nothing_and_the_next_goes_on(void **unused)
{
    (void)unused;
    tut_sequencer *c = connect_to();
    tut_submission items[3] = {event(TUT_LOG_EVIDENCE, 0, "{}"), event(TUT_LOG_EVIDENCE, 1, "[]"),
                               event(TUT_LOG_EVIDENCE, 2, "{}")};
    uint64_t indexes[3] = {7, 7, 7};
    tut_error err = {0};
    assert_int_equal(tut_sequencer_append(c, items, 3, indexes, &err).code, TUT_MALFORMED);
    assert_int_equal(indexes[0], 7);
    items[1] = event(TUT_LOG_EVIDENCE, 1, "{\"b\":[]}");
    must(tut_sequencer_append(c, items, 3, indexes, &err), &err);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(indexes[i], i);
    items[2].log = TUT_LOG_TRAFFIC;
    assert_int_equal(tut_sequencer_append(c, items, 3, indexes, &err).code, TUT_USAGE);
    close_client(c);
    assert_int_equal(size_of(TUT_LOG_EVIDENCE), 3);
}

static void pipelined_submissions_are_counted_when_durable(void **unused)
{
    (void)unused;
    enum { COUNT = 3000 };
    tut_sequencer *c = connect_to();
    tut_error err = {0};
    uint64_t durable = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        char payload[64];
        (void)snprintf(payload, sizeof(payload), "{\"n\":%llu}", (unsigned long long)i);
        tut_submission s = event(TUT_LOG_TRAFFIC, i, payload);
        must(tut_sequencer_submit(c, &s, &err), &err);
    }
    must(tut_sequencer_poll(c, -1, &durable, &err), &err);
    assert_int_equal(durable, COUNT);
    close_client(c);
    assert_int_equal(size_of(TUT_LOG_TRAFFIC), COUNT);
    for (uint64_t i = 0; i < COUNT; i += 299)
        assert_entry(TUT_LOG_TRAFFIC, i, "test.event", i);
    /* the traffic log's checkpoint stands in the evidence log */
    assert_int_equal(size_of(TUT_LOG_EVIDENCE), 1);
    assert_entry(TUT_LOG_EVIDENCE, 0, "traffic.checkpoint", 0);
}

static void a_refused_submission_is_told_once_and_does_not_count(void **unused)
{
    (void)unused;
    tut_sequencer *c = connect_to();
    tut_error err = {0};
    uint64_t durable = 0;
    for (uint64_t i = 0; i < 10; i++) {
        tut_submission s = event(TUT_LOG_EVIDENCE, i, i == 4 ? "{]" : "{}");
        must(tut_sequencer_submit(c, &s, &err), &err);
    }
    assert_int_equal(tut_sequencer_poll(c, -1, &durable, &err).code, TUT_MALFORMED);
    must(tut_sequencer_poll(c, -1, &durable, &err), &err);
    assert_int_equal(durable, 9);
    close_client(c);
}

static void a_checkpoint_is_signed_and_current(void **unused)
{
    (void)unused;
    tut_sequencer *c = connect_to();
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    tut_error err = {0};
    must(tut_sequencer_checkpoint(c, TUT_LOG_TRAFFIC, &note, &err), &err);
    assert_int_equal(note.len, 0);
    (void)append_one(c, TUT_LOG_EVIDENCE, 0, "{}");
    must(tut_sequencer_checkpoint(c, TUT_LOG_EVIDENCE, &note, &err), &err);
    tut_note parsed;
    tut_checkpoint checkpoint;
    must(tut_note_parse(tut_buf_str(&note), &parsed, &err), &err);
    must(tut_checkpoint_parse(parsed.text, &checkpoint, &err), &err);
    assert_true(tut_str_eq_z(checkpoint.origin, ORIGIN "/evidence"));
    assert_int_equal(checkpoint.size, 1);
    assert_int_equal(checkpoint.extension_count, 1);
    assert_true(tut_str_starts(checkpoint.extensions[0], TUT_LIT("heads ")));
    assert_int_equal(parsed.signature_count, 1);
    tut_note_done(&parsed);
    must(tut_sequencer_fold(c, &err), &err);
    close_client(c);
}

static void an_entry_that_is_too_long_is_a_limit_with_what_to_do(void **unused)
{
    (void)unused;
    tut_sequencer *c = connect_to();
    static char payload[TUT_LOG_ENTRY_MAX + 2];
    (void)memset(payload, 'x', sizeof(payload));
    (void)memcpy(payload, "{\"a\":\"", 6);
    (void)memcpy(payload + sizeof(payload) - 3, "\"}", 3);
    tut_submission s = event(TUT_LOG_EVIDENCE, 0, payload);
    uint64_t index;
    tut_error err = {0};
    s.payload.len = TUT_LOG_ENTRY_MAX + 1;
    assert_int_equal(tut_sequencer_append(c, &s, 1, &index, &err).code, TUT_LIMIT);
    assert_non_null(strstr(err.text, "body"));
    (void)memcpy(payload + TUT_LOG_ENTRY_MAX - 2, "\"}", 3); /* whole, but not with the rest */
    s.payload.len = TUT_LOG_ENTRY_MAX;
    assert_int_equal(tut_sequencer_append(c, &s, 1, &index, &err).code, TUT_LIMIT);
    (void)append_one(c, TUT_LOG_EVIDENCE, 0, "{}");
    close_client(c);
}

static void a_message_above_the_usual_room_goes_through_whole(void **unused)
{
    (void)unused;
    enum { COUNT = 100, BYTES = 40000 };
    static char payload[BYTES + 16];
    (void)snprintf(payload, sizeof(payload), "{\"a\":\"%0*d\"}", BYTES, 0);
    static tut_submission items[COUNT];
    uint64_t indexes[COUNT];
    tut_sequencer *c = connect_to();
    tut_error err = {0};
    for (uint64_t i = 0; i < COUNT; i++)
        items[i] = event(TUT_LOG_EVIDENCE, i, payload);
    must(tut_sequencer_append(c, items, COUNT, indexes, &err), &err);
    assert_int_equal(indexes[COUNT - 1], COUNT - 1);
    close_client(c);
    assert_int_equal(size_of(TUT_LOG_EVIDENCE), COUNT);
}

static pid_t child_of(tut_sequencer *c)
{
    pid_t pid = tut_sequencer_child(c);
    assert_true(pid > 1); /* a signal for 0 or -1 would reach everybody */
    return pid;
}

static void a_child_that_dies_is_told_and_what_it_acknowledged_is_there(void **unused)
{
    (void)unused;
    tut_sequencer *c = connect_to();
    tut_submission s = event(TUT_LOG_EVIDENCE, 1, "{}");
    uint64_t index;
    tut_error err = {0};
    (void)append_one(c, TUT_LOG_EVIDENCE, 0, "{}");
    assert_int_equal(kill(child_of(c), SIGKILL), 0);
    assert_int_equal(tut_sequencer_append(c, &s, 1, &index, &err).code, TUT_BUG);
    assert_non_null(strstr(err.text, "signal 9"));
    assert_int_equal(tut_sequencer_close(&c, &err).code, TUT_BUG);
    c = connect_to();
    assert_int_equal(append_one(c, TUT_LOG_EVIDENCE, 1, "{}"), 1);
    close_client(c);
    assert_int_equal(size_of(TUT_LOG_EVIDENCE), 2);
}

/* A client that goes away without a word: its child ends in order and lets the ledger go. */
static void the_child_of_a_client_that_vanishes_ends(void **unused)
{
    (void)unused;
    pid_t pid = fork();
    if (pid == 0) {
        left_behind = connect_to();
        (void)append_one(left_behind, TUT_LOG_EVIDENCE, 0, "{}");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    tut_sequencer *c = connect_to();
    assert_int_equal(append_one(c, TUT_LOG_EVIDENCE, 1, "{}"), 1);
    close_client(c);
}

static void a_second_writer_waits_for_the_first(void **unused)
{
    (void)unused;
    tut_sequencer *first = connect_to();
    (void)append_one(first, TUT_LOG_EVIDENCE, 0, "{}");
    left_behind = first; /* the fork's copy is no leak */
    pid_t pid = fork();
    if (pid == 0) {
        tut_sequencer *second = connect_to();
        uint64_t index = append_one(second, TUT_LOG_EVIDENCE, 1, "{}");
        close_client(second); /* or its child would still fold when the directory goes */
        _exit(index == 1 ? 0 : 1);
    }
    (void)usleep(200000);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* still waiting */
    close_client(first);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The child can neither be looked into nor do what a sequencer has no need of. */
static void the_child_is_confined(void **unused)
{
    (void)unused;
    if (tut_jail_is_instrumented())
        skip();
    tut_sequencer *c = connect_to();
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)child_of(c));
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    char line[256];
    bool has_privileges = true;
    unsigned long long capabilities = ~0ull;
    int seccomp = -1;
    while (fgets(line, sizeof(line), f)) {
        if (strncmp(line, "NoNewPrivs:\t1", 13) == 0)
            has_privileges = false;
        if (strncmp(line, "CapEff:", 7) == 0)
            capabilities = strtoull(line + 7, NULL, 16);
        if (strncmp(line, "Seccomp:", 8) == 0)
            seccomp = (int)strtol(line + 8, NULL, 10);
    }
    (void)fclose(f);
    assert_false(has_privileges);
    assert_int_equal(capabilities & ~(1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER), 0);
    struct rlimit core;
    assert_int_equal(prlimit(child_of(c), RLIMIT_CORE, NULL, &core), 0);
    assert_int_equal(core.rlim_max, 0);
    assert_int_equal(seccomp, tut_jail_has_seccomp() ? 2 : 0);
    close_client(c);
}

static void a_missing_log_key_is_an_error_and_no_crash(void **unused)
{
    (void)unused;
    tut_sequencer *c = NULL;
    tut_error err = {0};
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/log.key", tut_keystore_dir(keys));
    assert_int_equal(unlink(path), 0);
    assert_false(tut_is_ok(tut_sequencer_connect(&options, &c, &err)));
    assert_true(err.text[0] != '\0');
    assert_null(c);
    options.keys = NULL;
    assert_int_equal(tut_sequencer_connect(&options, &c, &err).code, TUT_USAGE);
}

static void an_access_table_binds_its_owner_too(void **unused)
{
    (void)unused;
    char path[256];
    tut_error err = {0};
    (void)snprintf(path, sizeof(path), "%s/access", tut_keystore_dir(keys));
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%lu test.*\n", (unsigned long)geteuid());
    must(tut_fs_write(path, tut_buf_span(&text), 0600, &err), &err);
    tut_sequencer *c = connect_to();
    tut_submission s = event(TUT_LOG_EVIDENCE, 0, "{}");
    uint64_t index;
    must(tut_sequencer_append(c, &s, 1, &index, &err), &err);
    s.kind = "traffic.checkpoint";
    assert_int_equal(tut_sequencer_append(c, &s, 1, &index, &err).code, TUT_DENIED);
    s.kind = "other";
    assert_int_equal(tut_sequencer_append(c, &s, 1, &index, &err).code, TUT_DENIED);
    assert_non_null(strstr(err.text, "\"other\""));
    close_client(c);
}

/* The disk is full (here: a limit on the size of files): refused with the reason, and when there is
 * room again, the same child goes on. */
static void a_full_disk_refuses_and_later_goes_on(void **unused)
{
    (void)unused;
    tut_error err = {0};
    static char payload[60016];
    (void)snprintf(payload, sizeof(payload), "{\"a\":\"%060000d\"}", 0);
    tut_sequencer *c = connect_to();
    (void)append_one(c, TUT_LOG_EVIDENCE, 0, "{}");
    struct rlimit old, tight = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
    assert_int_equal(prlimit(child_of(c), RLIMIT_FSIZE, &tight, &old), 0);
    tut_submission s = event(TUT_LOG_EVIDENCE, 1, payload);
    uint64_t index, good = 1;
    tut_code code = TUT_OK;
    for (int i = 0; i < 5 && code == TUT_OK; i++) {
        code = tut_sequencer_append(c, &s, 1, &index, &err).code;
        good += code == TUT_OK;
    }
    assert_int_equal(code, TUT_IO);
    assert_true(err.text[0] != '\0');
    assert_int_equal(tut_sequencer_append(c, &s, 1, &index, &err).code, TUT_IO);
    tight.rlim_cur = old.rlim_max;
    assert_int_equal(prlimit(child_of(c), RLIMIT_FSIZE, &tight, NULL), 0);
    (void)usleep(150000);
    assert_int_equal(append_one(c, TUT_LOG_EVIDENCE, 2, "{}"), good);
    close_client(c);
    assert_int_equal(size_of(TUT_LOG_EVIDENCE), good + 1);
    assert_entry(TUT_LOG_EVIDENCE, good, "test.event", 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

/* --- while the log key changes --- */

static void only_the_change_of_the_key_is_taken_and_by_two_keys(void **unused)
{
    (void)unused;
    TUT_AUTO(tut_key) next = NULL;
    TUT_AUTO(tut_pubkey) before = NULL;
    TUT_AUTO(tut_pubkey) now = NULL;
    tut_error err = {0};
    tut_sequencer *c = connect_to();
    (void)append_one(c, TUT_LOG_EVIDENCE, 0, "{}");
    (void)append_one(c, TUT_LOG_TRAFFIC, 0, "{}");
    tut_submission change = event(TUT_LOG_EVIDENCE, 1, "{}");
    change.kind = "log.rotated";
    assert_int_equal(tut_sequencer_append(c, &change, 1, NULL, &err).code, TUT_DENIED);
    close_client(c);
    must(tut_keystore_public(keys, "log", &before, &err), &err);
    must(tut_keystore_generate(keys, "log.next", TUT_KEY_ED25519, TUT_LIT(""), &next, &err), &err);
    options.is_rotating = true;
    c = connect_to();
    options.is_rotating = false;
    tut_submission other = event(TUT_LOG_EVIDENCE, 1, "{}");
    assert_int_equal(tut_sequencer_append(c, &other, 1, NULL, &err).code, TUT_DENIED);
    must(tut_sequencer_append(c, &change, 1, NULL, &err), &err);
    close_client(c);
    for (int i = 0; i < TUT_LOG_COUNT; i++) {
        TUT_AUTO(tut_log) log = open_log((tut_log_name)i);
        TUT_CLEAN(tut_note) note = {.signature_count = 0};
        must(tut_note_parse(tut_log_checkpoint(log), &note, &err), &err);
        assert_int_equal(note.signature_count, 2);
    }
    /* It names no key, so it changes none: the next child goes on with the old one. */
    c = connect_to();
    (void)append_one(c, TUT_LOG_EVIDENCE, 1, "{}");
    close_client(c);
    must(tut_keystore_public(keys, "log", &now, &err), &err);
    assert_true(tut_pubkey_eq(before, now));
    assert_true(tut_keystore_has_next(keys, "log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_appended_is_in_the_log),
        TEST(a_refused_append_leaves_nothing_and_the_next_goes_on),
        TEST(pipelined_submissions_are_counted_when_durable),
        TEST(a_refused_submission_is_told_once_and_does_not_count),
        TEST(a_checkpoint_is_signed_and_current),
        TEST(an_entry_that_is_too_long_is_a_limit_with_what_to_do),
        TEST(a_message_above_the_usual_room_goes_through_whole),
        TEST(a_child_that_dies_is_told_and_what_it_acknowledged_is_there),
        TEST(the_child_of_a_client_that_vanishes_ends),
        TEST(a_second_writer_waits_for_the_first),
        TEST(the_child_is_confined),
        TEST(a_missing_log_key_is_an_error_and_no_crash),
        TEST(an_access_table_binds_its_owner_too),
        TEST(a_full_disk_refuses_and_later_goes_on),
        TEST(only_the_change_of_the_key_is_taken_and_by_two_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
