/*
 * Targets, samples and attacks for scripts, one JSON object on standard output:
 *   probe_tool sample PATH [OPTION=VALUE...]
 *   probe_tool predict PLACE data=PATH [OPTION=VALUE...]
 *   probe_tool ask PLACE asks=FILE [OPTION=VALUE...]    a line: {"messages":…,"tools":…,…}
 *   probe_tool attack PROBE/NAME PLACE [OPTION=VALUE...]
 * Options: label names scale most seed; model key-file ca-file authorised journal concurrency
 * per-second timeout tries batch classes queries-most price; repeat (predict); failure size
 * queries; texts=FILE (JSON: the members of tut_texts). Exit 0, or 1 with "CODE: PATH: text" on
 * stderr.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "base/time.h"
#include "probe/attack.h"

enum { NAMES_MAX = 64, FILE_MAX = 64 << 20 };

static char **options;
static size_t option_count;

static const char *option(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < option_count; i++)
        if (strncmp(options[i], name, len) == 0 && options[i][len] == '=')
            return options[i] + len + 1;
    return NULL;
}

static double number(const char *name)
{
    const char *text = option(name);
    return text ? strtod(text, NULL) : 0;
}

static tut_status read_sample(const char *path, tut_sample **ret, tut_error *err)
{
    static const char *names[NAMES_MAX];
    size_t count = 0;
    char *list = tut_strdup(option("names") ? option("names") : "");
    char *rest = list;
    for (char *name = strsep(&rest, ","); name && *name && count < NAMES_MAX;
         name = strsep(&rest, ","))
        names[count++] = name;
    const tut_sample_wish wish = {.path = path,
                                  .label = option("label"),
                                  .names = names,
                                  .name_count = count,
                                  .most = (size_t)number("most"),
                                  .seed = (uint64_t)number("seed"),
                                  .scale = number("scale")};
    tut_status s = tut_sample_read(&wish, ret, err);
    tut_free(list);
    return s;
}

static tut_allowance allowance;

static tut_status open_target(const char *place, tut_target **ret, tut_error *err)
{
    allowance = (tut_allowance){.queries_most = (uint64_t)number("queries-most"),
                                .price_query = number("price")};
    const tut_target_wish wish = {.place = place,
                                  .model = option("model"),
                                  .key_file = option("key-file"),
                                  .ca_file = option("ca-file"),
                                  .authorised_by = option("authorised"),
                                  .journal = option("journal"),
                                  .concurrency = (uint32_t)number("concurrency"),
                                  .per_second = number("per-second"),
                                  .timeout_ms = (uint32_t)number("timeout"),
                                  .tries = (uint32_t)number("tries"),
                                  .batch = (uint32_t)number("batch"),
                                  .classes = (size_t)number("classes"),
                                  .allowance = &allowance};
    return tut_target_open(&wish, ret, err);
}

static double cpu_seconds(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void put_allowance(tut_json *j)
{
    tut_json_put_u64(j, "queries", allowance.queries);
    tut_json_put_u64(j, "refused", allowance.refused);
    tut_json_put_u64(j, "failed", allowance.failed);
    tut_json_put_u64(j, "from_journal", allowance.from_journal);
    tut_json_put_u64(j, "tokens_in", allowance.tokens_in);
    tut_json_put_u64(j, "tokens_out", allowance.tokens_out);
    tut_json_put_real(j, "money", allowance.money);
    tut_json_put_real(j, "cpu", cpu_seconds());
}

static void put_about(tut_json *j, const tut_target *t)
{
    const tut_target_facts *f = tut_target_about(t);
    tut_json_put_z(j, "kind", f->kind);
    tut_json_put_z(j, "shown", f->shown);
    tut_json_put_u64(j, "gives", f->gives);
    tut_json_put_u64(j, "width", f->width);
    tut_json_put_u64(j, "classes", f->classes);
    tut_json_put_bool(j, "is_unstable", f->is_unstable);
}

static void put_status(tut_json *j, tut_status s, const tut_error *err)
{
    tut_json_put_z(j, "status", tut_code_name(s.code));
    if (!tut_is_ok(s))
        tut_json_put_z(j, "error", err->text);
}

static tut_status show_sample(const char *path, tut_json *j, tut_error *err)
{
    TUT_AUTO(tut_sample) s = NULL;
    TUT_TRY(read_sample(path, &s, err));
    tut_json_put_u64(j, "count", s->count);
    tut_json_put_u64(j, "width", s->width);
    tut_json_put_u64(j, "classes", s->classes);
    tut_json_put_u64(j, "left_out", s->left_out);
    tut_json_key(j, "class_names");
    tut_json_array(j);
    for (size_t i = 0; i < s->classes; i++)
        tut_json_z(j, s->class_names[i]);
    tut_json_end_array(j);
    tut_json_key(j, "columns");
    tut_json_array(j);
    for (size_t i = 0; i < s->width && i < 16; i++)
        tut_json_z(j, s->columns[i].name);
    tut_json_end_array(j);
    tut_json_key(j, "first");
    tut_json_array(j);
    for (size_t i = 0; i < s->width && i < 16; i++)
        tut_json_real(j, s->rows[i]);
    tut_json_end_array(j);
    if (s->labels)
        tut_json_put_u64(j, "first_label", s->labels[0]);
    return TUT_SUCCESS;
}

static void put_predictions(tut_json *j, const tut_predictions *p)
{
    tut_json_put_z(j, "problem", p->problem);
    tut_json_key(j, "answered");
    tut_json_array(j);
    for (size_t i = 0; i < p->count && i < 2000; i++)
        tut_json_int(j, p->answered[i]);
    tut_json_end_array(j);
    tut_json_key(j, "values");
    tut_json_array(j);
    for (size_t i = 0; p->values && i < p->count * p->classes && i < 4000; i++)
        tut_json_real(j, p->values[i]);
    tut_json_end_array(j);
}

static tut_status show_predictions(const char *place, tut_json *j, tut_error *err)
{
    TUT_AUTO(tut_sample) s = NULL;
    TUT_AUTO(tut_target) t = NULL;
    TUT_CLEAN(tut_predictions) p = {.count = 0};
    unsigned repeat = option("repeat") ? (unsigned)number("repeat") : 1;
    TUT_TRY(read_sample(option("data"), &s, err));
    TUT_TRY(open_target(place, &t, err));
    uint64_t begun = tut_clock_ms();
    double cpu = cpu_seconds();
    tut_status status = TUT_SUCCESS;
    for (unsigned i = 0; tut_is_ok(status) && i < repeat; i++) {
        tut_predictions_done(&p);
        status = tut_target_predict(t, s->rows, s->count, s->width, 0, &p, err);
    }
    put_status(j, status, err);
    tut_json_put_u64(j, "ms", tut_clock_ms() - begun);
    tut_json_put_real(j, "cpu_asking", cpu_seconds() - cpu);
    put_about(j, t);
    put_predictions(j, &p);
    return TUT_SUCCESS;
}

/* --- texts --- */
typedef struct asks {
    tut_buf text;
    tut_json_doc **docs;
    tut_asked *asked;
    tut_buf *parts;
    size_t count, capacity;
} asks;

