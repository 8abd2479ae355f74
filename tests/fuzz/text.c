/* What reads untrusted text in base: UTF-8, escaping, columns, distance, numbers, times. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/reader.h"
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_so)
{
    if (!is_so)
        abort();
}

static void escape(tut_str text, size_t max_chars)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_escaped(&b, text, max_chars);
    tut_str shown = tut_buf_str(&b);
    must(tut_utf8_valid(shown));
    must(tut_utf8_columns(shown) <= 2 * shown.len);
    for (size_t i = 0; i < shown.len; i++)
        must((uint8_t)shown.data[i] >= 0x20 && shown.data[i] != 0x7f);
    must(max_chars == 0 || max_chars > 4 * text.len || shown.len <= 4 * max_chars + 3);
}

static void read_numbers(tut_span bytes)
{
    tut_reader r = tut_reader_of(bytes);
    uint64_t v;
    tut_str s;
    while (tut_reader_left(&r)) {
        size_t before = r.pos;
        if (!tut_is_ok(tut_reader_sized(&r, &s)) && !tut_is_ok(tut_reader_varint(&r, &v)) &&
            !tut_is_ok(tut_reader_skip(&r, 1)))
            abort();
        must(r.pos > before && r.pos <= bytes.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_str text = {(const char *)data, size};
    escape(text, (size_t)-1);
    escape(text, size ? data[0] : 0);
    read_numbers(tut_span_of(data, size));
    uint64_t n;
    if (tut_str_u64(text, &n)) {
        char digits[24];
        snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
        must(tut_str_ends(text, tut_str_of(digits)));
    }
    must(tut_str_trim(text).len <= size);
    tut_time t;
    if (tut_is_ok(tut_time_parse(text, &t))) {
        char again[TUT_TIME_TEXT];
        tut_time back = 0;
        tut_time_rfc3339(t, again);
        bool is_in_range = t >= -62167219200 && t <= 253402300799;
        must(!is_in_range || (tut_is_ok(tut_time_parse(tut_str_of(again), &back)) && back == t));
    }
    size_t half = size / 2;
    size_t distance = tut_str_distance((tut_str){text.data, half},
                                       (tut_str){text.data + half, size - half});
    must(distance == SIZE_MAX || distance <= size - half);
    static const char *const words[] = {"scan", "assess", "inventory", ""};
    (void)tut_str_nearest(text, words, 4);
    return 0;
}
