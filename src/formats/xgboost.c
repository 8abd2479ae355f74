/*
 * Models of XGBoost as JSON and as UBJSON, and other UBJSON. XGBoost's loader takes the arrays of
 * the trees as they are; what they index is checked nowhere later.
 */
#include <inttypes.h>

#include "formats/payload.h"
#include "formats/text.h"
#include "formats/ubj_pull.h"
#include "formats/xgboost.h"

/* --- recognising --- */
static bool has_any(tut_str head, const char *const *words)
{
    size_t at = 0;
    for (; *words; words++)
        if (tut_str_find(head, tut_str_of(*words), &at))
            return true;
    return false;
}

static tut_match sniff_json(const tut_sniff *s)
{
    static const char *const beside[] = {"\"gradient_booster\"", "\"learner_model_param\"",
                                         "\"attributes\"", "\"feature_names\"", NULL};
    size_t at = 0;
    tut_str head = tut_str_trim(tut_text_head(s));
    if (head.len == 0 || head.data[0] != '{' || !tut_str_find(head, TUT_LIT("\"learner\""), &at))
        return TUT_MATCH_NONE;
    return has_any(head, beside) ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

/* "{" and a first key: an integer type, a size, letters. */
static bool starts_ubjson(tut_span head, tut_str *ret_key)
{
    size_t at = 1;
    if (head.len < 4 || head.data[0] != '{')
        return false;
    if (head.data[1] == '#' && head.len > 12) /* a count */
        at = 3 + tut_ubj_type_bytes(head.data[2]);
    unsigned n = at < head.len ? tut_ubj_type_bytes(head.data[at]) : 0;
    if (n == 0 || strchr("dDC", head.data[at]) || head.len < at + 1 + n)
        return false;
    uint64_t len = 0;
    for (unsigned i = 0; i < n; i++)
        len = len << 8 | head.data[at + 1 + i];
    at += 1 + n;
    if (len == 0 || len > 64 || len > head.len - at)
        return false;
    *ret_key = (tut_str){(const char *)head.data + at, (size_t)len};
    for (size_t i = 0; i < ret_key->len; i++)
        if (ret_key->data[i] < 0x20 || ret_key->data[i] > 0x7e)
            return false;
    return true;
}

static tut_match sniff_ubj(const tut_sniff *s)
{
    tut_str key;
    bool fits = starts_ubjson(s->head, &key) &&
                (tut_str_eq_z(key, "learner") || tut_str_eq_z(key, "version"));
    return fits ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* Other UBJSON has no mark of its own, so its name must say so. */
static tut_match sniff_ubjson(const tut_sniff *s)
{
    bool starts = s->head.len > 1 && strchr("{[", s->head.data[0]) && s->head.data[0] &&
                  !tut_sniff_text(s);
    tut_str key;
    if (!starts || !tut_sniff_ext(s, ".ubj .ubjson"))
        return TUT_MATCH_NONE;
    return starts_ubjson(s->head, &key) ? TUT_MATCH_STRONG : TUT_MATCH_WEAK;
}

/* --- reading --- */
static tut_status drive_json(tut_exam *x, tut_json_pull *p, tut_xgb_reader *r, tut_error *err)
{
    for (tut_json_token type = TUT_TOKEN_NULL; type != TUT_TOKEN_END;) {
        TUT_TRY(tut_budget_steps(x->budget, 1, err));
        TUT_TRY(tut_json_pull_next(p, &type, err));
        tut_xgb_token t = {
            .type = type, .text = tut_json_pull_text(p), .hash = p->text_hash, .offset = p->offset};
        if (type == TUT_TOKEN_NUMBER) {
            uint64_t value = 0;
            bool is_negative = t.text.len > 1 && t.text.data[0] == '-';
            tut_str digits = {t.text.data + is_negative, t.text.len - is_negative};
            t.is_integer = tut_str_u64(digits, &value) && value <= INT64_MAX;
            t.integer = is_negative ? -(int64_t)value : (int64_t)value;
        }
        TUT_TRY(tut_xgb_read(r, &t, err));
    }
    return TUT_SUCCESS;
}

static tut_status drive_ubj(tut_exam *x, tut_ubj_pull *p, tut_xgb_reader *r, tut_error *err)
{
    for (tut_json_token type = TUT_TOKEN_NULL; type != TUT_TOKEN_END;) {
        TUT_TRY(tut_budget_steps(x->budget, 1, err));
        TUT_TRY(tut_ubj_pull_next(p, &type, err));
        bool is_text = type == TUT_TOKEN_KEY || type == TUT_TOKEN_STRING;
        tut_xgb_token t = {.type = type,
                           .text = is_text ? tut_buf_str(&p->text) : (tut_str){"", 0},
                           .hash = p->text_hash,
                           .offset = p->offset,
                           .is_integer = type == TUT_TOKEN_NUMBER && p->is_integer,
                           .integer = p->integer};
        TUT_TRY(tut_xgb_read(r, &t, err));
        if (type == TUT_TOKEN_ARRAY && tut_xgb_is_idle(r))
            tut_ubj_pull_skip_array(p);
    }
    return TUT_SUCCESS;
}

static tut_status look_behind(tut_exam *x, const char *rule, tut_error *err)
{
    if (tut_stream_at_end(x->stream))
        return TUT_SUCCESS;
    uint64_t at = tut_stream_pos(x->stream);
    tut_exam_observe(x, rule, at, "bytes follow the end of the document");
    return x->source ? tut_payload_examine(x, at, x->source->size, "behind the model", err)
                     : TUT_SUCCESS;
}

static tut_status examine_json(tut_exam *x, tut_error *err)
{
    tut_xgb model;
    tut_xgb_reader reader;
    tut_json_pull pull;
    tut_xgb_init(&model, x);
    tut_xgb_reader_init(&reader, &model, "xgboost.duplicate-key");
    tut_json_pull_init(&pull, x->stream, UINT64_MAX, 0);
    pull.allows_nan = true;
    tut_status status = drive_json(x, &pull, &reader, err);
    bool is_alone = !tut_is_ok(status) || tut_json_pull_is_exhausted(&pull);
    tut_json_pull_done(&pull);
    if (tut_is_ok(status))
        tut_xgb_finish(&model);
    if (tut_is_ok(status) && !is_alone)
        status = look_behind(x, "xgboost.trailing-data", err);
    tut_xgb_reader_done(&reader);
    tut_xgb_done(&model);
    return status;
}

static tut_status examine_ubj_as(tut_exam *x, bool is_xgboost, tut_error *err)
{
    tut_xgb model;
    tut_xgb_reader reader;
    tut_ubj_pull pull;
    tut_error own = {0};
    tut_error *why = err ? err : &own;
    tut_xgb_init(&model, x);
    tut_xgb_reader_init(&reader, &model, "ubjson.duplicate-key");
    tut_ubj_pull_init(&pull, x->stream, x->size);
    tut_status status = drive_ubj(x, &pull, &reader, why);
    if (!tut_is_ok(status) && pull.rule)
        tut_exam_observe(x, pull.rule, pull.offset, "%s", why->text);
    if (tut_is_ok(status) && is_xgboost)
        tut_xgb_finish(&model);
    if (tut_is_ok(status))
        status = look_behind(x, "ubjson.trailing-data", err);
    tut_ubj_pull_done(&pull);
    tut_xgb_reader_done(&reader);
    tut_xgb_done(&model);
    return status;
}

static tut_status examine_ubj(tut_exam *x, tut_error *err)
{
    return examine_ubj_as(x, true, err);
}

static tut_status examine_ubjson(tut_exam *x, tut_error *err)
{
    return examine_ubj_as(x, false, err);
}

extern const tut_format tut_format_xgboost_json, tut_format_xgboost_ubj, tut_format_ubjson;

const tut_format tut_format_xgboost_json = {
    .name = "xgboost-json",
    .label = "XGBoost JSON",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_json,
    .examine = examine_json,
    .extensions = ".json .xgb .xgboost .model .bst",
    .reads = "every tree: children, parents, split indices, categories; counts, names, attributes",
    .rules = "xgboost data",
};
const tut_format tut_format_xgboost_ubj = {
    .name = "xgboost-ubj",
    .label = "XGBoost UBJSON",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_ubj,
    .examine = examine_ubj,
    .extensions = ".ubj .ubjson .xgb .xgboost .model .bst .bin",
    .reads = "the same as of XGBoost JSON; sizes and nesting of the UBJSON",
    .rules = "xgboost ubjson data",
};
const tut_format tut_format_ubjson = {
    .name = "ubjson",
    .label = "UBJSON",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_ubjson,
    .examine = examine_ubjson,
    .extensions = ".ubj .ubjson",
    .reads = "sizes, counts, typed arrays, nesting; program text in strings",
    .rules = "ubjson data",
};
