/*
 * What the low bits of numbers spell, when they are strung together in every way that tools do it:
 * the lowest 1 to 8 bits of every number, of every second, third or fourth; the first bit at either
 * end of its byte, and of its number.
 *
 * Text and headers speak for themselves. Where neither is seen (the middle of a program), it is
 * whole bytes that come again more often than their bits explain; that counts only for numbers
 * that are otherwise all different, as quantised and sparse weights repeat themselves too.
 */
#include <string.h>

#include "formats/payload.h"
#include "formats/pickle_sniff.h"
#include "scan/weights_internal.h"
#include "stats/pack.h"

enum {
    TEXT_RUN = 64,   /* shortest text; by chance: 0.38^64 per place */
    TEXT_KINDS = 10, /* different characters, so that a constant is none */
    TEXT_SHOWN = 64,
    PHASED = 4, /* ways that are tried with their bits shifted too */
    START_BYTES = 64,
    SLOTS = 1 << 14, /* more than twice what a window holds */
    VARIED = 10      /* different bytes in the first 64 of anything but zeros and ones */
};
static const double repeats_alarm = 30, repeats_times = 1.5;

/* --- text and headers --- */

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

/* Looks at the last byte of a place first: without text it is passed over whole. */
static bool find_text(const uint8_t *data, size_t len, size_t *ret_at)
{
    size_t at = 0;
    while (len - at >= TEXT_RUN) {
        size_t run = TEXT_RUN;
        while (run > 0 && is_text_byte(data[at + run - 1]))
            run--;
        if (run == 0 && is_text_run(data + at, TEXT_RUN)) {
            *ret_at = at;
            return true;
        }
        at += run > 0 ? run : TEXT_RUN;
    }
    return false;
}

/* Pictures and documents: no business of tensors' first bytes, but of what people hide. */
static const char *document_name(tut_span h)
{
    static const struct {
        const char *magic;
        size_t len;
        const char *name;
    } kinds[] = {{"\x89PNG\r\n\x1a\n", 8, "a PNG picture"},
                 {"%PDF-1.", 7, "a PDF document"},
                 {"\xff\xd8\xff\xe0\0\x10JFIF", 10, "a JPEG picture"},
                 {"\xff\xd8\xff\xe1\0\0Exif", 4, NULL}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].name && h.len >= kinds[i].len &&
            memcmp(h.data, kinds[i].magic, kinds[i].len) == 0)
            return kinds[i].name;
    return NULL;
}

/* Among numbers that are mostly zeros the short beginning of a pickle turns up by chance. */
static bool is_varied(const uint8_t *data, size_t len)
{
    bool seen[256] = {0};
    size_t kinds = 0;
    for (size_t i = 0; i < len && i < START_BYTES; i++) {
        kinds += !seen[data[i]];
        seen[data[i]] = true;
    }
    return kinds >= VARIED;
}

/* gzip's magic is short: the time must be none or of this century, flags and system usual ones. */
static bool is_likely_gzip(const uint8_t *d)
{
    uint32_t time = (uint32_t)d[4] | (uint32_t)d[5] << 8 | (uint32_t)d[6] << 16 |
                    (uint32_t)d[7] << 24;
    return (d[3] == 0 || d[3] == 8) && (time == 0 || (time > 0x386d4380u && time < 0x83aa7e80u)) &&
           (d[9] == 0 || d[9] == 3 || d[9] == 10 || d[9] == 11 || d[9] == 255);
}

/* The first two bytes of all that header_at knows: cheap, for every byte. */
static bool may_begin(uint8_t first, uint8_t second)
{
    static const uint8_t seconds[256] = {
        [0x00] = 'a', ['M'] = 'Z',   ['P'] = 'K',   ['B'] = 'Z',  ['7'] = 'z',
        ['R'] = 'a',  ['#'] = '!',   ['%'] = 'P',   [0x7f] = 'E', [0x1f] = 0x8b,
        [0xfd] = '7', [0xce] = 0xfa, [0xcf] = 0xfa, [0x89] = 'P', [0xff] = 0xd8};
    return first == 0x80 ? second >= 2 && second <= 5
                         : seconds[first] != 0 && seconds[first] == second;
}

