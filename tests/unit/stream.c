#include "stream_kinds.h"

static void bytes_come_in_order_until_the_end(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        opened o;
        open_kind(&o, kind, large, LARGE);
        uint8_t b = 0;
        for (size_t i = 0; i < LARGE; i++) {
            assert_true(tut_is_ok(tut_stream_u8(o.stream, &b)));
            if (b != large[i] || tut_stream_pos(o.stream) != i + 1)
                fail_msg("kind %d differs at %zu", kind, i);
        }
        b = 77;
        assert_int_equal(tut_stream_u8(o.stream, &b).code, TUT_TRUNCATED);
        assert_int_equal(b, 77);
        assert_int_equal(tut_stream_pos(o.stream), LARGE);
        assert_true(tut_stream_at_end(o.stream));
        assert_int_equal(tut_stream_failure(o.stream, NULL), TUT_OK);
        close_kind(&o);
    }
}

/* A random walk of every operation, beside a plain index into the bytes. */
static void every_operation_agrees_with_plain_memory(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int kind = 0; kind < KINDS; kind++) {
        opened o;
        open_kind(&o, kind, large, LARGE);
        tut_stream *s = o.stream;
        uint64_t pos = 0;
        for (int step = 0; step < 20000; step++) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t what = seed >> 29;
            size_t n = (seed >> 8) % (what & 1 ? 300 : TUT_LIMIT_PEEK_BYTES + 1);
            uint64_t left = LARGE - pos;
            const uint8_t *bytes = NULL;
            tut_span span = {0};
            tut_code code;
            switch (what) {
            case 0:
            case 1:
                code = tut_stream_peek(s, n, &bytes).code;
                assert_int_equal(code, n <= left ? TUT_OK : TUT_TRUNCATED);
                break;
            case 2:
            case 3:
                assert_true(tut_is_ok(tut_stream_peek_some(s, n, &span)));
                assert_int_equal(span.len, n < left ? n : left);
                assert_memory_equal(span.data, large + pos, span.len);
                break;
            case 4:
            case 5:
                code = tut_stream_take(s, n, &bytes).code;
                assert_int_equal(code, n <= left ? TUT_OK : TUT_TRUNCATED);
                pos += code == TUT_OK ? n : 0;
                break;
            case 6:
                code = tut_stream_skip(s, n).code;
                assert_int_equal(code, n <= left ? TUT_OK : TUT_TRUNCATED);
                pos = code == TUT_OK ? pos + n : LARGE;
                break;
            default:
                code = tut_stream_seek(s, n * 6).code;
                if (kind >= 4)
                    assert_int_equal(code, TUT_UNSUPPORTED);
                else
                    assert_int_equal(code, n * 6 <= LARGE ? TUT_OK : TUT_TRUNCATED);
                pos = code == TUT_OK ? n * 6 : pos;
            }
            if (bytes)
                assert_memory_equal(bytes, large + pos - (what >= 4 ? n : 0), n);
            assert_int_equal(tut_stream_pos(s), pos);
        }
        close_kind(&o);
    }
}

static void peek_shows_its_limit_and_no_more(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        opened o;
        open_kind(&o, kind, large, LARGE);
        const uint8_t *bytes;
        tut_span span;
        uint8_t b;
        assert_true(tut_is_ok(tut_stream_u8(o.stream, &b)));
        assert_true(tut_is_ok(tut_stream_peek(o.stream, TUT_LIMIT_PEEK_BYTES, &bytes)));
        assert_memory_equal(bytes, large + 1, TUT_LIMIT_PEEK_BYTES);
        assert_int_equal(tut_stream_peek(o.stream, TUT_LIMIT_PEEK_BYTES + 1, &bytes).code,
                         TUT_LIMIT);
        assert_int_equal(tut_stream_take(o.stream, SIZE_MAX, &bytes).code, TUT_LIMIT);
        assert_true(tut_is_ok(tut_stream_peek_some(o.stream, SIZE_MAX, &span)));
        assert_int_equal(span.len, TUT_LIMIT_PEEK_BYTES);
        assert_int_equal(tut_stream_pos(o.stream), 1);
        close_kind(&o);
    }
}

