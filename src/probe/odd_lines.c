/*
 * Odd input for a program that answers lines: lines that no client of good will writes, each
 * followed by a normal one. What is asked under an id has to be answered under it, with a result, a
 * refusal or an error; what is none of the protocol may be passed over. A program that ends, that
 * does not answer in time, or whose next answer is none, has failed, and is begun again.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "base/time.h"
#include "probe/odd_inputs.h"
#include "probe/target_command.h"
#include "probe/target_internal.h"

enum { ROUND_MS = 200, LIMIT_LEAST_MS = 10000, LIMIT_FACTOR = 10, LATE_MOST = 5 };

typedef struct lines {
    tut_probe *p;
    command_child *child;
    char *const *words;
    uint32_t timeout_ms, limit_ms;
    odd_marks marks;
    unsigned kinds; /* of questions that it answers: ODD_ROWS, ODD_TALK */
    uint64_t last_id;
    /* of the lines that are under way */
    uint64_t odd_id, normal_id;    /* odd_id: 0: it cannot be answered by an id */
    bool is_heard, is_refused;     /* the odd one; or an error without an id came */
    bool is_normal_heard, is_lost; /* is_lost: it has to be begun again */
    char problem[200], normal_error[160];
    uint64_t asked, answered, refused, passed_over, failures, late;
    double slowest;
} lines;

/* --- hearing --- */
static bool is_result(const tut_json_value *v)
{
    static const char *const keys[] = {"probabilities", "scores", "labels", "text", "tool_calls"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_json_get(v, keys[i]))
            return true;
    return false;
}

/* What it says in the place of a result: escaped. */
static void say_why(const tut_json_value *v, char *ret, size_t cap)
{
    TUT_CLEAN(tut_buf) why = TUT_BUF_INIT;
    tut_str error = tut_json_get_text(v, "error"), refused = tut_json_get_text(v, "refused");
    tut_buf_add_escaped(&why, error.len ? error : refused, 100);
    tut_str_copy(ret, cap, why.len ? tut_buf_str(&why) : TUT_LIT("no result, refusal or error"));
}

static void note(lines *l, const char *problem)
{
    if (!l->problem[0])
        tut_str_copy(l->problem, sizeof(l->problem), tut_str_of(problem));
}

static tut_status hear(void *ctx, tut_span line, tut_error *err)
{
    lines *l = ctx;
    TUT_AUTO(tut_json_doc) doc = NULL;
    (void)err;
    if (!tut_is_ok(tut_json_parse(line, NULL, &doc, NULL))) {
        note(l, "it writes a line that is no JSON");
        return TUT_SUCCESS;
    }
    const tut_json_value *v = tut_json_root(doc);
    uint64_t id = (uint64_t)tut_json_get_int(v, "id", 0);
    if (tut_target_command_claims(l->p->target, v) && !is_result(v) && id == 0)
        return TUT_SUCCESS;
    if (id != 0 && id == l->normal_id) {
        l->is_normal_heard = true;
        if (!is_result(v))
            say_why(v, l->normal_error, sizeof(l->normal_error));
        return TUT_SUCCESS;
    }
    l->is_heard = l->is_heard || id == l->odd_id || l->odd_id == 0;
    l->is_refused = l->is_refused || !is_result(v);
    return TUT_SUCCESS;
}

/* Until both are answered, it ends, or the time is over. */
static tut_status await(lines *l, uint32_t limit_ms, tut_error *err)
{
    uint64_t until = tut_clock_ms() + limit_ms;
    tut_error why = {.code = TUT_OK};
    char end[64];
    while (!l->is_normal_heard || (l->odd_id && !l->is_heard)) {
        bool is_over = false;
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        if (tut_clock_ms() >= until) {
            l->late++;
            l->is_lost = true;
            note(l, l->is_normal_heard ? "no answer to it in time, but to the line behind it"
                                       : "no answer in time");
            return TUT_SUCCESS;
        }
        tut_status s = command_child_round(l->child, ROUND_MS, hear, l, &is_over, &why);
        if (s.code == TUT_NOMEM)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        if (!tut_is_ok(s) || is_over) {
            l->is_lost = true;
            if (is_over)
                command_child_obituary(l->child, end, sizeof(end));
            l->problem[0] = '\0'; /* whatever it wrote before */
            note(l, is_over ? end : why.text);
            return TUT_SUCCESS;
        }
    }
    return TUT_SUCCESS;
}

/* --- asking --- */
static void add_normal(lines *l, unsigned kind, tut_buf *to)
{
    l->normal_id = ++l->last_id;
    tut_buf_printf(to, "{\"id\":%llu,", (unsigned long long)l->normal_id);
    if (kind == ODD_ROWS) {
        tut_buf_add_z(to, "\"rows\":[[");
        tut_buf_add_str(to, tut_buf_str(&l->marks.row));
        tut_buf_add_z(to, "]]}\n");
    } else {
        tut_buf_add_z(to, "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],"
                          "\"max_tokens\":8,\"seed\":1}\n");
    }
}