static const char *header_at(const uint8_t *data, size_t len)
{
    if (len < 8 || !may_begin(data[0], data[1]))
        return NULL;
    tut_span head = tut_span_of(data, len);
    const char *name = tut_payload_name(head);
    if (!name)
        return document_name(head);
    bool is_sure = data[0] == 0x80 ? is_varied(data, len) && tut_psniff_is_pickle(head, UINT64_MAX)
                   : data[0] == 0x1f ? is_likely_gzip(data)
                                     : true;
    return is_sure ? name : NULL;
}

static const char *find_header(const uint8_t *data, size_t len, size_t most)
{
    const char *name = NULL;
    for (size_t i = 0; i + 1 < len && i < most && !name; i++)
        name = may_begin(data[i], data[i + 1]) ? header_at(data + i, len - i) : NULL;
    return name;
}

/* --- saying it --- */

static const char *every(unsigned stride)
{
    static const char *const words[] = {"", "", "second ", "third ", "fourth "};
    return words[stride];
}

static void say_spelt(tut_weights_run *r, const tut_weights_piece *at, const tut_pack_way *way,
                      const char *what, tut_str text)
{
    const char *name = r->w->tensors[at->tensor].name;
    r->said_hidden++;
    if (what) {
        tut_weights_say(r->w, at->tensor, "data.hidden-payload", -1, at->begin,
                        "the low %u bits of each %snumber of tensor %s spell %s", way->bits,
                        every(way->stride), name, what);
        return;
    }
    tut_weights_say(r->w, at->tensor, "data.hidden-payload", -1, at->begin,
                    "the low %u bits of each %snumber of tensor %s spell text: %.*s", way->bits,
                    every(way->stride), name, (int)text.len, text.data);
}

/* --- the window --- */

/* Reads the window's numbers again; their low bytes alone were kept. */
static size_t read_again(tut_weights_run *r)
{
    const tut_weights_window *w = &r->window;
    const tut_numeric_kind *k = &tut_numeric_kinds[w->kind];
    size_t have = 0;
    for (size_t i = 0; i < w->piece_count; i++) {
        const tut_weights_piece *p = &w->pieces[i];
        size_t units = p->values / k->unit_values, got = 0;
        if (!tut_is_ok(tut_source_read_some(r->source, p->begin, r->raw, units * k->unit_bytes,
                                            &got, NULL)) ||
            got < units * k->unit_bytes)
            return 0;
        tut_numeric_bits(w->kind, r->raw, units, r->bits + have);
        have += units * k->unit_values;
    }
    return have;
}

bool tut_weights_is_table(const uint64_t *bits, size_t count, tut_numeric kind)
{
    const unsigned code = tut_numeric_kinds[kind].code_bits;
    bool rises = true, falls = true;
    int64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t magnitude = (int64_t)(bits[i] & ((1ull << code) - 1));
        int64_t key = bits[i] >> code & 1 ? -magnitude : magnitude;
        rises = rises && (i == 0 || key >= last);
        falls = falls && (i == 0 || key <= last);
        last = key;
    }
    return rises || falls;
}

/* Whether the low bits are the numbers' own: numbers that agree in the bits above agree in them
 * too, as the few values of quantised weights do. A payload differs each time. *ret_distinct: how
 * many different upper parts there are. */
static bool has_own_bits(tut_weights_run *r, size_t count, unsigned bits, size_t *ret_distinct)
{
    size_t again = 0, same = 0, distinct = 0;
    memset(r->slots, 0, sizeof(r->slots));
    for (size_t i = 0; i < count; i++) {
        uint64_t upper = r->bits[i] >> bits, low = r->bits[i] & ((1ull << bits) - 1);
        size_t slot = (size_t)((upper + 1) * 0x9e3779b97f4a7c15ull >> 50);
        while (r->slots[slot].is_used && r->slots[slot].upper != upper)
            slot = (slot + 1) % SLOTS;
        again += r->slots[slot].is_used;
        same += r->slots[slot].is_used && r->slots[slot].low == low;
        distinct += !r->slots[slot].is_used;
        r->slots[slot].is_used = true;
        r->slots[slot].upper = upper;
        r->slots[slot].low = low;
    }
    *ret_distinct = distinct;
    return again >= 64 && same * 10 >= again * 7;
}

typedef struct best_way {
    tut_pack_way way;
    double repeats;
} best_way;