static void absurd_skip_ends_at_the_end(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        opened o;
        open_kind(&o, kind, large, 1000);
        const uint8_t *bytes;
        assert_true(tut_is_ok(tut_stream_take(o.stream, 10, &bytes)));
        assert_int_equal(tut_stream_skip(o.stream, UINT64_MAX).code, TUT_TRUNCATED);
        assert_int_equal(tut_stream_pos(o.stream), 1000);
        assert_true(tut_stream_at_end(o.stream));
        assert_true(tut_is_ok(tut_stream_skip(o.stream, 0)));
        assert_int_equal(tut_stream_skip(o.stream, 1).code, TUT_TRUNCATED);
        if (kind < 4) {
            assert_int_equal(tut_stream_seek(o.stream, 1001).code, TUT_TRUNCATED);
            assert_int_equal(tut_stream_seek(o.stream, UINT64_MAX).code, TUT_TRUNCATED);
            assert_true(tut_is_ok(tut_stream_seek(o.stream, 1000)));
            assert_true(tut_is_ok(tut_stream_seek(o.stream, 0)));
            assert_true(tut_is_ok(tut_stream_peek(o.stream, 1000, &bytes)));
            assert_memory_equal(bytes, large, 1000);
        }
        close_kind(&o);
    }
}

static void empty_data_is_at_its_end(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        opened o;
        open_kind(&o, kind, (const uint8_t *)"", 0);
        const uint8_t *bytes = NULL;
        tut_span span;
        bool is_cut;
        assert_true(tut_stream_at_end(o.stream));
        assert_true(tut_is_ok(tut_stream_peek(o.stream, 0, &bytes)));
        assert_non_null(bytes);
        assert_int_equal(tut_stream_peek(o.stream, 1, &bytes).code, TUT_TRUNCATED);
        assert_true(tut_is_ok(tut_stream_peek_some(o.stream, 1, &span)));
        assert_int_equal(span.len, 0);
        assert_int_equal(tut_stream_line(o.stream, 10, &span, &is_cut).code, TUT_TRUNCATED);
        assert_int_equal(tut_stream_failure(o.stream, NULL), TUT_OK);
        close_kind(&o);
    }
}

static void lines_end_with_their_newline(void **state)
{
    (void)state;
    static const char text[] = "one\n\ntwo\nrest";
    for (int kind = 0; kind < KINDS; kind++) {
        opened o;
        open_kind(&o, kind, (const uint8_t *)text, sizeof(text) - 1);
        tut_span line;
        bool is_cut = true;
        assert_true(tut_is_ok(tut_stream_line(o.stream, 100, &line, &is_cut)));
        assert_true(tut_str_eq_z(tut_str_from(line), "one\n"));
        assert_false(is_cut);
        assert_true(tut_is_ok(tut_stream_line(o.stream, 1, &line, &is_cut)));
        assert_true(tut_str_eq_z(tut_str_from(line), "\n"));
        assert_false(is_cut);
        assert_true(tut_is_ok(tut_stream_line(o.stream, 3, &line, &is_cut)));
        assert_true(tut_str_eq_z(tut_str_from(line), "two"));
        assert_true(is_cut);
        assert_int_equal(tut_stream_pos(o.stream), 9);
        line.len = 42;
        assert_int_equal(tut_stream_line(o.stream, 100, &line, &is_cut).code, TUT_TRUNCATED);
        assert_int_equal(line.len, 42);
        assert_int_equal(tut_stream_pos(o.stream), sizeof(text) - 1);
        close_kind(&o);
    }
}

/* The newline at every place around the sizes of the buffers. */
static void long_lines_are_cut_and_skipped_whole(void **state)
{
    (void)state;
    const size_t room = TUT_LIMIT_PEEK_BYTES + (16u << 10);
    const size_t places[] = {1,
                             99,
                             100,
                             101,
                             TUT_LIMIT_PEEK_BYTES - 1,
                             room - 1,
                             room,
                             room + 1,
                             2 * room - 1,
                             2 * room,
                             2 * room + 1,
                             3 * room,
                             LARGE - 2,
                             TUT_LIMIT_PEEK_BYTES};
    const size_t caps[] = {0, 1, 100, TUT_LIMIT_PEEK_BYTES, SIZE_MAX};
    uint8_t *copy = malloc(LARGE);
    assert_non_null(copy);
    for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
        memcpy(copy, large, LARGE);
        copy[places[p]] = '\n';
        for (size_t c = 0; c < sizeof(caps) / sizeof(caps[0]); c++) {
            size_t cap = caps[c] < TUT_LIMIT_PEEK_BYTES ? caps[c] : TUT_LIMIT_PEEK_BYTES;
            for (int kind = 0; kind < KINDS; kind++) {
                opened o;
                open_kind(&o, kind, copy, LARGE);
                tut_span line;
                bool is_cut;
                size_t len = places[p] + 1;
                uint8_t b;
                assert_true(tut_is_ok(tut_stream_line(o.stream, caps[c], &line, &is_cut)));
                assert_int_equal(line.len, len < cap ? len : cap);
                assert_memory_equal(line.data, copy, line.len);
                assert_int_equal(is_cut, len > cap);
                assert_int_equal(tut_stream_pos(o.stream), len);
                assert_true(tut_is_ok(tut_stream_u8(o.stream, &b)));
                assert_int_equal(b, copy[len]);
                if (kind < 4) {
                    assert_true(tut_is_ok(tut_stream_seek(o.stream, 0)));
                    assert_true(tut_is_ok(tut_stream_u8(o.stream, &b)));
                    assert_int_equal(b, copy[0]);
                }
                close_kind(&o);
            }
        }
    }
    free(copy);
}

