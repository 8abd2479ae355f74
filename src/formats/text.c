#include "formats/text.h"

#include <string.h>

/* Calls for each word of a space separated list; true as soon as one fits. */
typedef bool (*word_fn)(const tut_sniff *s, tut_str word);

static bool any_word(const tut_sniff *s, const char *words, word_fn fits)
{
    for (const char *at = words; *at;) {
        size_t len = strcspn(at, " ");
        if (len > 0 && fits(s, (tut_str){at, len}))
            return true;
        at += len;
        at += strspn(at, " ");
    }
    return false;
}

static bool is_name(const tut_sniff *s, tut_str word)
{
    return tut_str_ieq(s->name, word);
}

bool tut_text_named(const tut_sniff *s, const char *names)
{
    return any_word(s, names, is_name);
}

/* The path without its last component. */
static tut_str folders_of(const tut_sniff *s)
{
    tut_str path = s->path;
    while (path.len > 0 && path.data[path.len - 1] != '/')
        path.len--;
    return path;
}

static bool is_folder(const tut_sniff *s, tut_str word)
{
    tut_str rest = folders_of(s);
    while (rest.len > 0) {
        const char *slash = memchr(rest.data, '/', rest.len);
        size_t len = slash ? (size_t)(slash - rest.data) : rest.len;
        if (tut_str_ieq((tut_str){rest.data, len}, word))
            return true;
        size_t used = slash ? len + 1 : len;
        rest = (tut_str){rest.data + used, rest.len - used};
    }
    return false;
}

bool tut_text_in_folder(const tut_sniff *s, const char *folders)
{
    return any_word(s, folders, is_folder);
}

static bool ends_word(char c)
{
    return c == '-' || c == '_' || c == '.' || c == ' ';
}

static bool is_part(const tut_sniff *s, tut_str word)
{
    tut_str name = s->name;
    for (size_t start = 0; start < name.len; start++) {
        size_t end = start;
        while (end < name.len && !ends_word(name.data[end]))
            end++;
        if (tut_str_ieq((tut_str){name.data + start, end - start}, word))
            return true;
        start = end;
    }
    return false;
}

bool tut_text_has_word(const tut_sniff *s, const char *words)
{
    return any_word(s, words, is_part);
}

bool tut_text_has_no_ending(const tut_sniff *s)
{
    return s->name.len == 0 || !memchr(s->name.data, '.', s->name.len);
}

bool tut_text_is_hidden(const tut_sniff *s)
{
    if (s->name.len > 0 && s->name.data[0] == '.')
        return true;
    tut_str folders = folders_of(s);
    if (folders.len > 0 && folders.data[0] == '/')
        return false; /* where the tree itself lies says nothing about its files */
    for (size_t i = 0; i + 2 < folders.len; i++) {
        bool starts = i == 0 || folders.data[i - 1] == '/';
        if (starts && folders.data[i] == '.' && folders.data[i + 1] != '/' &&
            folders.data[i + 1] != '.')
            return true;
    }
    return false;
}

tut_str tut_text_head(const tut_sniff *s)
{
    tut_str head = tut_str_from(s->head);
    if (head.len >= 3 && memcmp(head.data, "\xef\xbb\xbf", 3) == 0)
        return (tut_str){head.data + 3, head.len - 3};
    return head;
}

bool tut_text_any(const tut_sniff *s)
{
    for (size_t i = 0; i < s->head.len; i++) {
        uint8_t byte = s->head.data[i];
        bool is_space = byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
        if ((byte < 0x20 && !is_space) || byte == 0x7f)
            return false;
    }
    return s->head.len > 0;
}

bool tut_text_next_line(tut_str *rest, tut_str *ret_line, bool *ret_is_whole)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    *ret_line = (tut_str){rest->data, len};
    if (ret_is_whole)
        *ret_is_whole = end != NULL;
    if (len > 0 && rest->data[len - 1] == '\r')
        ret_line->len--;
    size_t used = end ? len + 1 : len;
    *rest = (tut_str){rest->data + used, rest->len - used};
    return true;
}

bool tut_text_has_key(tut_str text, const char *keys, char behind)
{
    tut_str line;
    while (tut_text_next_line(&text, &line, NULL)) {
        for (const char *at = keys; *at;) {
            size_t len = strcspn(at, " ");
            if (line.len > len && memcmp(line.data, at, len) == 0 && line.data[len] == behind)
                return true;
            at += len;
            at += strspn(at, " ");
        }
    }
    return false;
}

void tut_text_fact(tut_exam *x, const char *key, tut_str value)
{
    if (!x->is_member)
        tut_exam_fact(x, key, value);
}

void tut_text_count(tut_exam *x, const char *key, uint64_t count)
{
    if (!x->is_member)
        tut_exam_factf(x, key, "%llu", (unsigned long long)count);
}

/* Lines of one window. *ret_used: bytes gone through; what is left is the start of a line. */
typedef struct line_walk {
    tut_text_line_fn line;
    void *ctx;
    bool is_over;     /* the caller has seen enough */
    bool is_skipping; /* the rest of a line that was handed out cut */
} line_walk;

static void hand_line(line_walk *w, tut_str text)
{
    if (w->is_skipping) {
        w->is_skipping = false;
        return;
    }
    bool is_cut = text.len > TUT_TEXT_LINE;
    if (is_cut)
        text.len = TUT_TEXT_LINE;
    else if (text.len > 0 && text.data[text.len - 1] == '\r')
        text.len--;
    w->is_over = !w->line(w->ctx, text, is_cut);
}

static size_t walk_window(line_walk *w, tut_str window, bool is_last)
{
    size_t used = 0;
    while (!w->is_over) {
        const char *start = window.data + used;
        const char *end = used < window.len ? memchr(start, '\n', window.len - used) : NULL;
        if (!end)
            break;
        hand_line(w, (tut_str){start, (size_t)(end - start)});
        used += (size_t)(end - start) + 1;
    }
    if (w->is_over || used == window.len)
        return used;
    if (is_last || used == 0) {
        hand_line(w, (tut_str){window.data + used, window.len - used});
        w->is_skipping = !is_last;
        return window.len;
    }
    return used;
}

tut_status tut_text_each_line(tut_exam *x, tut_text_line_fn line, void *ctx, tut_error *err)
{
    line_walk w = {.line = line, .ctx = ctx};
    while (!w.is_over) {
        tut_span some;
        TUT_TRY(tut_budget_steps(x->budget, 1, err));
        TUT_TRY(tut_stream_peek_some(x->stream, TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            return TUT_SUCCESS;
        size_t used = walk_window(&w, tut_str_from(some), some.len < TUT_LIMIT_PEEK_BYTES);
        TUT_TRY(tut_stream_skip(x->stream, used));
    }
    return TUT_SUCCESS;
}

tut_status tut_text_hold(tut_exam *x, size_t cap, tut_buf *text, bool *ret_is_whole, tut_error *err)
{
    tut_buf_init(text, cap);
    for (;;) {
        tut_span some;
        TUT_TRY(tut_stream_peek_some(x->stream, TUT_LIMIT_PEEK_BYTES, &some));
        *ret_is_whole = some.len == 0;
        size_t room = cap - text->len;
        size_t n = some.len < room ? some.len : room;
        if (n == 0)
            return tut_buf_check(text, err);
        tut_buf_add(text, some.data, n);
        TUT_TRY(tut_buf_check(text, err));
        TUT_TRY(tut_stream_skip(x->stream, n));
    }
}
