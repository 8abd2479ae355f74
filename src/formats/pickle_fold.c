/*
 * Calls that compute strings and bytes, done here on constants: names are hidden that way
 * (codecs.decode('flfgrz', 'rot13')), and picklers of Python 2 protocols write bytes as
 * _codecs.encode(text, 'latin1'). What is not known here stays the result of a call.
 */
#include "formats/encoded.h"
#include "formats/pickle_call.h"
#include "formats/pickle_nested.h"
#include "formats/pickle_text.h"

typedef struct folder {
    tut_pmachine *m;
    tut_pval arguments;
    uint8_t *to; /* TUT_LIMIT_PICKLE_TEXT_BYTES */
    size_t len;
    tut_pval_type type; /* of the result */
} folder;

static bool argument(const folder *f, size_t i, tut_str *ret, tut_pval_type *ret_type)
{
    tut_pval v = tut_pv_item(&f->m->heap, f->arguments, i);
    *ret_type = tut_pv_type(&f->m->heap, v);
    return tut_pv_get_text(&f->m->heap, v, *ret_type, ret);
}

static bool add(folder *f, tut_str s)
{
    if (s.len > TUT_LIMIT_PICKLE_TEXT_BYTES - f->len)
        return false;
    memcpy(f->to + f->len, s.data, s.len);
    f->len += s.len;
    return true;
}

/* Names of encodings are compared without case, '-' and '_'. */
static bool is_encoding(tut_str name, const char *const *known)
{
    char plain[32];
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (c == '-' || c == '_' || c == ' ')
            continue;
        if (len == sizeof plain - 1)
            return false;
        plain[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    plain[len] = '\0';
    for (; *known; known++) {
        if (strcmp(*known, plain) == 0)
            return true;
    }
    return false;
}

static const char *const rot13_names[] = {"rot13", NULL};
static const char *const hex_names[] = {"hex", "hexcodec", NULL};
static const char *const base64_names[] = {"base64", "base64codec", NULL};
static const char *const latin1_names[] = {"latin1", "latin", "iso88591", "8859",
                                           "cp819",  "l1",    NULL};
static const char *const utf8_names[] = {"utf8", "utf", "u8", "ascii", "usascii", NULL};
static const char *const escape_names[] = {"unicodeescape", "rawunicodeescape", "stringescape",
                                           NULL};

static bool rot13(folder *f, tut_str s)
{
    if (!add(f, s))
        return false;
    for (size_t i = 0; i < f->len; i++) {
        uint8_t lower = f->to[i] | 0x20;
        if (lower >= 'a' && lower <= 'z')
            f->to[i] = (uint8_t)(f->to[i] + (lower <= 'm' ? 13 : -13));
    }
    f->type = TUT_PVAL_STR;
    return true;
}

static bool latin1_to_utf8(folder *f, tut_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!tut_ptext_put_utf8((uint8_t)s.data[i], f->to, TUT_LIMIT_PICKLE_TEXT_BYTES, &f->len))
            return false;
    }
    return true;
}

static bool utf8_to_latin1(folder *f, tut_str s)
{
    while (s.len) {
        uint32_t point;
        size_t n = tut_utf8_len(s, &point);
        if (n == 0 || point > 0xff || f->len == TUT_LIMIT_PICKLE_TEXT_BYTES)
            return false;
        f->to[f->len++] = (uint8_t)point;
        s = (tut_str){s.data + n, s.len - n};
    }
    return true;
}

static bool decode(folder *f, tut_str s, tut_str encoding)
{
    size_t cap = TUT_LIMIT_PICKLE_TEXT_BYTES;
    bool is_cut;
    f->type = TUT_PVAL_BYTES;
    if (is_encoding(encoding, rot13_names))
        return rot13(f, s);
    if (is_encoding(encoding, hex_names))
        return tut_encoded_hex(s, f->to, cap, &f->len);
    if (is_encoding(encoding, base64_names))
        return tut_encoded_base64(s, f->to, cap, &f->len);
    f->type = TUT_PVAL_STR;
    if (is_encoding(encoding, latin1_names))
        return latin1_to_utf8(f, s);
    if (is_encoding(encoding, utf8_names))
        return add(f, s);
    return is_encoding(encoding, escape_names) &&
           tut_ptext_unescape(s, f->to, cap, &f->len, &is_cut) && !is_cut;
}