static tut_str as_json(const tut_json_value *v)
{
    return v && v->type == TUT_JSON_STRING ? tut_json_text(v) : (tut_str){NULL, 0};
}

/* The values of messages and tools are JSON texts in strings. */
static tut_status add_ask(asks *a, tut_str line, tut_error *err)
{
    tut_json_doc *doc = NULL;
    TUT_TRY(tut_json_parse(tut_span_of(line.data, line.len), NULL, &doc, err));
    const tut_json_value *v = tut_json_root(doc);
    a->docs = tut_realloc_array(a->docs, a->count + 1, sizeof(*a->docs));
    a->asked = tut_realloc_array(a->asked, a->count + 1, sizeof(*a->asked));
    a->docs[a->count] = doc;
    a->asked[a->count++] = (tut_asked){.messages = as_json(tut_json_get(v, "messages")),
                                       .tools = as_json(tut_json_get(v, "tools")),
                                       .max_tokens = (uint32_t)tut_json_get_int(v, "max_tokens", 0),
                                       .wants_logprobs = tut_json_get_bool(v, "logprobs", false),
                                       .wants_echo = tut_json_get_bool(v, "echo", false),
                                       .seed = (uint64_t)tut_json_get_int(v, "seed", 0)};
    return TUT_SUCCESS;
}

