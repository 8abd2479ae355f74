/* Where a configuration makes its loader run code: Hydra's targets, model code fetched from
 * elsewhere. Tags of YAML: conf_tag.c. */
#include <string.h>

#include "formats/conf.h"
#include "formats/text.h"

void tut_conf_refer_target(tut_conf *c, tut_str name, tut_str shown)
{
    const tut_reference reference = {.act = TUT_REFERENCE_TARGET,
                                     .name = name,
                                     .shown = shown,
                                     .offset = c->offset,
                                     .is_on_load = true};
    if (c->x->ops->reference)
        c->x->ops->reference(c->x->ctx, &reference);
}

/* One that is put together from others is judged when all of them were seen. */
static void note_target(tut_conf *c, tut_str name)
{
    c->has_target = true;
    if (tut_conf_set_add(&c->targets, name) && !tut_conf_is_joined(name))
        tut_conf_refer_target(c, name, name);
}

static void note_remote(tut_conf *c, tut_str key, tut_str text)
{
    if (c->has_remote_code)
        return;
    c->has_remote_code = true;
    tut_exam_observe(c->x, "data.remote-code", c->offset, "%.*s: %.*s",
                     (int)(key.len < 100 ? key.len : 100), key.data,
                     (int)(text.len < 300 ? text.len : 300), text.data);
}

static bool is_inside(const tut_conf *c, const char *key, size_t up)
{
    for (size_t i = 1; i <= up && i < c->depth; i++) {
        if (tut_str_eq_z(tut_conf_key_at(c, c->depth - i), key))
            return true;
    }
    return false;
}

bool tut_conf_note_code(tut_conf *c, tut_str key, tut_str text, bool is_text)
{
    if (tut_str_eq_z(key, "trust_remote_code") && tut_str_ieq(tut_str_trim(text), TUT_LIT("true")))
        note_remote(c, key, text);
    if (!is_text || text.len == 0)
        return false;
    /* {"auto_map": {"AutoModel": "modeling.Model", "AutoTokenizer": ["tokenization.T", null]}},
     * {"custom_pipelines": {"name": {"impl": "module.Class"}}} */
    bool is_target = tut_str_eq_z(key, "_target_");
    bool is_mapped = is_inside(c, "auto_map", 2);
    bool is_pipeline = tut_str_eq_z(key, "impl") && is_inside(c, "custom_pipelines", 2);
    if (is_target)
        note_target(c, text);
    if (is_mapped)
        note_remote(c, TUT_LIT("auto_map"), text);
    if (is_pipeline)
        note_remote(c, TUT_LIT("custom_pipelines"), text);
    return is_target || is_mapped || is_pipeline;
}

/* --- what stays to be done when the text cannot be read to its end --- */
typedef struct needle {
    const char *text;
    const char *rule;
} needle;

static const needle needles[] = {
    {"!!python/object", "data.yaml-python-tag"},
    {"!!python/name", "data.yaml-python-tag"},
    {"!!python/module", "data.yaml-python-tag"},
    {"tag:yaml.org,2002:python/", "data.yaml-python-tag"},
    {"!ruby/object", "data.yaml-object"},
    {"!!javax.script.", "data.yaml-object"},
    {"\"_target_\"", "data.hydra-target"},
    {"\"auto_map\"", "data.remote-code"},
};

typedef struct search {
    tut_conf *c;
    bool found[sizeof(needles) / sizeof(needles[0])];
} search;

static bool search_line(void *ctx, tut_str line, bool is_cut)
{
    search *s = ctx;
    (void)is_cut;
    for (size_t i = 0; i < sizeof(needles) / sizeof(needles[0]); i++) {
        size_t at;
        s->found[i] = s->found[i] || tut_str_find(line, tut_str_of(needles[i].text), &at);
    }
    return true;
}

static bool was_seen(const tut_conf *c, const needle *n)
{
    if (strcmp(n->rule, "data.remote-code") == 0)
        return c->has_remote_code;
    return strcmp(n->rule, "data.hydra-target") == 0 ? c->has_target : c->has_tag;
}

tut_status tut_conf_search(tut_conf *c)
{
    search s = {.c = c};
    tut_status back = tut_stream_seek(c->x->stream, 0);
    if (!tut_is_ok(back) && back.code != TUT_UNSUPPORTED)
        return back;
    TUT_TRY(tut_text_each_line(c->x, search_line, &s, c->err));
    const char *last = "";
    for (size_t i = 0; i < sizeof(needles) / sizeof(needles[0]); i++) {
        if (!s.found[i] || was_seen(c, &needles[i]) || strcmp(last, needles[i].rule) == 0)
            continue;
        last = needles[i].rule;
        tut_exam_observe(c->x, last, TUT_NO_OFFSET,
                         "%s stands in the text, which breaks a rule of its format",
                         needles[i].text);
    }
    return TUT_SUCCESS;
}
