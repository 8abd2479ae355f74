/*
 *   expression = NAME { "." NAME | "(" arguments ")" | "[" STRING "]" }
 *
 * followed as far as it can be known: imports and renamings, __import__("os").system,
 * getattr(os, "sys" "tem"), builtins.__dict__["eval"].
 */
#include <string.h>

#include "formats/python_internal.h"

/* Built in functions that can do something. */
static bool is_builtin(tut_str name)
{
    static const char *const names[] = {"eval",    "exec",       "execfile", "compile",
                                        "getattr", "__import__", "vars",     "globals"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (tut_str_eq_z(name, names[i]))
            return true;
    return false;
}

/* What a name at the head of an expression stands for, or nothing. */
static tut_str head_of(const tut_python *p, tut_str name, tut_buf *storage)
{
    const tut_python_alias *alias = tut_python_find(p, name);
    if (alias)
        return alias->dotted;
    if (tut_str_eq_z(name, "__builtins__"))
        return TUT_LIT("builtins");
    if (!is_builtin(name))
        return (tut_str){"", 0};
    tut_buf_add_z(storage, "builtins.");
    tut_buf_add_str(storage, name);
    return tut_buf_str(storage);
}

/* "a" 'b' + "c": literals that are joined; *ret_end behind them. False: something else. */
static bool joined_text(const tut_python *p, size_t i, size_t end, tut_buf *out, size_t *ret_end)
{
    bool is_any = false;
    while (i < end &&
           (p->t.items[i].kind == TUT_PYTHON_STRING || tut_python_is_op(&p->t, i, '+'))) {
        if (p->t.items[i].kind == TUT_PYTHON_STRING) {
            tut_python_value(tut_python_text(&p->t, i), out);
            is_any = true;
        }
        i++;
    }
    *ret_end = i;
    return is_any && out->len <= TUT_PYTHON_NAME_MAX;
}

static bool names(const tut_buf *name, const char *wanted)
{
    return tut_str_eq_z(tut_buf_str(name), wanted);
}

/* A call whose result is known: the module or attribute that it hands out. */
static tut_status known_result(tut_python *p, size_t open, size_t close, tut_buf *name,
                               bool *ret_is_known)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t end = open + 1;
    bool is_import = names(name, "builtins.__import__") || names(name, "importlib.import_module");
    *ret_is_known = false;
    if (is_import && joined_text(p, end, close, &text, &end)) {
        *ret_is_known = true;
        name->len = 0;
        tut_buf_add_str(name, tut_buf_str(&text));
    } else if (names(name, "builtins.getattr")) {
        TUT_CLEAN(tut_buf) object = TUT_BUF_INIT;
        TUT_TRY(tut_python_dotted(p, open + 1, &object, &end));
        if (object.len == 0 || !tut_python_is_op(&p->t, end, ',') ||
            !joined_text(p, end + 1, close, &text, &end))
            return tut_buf_check(name, p->err);
        *ret_is_known = true;
        name->len = 0;
        tut_buf_add_str(name, tut_buf_str(&object));
        tut_buf_add_byte(name, '.');
        tut_buf_add_str(name, tut_buf_str(&text));
    } else if (names(name, "builtins.vars") && close == open + 2) {
        TUT_CLEAN(tut_buf) object = TUT_BUF_INIT;
        TUT_TRY(tut_python_dotted(p, open + 1, &object, &end));
        *ret_is_known = object.len > 0;
        if (object.len > 0) {
            name->len = 0;
            tut_buf_add_str(name, tut_buf_str(&object));
            tut_buf_add_z(name, ".__dict__");
        }
    }
    return tut_buf_check(name, p->err);
}

static void drop_dict(tut_buf *name)
{
    static const char dict[] = ".__dict__";
    if (tut_str_ends(tut_buf_str(name), tut_str_of(dict)))
        name->len -= sizeof(dict) - 1;
    else if (names(name, "builtins.globals()"))
        name->len = sizeof("builtins") - 1;
}

