/* The text engine over any bytes: whole, and in pieces, which must find the same. */
#include <stdlib.h>

#include "text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tut_text_set *set;
static tut_text_scanner *scanner;

typedef struct seen {
    uint64_t hash, last_end, size;
    size_t count;
} seen;

static void must(bool is_so)
{
    if (!is_so)
        abort();
}

static bool on_match(void *ctx, const tut_text_match *m)
{
    seen *s = ctx;
    must(m->begin <= m->end && m->begin >= s->last_end && m->line >= 1);
    must(m->shown[TUT_TEXT_SHOWN - 1] == '\0' && m->id[0] && m->label[0]);
    s->last_end = m->end;
    s->hash = (s->hash ^ m->begin) * 0x100000001b3u + m->end;
    s->count++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!scanner && (!tut_is_ok(tut_text_set_open(NULL, &set, NULL)) ||
                     !tut_is_ok(tut_text_scanner_new(set, &scanner, NULL))))
        abort();
    if (size == 0)
        return 0;
    seen whole = {.size = size}, parts = whole;
    size_t step = (size_t)data[0] + 8;
    tut_text_wish wish = {
        .classes = TUT_TEXT_ALL, .is_binary = data[0] % 5 == 0, .match = on_match, .ctx = &whole};
    data++;
    size--;
    must(tut_is_ok(tut_text_scan(scanner, (tut_str){(const char *)data, size}, &wish, NULL)));
    wish.ctx = &parts;
    must(tut_is_ok(tut_text_begin(scanner, &wish, NULL)));
    for (size_t at = 0; at < size; at += step)
        must(tut_is_ok(tut_text_feed(
            scanner, tut_span_of(data + at, size - at < step ? size - at : step), NULL)));
    must(tut_is_ok(tut_text_end(scanner, NULL)));
    must(whole.count == parts.count && whole.hash == parts.hash);
    return 0;
}
