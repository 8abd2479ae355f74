/* From the plain list to compiled rules. */
#include "text/user.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/reader.h"

enum { RULES_MAX = 4096, LIST_MAX = 8192, REGEX_MAX = 16384, REACH_MAX = 4096 };

static tut_status add_problem(tut_text_user *u, const char *id, const char *why)
{
    TUT_TRY(tut_grow(&u->problems, u->problem_count, &u->problem_capacity, sizeof(*u->problems)));
    char *line = tut_asprintf("%s: %s", id, why);
    if (!line)
        return (tut_status){TUT_NOMEM};
    u->problems[u->problem_count++] = line;
    return TUT_SUCCESS;
}

/* Go's expressions (RE2) are nearly a part of Perl's: "$" is the end of the text only. */
static pcre2_code *compile(tut_str regex, char *why, size_t why_size)
{
    int code = 0;
    PCRE2_SIZE at;
    size_t place;
    uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    bool has_unicode = tut_str_find(regex, TUT_LIT("\\p"), &place) ||
                       tut_str_find(regex, TUT_LIT("\\x{"), &place);
    for (size_t i = 0; i < regex.len; i++)
        has_unicode = has_unicode || (uint8_t)regex.data[i] >= 0x80;
    if (has_unicode)
        options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    pcre2_code *made = regex.len <= REGEX_MAX ? pcre2_compile((PCRE2_SPTR)regex.data, regex.len,
                                                              options, &code, &at, NULL)
                                              : NULL;
    if (made || why_size == 0)
        return made;
    if (regex.len > REGEX_MAX)
        tut_str_copy(why, why_size, TUT_LIT("the expression is too long"));
    else
        (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)why, why_size);
    return NULL;
}

/* --- the list --- */
static tut_status read_texts(tut_reader *r, tut_user_list *list)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > LIST_MAX || count > tut_reader_left(r))
        return (tut_status){TUT_LIMIT};
    list->texts = tut_alloc_array(count + 1, sizeof(*list->texts));
    if (!list->texts)
        return (tut_status){TUT_NOMEM};
    for (uint32_t i = 0; i < count; i++) {
        TUT_TRY(tut_reader_sized(r, &list->texts[i]));
        list->count++;
    }
    return TUT_SUCCESS;
}

/* Of a list of expressions those that can be used stay. */
static tut_status compile_list(tut_text_user *u, tut_user_list *list, const char *id)
{
    char why[160] = "";
    size_t kept = 0;
    list->codes = tut_alloc_array(list->count + 1, sizeof(*list->codes));
    if (!list->codes)
        return (tut_status){TUT_NOMEM};
    for (size_t i = 0; i < list->count; i++) {
        pcre2_code *code = compile(list->texts[i], why, sizeof(why));
        if (code)
            list->codes[kept++] = code;
        else
            TUT_TRY(add_problem(u, id, why));
    }
    list->count = kept;
    return TUT_SUCCESS;
}

static tut_status read_allows(tut_text_user *u, tut_reader *r, const char *id,
                              tut_user_allows *allows)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > LIST_MAX || count > tut_reader_left(r))
        return (tut_status){TUT_LIMIT};
    allows->items = tut_alloc_array(count + 1, sizeof(*allows->items));
    if (!allows->items)
        return (tut_status){TUT_NOMEM};
    for (; allows->count < count; allows->count++) {
        tut_user_allow *a = &allows->items[allows->count];
        uint8_t needs_all;
        TUT_TRY(tut_reader_u8(r, &needs_all));
        TUT_TRY(tut_reader_u8(r, &a->target));
        a->needs_all = needs_all;
        TUT_TRY(read_texts(r, &a->regexes));
        TUT_TRY(compile_list(u, &a->regexes, id));
        TUT_TRY(read_texts(r, &a->paths));
        TUT_TRY(compile_list(u, &a->paths, id));
        TUT_TRY(read_texts(r, &a->stopwords));
        TUT_TRY(read_texts(r, &a->targets));
    }
    return TUT_SUCCESS;
}

static tut_status escaped(tut_str text, size_t most, char **ret)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_escaped(&b, text, most);
    *ret = tut_buf_steal(&b);
    return (tut_status){*ret ? TUT_OK : TUT_NOMEM};
}

static tut_status compile_rule(tut_text_user *u, tut_user_rule *rule, tut_str path)
{
    char why[160] = "there is neither a regex nor a path";
    if (rule->regex.len > 0)
        rule->code = compile(rule->regex, why, sizeof(why));
    if (path.len > 0)
        rule->path = compile(path, why, sizeof(why));
    rule->is_off = (rule->regex.len > 0 && !rule->code) || (path.len > 0 && !rule->path) ||
                   (!rule->code && !rule->path);
    return rule->is_off ? add_problem(u, rule->id, why) : TUT_SUCCESS;
}

