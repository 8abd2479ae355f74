/*
 * A program that answers JSON lines, in whatever language the model is at home:
 *   in   {"id":7,"rows":[[0.1,2],…]}
 *   out  {"id":7,"probabilities":[[0.9,0.1],…]}, or "labels":[0,…], or "scores":[[…],…]
 *   in   {"id":8,"messages":[…],"tools":[…],"max_tokens":64,"seed":1,"logprobs":true}
 *   out  {"id":8,"text":"…","tool_calls":[{"name","arguments"}],"logprobs":[-0.1,…]}
 *   out  {"id":8,"refused":"why"} or {"id":8,"error":"why"}
 *   out  {"takes":["rows"]}, at any time, with an id or without: what else is asked is not answered
 * The first is asked alone; an error ends the run there. Then several may be asked before one is
 * answered, and answers come in any order. It is run
 * without a shell, begun again once if it dies, and ended with all that it has started.
 */
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/time.h"
#include "probe/target_command.h"
#include "probe/target_numbers.h"
#include "probe/target_said.h"
#include "watch/tell.h"

enum { WINDOW = 8, WINDOW_MAX = 256, BATCH = 64, TIMEOUT_MS = 60000, ROUND_MS = 200 };

typedef struct waiting { /* one line that is not answered yet */
    uint64_t id, due;
    size_t from, count;
    bool is_open;
} waiting;

typedef struct command {
    command_child child;
    char *text, *words[TUT_TELL_WORDS + 1]; /* words: into text */
    size_t batch, window, open;
    uint64_t next_id;
    uint32_t timeout_ms;
    bool was_restarted, was_repeated, was_heard; /* was_heard: it has answered a line */
    target_numbers numbers;
    waiting *waiting; /* window */
} command;

typedef struct call { /* either of rows or of texts */
    tut_target *t;
    command *s;
    size_t next, count;
    const float *rows;
    size_t width;
    tut_predictions *ret;
    double *values;
    const tut_asked *asked;
    tut_said *said;
    char problem[200]; /* of the line at hand */
} call;

/* --- opening --- */
static bool takes(const char *place)
{
    return strncmp(place, "command:", 8) == 0;
}

static tut_status open_command(tut_target *t, const tut_target_wish *wish, tut_error *err)
{
    command *s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->state = s;
    s->batch = wish->batch ? wish->batch : BATCH;
    s->window = wish->concurrency ? wish->concurrency : WINDOW;
    s->window = s->window < WINDOW_MAX ? s->window : WINDOW_MAX;
    s->timeout_ms = wish->timeout_ms ? wish->timeout_ms : TIMEOUT_MS;
    s->numbers.classes = wish->classes;
    s->text = tut_strdup(wish->place + 8);
    s->waiting = tut_alloc_array(s->window, sizeof(*s->waiting));
    if (!s->text || !s->waiting)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_tell_split(s->text, s->words, err));
    return command_child_start(&s->child, s->words, err);
}

static void close_command(tut_target *t)
{
    command *s = t->state;
    command_child_stop(&s->child);
    tut_free(s->waiting);
    tut_free(s->text);
    tut_free(s);
}

/* --- asking --- */
static void write_rows(const call *c, const waiting *w, tut_json *j)
{
    TUT_CLEAN(tut_buf) rows = TUT_BUF_INIT;
    tut_buf_add_byte(&rows, '[');
    for (size_t i = 0; i < w->count; i++) {
        tut_buf_add_z(&rows, i > 0 ? ",[" : "[");
        target_numbers_add(&rows, c->rows + (w->from + i) * c->width, c->width, false);
        tut_buf_add_byte(&rows, ']');
    }
    tut_buf_add_byte(&rows, ']');
    tut_json_key(j, "rows");
    tut_json_raw(j, tut_buf_str(&rows));
}

static void write_text(const tut_asked *a, tut_json *j)
{
    tut_json_key(j, "messages");
    tut_json_raw(j, a->messages);
    if (a->tools.len) {
        tut_json_key(j, "tools");
        tut_json_raw(j, a->tools);
    }
    if (a->max_tokens)
        tut_json_put_u64(j, "max_tokens", a->max_tokens);
    tut_json_put_u64(j, "seed", a->seed & 0x7fffffff);
    if (a->wants_logprobs || a->wants_echo)
        tut_json_put_bool(j, "logprobs", true);
    if (a->wants_echo)
        tut_json_put_bool(j, "echo", true);
}

static tut_status send_line(const call *c, waiting *w, tut_error *err)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&line, &j));
    tut_json_object(j);
    tut_json_put_u64(j, "id", w->id);
    if (c->rows)
        write_rows(c, w, j);
    else
        write_text(&c->asked[w->from], j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_byte(&line, '\n');
    TUT_TRY(tut_buf_check(&line, err));
    tut_buf_add_str(&c->s->child.to, tut_buf_str(&line));
    w->due = tut_clock_ms() + c->s->timeout_ms;
    return tut_buf_check(&c->s->child.to, err);
}

