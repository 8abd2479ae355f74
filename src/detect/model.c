#include "detect/model.h"

#include <math.h>

#include "base/reader.h"
#include "crypto/digest.h"

extern const unsigned char tut_detect_weights[], tut_detect_weights_end[],
    tut_detect_weights_sha256[];

static const char magic[8] = "TUTDET04";

void tut_model_free(tut_model *m)
{
    if (!m)
        return;
    for (int h = 0; h < TUT_HEAD_COUNT; h++)
        tut_free(m->heads[h].table);
    tut_free(m->mixer.table);
    tut_free(m);
}

tut_status tut_model_new(tut_model **ret_model, tut_error *err)
{
    TUT_AUTO(tut_model) m = tut_alloc_array(1, sizeof(*m));
    if (!m)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (int h = 0; h < TUT_HEAD_COUNT; h++) {
        m->heads[h].table = tut_alloc_array(tut_bag_buckets(&tut_head_shapes[h]), 1);
        if (!m->heads[h].table)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    m->mixer.table = tut_alloc_array(tut_mixer_buckets(), TUT_MIXER_UNITS);
    if (!m->mixer.table)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (int k = 0; k < TUT_LOGITS; k++)
        m->spread[k] = 1;
    tut_lexicon_init(&m->lexicon);
    *ret_model = tut_move(&m);
    return TUT_SUCCESS;
}

/* --- the file --- */
static tut_status take_float(tut_reader *r, float *ret_value, tut_error *err)
{
    uint32_t bits;
    TUT_TRY(tut_reader_u32le(r, &bits));
    memcpy(ret_value, &bits, sizeof(*ret_value));
    if (!isfinite(*ret_value) || fabsf(*ret_value) > 1e6f)
        return tut_fail(err, TUT_MALFORMED, "a number among the weights is none");
    return TUT_SUCCESS;
}

static tut_status take_head(tut_reader *r, tut_head_weights *w, const tut_bag_shape *shape,
                            tut_error *err)
{
    uint32_t buckets;
    tut_span bytes;
    TUT_TRY(tut_reader_u32le(r, &buckets));
    if (buckets != tut_bag_buckets(shape))
        return tut_fail(
            err, TUT_UNSUPPORTED,
            "these weights are for other features than this version has: fit them anew");
    TUT_TRY(take_float(r, &w->bias, err));
    for (int g = 0; g < TUT_BAG_GROUPS; g++)
        TUT_TRY(take_float(r, &w->scale[g], err));
    TUT_TRY(tut_reader_bytes(r, buckets, &bytes));
    memcpy(w->table, bytes.data, buckets);
    return TUT_SUCCESS;
}

static tut_status take_mixer(tut_reader *r, tut_mixer *x, tut_error *err)
{
    tut_span bytes;
    TUT_TRY(take_float(r, &x->bias, err));
    for (int u = 0; u < TUT_MIXER_UNITS; u++) {
        TUT_TRY(take_float(r, &x->biases[u], err));
        TUT_TRY(take_float(r, &x->weights[u], err));
        TUT_TRY(take_float(r, &x->scale[u], err));
    }
    TUT_TRY(tut_reader_bytes(r, (size_t)tut_mixer_buckets() * TUT_MIXER_UNITS, &bytes));
    memcpy(x->table, bytes.data, bytes.len);
    return TUT_SUCCESS;
}

static tut_status take_all(tut_reader *r, tut_model *m, tut_error *err)
{
    tut_span head;
    TUT_TRY(tut_reader_bytes(r, sizeof(magic), &head));
    if (memcmp(head.data, magic, sizeof(magic)) != 0)
        return tut_fail(err, TUT_MALFORMED, "this is no file of the detector's weights");
    for (int h = 0; h < TUT_HEAD_COUNT; h++)
        TUT_TRY(take_head(r, &m->heads[h], &tut_head_shapes[h], err));
    TUT_TRY(take_mixer(r, &m->mixer, err));
    for (int k = 0; k < TUT_LOGITS; k++) {
        TUT_TRY(take_float(r, &m->middle[k], err));
        TUT_TRY(take_float(r, &m->spread[k], err));
        if (m->spread[k] <= 0)
            return tut_fail(err, TUT_MALFORMED, "a spread among the weights is not above 0");
    }
    for (int p = 0; p < TUT_PROVENANCES; p++)
        for (int n = 0; n < TUT_LIMIT_NODES; n++) {
            float *limits = m->limits[p][n];
            TUT_TRY(take_float(r, &limits[0], err));
            TUT_TRY(take_float(r, &limits[1], err));
            if (limits[1] <= limits[0])
                return tut_fail(err, TUT_MALFORMED, "the limits of the weights are not in order");
        }
    if (tut_reader_left(r) != 0)
        return tut_fail(err, TUT_MALFORMED, "the weights do not end where they should");
    return TUT_SUCCESS;
}

tut_status tut_model_read(tut_span bytes, tut_model **ret_model, tut_error *err)
{
    TUT_AUTO(tut_model) m = NULL;
    tut_reader r = tut_reader_of(bytes);
    TUT_TRY(tut_model_new(&m, err));
    tut_status status = take_all(&r, m, err);
    if (status.code == TUT_TRUNCATED)
        return tut_fail(err, TUT_TRUNCATED, "the weights end too early");
    TUT_TRY(status);
    *ret_model = tut_move(&m);
    return TUT_SUCCESS;
}

static void add_float(tut_buf *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    tut_buf_add_u32le(out, bits);
}

void tut_model_write(const tut_model *m, tut_buf *out)
{
    tut_buf_add(out, magic, sizeof(magic));
    for (int h = 0; h < TUT_HEAD_COUNT; h++) {
        const tut_head_weights *w = &m->heads[h];
        uint32_t buckets = tut_bag_buckets(&tut_head_shapes[h]);
        tut_buf_add_u32le(out, buckets);
        add_float(out, w->bias);
        for (int g = 0; g < TUT_BAG_GROUPS; g++)
            add_float(out, w->scale[g]);
        tut_buf_add(out, w->table, buckets);
    }
    add_float(out, m->mixer.bias);
    for (int u = 0; u < TUT_MIXER_UNITS; u++) {
        add_float(out, m->mixer.biases[u]);
        add_float(out, m->mixer.weights[u]);
        add_float(out, m->mixer.scale[u]);
    }
    tut_buf_add(out, m->mixer.table, (size_t)tut_mixer_buckets() * TUT_MIXER_UNITS);
    for (int k = 0; k < TUT_LOGITS; k++) {
        add_float(out, m->middle[k]);
        add_float(out, m->spread[k]);
    }
    for (int p = 0; p < TUT_PROVENANCES; p++)
        for (int n = 0; n < TUT_LIMIT_NODES; n++) {
            add_float(out, m->limits[p][n][0]);
            add_float(out, m->limits[p][n][1]);
        }
}

tut_span tut_model_builtin_bytes(void)
{
    return tut_span_of(tut_detect_weights, (size_t)(tut_detect_weights_end - tut_detect_weights));
}

tut_status tut_model_builtin(tut_model **ret_model, tut_error *err)
{
    tut_span bytes = tut_model_builtin_bytes();
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(bytes, &digest, err));
    if (memcmp(digest.bytes, tut_detect_weights_sha256, sizeof(digest.bytes)) != 0)
        return tut_fail(err, TUT_BUG, "the detector's weights are not those of the build");
    return tut_model_read(bytes, ret_model, err);
}

