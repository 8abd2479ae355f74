#include "crypto/pkcs11_uri.h"

#include "base/limits.h"

typedef struct field {
    const char *name;
    size_t offset, size;
    bool is_query; /* stands behind the '?' */
} field;

#define FIELD(name, member, is_query)                                                              \
    {                                                                                              \
        name, offsetof(tut_pkcs11_uri, member), sizeof(((tut_pkcs11_uri *)0)->member), is_query    \
    }

static const field fields[] = {
    FIELD("token", token, false),
    FIELD("manufacturer", manufacturer, false),
    FIELD("model", model, false),
    FIELD("serial", serial, false),
    FIELD("object", object, false),
    FIELD("id", id, false),
    FIELD("module-path", module_path, true),
    FIELD("pin-source", pin_source, true),
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]), ID = 5, HEX_BASE = 16 };

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static tut_status decode(tut_str text, const field *f, bool may_be_nul, char *to, size_t *ret_len,
                         tut_error *err)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int byte = (uint8_t)text.data[i];
        if (byte == '%') {
            int high = text.len - i > 2 ? hex_value(text.data[i + 1]) : -1;
            int low = text.len - i > 2 ? hex_value(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return tut_fail(err, TUT_MALFORMED, "\"%s\" of the pkcs11: URI has a bad %%",
                                f->name);
            byte = high * HEX_BASE + low;
            i += 2;
        } else if (byte <= ' ' || byte >= 0x7f) {
            return tut_fail(err, TUT_MALFORMED,
                            "the pkcs11: URI holds a character that must be written %%XX");
        }
        if (byte == 0 && !may_be_nul)
            return tut_fail(err, TUT_MALFORMED, "\"%s\" of the pkcs11: URI holds NUL", f->name);
        if (len + 1 >= f->size)
            return tut_fail(err, TUT_LIMIT, "\"%s\" of the pkcs11: URI is longer than %zu bytes",
                            f->name, f->size - 1);
        to[len++] = (char)byte;
    }
    if (len == 0)
        return tut_fail(err, TUT_MALFORMED, "\"%s\" of the pkcs11: URI is empty", f->name);
    to[len] = '\0';
    *ret_len = len;
    return TUT_SUCCESS;
}

static tut_status refuse(tut_str name, tut_error *err)
{
    if (tut_str_eq_z(name, "pin-value"))
        return tut_fail(err, TUT_USAGE,
                        "a PIN does not belong into a URI; put it into a file (chmod 600) and say "
                        "pin-source=file:/PATH");
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_buf_add_escaped(&shown, name, 40);
    return tut_fail(err, TUT_UNSUPPORTED,
                    "the pkcs11: URI says \"%s\"; known: token, manufacturer, model, serial, "
                    "object, id, type, module-path, pin-source",
                    shown.len ? tut_buf_z(&shown) : "");
}

/* "name=value" */
static tut_status take_pair(tut_str pair, bool is_query, uint32_t *seen, tut_pkcs11_uri *uri,
                            tut_error *err)
{
    const char *equals = memchr(pair.data, '=', pair.len);
    if (!equals)
        return tut_fail(err, TUT_MALFORMED, "a part of the pkcs11: URI is not NAME=VALUE");
    size_t at = (size_t)(equals - pair.data);
    tut_str name = {pair.data, at};
    tut_str value = {equals + 1, pair.len - at - 1};
    if (!is_query && tut_str_eq_z(name, "type") && tut_str_eq_z(value, "private"))
        return TUT_SUCCESS;
    for (size_t i = 0; i < FIELDS; i++) {
        size_t len;
        if (fields[i].is_query != is_query || !tut_str_eq_z(name, fields[i].name))
            continue;
        if (*seen & 1u << i)
            return tut_fail(err, TUT_MALFORMED, "the pkcs11: URI says \"%s\" twice",
                            fields[i].name);
        *seen |= 1u << i;
        TUT_TRY(decode(value, &fields[i], i == ID, (char *)uri + fields[i].offset, &len, err));
        if (i == ID)
            uri->id_len = len;
        return TUT_SUCCESS;
    }
    return refuse(name, err);
}

static tut_status take_pairs(tut_str text, char separator, bool is_query, uint32_t *seen,
                             tut_pkcs11_uri *uri, tut_error *err)
{
    while (text.len) {
        const char *end = memchr(text.data, separator, text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        TUT_TRY(take_pair((tut_str){text.data, len}, is_query, seen, uri, err));
        size_t used = end ? len + 1 : len;
        if (end && used == text.len)
            return tut_fail(err, TUT_MALFORMED, "the pkcs11: URI ends in '%c'", separator);
        text = (tut_str){text.data + used, text.len - used};
    }
    return TUT_SUCCESS;
}

/* "file:/a" and "file:///a" are /a. */
static void strip_scheme(char *path)
{
    size_t skip = 0;
    if (strncmp(path, "file:", 5) == 0)
        skip = strncmp(path, "file:///", 8) == 0 ? 7 : 5;
    memmove(path, path + skip, strlen(path + skip) + 1);
}

tut_status tut_pkcs11_uri_parse(tut_str text, tut_pkcs11_uri *ret, tut_error *err)
{
    static const tut_str scheme = {"pkcs11:", 7};
    uint32_t seen = 0;
    TUT_AUTO_FREE tut_pkcs11_uri *uri = tut_alloc_array(1, sizeof(*uri));
    if (!uri)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (text.len > TUT_LIMIT_PKCS11_URI_BYTES)
        return tut_fail(err, TUT_LIMIT, "the pkcs11: URI is longer than %u bytes",
                        TUT_LIMIT_PKCS11_URI_BYTES);
    if (!tut_str_starts(text, scheme))
        return tut_fail(err, TUT_MALFORMED, "the URI does not begin with pkcs11:");
    tut_str path = {text.data + scheme.len, text.len - scheme.len};
    tut_str query = {"", 0};
    const char *mark = memchr(path.data, '?', path.len);
    if (mark) {
        size_t at = (size_t)(mark - path.data);
        query = (tut_str){mark + 1, path.len - at - 1};
        path.len = at;
    }
    TUT_TRY(take_pairs(path, ';', false, &seen, uri, err));
    TUT_TRY(take_pairs(query, '&', true, &seen, uri, err));
    strip_scheme(uri->pin_source);
    /* Relative paths would mean another file, or another module's code, in each directory. */
    if ((uri->module_path[0] && uri->module_path[0] != '/') ||
        (uri->pin_source[0] && uri->pin_source[0] != '/'))
        return tut_fail(err, TUT_USAGE,
                        "module-path and pin-source of the pkcs11: URI are absolute paths");
    *ret = *uri;
    return TUT_SUCCESS;
}
