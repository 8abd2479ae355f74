#include "formats/conf.h"

#include <string.h>

#include "base/alloc.h"
#include "formats/encoded.h"
#include "formats/template.h"
#include "formats/text.h"

tut_conf *tut_conf_new(tut_exam *x, tut_conf_role role, tut_error *err)
{
    tut_conf *c = tut_alloc_array(1, sizeof(*c));
    if (!c)
        return NULL;
    c->x = x;
    c->err = err;
    c->role = role;
    c->offset = TUT_NO_OFFSET;
    return c;
}

void tut_conf_free(tut_conf *c)
{
    if (!c)
        return;
    tut_buf_done(&c->files.texts);
    tut_buf_done(&c->shards.texts);
    tut_buf_done(&c->targets.texts);
    tut_buf_done(&c->words.texts);
    tut_buf_done(&c->operation_names);
    tut_buf_done(&c->code);
    tut_buf_done(&c->cell_marks);
    tut_free(c);
}

/* --- sets of names --- */
static uint64_t hash_of(tut_str s)
{
    uint64_t hash = 14695981039346656037ull; /* FNV-1a */
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (uint8_t)s.data[i]) * 1099511628211ull;
    return hash;
}

bool tut_conf_set_next(const tut_conf_set *set, size_t *at, tut_str *ret_text)
{
    uint32_t len;
    if (*at + sizeof(len) > set->texts.len)
        return false;
    memcpy(&len, set->texts.data + *at, sizeof(len));
    *ret_text = (tut_str){(const char *)set->texts.data + *at + sizeof(len), len};
    *at += sizeof(len) + len;
    return true;
}

bool tut_conf_set_add(tut_conf_set *set, tut_str text)
{
    uint64_t hash = hash_of(text);
    for (size_t i = set->count; i-- > 0;) {
        if (set->hashes[i] == hash)
            return false;
    }
    if (set->count == TUT_CONF_SET || text.len > TUT_LIMIT_FACT_BYTES)
        return true;
    uint32_t len = (uint32_t)text.len;
    size_t before = set->texts.len;
    tut_buf_add(&set->texts, &len, sizeof(len));
    tut_buf_add_str(&set->texts, text);
    if (tut_is_ok(tut_buf_check(&set->texts, NULL)))
        set->hashes[set->count++] = hash;
    else
        set->texts.len = before; /* no length without its text */
    return true;
}

/* --- the place --- */
tut_str tut_conf_key_at(const tut_conf *c, size_t level)
{
    if (level >= c->depth)
        return (tut_str){"", 0};
    return (tut_str){c->levels[level].key, c->levels[level].key_len};
}

tut_status tut_conf_open(tut_conf *c, tut_str key, bool is_map)
{
    TUT_TRY(tut_budget_steps(c->x->budget, 1, c->err));
    if (c->depth == TUT_CONF_DEPTH)
        return tut_fail(c->err, TUT_LIMIT, "nested deeper than %d", TUT_CONF_DEPTH);
    tut_conf_note_package(c, key, (tut_str){"", 0}, true);
    if (c->depth > 0)
        c->levels[c->depth - 1].items++;
    tut_conf_level *level = &c->levels[c->depth++];
    level->items = 0;
    level->is_map = is_map;
    level->is_tool_list = false;
    level->is_named = false;
    level->key_len = key.len < TUT_CONF_KEY ? key.len : TUT_CONF_KEY;
    if (level->key_len)
        memcpy(level->key, key.data, level->key_len);
    tut_conf_open_tools(c, key);
    if (c->role == TUT_CONF_NOTEBOOK)
        tut_conf_open_cell(c);
    return TUT_SUCCESS;
}

void tut_conf_close(tut_conf *c)
{
    tut_conf_close_package(c);
    if (c->role == TUT_CONF_CARD)
        tut_conf_close_card(c);
    if (c->role == TUT_CONF_NOTEBOOK)
        tut_conf_close_cell(c);
    if (c->depth > 0)
        c->depth--;
}

/* Of tokenizers, and of programs that keep templates of their own (text-generation-webui). */
static bool is_template_key(tut_str key)
{
    static const char *const keys[] = {"chat_template",       "instruction_template",
                                       "chat_template_str",   "instruction_template_str",
                                       "chat_template_jinja", "custom_chat_template"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_str_eq_z(key, keys[i]))
            return true;
    return false;
}

/* A chat template stands in tokenizer_config.json as text, as a list of named ones, or
 * under their names. */
