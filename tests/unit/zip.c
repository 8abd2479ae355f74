/* Zip: sound archives are silent, every reading of an unsound one is examined and reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>
#include <zlib.h>

#include "exam_recorder.h"

enum { ENTRIES_MAX = 8, BIG_BYTES = 100 << 10 };

typedef struct entry {
    const char *name;
    const uint8_t *data;
    size_t len;
    bool deflated, streamed;
    size_t local_at, central_at, data_at, packed; /* out: where it came to lie */
} entry;

typedef struct built {
    tut_buf bytes;
    size_t directory_at, end_at;
} built;

static void put(tut_buf *b, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        tut_buf_add_byte(b, i < sizeof value ? (uint8_t)(value >> (8 * i)) : 0);
}

static void add_data(tut_buf *b, entry *e)
{
    size_t before = b->len;
    if (!e->deflated) {
        tut_buf_add(b, e->data, e->len);
    } else {
        uint8_t *to = malloc(e->len + 1000);
        assert_non_null(to);
        z_stream z = {0};
        assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, 0), Z_OK);
        z.next_in = (Bytef *)(uintptr_t)e->data;
        z.avail_in = (uInt)e->len;
        z.next_out = to;
        z.avail_out = (uInt)e->len + 1000;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        tut_buf_add(b, to, z.total_out);
        deflateEnd(&z);
        free(to);
    }
    e->packed = b->len - before;
}

static void put32_at(tut_buf *b, size_t at, uint64_t v)
{
    for (size_t i = 0; i < 4; i++)
        b->data[at + i] = (uint8_t)(v >> (8 * i));
}

static uint32_t crc_of(const entry *e)
{
    return (uint32_t)crc32(0, e->data, (uInt)e->len);
}

static void add_local(tut_buf *b, entry *e)
{
    e->local_at = b->len;
    tut_buf_add(b, "PK\3\4\x14\0", 6);
    put(b, e->streamed ? 8 : 0, 2);
    put(b, e->deflated ? 8 : 0, 2);
    put(b, 0x21000000, 4);
    put(b, e->streamed ? 0 : crc_of(e), 4);
    size_t sizes = b->len;
    put(b, 0, 8);
    put(b, strlen(e->name), 2);
    put(b, 0, 2);
    tut_buf_add_z(b, e->name);
    e->data_at = b->len;
    add_data(b, e);
    if (!e->streamed) {
        put32_at(b, sizes, e->packed);
        put32_at(b, sizes + 4, e->len);
        return;
    }
    tut_buf_add(b, "PK\7\10", 4);
    put(b, crc_of(e), 4);
    put(b, e->packed, 4);
    put(b, e->len, 4);
}

static void add_central(tut_buf *b, entry *e)
{
    e->central_at = b->len;
    tut_buf_add(b, "PK\1\2\x14\0\x14\0", 8);
    put(b, e->streamed ? 8 : 0, 2);
    put(b, e->deflated ? 8 : 0, 2);
    put(b, 0x21000000, 4);
    put(b, crc_of(e), 4);
    put(b, e->packed, 4);
    put(b, e->len, 4);
    put(b, strlen(e->name), 2);
    put(b, 0, 2 + 2 + 2 + 2 + 4);
    put(b, e->local_at, 4);
    tut_buf_add_z(b, e->name);
}

static void build(built *a, entry *entries, size_t count)
{
    *a = (built){0};
    tut_buf_init(&a->bytes, 0);
    for (size_t i = 0; i < count; i++)
        add_local(&a->bytes, &entries[i]);
    a->directory_at = a->bytes.len;
    for (size_t i = 0; i < count; i++)
        add_central(&a->bytes, &entries[i]);
    a->end_at = a->bytes.len;
    tut_buf_add(&a->bytes, "PK\5\6\0\0\0\0", 8);
    put(&a->bytes, count, 2);
    put(&a->bytes, count, 2);
    put(&a->bytes, a->end_at - a->directory_at, 4);
    put(&a->bytes, a->directory_at, 4);
    put(&a->bytes, 0, 2);
}