/* As many as may be open at once. */
static tut_status fill(call *c, tut_error *err)
{
    command *s = c->s;
    size_t left = c->count - c->next, most = c->rows && s->was_heard ? s->batch : 1;
    size_t window = s->was_heard ? s->window : 1;
    for (size_t i = 0; i < window && left > 0; i++) {
        waiting *w = &s->waiting[i];
        if (w->is_open)
            continue;
        size_t n = (size_t)tut_allowance_left(c->t->allowance, left < most ? left : most);
        if (n == 0)
            break;
        *w = (waiting){.id = ++s->next_id, .from = c->next, .count = n, .is_open = true};
        TUT_TRY(send_line(c, w, err));
        tut_allowance_spend_many(c->t->allowance, n);
        s->open++;
        c->next += n;
        left -= n;
    }
    return TUT_SUCCESS;
}

/* --- hearing --- */
static waiting *oldest(const command *s)
{
    waiting *best = NULL;
    for (size_t i = 0; i < s->window; i++)
        if (s->waiting[i].is_open && (!best || s->waiting[i].id < best->id))
            best = &s->waiting[i];
    return best;
}

static waiting *find(const command *s, int64_t id)
{
    for (size_t i = 0; i < s->window; i++)
        if (s->waiting[i].is_open && s->waiting[i].id == (uint64_t)id)
            return &s->waiting[i];
    return NULL;
}

static tut_answered take_rows(call *c, const waiting *w, const tut_json_value *line)
{
    static const char *const keys[] = {"probabilities", "scores", "labels"};
    tut_str refused = tut_json_get_text(line, "refused"), error = tut_json_get_text(line, "error");
    if (refused.len || error.len) {
        TUT_CLEAN(tut_buf) why = TUT_BUF_INIT;
        tut_buf_add_escaped(&why, refused.len ? refused : error, 120);
        tut_target_note(c->ret, "%.*s", (int)why.len, (const char *)why.data);
        return refused.len ? TUT_REFUSED : TUT_FAILED;
    }
    for (unsigned i = 0; i < 3; i++) {
        const tut_json_value *data = tut_json_get(line, keys[i]);
        if (data)
            return target_numbers_take(&c->s->numbers, c->t, c->ret, data, w->count, i == 2,
                                       &c->values)
                       ? TUT_ANSWERED
                       : TUT_FAILED;
    }
    tut_target_note(c->ret, "an answer has neither probabilities nor scores nor labels");
    return TUT_FAILED;
}

static tut_status settle_rows(call *c, const waiting *w, tut_answered what, tut_error *err)
{
    for (size_t i = 0; i < w->count; i++) {
        size_t row = w->from + i;
        c->ret->answered[row] = (uint8_t)what;
        if (what == TUT_ANSWERED)
            target_numbers_put(&c->s->numbers, c->ret, row, c->values, i);
        c->t->allowance->refused += what == TUT_REFUSED;
        c->t->allowance->failed += what == TUT_FAILED;
        TUT_TRY(tut_target_settled(c->t, c->ret, row, err));
    }
    return TUT_SUCCESS;
}

static tut_status settle_text(call *c, const waiting *w, tut_error *err)
{
    tut_said *said = &c->said[w->from];
    said->ms = (uint32_t)(tut_clock_ms() + c->s->timeout_ms - w->due);
    tut_allowance_add_tokens(c->t->allowance, said->tokens_in, said->tokens_out);
    c->t->allowance->refused += said->answered == TUT_REFUSED;
    c->t->allowance->failed += said->answered == TUT_FAILED;
    return tut_target_heard(c->t, said, w->from, err);
}

static void shut(command *s, waiting *w)
{
    w->is_open = false;
    s->open--;
}

/* It has no answer: c->problem says why. */
static tut_status give_up(call *c, waiting *w, tut_span line, tut_error *err)
{
    shut(c->s, w);
    if (c->rows) {
        tut_target_note(c->ret, "%s", c->problem);
        return settle_rows(c, w, TUT_FAILED, err);
    }
    TUT_TRY(target_said_failed(&c->said[w->from], line, c->problem, err));
    return settle_text(c, w, err);
}

static unsigned gives_with(bool rows, bool texts)
{
    return (rows ? TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES | TUT_GIVES_ANY_ROW : 0u) |
           (texts ? TUT_GIVES_TEXT | TUT_GIVES_LOGPROBS : 0u);
}