static bool try_way(tut_weights_run *r, const tut_pack_way *way, double *ret_repeats)
{
    size_t at = 0, distinct = 0;
    size_t made = tut_pack(r->bits, r->window.count, way, r->packed, sizeof(r->packed));
    *ret_repeats = 0;
    const char *what = find_header(r->packed, made, made);
    bool is_text = !what && !r->is_table && find_text(r->packed, made, &at);
    if ((what || is_text) && !has_own_bits(r, r->window.count, way->bits, &distinct)) {
        tut_str text = is_text ? (tut_str){(const char *)r->packed + at, TEXT_SHOWN} : TUT_LIT("");
        say_spelt(r, &r->window.pieces[0], way, what, text);
        return true;
    }
    if (way->bits >= 8 || !tut_pack_may_repeat(r->packed, made, repeats_times))
        return false;
    (void)tut_pack_shuffled(r->bits, r->window.count, way, r->shuffled, sizeof(r->shuffled));
    *ret_repeats = tut_pack_repeats(r->packed, r->shuffled, made, repeats_times);
    return false;
}

static void keep_best(best_way best[PHASED], const tut_pack_way *way, double repeats)
{
    for (size_t i = 0; i < PHASED; i++) {
        if (repeats <= best[i].repeats)
            continue;
        memmove(best + i + 1, best + i, (PHASED - 1 - i) * sizeof(*best));
        best[i] = (best_way){*way, repeats};
        return;
    }
}

static unsigned bits_most(tut_numeric kind)
{
    return tut_numeric_kinds[kind].mantissa_bits > 0 ? 8 : 4;
}

/* Whole bytes above the lowest: two or three of four, up to six of eight. */
static unsigned bytes_most(tut_numeric kind)
{
    return kind == TUT_NUMERIC_F64 ? 6 : kind == TUT_NUMERIC_F32 ? 3 : 1;
}

static bool try_all(tut_weights_run *r, best_way best[PHASED])
{
    double repeats = 0;
    for (unsigned bits = 1; bits <= bits_most(r->window.kind); bits++) {
        for (unsigned stride = 1; stride <= 4; stride++) {
            for (unsigned how = 0; how < (stride > 1 || bits == 1 ? 2u : 4u) * stride; how++) {
                tut_pack_way way = {.bits = bits,
                                    .stride = stride,
                                    .first = how % stride,
                                    .is_low_first = (how / stride) & 1,
                                    .is_turned = how / stride >= 2};
                if (try_way(r, &way, &repeats))
                    return true;
                keep_best(best, &way, repeats);
            }
        }
    }
    for (unsigned bytes = 2; bytes <= bytes_most(r->window.kind); bytes++) {
        for (unsigned how = 0; how < 2; how++) {
            tut_pack_way way = {.bits = 8 * bytes, .stride = 1, .is_low_first = how == 0};
            if (try_way(r, &way, &repeats))
                return true;
        }
    }
    return false;
}

static bool try_phases(tut_weights_run *r, const best_way best[PHASED])
{
    double repeats = 0;
    for (size_t i = 0; i < PHASED; i++) {
        for (unsigned phase = 1; phase < 8 && best[i].repeats > 5; phase++) {
            tut_pack_way way = best[i].way;
            way.phase = phase;
            if (try_way(r, &way, &repeats))
                return true;
        }
    }
    return false;
}

/* The low byte of numbers that differ: which ends it has (how many zeros) is up to rounding, but of
 * all bytes with the same end each is as likely. */
static double repeats_of_bytes(tut_weights_run *r, size_t count)
{
    static const tut_pack_way way = {.bits = 8, .stride = 1, .is_low_first = true};
    uint32_t state = 1;
    size_t made = tut_pack(r->bits, count, &way, r->packed, sizeof(r->packed));
    for (size_t i = 0; i < made; i++) {
        uint8_t end = (uint8_t)(r->packed[i] & -r->packed[i]);
        state = state * 1664525u + 1013904223u;
        r->shuffled[i] = end ? (uint8_t)(((state >> 20 | 1u) * end) & 0xff) : 0;
    }
    /* Uniform numbers made from whole ones favour some ends: 784 inputs give multiples of 1/28. */
    return tut_pack_repeats(r->packed, r->shuffled, made, 4);
}

