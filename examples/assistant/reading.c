#include "reading.h"

#include "plain.h"

enum { DEPTH = 16 };

/* ---- sentences ---- */

static bool is_end(char c)
{
    return c == '.' || c == '!' || c == '?';
}

static bool is_gap(tut_str text, size_t at)
{
    return at >= text.len || text.data[at] == ' ' || text.data[at] == '\n' || text.data[at] == '\t';
}

/* A line that begins an item of a list, a heading, or an empty one, ends what stands before it. */
static bool is_break(tut_str text, size_t at)
{
    if (text.data[at] != '\n')
        return false;
    at++;
    return at >= text.len || memchr("\n-*#|", text.data[at], 5);
}

static void add_sentence(assistant_reading *r, tut_str sentence)
{
    sentence = tut_str_trim(sentence);
    if (sentence.len > 1 && r->sentence_count < ASSISTANT_SENTENCES)
        r->sentences[r->sentence_count++] = sentence;
}

static void add_sentences(assistant_reading *r, tut_str text)
{
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool ends = is_end(text.data[i]) && is_gap(text, i + 1);
        if (!ends && !is_break(text, i))
            continue;
        add_sentence(r, (tut_str){text.data + from, i + 1 - from});
        from = i + 1;
    }
    add_sentence(r, (tut_str){text.data + from, text.len - from});
}

/* ---- texts ---- */

static void add_text(assistant_reading *r, tut_str text, bool is_turn)
{
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) aside = TUT_BUF_INIT;
    assistant_plain(text, &plain, &aside);
    char *kept = tut_arena_copy(r->arena, tut_buf_str(&plain));
    char *other = tut_arena_copy(r->arena, tut_buf_str(&aside));
    if (!kept || !other || plain.failed || aside.failed)
        return;
    add_sentences(r, tut_str_of(kept));
    add_sentences(r, tut_str_of(other));
    if (is_turn)
        r->asked = tut_str_of(kept);
    else if (r->piece_count < ASSISTANT_PIECES)
        r->pieces[r->piece_count++] = tut_str_of(kept);
}

void assistant_read_more(assistant_reading *r, tut_str text)
{
    add_text(r, text, false);
}

/* Every string of a value, keys aside; links are addresses, not texts. */
static void add_strings(assistant_reading *r, const tut_json_value *v, unsigned depth)
{
    if (v->type == TUT_JSON_STRING) {
        add_text(r, v->as.string, false);
        return;
    }
    for (uint32_t i = 0; depth < DEPTH && i < tut_json_count(v); i++)
        add_strings(r, tut_json_item(v, i), depth + 1);
}

static void add_result(assistant_reading *r, tut_str text)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_str head = tut_str_trim(text);
    bool is_json = head.len && (head.data[0] == '{' || head.data[0] == '[') &&
                   tut_is_ok(tut_json_parse(tut_span_of(head.data, head.len), NULL, &doc, NULL));
    if (is_json)
        add_strings(r, tut_json_root(doc), 0);
    else
        add_text(r, text, false);
}

/* ---- messages ---- */

static void join(assistant_reading *r, tut_str *to, tut_str more)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_str(&b, *to);
    if (to->len)
        tut_buf_add_z(&b, "\n");
    tut_buf_add_str(&b, more);
    char *kept = b.failed ? NULL : tut_arena_copy(r->arena, tut_buf_str(&b));
    if (kept)
        *to = tut_str_of(kept);
}

static void add_content(assistant_reading *r, tut_str role, tut_str text)
{
    if (tut_str_eq_z(role, "system") || tut_str_eq_z(role, "developer"))
        join(r, &r->system, text);
    else if (tut_str_eq_z(role, "user"))
        add_text(r, text, true);
    else if (!tut_str_eq_z(role, "assistant"))
        add_result(r, text);
}

static void add_part(assistant_reading *r, tut_str role, const tut_json_value *part)
{
    const tut_json_value *file = tut_json_get(part, "file");
    if (file) /* of a file it has the name alone */
        add_text(r, tut_json_get_text(file, "filename"), false);
    else
        add_content(r, role, tut_json_get_text(part, "text"));
}

tut_status assistant_read(const tut_json_value *messages, tut_arena *arena, assistant_reading *ret,
                          tut_error *err)
{
    *ret = (assistant_reading){.arena = arena, .messages = messages};
    if (!messages || messages->type != TUT_JSON_ARRAY || messages->count == 0)
        return tut_fail(err, TUT_MALFORMED, "messages: a list of messages is wanted");
    for (uint32_t i = 0; i < messages->count; i++) {
        const tut_json_value *m = tut_json_item(messages, i);
        tut_str role = tut_json_get_text(m, "role");
        const tut_json_value *content = tut_json_get(m, "content");
        if (role.len == 0)
            return tut_fail(err, TUT_MALFORMED, "messages[%u].role: it has none", i);
        if (content && content->type == TUT_JSON_STRING)
            add_content(ret, role, content->as.string);
        for (uint32_t k = 0; content && content->type == TUT_JSON_ARRAY && k < content->count; k++)
            add_part(ret, role, tut_json_item(content, k));
    }
    return TUT_SUCCESS;
}
