/* A model file that our own interpreter runs: no server, no framework, and the gradients. */
#include <string.h>

#include "base/arena.h"
#include "base/source.h"
#include "crypto/digest.h"
#include "probe/target_internal.h"

enum { ROWS_AT_ONCE = 256 };

typedef struct onnx_state {
    tut_net *net;
    tut_pass *pass;
    size_t rows_at_once;
    tut_arena text;
    tut_target_file file;
} onnx_state;

static bool takes(const char *place)
{
    size_t len = strlen(place);
    return len > 5 && strcmp(place + len - 5, ".onnx") == 0 && !strstr(place, "://") &&
           strncmp(place, "command:", 8) != 0;
}

static tut_status open_file(tut_target *t, const tut_target_wish *wish, tut_error *err)
{
    onnx_state *s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->state = s;
    tut_arena_init(&s->text, 0);
    s->file.sandbox = wish->sandbox;
    s->file.path = tut_arena_copy(&s->text, tut_str_of(wish->place));
    if (!s->file.path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_net_load(wish->place, wish->sandbox, &s->net, err));
    s->rows_at_once = tut_net_rows(s->net, ROWS_AT_ONCE);
    TUT_TRY(tut_pass_new(s->net, s->rows_at_once, &s->pass, err));
    t->facts.width = tut_net_about(s->net)->width;
    t->facts.classes = tut_net_about(s->net)->classes;
    t->facts.axes = tut_net_about(s->net)->axes;
    memcpy(t->facts.shape, tut_net_about(s->net)->shape, sizeof(t->facts.shape));
    memcpy(t->facts.digest, tut_net_about(s->net)->digest, sizeof(t->facts.digest));
    t->facts.has_digest = true;
    return TUT_SUCCESS;
}

static void close_file(tut_target *t)
{
    onnx_state *s = t->state;
    tut_pass_free(s->pass);
    tut_net_free(s->net);
    tut_arena_done(&s->text);
    tut_free(s);
}

static tut_status predict(tut_target *t, const float *rows, size_t count, size_t width,
                          uint64_t first, tut_predictions *ret, tut_error *err)
{
    onnx_state *s = t->state;
    const tut_net_facts *f = tut_net_about(s->net);
    (void)first;
    for (size_t done = 0; done < count;) {
        size_t wanted = count - done < s->rows_at_once ? count - done : s->rows_at_once;
        size_t n = (size_t)tut_allowance_left(t->allowance, wanted);
        const float *out = NULL;
        if (n == 0)
            return TUT_SUCCESS; /* the rest stays unasked */
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(tut_pass_run(s->pass, rows + done * width, n, &out, err));
        for (size_t i = 0; i < n; i++) {
            tut_net_probabilities(f, out + i * f->outputs, ret->values + (done + i) * ret->classes);
            ret->answered[done + i] = TUT_ANSWERED;
        }
        tut_allowance_spend_many(t->allowance, n);
        done += n;
    }
    return TUT_SUCCESS;
}

const tut_target_driver tut_target_onnx = {
    .kind = "onnx",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES | TUT_GIVES_GRADIENTS | TUT_GIVES_ANY_ROW,
    .takes = takes,
    .open = open_file,
    .close = close_file,
    .predict = predict,
};

const tut_net *tut_target_net(const tut_target *t)
{
    return t->driver == &tut_target_onnx ? ((const onnx_state *)t->state)->net : NULL;
}

const tut_target_file *tut_target_file_of(const tut_target *t)
{
    return t->driver == &tut_target_onnx ? &((const onnx_state *)t->state)->file : NULL;
}
