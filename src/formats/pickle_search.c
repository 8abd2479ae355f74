#include "formats/pickle_search.h"

#include "base/limits.h"
#include "formats/pickle_machine.h"
#include "formats/pickle_sniff.h"

enum {
    GLANCE_OPS = 512,    /* a stream that calls nothing in so many opcodes is found further on */
    GLANCE_BYTES = 4096, /* shown to a glance */
    CHARGE_BYTES = 4096  /* bytes searched for one step */
};

void tut_psearch_skip_zeros(tut_pinput *in)
{
    for (;;) {
        tut_span some = tut_pinput_peek_some(in, TUT_LIMIT_PEEK_BYTES);
        size_t n = 0;
        while (n < some.len && some.data[n] == 0)
            n++;
        if (n == 0 || !tut_pinput_skip(in, n) || n < some.len)
            return;
    }
}

static bool is_letter(uint8_t c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static bool is_name_byte(uint8_t c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.';
}

/* NAME '\n' from `at` on; returns the place behind, or 0. */
static size_t name_line(tut_span s, size_t at)
{
    if (at >= s.len || !is_letter(s.data[at]))
        return 0;
    while (at < s.len && is_name_byte(s.data[at]))
        at++;
    return at < s.len && s.data[at] == '\n' ? at + 1 : 0;
}

/* Whether a pickle worth running may begin at `at`: PROTO, a global in text, a name as
 * STACK_GLOBAL wants it. Cheap, for every byte of the file. */
static bool may_begin(tut_span s, size_t at)
{
    uint8_t c = s.data[at];
    size_t left = s.len - at;
    if (c == 0x80)
        return left > 2 && s.data[at + 1] <= 5 && s.data[at + 2] != 0x80 &&
               tut_popcodes[s.data[at + 2]].run;
    if (c == '(')
        return left > 2 && (s.data[at + 1] == 'c' || s.data[at + 1] == 'i') &&
               is_letter(s.data[at + 2]);
    if (c == 'c' || c == 'i') {
        size_t second = name_line(s, at + 1);
        return second && name_line(s, second);
    }
    if (c == 0x8c && left > 3) {
        size_t len = s.data[at + 1];
        return len && len + 3 < left && is_letter(s.data[at + 2]) &&
               is_name_byte(s.data[at + 1 + len]) &&
               (s.data[at + 2 + len] == 0x8c || s.data[at + 2 + len] == 0x94);
    }
    return false;
}

/* Runs a little way: a pickle that names something and calls it. In a mere sled of opcodes the
 * next PROTO is not looked at before *quiet_until: names further on are found by themselves. */
static bool is_pickle(tut_span s, size_t at, uint64_t size, uint64_t *ops, size_t *quiet_until)
{
    if (at < *quiet_until && s.data[at] == 0x80)
        return false;
    tut_pglance g;
    tut_span head = tut_span_of(s.data + at,
                                s.len - at < GLANCE_BYTES ? s.len - at : (size_t)GLANCE_BYTES);
    tut_psniff_glance(head, size, GLANCE_OPS, &g);
    *ops += g.ops;
    if (s.data[at] == 0x80 && !g.calls)
        *quiet_until = at + (size_t)g.end;
    return g.imports > 0 && g.calls > 0;
}

tut_status tut_psearch_next(tut_pinput *in, tut_budget *budget, tut_psearch *ret, tut_error *err)
{
    static const uint8_t zip[] = {'P', 'K', 3, 4};
    *ret = (tut_psearch){TUT_PSEARCH_NOTHING};
    for (;;) {
        tut_span some = tut_pinput_peek_some(in, TUT_LIMIT_PEEK_BYTES);
        if (some.len == 0)
            return TUT_SUCCESS;
        bool is_last = some.len < TUT_LIMIT_PEEK_BYTES;
        /* What begins near the end of the window is looked at in the next one. */
        size_t stop = is_last ? some.len : some.len - GLANCE_BYTES;
        uint64_t ops = some.len / CHARGE_BYTES;
        size_t at = 0, quiet_until = 0;
        for (; at < stop && ret->what == TUT_PSEARCH_NOTHING; at++) {
            if (some.data[at] == 'P' && some.len - at >= sizeof zip &&
                memcmp(some.data + at, zip, sizeof zip) == 0)
                ret->what = TUT_PSEARCH_ZIP;
            else if (may_begin(some, at) &&
                     is_pickle(some, at, tut_pinput_left(in), &ops, &quiet_until))
                ret->what = TUT_PSEARCH_PICKLE;
        }
        if (ret->what != TUT_PSEARCH_NOTHING)
            at--;
        TUT_TRY(tut_budget_steps(budget, ops, err));
        if (!tut_pinput_skip(in, at) || ret->what != TUT_PSEARCH_NOTHING)
            return TUT_SUCCESS;
    }
}
