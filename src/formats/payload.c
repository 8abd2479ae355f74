#include "formats/payload.h"

#include <string.h>

#include "base/reader.h"

enum { HEAD_BYTES = 4096, TAIL_BYTES = 512, END_BYTES = 22, CENTRAL_BYTES = 46 };

static uint32_t u16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
    return u16(p) | u16(p + 2) << 16;
}

static bool is_elf(tut_span h)
{
    if (h.len < 24 || memcmp(h.data,
                             "\x7f"
                             "ELF",
                             4) != 0)
        return false;
    bool is_little = h.data[5] == 1;
    uint32_t type = is_little ? u16(h.data + 16) : (uint32_t)h.data[16] << 8 | h.data[17];
    return (h.data[4] == 1 || h.data[4] == 2) && (is_little || h.data[5] == 2) && h.data[6] == 1 &&
           type >= 1 && type <= 4;
}

static bool is_pe(tut_span h)
{
    if (h.len < 0x40 || h.data[0] != 'M' || h.data[1] != 'Z')
        return false;
    uint32_t at = u32(h.data + 0x3c);
    return at >= 4 && at <= h.len - 4 && memcmp(h.data + at, "PE\0\0", 4) == 0;
}

static bool is_mach_o(tut_span h)
{
    if (h.len < 28)
        return false;
    uint32_t magic = u32(h.data);
    bool is_macho = magic == 0xfeedfaceu || magic == 0xfeedfacfu;
    uint32_t cpu = u32(h.data + 4) & 0x00ffffffu, type = u32(h.data + 12);
    return is_macho && (cpu == 7 || cpu == 12 || cpu == 18) && type >= 1 && type <= 12;
}

static bool is_zip(tut_span h)
{
    if (h.len < 30 || memcmp(h.data, "PK\3\4", 4) != 0)
        return false;
    uint32_t method = u16(h.data + 8), name = u16(h.data + 26);
    return u16(h.data + 4) <= 100 && method <= 99 && name >= 1 && name <= 4096;
}

static bool is_packed(tut_span h)
{
    if (h.len < 18)
        return false;
    bool is_gzip = h.data[0] == 0x1f && h.data[1] == 0x8b && h.data[2] == 8 && h.data[3] < 0x20 &&
                   (h.data[8] == 0 || h.data[8] == 2 || h.data[8] == 4);
    return is_gzip ||
           memcmp(h.data,
                  "\xfd"
                  "7zXZ\0",
                  6) == 0 ||
           memcmp(h.data, "7z\xbc\xaf\x27\x1c", 6) == 0 || memcmp(h.data, "Rar!\x1a\x07", 6) == 0 ||
           (memcmp(h.data, "BZh", 3) == 0 && memcmp(h.data + 4, "1AY&SY", 6) == 0);
}

static bool is_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* GLOBAL: 'c' and two lines of names. */
static bool names_global(tut_span h, size_t at)
{
    for (int line = 0; line < 2; line++) {
        size_t first = at;
        while (at < h.len && is_word(h.data[at]))
            at++;
        if (at - first < 2 || at >= h.len || h.data[at] != '\n')
            return false;
        at++;
    }
    return true;
}

static bool is_pickle(tut_span h)
{
    if (h.len < 4 || h.data[0] != 0x80 || h.data[1] < 2 || h.data[1] > 5)
        return false;
    if (h.data[1] >= 4 && h.len >= 11 && h.data[2] == 0x95 && h.data[7] == 0 && h.data[8] == 0 &&
        h.data[9] == 0 && h.data[10] == 0)
        return true;
    for (size_t i = 2; i < h.len && i < 256; i++)
        if (h.data[i] == 'c' && names_global(h, i + 1))
            return true;
    return false;
}

static bool is_script(tut_span h)
{
    return h.len >= 8 && (memcmp(h.data, "#!/bin/", 7) == 0 || memcmp(h.data, "#!/usr/", 7) == 0);
}

static bool is_wasm(tut_span h)
{
    return h.len >= 8 && memcmp(h.data, "\0asm\1\0\0\0", 8) == 0;
}

const char *tut_payload_name(tut_span head)
{
    static const struct {
        bool (*is)(tut_span);
        const char *name;
    } kinds[] = {{is_elf, "an ELF program"},      {is_pe, "a Windows program"},
                 {is_mach_o, "a Mach-O program"}, {is_wasm, "a WebAssembly program"},
                 {is_script, "a script"},         {is_pickle, "a pickle"},
                 {is_zip, "a zip archive"},       {is_packed, "a compressed archive"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].is(head))
            return kinds[i].name;
    return NULL;
}

const char *tut_payload_program(tut_span h)
{
    bool is_elf_start = h.len >= 7 && memcmp(h.data, "\177ELF", 4) == 0 &&
                        (h.data[4] == 1 || h.data[4] == 2) && (h.data[5] == 1 || h.data[5] == 2) &&
                        h.data[6] == 1;
    if (is_elf_start)
        return "an ELF program";
    if (is_pe(h))
        return "a Windows program";
    return is_mach_o(h) ? "a Mach-O program" : NULL;
}

