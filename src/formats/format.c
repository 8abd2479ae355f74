/* The registry of formats, and the shorthands that parsers report through. */
#include "formats/format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ROW(name) extern const tut_format tut_format_##name;
#include "formats/table.def"
#undef ROW

const tut_format *const tut_formats[] = {
#define ROW(name) &tut_format_##name,
#include "formats/table.def"
#undef ROW
    NULL};

const tut_format *tut_format_by_name(const char *name)
{
    for (const tut_format *const *f = tut_formats; *f; f++) {
        if (strcmp((*f)->name, name) == 0)
            return *f;
    }
    return NULL;
}

const tut_format *tut_format_detect(const tut_sniff *s, tut_match *ret_match)
{
    const tut_format *best = NULL;
    tut_match best_match = TUT_MATCH_NONE;
    for (const tut_format *const *f = tut_formats; *f && best_match != TUT_MATCH_SURE; f++) {
        tut_match match = (*f)->sniff ? (*f)->sniff(s) : TUT_MATCH_NONE;
        if (match > best_match) {
            best = *f;
            best_match = match;
        }
    }
    if (ret_match)
        *ret_match = best_match;
    return best;
}

static const char *const kind_names[] = {
    [TUT_KIND_NONE] = "none",       [TUT_KIND_MODEL] = "model",
    [TUT_KIND_DATASET] = "dataset", [TUT_KIND_PROMPT] = "prompt",
    [TUT_KIND_CONFIG] = "config",   [TUT_KIND_CODE] = "code",
    [TUT_KIND_SERVICE] = "service", [TUT_KIND_DOCUMENT] = "document",
};

const char *tut_asset_kind_name(tut_asset_kind kind)
{
    return (size_t)kind < sizeof(kind_names) / sizeof(kind_names[0]) ? kind_names[kind] : "none";
}

bool tut_asset_kind_parse(const char *name, tut_asset_kind *ret_kind)
{
    for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
        if (strcmp(kind_names[i], name) == 0) {
            *ret_kind = (tut_asset_kind)i;
            return true;
        }
    }
    return false;
}

void tut_exam_fact(tut_exam *x, const char *key, tut_str value)
{
    if (x->ops->fact)
        x->ops->fact(x->ctx, key, value);
}

/* Formatted facts and details are lines for people: what is longer than this is cut. */
enum { LINE_MAX_BYTES = 1024 };

static tut_str format_line(char line[LINE_MAX_BYTES], const char *fmt, va_list ap) TUT_PRINTF(2, 0);

static tut_str format_line(char line[LINE_MAX_BYTES], const char *fmt, va_list ap)
{
    int len = vsnprintf(line, LINE_MAX_BYTES, fmt, ap);
    if (len < 0)
        return (tut_str){line, 0};
    size_t kept = (size_t)len < LINE_MAX_BYTES ? (size_t)len : LINE_MAX_BYTES - 1u;
    return (tut_str){line, kept};
}

void tut_exam_factf(tut_exam *x, const char *key, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list ap;
    va_start(ap, fmt);
    tut_str value = format_line(line, fmt, ap);
    va_end(ap);
    tut_exam_fact(x, key, value);
}

void tut_exam_observe(tut_exam *x, const char *rule, uint64_t offset, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list ap;
    va_start(ap, fmt);
    tut_str detail = format_line(line, fmt, ap);
    va_end(ap);
    if (x->ops->observe)
        x->ops->observe(x->ctx, rule, offset, detail);
}

void tut_exam_python(tut_exam *x, const tut_python_event *event)
{
    if (x->ops->python)
        x->ops->python(x->ctx, event);
    else
        tut_exam_observe(x, event->rule, event->offset, "%.*s",
                         event->where.len < LINE_MAX_BYTES ? (int)event->where.len : LINE_MAX_BYTES,
                         event->where.data);
}

bool tut_sniff_magic(const tut_sniff *s, const void *magic, size_t len)
{
    return s->head.len >= len && memcmp(s->head.data, magic, len) == 0;
}

static bool is_text_byte(uint8_t byte)
{
    return byte >= 0x20 || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
}

bool tut_sniff_text(const tut_sniff *s)
{
    tut_str rest = tut_str_from(s->head);
    if (rest.len >= 3 && memcmp(rest.data, "\xef\xbb\xbf", 3) == 0)
        rest = (tut_str){rest.data + 3, rest.len - 3};
    uint32_t point = 0;
    bool is_cut = s->size > s->head.len;
    if (rest.len == 0)
        return false;
    while (rest.len > 0) {
        if (!is_text_byte((uint8_t)rest.data[0]) || rest.data[0] == 0x7f)
            return false;
        size_t len = tut_utf8_len(rest, &point);
        /* The head may end inside a character. */
        if (len == 0)
            return is_cut && rest.len < 4 && ((uint8_t)rest.data[0] & 0xc0) == 0xc0;
        rest = (tut_str){rest.data + len, rest.len - len};
    }
    return true;
}

bool tut_sniff_ext(const tut_sniff *s, const char *extensions)
{
    const char *at = extensions;
    while (*at) {
        size_t len = strcspn(at, " ");
        if (len > 0 && s->name.len >= len) {
            tut_str end = {s->name.data + s->name.len - len, len};
            if (tut_str_ieq(end, (tut_str){at, len}))
                return true;
        }
        at += len;
        at += strspn(at, " ");
    }
    return false;
}
