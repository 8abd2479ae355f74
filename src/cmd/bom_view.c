#include "cmd/bom_view.h"

#include "base/json_write.h"
#include "bom/g7.h"

typedef struct tally {
    size_t known, partly, unknown;
} tally;

static bool is_whole(const tut_g7_state *s)
{
    return s->of > 0 && s->known == s->of;
}

static tally count(const tut_bom *bom)
{
    tally t = {0};
    for (size_t i = 0; i < TUT_G7_COUNT; i++) {
        tut_g7_state s = tut_g7_judge(bom, &tut_g7_elements[i]);
        t.known += is_whole(&s);
        t.partly += !is_whole(&s) && s.known > 0;
        t.unknown += s.known == 0;
    }
    return t;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void add_state(const tut_bom_view *v, tut_buf *out)
{
    size_t unsound = 0;
    for (size_t i = 0; i < v->bom->asset_count; i++)
        unsound += !tut_str_eq_z(v->bom->assets[i].state, "declared");
    if (v->bom->asset_count == 0)
        tut_buf_add_z(out, "No asset was recognised, so it lists nothing.\n");
    else if (v->bom->system && unsound)
        tut_buf_printf(out, "%zu asset%s undeclared, missing or changed: see tutela inventory %s\n",
                       unsound, unsound == 1 ? " is" : "s are", v->place);
    if (v->bom->conformity && v->bom->changed)
        tut_buf_printf(out,
                       "Of %zu asset%s no evidence is about these bytes, and the bill says so; "
                       "tutela assess %s brings it up to date.\n",
                       v->bom->changed, plural(v->bom->changed), v->place);
}

tut_status tut_bom_summary(const tut_bom_view *v, tut_buf *out, tut_error *err)
{
    tally t = count(v->bom);
    if (v->output) {
        tut_buf_add_z(out, "Wrote ");
        tut_buf_add_escaped(out, tut_str_of(v->output), 400);
        tut_buf_add_z(out, ": ");
    }
    tut_buf_printf(out, "%s, %zu asset%s, %zu package%s; ", tut_bom_spec_name(v->spec),
                   v->bom->asset_count, plural(v->bom->asset_count), v->bom->package_count,
                   plural(v->bom->package_count));
    if (v->signer)
        tut_buf_printf(out, "signed by %s; ", v->signer);
    if (v->is_logged)
        tut_buf_printf(out, "its digest is record %llu.\n", (unsigned long long)v->index);
    else
        tut_buf_add_z(out, v->bom->system ? "nothing was recorded.\n"
                                          : "no tutela.yaml describes the system, so nothing was "
                                            "recorded.\n");
    tut_buf_printf(out,
                   "G7 minimum elements: %zu known, %zu in part, %zu not known; tutela bom --g7 %s "
                   "lists them.\n",
                   t.known, t.partly, t.unknown, v->place);
    add_state(v, out);
    return tut_buf_check(out, err);
}

static void put_tally(const tut_bom *bom, tut_json *j)
{
    tally t = count(bom);
    tut_json_key(j, "g7");
    tut_json_object(j);
    tut_json_put_u64(j, "known", t.known);
    tut_json_put_u64(j, "partly", t.partly);
    tut_json_put_u64(j, "not_known", t.unknown);
    tut_json_end_object(j);
}

tut_status tut_bom_summary_json(const tut_bom_view *v, const tut_buf *document, tut_buf *out,
                                tut_error *err)
{
    char uuid[TUT_UUID_TEXT];
    tut_sha256 digest;
    TUT_AUTO(tut_json) j = NULL;
    tut_uuid_text(&v->bom->serial, uuid);
    TUT_TRY(tut_sha256_of(tut_buf_span(document), &digest, err));
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.bom/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "spec", tut_bom_spec_name(v->spec));
    tut_json_put_z(j, "output", v->output);
    tut_json_key(j, "digest");
    tut_json_sha256(j, digest.bytes);
    tut_json_put_z(j, "serial", uuid);
    tut_json_put_u64(j, "assets", v->bom->asset_count);
    tut_json_put_u64(j, "packages", v->bom->package_count);
    tut_json_put_u64(j, "changed", v->bom->changed);
    tut_json_put_bool(j, "complete", v->bom->is_complete);
    tut_json_put_z(j, "signer", v->signer);
    tut_json_key(j, "record");
    if (v->is_logged)
        tut_json_u64(j, v->index);
    else
        tut_json_null(j);
    put_tally(v->bom, j);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* --- the G7 list --- */

static const char *word_of(const tut_g7_state *s)
{
    return is_whole(s) ? "known" : s->known ? "partly" : "not known";
}

static tut_style style_of(const tut_g7_state *s)
{
    return is_whole(s) ? TUT_STYLE_PLAIN : s->known ? TUT_STYLE_WARN : TUT_STYLE_DIM;
}

tut_status tut_bom_g7_table(const tut_bom *bom, tut_bom_spec spec, const tut_term *term,
                            tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_table) table = NULL;
    TUT_TRY(tut_table_new(4, &table));
    tut_table_column(table, 0, "Element", TUT_LEFT, false);
    tut_table_column(table, 1, "What", TUT_LEFT, false);
    tut_table_column(table, 2, "Known", TUT_LEFT, false);
    tut_table_column(table, 3, "Where", TUT_LEFT, true);
    for (size_t i = 0; i < TUT_G7_COUNT; i++) {
        const tut_g7_element *e = &tut_g7_elements[i];
        tut_g7_state s = tut_g7_judge(bom, e);
        TUT_CLEAN(tut_buf) known = TUT_BUF_INIT;
        tut_buf_add_z(&known, word_of(&s));
        if (s.of > 1)
            tut_buf_printf(&known, " (%zu of %zu)", s.known, s.of);
        tut_table_cell_z(table, TUT_STYLE_PLAIN, e->id);
        tut_table_cell_z(table, TUT_STYLE_PLAIN, e->name);
        tut_table_cell(table, style_of(&s), tut_buf_str(&known));
        tut_table_cell_z(table, TUT_STYLE_DIM,
                         s.known == 0               ? ""
                         : spec == TUT_BOM_SPDX_301 ? e->spdx
                                                    : e->cyclonedx);
    }
    TUT_TRY(tut_table_print(table, term, 0, out));
    tally t = count(bom);
    tut_buf_printf(out, "\nOf 50 elements %zu are known, %zu in part, %zu not known.\n", t.known,
                   t.partly, t.unknown);
    return tut_buf_check(out, err);
}

tut_status tut_bom_g7_json(const tut_bom *bom, tut_bom_spec spec, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.bom/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "spec", tut_bom_spec_name(spec));
    put_tally(bom, j);
    tut_json_end_object(j);
    tut_json_key(j, "elements");
    tut_json_array(j);
    for (size_t i = 0; i < TUT_G7_COUNT; i++) {
        const tut_g7_element *e = &tut_g7_elements[i];
        tut_g7_state s = tut_g7_judge(bom, e);
        tut_json_object(j);
        tut_json_put_z(j, "id", e->id);
        tut_json_put_z(j, "cluster", e->cluster);
        tut_json_put_z(j, "name", e->name);
        tut_json_put_z(j, "state", is_whole(&s) ? "known" : s.known ? "partly" : "not_known");
        tut_json_put_u64(j, "known", s.known);
        tut_json_put_u64(j, "of", s.of);
        tut_json_put_or_null(j, "where",
                             tut_str_of(s.known == 0               ? ""
                                        : spec == TUT_BOM_SPDX_301 ? e->spdx
                                                                   : e->cyclonedx));
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}