static void begin(lines *l)
{
    l->odd_id = 0;
    l->is_heard = l->is_refused = l->is_normal_heard = l->is_lost = false;
    l->problem[0] = l->normal_error[0] = '\0';
}

static tut_status ask_normal(lines *l, unsigned kind, uint32_t limit_ms, tut_error *err)
{
    begin(l);
    tut_allowance_spend_many(l->p->target->allowance, 1);
    add_normal(l, kind, &l->child->to);
    TUT_TRY(tut_buf_check(&l->child->to, err));
    return await(l, limit_ms, err);
}

/* Whether an answer can be given under its id: it is a whole document, and the id a number. */
static bool has_id(tut_str line, uint64_t id)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    return tut_is_ok(tut_json_parse(tut_span_of(line.data, line.len), NULL, &doc, NULL)) &&
           (uint64_t)tut_json_get_int(tut_json_root(doc), "id", 0) == id;
}

static tut_status ask_odd(lines *l, const odd_input *input, unsigned kind, tut_error *err)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    odd_marks *m = &l->marks;
    uint64_t id = ++l->last_id;
    begin(l);
    tut_buf_clear(&m->id);
    tut_buf_clear(&m->head);
    tut_buf_printf(&m->id, "%llu", (unsigned long long)id);
    tut_buf_printf(&m->head, "\"id\":%llu", (unsigned long long)id);
    odd_input_write(input, m, &line);
    TUT_TRY(tut_buf_check(&line, err));
    l->odd_id = has_id(tut_buf_str(&line), id) ? id : 0;
    tut_buf_add_byte(&line, '\n');
    tut_buf_add_str(&l->child->to, tut_buf_str(&line));
    add_normal(l, kind, &l->child->to);
    TUT_TRY(tut_buf_check(&l->child->to, err));
    tut_allowance_spend_many(l->p->target->allowance, 2);
    return await(l, l->limit_ms, err);
}

/* False: it does not answer a normal line any more. */
static tut_status begin_again(lines *l, unsigned kind, bool *ret_is_back, tut_error *err)
{
    command_child_stop(l->child);
    *ret_is_back = false;
    TUT_TRY(command_child_start(l->child, l->words, err));
    if (tut_allowance_is_spent(l->p->target->allowance)) {
        *ret_is_back = true;
        return TUT_SUCCESS;
    }
    TUT_TRY(ask_normal(l, kind, l->timeout_ms, err));
    *ret_is_back = l->is_normal_heard && !l->normal_error[0];
    return TUT_SUCCESS;
}

/* --- which questions it answers --- */
static tut_status try_kind(lines *l, unsigned kind, char *ret_why, size_t cap, tut_error *err)
{
    unsigned needs = kind == ODD_ROWS ? TUT_GIVES_LABELS : TUT_GIVES_TEXT;
    if (!(l->p->target->facts.gives & needs))
        return TUT_SUCCESS;
    uint64_t begun = tut_clock_ms();
    TUT_TRY(ask_normal(l, kind, l->timeout_ms, err));
    if (l->is_normal_heard && !l->normal_error[0]) {
        double ms = LIMIT_FACTOR * (double)(tut_clock_ms() - begun);
        l->kinds |= kind;
        l->limit_ms = (uint32_t)fmin(l->timeout_ms, fmax(l->limit_ms, ms));
    } else {
        tut_str_copy(ret_why, cap, tut_str_of(l->normal_error[0] ? l->normal_error : l->problem));
    }
    if (!l->is_lost)
        return TUT_SUCCESS;
    l->late = 0;
    command_child_stop(l->child);
    return command_child_start(l->child, l->words, err);
}

/* --- one after the other --- */
static void expose(lines *l, const odd_input *input, const char *what, tut_attack_result *ret)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%s: %s", input->name, what);
    const char *z = tut_buf_z(&text);
    if (z)
        tut_result_add_exposed(ret, &l->p->arena, UINT64_MAX, 1, z);
}

