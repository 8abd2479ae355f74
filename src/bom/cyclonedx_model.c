/* Model cards: what a model's own file and the card that describes it say. */
#include "bom/cyclonedx_internal.h"

/* The nth fact of this name that the model's files or its card state. */
static bool next_fact(const tut_bom *bom, const tut_bom_asset *a, const char *key, size_t *at,
                      tut_str *ret_value)
{
    const tut_bom_asset *card = a->card == SIZE_MAX ? NULL : &bom->assets[a->card];
    size_t count = a->fact_count + (card ? card->fact_count : 0);
    while (*at < count) {
        const tut_bom_fact *f = *at < a->fact_count ? &a->facts[*at]
                                                    : &card->facts[*at - a->fact_count];
        ++*at;
        if (tut_str_eq_z(f->key, key) && f->value.len) {
            *ret_value = f->value;
            return true;
        }
    }
    return false;
}

static void put_texts(tut_cdx *x, const tut_bom_asset *a, const char *key, const char *fact)
{
    size_t at = 0;
    tut_str value;
    tut_cdx_begin_list(x, key);
    while (next_fact(x->bom, a, fact, &at, &value)) {
        tut_cdx_item(x);
        tut_json_str(x->j, value);
    }
    tut_cdx_end_list(x);
}

static void put_dataset(tut_cdx *x, size_t at)
{
    tut_cdx_item(x);
    tut_json_object(x->j);
    tut_json_put_z(x->j, "ref", x->bom->assets[at].ref);
    tut_json_end_object(x->j);
}

static bool is_dataset(const tut_bom *bom, const tut_bom_edge *e)
{
    return e->to != SIZE_MAX && bom->assets[e->to].kind == TUT_KIND_DATASET;
}

static bool names(const tut_bom_asset *a, size_t to)
{
    for (size_t i = 0; a && i < a->edge_count; i++)
        if (a->edges[i].to == to)
            return true;
    return false;
}

/* Data sets that the model depends on, and those its card names, each once. */
static void put_datasets(tut_cdx *x, const tut_bom_asset *a)
{
    const tut_bom *bom = x->bom;
    const tut_bom_asset *card = a->card == SIZE_MAX ? NULL : &bom->assets[a->card];
    tut_cdx_begin_list(x, "datasets");
    for (size_t i = 0; i < a->edge_count; i++)
        if (is_dataset(bom, &a->edges[i]))
            put_dataset(x, a->edges[i].to);
    for (size_t i = 0; card && i < card->edge_count; i++)
        if (is_dataset(bom, &card->edges[i]) && !names(a, card->edges[i].to))
            put_dataset(x, card->edges[i].to);
    tut_cdx_end_list(x);
}

static void put_parameters(tut_cdx *x, const tut_bom_asset *a)
{
    tut_str architecture = tut_bom_architecture(x->bom, a);
    tut_json_key(x->j, "modelParameters");
    tut_json_object(x->j);
    tut_cdx_put(x, "task", tut_bom_known(x->bom, a, "card.task"));
    tut_cdx_put(x, "architectureFamily", architecture);
    tut_cdx_put(x, "modelArchitecture", architecture);
    put_datasets(x, a);
    tut_json_end_object(x->j);
}

/* "accuracy=0.93 on applications-test (test)" as the card's reader wrote it. */
static void put_metric(tut_cdx *x, tut_str text)
{
    const char *equals = memchr(text.data, '=', text.len);
    size_t name = equals ? (size_t)(equals - text.data) : text.len;
    tut_str rest = equals ? (tut_str){equals + 1, text.len - name - 1} : (tut_str){"", 0};
    size_t on;
    tut_str slice = {"", 0};
    if (tut_str_find(rest, TUT_LIT(" on "), &on)) {
        slice = (tut_str){rest.data + on + 4, rest.len - on - 4};
        rest.len = on;
    }
    tut_json_object(x->j);
    tut_cdx_put(x, "type", (tut_str){text.data, name});
    tut_cdx_put(x, "value", rest);
    tut_cdx_put(x, "slice", slice);
    tut_json_end_object(x->j);
}

