/* tutela guard score: one JSON line in, one out. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "cmd/command.h"
#include "detect/detect.h"

enum { READ_BYTES = 1 << 20, PARTS_MAX = 4096 };

static const tut_option options[] = {
    {"--weights", TUT_OPTION_VALUE, "FILE", "of guard fit, in place of those of the program"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct scoring {
    tut_detector *detector;
    tut_buf text; /* read and not yet scored */
    tut_buf out;
    uint64_t line;
    bool is_any_bad, is_any_found;
} scoring;

/* What a line comes to: the worst of its texts, with the reasons of each. */
typedef struct line_verdict {
    double score;
    tut_detect_action action;
    tut_json *j;
    size_t scored;
} line_verdict;

static void write_reasons(line_verdict *l, const tut_detect_verdict *v, const char *where)
{
    for (size_t i = 0; i < v->reason_count; i++) {
        tut_json_object(l->j);
        tut_json_put_z(l->j, "code", v->reasons[i].code);
        tut_json_put_z(l->j, "text", v->reasons[i].text);
        tut_json_put_u64(l->j, "offset", v->reasons[i].at);
        tut_json_put_z(l->j, "in", where);
        tut_json_end_object(l->j);
    }
}

static tut_status score_text(scoring *s, line_verdict *l, tut_detect_role role, tut_str text,
                             const char *where, tut_error *err)
{
    tut_detect_verdict v;
    TUT_TRY(tut_detect(s->detector, role, text, &v, err));
    l->scored += v.is_scored;
    l->score = v.score > l->score ? v.score : l->score;
    l->action = v.action > l->action ? v.action : l->action;
    write_reasons(l, &v, where);
    return TUT_SUCCESS;
}

/* "content": text, or parts with text in them; what is no text is named, not passed over. */
static tut_status score_content(scoring *s, line_verdict *l, tut_detect_role role,
                                const tut_json_value *content, const char *where, tut_error *err)
{
    if (content && content->type == TUT_JSON_STRING)
        return score_text(s, l, role, content->as.string, where, err);
    for (uint32_t i = 0; i < tut_json_count(content); i++) {
        const tut_json_value *part = tut_json_item(content, i);
        const tut_json_value *text = tut_json_get(part, "text");
        if (part->type == TUT_JSON_STRING)
            text = part;
        if (text && text->type == TUT_JSON_STRING) {
            TUT_TRY(score_text(s, l, role, text->as.string, where, err));
            continue;
        }
        tut_detect_verdict v = {.reason_count = 1, .reasons[0] = {.code = "not-scanned"}};
        tut_str type = tut_json_get_text(part, "type");
        (void)snprintf(v.reasons[0].text, sizeof(v.reasons[0].text),
                       "a part of type \"%.*s\" holds no text that can be scored",
                       (int)(type.len > 40 ? 40 : type.len), type.data ? type.data : "");
        l->action = l->action < TUT_ACTION_HOLD ? TUT_ACTION_HOLD : l->action;
        write_reasons(l, &v, where);
    }
    return TUT_SUCCESS;
}

/* --- what reaches the model beside the messages' text --- */
/* A name with its words apart: ignore_all_rules. */
static void add_name(tut_buf *to, tut_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        tut_buf_add_byte(to, (uint8_t)(c == '_' || c == '-' || c == '.' ? ' ' : c));
    }
    tut_buf_add_byte(to, '\n');
}

/* Every key and string of a value, a line each; the reader of JSON has bounded how deep they lie.
 */
static void add_strings(tut_buf *to, const tut_json_value *v)
{
    struct place {
        const tut_json_value *of;
        uint32_t next;
    } way[TUT_LIMIT_JSON_DEPTH + 1] = {{v, 0}};
    size_t depth = 1;
    while (depth) {
        struct place *p = &way[depth - 1];
        bool is_inner = p->of->type == TUT_JSON_OBJECT || p->of->type == TUT_JSON_ARRAY;
        if (p->next == 0 && p->of->key.len)
            add_name(to, p->of->key);
        if (p->of->type == TUT_JSON_STRING) {
            tut_buf_add_str(to, p->of->as.string);
            tut_buf_add_byte(to, '\n');
        }
        if (!is_inner || p->next == tut_json_count(p->of) || depth > TUT_LIMIT_JSON_DEPTH) {
            depth--;
            continue;
        }
        way[depth++] = (struct place){tut_json_item(p->of, p->next++), 0};
    }
}