bool tut_target_command_claims(tut_target *t, const tut_json_value *line)
{
    const tut_json_value *takes = tut_json_get(line, "takes");
    bool rows = tut_str_eq_z(tut_json_text(takes), "rows");
    bool texts = tut_str_eq_z(tut_json_text(takes), "texts");
    for (uint32_t i = 0; i < tut_json_count(takes); i++) {
        tut_str word = tut_json_text(tut_json_item(takes, i));
        rows = rows || tut_str_eq_z(word, "rows");
        texts = texts || tut_str_eq_z(word, "texts");
    }
    if (rows || texts)
        t->facts.gives &= ~gives_with(!rows, !texts);
    return rows || texts;
}

/* What was asked is not what it takes. */
static tut_status check_claim(const call *c, const tut_json_value *v, tut_error *err)
{
    unsigned wanted = c->rows ? TUT_GIVES_LABELS : TUT_GIVES_TEXT;
    if (!tut_target_command_claims(c->t, v) || (c->t->facts.gives & wanted))
        return TUT_SUCCESS;
    return c->rows ? tut_fail(err, TUT_USAGE, "%s says that it takes texts, not rows of numbers",
                              c->t->facts.shown)
                   : tut_fail(err, TUT_USAGE, "%s says that it takes rows of numbers, not texts",
                              c->t->facts.shown);
}

/* The first answer tells whether it takes such questions at all. */
static tut_status check_first(call *c, const tut_json_value *v, tut_error *err)
{
    tut_str error = tut_json_get_text(v, "error");
    bool is_first = !c->s->was_heard;
    TUT_CLEAN(tut_buf) why = TUT_BUF_INIT;
    c->s->was_heard = true;
    if (!is_first || error.len == 0)
        return TUT_SUCCESS;
    tut_buf_add_escaped(&why, error, 120);
    const char *z = tut_buf_z(&why);
    return tut_fail(err, TUT_USAGE, "%s does not take %s: the first is answered with the error %s",
                    c->t->facts.shown, c->rows ? "these rows of numbers" : "texts", z ? z : "");
}

static tut_status hear_line(void *ctx, tut_span line, tut_error *err)
{
    call *c = ctx;
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error why = {.code = TUT_OK};
    bool is_json = tut_is_ok(tut_json_parse(line, NULL, &doc, &why));
    const tut_json_value *v = is_json ? tut_json_root(doc) : NULL;
    waiting *w = is_json ? find(c->s, tut_json_get_int(v, "id", -1)) : NULL;
    TUT_TRY(check_claim(c, v, err));
    if (is_json && !w && tut_json_get(v, "takes") && !tut_json_get(v, "id"))
        return TUT_SUCCESS;
    TUT_TRY(check_first(c, v, err));
    if (w && c->rows) {
        tut_answered what = take_rows(c, w, v);
        shut(c->s, w);
        return settle_rows(c, w, what, err);
    }
    if (w) {
        tut_said *said = &c->said[w->from];
        shut(c->s, w);
        TUT_TRY(tut_said_begin(said, line, err));
        TUT_TRY(target_said_command(said, &c->asked[w->from], v, err));
        return settle_text(c, w, err);
    }
    if (is_json)
        (void)snprintf(c->problem, sizeof(c->problem),
                       "an answer has the id of nothing that was asked and is open");
    else
        (void)snprintf(c->problem, sizeof(c->problem), "a line is no JSON: %.120s", why.text);
    w = oldest(c->s);
    return w ? give_up(c, w, line, err) : TUT_SUCCESS;
}

/* --- when it dies or hangs --- */
static tut_status restart(call *c, const char *why, tut_error *err)
{
    command *s = c->s;
    if (s->was_restarted)
        return tut_fail(err, TUT_IO, "%s: %s, for the second time%s", s->words[0], why,
                        s->was_heard ? ""
                        : c->rows    ? ", at the first rows"
                                     : ", at the first text");
    s->was_restarted = true;
    command_child_stop(&s->child);
    TUT_TRY(command_child_start(&s->child, s->words, err));
    for (size_t i = 0; i < s->window; i++)
        if (s->waiting[i].is_open)
            TUT_TRY(send_line(c, &s->waiting[i], err));
    return TUT_SUCCESS;
}

static tut_status check_time(call *c, tut_error *err)
{
    waiting *w = oldest(c->s);
    if (!w || tut_clock_ms() < w->due)
        return TUT_SUCCESS;
    (void)snprintf(c->problem, sizeof(c->problem), "no answer in time");
    TUT_TRY(give_up(c, w, (tut_span){NULL, 0}, err));
    return restart(c, "no answer in time", err);
}

