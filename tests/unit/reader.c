#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reader.h"

static const uint8_t bytes[10] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0x09, 0x8a};

/* One primitive: how it reads, and what it must make of the vector's first bytes. */
typedef struct number_case {
    unsigned width;
    uint64_t expected;
    tut_status (*read)(tut_reader *r, uint64_t *ret);
} number_case;

#define READ_AS(name, type)                                                                        \
    static tut_status read_##name(tut_reader *r, uint64_t *ret)                                    \
    {                                                                                              \
        type v;                                                                                    \
        TUT_TRY(tut_reader_##name(r, &v));                                                         \
        *ret = v;                                                                                  \
        return TUT_SUCCESS;                                                                        \
    }
READ_AS(u8, uint8_t)
READ_AS(u16le, uint16_t)
READ_AS(u32le, uint32_t)
READ_AS(u64le, uint64_t)
READ_AS(u16be, uint16_t)
READ_AS(u32be, uint32_t)
READ_AS(u64be, uint64_t)

static const number_case numbers[] = {
    {1, 0x01, read_u8},
    {2, 0x8201, read_u16le},
    {4, 0x84038201, read_u32le},
    {8, 0x8807860584038201, read_u64le},
    {2, 0x0182, read_u16be},
    {4, 0x01820384, read_u32be},
    {8, 0x0182038405860788, read_u64be},
};

static void numbers_read_in_their_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        tut_reader r = tut_reader_of(tut_span_of(bytes, numbers[i].width));
        uint64_t v = 0;
        assert_true(tut_is_ok(numbers[i].read(&r, &v)));
        assert_true(v == numbers[i].expected);
        assert_int_equal(r.pos, numbers[i].width);
        assert_int_equal(tut_reader_left(&r), 0);
    }
}

static void numbers_beyond_the_end_are_truncated_and_move_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        for (size_t len = 0; len < numbers[i].width; len++) {
            for (size_t before = 0; before < 3; before++) {
                tut_reader r = tut_reader_of(tut_span_of(bytes, before + len));
                assert_true(tut_is_ok(tut_reader_skip(&r, before)));
                uint64_t v = 77;
                assert_int_equal(numbers[i].read(&r, &v).code, TUT_TRUNCATED);
                assert_int_equal(v, 77);
                assert_int_equal(r.pos, before);
            }
        }
    }
}

static void take_sees_nothing_outside(void **state)
{
    (void)state;
    tut_reader r = tut_reader_of(tut_span_of(bytes, 10));
    r.base = 1000;
    tut_reader sub = {0};
    uint8_t v;
    assert_true(tut_is_ok(tut_reader_skip(&r, 2)));
    assert_true(tut_is_ok(tut_reader_take(&r, 3, &sub)));
    assert_int_equal(r.pos, 5);
    assert_int_equal(tut_reader_left(&sub), 3);
    assert_int_equal(tut_reader_offset(&sub), 1002);
    assert_true(tut_is_ok(tut_reader_skip(&sub, 2)));
    assert_true(tut_is_ok(tut_reader_u8(&sub, &v)) && v == 0x05);
    assert_int_equal(tut_reader_u8(&sub, &v).code, TUT_TRUNCATED);
    assert_int_equal(tut_reader_offset(&sub), 1005);
    assert_int_equal(tut_reader_offset(&r), 1005);
}

static void take_beyond_end_is_truncated(void **state)
{
    (void)state;
    const uint64_t too_many[] = {6,         7, 1u << 31, UINT32_MAX, 1ull << 63, UINT64_MAX - 4,
                                 UINT64_MAX};
    for (size_t i = 0; i < sizeof(too_many) / sizeof(too_many[0]); i++) {
        tut_reader r = tut_reader_of(tut_span_of(bytes, 10));
        tut_reader sub = {.pos = 42};
        tut_span span = {NULL, 42};
        assert_true(tut_is_ok(tut_reader_skip(&r, 5)));
        assert_int_equal(tut_reader_take(&r, too_many[i], &sub).code, TUT_TRUNCATED);
        assert_int_equal(tut_reader_bytes(&r, too_many[i], &span).code, TUT_TRUNCATED);
        assert_int_equal(tut_reader_skip(&r, too_many[i]).code, TUT_TRUNCATED);
        assert_int_equal(r.pos, 5);
        assert_int_equal(sub.pos, 42);
        assert_int_equal(span.len, 42);
        assert_true(tut_is_ok(tut_reader_bytes(&r, 5, &span)));
        assert_ptr_equal(span.data, bytes + 5);
        assert_true(tut_is_ok(tut_reader_skip(&r, 0)));
    }
}

