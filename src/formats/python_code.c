/*
 *   file      = { line }
 *   line      = "import" module ["as" NAME] {"," ...}
 *             | "from" module "import" ("*" | NAME ["as" NAME] {"," ...})
 *             | "def" ... | "if" "__name__" ...           (deferred: what is indented below)
 *             | NAME "=" expression                       (a renaming, or a value)
 *             | expressions
 */
#include <string.h>

#include "base/limits.h"
#include "formats/python_internal.h"

/* --- names --- */
const tut_python_alias *tut_python_find(const tut_python *p, tut_str name)
{
    size_t i = tut_map_get(&p->map, name);
    return i == SIZE_MAX ? NULL : &p->aliases[i];
}

static tut_status nomem(tut_python *p)
{
    return tut_fail(p->err, TUT_NOMEM, "memory ran out");
}

tut_status tut_python_name(tut_python *p, tut_str name, tut_str dotted, bool is_hidden)
{
    size_t i = tut_map_get(&p->map, name);
    char *copy = tut_arena_copy(&p->arena, dotted);
    if (!copy)
        return nomem(p);
    if (i == SIZE_MAX) {
        TUT_TRY(tut_grow(&p->aliases, p->alias_count, &p->alias_capacity, sizeof(*p->aliases)));
        i = p->alias_count++;
        TUT_TRY(tut_map_put(&p->map, name, i, NULL, p->err));
    }
    p->aliases[i] = (tut_python_alias){name, {copy, dotted.len}, is_hidden};
    return TUT_SUCCESS;
}

/* "a.b.c" from token i on, dots in front too; *ret_end behind it. */
static tut_str module_at(const tut_python *p, size_t i, size_t *ret_end)
{
    size_t end = i;
    while (tut_python_is_name(&p->t, end) || tut_python_is_op(&p->t, end, '.')) {
        if (tut_python_is_word(&p->t, end, "import") || tut_python_is_word(&p->t, end, "as"))
            break;
        end++;
    }
    *ret_end = end;
    if (end == i)
        return (tut_str){"", 0};
    uint32_t from = p->t.items[i].at;
    const tut_python_token *last = &p->t.items[end - 1];
    return (tut_str){p->t.text.data + from, last->at + last->len - from};
}

static tut_str first_part(tut_str module)
{
    const char *dot = memchr(module.data, '.', module.len);
    return dot ? (tut_str){module.data, (size_t)(dot - module.data)} : module;
}

static tut_status take_import(tut_python *p, size_t i)
{
    do {
        tut_str module = module_at(p, ++i, &i);
        if (module.len == 0 || module.len > TUT_PYTHON_NAME_MAX)
            return TUT_SUCCESS;
        tut_str name = first_part(module);
        if (tut_python_is_word(&p->t, i, "as") && tut_python_is_name(&p->t, i + 1)) {
            TUT_TRY(tut_python_name(p, tut_python_text(&p->t, i + 1), module, false));
            i += 2;
        } else {
            TUT_TRY(tut_python_name(p, name, name, false));
        }
    } while (tut_python_is_op(&p->t, i, ','));
    return TUT_SUCCESS;
}

static tut_status take_from(tut_python *p, size_t i)
{
    tut_str module = module_at(p, i + 1, &i);
    if (!tut_python_is_word(&p->t, i, "import") || module.len == 0 ||
        module.len > TUT_PYTHON_NAME_MAX)
        return TUT_SUCCESS;
    if (tut_python_is_op(&p->t, i + 1, '*')) {
        if (p->star_count < TUT_PYTHON_STARS)
            p->stars[p->star_count++] = module;
        return TUT_SUCCESS;
    }
    i += tut_python_is_op(&p->t, i + 1, '(') ? 2 : 1;
    while (tut_python_is_name(&p->t, i)) {
        tut_str name = tut_python_text(&p->t, i);
        TUT_CLEAN(tut_buf) dotted = TUT_BUF_INIT;
        tut_buf_add_str(&dotted, module);
        tut_buf_add_byte(&dotted, '.');
        tut_buf_add_str(&dotted, name);
        TUT_TRY(tut_buf_check(&dotted, p->err));
        bool is_renamed = tut_python_is_word(&p->t, i + 1, "as") &&
                          tut_python_is_name(&p->t, i + 2);
        tut_str as = is_renamed ? tut_python_text(&p->t, i + 2) : name;
        if (dotted.len <= TUT_PYTHON_NAME_MAX)
            TUT_TRY(tut_python_name(p, as, tut_buf_str(&dotted), false));
        i += is_renamed ? 3 : 1;
        if (!tut_python_is_op(&p->t, i, ','))
            break;
        i++;
    }
    return TUT_SUCCESS;
}

