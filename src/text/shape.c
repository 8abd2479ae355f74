#include "text/shape.h"

#include <string.h>

enum { TRIGGER_CLASS = 8 };

static size_t read_number(const char **at)
{
    size_t n = 0;
    while (**at >= '0' && **at <= '9')
        n = n * 10 + (size_t)(*(*at)++ - '0');
    return n;
}

bool tut_shape_next(const char **at, tut_shape_part *ret_part)
{
    if (**at == '\0')
        return false;
    if (**at != '%' || (*at)[1] == '%') {
        *ret_part = (tut_shape_part){.literal = **at, .least = 1, .most = 1};
        *at += **at == '%' ? 2 : 1;
        return true;
    }
    ret_part->class = (*at)[1];
    ret_part->literal = 0;
    *at += 3; /* "%a{" */
    ret_part->least = ret_part->most = read_number(at);
    if (**at == ',') {
        (*at)++;
        ret_part->most = read_number(at);
    }
    (*at)++;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool tut_shape_has(char class, char c)
{
    switch (class) {
    case 'a':
        return is_letter(c) || is_digit(c);
    case 'L':
        return is_letter(c);
    case 'd':
        return is_digit(c);
    case 'h':
        return is_digit(c) || (c >= 'a' && c <= 'f');
    case 'H':
        return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    case 'u':
        return is_digit(c) || (c >= 'A' && c <= 'Z');
    case 'l':
        return is_digit(c) || (c >= 'a' && c <= 'z');
    case 'w':
        return is_letter(c) || is_digit(c) || c == '_';
    case 'b':
        return is_letter(c) || is_digit(c) || c == '_' || c == '-';
    case 'B':
        return is_letter(c) || is_digit(c) || c == '+' || c == '/';
    case '2':
        return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
    case 'c':
        return c != '\0' && strchr("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", c);
    case 't':
        return is_letter(c) || is_digit(c) || (c != '\0' && strchr("_.~-", c));
    default:
        return false;
    }
}

static const char *class_text(char class)
{
    switch (class) {
    case 'a':
        return "[A-Za-z0-9]";
    case 'L':
        return "[A-Za-z]";
    case 'd':
        return "[0-9]";
    case 'h':
        return "[0-9a-f]";
    case 'H':
        return "[0-9A-Fa-f]";
    case 'u':
        return "[A-Z0-9]";
    case 'l':
        return "[a-z0-9]";
    case 'w':
        return "[A-Za-z0-9_]";
    case 'b':
        return "[A-Za-z0-9_-]";
    case 'B':
        return "[A-Za-z0-9+/]";
    case '2':
        return "[A-Z2-7]";
    case 'c':
        return "[02-9AC-HJ-NP-Z]";
    default:
        return "[A-Za-z0-9_.~-]";
    }
}

bool tut_shape_match(const char *shape, tut_str text, bool must_end, size_t *ret_len)
{
    size_t at = 0;
    tut_shape_part part = {0};
    const char *rest = shape;
    while (tut_shape_next(&rest, &part)) {
        size_t n = 0;
        if (!part.class) {
            if (at == text.len || text.data[at] != part.literal)
                return false;
            at++;
            continue;
        }
        while (n < part.most && at < text.len && tut_shape_has(part.class, text.data[at])) {
            at++;
            n++;
        }
        if (n < part.least)
            return false;
    }
    if (must_end && part.class && at < text.len && tut_shape_has(part.class, text.data[at]))
        return false;
    *ret_len = at;
    return true;
}

typedef struct trigger {
    const char *from, *to; /* of the shape: its longest literal, and one class behind it */
    size_t lead;           /* width of what stands before, and of itself */
    size_t literals;
} trigger;

static void put_part(const tut_shape_part *part, size_t n, tut_buf *out)
{
    if (part->class) {
        tut_buf_printf(out, "%s{%zu}", class_text(part->class), n);
        return;
    }
    if (!is_letter(part->literal) && !is_digit(part->literal))
        tut_buf_add_byte(out, '\\');
    tut_buf_add_byte(out, (uint8_t)part->literal);
}

static size_t width_of(const tut_shape_part *part)
{
    return part->class && part->least > TRIGGER_CLASS ? TRIGGER_CLASS : part->least;
}

/* What Vectorscan finds fastest: the longest literal that stands at a known distance. */
static trigger find_trigger(const char *shape)
{
    trigger best = {.from = shape, .to = shape}, now = best;
    size_t before = 0;
    tut_shape_part part;
    for (const char *at = shape, *next = shape; tut_shape_next(&next, &part); at = next) {
        if (!part.class) {
            now.from = now.literals == 0 ? at : now.from;
            now.literals++;
        }
        before += part.class ? 0 : 1;
        if (!part.class && now.literals > best.literals)
            best = (trigger){now.from, next, before, now.literals};
        if (!part.class)
            continue;
        if (best.to == at && best.literals > 0) {
            best.to = next;
            best.lead += width_of(&part);
        }
        now.literals = 0;
        before += part.least;
        if (part.least != part.most)
            break;
    }
    return best;
}

size_t tut_shape_lead(const char *shape)
{
    return find_trigger(shape).lead;
}

void tut_shape_trigger(const char *shape, tut_buf *out)
{
    trigger t = find_trigger(shape);
    tut_shape_part part;
    for (const char *at = t.from; at < t.to && tut_shape_next(&at, &part);)
        put_part(&part, width_of(&part), out);
}
