/*
 * traceparent = version "-" trace-id "-" parent-id "-" flags
 *               2 hex       32 hex       16 hex        2 hex      in lower case; ids are not all
 * zero A version above 00 may have more behind it, after a "-"; ff is none.
 */
#include "guard/trace.h"

#include <string.h>

enum { LENGTH = 55, TRACE_AT = 3, TRACE = 32, SPAN_AT = 36, SPAN = 16, FLAGS_AT = 53 };

static bool is_hex(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
            return false;
    return true;
}

static bool is_zero(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] != '0')
            return false;
    return true;
}

static bool is_valid(tut_str t)
{
    if (t.len < LENGTH || !is_hex(t.data, 2) || memcmp(t.data, "ff", 2) == 0)
        return false;
    bool is_first = memcmp(t.data, "00", 2) == 0;
    if (t.len > LENGTH && (is_first || t.data[LENGTH] != '-'))
        return false;
    if (t.data[2] != '-' || t.data[SPAN_AT - 1] != '-' || t.data[FLAGS_AT - 1] != '-')
        return false;
    return is_hex(t.data + TRACE_AT, TRACE) && !is_zero(t.data + TRACE_AT, TRACE) &&
           is_hex(t.data + SPAN_AT, SPAN) && !is_zero(t.data + SPAN_AT, SPAN) &&
           is_hex(t.data + FLAGS_AT, 2);
}

/* The lowest bit of the flags is all that level 1 knows. Ours is set: an event is kept of each. */
void tut_trace_make(tut_str t, const char *id, tut_trace *ret)
{
    static const char form[TUT_TRACEPARENT] =
        "00-00000000000000000000000000000000-0000000000000000-01";
    bool goes_on = is_valid(t);
    memcpy(ret->parent, form, sizeof(form));
    memcpy(ret->parent + TRACE_AT, goes_on ? t.data + TRACE_AT : id, TRACE);
    memcpy(ret->parent + SPAN_AT, id, SPAN);
    ret->came[0] = '\0';
    if (!goes_on)
        return;
    char digit = t.data[FLAGS_AT + 1]; /* 'a' is ten, and even */
    bool is_sampled = ((digit <= '9' ? digit - '0' : digit - 'a') & 1) != 0;
    ret->parent[FLAGS_AT + 1] = is_sampled ? '1' : '0';
    memcpy(ret->came, t.data + SPAN_AT, SPAN);
    ret->came[SPAN] = '\0';
}