static bool do_decode(folder *f)
{
    tut_str s, encoding;
    tut_pval_type type;
    if (!argument(f, 0, &s, &type))
        return false;
    if (!argument(f, 1, &encoding, &type))
        encoding = TUT_LIT("utf-8");
    return decode(f, s, encoding);
}

static bool do_encode(folder *f)
{
    tut_str s, encoding;
    tut_pval_type type;
    if (!argument(f, 0, &s, &type))
        return false;
    if (!argument(f, 1, &encoding, &type))
        encoding = TUT_LIT("utf-8");
    if (is_encoding(encoding, rot13_names))
        return rot13(f, s);
    f->type = TUT_PVAL_BYTES;
    if (is_encoding(encoding, latin1_names))
        return utf8_to_latin1(f, s);
    return is_encoding(encoding, utf8_names) && add(f, s);
}

/* bytes('text', 'latin-1'), bytes([115, 121, …]), bytearray likewise, bytes() */
static bool do_bytes(folder *f)
{
    tut_str s;
    tut_pval_type type;
    f->type = TUT_PVAL_BYTES;
    if (f->arguments == TUT_PV_EMPTY_TUPLE)
        return true;
    if (argument(f, 0, &s, &type))
        return type == TUT_PVAL_BYTES ? add(f, s) : do_encode(f);
    size_t count;
    bool is_whole;
    tut_pval list = tut_pv_item(&f->m->heap, f->arguments, 0);
    const tut_pval *items = tut_pv_items(&f->m->heap, list, &count, &is_whole);
    if (!items || !is_whole || count > TUT_LIMIT_PICKLE_TEXT_BYTES)
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t n;
        if (!tut_pv_get_int(&f->m->heap, items[i], &n) || n < 0 || n > 255)
            return false;
        f->to[f->len++] = (uint8_t)n;
    }
    return true;
}

/* str(b'…', 'utf-8'), str('…') */
static bool do_str(folder *f)
{
    tut_str s;
    tut_pval_type type;
    f->type = TUT_PVAL_STR;
    if (!argument(f, 0, &s, &type))
        return false;
    return type == TUT_PVAL_STR ? add(f, s) : do_decode(f);
}

static bool do_chr(folder *f)
{
    int64_t n;
    f->type = TUT_PVAL_STR;
    return tut_pv_get_int(&f->m->heap, tut_pv_item(&f->m->heap, f->arguments, 0), &n) && n >= 0 &&
           n <= 0x10ffff &&
           tut_ptext_put_utf8((uint32_t)n, f->to, TUT_LIMIT_PICKLE_TEXT_BYTES, &f->len);
}

/* ''.join(parts) as str.join('', parts) */
static bool do_join(folder *f)
{
    tut_str separator, part;
    size_t count;
    bool is_whole;
    if (!argument(f, 0, &separator, &f->type))
        return false;
    tut_pval list = tut_pv_item(&f->m->heap, f->arguments, 1);
    if (tut_pv_get_text(&f->m->heap, list, f->type, &part) && separator.len == 0)
        return add(f, part);
    const tut_pval *items = tut_pv_items(&f->m->heap, list, &count, &is_whole);
    if (!is_whole)
        return false;
    for (size_t i = 0; i < count; i++) {
        if ((i > 0 && !add(f, separator)) ||
            !tut_pv_get_text(&f->m->heap, items[i], f->type, &part) || !add(f, part))
            return false;
    }
    return true;
}

static bool do_concat(folder *f)
{
    tut_str a, b;
    tut_pval_type type;
    return argument(f, 0, &a, &f->type) && argument(f, 1, &b, &type) && type == f->type &&
           add(f, a) && add(f, b);
}

static bool do_repeat(folder *f)
{
    tut_str s;
    int64_t times;
    if (!argument(f, 0, &s, &f->type) ||
        !tut_pv_get_int(&f->m->heap, tut_pv_item(&f->m->heap, f->arguments, 1), &times) ||
        times > TUT_LIMIT_PICKLE_TEXT_BYTES)
        return false;
    for (int64_t i = 0; i < times; i++) {
        if (!add(f, s))
            return false;
    }
    return true;
}