static tut_status read_rule(tut_text_user *u, tut_reader *r, tut_user_rule *rule)
{
    tut_str id, description, path;
    uint32_t entropy;
    TUT_TRY(tut_reader_sized(r, &id));
    TUT_TRY(tut_reader_sized(r, &description));
    TUT_TRY(tut_reader_sized(r, &rule->regex));
    TUT_TRY(tut_reader_sized(r, &path));
    TUT_TRY(tut_reader_u32le(r, &rule->group));
    TUT_TRY(tut_reader_u32le(r, &entropy));
    rule->entropy = entropy / 1000.0;
    TUT_TRY(escaped(id.len > 0 ? id : TUT_LIT("(no id)"), TUT_TEXT_ID, &rule->id));
    TUT_TRY(escaped(id.len > 0 ? id : description, TUT_TEXT_LABEL, &rule->label));
    TUT_TRY(read_texts(r, &rule->keywords));
    TUT_TRY(read_allows(u, r, rule->id, &rule->allows));
    return compile_rule(u, rule, path);
}

static tut_status read_list(tut_text_user *u, tut_reader *r)
{
    uint32_t count;
    tut_user_list disabled = {0};
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > RULES_MAX || count > tut_reader_left(r))
        return (tut_status){TUT_LIMIT};
    u->rules = tut_alloc_array(count + 1, sizeof(*u->rules));
    if (!u->rules)
        return (tut_status){TUT_NOMEM};
    for (; u->count < count; u->count++) {
        tut_status status = read_rule(u, r, &u->rules[u->count]);
        if (!tut_is_ok(status)) {
            u->count++; /* what it has is freed with the rest */
            return status;
        }
    }
    TUT_TRY(read_allows(u, r, "allowlist", &u->allows));
    tut_status status = read_texts(r, &disabled);
    for (size_t i = 0; i < disabled.count; i++) {
        for (size_t k = 0; k < u->count; k++) {
            if (tut_str_eq_z(disabled.texts[i], u->rules[k].id))
                u->rules[k].is_off = true;
        }
    }
    tut_free(disabled.texts);
    return status;
}

/* --- Vectorscan --- */
typedef struct wanted {
    const char **expressions;
    unsigned *flags, *ids;
    char **texts;
    unsigned count;
} wanted;

static void wanted_done(wanted *w)
{
    for (unsigned i = 0; i < w->count && w->texts; i++)
        tut_free(w->texts[i]);
    tut_free(w->expressions);
    tut_free(w->flags);
    tut_free(w->ids);
    tut_free(w->texts);
}

/* Not every construct is known to Vectorscan; as a filter it takes what is close. */
enum { FLAGS = HS_FLAG_PREFILTER | HS_FLAG_ALLOWEMPTY };

static uint32_t reach_of(const tut_hs *hs, const char *expression, unsigned flags)
{
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *error = NULL;
    uint32_t reach = REACH_MAX;
    if (hs->info(expression, flags, &info, &error) != HS_SUCCESS) {
        (void)hs->free_error(error);
        return 0; /* cannot be looked for */
    }
    if (info->max_width < REACH_MAX)
        reach = info->max_width + 1;
    free(info);
    return reach;
}

static tut_status collect(tut_text_user *u, wanted *w)
{
    size_t room = u->count + 1;
    w->expressions = tut_alloc_array(room, sizeof(*w->expressions));
    w->flags = tut_alloc_array(room, sizeof(*w->flags));
    w->ids = tut_alloc_array(room, sizeof(*w->ids));
    w->texts = tut_alloc_array(room, sizeof(*w->texts));
    if (!w->expressions || !w->flags || !w->ids || !w->texts)
        return (tut_status){TUT_NOMEM};
    for (size_t i = 0; i < u->count; i++) {
        tut_user_rule *rule = &u->rules[i];
        if (rule->is_off || !rule->code)
            continue;
        char *text = tut_strndup(rule->regex.data, rule->regex.len);
        if (!text)
            return (tut_status){TUT_NOMEM};
        rule->reach = reach_of(u->hs, text, FLAGS);
        if (rule->reach == 0) {
            rule->is_off = true;
            tut_free(text);
            TUT_TRY(add_problem(u, rule->id, "Vectorscan cannot compile its regex"));
            continue;
        }
        w->texts[w->count] = text;
        w->expressions[w->count] = text;
        w->flags[w->count] = FLAGS;
        w->ids[w->count++] = (unsigned)i;
    }
    return TUT_SUCCESS;
}