/* As the engine would see these bytes if they lay in a file of their own. */
static const tut_format *detect(const tut_source *range)
{
    uint8_t head[HEAD_BYTES], tail[TAIL_BYTES];
    size_t head_len = 0, tail_len = 0;
    uint64_t tail_at = range->size > TAIL_BYTES ? range->size - TAIL_BYTES : 0;
    tut_match match = TUT_MATCH_NONE;
    if (!tut_is_ok(tut_source_read_some(range, 0, head, sizeof(head), &head_len, NULL)) ||
        !tut_is_ok(tut_source_read_some(range, tail_at, tail, sizeof(tail), &tail_len, NULL)))
        return NULL;
    tut_sniff sniff = {.head = {head, head_len},
                       .tail = {tail, tail_len},
                       .size = range->size,
                       .name = TUT_LIT("")};
    const tut_format *format = tut_format_detect(&sniff, &match);
    bool is_read = format && format->kind == TUT_KIND_MODEL && match >= TUT_MATCH_STRONG;
    return is_read ? format : NULL;
}

tut_status tut_payload_examine(tut_exam *x, uint64_t start, uint64_t end, const char *where,
                               tut_error *err)
{
    uint8_t head[HEAD_BYTES];
    size_t len = 0;
    tut_source range;
    if (!x->source || end <= start ||
        !tut_is_ok(tut_source_slice(x->source, start, end - start, &range)))
        return TUT_SUCCESS;
    TUT_TRY(tut_source_read_some(&range, 0, head, sizeof(head), &len, err));
    const char *name = tut_payload_name((tut_span){head, len});
    if (name)
        tut_exam_observe(x, "data.hidden-payload", start, "%s begins %s", name, where);
    if (!x->ops->member || !detect(&range))
        return TUT_SUCCESS;
    return x->ops->member(x->ctx, TUT_LIT("[hidden]"), &range, NULL, range.size, err);
}

/* Offset of an end record whose comment reaches to the end of the file. */
static bool find_zip_end(const tut_source *s, uint8_t ret_record[END_BYTES], uint64_t *ret_at)
{
    uint8_t window[4096];
    uint64_t lowest = s->size > 65535 + END_BYTES ? s->size - 65535 - END_BYTES : 0;
    uint64_t top = s->size;
    while (top > lowest && top - lowest >= END_BYTES) {
        size_t n = top - lowest < sizeof(window) ? (size_t)(top - lowest) : sizeof(window);
        size_t got = 0;
        if (!tut_is_ok(tut_source_read_some(s, top - n, window, n, &got, NULL)) || got < n)
            return false;
        for (size_t i = n - END_BYTES + 1; i-- > 0;) {
            if (window[i] != 'P' || memcmp(window + i, "PK\5\6", 4) != 0)
                continue;
            if (top - n + i + END_BYTES + u16(window + i + 20) != s->size)
                continue;
            memcpy(ret_record, window + i, END_BYTES);
            *ret_at = top - n + i;
            return true;
        }
        if (n < sizeof(window))
            return false;
        top -= n - (END_BYTES - 1); /* windows overlap by what a record could be cut */
    }
    return false;
}

/* Where the archive begins: the first member's local header, else the directory. */
static uint64_t zip_start(const tut_source *s, const uint8_t record[END_BYTES], uint64_t end_at)
{
    uint64_t size = u32(record + 12), offset = u32(record + 16);
    uint8_t central[CENTRAL_BYTES], magic[4];
    if (size > end_at || size < CENTRAL_BYTES)
        return end_at;
    uint64_t directory = end_at - size;
    if (!tut_is_ok(tut_source_read(s, directory, central, sizeof(central), NULL)) ||
        memcmp(central, "PK\1\2", 4) != 0)
        return end_at;
    uint64_t written = u32(central + 42);
    uint64_t local = written + (directory - offset); /* modulo 2^64, as readers reckon */
    if (local < directory && tut_is_ok(tut_source_read(s, local, magic, 4, NULL)) &&
        memcmp(magic, "PK\3\4", 4) == 0)
        return local;
    if (written < directory && tut_is_ok(tut_source_read(s, written, magic, 4, NULL)) &&
        memcmp(magic, "PK\3\4", 4) == 0)
        return written;
    return directory;
}

uint64_t tut_payload_zip_start(const tut_exam *x)
{
    uint8_t record[END_BYTES];
    uint64_t at = 0;
    if (!x->source || x->source->size < END_BYTES || !find_zip_end(x->source, record, &at))
        return UINT64_MAX;
    return zip_start(x->source, record, at);
}

tut_status tut_payload_zip_tail(tut_exam *x, const char *rule, tut_error *err)
{
    tut_source archive;
    uint64_t start = tut_payload_zip_start(x);
    if (start == UINT64_MAX)
        return TUT_SUCCESS;
    if (rule)
        tut_exam_observe(x, rule, start, "read from its end, the file is a zip archive");
    if (start == 0 || !x->ops->member ||
        !tut_is_ok(tut_source_slice(x->source, start, x->source->size - start, &archive)))
        return TUT_SUCCESS;
    return x->ops->member(x->ctx, TUT_LIT("[zip]"), &archive, NULL, archive.size, err);
}