/* --- reading a sum --- */
float tut_model_logit(const tut_model *m, tut_head head, const tut_bag *b)
{
    const tut_head_weights *w = &m->heads[head];
    float logit = w->bias;
    for (unsigned g = 0; g < b->shape->groups; g++)
        if (b->held[g])
            logit += b->shape->gain[g] * w->scale[g] * (float)b->sum[g] / sqrtf((float)b->held[g]);
    return logit;
}

uint32_t tut_mixer_first(void)
{
    return tut_head_shapes[TUT_HEAD_SYMBOLS].size[0];
}

uint32_t tut_mixer_buckets(void)
{
    return tut_bag_buckets(&tut_head_shapes[TUT_HEAD_SYMBOLS]) - tut_mixer_first();
}

static void add_units(int32_t *sums, const int8_t *row)
{
    for (int u = 0; u < TUT_MIXER_UNITS; u++)
        sums[u] += row[u];
}

float tut_model_mixed(const tut_model *m, const tut_bag *b)
{
    const tut_mixer *x = &m->mixer;
    float units[TUT_MIXER_UNITS], logit = x->bias;
    uint32_t first = tut_mixer_first();
    memcpy(units, x->biases, sizeof(units));
    for (size_t i = 0; i < b->count;) { /* the items of a group are side by side */
        unsigned g = tut_bag_group_of(b, b->items[i]);
        uint32_t end = b->base[g] + b->shape->size[g];
        int32_t sums[TUT_MIXER_UNITS] = {0};
        for (; i < b->count && b->items[i] >= b->base[g] && b->items[i] < end; i++)
            if (g > 0)
                add_units(sums, x->table + (size_t)(b->items[i] - first) * TUT_MIXER_UNITS);
        float factor = b->shape->gain[g] / sqrtf((float)b->held[g]);
        for (int u = 0; u < TUT_MIXER_UNITS; u++)
            units[u] += factor * x->scale[u] * (float)sums[u];
    }
    for (int u = 0; u < TUT_MIXER_UNITS; u++)
        logit += units[u] > 0 ? units[u] * x->weights[u] : 0;
    return logit;
}

float tut_model_joined(const tut_model *m, tut_provenance from, const float logits[TUT_LOGITS])
{
    static const float sharpness = 1.5f;
    float sum = 0;
    for (int k = tut_logits_first(from); k < tut_logits_end(from); k++)
        sum += expf(sharpness * fminf((logits[k] - m->middle[k]) / m->spread[k], 40));
    return logf(sum + 1e-30f) / sharpness;
}

float tut_model_against(const tut_model *m, tut_provenance from, size_t length, float margin)
{
    float least = from == TUT_FROM_USER ? 16 : 1;
    float at = length > least ? logf((float)length / least) / logf(4) : 0;
    size_t node = (size_t)at < TUT_LIMIT_NODES - 1 ? (size_t)at : TUT_LIMIT_NODES - 2;
    float part = at - (float)node;
    part = part > 1 ? 1 : part;
    const float(*l)[2] = m->limits[from];
    float one = l[node][0] + part * (l[node + 1][0] - l[node][0]);
    float two = l[node][1] + part * (l[node + 1][1] - l[node][1]);
    return (margin - one) / (two - one);
}

double tut_model_score(float against)
{
    double slope = log(9), logit = slope * (double)against;
    if (against > 1) /* far beyond the second limit there is nothing left to tell apart */
        logit = slope + (logit - slope) / 4;
    return 1 / (1 + exp(-logit));
}