/* str.replace(s, old, new) */
static bool do_replace(folder *f)
{
    tut_str s, old, new;
    tut_pval_type type;
    size_t at;
    if (!argument(f, 0, &s, &f->type) || !argument(f, 1, &old, &type) ||
        !argument(f, 2, &new, &type) || old.len == 0)
        return false;
    while (tut_str_find(s, old, &at)) {
        if (!add(f, (tut_str){s.data, at}) || !add(f, new))
            return false;
        s = (tut_str){s.data + at + old.len, s.len - at - old.len};
    }
    return add(f, s);
}

static bool do_lower(folder *f)
{
    tut_str s;
    if (!argument(f, 0, &s, &f->type) || !add(f, s))
        return false;
    for (size_t i = 0; i < f->len; i++) {
        if (f->to[i] >= 'A' && f->to[i] <= 'Z')
            f->to[i] |= 0x20;
    }
    return true;
}

static bool do_strip(folder *f)
{
    tut_str s, set;
    tut_pval_type type;
    return argument(f, 0, &s, &f->type) && !argument(f, 1, &set, &type) && add(f, tut_str_trim(s));
}

static bool do_base64(folder *f)
{
    tut_str s;
    tut_pval_type type;
    f->type = TUT_PVAL_BYTES;
    return argument(f, 0, &s, &type) &&
           tut_encoded_base64(s, f->to, TUT_LIMIT_PICKLE_TEXT_BYTES, &f->len);
}

static bool do_unhex(folder *f)
{
    tut_str s;
    tut_pval_type type;
    f->type = TUT_PVAL_BYTES;
    return argument(f, 0, &s, &type) &&
           tut_encoded_hex(s, f->to, TUT_LIMIT_PICKLE_TEXT_BYTES, &f->len);
}

static const struct {
    const char *module, *name;
    bool (*run)(folder *f);
} folds[] = {
    {"_codecs", "decode", do_decode},
    {"codecs", "decode", do_decode},
    {"_codecs", "encode", do_encode},
    {"codecs", "encode", do_encode},
    {"_codecs", "latin_1_encode", do_encode},
    {"builtins", "bytes", do_bytes},
    {"builtins", "bytearray", do_bytes},
    {"builtins", "str", do_str},
    {"builtins", "unicode", do_str},
    {"builtins", "chr", do_chr},
    {"builtins", "unichr", do_chr},
    {"builtins", "str.join", do_join},
    {"builtins", "bytes.join", do_join},
    {"builtins", "bytes.decode", do_decode},
    {"builtins", "bytearray.decode", do_decode},
    {"builtins", "str.encode", do_encode},
    {"builtins", "str.lower", do_lower},
    {"builtins", "str.strip", do_strip},
    {"builtins", "str.replace", do_replace},
    {"builtins", "bytes.replace", do_replace},
    {"builtins", "str.__add__", do_concat},
    {"builtins", "str.__mul__", do_repeat},
    {"builtins", "bytes.fromhex", do_unhex},
    {"builtins", "bytearray.fromhex", do_unhex},
    {"operator", "add", do_concat},
    {"_operator", "add", do_concat},
    {"operator", "concat", do_concat},
    {"_operator", "concat", do_concat},
    {"operator", "iadd", do_concat},
    {"operator", "mul", do_repeat},
    {"_operator", "mul", do_repeat},
    {"base64", "b64decode", do_base64},
    {"base64", "urlsafe_b64decode", do_base64},
    {"base64", "standard_b64decode", do_base64},
    {"base64", "decodebytes", do_base64},
    {"base64", "b16decode", do_unhex},
    {"binascii", "unhexlify", do_unhex},
    {"binascii", "a2b_hex", do_unhex},
    {"binascii", "a2b_base64", do_base64},
};

bool tut_pfold(tut_pmachine *m, tut_pval callable, tut_pval arguments, tut_pval *ret_result)
{
    if (tut_pv_type(&m->heap, callable) != TUT_PVAL_GLOBAL ||
        tut_pv_type(&m->heap, arguments) != TUT_PVAL_TUPLE)
        return false;
    tut_pnames names;
    tut_pcall_names(m, callable, &names);
    if (!names.is_resolved)
        return false;
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
        if (!tut_pname_is(&names, folds[i].module, folds[i].name))
            continue;
        folder f = {.m = m, .arguments = arguments, .to = m->text, .type = TUT_PVAL_STR};
        if (!folds[i].run(&f))
            return false;
        *ret_result = tut_pv_text(&m->heap, f.type, (tut_str){(const char *)f.to, f.len}, false);
        return true;
    }
    return false;
}
