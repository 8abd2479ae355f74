/* The table of rules, from the rows of each family. */
#include "scan/rule.h"

#include "scan/pickle_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "crypto/digest.h"
#include "text/text.h"

#define RULE(id, severity, confidence, title, why, fix, threats, clauses, references)              \
    {id,                                                                                           \
     TUT_SEVERITY_##severity,                                                                      \
     TUT_CONFIDENCE_##confidence,                                                                  \
     title,                                                                                        \
     why,                                                                                          \
     fix,                                                                                          \
     threats,                                                                                      \
     clauses,                                                                                      \
     references},

static const tut_rule rules[] = {
#include "scan/rules_archive.def"
#include "scan/rules_caffe.def"
#include "scan/rules_catboost.def"
#include "scan/rules_code.def"
#include "scan/rules_coreml.def"
#include "scan/rules_data.def"
#include "scan/rules_dataset.def"
#include "scan/rules_executorch.def"
#include "scan/rules_file.def"
#include "scan/rules_gguf.def"
#include "scan/rules_hdf5.def"
#include "scan/rules_image.def"
#include "scan/rules_inventory.def"
#include "scan/rules_keras.def"
#include "scan/rules_lightgbm.def"
#include "scan/rules_mar.def"
#include "scan/rules_msgpack.def"
#include "scan/rules_numpy.def"
#include "scan/rules_onnx.def"
#include "scan/rules_opaque.def"
#include "scan/rules_openvino.def"
#include "scan/rules_paddle.def"
#include "scan/rules_pickle.def"
#include "scan/rules_pmml.def"
#include "scan/rules_r.def"
#include "scan/rules_safetensors.def"
#include "scan/rules_sentencepiece.def"
#include "scan/rules_skops.def"
#include "scan/rules_tar.def"
#include "scan/rules_text.def"
#include "scan/rules_tf.def"
#include "scan/rules_tflite.def"
#include "scan/rules_ubjson.def"
#include "scan/rules_user.def"
#include "scan/rules_weights.def"
#include "scan/rules_xgboost.def"
#include "scan/rules_xml.def"
#include "scan/rules_zip.def"
};
#undef RULE

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

/* The rows stand by family; lookup wants them by id. */
static const tut_rule *by_id[RULES];
static bool is_sorted;

static int compare_rules(const void *a, const void *b)
{
    const tut_rule *const *left = a;
    const tut_rule *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

static void sort_once(void)
{
    if (is_sorted)
        return;
    for (size_t i = 0; i < RULES; i++)
        by_id[i] = &rules[i];
    qsort(by_id, RULES, sizeof(by_id[0]), compare_rules);
    is_sorted = true;
}

size_t tut_rule_count(void)
{
    return RULES;
}

const tut_rule *tut_rule_at(size_t i)
{
    sort_once();
    return i < RULES ? by_id[i] : NULL;
}

const tut_rule *tut_rule_find(tut_str id)
{
    sort_once();
    size_t low = 0;
    size_t high = RULES;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = tut_str_cmp(tut_str_of(by_id[middle]->id), id);
        if (order == 0)
            return by_id[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void put_rule(tut_json *j, const tut_rule *r)
{
    tut_json_object(j);
    tut_json_put_z(j, "id", r->id);
    tut_json_put_z(j, "severity", tut_severity_name(r->severity));
    tut_json_put_z(j, "confidence", tut_confidence_name(r->confidence));
    tut_json_put_z(j, "title", r->title);
    tut_json_put_z(j, "why", r->why);
    tut_json_put_z(j, "fix", r->fix);
    tut_json_put_z(j, "threats", r->threats);
    tut_json_put_z(j, "clauses", r->clauses);
    tut_json_put_z(j, "references", r->references);
    tut_json_end_object(j);
}

tut_status tut_rules_digest(uint8_t ret_sha256[32], tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&text, &j));
    tut_json_array(j);
    for (size_t i = 0; i < RULES; i++)
        put_rule(j, tut_rule_at(i));
    tut_sha256 digest;
    TUT_TRY(tut_pickle_allow_digest(&digest, err));
    tut_json_sha256(j, digest.bytes);
    TUT_CLEAN(tut_buf) of_text = TUT_BUF_INIT;
    tut_text_rules_write(&of_text);
    TUT_TRY(tut_buf_check(&of_text, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&of_text), &digest, err));
    tut_json_sha256(j, digest.bytes);
    tut_json_end_array(j);
    TUT_TRY(tut_json_finish(j, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&text), &digest, err));
    memcpy(ret_sha256, digest.bytes, sizeof(digest.bytes));
    return TUT_SUCCESS;
}

static const char *const severity_names[] = {
    [TUT_SEVERITY_INFO] = "info",         [TUT_SEVERITY_LOW] = "low",
    [TUT_SEVERITY_MEDIUM] = "medium",     [TUT_SEVERITY_HIGH] = "high",
    [TUT_SEVERITY_CRITICAL] = "critical",
};
static const char *const confidence_names[] = {
    [TUT_CONFIDENCE_EXECUTES] = "executes-on-load",
    [TUT_CONFIDENCE_CAPABILITY] = "capability",
    [TUT_CONFIDENCE_STRUCTURAL] = "structural",
    [TUT_CONFIDENCE_HEURISTIC] = "heuristic",
};
static const char *const verdict_names[] = {
    [TUT_VERDICT_CLEAN] = "clean",
    [TUT_VERDICT_REVIEW] = "review",
    [TUT_VERDICT_DANGEROUS] = "dangerous",
    [TUT_VERDICT_MALICIOUS] = "malicious",
};

const char *tut_severity_name(tut_severity s)
{
    return (size_t)s < TUT_SEVERITY_COUNT ? severity_names[s] : "unknown";
}

const char *tut_confidence_name(tut_confidence c)
{
    return (size_t)c <= TUT_CONFIDENCE_HEURISTIC ? confidence_names[c] : "unknown";
}

const char *tut_verdict_name(tut_verdict v)
{
    return (size_t)v <= TUT_VERDICT_MALICIOUS ? verdict_names[v] : "unknown";
}

bool tut_severity_parse(tut_str name, tut_severity *ret)
{
    for (size_t i = 0; i < TUT_SEVERITY_COUNT; i++) {
        if (tut_str_eq_z(name, severity_names[i])) {
            *ret = (tut_severity)i;
            return true;
        }
    }
    return false;
}

tut_verdict tut_verdict_of(tut_severity worst)
{
    switch (worst) {
    case TUT_SEVERITY_CRITICAL:
        return TUT_VERDICT_MALICIOUS;
    case TUT_SEVERITY_HIGH:
        return TUT_VERDICT_DANGEROUS;
    case TUT_SEVERITY_MEDIUM:
        return TUT_VERDICT_REVIEW;
    case TUT_SEVERITY_LOW:
    case TUT_SEVERITY_INFO:
    case TUT_SEVERITY_COUNT:
        break;
    }
    return TUT_VERDICT_CLEAN;
}