static void put_metrics(tut_cdx *x, const tut_bom_asset *a)
{
    size_t at = 0;
    tut_str value;
    if (!tut_bom_known(x->bom, a, "card.metric").len)
        return;
    tut_json_key(x->j, "quantitativeAnalysis");
    tut_json_object(x->j);
    tut_json_key(x->j, "performanceMetrics");
    tut_json_array(x->j);
    while (next_fact(x->bom, a, "card.metric", &at, &value))
        put_metric(x, value);
    tut_json_end_array(x->j);
    tut_json_end_object(x->j);
}

void tut_cdx_model_card(tut_cdx *x, const tut_bom_asset *a)
{
    tut_json_key(x->j, "modelCard");
    tut_json_object(x->j);
    put_parameters(x, a);
    put_metrics(x, a);
    if (tut_bom_known(x->bom, a, "card.use").len ||
        tut_bom_known(x->bom, a, "card.limitation").len) {
        tut_json_key(x->j, "considerations");
        tut_json_object(x->j);
        put_texts(x, a, "useCases", "card.use");
        put_texts(x, a, "technicalLimitations", "card.limitation");
        tut_json_end_object(x->j);
    }
    tut_json_end_object(x->j);
}

static void put_ancestor(tut_cdx *x, tut_str name, const tut_bom_asset *known)
{
    tut_cdx_item(x);
    tut_json_object(x->j);
    tut_json_put_z(x->j, "type", "machine-learning-model");
    tut_json_put_str(x->j, "name", name);
    if (known && known->has_digest) {
        char hex[TUT_SHA256_HEX];
        tut_sha256_hex(&known->digest, hex);
        tut_json_key(x->j, "hashes");
        tut_json_array(x->j);
        tut_json_object(x->j);
        tut_json_put_z(x->j, "alg", "SHA-256");
        tut_json_put_z(x->j, "content", hex);
        tut_json_end_object(x->j);
        tut_json_end_array(x->j);
    }
    tut_json_end_object(x->j);
}

static bool is_model(const tut_bom *bom, size_t at)
{
    return at != SIZE_MAX && bom->assets[at].kind == TUT_KIND_MODEL;
}

static bool has_ancestor(const tut_bom *bom, const tut_bom_asset *a)
{
    for (size_t i = 0; i < a->edge_count; i++)
        if (is_model(bom, a->edges[i].to))
            return true;
    return tut_bom_known(bom, a, "refers.model").len > 0;
}

/* "org/base-7b" is the model base-7b of this system, which is listed already. */
static bool is_here(const tut_bom *bom, const tut_bom_asset *a, tut_str base)
{
    const char *slash = base.len ? memrchr(base.data, '/', base.len) : NULL;
    tut_str last = slash ? (tut_str){slash + 1, base.len - (size_t)(slash + 1 - base.data)} : base;
    for (size_t i = 0; i < a->edge_count; i++) {
        if (!is_model(bom, a->edges[i].to))
            continue;
        const tut_bom_asset *to = &bom->assets[a->edges[i].to];
        if (tut_str_eq(to->name, last) || tut_str_eq(to->id, base) || tut_str_eq(to->url, base) ||
            tut_str_eq(to->path, base))
            return true;
    }
    return false;
}

/* What it was made from: models of this system that it depends on, and what a file names as its
 * base. */
void tut_cdx_pedigree(tut_cdx *x, const tut_bom_asset *a)
{
    size_t at = 0;
    tut_str base;
    if (!has_ancestor(x->bom, a))
        return;
    tut_json_key(x->j, "pedigree");
    tut_json_object(x->j);
    tut_cdx_begin_list(x, "ancestors");
    for (size_t i = 0; i < a->edge_count; i++)
        if (is_model(x->bom, a->edges[i].to))
            put_ancestor(x, x->bom->assets[a->edges[i].to].id, &x->bom->assets[a->edges[i].to]);
    while (next_fact(x->bom, a, "refers.model", &at, &base))
        if (!is_here(x->bom, a, base))
            put_ancestor(x, base, NULL);
    tut_cdx_end_list(x);
    tut_json_end_object(x->j);
}