static tut_status exchange(call *c, tut_error *err)
{
    command *s = c->s;
    char why[64];
    for (;;) {
        bool is_over = false;
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(fill(c, err));
        if (s->open == 0)
            return TUT_SUCCESS;
        TUT_TRY(command_child_round(&s->child, ROUND_MS, hear_line, c, &is_over, err));
        if (is_over && s->open > 0) {
            command_child_obituary(&s->child, why, sizeof(why));
            TUT_TRY(restart(c, why, err));
        }
        TUT_TRY(check_time(c, err));
    }
}

static tut_status run(call *c, tut_error *err)
{
    command *s = c->s;
    if (s->child.pid == 0)
        return tut_fail(err, TUT_IO, "%s has ended", s->words[0]);
    tut_status status = exchange(c, err);
    for (size_t i = 0; i < s->window; i++)
        s->waiting[i].is_open = false;
    s->open = 0;
    if (!tut_is_ok(status)) /* what it would still answer belongs to nobody */
        command_child_stop(&s->child);
    return status;
}

/* --- the driver --- */
extern const tut_target_driver tut_target_command;

static tut_status repeat_row(const call *all, tut_error *err)
{
    tut_target *t = all->t;
    const tut_sha256 *keys = t->keys;
    TUT_CLEAN(tut_predictions) p = {.count = 1};
    if (all->s->was_repeated || all->ret->answered[0] != TUT_ANSWERED ||
        tut_allowance_left(t->allowance, 1) == 0)
        return TUT_SUCCESS;
    all->s->was_repeated = true;
    p.answered = tut_alloc_array(2, 1);
    if (!p.answered || !tut_target_fix_classes(t, &p, t->facts.classes))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p.answered[0] = TUT_UNASKED;
    call once = {
        .t = t, .s = all->s, .count = 1, .rows = all->rows, .width = all->width, .ret = &p};
    t->keys = NULL; /* it is no answer of the run */
    tut_status s = run(&once, err);
    t->keys = keys;
    tut_free(once.values);
    if (tut_is_ok(s))
        t->facts.is_unstable = target_numbers_differ(&p, 0, all->ret, 0);
    return s;
}

command_child *tut_target_command_child(const tut_target *t, char *const **ret_words,
                                        uint32_t *ret_timeout_ms)
{
    if (t->driver != &tut_target_command)
        return NULL;
    command *s = t->state;
    *ret_words = s->words;
    *ret_timeout_ms = s->timeout_ms;
    return &s->child;
}

static tut_status predict(tut_target *t, const float *rows, size_t count, size_t width,
                          uint64_t first, tut_predictions *ret, tut_error *err)
{
    command *s = t->state;
    call c = {.t = t, .s = s, .count = count, .rows = rows, .width = width, .ret = ret};
    (void)first;
    if (count == 0)
        return TUT_SUCCESS;
    TUT_TRY(target_numbers_begin(&s->numbers, t, ret, err));
    tut_status status = run(&c, err);
    tut_free(c.values);
    c.values = NULL;
    TUT_TRY(target_numbers_end(&s->numbers, t, ret, tut_is_ok(status) ? err : NULL));
    return tut_is_ok(status) ? repeat_row(&c, err) : status;
}

static tut_status hear(tut_target *t, const tut_asked *asked, tut_span answer, tut_said *said,
                       tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    (void)t;
    TUT_TRY(tut_said_begin(said, answer, err));
    TUT_TRY(tut_json_parse(answer, NULL, &doc, err));
    return target_said_command(said, asked, tut_json_root(doc), err);
}

static tut_status ask(tut_target *t, const tut_asked *asked, size_t count, tut_said *ret_said,
                      tut_error *err)
{
    command *s = t->state;
    TUT_CLEAN(tut_said) again = {.answered = TUT_UNASKED};
    call c = {.t = t, .s = s, .count = count, .asked = asked, .said = ret_said};
    if (count == 0)
        return TUT_SUCCESS;
    TUT_TRY(run(&c, err));
    if (s->was_repeated || ret_said[0].answered != TUT_ANSWERED ||
        tut_allowance_left(t->allowance, 1) == 0)
        return TUT_SUCCESS;
    const tut_sha256 *keys = t->keys;
    call once = {.t = t, .s = s, .count = 1, .asked = asked, .said = &again};
    s->was_repeated = true;
    t->keys = NULL; /* it is no answer of the run */
    tut_status status = run(&once, err);
    t->keys = keys;
    if (tut_is_ok(status) && again.answered == TUT_ANSWERED)
        t->facts.is_unstable = !tut_str_eq(again.text, ret_said[0].text);
    return status;
}

const tut_target_driver tut_target_command = {
    .kind = "command",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES | TUT_GIVES_ANY_ROW | TUT_GIVES_TEXT |
             TUT_GIVES_LOGPROBS | TUT_GIVES_LINES,
    .keeps = true,
    .takes = takes,
    .open = open_command,
    .close = close_command,
    .predict = predict,
    .ask = ask,
    .hear = hear,
};
