#include "data/profile_internal.h"

enum { DIGITS_APART = 8 };

typedef enum letter { SMALL, CAPITAL, DIGIT, BEYOND, OTHER } letter;

static letter letter_of(uint8_t c)
{
    if (c >= 'a' && c <= 'z')
        return SMALL;
    if (c >= 'A' && c <= 'Z')
        return CAPITAL;
    if (c >= '0' && c <= '9')
        return DIGIT;
    return c >= 0x80 ? BEYOND : OTHER;
}

bool tut_profile_shape_of(tut_str text, char to[TUT_PROFILE_SHAPE])
{
    static const char signs[] = {[SMALL] = 'a', [CAPITAL] = 'A', [DIGIT] = '9', [BEYOND] = 'u'};
    size_t len = 0;
    if (text.len > TUT_PROFILE_SHAPED)
        return false;
    for (size_t i = 0; i < text.len;) {
        letter kind = letter_of((uint8_t)text.data[i]);
        size_t run = 1;
        while (kind != OTHER && i + run < text.len &&
               letter_of((uint8_t)text.data[i + run]) == kind)
            run++;
        bool is_apart = kind == DIGIT && run <= DIGITS_APART;
        bool is_one = kind == OTHER || (kind == CAPITAL && run == 1);
        size_t need = is_apart ? run : is_one ? 1 : 2;
        if (len + need >= TUT_PROFILE_SHAPE)
            return false;
        memset(to + len, kind == OTHER ? text.data[i] : signs[kind], need);
        if (!is_apart && !is_one)
            to[len + 1] = '+';
        len += need;
        i += run;
    }
    to[len] = '\0';
    return true;
}

unsigned profile_shape_place(tut_profile_column *c, tut_str text)
{
    char shape[TUT_PROFILE_SHAPE];
    if (memchr(text.data, '\0', text.len) || !tut_profile_shape_of(text, shape))
        return TUT_PROFILE_SHAPES;
    for (unsigned i = 0; i < c->shape_count; i++)
        if (strcmp(c->shapes[i].text, shape) == 0)
            return i;
    if (c->shape_count == TUT_PROFILE_SHAPES)
        return TUT_PROFILE_SHAPES;
    memcpy(c->shapes[c->shape_count].text, shape, sizeof(shape));
    return (unsigned)c->shape_count++;
}
