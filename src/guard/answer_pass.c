/*
 * Answers that nobody asks anything of go on unread. One check is always there, that of the tools
 * which are called; but of most answers it shows at a glance that they call none.
 */
#include "guard/answer_internal.h"

/* A client whose probing makes answers coarser, or whose tokens are counted, has his read. */
void tut_answer_begin_pass(tut_guard_answer *a)
{
    const tut_guard_request *r = a->request;
    bool may = r->route->passes_answers && r->checks == r->route->checks && !r->counts_tokens &&
               !r->adds_usage && r->outputs.round == 0 && r->outputs.top_k == 0;
    a->is_passed = may && !r->route->protocol->has_calls;
    a->is_unread = may && r->route->protocol->has_calls;
    if (a->is_passed)
        tut_answer_note_pass(a);
}

void tut_answer_note_pass(tut_guard_answer *a)
{
    tut_guard_not_scanned(&a->decision, "content", TUT_LIT("answer"),
                          "no check of the route asks for it");
}

bool tut_guard_answer_is_passed(const tut_guard_answer *a)
{
    return a->is_passed && !tut_answer_is_stopped(a);
}

tut_status tut_guard_answer_pass(tut_guard_answer *a, size_t len, tut_error *err)
{
    a->read += len;
    if (a->kind == TUT_ANSWER_JSON && a->read > a->request->limits.answer_bytes)
        return tut_fail(err, TUT_LIMIT, "more than %u bytes", a->request->limits.answer_bytes);
    return TUT_SUCCESS;
}

bool tut_guard_answer_may_pass(tut_guard_answer *a, tut_span whole)
{
    if (!a->is_unread || a->is_passed || a->read || a->kind != TUT_ANSWER_JSON ||
        tut_answer_is_stopped(a) || whole.len > a->request->limits.answer_bytes ||
        tut_answer_may_call(tut_str_from(whole)))
        return false;
    a->is_passed = true;
    tut_answer_note_pass(a);
    return true;
}

static bool stands_before(tut_str text, size_t at, const char *word)
{
    size_t len = strlen(word);
    return at >= len && memcmp(text.data + at - len, word, len) == 0;
}

static bool stands_at(tut_str text, size_t at, const char *word)
{
    size_t len = strlen(word);
    return text.len - at >= len && memcmp(text.data + at, word, len) == 0;
}

/* Each call stands under a name with "_call", "tool_use" or "partial_json" in it; and letters can
 * be written as escapes, and texts in another encoding, in which the NULs show. */
bool tut_answer_may_call(tut_str json)
{
    const char *at = json.data, *end = json.data + json.len;
    if (json.len == 0)
        return false;
    if (memchr(json.data, 0, json.len))
        return true;
    while ((at = memchr(at, '\\', (size_t)(end - at)))) {
        if (end - at < 2 || at[1] == 'u')
            return true;
        at += 2;
    }
    at = json.data;
    while ((at = memchr(at, '_', (size_t)(end - at)))) {
        size_t place = (size_t)(at - json.data);
        if (stands_at(json, place, "_call") ||
            (stands_at(json, place, "_use") && stands_before(json, place, "tool")) ||
            (stands_at(json, place, "_json") && stands_before(json, place, "partial")))
            return true;
        at++;
    }
    return false;
}