/* One expression that does not compile with the rest is left out, and said. */
static tut_status compile_all(tut_text_user *u, wanted *w, tut_error *err)
{
    while (w->count > 0) {
        hs_compile_error_t *error = NULL;
        hs_error_t rc = u->hs->compile(w->expressions, w->flags, w->ids, NULL, w->count,
                                       HS_MODE_BLOCK, NULL, &u->database, &error);
        if (rc == HS_SUCCESS)
            return TUT_SUCCESS;
        int bad = error ? error->expression : -1;
        (void)u->hs->free_error(error);
        if (bad < 0 || (unsigned)bad >= w->count)
            return tut_fail(err, TUT_LIMIT, "Vectorscan cannot compile these rules together");
        tut_user_rule *rule = &u->rules[w->ids[bad]];
        rule->is_off = true;
        TUT_TRY(add_problem(u, rule->id, "Vectorscan cannot compile its regex"));
        tut_free(w->texts[bad]);
        w->count--;
        for (unsigned i = (unsigned)bad; i < w->count; i++) {
            w->texts[i] = w->texts[i + 1];
            w->expressions[i] = w->expressions[i + 1];
            w->ids[i] = w->ids[i + 1];
        }
    }
    return TUT_SUCCESS;
}

static tut_status make_database(tut_text_user *u, tut_span compiled, tut_error *err)
{
    wanted w = {0};
    tut_status status = collect(u, &w);
    bool is_loaded = tut_is_ok(status) && compiled.len > 0 &&
                     u->hs->deserialize((const char *)compiled.data, compiled.len, &u->database) ==
                         HS_SUCCESS;
    if (tut_is_ok(status) && !is_loaded)
        status = compile_all(u, &w, err);
    wanted_done(&w);
    return status;
}

tut_status tut_text_user_new(tut_span list, tut_span compiled, tut_text_user **ret_user,
                             tut_error *err)
{
    TUT_AUTO(tut_text_user) u = tut_alloc_array(1, sizeof(*u));
    if (!u)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    u->hs = tut_hs_load();
    if (!u->hs)
        return tut_fail(err, TUT_UNSUPPORTED, "libhs.so.5 is not there: install libvectorscan5");
    tut_buf_add(&u->list, list.data, list.len);
    TUT_TRY(tut_buf_check(&u->list, err));
    tut_reader r = tut_reader_of(tut_buf_span(&u->list));
    tut_status status = read_list(u, &r);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "the list of rules: %s", tut_code_sentence(status.code));
    TUT_TRY(make_database(u, compiled, err));
    *ret_user = tut_move(&u);
    return TUT_SUCCESS;
}

static void list_done(tut_user_list *list)
{
    for (size_t i = 0; i < list->count && list->codes; i++)
        pcre2_code_free(list->codes[i]);
    tut_free(list->codes);
    tut_free(list->texts);
}

static void allows_done(tut_user_allows *allows, bool has_more)
{
    /* One that was begun and not finished stands behind the last. */
    for (size_t i = 0; i < allows->count + has_more && allows->items; i++) {
        list_done(&allows->items[i].regexes);
        list_done(&allows->items[i].paths);
        list_done(&allows->items[i].stopwords);
        list_done(&allows->items[i].targets);
    }
    tut_free(allows->items);
}

void tut_text_user_free(tut_text_user *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < u->count; i++) {
        tut_user_rule *rule = &u->rules[i];
        pcre2_code_free(rule->code);
        pcre2_code_free(rule->path);
        list_done(&rule->keywords);
        allows_done(&rule->allows, true);
        tut_free(rule->id);
        tut_free(rule->label);
    }
    tut_free(u->rules);
    allows_done(&u->allows, true);
    for (size_t i = 0; i < u->problem_count; i++)
        tut_free(u->problems[i]);
    tut_free(u->problems);
    if (u->database)
        (void)u->hs->free_database(u->database);
    tut_buf_done(&u->list);
    tut_free(u);
}

tut_status tut_text_user_save(const tut_text_user *u, tut_buf *out, tut_error *err)
{
    char *bytes = NULL;
    size_t len = 0;
    if (!u->database || u->hs->serialize(u->database, &bytes, &len) != HS_SUCCESS)
        return tut_fail(err, TUT_UNSUPPORTED, "there is nothing compiled to keep");
    tut_buf_add(out, bytes, len);
    free(bytes);
    return tut_buf_check(out, err);
}

size_t tut_text_user_count(const tut_text_user *u)
{
    size_t n = 0;
    for (size_t i = 0; i < u->count; i++)
        n += !u->rules[i].is_off;
    return n;
}

const char *tut_text_user_problem(const tut_text_user *u, size_t i)
{
    return i < u->problem_count ? u->problems[i] : NULL;
}

tut_span tut_text_user_list(const tut_text_user *u)
{
    return tut_buf_span(&u->list);
}