/* --- what arguments hold --- */
static bool is_decoder(tut_str name)
{
    static const char *const decoders[] = {
        "b64decode",   "b32decode",         "b16decode",          "a85decode",
        "b85decode",   "urlsafe_b64decode", "unhexlify",          "fromhex",
        "decodebytes", "decompress",        "standard_b64decode", "a2b_base64",
        "rot13",       "urlopen",           "urlretrieve",        "recv",
        "chr",         "decrypt",
    };
    for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++)
        if (tut_str_eq_z(name, decoders[i]))
            return true;
    return false;
}

/* codecs.decode(...), requests.get(...) */
static bool is_dotted_decoder(const tut_python *p, size_t i)
{
    tut_str name = tut_python_text(&p->t, i);
    if (i < 2 || !tut_python_is_op(&p->t, i - 1, '.') || !tut_python_is_name(&p->t, i - 2))
        return false;
    const tut_python_alias *of = tut_python_find(p, tut_python_text(&p->t, i - 2));
    tut_str module = of ? of->dotted : (tut_str){"", 0};
    bool is_web = tut_str_eq_z(module, "requests") || tut_str_eq_z(module, "httpx");
    return (tut_str_eq_z(module, "codecs") && tut_str_eq_z(name, "decode")) ||
           (is_web && (tut_str_eq_z(name, "get") || tut_str_eq_z(name, "post")));
}

/* "..."[::-1] */
static bool is_reversed_text(const tut_python *p, size_t i)
{
    return p->t.items[i].kind == TUT_PYTHON_STRING && tut_python_is_op(&p->t, i + 1, '[') &&
           tut_python_is_op(&p->t, i + 2, ':') && tut_python_is_op(&p->t, i + 3, ':') &&
           tut_python_is_op(&p->t, i + 4, '-');
}

bool tut_python_is_hidden(const tut_python *p, size_t from, size_t to)
{
    if (to - from > TUT_PYTHON_LOOKED_MAX)
        to = from + TUT_PYTHON_LOOKED_MAX;
    for (size_t i = from; i < to; i++) {
        if (is_reversed_text(p, i))
            return true;
        if (!tut_python_is_name(&p->t, i))
            continue;
        tut_str name = tut_python_text(&p->t, i);
        const tut_python_alias *alias = tut_python_find(p, name);
        if (alias && alias->is_hidden && !tut_python_is_op(&p->t, i - 1, '.'))
            return true;
        tut_str last = alias && alias->dotted.len ? alias->dotted : name;
        const char *dot = memrchr(last.data, '.', last.len);
        if (dot)
            last = (tut_str){dot + 1, last.len - (size_t)(dot + 1 - last.data)};
        /* Called, or handed to map and the like. */
        bool is_used = tut_python_is_op(&p->t, i + 1, '(') || tut_python_is_op(&p->t, i + 1, ',');
        if (is_used && (is_decoder(last) || is_dotted_decoder(p, i)))
            return true;
    }
    return false;
}

static void literal_strings(const tut_python *p, size_t from, size_t to, tut_buf *out)
{
    if (to - from > TUT_PYTHON_LOOKED_MAX)
        to = from + TUT_PYTHON_LOOKED_MAX;
    for (size_t i = from; i < to && out->len < TUT_PYTHON_ARGUMENT_MAX; i++) {
        tut_str literal = tut_python_text(&p->t, i);
        if (p->t.items[i].kind != TUT_PYTHON_STRING)
            continue;
        if (literal.len > TUT_PYTHON_ARGUMENT_MAX)
            literal.len = TUT_PYTHON_ARGUMENT_MAX;
        if (out->len > 0)
            tut_buf_add_byte(out, ' ');
        tut_python_value(literal, out);
    }
}

