#include "scan/exam_text.h"

#include <stdio.h>
#include <string.h>

#include "formats/text.h"

/* Made before the workers are, which come by it as they are forked. */
static tut_text_set *shared_set;
static const tut_text_user *shared_user;
static char shared_problem[TUT_ERROR_TEXT_MAX];
static tut_text_scanner *worker_scanner; /* one process, one task at a time */
static bool is_lent;                     /* to an artefact that is still being read */

const char *tut_exam_text_prepare(const tut_text_user *user)
{
    tut_error err = {0};
    if (user != shared_user) {
        tut_text_set_free(shared_set);
        shared_set = NULL;
        shared_user = user;
    }
    if (!shared_set && !tut_is_ok(tut_text_set_open(shared_user, &shared_set, &err)))
        tut_str_copy(shared_problem, sizeof(shared_problem), tut_str_of(err.text));
    return shared_set ? NULL : shared_problem;
}

static tut_status borrow(tut_text_scanner **ret_scanner, tut_error *err)
{
    if (is_lent)
        return tut_text_scanner_new(shared_set, ret_scanner, err);
    if (!worker_scanner)
        TUT_TRY(tut_text_scanner_new(shared_set, &worker_scanner, err));
    is_lent = true;
    *ret_scanner = worker_scanner;
    return TUT_SUCCESS;
}

static void give_back(tut_text_scanner *s)
{
    if (s == worker_scanner)
        is_lent = false;
    else
        tut_text_scanner_free(s);
}

/* --- what is wanted of which artefact --- */
static const unsigned of_people = TUT_TEXT_CLASS_BIT(TUT_TEXT_FINANCIAL) |
                                  TUT_TEXT_CLASS_BIT(TUT_TEXT_IDENTIFIER);

enum {
    BINARY_BYTES = 4 << 20, /* of what is no text: metadata lies at the beginning */
    MANY = 3,               /* accounts and numbers of people: more is no accident */
    MANY_CONTACTS = 50
};

static bool is_named(const tut_format *format, const char *names)
{
    return format && tut_sniff_ext(&(tut_sniff){.name = tut_str_of(format->name)}, names);
}

static bool is_utf16(const tut_sniff *s)
{
    const uint8_t *c = s->head.data;
    if (s->head.len < 8)
        return false;
    bool has_mark = (c[0] == 0xff && c[1] == 0xfe) || (c[0] == 0xfe && c[1] == 0xff);
    bool is_little = !c[1] && !c[3] && !c[5] && c[0] && c[2] && c[4];
    bool is_big = !c[0] && !c[2] && !c[4] && c[1] && c[3] && c[5];
    return has_mark || is_little || is_big;
}

/* Archives and compressed files: what is in them is looked at by itself. */
static bool is_container(const tut_frame *f)
{
    return f->format && (f->format->kind == TUT_KIND_NONE || is_named(f->format, "torch-zip npz"));
}

static unsigned wanted(const tut_frame *f, bool is_text)
{
    if (!is_text)
        return TUT_TEXT_CLASS_BIT(TUT_TEXT_PROVIDER_KEY) |
               TUT_TEXT_CLASS_BIT(TUT_TEXT_PRIVATE_KEY) |
               (f->format && f->format->kind == TUT_KIND_MODEL ? of_people : 0);
    if (!f->format || is_named(f->format, "lock"))
        return TUT_TEXT_SECRETS;
    switch (f->format->kind) {
    case TUT_KIND_PROMPT:
        return TUT_TEXT_SECRETS | of_people | TUT_TEXT_CLASS_BIT(TUT_TEXT_CONTACT);
    case TUT_KIND_CONFIG:
    case TUT_KIND_CODE:
    case TUT_KIND_SERVICE:
    case TUT_KIND_DOCUMENT:
        return TUT_TEXT_SECRETS | of_people;
    case TUT_KIND_DATASET: /* whether people may be in it is what vetting a data set asks */
    case TUT_KIND_MODEL:
    case TUT_KIND_NONE:
        break;
    }
    return TUT_TEXT_SECRETS;
}

/* --- telling --- */
static const struct {
    const char *rule;
    const char *what; /* several of them */
} classes[] = {
    [TUT_TEXT_PROVIDER_KEY] = {"secret.provider-key", ""},
    [TUT_TEXT_PRIVATE_KEY] = {"secret.private-key", ""},
    [TUT_TEXT_GENERIC] = {"secret.generic", ""},
    [TUT_TEXT_FINANCIAL] = {"personal.financial", "numbers of cards and accounts"},
    [TUT_TEXT_IDENTIFIER] = {"personal.identifier", "numbers of people"},
    [TUT_TEXT_CONTACT] = {"personal.contact", "e-mail addresses and telephone numbers"},
    [TUT_TEXT_NETWORK] = {NULL, ""},
};