bool tut_weights_look(tut_weights_run *r)
{
    best_way best[PHASED] = {0};
    const tut_weights_window *w = &r->window;
    size_t distinct = 0, count = read_again(r);
    if (count == 0 || count != w->count)
        return false;
    r->is_table = tut_weights_is_table(r->bits, count, w->kind);
    if (try_all(r, best) || try_phases(r, best))
        return true;
    if (tut_numeric_kinds[w->kind].mantissa_bits < 23 || r->is_table)
        return false;
    bool is_own = has_own_bits(r, count, 8, &distinct);
    double bytes = is_own ? 0 : repeats_of_bytes(r, count);
    if (bytes > best[0].repeats)
        best[0] = (best_way){{.bits = 8, .stride = 1}, bytes};
    if (best[0].repeats < repeats_alarm || is_own || distinct * 2 < count)
        return false;
    const tut_weights_piece *p = &w->pieces[0];
    tut_weights_say(r->w, p->tensor, "weights.structured-bits", -1, p->begin,
                    "the low %u bits of each %snumber of tensor %s repeat whole bytes, %.0f "
                    "standard deviations above chance, while the numbers themselves differ",
                    best[0].way.bits, every(best[0].way.stride), r->w->tensors[p->tensor].name,
                    best[0].repeats);
    r->said_hidden++;
    return true;
}

/* --- the first numbers --- */

/* Archives and ciphers with a header give themselves away by it alone; writers often put a length
 * in front. */
static const char *header_near(const uint8_t *data, size_t len)
{
    static const size_t starts[] = {0, 2, 4, 8, 12, 16};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]) && !name; i++)
        if (len > starts[i] + 24)
            name = header_at(data + starts[i], len - starts[i]);
    return name;
}

/* Text that is too short to disturb a whole window. */
static bool find_short_text(tut_weights_run *r, const tut_weights_piece *piece, size_t count,
                            unsigned most)
{
    for (unsigned bits = 1; bits <= most; bits *= 2) {
        for (unsigned how = 0; how < (bits < 8 ? 2u : 1u); how++) {
            size_t at = 0, distinct = 0;
            tut_pack_way way = {.bits = bits, .stride = 1, .is_low_first = how == 1};
            size_t made = tut_pack(r->bits, count, &way, r->packed, sizeof(r->packed));
            if (!find_text(r->packed, made, &at) || has_own_bits(r, count, bits, &distinct))
                continue;
            say_spelt(r, piece, &way, NULL, (tut_str){(const char *)r->packed + at, TEXT_SHOWN});
            return true;
        }
    }
    return false;
}

static bool find_start(tut_weights_run *r, const tut_weights_piece *piece, size_t count,
                       const tut_pack_way *way)
{
    size_t need = START_BYTES * 8 * way->stride / way->bits + 1;
    size_t made = tut_pack(r->bits, need < count ? need : count, way, r->packed,
                           (size_t)START_BYTES * 2);
    const char *what = header_near(r->packed, made);
    if (what)
        say_spelt(r, piece, way, what, TUT_LIT(""));
    return what != NULL;
}

bool tut_weights_look_at_start(tut_weights_run *r, size_t tensor)
{
    const tut_weights_tensor *t = &r->w->tensors[tensor];
    const tut_numeric_kind *k = &tut_numeric_kinds[t->kind];
    const tut_weights_piece piece = {.tensor = tensor, .begin = t->begin};
    size_t got = 0, most = (size_t)TUT_PLANES_VALUES / k->unit_values * k->unit_bytes;
    if (most > t->end - t->begin)
        most = (size_t)(t->end - t->begin);
    if (!tut_is_ok(tut_source_read_some(r->source, t->begin, r->raw, most, &got, NULL)))
        return false;
    size_t count = got / k->unit_bytes * k->unit_values;
    tut_numeric_bits(t->kind, r->raw, got / k->unit_bytes, r->bits);
    unsigned deepest = k->mantissa_bits > 0 ? k->mantissa_bits + 1u : 4u;
    for (unsigned bits = 1; bits <= deepest && bits <= 52; bits++) {
        for (unsigned how = 0; how < 16; how++) {
            tut_pack_way way = {.bits = bits,
                                .stride = how % 4 + 1,
                                .is_low_first = (how / 4) & 1,
                                .is_turned = how >= 8};
            if ((way.is_turned && (bits == 1 || bits > 8)) ||
                (way.stride > 1 && (way.is_turned || bits > 8)))
                continue;
            if (find_start(r, &piece, count, &way))
                return true;
        }
    }
    return !tut_weights_is_table(r->bits, count, t->kind) &&
           find_short_text(r, &piece, count, bits_most(t->kind));
}