static uint8_t big[BIG_BYTES];

static size_t sample(built *a, entry entries[ENTRIES_MAX])
{
    for (size_t i = 0; i < BIG_BYTES; i++)
        big[i] = (uint8_t)(i % 251 * (i % 7));
    entries[0] = (entry){.name = "m/data.pkl", .data = (const uint8_t *)"\x80\2}.", .len = 4};
    entries[1] = (entry){.name = "m/data/0", .data = big, .len = 300, .streamed = true};
    entries[2] = (entry){.name = "m/code/a.py", .data = big, .len = 900, .deflated = true};
    entries[3] =
        (entry){.name = "m/s", .data = big, .len = 600, .deflated = true, .streamed = true};
    build(a, entries, 4);
    return 4;
}

static const char *examine(exam_recorder *r, const uint8_t *bytes, size_t len, bool content)
{
    tut_source s = tut_source_memory(tut_span_of(bytes, len));
    return recorder_examine(r, "t", &s, content);
}

static void expect_rule(const built *a, const char *rule)
{
    exam_recorder r;
    char wanted[80];
    (void)snprintf(wanted, sizeof(wanted), "rule %s ", rule);
    const char *log = examine(&r, a->bytes.data, a->bytes.len, true);
    if (!recorder_has(log, wanted))
        print_error("%s is missing in:\n%s", rule, log);
    assert_true(recorder_has(log, wanted));
    recorder_done(&r);
}

static void a_sound_archive_is_silent_and_hands_every_member_on(void **state)
{
    (void)state;
    built a;
    entry e[ENTRIES_MAX];
    exam_recorder r;
    (void)sample(&a, e);
    for (int content = 0; content < 2; content++) {
        const char *log = examine(&r, a.bytes.data, a.bytes.len, content);
        assert_false(recorder_has(log, "rule "));
        assert_false(recorder_has(log, "status "));
        assert_true(recorder_has(log, "member t torch-zip\n"));
        assert_true(recorder_has(log, "member t!/m/data.pkl "));
        assert_true(recorder_has(log, "member t!/m/data/0 "));
        assert_true(recorder_has(log, "member t!/m/code/a.py "));
        assert_true(recorder_has(log, "member t!/m/s "));
        assert_true(recorder_has(log, "fact torch.storages=1 "));
        assert_true(recorder_has(log, "fact torch.storage-bytes=300 "));
        assert_true(recorder_has(log, "fact torch.script=yes "));
        recorder_done(&r);
    }
    tut_buf_done(&a.bytes);
}

static void a_cut_archive_is_never_silent(void **state)
{
    (void)state;
    built a;
    entry e[ENTRIES_MAX];
    (void)sample(&a, e);
    for (size_t cut = 30; cut < a.bytes.len; cut++) {
        exam_recorder r;
        const char *log = examine(&r, a.bytes.data, cut, true);
        assert_true(recorder_has(log, "rule "));
        assert_true(recorder_has(log, "status "));
        recorder_done(&r);
    }
    tut_buf_done(&a.bytes);
}

static void a_cut_archive_still_shows_the_members_before_the_cut(void **state)
{
    (void)state;
    built a;
    entry e[ENTRIES_MAX];
    exam_recorder r;
    (void)sample(&a, e);
    const char *log = examine(&r, a.bytes.data, e[3].data_at + 5, true);
    assert_true(recorder_has(log, "rule zip.no-directory "));
    assert_true(recorder_has(log, "member t!/m/data.pkl "));
    assert_true(recorder_has(log, "member t!/m/data/0 "));
    assert_true(recorder_has(log, "member t!/m/code/a.py "));
    recorder_done(&r);
    tut_buf_done(&a.bytes);
}