static tut_status note_template(tut_conf *c, tut_str key, tut_str text)
{
    bool is_single = is_template_key(key);
    bool is_listed = tut_str_eq_z(key, "template") && c->depth >= 2 &&
                     tut_str_eq_z(tut_conf_key_at(c, c->depth - 2), "chat_template");
    bool is_mapped = c->depth >= 2 &&
                     tut_str_eq_z(tut_conf_key_at(c, c->depth - 1), "chat_template");
    if ((!is_single && !is_listed && !is_mapped) || text.len == 0)
        return TUT_SUCCESS;
    if (!c->has_template)
        tut_text_fact(c->x, "chat_template", TUT_LIT("yes"));
    c->has_template = true;
    if (text.len > TUT_LIMIT_TEMPLATE_BYTES)
        text.len = TUT_LIMIT_TEMPLATE_BYTES;
    return tut_template_check(c->x, text, c->offset == TUT_NO_OFFSET ? 0 : c->offset, c->err);
}

static void note_architecture(tut_conf *c, tut_str key, tut_str text)
{
    bool is_listed = c->depth == 2 && tut_str_eq_z(tut_conf_key_at(c, 1), "architectures");
    if (is_listed && !c->has_architecture) {
        tut_text_fact(c->x, "architecture", text);
        c->has_architecture = true;
    }
    if (c->depth == 1 && tut_str_eq_z(key, "model_type"))
        tut_str_copy(c->model_type, sizeof(c->model_type), text);
}

/* license: mit, or a list of them; other names of the same thing come behind. */
static void note_licence(tut_conf *c, tut_str key, tut_str text)
{
    bool in_list = c->depth == 2 && !c->levels[1].is_map;
    tut_str what = in_list ? tut_conf_key_at(c, 1) : key;
    if (c->depth > 2 || (c->depth == 2 && !in_list) || text.len == 0)
        return;
    if (!c->has_licence && (tut_str_eq_z(what, "license") || tut_str_eq_z(what, "licence"))) {
        tut_text_fact(c->x, "licence", text);
        c->has_licence = true;
    }
    if (tut_str_eq_z(what, "library_name"))
        tut_text_fact(c->x, "card.library", text);
    if (tut_str_eq_z(what, "pipeline_tag"))
        tut_text_fact(c->x, "card.task", text);
}

tut_status tut_conf_scalar(tut_conf *c, tut_str key, tut_str text, bool is_text)
{
    TUT_TRY(tut_budget_steps(c->x->budget, 1, c->err));
    if (c->role == TUT_CONF_NOTEBOOK) {
        tut_conf_note_cell(c, key, text);
        return TUT_SUCCESS;
    }
    tut_conf_note_package(c, key, text, false);
    if (c->role >= TUT_CONF_PIPFILE)
        return TUT_SUCCESS;
    if (is_text && c->role == TUT_CONF_PLAIN) {
        tut_conf_note_class(c, key, text);
        tut_conf_note_word(c, key, text);
    }
    if (c->depth > 0)
        c->levels[c->depth - 1].items++;
    if (tut_conf_note_code(c, key, text, is_text))
        return TUT_SUCCESS;
    if (c->role == TUT_CONF_CARD)
        tut_conf_note_card(c, key, text); /* results are numbers */
    if (!is_text)
        return TUT_SUCCESS;
    if (c->role == TUT_CONF_PLAIN)
        TUT_TRY(tut_encoded_look(c->x, text, c->offset == TUT_NO_OFFSET ? 0 : c->offset, false,
                                 c->err));
    if (c->depth >= 2 && tut_str_eq_z(tut_conf_key_at(c, 1), "weight_map")) {
        tut_conf_note_shard(c, text);
        return TUT_SUCCESS;
    }
    if (c->role == TUT_CONF_CARD) {
        note_licence(c, key, text);
        tut_conf_note_reference(c, key, text);
        return TUT_SUCCESS;
    }
    note_architecture(c, key, text);
    tut_conf_note_tools(c, key, text);
    tut_conf_note_reference(c, key, text);
    if (c->role == TUT_CONF_PLAIN)
        tut_conf_note_file(c, text);
    return note_template(c, key, text);
}

static void give_set(tut_conf *c, const tut_conf_set *set, const char *fact)
{
    tut_str text;
    for (size_t at = 0; tut_conf_set_next(set, &at, &text);)
        tut_text_fact(c->x, fact, text);
}

void tut_conf_finish(tut_conf *c)
{
    if (!c->has_architecture && c->model_type[0])
        tut_text_fact(c->x, "architecture", tut_str_of(c->model_type));
    tut_conf_finish_packages(c);
    tut_conf_finish_targets(c);
    if (c->shards.count)
        tut_text_count(c->x, "shards", c->shards.count);
    tut_conf_finish_tools(c);
    give_set(c, &c->shards, "refers.shard");
    give_set(c, &c->files, "refers.file");
}