static void line_without_end_is_truncated(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        opened o;
        open_kind(&o, kind, large, LARGE);
        tut_span line;
        bool is_cut;
        assert_int_equal(tut_stream_line(o.stream, 100, &line, &is_cut).code, TUT_TRUNCATED);
        assert_int_equal(tut_stream_pos(o.stream), LARGE);
        assert_true(tut_stream_at_end(o.stream));
        close_kind(&o);
    }
}

static void peek_of_a_known_window_reads_nothing(void **state)
{
    (void)state;
    int fd = file_of(large, LARGE);
    tut_source source;
    TUT_AUTO(tut_stream) s = NULL;
    const uint8_t *bytes;
    assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
    assert_true(tut_is_ok(tut_stream_open_source(&source, &s)));
    assert_true(tut_is_ok(tut_stream_peek(s, 100, &bytes)));
    assert_int_equal(ftruncate(fd, 0), 0); /* what is at hand needs no file */
    assert_true(tut_is_ok(tut_stream_peek(s, TUT_LIMIT_PEEK_BYTES, &bytes)));
    assert_true(tut_is_ok(tut_stream_take(s, 1000, &bytes)));
    assert_true(tut_is_ok(tut_stream_seek(s, 5)));
    assert_true(tut_is_ok(tut_stream_peek(s, 1000, &bytes)));
    assert_memory_equal(bytes, large + 5, 1000);
    assert_int_equal(tut_stream_failure(s, NULL), TUT_OK);
    close(fd);
}

static void file_that_shrinks_ends_with_a_reason(void **state)
{
    (void)state;
    int fd = file_of(large, LARGE);
    tut_source source;
    TUT_AUTO(tut_stream) s = NULL;
    const uint8_t *bytes;
    const char *why = NULL;
    tut_span span;
    tut_error err = {0};
    assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
    assert_true(tut_is_ok(tut_stream_open_source(&source, &s)));
    assert_true(tut_is_ok(tut_stream_take(s, 100, &bytes)));
    const size_t now = 3 * TUT_LIMIT_PEEK_BYTES + 17;
    assert_int_equal(ftruncate(fd, (off_t)now), 0);

    assert_true(tut_is_ok(tut_stream_skip(s, now - 100 - 7)));
    assert_int_equal(tut_stream_peek(s, 8, &bytes).code, TUT_TRUNCATED);
    assert_int_equal(tut_stream_failure(s, &why), TUT_TRUNCATED);
    assert_string_equal(why, "the file shrank while it was read");
    assert_true(tut_is_ok(tut_stream_peek_some(s, 100, &span)));
    assert_int_equal(span.len, 7);
    assert_memory_equal(span.data, large + now - 7, 7);
    assert_int_equal(tut_stream_skip(s, 8).code, TUT_TRUNCATED);
    assert_int_equal(tut_stream_pos(s), now);
    assert_true(tut_stream_at_end(s));
    assert_int_equal(tut_stream_seek(s, now + 1).code, TUT_TRUNCATED);
    assert_true(tut_is_ok(tut_stream_seek(s, 0)));
    assert_true(tut_is_ok(tut_stream_take(s, 10, &bytes)));
    assert_memory_equal(bytes, large, 10);

    uint8_t to[16];
    size_t got = 99;
    assert_int_equal(tut_source_read(&source, now - 7, to, 8, &err).code, TUT_TRUNCATED);
    assert_true(err.has_offset && err.offset == now);
    assert_true(tut_is_ok(tut_source_read_some(&source, now - 7, to, 8, &got, &err)));
    assert_int_equal(got, 7);
    close(fd);
}

static void file_that_shrinks_to_nothing_far_behind_ends_there(void **state)
{
    (void)state;
    int fd = file_of(large, LARGE);
    tut_source source;
    TUT_AUTO(tut_stream) s = NULL;
    uint8_t b;
    tut_span line;
    bool is_cut;
    assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
    assert_true(tut_is_ok(tut_stream_open_source(&source, &s)));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_true(tut_is_ok(tut_stream_skip(s, LARGE - 10)));
    assert_int_equal(tut_stream_line(s, 4, &line, &is_cut).code, TUT_TRUNCATED);
    assert_int_equal(tut_stream_u8(s, &b).code, TUT_TRUNCATED);
    assert_int_equal(tut_stream_failure(s, NULL), TUT_TRUNCATED);
    close(fd);
}

