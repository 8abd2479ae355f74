/* Reading on: the bytes of words, what the words are, where the first of them stand that matter. */
#include "guard/text.h"

#include "guard/text_internal.h"

void tut_guard_text_init(tut_guard_text *t, const tut_guard_look *look, const char *where)
{
    *t = (tut_guard_text){.look = look, .need = SIZE_MAX, .cluster = SIZE_MAX};
    tut_str_copy(t->where, sizeof(t->where), tut_str_of(where));
}

tut_str tut_text_where(tut_guard_text *t)
{
    if (t->way)
        tut_guard_way_text(t->way, t->where, sizeof(t->where));
    return tut_str_of(t->where);
}

void tut_guard_text_done(tut_guard_text *t)
{
    tut_buf_done(&t->held);
}

/* Lets go of what has gone, but for a little before it. */
static void let_go(tut_guard_text *t)
{
    if (t->sent <= (size_t)2 * TUT_TEXT_CONTEXT)
        return;
    size_t cut = t->sent - TUT_TEXT_CONTEXT;
    memmove(t->held.data, t->held.data + cut, t->held.len - cut);
    t->held.len -= cut;
    t->sent -= cut;
    t->gone -= cut;
    t->word -= cut;
    t->seen -= cut;
    t->need -= t->need == SIZE_MAX ? 0 : cut;
    t->cluster -= t->cluster == SIZE_MAX ? 0 : cut;
    t->check_at -= t->check_at < cut ? t->check_at : cut;
    t->next -= t->next < cut ? t->next : cut;
    tut_leak_shift(&t->leak, cut);
    for (size_t i = 0; i < t->leak_count; i++) {
        t->leaks[i].begin -= cut;
        t->leaks[i].end -= cut;
    }
}

/* How much of the piece is the rest of a key of which the beginning was put away. */
static size_t drop(tut_guard_text *t, tut_str piece)
{
    size_t n = 0;
    for (; n < piece.len; n++) {
        uint8_t c = (uint8_t)piece.data[n];
        bool is_key = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') ||
                      (c && strchr("+/=_-\r\n", c));
        if (!is_key) {
            t->is_dropping = false;
            break;
        }
    }
    return n;
}

/* One byte further, to `end`. */
static void step_canaries(tut_guard_text *t, uint8_t c, size_t end)
{
    const tut_guard_kinds *k = t->look->kinds;
    t->canaries_open = 0;
    for (size_t i = 0; i < k->canary_count; i++) {
        t->canaries[i] = tut_guard_canary_step(&k->canaries[i], t->canaries[i], c);
        if (t->canaries[i] == k->canaries[i].len) { /* the engine's turn to put it away */
            size_t begin = end - t->canaries[i];
            t->need = begin < t->need ? begin : t->need;
            t->has_canary = true;
        }
        t->canaries_open |= (unsigned)(t->canaries[i] > 0) << i;
    }
}

/* Up to the end of a word, or to what is there, or to as much as can be held. */
static bool read_word(tut_guard_text *t)
{
    const uint16_t *kinds = t->look->kinds->of;
    const uint8_t *data = t->held.data;
    size_t most = t->gone + TUT_GUARD_HELD, end = t->held.len < most ? t->held.len : most;
    size_t seen = t->seen;
    bool has_canaries = t->look->checks[TUT_CHECK_CANARY].action != TUT_GUARD_ALLOW, is_end = false;
    unsigned all = t->kinds, odd = TUT_KIND_SPACE | TUT_KIND_START;
    odd |= has_canaries ? TUT_KIND_CANARY : 0;
    for (; seen < end && !is_end; seen++) {
        unsigned k = kinds[data[seen]];
        if ((k & odd) || t->canaries_open) {
            if ((k & TUT_KIND_START) && seen > t->word) {
                t->seen = seen;
                t->kinds = all;
                return true;
            }
            if (has_canaries && ((k & TUT_KIND_CANARY) || t->canaries_open))
                step_canaries(t, data[seen], seen + 1);
            is_end = (k & TUT_KIND_SPACE) != 0;
        }
        all |= k;
    }
    t->seen = seen;
    t->kinds = all;
    return is_end || seen == most;
}

/* Reads on from `seen`, word by word. What is put away leaves the buffer, so that places are asked
 * for anew. */
static tut_status read_words(tut_guard_text *t, tut_buf *out, tut_error *err)
{
    while (t->seen < t->held.len) {
        if (!read_word(t))
            break;
        TUT_TRY(tut_text_settle(t, t->seen, false, out, err));
        t->word = t->seen;
        t->kinds_before = t->kinds;
        t->kinds = 0;
        if (t->is_dropping || tut_text_is_stopped(t))
            return TUT_SUCCESS;
    }
    tut_text_send(t, out);
    let_go(t);
    return tut_buf_check(out, err);
}

static tut_status feed(tut_guard_text *t, tut_str piece, tut_buf *out, tut_error *err)
{
    while (piece.len > 0 && !tut_text_is_stopped(t)) {
        if (t->is_dropping) {
            size_t n = drop(t, piece);
            piece = (tut_str){piece.data + n, piece.len - n};
            continue;
        }
        /* One byte more than can be held is never there, so that a full buffer is noticed at the
         * same place however the text comes. */
        size_t room = TUT_GUARD_HELD - (t->held.len - t->gone);
        size_t n = piece.len < room ? piece.len : room ? room : 1;
        tut_buf_add_str(&t->held, (tut_str){piece.data, n});
        TUT_TRY(tut_buf_check(&t->held, err));
        piece = (tut_str){piece.data + n, piece.len - n};
        TUT_TRY(read_words(t, out, err));
    }
    return TUT_SUCCESS;
}

/* A sign that ends strings elsewhere, and makes text look like UTF-16: what precedes it is read, so
 * that it does not matter in which pieces it comes. */
tut_status tut_guard_text_feed(tut_guard_text *t, tut_str piece, tut_buf *out, tut_error *err)
{
    const char *nul = piece.len ? memchr(piece.data, 0, piece.len) : NULL;
    size_t before = nul ? (size_t)(nul - piece.data) : piece.len;
    if (tut_text_is_stopped(t))
        return TUT_SUCCESS;
    t->look->decision->scanned_bytes += piece.len;
    TUT_TRY(feed(t, (tut_str){piece.data, before}, out, err));
    if (!nul || tut_text_is_stopped(t))
        return TUT_SUCCESS;
    tut_guard_refuse(t->look->decision, 403, "format", tut_text_where(t),
                     "the text holds a NUL character");
    return tut_text_is_stopped(t) ? TUT_SUCCESS
                                  : feed(t, (tut_str){nul, piece.len - before}, out, err);
}

tut_status tut_guard_text_end(tut_guard_text *t, tut_buf *out, tut_error *err)
{
    if (!tut_text_is_stopped(t))
        TUT_TRY(tut_text_settle(t, t->held.len, true, out, err));
    t->held.len = 0;
    memset((char *)t + offsetof(tut_guard_text, sent), 0,
           sizeof(*t) - offsetof(tut_guard_text, sent));
    t->need = t->cluster = SIZE_MAX;
    return TUT_SUCCESS;
}