/* --- calls --- */
static void note_traits(tut_python *p, tut_str name, uint64_t at)
{
    tut_python_traits *t = &p->traits;
    bool is_socket = tut_str_starts(name, TUT_LIT("socket.socket().connect")) ||
                     tut_str_eq_z(name, "socket.create_connection") ||
                     tut_str_eq_z(name, "socket.socket");
    if (is_socket && !t->connects) {
        t->connects = true;
        t->connects_at = at;
    }
    t->sends = t->sends || is_socket || tut_str_eq_z(name, "requests.post") ||
               tut_str_eq_z(name, "requests.put") || tut_str_eq_z(name, "httpx.post") ||
               tut_str_eq_z(name, "urllib.request.urlopen") ||
               tut_str_eq_z(name, "http.client.HTTPSConnection");
    if (tut_str_eq_z(name, "os.dup2"))
        t->duplicates++;
    t->spawns_terminal = t->spawns_terminal || tut_str_eq_z(name, "pty.spawn");
    t->starts_shell = t->starts_shell || tut_str_eq_z(name, "pty.spawn") ||
                      tut_str_starts(name, TUT_LIT("subprocess.")) ||
                      tut_str_starts(name, TUT_LIT("os.exec")) || tut_str_eq_z(name, "os.system");
}

static tut_status report(tut_python *p, tut_str name, size_t first, size_t open, size_t close)
{
    TUT_CLEAN(tut_buf) argument = TUT_BUF_INIT;
    if (name.len == 0 || name.len > TUT_PYTHON_NAME_MAX)
        return TUT_SUCCESS;
    literal_strings(p, open + 1, close, &argument);
    TUT_TRY(tut_buf_check(&argument, p->err));
    const tut_reference reference = {
        .act = TUT_REFERENCE_CALL,
        .name = name,
        .shown = name,
        .offset = p->t.items[first].at,
        .is_on_load = !(first < p->head_end ? p->is_head_deferred : tut_python_is_deferred(p)),
        .is_hidden = tut_python_is_hidden(p, open + 1, close),
        .argument = tut_buf_str(&argument)};
    note_traits(p, name, reference.offset);
    if (p->x->ops->reference)
        p->x->ops->reference(p->x->ctx, &reference);
    return TUT_SUCCESS;
}

/* A bare name that may come from a module that was imported whole. */
static tut_status report_stars(tut_python *p, size_t i, size_t close)
{
    tut_str name = tut_python_text(&p->t, i);
    for (size_t s = 0; s < p->star_count; s++) {
        TUT_CLEAN(tut_buf) dotted = TUT_BUF_INIT;
        tut_buf_add_str(&dotted, p->stars[s]);
        tut_buf_add_byte(&dotted, '.');
        tut_buf_add_str(&dotted, name);
        TUT_TRY(tut_buf_check(&dotted, p->err));
        TUT_TRY(report(p, tut_buf_str(&dotted), i, i + 1, close));
    }
    return TUT_SUCCESS;
}

/* Follows what stands behind the first name; calls are reported when `first` says so. */
static tut_status follow(tut_python *p, size_t i, size_t first, bool is_reporting, tut_buf *name,
                         size_t *ret_end)
{
    for (;;) {
        if (name->len > TUT_PYTHON_NAME_MAX)
            break;
        if (tut_python_is_op(&p->t, i, '.') && tut_python_is_name(&p->t, i + 1)) {
            tut_buf_add_byte(name, '.');
            tut_buf_add_str(name, tut_python_text(&p->t, i + 1));
            i += 2;
        } else if (tut_python_is_op(&p->t, i, '(') && p->t.items[i].mate > i) {
            size_t close = p->t.items[i].mate;
            bool is_known = false;
            TUT_TRY(known_result(p, i, close, name, &is_known));
            if (!is_known && is_reporting)
                TUT_TRY(report(p, tut_buf_str(name), first, i, close));
            if (!is_known)
                tut_buf_add_z(name, "()");
            i = close + 1;
        } else if (tut_python_is_op(&p->t, i, '[') && p->t.items[i].mate > i) {
            TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
            size_t close = p->t.items[i].mate, end = i;
            if (!joined_text(p, i + 1, close, &text, &end) || end != close)
                break;
            drop_dict(name);
            tut_buf_add_byte(name, '.');
            tut_buf_add_str(name, tut_buf_str(&text));
            i = close + 1;
        } else {
            break;
        }
        TUT_TRY(tut_buf_check(name, p->err));
    }
    *ret_end = i;
    return TUT_SUCCESS;
}