/* "arguments" are JSON in a string; what is none is text as it is. */
static tut_status score_arguments(scoring *s, line_verdict *l, const tut_json_value *function,
                                  const char *where, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const tut_json_value *arguments = tut_json_get(function, "arguments");
    tut_str given = tut_json_text(arguments);
    add_name(&text, tut_json_get_text(function, "name"));
    if (arguments && given.len == 0)
        add_strings(&text, arguments);
    else if (tut_is_ok(tut_json_parse(tut_span_of(given.data, given.len), NULL, &doc, NULL)))
        add_strings(&text, tut_json_root(doc));
    else
        tut_buf_add_str(&text, given);
    TUT_TRY(tut_buf_check(&text, err));
    return text.len > 1 ? score_text(s, l, TUT_DETECT_TOOL, tut_buf_str(&text), where, err)
                        : TUT_SUCCESS;
}

/* What a model was made to call may be what somebody else wanted it to. */
static tut_status score_calls(scoring *s, line_verdict *l, const tut_json_value *message,
                              uint32_t index, tut_error *err)
{
    const tut_json_value *calls = tut_json_get(message, "tool_calls");
    const tut_json_value *one = tut_json_get(message, "function_call");
    char where[64];
    for (uint32_t i = 0; i < tut_json_count(calls); i++) {
        const tut_json_value *call = tut_json_item(calls, i), *f = tut_json_get(call, "function");
        (void)snprintf(where, sizeof(where), "messages[%u] tool_calls[%u]", index, i);
        TUT_TRY(score_arguments(s, l, f ? f : call, where, err));
    }
    (void)snprintf(where, sizeof(where), "messages[%u] function_call", index);
    return one ? score_arguments(s, l, one, where, err) : TUT_SUCCESS;
}

/* Names, descriptions and schemas, which the model reads as much as any text. */
static tut_status score_tools(scoring *s, line_verdict *l, const tut_json_value *tools,
                              const char *list, tut_error *err)
{
    char where[48];
    for (uint32_t i = 0; i < tut_json_count(tools); i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        const tut_json_value *tool = tut_json_item(tools, i), *f = tut_json_get(tool, "function");
        f = f ? f : tool;
        (void)snprintf(where, sizeof(where), "%s[%u] name", list, i);
        add_name(&text, tut_json_get_text(f, "name"));
        TUT_TRY(tut_buf_check(&text, err));
        TUT_TRY(score_text(s, l, TUT_DETECT_DOCUMENT, tut_buf_str(&text), where, err));
        (void)snprintf(where, sizeof(where), "%s[%u] description", list, i);
        TUT_TRY(
            score_content(s, l, TUT_DETECT_DOCUMENT, tut_json_get(f, "description"), where, err));
        const tut_json_value *schema = tut_json_get(f, "parameters");
        if (!schema)
            continue;
        tut_buf_clear(&text);
        add_strings(&text, schema);
        TUT_TRY(tut_buf_check(&text, err));
        (void)snprintf(where, sizeof(where), "%s[%u] parameters", list, i);
        TUT_TRY(score_text(s, l, TUT_DETECT_DOCUMENT, tut_buf_str(&text), where, err));
    }
    return TUT_SUCCESS;
}

static tut_status score_message(scoring *s, line_verdict *l, const tut_json_value *m,
                                uint32_t index, tut_error *err)
{
    tut_str role_name = tut_json_get_text(m, "role"), name = tut_json_get_text(m, "name");
    tut_detect_role role;
    char where[48];
    if (!tut_detect_role_of(role_name, &role))
        return tut_fail(err, TUT_MALFORMED, "message %u has a role that is not known: \"%.*s\"",
                        index, (int)(role_name.len > 40 ? 40 : role_name.len),
                        role_name.data ? role_name.data : "");
    (void)snprintf(where, sizeof(where), "messages[%u] %s", index, tut_detect_role_name(role));
    TUT_TRY(score_content(s, l, role, tut_json_get(m, "content"), where, err));
    if (name.len) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        add_name(&text, name);
        TUT_TRY(tut_buf_check(&text, err));
        (void)snprintf(where, sizeof(where), "messages[%u] name", index);
        TUT_TRY(score_text(s, l, TUT_DETECT_DOCUMENT, tut_buf_str(&text), where, err));
    }
    return score_calls(s, l, m, index, err);
}