/* --- scopes --- */
bool tut_python_is_deferred(const tut_python *p)
{
    return p->is_notebook || (p->scope_count > 0 && p->scopes[p->scope_count - 1].is_deferred);
}

static void enter(tut_python *p, uint16_t indent, bool is_deferred)
{
    is_deferred = is_deferred || (p->scope_count > 0 && p->scopes[p->scope_count - 1].is_deferred);
    if (p->scope_count < TUT_PYTHON_SCOPES)
        p->scopes[p->scope_count++] = (tut_python_scope){indent, is_deferred};
}

/* Default values are computed where the function is defined, not where it is called. */
static size_t parameters_end(const tut_python *p, size_t i)
{
    for (size_t k = i; k < i + 6 && k < p->t.count; k++)
        if (tut_python_is_op(&p->t, k, '('))
            return p->t.items[k].mate;
    return 0;
}

/* if __name__ == "__main__", and whatever else must hold: not when the file is imported. */
static bool is_main_only(const tut_python *p, size_t i)
{
    bool has_name = false, has_main = false, is_equal = false;
    if (!tut_python_is_word(&p->t, i, "if"))
        return false;
    for (; i < p->t.count && p->t.items[i].kind != TUT_PYTHON_LINE; i++) {
        size_t at;
        if (tut_python_is_word(&p->t, i, "or") || tut_python_is_word(&p->t, i, "not"))
            return false;
        has_name = has_name || tut_python_is_word(&p->t, i, "__name__");
        has_main = has_main || (p->t.items[i].kind == TUT_PYTHON_STRING &&
                                tut_str_find(tut_python_text(&p->t, i), TUT_LIT("__main__"), &at));
        is_equal = is_equal ||
                   (tut_python_is_op(&p->t, i, '=') && tut_python_is_op(&p->t, i + 1, '='));
        if (tut_python_is_op(&p->t, i, ':'))
            break;
    }
    return has_name && has_main && is_equal;
}

static void begin_line(tut_python *p, size_t i, uint16_t indent)
{
    while (p->scope_count > 0 && p->scopes[p->scope_count - 1].indent >= indent)
        p->scope_count--;
    bool is_function = tut_python_is_word(&p->t, i, "def") ||
                       (tut_python_is_word(&p->t, i, "async") &&
                        tut_python_is_word(&p->t, i + 1, "def"));
    p->head_end = is_function ? parameters_end(p, i) : 0;
    p->is_head_deferred = tut_python_is_deferred(p);
    if (is_function || is_main_only(p, i))
        enter(p, indent, true);
}

/* --- lines --- */
static size_t line_end(const tut_python *p, size_t i)
{
    while (i < p->t.count && p->t.items[i].kind != TUT_PYTHON_LINE)
        i++;
    return i;
}

/* name = os.system, name = b64decode(...), name = 3 */
static tut_status take_assignment(tut_python *p, size_t i, size_t end)
{
    if (!tut_python_is_name(&p->t, i) || !tut_python_is_op(&p->t, i + 1, '=') ||
        tut_python_is_op(&p->t, i + 2, '='))
        return TUT_SUCCESS;
    tut_str name = tut_python_text(&p->t, i);
    TUT_CLEAN(tut_buf) dotted = TUT_BUF_INIT;
    size_t behind = i + 2;
    TUT_TRY(tut_python_dotted(p, i + 2, &dotted, &behind));
    bool is_renaming = behind == end && dotted.len > 0 && dotted.len <= TUT_PYTHON_NAME_MAX;
    bool is_hidden = tut_python_is_hidden(p, i + 2, end);
    if (!is_renaming && !is_hidden && !tut_python_find(p, name))
        return TUT_SUCCESS;
    return tut_python_name(p, name, is_renaming ? tut_buf_str(&dotted) : (tut_str){"", 0},
                           is_hidden);
}

static bool holds(tut_str text, const char *needle)
{
    size_t at;
    return tut_str_find(text, tut_str_of(needle), &at);
}