tut_status tut_python_dotted(tut_python *p, size_t i, tut_buf *out, size_t *ret_end)
{
    TUT_CLEAN(tut_buf) storage = TUT_BUF_INIT;
    *ret_end = i;
    if (!tut_python_is_name(&p->t, i))
        return TUT_SUCCESS;
    tut_buf_add_str(out, head_of(p, tut_python_text(&p->t, i), &storage));
    TUT_TRY(tut_buf_check(out, p->err));
    if (out->len == 0)
        return TUT_SUCCESS;
    /* Without calls but those whose result is known. */
    size_t end = i + 1;
    TUT_TRY(follow(p, end, i, false, out, &end));
    size_t at;
    if (tut_str_find(tut_buf_str(out), TUT_LIT("()"), &at))
        out->len = 0;
    *ret_end = end;
    return TUT_SUCCESS;
}

tut_status tut_python_call_at(tut_python *p, size_t i)
{
    TUT_CLEAN(tut_buf) storage = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_str word = tut_python_text(&p->t, i);
    tut_buf_add_str(&name, head_of(p, word, &storage));
    TUT_TRY(tut_buf_check(&name, p->err));
    bool is_call = tut_python_is_op(&p->t, i + 1, '(') && p->t.items[i + 1].mate > i + 1;
    if (name.len == 0)
        return is_call && !tut_python_find(p, word) && !tut_python_is_word(&p->t, i - 1, "def")
                   ? report_stars(p, i, p->t.items[i + 1].mate)
                   : TUT_SUCCESS;
    size_t end;
    return follow(p, i + 1, i, true, &name, &end);
}

tut_status tut_python_decorator(tut_python *p, size_t i, size_t end)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    size_t behind = i;
    TUT_TRY(tut_python_dotted(p, i, &name, &behind));
    return behind == end ? report(p, tut_buf_str(&name), i, end - 1, end) : TUT_SUCCESS;
}

/* f"{os.system('id')}": the expression between the braces, without its conversion. */
tut_status tut_python_format_string(tut_python *p, size_t i)
{
    tut_str literal = tut_python_text(&p->t, i);
    const char *open = memchr(literal.data, '{', literal.len);
    if (!open || literal.len > TUT_PYTHON_LOOKED_MAX ||
        !memchr(open, '(', literal.len - (size_t)(open - literal.data)))
        return TUT_SUCCESS;
    tut_python_tokens outer = p->t;
    tut_status status = TUT_SUCCESS;
    while (open && tut_is_ok(status)) {
        size_t from = (size_t)(open - literal.data) + 1;
        const char *close = memchr(literal.data + from, '}', literal.len - from);
        size_t end = close ? (size_t)(close - literal.data) : literal.len;
        status = tut_python_lex((tut_str){literal.data + from, end - from}, &p->t, p->err);
        for (size_t k = 1; tut_is_ok(status) && k + 1 < p->t.count; k++)
            if (tut_python_is_name(&p->t, k) && !tut_python_is_op(&p->t, k - 1, '.'))
                status = tut_python_call_at(p, k);
        tut_python_tokens_done(&p->t);
        open = close ? memchr(literal.data + end, '{', literal.len - end) : NULL;
    }
    p->t = outer;
    return status;
}