/* Fields that no reader acts on: versions, times, attributes, disk of the member. */
static bool is_ignored(const entry *e, size_t count, size_t at, size_t end_at)
{
    for (size_t i = 0; i < count; i++) {
        size_t l = at - e[i].local_at, c = at - e[i].central_at;
        if (at >= e[i].local_at && ((l >= 4 && l < 6) || (l >= 10 && l < 14)))
            return true;
        if (at >= e[i].central_at &&
            ((c >= 4 && c < 8) || (c >= 12 && c < 16) || (c >= 34 && c < 42)))
            return true;
        /* One content has several deflate streams; that it is the same is what the CRC says. */
        if (e[i].deflated && at >= e[i].data_at && at < e[i].data_at + e[i].packed)
            return true;
        /* Levels of compression and bits that nobody gives a meaning that changes the reading. */
        if ((at >= e[i].local_at && l >= 6 && l < 8) || (at >= e[i].central_at && c >= 8 && c < 10))
            return true;
    }
    return at >= end_at + 4 && at < end_at + 8;
}

static void a_changed_bit_is_never_silent(void **state)
{
    (void)state;
    built a;
    entry e[ENTRIES_MAX];
    size_t count = sample(&a, e);
    for (size_t bit = 0; bit < a.bytes.len * 8; bit++) {
        exam_recorder r;
        a.bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        const char *log = examine(&r, a.bytes.data, a.bytes.len, true);
        bool is_silent = !recorder_has(log, "rule ") && !recorder_has(log, "status ") &&
                         recorder_has(log, "zip\n");
        if (is_silent && !is_ignored(e, count, bit / 8, a.end_at))
            print_error("silent about bit %zu of byte %zu:\n%s\n", bit % 8, bit / 8, log);
        assert_true(!is_silent || is_ignored(e, count, bit / 8, a.end_at));
        recorder_done(&r);
        a.bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    tut_buf_done(&a.bytes);
}

static void telling_flags_are_reported_in_either_header(void **state)
{
    (void)state;
    static const uint16_t flags[] = {0x1, 0x20, 0x40, 0x2000};
    for (size_t i = 0; i < 4; i++) {
        for (size_t where = 0; where < 2; where++) {
            built a;
            entry e[ENTRIES_MAX];
            (void)sample(&a, e);
            size_t at = where ? e[0].central_at + 8 : e[0].local_at + 6;
            a.bytes.data[at] |= (uint8_t)flags[i];
            a.bytes.data[at + 1] |= (uint8_t)(flags[i] >> 8);
            expect_rule(&a, "zip.flag-mismatch");
            expect_rule(&a, flags[i] == 1 ? "zip.false-encryption" : "zip.flag-unusual");
            tut_buf_done(&a.bytes);
        }
    }
}

static void structure_tests_small_members_content_tests_all(void **state)
{
    (void)state;
    built a;
    exam_recorder r;
    for (size_t i = 0; i < BIG_BYTES; i++)
        big[i] = (uint8_t)i;
    entry e[2] = {{.name = "a", .data = (const uint8_t *)"small", .len = 5},
                  {.name = "b", .data = big, .len = BIG_BYTES}};
    build(&a, e, 2);
    a.bytes.data[e[1].data_at + BIG_BYTES / 2] ^= 1;
    assert_false(recorder_has(examine(&r, a.bytes.data, a.bytes.len, false), "rule "));
    recorder_done(&r);
    expect_rule(&a, "zip.crc-mismatch");
    a.bytes.data[e[0].data_at] ^= 1;
    assert_true(
        recorder_has(examine(&r, a.bytes.data, a.bytes.len, false), "rule zip.crc-mismatch "));
    recorder_done(&r);
    tut_buf_done(&a.bytes);
}

static void a_member_of_either_reading_is_examined(void **state)
{
    (void)state;
    built a;
    entry e[ENTRIES_MAX];
    exam_recorder r;
    (void)sample(&a, e);
    /* The directory forgets the last member: its signature is gone and the counts fit. */
    tut_buf shorter = TUT_BUF_INIT;
    tut_buf_add(&shorter, a.bytes.data, e[3].central_at);
    tut_buf_add(&shorter, a.bytes.data + a.end_at, a.bytes.len - a.end_at);
    shorter.data[e[3].central_at + 8] = shorter.data[e[3].central_at + 10] = 3;
    put32_at(&shorter, e[3].central_at + 12, e[3].central_at - a.directory_at);
    const char *log = examine(&r, shorter.data, shorter.len, true);
    assert_true(recorder_has(log, "rule zip.local-only-member "));
    assert_true(recorder_has(log, "member t!/m/s "));
    assert_false(recorder_has(log, "rule zip.crc-mismatch "));
    recorder_done(&r);
    tut_buf_done(&shorter);
    tut_buf_done(&a.bytes);
}

static void shared_bytes_are_an_overlap(void **state)
{
    (void)state;
    built a;
    entry e[ENTRIES_MAX];
    (void)sample(&a, e);
    put32_at(&a.bytes, e[1].central_at + 42, e[0].local_at);
    expect_rule(&a, "zip.overlap");
    expect_rule(&a, "zip.name-mismatch");
    expect_rule(&a, "zip.local-only-member");
    tut_buf_done(&a.bytes);
}

static void the_bomb_guard_counts_shared_bytes_each_time(void **state)
{
    (void)state;
    enum { ZEROS = 8 << 20, TIMES = 60 };
    uint8_t *zeros = calloc(ZEROS, 1);
    assert_non_null(zeros);
    entry e = {.name = "z", .data = zeros, .len = ZEROS, .deflated = true};
    built a = {0};
    tut_buf_init(&a.bytes, 0);
    add_local(&a.bytes, &e);
    a.directory_at = a.bytes.len;
    for (size_t i = 0; i < TIMES; i++)
        add_central(&a.bytes, &e);
    a.end_at = a.bytes.len;
    tut_buf_add(&a.bytes, "PK\5\6\0\0\0\0", 8);
    put(&a.bytes, TIMES, 2);
    put(&a.bytes, TIMES, 2);
    put(&a.bytes, a.end_at - a.directory_at, 4);
    put(&a.bytes, a.directory_at, 4);
    put(&a.bytes, 0, 2);
    exam_recorder r;
    const char *log = examine(&r, a.bytes.data, a.bytes.len, true);
    assert_true(recorder_has(log, "rule zip.bomb "));
    assert_true(recorder_has(log, "status LIMIT "));
    assert_true(recorder_has(log, "rule zip.duplicate-name "));
    recorder_done(&r);
    tut_buf_done(&a.bytes);
    free(zeros);
}

static void memory_and_budget_are_given_back(void **state)
{
    (void)state;
    built a;
    entry e[ENTRIES_MAX];
    exam_recorder r;
    (void)sample(&a, e);
    (void)examine(&r, a.bytes.data, a.bytes.len, true);
    assert_int_equal(r.budget.heap_left, TUT_LIMIT_HEAP_BYTES);
    recorder_done(&r);
    for (uint64_t n = 1; n < 60; n++) {
        tut_alloc_fail_after(n);
        (void)examine(&r, a.bytes.data, a.bytes.len, true);
        tut_alloc_fail_after(0);
        assert_int_equal(r.budget.heap_left, TUT_LIMIT_HEAP_BYTES);
        recorder_done(&r);
    }
    tut_buf_done(&a.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_archive_is_silent_and_hands_every_member_on),
        cmocka_unit_test(a_cut_archive_is_never_silent),
        cmocka_unit_test(a_cut_archive_still_shows_the_members_before_the_cut),
        cmocka_unit_test(a_changed_bit_is_never_silent),
        cmocka_unit_test(telling_flags_are_reported_in_either_header),
        cmocka_unit_test(structure_tests_small_members_content_tests_all),
        cmocka_unit_test(a_member_of_either_reading_is_examined),
        cmocka_unit_test(shared_bytes_are_an_overlap),
        cmocka_unit_test(the_bomb_guard_counts_shared_bytes_each_time),
        cmocka_unit_test(memory_and_budget_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