static tut_status try_one(lines *l, const odd_input *input, bool *ret_is_back,
                          tut_attack_result *ret, tut_error *err)
{
    char text[220];
    unsigned kind = (input->to & ODD_ROWS) && (l->kinds & ODD_ROWS) ? ODD_ROWS : ODD_TALK;
    uint64_t begun = tut_clock_ms();
    *ret_is_back = true;
    TUT_TRY(ask_odd(l, input, kind, err));
    l->asked++;
    l->slowest = fmax(l->slowest, (double)(tut_clock_ms() - begun));
    if (l->problem[0]) {
        tut_str_copy(text, sizeof(text), tut_str_of(l->problem));
    } else if (l->normal_error[0]) {
        (void)snprintf(text, sizeof(text), "afterwards a normal line: %s", l->normal_error);
    } else {
        l->refused += l->is_heard && l->is_refused;
        l->answered += l->is_heard && !l->is_refused;
        l->passed_over += !l->is_heard;
        return TUT_SUCCESS;
    }
    l->failures++;
    expose(l, input, text, ret);
    return l->is_lost || l->normal_error[0] ? begin_again(l, kind, ret_is_back, err) : TUT_SUCCESS;
}

static const char *why_cut(const lines *l, bool is_back)
{
    if (!is_back)
        return "the program did not come back: the lines behind the last one shown were not tried";
    if (l->late >= LATE_MOST)
        return "five lines were not answered in time: those behind the last one shown were not "
               "tried";
    if (tut_allowance_left(l->p->target->allowance, 2) < 2)
        return "the budget was spent before all lines were tried";
    return NULL;
}

static tut_status try_all(lines *l, tut_attack_result *ret, tut_error *err)
{
    bool is_back = true;
    l->late = 0;
    for (size_t i = 0; i < odd_input_count; i++) {
        if (!(odd_inputs[i].to & l->kinds))
            continue;
        ret->reason = why_cut(l, is_back);
        ret->was_cut = ret->reason != NULL;
        if (ret->was_cut)
            return TUT_SUCCESS;
        tut_probe_step(l->p, "odd lines", i, odd_input_count);
        TUT_TRY(try_one(l, &odd_inputs[i], &is_back, ret, err));
    }
    return TUT_SUCCESS;
}

static void report(const lines *l, tut_attack_result *ret)
{
    char budget[96];
    ret->rows = l->asked;
    ret->decisive = (tut_measure){"failures", (double)l->failures, NAN, NAN};
    tut_result_add(ret, "inputs", (double)l->asked, NAN, NAN);
    tut_result_add(ret, "answered", (double)l->answered, NAN, NAN);
    tut_result_add(ret, "refused", (double)l->refused, NAN, NAN);
    tut_result_add(ret, "passed_over", (double)l->passed_over, NAN, NAN);
    tut_result_add(ret, "failures", (double)l->failures, NAN, NAN);
    tut_result_add(ret, "slowest_ms", l->slowest, NAN, NAN);
    (void)snprintf(budget, sizeof(budget), "%llu lines, each followed by a normal one",
                   (unsigned long long)l->asked);
    ret->budget = tut_arena_copy(&l->p->arena, tut_str_of(budget));
}

static tut_status measure(lines *l, tut_attack_result *ret, tut_error *err)
{
    char why[200] = "", reason[260];
    const float *row = NULL;
    size_t width = 0;
    TUT_TRY(odd_marks_set(&l->marks, l->p, &row, &width, err));
    tut_buf_add_z(&l->marks.model, "\"model\"");
    TUT_TRY(try_kind(l, ODD_ROWS, why, sizeof(why), err));
    TUT_TRY(try_kind(l, ODD_TALK, why, sizeof(why), err));
    if (l->kinds == 0) {
        (void)snprintf(reason, sizeof(reason), "a normal line is not answered: %s", why);
        ret->reason = tut_arena_copy(&l->p->arena, tut_str_of(reason));
        return TUT_SUCCESS;
    }
    tut_status s = try_all(l, ret, err);
    ret->was_cut |= !tut_is_ok(s);
    if (l->asked > 0)
        report(l, ret);
    return s;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    lines l = {.p = p, .limit_ms = LIMIT_LEAST_MS};
    uint64_t before = p->target->allowance->queries;
    ret->metric = "failures";
    ret->decisive = (tut_measure){"failures", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness = "It tries a list of known oddities, at the program and not at what may stand "
                    "behind it.";
    l.child = tut_target_command_child(p->target, &l.words, &l.timeout_ms);
    if (!l.child) {
        ret->reason = "the target is no program that answers lines";
        return TUT_SUCCESS;
    }
    tut_status s = measure(&l, ret, err);
    ret->queries = p->target->allowance->queries - before;
    if (!tut_is_ok(s)) /* what it would still answer belongs to nobody */
        command_child_stop(l.child);
    odd_marks_done(&l.marks);
    return s;
}

const tut_attack tut_attack_odd_lines = {
    .probe = "odd-input",
    .name = "lines",
    .about = "Lines that no client of good will writes: each has to be answered, and the program "
             "to stay.",
    .source = "own list; for the JSON of it Seriot, Parsing JSON is a Minefield, 2016",
    .gives = TUT_GIVES_LINES,
    .needs = 0,
    .run = run,
};