/* Where systems keep what lets others in. */
static bool names_credentials(tut_str literal)
{
    static const char *const places[] = {
        ".ssh/id_",   ".aws/credentials", "/etc/shadow", ".git-credentials", "Login Data",
        "wallet.dat", "logins.json",      "key4.db",     "Local State",      ".kube/config",
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (holds(literal, places[i]))
            return true;
    return false;
}

/* Encodings of source that Python decodes and people cannot read. */
static void check_encoding(tut_python *p)
{
    static const char *const odd[] = {"utf-7",          "utf7",           "utf_7",
                                      "unicode_escape", "unicode-escape", "raw_unicode_escape",
                                      "rot13",          "rot_13",         "punycode"};
    tut_str head = {p->t.text.data, p->t.text.len < 300 ? p->t.text.len : 300};
    size_t at;
    for (int line = 0; line < 2 && head.len > 0; line++) {
        const char *end = memchr(head.data, '\n', head.len);
        tut_str text = {head.data, end ? (size_t)(end - head.data) : head.len};
        if (text.len > 0 && text.data[0] == '#' && tut_str_find(text, TUT_LIT("coding"), &at)) {
            tut_str name = {text.data + at + 6, text.len - at - 6};
            for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
                if (holds(name, odd[i]))
                    tut_exam_observe(p->x, "code.hidden-code", 0,
                                     "the text is to be decoded as %s before it runs", odd[i]);
        }
        if (!end)
            return;
        head = (tut_str){end + 1, head.len - text.len - 1};
    }
}

static tut_status take_line(tut_python *p, size_t i, size_t end)
{
    if (tut_python_is_op(&p->t, i, '@'))
        TUT_TRY(tut_python_decorator(p, i + 1, end));
    if (tut_python_is_word(&p->t, i, "import"))
        return take_import(p, i);
    if (tut_python_is_word(&p->t, i, "from"))
        return take_from(p, i);
    for (size_t k = i; k < end; k++) {
        const tut_python_token *token = &p->t.items[k];
        bool begins = k > i && tut_python_is_op(&p->t, k - 1, ':'); /* try: import os */
        if (begins && tut_python_is_word(&p->t, k, "import"))
            return take_import(p, k);
        if (begins && tut_python_is_word(&p->t, k, "from"))
            return take_from(p, k);
        if (token->kind == TUT_PYTHON_NAME && !tut_python_is_op(&p->t, k - 1, '.'))
            TUT_TRY(tut_python_call_at(p, k));
        if (token->kind != TUT_PYTHON_STRING)
            continue;
        if (names_credentials(tut_python_text(&p->t, k)) && !p->traits.reads_credentials) {
            p->traits.reads_credentials = true;
            p->traits.credentials_at = token->at;
        }
        if (tut_python_is_format(tut_python_text(&p->t, k)))
            TUT_TRY(tut_python_format_string(p, k));
    }
    return take_assignment(p, i, end);
}

static tut_status take_lines(tut_python *p)
{
    for (size_t i = 0; i + 1 < p->t.count;) {
        uint16_t indent = p->t.items[i].indent;
        size_t end = line_end(p, i + 1);
        begin_line(p, i + 1, indent);
        /* Statements of one line: "import os; os.system(...)". */
        for (size_t from = i + 1, k; from < end; from = k + 1) {
            for (k = from; k < end && !tut_python_is_op(&p->t, k, ';');)
                k = p->t.items[k].mate > k && p->t.items[k].mate < end ? p->t.items[k].mate : k + 1;
            TUT_TRY(take_line(p, from, k));
        }
        i = end;
    }
    return TUT_SUCCESS;
}

/* --- what only means something together --- */
static void conclude(tut_python *p)
{
    const tut_python_traits *t = &p->traits;
    if (t->connects && t->starts_shell && t->duplicates + t->spawns_terminal >= 2)
        tut_exam_observe(p->x, "code.reverse-shell", t->connects_at,
                         "connects, puts the connection in place of the standard streams, and "
                         "starts a program");
    if (t->reads_credentials && t->sends)
        tut_exam_observe(p->x, "code.sends-secrets", t->credentials_at,
                         "names a place where credentials are kept, and sends data out");
}

static tut_status examine(tut_python *p, tut_str text)
{
    tut_status read = tut_python_lex(text, &p->t, p->err);
    if (!tut_is_ok(read) && read.code != TUT_LIMIT)
        return read;
    check_encoding(p);
    tut_status taken = take_lines(p);
    conclude(p);
    return tut_is_ok(taken) ? read : taken;
}

/* Lines that the notebook takes for itself; only their length stays. */
static void blank_magic(char *text, size_t len)
{
    bool is_start = true, is_magic = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            is_start = true;
            is_magic = false;
            continue;
        }
        if (is_start && (text[i] == '!' || text[i] == '%'))
            is_magic = true;
        if (text[i] != ' ' && text[i] != '\t')
            is_start = false;
        if (is_magic)
            text[i] = ' ';
    }
}

tut_status tut_python_examine(tut_exam *x, tut_str text, bool is_notebook, tut_error *err)
{
    tut_python p = {.x = x, .is_notebook = is_notebook, .err = err};
    TUT_AUTO_FREE char *copy = NULL;
    if (is_notebook && text.len > 0) {
        copy = tut_strndup(text.data, text.len);
        if (!copy)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        blank_magic(copy, text.len);
        text.data = copy;
    }
    tut_arena_init(&p.arena, 0);
    tut_status status = examine(&p, text);
    tut_python_tokens_done(&p.t);
    tut_map_done(&p.map);
    tut_free(p.aliases);
    tut_arena_done(&p.arena);
    return status;
}