static uint64_t hash_of(const tut_text_match *m)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *c = m->id; *c; c++)
        h = (h ^ (uint8_t)*c) * 0x100000001b3u;
    for (const char *c = m->shown; *c; c++)
        h = (h ^ (uint8_t)*c) * 0x100000001b3u;
    return h | 1;
}

static void describe(const tut_text_match *m, const char *where, tut_buf *line)
{
    tut_buf_printf(line, "%s%s %s%s", m->is_user_rule ? "rule " : "", m->label, m->shown,
                   m->proof == TUT_TEXT_BY_CHECKSUM ? ", its check digits hold" : "");
    if (m->decoded)
        tut_buf_printf(line, ", inside %s", m->decoded);
    tut_buf_printf(line, ", %s", where);
}

static void add(tut_frame *f, const tut_text_match *m, int severity, uint64_t subject, tut_str line,
                bool has_offset)
{
    if (f->run->request->facts_only)
        return;
    tut_finding_seed seed = {.rule = classes[m->type].rule,
                             .severity = severity,
                             .message = line,
                             .location = f->location,
                             .offset = has_offset ? m->begin : TUT_NO_OFFSET,
                             .subject = subject};
    tut_frame_note(f->run, tut_report_add(f->run->report, &seed));
}

static bool on_match(void *ctx, const tut_text_match *m)
{
    tut_frame_text *t = ctx;
    if (!tut_text_is_secret(m->type)) {
        if (t->counts[m->type]++ == 0)
            t->first[m->type] = *m;
        return true;
    }
    char where[48];
    bool is_binary = !(t->classes >> TUT_TEXT_GENERIC & 1u);
    if (is_binary)
        (void)snprintf(where, sizeof(where), "at byte %llu", (unsigned long long)m->begin);
    else
        (void)snprintf(where, sizeof(where), "line %llu", (unsigned long long)m->line);
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    describe(m, where, &line);
    add(t->f, m, m->is_user_rule ? TUT_SEVERITY_HIGH : -1, hash_of(m), tut_buf_str(&line), true);
    return true;
}

static void tell_counted(tut_frame_text *t)
{
    for (int c = TUT_TEXT_FINANCIAL; c <= TUT_TEXT_CONTACT; c++) {
        size_t n = t->counts[c];
        const tut_text_match *m = &t->first[c];
        if (n == 0)
            continue;
        char where[48];
        bool is_model = !(t->classes >> TUT_TEXT_GENERIC & 1u);
        (void)snprintf(where, sizeof(where), is_model ? "at byte %llu" : "line %llu",
                       (unsigned long long)(is_model ? m->begin : m->line));
        TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
        if (n > 1)
            tut_buf_printf(&line, "%zu %s; the first: ", n, classes[c].what);
        describe(m, where, &line);
        /* Whoever loads a model is handed its metadata, and nobody expects people in it. */
        bool is_many = is_model || n >= (c == TUT_TEXT_CONTACT ? MANY_CONTACTS : MANY);
        add(t->f, m, is_many ? TUT_SEVERITY_MEDIUM : -1, 0, tut_buf_str(&line), true);
    }
}

