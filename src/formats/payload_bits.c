/*
 * Low bits of numbers. Natural weights fill the low bits of their mantissas evenly, so entropy
 * tells nothing; what tells is structure: text, or a valid header, when the low 1, 2, 4 or 8 bits
 * of each number are strung together, in either order of bits.
 */
#include <string.h>

#include "base/alloc.h"
#include "formats/payload.h"

enum {
    SAMPLE_BYTES = 64 << 10, /* per tensor: 2,048 bytes of one bit per 32-bit number */
    TEXT_RUN = 64,           /* shortest text; by chance: 0.38^64 per place */
    TEXT_KINDS = 10          /* different characters, so that a constant is none */
};
/* All samples of one file: 256 MiB is under a second, and a payload does not hide in the last of
 * 4,000 tensors alone. */
static const uint64_t all_samples_bytes = 256ull << 20;

void tut_payload_probe_done(tut_payload_probe *p)
{
    tut_free(p->sample);
    tut_free(p->plane);
    *p = (tut_payload_probe){0};
}

/* The low `bits` of each number strung together: the earliest number in the low or the high bits of
 * a byte. */
static size_t pack(const uint8_t *sample, size_t len, size_t step, unsigned bits, bool is_low_first,
                   uint8_t *to)
{
    size_t made = 0;
    unsigned have = 0, value = 0;
    for (size_t i = 0; i + step <= len; i += step) {
        unsigned field = sample[i] & ((1u << bits) - 1u);
        value = is_low_first ? value | field << have : value << bits | field;
        have += bits;
        if (have == 8) {
            to[made++] = (uint8_t)value;
            have = 0;
            value = 0;
        }
    }
    return made;
}

static bool is_text_byte(uint8_t c)
{
    return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
}

static bool is_letter(uint8_t c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == ' ' || (c >= '0' && c <= '9');
}

/* Whether text of different characters, mostly letters, stands at data[0..len). */
static bool is_text_run(const uint8_t *data, size_t len)
{
    bool seen[256] = {0};
    size_t kinds = 0, letters = 0;
    for (size_t i = 0; i < len; i++) {
        kinds += !seen[data[i]];
        seen[data[i]] = true;
        letters += is_letter(data[i]);
    }
    return kinds >= TEXT_KINDS && letters * 10 >= len * 6;
}

static bool find_text(const uint8_t *data, size_t len, size_t *ret_at)
{
    size_t run = 0;
    for (size_t i = 0; i < len; i++) {
        run = is_text_byte(data[i]) ? run + 1 : 0;
        if (run >= TEXT_RUN && run % TEXT_RUN == 0 &&
            is_text_run(data + i + 1 - TEXT_RUN, TEXT_RUN)) {
            *ret_at = i + 1 - TEXT_RUN;
            return true;
        }
    }
    return false;
}

/* A header at the start, or behind a length of 4 or 8 bytes. */
static const char *find_header(const uint8_t *data, size_t len)
{
    static const size_t starts[] = {0, 4, 8};
    const char *name = NULL;
    for (size_t i = 0; i < 3 && !name; i++)
        if (len > starts[i])
            name = tut_payload_name((tut_span){data + starts[i], len - starts[i]});
    return name;
}

static bool check_plane(tut_exam *x, tut_payload_probe *p, size_t len, unsigned bits,
                        uint64_t start, tut_str name)
{
    size_t at = 0;
    const char *what = find_header(p->plane, len);
    bool is_text = !what && find_text(p->plane, len, &at);
    if (!what && !is_text)
        return false;
    int shown = (int)(name.len < 120 ? name.len : 120);
    if (what)
        tut_exam_observe(x, "data.hidden-payload", start,
                         "the low %u bits of the numbers of tensor %.*s spell %s", bits, shown,
                         name.data, what);
    else
        tut_exam_observe(x, "data.hidden-payload", start,
                         "the low %u bits of the numbers of tensor %.*s spell text: %.*s", bits,
                         shown, name.data, TEXT_RUN, (const char *)p->plane + at);
    return true;
}

static bool check_bits(tut_exam *x, tut_payload_probe *p, size_t len, size_t step, uint64_t start,
                       tut_str name)
{
    for (unsigned bits = 1; bits <= 8; bits *= 2) {
        for (int order = 0; order < (bits < 8 ? 2 : 1); order++) {
            size_t made = pack(p->sample, len, step, bits, order == 1, p->plane);
            if (check_plane(x, p, made, bits, start, name))
                return true;
        }
    }
    return false;
}

static tut_status get_memory(tut_payload_probe *p)
{
    if (p->sample)
        return TUT_SUCCESS;
    p->sample = tut_realloc_array(NULL, SAMPLE_BYTES, 1);
    p->plane = tut_realloc_array(NULL, SAMPLE_BYTES, 1);
    p->bytes_left = all_samples_bytes;
    return (tut_status){p->sample && p->plane ? TUT_OK : TUT_NOMEM};
}

tut_status tut_payload_probe_tensor(tut_exam *x, tut_payload_probe *p, uint64_t start, uint64_t end,
                                    tut_number_width width, tut_str name, tut_error *err)
{
    static const size_t steps[] = {
        [TUT_NUMBER_OTHER] = 0, [TUT_NUMBER_16] = 2, [TUT_NUMBER_32] = 4, [TUT_NUMBER_64] = 8};
    size_t got = 0;
    if (!x->source || !x->content || end <= start)
        return TUT_SUCCESS;
    if (!tut_is_ok(get_memory(p)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t want = steps[width] ? SAMPLE_BYTES : 4096;
    if (want > end - start)
        want = (size_t)(end - start);
    if (want > p->bytes_left)
        return TUT_SUCCESS;
    p->bytes_left -= want;
    TUT_TRY(tut_source_read_some(x->source, start, p->sample, want, &got, err));
    const char *what = tut_payload_name((tut_span){p->sample, got});
    if (what) {
        tut_exam_observe(x, "data.hidden-payload", start, "tensor %.*s begins with %s",
                         (int)(name.len < 120 ? name.len : 120), name.data, what);
        tut_source range;
        uint64_t there = x->source->size;
        if (x->ops->member && start < there &&
            tut_is_ok(
                tut_source_slice(x->source, start, (end < there ? end : there) - start, &range)))
            return x->ops->member(x->ctx, TUT_LIT("[tensor]"), &range, NULL, range.size, err);
        return TUT_SUCCESS;
    }
    if (steps[width])
        (void)check_bits(x, p, got, steps[width], start, name);
    return TUT_SUCCESS;
}