static tut_status score_request(scoring *s, line_verdict *l, const tut_json_value *request,
                                tut_error *err)
{
    const tut_json_value *messages = tut_json_get(request, "messages");
    if (!messages || messages->type != TUT_JSON_ARRAY)
        return tut_fail(err, TUT_MALFORMED, "\"request\" has no \"messages\"");
    if (tut_json_count(messages) > PARTS_MAX)
        return tut_fail(err, TUT_LIMIT, "a request may have %d messages", PARTS_MAX);
    for (uint32_t i = 0; i < tut_json_count(messages); i++)
        TUT_TRY(score_message(s, l, tut_json_item(messages, i), i, err));
    TUT_TRY(score_tools(s, l, tut_json_get(request, "tools"), "tools", err));
    return score_tools(s, l, tut_json_get(request, "functions"), "functions", err);
}

static tut_status score_object(scoring *s, line_verdict *l, const tut_json_value *v, tut_error *err)
{
    const tut_json_value *request = tut_json_get(v, "request"), *text = tut_json_get(v, "text");
    tut_str name = tut_json_get_text(v, "role");
    tut_detect_role role;
    if (request)
        return score_request(s, l, request, err);
    if (!text || text->type != TUT_JSON_STRING)
        return tut_fail(err, TUT_MALFORMED, "it has neither \"text\" nor \"request\"");
    if (!tut_detect_role_of(name, &role))
        return tut_fail(err, TUT_MALFORMED,
                        "\"role\" is none of user, system, tool, document, assistant");
    return score_text(s, l, role, text->as.string, tut_detect_role_name(role), err);
}

static void write_id(tut_json *j, const tut_json_value *v, uint64_t line)
{
    const tut_json_value *id = tut_json_get(v, "id");
    if (id && id->type == TUT_JSON_INT)
        tut_json_put_int(j, "id", id->as.integer);
    else if (id && id->type == TUT_JSON_STRING)
        tut_json_put_str(j, "id", id->as.string);
    else {
        tut_json_key(j, "id");
        tut_json_null(j);
    }
    tut_json_put_u64(j, "line", line);
}

static tut_status write_line(scoring *s, tut_str line, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_AUTO(tut_json) j = NULL;
    tut_error why = {0};
    TUT_TRY(tut_json_new(&s->out, &j));
    line_verdict l = {.j = j};
    tut_status status = tut_json_parse(tut_span_of(line.data, line.len), NULL, &doc, &why);
    const tut_json_value *root = tut_is_ok(status) ? tut_json_root(doc) : NULL;
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.score/1");
    write_id(j, root, s->line);
    tut_json_key(j, "reasons");
    tut_json_array(j);
    if (tut_is_ok(status))
        status = score_object(s, &l, root, &why);
    tut_json_end_array(j);
    if (status.code == TUT_NOMEM || status.code == TUT_BUG)
        return tut_fail(err, status.code, "%s", why.text);
    if (!tut_is_ok(status)) { /* what could not be looked at does not pass */
        tut_json_put_z(j, "error", why.text);
        l.action = TUT_ACTION_BLOCK;
        s->is_any_bad = true;
    }
    s->is_any_found |= tut_is_ok(status) && l.action != TUT_ACTION_ALLOW;
    tut_json_key(j, "score");
    if (tut_is_ok(status))
        tut_json_real(j, l.score);
    else
        tut_json_null(j);
    tut_json_put_bool(j, "scored", l.scored > 0);
    tut_json_put_z(j, "action", tut_detect_action_name(l.action));
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(&s->out, "\n");
    return tut_buf_check(&s->out, err);
}