/* --- reading --- */
static tut_status feed_source(tut_text_scanner *s, const tut_source *source, uint64_t most,
                              tut_error *err)
{
    TUT_AUTO(tut_stream) stream = NULL;
    TUT_TRY(tut_stream_open_source(source, &stream));
    while (most > 0) {
        tut_span some;
        TUT_TRY(tut_stream_peek_some(stream, TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            return TUT_SUCCESS;
        size_t n = some.len < most ? some.len : (size_t)most;
        TUT_TRY(tut_text_feed(s, tut_span_of(some.data, n), err));
        TUT_TRY(tut_stream_skip(stream, n));
        most -= n;
    }
    return TUT_SUCCESS;
}

static tut_status pull_through(void *ctx, uint8_t *to, size_t cap, size_t *ret_got, tut_error *err)
{
    tut_frame_text *t = ctx;
    tut_span some;
    const char *why = NULL;
    TUT_TRY(tut_stream_peek_some(t->from, cap, &some));
    *ret_got = some.len;
    if (some.len == 0) {
        tut_code code = tut_stream_failure(t->from, &why);
        return code == TUT_OK ? TUT_SUCCESS : tut_fail(err, code, "%s", why);
    }
    memcpy(to, some.data, some.len);
    TUT_TRY(tut_text_feed(t->scanner, some, err));
    return tut_stream_skip(t->from, some.len);
}

static tut_status feed_head(tut_text_scanner *s, tut_stream *stream, tut_error *err)
{
    tut_span head;
    TUT_TRY(tut_stream_peek_some(stream, TUT_LIMIT_PEEK_BYTES, &head));
    return tut_text_feed(s, head, err);
}

/* The end of the text: tells what was counted, and lets the scanner go. */
static tut_status finish(tut_frame_text *t, tut_error *err)
{
    tut_status status = tut_text_end(t->scanner, err);
    tell_counted(t);
    give_back(t->scanner);
    t->scanner = NULL;
    tut_free(t->path);
    t->path = NULL;
    return status;
}

static void not_checked(tut_frame *f)
{
    tut_frame_spoil(f, TUT_SCAN_INCOMPLETE, "not looked through for secrets");
    tut_frame_line(f, "secret.not-checked", -1, tut_str_of(shared_problem));
}

tut_status tut_frame_text_begin(tut_frame_text *t, tut_frame *f, const tut_sniff *sniff,
                                tut_artefact *a, tut_error *err)
{
    *t = (tut_frame_text){.f = f};
    if (!f->run->request->text || sniff->size == 0 || is_container(f))
        return TUT_SUCCESS;
    bool is_text = tut_text_any(sniff) || is_utf16(sniff);
    if (!shared_set) {
        if (is_text && f->format)
            not_checked(f);
        return TUT_SUCCESS;
    }
    TUT_TRY(borrow(&t->scanner, err));
    t->classes = wanted(f, is_text);
    t->path = tut_strndup(f->location.data, f->location.len);
    if (!t->path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    f->is_text = is_text;
    tut_text_wish wish = {
        .classes = t->classes, .is_binary = !is_text, .path = t->path, .match = on_match, .ctx = t};
    TUT_TRY(tut_text_begin(t->scanner, &wish, err));
    if (a->source || !is_text) {
        tut_status status = a->source ? feed_source(t->scanner, a->source,
                                                    is_text ? UINT64_MAX : BINARY_BYTES, err)
                                      : feed_head(t->scanner, a->stream, err);
        return tut_is_ok(status) ? finish(t, err) : status;
    }
    t->from = a->stream;
    TUT_TRY(tut_stream_open_pull((tut_pull){.read = pull_through, .ctx = t}, &t->tee));
    a->stream = t->tee;
    return TUT_SUCCESS;
}

static tut_status drain(tut_stream *stream)
{
    tut_span some;
    for (;;) {
        TUT_TRY(tut_stream_peek_some(stream, TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            return TUT_SUCCESS;
        TUT_TRY(tut_stream_skip(stream, some.len));
    }
}

tut_status tut_frame_text_end(tut_frame_text *t, tut_error *err)
{
    if (!t->scanner)
        return TUT_SUCCESS;
    tut_status status = t->tee ? drain(t->tee) : TUT_SUCCESS;
    tut_stream_free(t->tee);
    t->tee = NULL;
    return tut_is_ok(status) ? finish(t, err) : status;
}

/* --- facts, and what is said of them --- */
typedef struct masking {
    tut_frame *f;
    const char *key; /* of a fact; NULL: nothing is told, only masked */
    tut_str value;
    size_t done;
    tut_buf *out;
} masking;

static void tell_fact(tut_frame *f, const char *key, const tut_text_match *m)
{
    TUT_CLEAN(tut_buf) where = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_printf(&where, "in the metadata \"%s\"", key);
    const char *text = tut_buf_z(&where);
    describe(m, text ? text : "in the metadata", &line);
    bool is_person = !tut_text_is_secret(m->type);
    add(f, m, is_person ? TUT_SEVERITY_MEDIUM : -1, hash_of(m), tut_buf_str(&line), false);
}

static bool on_masked(void *ctx, const tut_text_match *m)
{
    masking *k = ctx;
    if (k->key)
        tell_fact(k->f, k->key, m);
    if (m->begin < k->done || m->end > k->value.len)
        return true;
    tut_buf_add(k->out, k->value.data + k->done, (size_t)m->begin - k->done);
    tut_buf_printf(k->out, "[%s %s]", m->label, m->shown);
    k->done = (size_t)m->end;
    return true;
}

enum { MASK_LEAST = 9 }; /* a social security number without its signs */

static void mask(tut_frame *f, const char *key, tut_str value, tut_buf *out)
{
    masking k = {.f = f, .key = key, .value = value, .out = out};
    tut_text_wish wish = {.classes = TUT_TEXT_SECRETS | of_people, .match = on_masked, .ctx = &k};
    tut_text_scanner *s;
    tut_error why = {0};
    if (shared_set && value.len >= MASK_LEAST) {
        tut_status status = borrow(&s, &why);
        if (tut_is_ok(status)) {
            status = tut_text_scan(s, value, &wish, &why);
            give_back(s);
        }
        tut_frame_note(f->run, status);
    }
    tut_buf_add(out, value.data + k.done, value.len - k.done);
}

void tut_frame_text_mask(tut_frame *f, tut_str value, tut_buf *out)
{
    mask(f, NULL, value, out);
}

void tut_frame_text_fact(tut_frame *f, const char *key, tut_str value, tut_buf *out)
{
    bool is_told = f->run->request->text && !f->is_text;
    mask(f, is_told ? key : NULL, value, out);
}
