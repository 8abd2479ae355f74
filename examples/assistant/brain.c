#include "brain.h"

#include <math.h>

#include "base/fs.h"
#include "base/json.h"
#include "nets/net.h"
#include "stats/scores.h"
#include "words.h"

enum { ROWS = 32, ARTICLES = 4096, ARTICLES_BYTES = 16 << 20 };

struct assistant_brain {
    tut_net *planner, *retriever;
    tut_pass *plan, *place;
    float rows[ROWS * ASSISTANT_WIDTH];
    tut_arena arena;
    assistant_article *articles;
    size_t article_count, article_cap;
};

/* ---- nets ---- */

static tut_status load(const char *dir, const char *name, tut_cage_mode sandbox, size_t outputs,
                       tut_net **ret_net, tut_pass **ret_pass, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(dir, name);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_net_load(path, sandbox, ret_net, err));
    const tut_net_facts *f = tut_net_about(*ret_net);
    if (f->width != ASSISTANT_WIDTH || f->outputs != outputs)
        return tut_fail(err, TUT_MALFORMED,
                        "%s: it takes %zu numbers and gives %zu, not %d and %zu", path, f->width,
                        f->outputs, ASSISTANT_WIDTH, outputs);
    return tut_pass_new(*ret_net, ROWS, ret_pass, err);
}

static tut_status run(assistant_brain *b, tut_pass *pass, const tut_str *texts, size_t count,
                      const float **ret_output, tut_error *err)
{
    for (size_t i = 0; i < count; i++)
        assistant_numbers(texts[i], b->rows + i * ASSISTANT_WIDTH);
    return tut_pass_run(pass, b->rows, count, ret_output, err);
}

tut_status assistant_classify(assistant_brain *b, const tut_str *sentences, size_t count,
                              assistant_kind *ret_kinds, tut_error *err)
{
    for (size_t done = 0; done < count; done += ROWS) {
        size_t n = count - done < ROWS ? count - done : ROWS;
        const float *out;
        TUT_TRY(run(b, b->plan, sentences + done, n, &out, err));
        for (size_t i = 0; i < n; i++)
            ret_kinds[done + i] = (assistant_kind)tut_greatest_f(out + i * ASSISTANT_KINDS,
                                                                 ASSISTANT_KINDS);
    }
    return TUT_SUCCESS;
}

static void make_unit(const float *from, float *ret)
{
    double sum = 0;
    for (size_t i = 0; i < ASSISTANT_SPACE; i++)
        sum += (double)from[i] * from[i];
    for (size_t i = 0; i < ASSISTANT_SPACE; i++)
        ret[i] = (float)(from[i] / sqrt(sum > 0 ? sum : 1));
}

tut_status assistant_place(assistant_brain *b, const tut_str *texts, size_t count,
                           float *ret_places, tut_error *err)
{
    for (size_t done = 0; done < count; done += ROWS) {
        size_t n = count - done < ROWS ? count - done : ROWS;
        const float *out;
        TUT_TRY(run(b, b->place, texts + done, n, &out, err));
        for (size_t i = 0; i < n; i++)
            make_unit(out + i * ASSISTANT_SPACE, ret_places + (done + i) * ASSISTANT_SPACE);
    }
    return TUT_SUCCESS;
}

float assistant_near(const float *a, const float *b)
{
    float sum = 0;
    for (size_t i = 0; i < ASSISTANT_SPACE; i++)
        sum += a[i] * b[i];
    return sum;
}

/* ---- articles ---- */

static tut_status keep(assistant_brain *b, const tut_json_value *v, const char *key, tut_str *ret,
                       tut_error *err)
{
    const char *kept = tut_arena_copy(&b->arena, tut_json_get_text(v, key));
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret = tut_str_of(kept);
    return TUT_SUCCESS;
}

static tut_status add_article(assistant_brain *b, tut_str line, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_buf) whole = TUT_BUF_INIT;
    TUT_TRY(tut_json_parse(tut_span_of(line.data, line.len), NULL, &doc, err));
    if (b->article_count == ARTICLES)
        return tut_fail(err, TUT_LIMIT, "more than %d articles", ARTICLES);
    TUT_TRY(tut_grow(&b->articles, b->article_count, &b->article_cap, sizeof(*b->articles)));
    assistant_article *a = &b->articles[b->article_count];
    const tut_json_value *v = tut_json_root(doc);
    TUT_TRY(keep(b, v, "id", &a->id, err));
    TUT_TRY(keep(b, v, "title", &a->title, err));
    TUT_TRY(keep(b, v, "text", &a->text, err));
    TUT_TRY(keep(b, v, "url", &a->url, err));
    tut_buf_add_str(&whole, a->title);
    tut_buf_add_z(&whole, ". ");
    tut_buf_add_str(&whole, a->text);
    TUT_TRY(tut_buf_check(&whole, err));
    tut_str text = tut_buf_str(&whole);
    b->article_count++;
    return assistant_place(b, &text, 1, a->place, err);
}

static tut_status read_articles(assistant_brain *b, const char *dir, tut_error *err)
{
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "data/kb-articles.jsonl");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_read(path, ARTICLES_BYTES, &file, err));
    tut_str rest = tut_buf_str(&file);
    while (rest.len) {
        const char *end = memchr(rest.data, '\n', rest.len);
        tut_str line = {rest.data, end ? (size_t)(end - rest.data) : rest.len};
        size_t used = line.len + (end ? 1 : 0);
        rest.data += used, rest.len -= used;
        tut_status status = line.len ? add_article(b, line, err) : TUT_SUCCESS;
        if (!tut_is_ok(status))
            tut_error_set_path(err, path);
        TUT_TRY(status);
    }
    return TUT_SUCCESS;
}

size_t assistant_article_count(const assistant_brain *b)
{
    return b->article_count;
}

const assistant_article *assistant_article_at(const assistant_brain *b, size_t i)
{
    return &b->articles[i];
}

tut_status assistant_brain_open(const char *dir, tut_cage_mode sandbox, assistant_brain **ret_brain,
                                tut_error *err)
{
    TUT_AUTO(assistant_brain) b = tut_alloc_array(1, sizeof(*b));
    if (!b)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&b->arena, (size_t)2 * ARTICLES_BYTES);
    TUT_TRY(load(dir, "models/planner.onnx", sandbox, ASSISTANT_KINDS, &b->planner, &b->plan, err));
    TUT_TRY(load(dir, "models/retriever.onnx", sandbox, ASSISTANT_SPACE, &b->retriever, &b->place,
                 err));
    TUT_TRY(read_articles(b, dir, err));
    *ret_brain = tut_move(&b);
    return TUT_SUCCESS;
}

void assistant_brain_free(assistant_brain *b)
{
    if (!b)
        return;
    tut_pass_free(b->plan);
    tut_pass_free(b->place);
    tut_net_free(b->planner);
    tut_net_free(b->retriever);
    tut_arena_done(&b->arena);
    tut_free(b->articles);
    tut_free(b);
}