static void io_error_ends_with_its_reason(void **state)
{
    (void)state;
    int fd = file_of(large, LARGE);
    tut_source source;
    TUT_AUTO(tut_stream) s = NULL;
    const char *why;
    assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
    assert_true(tut_is_ok(tut_stream_open_source(&source, &s)));
    close(fd);
    assert_true(tut_stream_at_end(s));
    assert_int_equal(tut_stream_failure(s, &why), TUT_IO);
    assert_string_equal(why, "the file cannot be read: Bad file descriptor");
}

static void decoder_that_fails_midway_gives_what_it_had(void **state)
{
    (void)state;
    const tut_code codes[] = {TUT_MALFORMED, TUT_TRUNCATED, TUT_LIMIT, TUT_NOMEM};
    const size_t lengths[] = {0, 1, 776, 777, TUT_LIMIT_PEEK_BYTES, LARGE};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
            int freed = 0;
            drip d = {
                .data = large, .len = lengths[j], .portion = 777, .end = codes[i], .freed = &freed};
            tut_stream *s = drip_stream(&d);
            tut_span some;
            const char *why;
            uint64_t total = 0;
            while (tut_is_ok(tut_stream_peek_some(s, 5000, &some)) && some.len) {
                assert_memory_equal(some.data, large + total, some.len);
                total += some.len;
                assert_true(tut_is_ok(tut_stream_skip(s, some.len)));
            }
            assert_int_equal(total, lengths[j]);
            assert_true(tut_stream_at_end(s));
            assert_int_equal(tut_stream_failure(s, &why), codes[i]);
            assert_string_equal(why, "the drip broke");
            assert_int_equal(tut_stream_skip(s, 1).code, TUT_TRUNCATED);
            tut_stream_free(s);
            assert_int_equal(freed, 1);
        }
    }
}

static void decoder_that_claims_too_much_is_a_bug(void **state)
{
    (void)state;
    int freed = 0;
    drip d = {.data = large, .len = 100, .lies = true, .freed = &freed};
    TUT_AUTO(tut_stream) s = drip_stream(&d);
    assert_true(tut_stream_at_end(s));
    assert_int_equal(tut_stream_failure(s, NULL), TUT_BUG);
}

static void opening_without_memory_frees_the_decoder(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        int freed = 0;
        drip d = {.data = large, .len = 100, .freed = &freed};
        tut_stream *s = NULL;
        tut_alloc_fail_after(n);
        tut_code code = tut_stream_open_pull((tut_pull){drip_read, drip_free, &d}, &s).code;
        tut_alloc_fail_after(0);
        assert_int_equal(code, TUT_NOMEM);
        assert_null(s);
        assert_int_equal(freed, 1);
    }
    int fd = file_of(large, 1000);
    tut_source source;
    assert_true(tut_is_ok(tut_source_file(fd, &source, NULL)));
    for (uint64_t n = 1;; n++) {
        TUT_AUTO(tut_stream) s = NULL;
        tut_alloc_fail_after(n);
        tut_code code = tut_stream_open_source(&source, &s).code;
        tut_alloc_fail_after(0);
        if (code == TUT_OK) {
            assert_int_equal(n, 3);
            break;
        }
        assert_int_equal(code, TUT_NOMEM);
        assert_null(s);
    }
    close(fd);
    tut_stream_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_in_order_until_the_end),
        cmocka_unit_test(every_operation_agrees_with_plain_memory),
        cmocka_unit_test(peek_shows_its_limit_and_no_more),
        cmocka_unit_test(absurd_skip_ends_at_the_end),
        cmocka_unit_test(empty_data_is_at_its_end),
        cmocka_unit_test(lines_end_with_their_newline),
        cmocka_unit_test(long_lines_are_cut_and_skipped_whole),
        cmocka_unit_test(line_without_end_is_truncated),
        cmocka_unit_test(peek_of_a_known_window_reads_nothing),
        cmocka_unit_test(file_that_shrinks_ends_with_a_reason),
        cmocka_unit_test(file_that_shrinks_to_nothing_far_behind_ends_there),
        cmocka_unit_test(io_error_ends_with_its_reason),
        cmocka_unit_test(decoder_that_fails_midway_gives_what_it_had),
        cmocka_unit_test(decoder_that_claims_too_much_is_a_bug),
        cmocka_unit_test(opening_without_memory_frees_the_decoder),
    };
    return cmocka_run_group_tests(tests, make_large, drop_large);
}
