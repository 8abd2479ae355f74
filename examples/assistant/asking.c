#include "asking.h"

#include "words.h"

static bool is_mark(char c)
{
    return memchr(".,;:!?()<>\"'[]", c, 14) != NULL;
}

static tut_str bare(tut_str s)
{
    while (s.len && is_mark(s.data[0]))
        s.data++, s.len--;
    while (s.len && is_mark(s.data[s.len - 1]))
        s.len--;
    return s;
}

tut_str assistant_asked_order(tut_str sentence)
{
    size_t at = 0;
    for (tut_str chunk; (chunk = assistant_chunk(sentence, &at)).len;) {
        tut_str order = assistant_order(chunk);
        if (order.len)
            return order;
    }
    return (tut_str){NULL, 0};
}

tut_str assistant_asked_address(tut_str sentence)
{
    size_t at = 0;
    for (tut_str chunk; (chunk = assistant_chunk(sentence, &at)).len;)
        if (memchr(chunk.data, '@', chunk.len))
            return bare(chunk);
    return (tut_str){NULL, 0};
}

static tut_str quoted(tut_str s)
{
    static const struct {
        const char *begin, *end;
    } marks[] = {{"\"", "\""}, {"“", "”"}, {"„", "“"}, {"«", "»"}, {"`", "`"}};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t from, len;
        if (!tut_str_find(s, tut_str_of(marks[i].begin), &from))
            continue;
        from += strlen(marks[i].begin);
        tut_str rest = {s.data + from, s.len - from};
        if (tut_str_find(rest, tut_str_of(marks[i].end), &len) && len)
            return (tut_str){rest.data, len};
    }
    return (tut_str){NULL, 0};
}

static tut_str linked(tut_str s)
{
    size_t at = 0, place;
    for (tut_str chunk; (chunk = assistant_chunk(s, &at)).len;) {
        if (!tut_str_find(chunk, TUT_LIT("://"), &place))
            continue;
        bool is_picture = tut_str_starts(chunk, TUT_LIT("![")) &&
                          memchr(chunk.data, ')', chunk.len);
        return is_picture ? chunk : bare(chunk);
    }
    return (tut_str){NULL, 0};
}

static tut_str behind(tut_str s, const char *lead)
{
    size_t at;
    if (!tut_str_find(s, tut_str_of(lead), &at))
        return (tut_str){NULL, 0};
    at += strlen(lead);
    return bare(tut_str_trim((tut_str){s.data + at, s.len - at}));
}

tut_str assistant_asked_text(tut_str sentence)
{
    static const char *const leads[] = {": ",     " that ",   " dass ", " que ",  " the word ",
                                        " Wort ", " le mot ", " code ", " Code ", " palabra ",
                                        " with ", " mit ",    " avec ", " par ",  " con ",
                                        " for ",  " nach ",   " zu ",   " sur ",  " about "};
    tut_str found = quoted(sentence);
    if (!found.len)
        found = linked(sentence);
    for (size_t i = 0; !found.len && i < sizeof(leads) / sizeof(leads[0]); i++)
        found = behind(sentence, leads[i]);
    return found.len ? found : bare(sentence);
}