static void empty_reader_gives_only_nothing(void **state)
{
    (void)state;
    tut_reader r = tut_reader_of((tut_span){NULL, 0});
    tut_span span;
    tut_str text;
    uint64_t v;
    assert_true(tut_is_ok(tut_reader_bytes(&r, 0, &span)));
    assert_int_equal(span.len, 0);
    assert_int_equal(tut_reader_varint(&r, &v).code, TUT_TRUNCATED);
    assert_int_equal(tut_reader_sized(&r, &text).code, TUT_TRUNCATED);
    assert_true(tut_is_ok(tut_reader_expect(&r, TUT_LIT(""))));
    assert_int_equal(tut_reader_expect(&r, TUT_LIT("x")).code, TUT_TRUNCATED);
}

static void check_varint(const char *data, size_t len, tut_code code, uint64_t expected)
{
    tut_reader r = tut_reader_of(tut_span_of(data, len));
    uint64_t v = 12345;
    assert_int_equal(tut_reader_varint(&r, &v).code, code);
    assert_true(v == (code == TUT_OK ? expected : 12345));
    assert_int_equal(r.pos, code == TUT_OK ? len : 0);
    for (size_t cut = 0; code == TUT_OK && cut < len; cut++) {
        tut_reader shorter = tut_reader_of(tut_span_of(data, cut));
        assert_int_equal(tut_reader_varint(&shorter, &v).code, TUT_TRUNCATED);
        assert_int_equal(shorter.pos, 0);
    }
}

static void varint_holds_64_bits_and_no_more(void **state)
{
    (void)state;
    check_varint("\0", 1, TUT_OK, 0);
    check_varint("\x7f", 1, TUT_OK, 127);
    check_varint("\x80\1", 2, TUT_OK, 128);
    check_varint("\xac\2", 2, TUT_OK, 300);
    check_varint("\x80\0", 2, TUT_OK, 0);
    check_varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10, TUT_OK, UINT64_MAX);
    check_varint("\x80\x80\x80\x80\x80\x80\x80\x80\x80\1", 10, TUT_OK, 1ull << 63);
    check_varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 10, TUT_MALFORMED, 0);
    check_varint("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1", 11, TUT_MALFORMED, 0);
    check_varint("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x81\0", 11, TUT_MALFORMED, 0);
}

static void sized_is_all_or_nothing(void **state)
{
    (void)state;
    static const uint8_t data[] = {3, 0, 0, 0, 'a', 'b', 'c'};
    tut_str text = {NULL, 9};
    for (size_t len = 0; len < sizeof(data); len++) {
        tut_reader r = tut_reader_of(tut_span_of(data, len));
        assert_int_equal(tut_reader_sized(&r, &text).code, TUT_TRUNCATED);
        assert_int_equal(r.pos, 0);
        assert_int_equal(text.len, 9);
    }
    tut_reader r = tut_reader_of(tut_span_of(data, sizeof(data)));
    assert_true(tut_is_ok(tut_reader_sized(&r, &text)));
    assert_true(tut_str_eq_z(text, "abc"));
    static const uint8_t lie[] = {0xff, 0xff, 0xff, 0xff, 'a'};
    tut_reader liar = tut_reader_of(tut_span_of(lie, sizeof(lie)));
    assert_int_equal(tut_reader_sized(&liar, &text).code, TUT_TRUNCATED);
    assert_int_equal(liar.pos, 0);
}

static void expect_moves_only_over_a_match(void **state)
{
    (void)state;
    tut_reader r = tut_reader_of(tut_span_of("PK\3\4", 4));
    assert_int_equal(tut_reader_expect(&r, TUT_LIT("PK\1\2")).code, TUT_MALFORMED);
    assert_int_equal(tut_reader_expect(&r, TUT_LIT("PK\3\4x")).code, TUT_TRUNCATED);
    assert_int_equal(r.pos, 0);
    assert_true(tut_is_ok(tut_reader_expect(&r, TUT_LIT("PK"))));
    assert_true(tut_is_ok(tut_reader_expect(&r, TUT_LIT("\3\4"))));
    assert_int_equal(tut_reader_left(&r), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_read_in_their_order),
        cmocka_unit_test(numbers_beyond_the_end_are_truncated_and_move_nothing),
        cmocka_unit_test(take_sees_nothing_outside),
        cmocka_unit_test(take_beyond_end_is_truncated),
        cmocka_unit_test(empty_reader_gives_only_nothing),
        cmocka_unit_test(varint_holds_64_bits_and_no_more),
        cmocka_unit_test(sized_is_all_or_nothing),
        cmocka_unit_test(expect_moves_only_over_a_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