static tut_status read_asks(const char *path, asks *a, tut_error *err)
{
    TUT_TRY(tut_fs_read(path, FILE_MAX, &a->text, err));
    tut_str rest = tut_buf_str(&a->text);
    size_t at = 0;
    while (tut_str_find(rest, TUT_LIT("\n"), &at)) {
        TUT_TRY(add_ask(a, (tut_str){rest.data, at}, err));
        rest = (tut_str){rest.data + at + 1, rest.len - at - 1};
    }
    return TUT_SUCCESS;
}

static void put_said(tut_json *j, const tut_said *s)
{
    tut_json_object(j);
    tut_json_put_int(j, "answered", s->answered);
    tut_json_put_int(j, "http", s->status);
    tut_json_put_str(j, "text", s->text);
    tut_json_put_str(j, "reason", s->reason);
    tut_json_put_u64(j, "tokens_in", s->tokens_in);
    tut_json_put_u64(j, "tokens_out", s->tokens_out);
    tut_json_key(j, "calls");
    tut_json_array(j);
    for (size_t i = 0; i < s->call_count; i++) {
        tut_json_str(j, s->calls[i].name);
        tut_json_str(j, s->calls[i].arguments);
    }
    tut_json_end_array(j);
    tut_json_key(j, "logprobs");
    tut_json_array(j);
    for (size_t i = 0; i < s->logprob_count; i++)
        tut_json_real(j, s->logprobs[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static tut_status show_asked(const char *place, tut_json *j, tut_error *err)
{
    static asks a;
    TUT_AUTO(tut_target) t = NULL;
    TUT_TRY(read_asks(option("asks"), &a, err));
    TUT_TRY(open_target(place, &t, err));
    TUT_AUTO_FREE tut_said *said = tut_alloc_array(a.count + 1, sizeof(*said));
    tut_status status = tut_target_ask(t, a.asked, a.count, said, err);
    put_status(j, status, err);
    put_about(j, t);
    tut_json_key(j, "said");
    tut_json_array(j);
    for (size_t i = 0; i < a.count; i++) {
        put_said(j, &said[i]);
        tut_said_done(&said[i]);
        tut_json_doc_free(a.docs[i]);
    }
    tut_json_end_array(j);
    tut_free(a.docs);
    tut_free(a.asked);
    tut_buf_done(&a.text);
    return TUT_SUCCESS;
}

/* --- attacks --- */
static const tut_attack *find_attack(const char *name)
{
    for (size_t i = 0; tut_attacks[i]; i++) {
        const char *slash = strchr(name, '/');
        size_t len = slash ? (size_t)(slash - name) : strlen(name);
        if (slash && strlen(tut_attacks[i]->probe) == len &&
            strncmp(tut_attacks[i]->probe, name, len) == 0 &&
            strcmp(tut_attacks[i]->name, slash + 1) == 0)
            return tut_attacks[i];
    }
    return NULL;
}

static void put_result(tut_json *j, const tut_attack_result *r)
{
    tut_json_put_z(j, "metric", r->metric);
    tut_json_put_real(j, "value", r->decisive.value);
    tut_json_put_real(j, "low", r->decisive.low);
    tut_json_put_real(j, "high", r->decisive.high);
    tut_json_put_u64(j, "sent", r->queries);
    tut_json_put_u64(j, "rows", r->rows);
    tut_json_put_z(j, "budget", r->budget);
    tut_json_put_z(j, "reason", r->reason);
    tut_json_put_z(j, "weakness", r->weakness);
    tut_json_put_bool(j, "was_cut", r->was_cut);
    tut_json_key(j, "measures");
    tut_json_object(j);
    for (size_t i = 0; i < r->measure_count; i++)
        tut_json_put_real(j, r->measures[i].name, r->measures[i].value);
    tut_json_end_object(j);
    tut_json_key(j, "curves");
    tut_json_array(j);
    for (size_t i = 0; i < r->curve_count; i++) {
        const tut_curve *c = &r->curves[i];
        tut_json_object(j);
        tut_json_put_z(j, "name", c->name);
        tut_json_put_u64(j, "points", c->count);
        tut_json_put_real(j, "x", c->xs[c->count - 1]);
        tut_json_put_real(j, "y", c->ys[c->count - 1]);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "exposed");
    tut_json_array(j);
    for (size_t i = 0; i < r->exposed_count; i++)
        tut_json_z(j, r->exposed[i].text);
    tut_json_end_array(j);
}

/* Copies, for as long as the program runs. */
static tut_status read_texts(const char *path, tut_texts *ret, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_buf) file = TUT_BUF_INIT;
    const struct {
        const char *key;
        const char **to;
    } members[] = {{"system", &ret->system},       {"tools", &ret->tools},
                   {"canaries", &ret->canaries},   {"link_hosts", &ret->link_hosts},
                   {"questions", &ret->questions}, {"result", &ret->result},
                   {"documents", &ret->documents}};
    TUT_TRY(tut_fs_read(path, FILE_MAX, &file, err));
    TUT_TRY(tut_json_parse(tut_buf_span(&file), NULL, &doc, err));
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        tut_str text = tut_json_get_text(tut_json_root(doc), members[i].key);
        if (text.len)
            *members[i].to = tut_strndup(text.data, text.len);
    }
    return TUT_SUCCESS;
}

static tut_status show_attack(const char *name, const char *place, tut_json *j, tut_error *err)
{
    TUT_AUTO(tut_sample) s = NULL;
    TUT_AUTO(tut_target) t = NULL;
    tut_attack_result r = {.baseline = NAN};
    const tut_attack *attack = find_attack(name);
    if (!attack)
        return tut_fail(err, TUT_USAGE, "no attack %s", name);
    if (option("data"))
        TUT_TRY(read_sample(option("data"), &s, err));
    TUT_TRY(open_target(place, &t, err));
    tut_probe p = {.target = t,
                   .others = s,
                   .seed = (uint64_t)number("seed"),
                   .size = number("size"),
                   .failure = option("failure"),
                   .steps = (uint32_t)number("steps")};
    p.queries_a_row = (uint64_t)number("queries");
    if (option("texts"))
        TUT_TRY(read_texts(option("texts"), &p.texts, err));
    tut_arena_init(&p.arena, 0);
    tut_status status = attack->run(&p, &r, err);
    put_status(j, status, err);
    put_result(j, &r);
    tut_arena_done(&p.arena);
    return TUT_SUCCESS;
}

static tut_status run(int argc, char **argv, tut_json *j, tut_error *err)
{
    const char *what = argc > 2 ? argv[1] : "";
    options = argv + 3;
    option_count = argc > 3 ? (size_t)argc - 3 : 0;
    if (strcmp(what, "sample") == 0)
        return show_sample(argv[2], j, err);
    if (strcmp(what, "predict") == 0 && option("data"))
        return show_predictions(argv[2], j, err);
    if (strcmp(what, "ask") == 0 && option("asks"))
        return show_asked(argv[2], j, err);
    if (strcmp(what, "attack") == 0 && argc > 3)
        return show_attack(argv[2], argv[3], j, err);
    return tut_fail(err, TUT_USAGE, "see the head of probe_tool.c");
}

int main(int argc, char **argv)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    tut_error err = {.code = TUT_OK};
    tut_interrupt_install();
    if (!tut_is_ok(tut_json_new(&out, &j)))
        return 1;
    tut_json_object(j);
    tut_status s = run(argc, argv, j, &err);
    if (!tut_is_ok(s)) {
        (void)fprintf(stderr, "%s: %s: %s\n", tut_code_name(s.code), err.path, err.text);
        return 1;
    }
    put_allowance(j);
    tut_json_end_object(j);
    if (!tut_is_ok(tut_json_finish(j, &err))) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    (void)printf("%.*s\n", (int)out.len, (const char *)out.data);
    return 0;
}