static tut_status take_line(scoring *s, tut_str line, tut_error *err)
{
    s->line++;
    line = tut_str_trim(line);
    return line.len ? write_line(s, line, err) : TUT_SUCCESS;
}

static tut_status take_lines(scoring *s, bool is_end, tut_error *err)
{
    tut_str rest = tut_buf_str(&s->text);
    const char *end;
    while ((end = rest.len ? memchr(rest.data, '\n', rest.len) : NULL)) {
        size_t len = (size_t)(end - rest.data);
        TUT_TRY(take_line(s, (tut_str){rest.data, len}, err));
        rest = (tut_str){end + 1, rest.len - len - 1};
    }
    if (is_end && rest.len) {
        TUT_TRY(take_line(s, rest, err));
        rest.len = 0;
    }
    if (rest.len > TUT_LIMIT_JSON_BYTES)
        return tut_fail(err, TUT_LIMIT, "line %llu is longer than %u bytes",
                        (unsigned long long)s->line + 1, TUT_LIMIT_JSON_BYTES);
    if (rest.len)
        memmove(s->text.data, rest.data, rest.len);
    s->text.len = rest.len;
    if (tut_cmd_output(&s->out, 0) != 0)
        return tut_fail(err, TUT_IO, "the output cannot be written");
    tut_buf_clear(&s->out);
    return TUT_SUCCESS;
}

static tut_status take_all(scoring *s, int fd, tut_error *err)
{
    for (;;) {
        size_t before = s->text.len;
        uint8_t *to = tut_buf_extend(&s->text, READ_BYTES);
        if (!to)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        ssize_t got = read(fd, to, READ_BYTES);
        s->text.len = before + (got > 0 ? (size_t)got : 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tut_fail_errno(err, errno, "cannot be read");
        TUT_TRY(take_lines(s, got == 0, err));
        if (got == 0)
            return TUT_SUCCESS;
    }
}

static tut_status open_model(const tut_args *args, tut_model **ret_model, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    const char *path = tut_args_get(args, "--weights");
    if (!path)
        return tut_model_builtin(ret_model, err);
    TUT_TRY(tut_fs_read(path, TUT_MODEL_BYTES_MAX, &bytes, err));
    tut_status status = tut_model_read(tut_buf_span(&bytes), ret_model, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

static tut_status score_all(const tut_args *args, scoring *s, tut_error *err)
{
    TUT_AUTO(tut_model) model = NULL;
    const char *path = args->positional_count ? args->positional[0] : "-";
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        tut_error_set_path(err, path);
        return tut_fail_errno(err, errno, "cannot be opened");
    }
    tut_status status = open_model(args, &model, err);
    if (tut_is_ok(status))
        status = tut_detector_new(model, &s->detector, err);
    if (tut_is_ok(status))
        status = take_all(s, fd, err);
    tut_detector_free(s->detector);
    if (fd != STDIN_FILENO)
        (void)close(fd);
    return status;
}

static int run(const tut_args *args)
{
    scoring s = {0};
    tut_error err = {0};
    tut_status status = score_all(args, &s, &err);
    tut_buf_done(&s.text);
    tut_buf_done(&s.out);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return s.is_any_found ? TUT_EXIT_FOUND : s.is_any_bad ? TUT_EXIT_FAILED : TUT_EXIT_OK;
}

const tut_command tut_cmd_guard_score = {
    .name = "guard score",
    .arguments = "[FILE | -]",
    .summary = "Score texts for injected instructions, by where they come from",
    .help = "Each line is {\"id\", \"role\", \"text\"}, role user, system, tool, document or "
            "assistant, or {\"id\", "
            "\"request\"} with a whole chat request: its messages, the arguments of calls, and the "
            "names, descriptions and schemas of tools. One object a line comes out: score (0.5 is "
            "what one clean "
            "text in a hundred reaches, 0.9 one in a thousand), action (flag user text, hold data, "
            "block) "
            "and reasons. A line that cannot be understood has \"error\" and action block. Exit 1: "
            "something "
            "was not allowed; 2: a line was not understood.",
    .formats = "table json jsonl",
    .options = options,
    .most = 1,
    .run = run,
};
