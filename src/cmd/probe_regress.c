#include "cmd/probe_regress.h"

#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/digest.h"

static bool is_most(const tut_probe_run *r, const struct tut_probe_done *d)
{
    return d->bound ? d->bound->is_most : r->kind != TUT_PROBE_EVALUATION;
}

static void judge_one(const tut_json_value *root, const tut_probe_run *r, size_t i,
                      tut_probe_gate *g)
{
    const struct tut_probe_done *d = &r->attacks[i];
    const tut_attack_result *used = &d->ways[r->is_guarded];
    const char *probe = tut_probe_about_of(r->kind)->name;
    char hex[TUT_SHA256_HEX];
    tut_regress_side before = {.value = 0}, after = {.value = 0};
    tut_error why = {0};
    tut_regress *item = &g->items[i];
    if (!used->metric) {
        tut_str_copy(item->why, sizeof(item->why), TUT_LIT("not measured this time"));
        return;
    }
    if (!tut_is_ok(tut_regress_read(root, probe, d->attack->name, &before, &why))) {
        tut_str_copy(item->why, sizeof(item->why), tut_str_of(why.text));
        return;
    }
    tut_regress_of(used, hex, &after);
    tut_regress_judge(&before, &after, is_most(r, d), item);
    g->became_worse |= item->verdict == TUT_REGRESS_WORSE;
}

tut_status tut_probe_gate_take(const char *path, const tut_probe_run *r, tut_probe_gate *ret,
                               tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    *ret = (tut_probe_gate){.path = path};
    if (!path)
        return TUT_SUCCESS;
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_JSON_BYTES, &text, err));
    tut_status status = tut_json_parse(tut_buf_span(&text), NULL, &doc, err);
    if (tut_is_ok(status) &&
        !tut_str_eq_z(tut_json_get_text(tut_json_root(doc), "schema"), "tutela.probe/1"))
        status = tut_fail(err, TUT_MALFORMED, "is no result of tutela probe --format json");
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, path);
        return status;
    }
    for (size_t i = 0; i < r->count; i++)
        judge_one(tut_json_root(doc), r, i, ret);
    return TUT_SUCCESS;
}

void tut_probe_gate_view(const tut_args *args, const tut_probe_gate *g, const tut_probe_run *r,
                         tut_buf *out)
{
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    for (size_t i = 0; g->path && i < r->count; i++) {
        const tut_regress *item = &g->items[i];
        tut_buf_printf(out, "%s, against the baseline: ", r->attacks[i].attack->name);
        tut_term_printf(&term, out,
                        item->verdict == TUT_REGRESS_WORSE ? TUT_STYLE_BAD : TUT_STYLE_PLAIN, "%s",
                        tut_regress_name(item->verdict));
        tut_buf_add_z(out, ". ");
        tut_term_wrap(&term, out, 2, tut_str_of(item->why));
    }
}

void tut_probe_gate_json(const tut_probe_gate *g, const tut_probe_run *r, tut_json *j)
{
    tut_json_key(j, "regression");
    tut_json_array(j);
    for (size_t i = 0; i < r->count; i++) {
        const tut_regress *item = &g->items[i];
        bool is_known = item->verdict != TUT_REGRESS_UNKNOWN;
        tut_json_object(j);
        tut_json_put_z(j, "name", r->attacks[i].attack->name);
        tut_json_put_z(j, "verdict", tut_regress_name(item->verdict));
        tut_json_put_z(j, "why", item->why);
        if (is_known) {
            tut_json_put_real(j, "before", item->before);
            tut_json_put_real(j, "after", item->after);
            tut_json_put_real(j, "p", item->p);
            tut_json_key(j, "interval");
            tut_json_array(j);
            tut_json_real(j, item->low);
            tut_json_real(j, item->high);
            tut_json_end_array(j);
        }
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}
