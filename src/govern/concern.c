/* Concerns: raised, and decided. */
#include "govern/concern.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "assess/tool.h"
#include "assets/schema.h"
#include "base/json.h"
#include "base/json_write.h"
#include "crypto/openssl.h"
#include "ledger/bodies.h"

enum { TRIAGE_DAYS = 7, TRIAGE_DAYS_MAX = 90, SUBJECT_MAX = 200, NOTE_MAX = 4000 };

#define BODY_SCHEMA "tutela.concern/1"
#define RECEIPT_SCHEMA "tutela.concern-receipt/1"

/* --- training.concerns --- */

static const tut_field concern_fields[] = {
    TUT_FIELD(TEXTS, tut_concern_policy, triage, false, NULL),
};

static tut_status read_days(tut_schema *s, const tut_yaml_node *training, tut_concern_policy *p)
{
    uint64_t value = 0;
    const tut_yaml_node *v = tut_yaml_get(s->system->yaml, training, "triage_days");
    if (tut_schema_is_absent(v))
        return TUT_SUCCESS;
    if (v->type != TUT_YAML_SCALAR || !tut_str_u64(v->text, &value) || value < 1 ||
        value > TRIAGE_DAYS_MAX)
        return tut_schema_fail_node(s, v, "triage_days is a number of days, from 1 to %d",
                                    TRIAGE_DAYS_MAX);
    p->triage_days = (uint32_t)value;
    return TUT_SUCCESS;
}

tut_status tut_concern_policy_read(tut_system *system, tut_concern_policy *ret, tut_buf *ret_shown,
                                   tut_error *err)
{
    tut_error local = {0};
    const tut_yaml *y = system->yaml;
    tut_concern_policy p = {.triage_days = TRIAGE_DAYS};
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *n = tut_yaml_get(y, tut_yaml_root(y), "training");
    if (!tut_schema_is_absent(n)) {
        TUT_TRY(tut_schema_mapping(&s, n, "training"));
        const tut_yaml_node *concerns = tut_yaml_get(y, n, "concerns");
        if (!tut_schema_is_absent(concerns))
            TUT_TRY(tut_schema_read(&s, concerns, concern_fields, TUT_COUNT(concern_fields), &p,
                                    "concerns", "training.concerns"));
        p.node = n;
        TUT_TRY(read_days(&s, n, &p));
    }
    *ret = p;
    return TUT_SUCCESS;
}

bool tut_concern_triages(const tut_concern_policy *p, const char *name, uint32_t roles)
{
    for (size_t i = 0; i < p->triage.count; i++)
        if (tut_str_ieq(p->triage.items[i], tut_str_of(name)) ||
            (tut_person_role(p->triage.items[i]) & roles))
            return true;
    return false;
}

/* --- raising --- */

tut_status tut_concern_commitment(tut_str salt, tut_str subject, tut_str text, tut_sha256 *ret,
                                  tut_error *err)
{
    TUT_CLEAN(tut_buf) all = TUT_BUF_INIT;
    tut_buf_add_str(&all, salt);
    tut_buf_add_byte(&all, '\n');
    tut_buf_add_str(&all, subject);
    tut_buf_add_byte(&all, '\n');
    tut_buf_add_str(&all, text);
    TUT_TRY(tut_buf_check(&all, err));
    tut_status status = tut_sha256_of(tut_buf_span(&all), ret, err);
    tut_wipe(all.data, all.len);
    return status;
}

/* Numbers are drawn, not counted: they tell nobody how many there are, and two people who raise
 * something at once do not meet. 40 bits, in Crockford's base 32 (without I, L, O, U). */
static tut_status draw(tut_concern_receipt *r, tut_error *err)
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[32 + 8];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return tut_fail_errno(err, errno, "no random bytes");
    for (size_t i = 0; i < 32; i++) {
        r->salt[2 * i] = hex[bytes[i] >> 4];
        r->salt[2 * i + 1] = hex[bytes[i] & 15];
    }
    r->salt[64] = '\0';
    memcpy(r->number, "C-", 2);
    for (size_t i = 0; i < 8; i++)
        r->number[2 + i] = letters[bytes[32 + i] & 31];
    r->number[10] = '\0';
    return TUT_SUCCESS;
}

static tut_status check(const tut_concern_given *g, tut_error *err)
{
    tut_str subject = tut_str_of(g->subject);
    if (subject.len == 0 || subject.len > SUBJECT_MAX || !tut_utf8_valid(subject) ||
        memchr(subject.data, '\n', subject.len))
        return tut_fail(err, TUT_USAGE, "the subject is one line of at most %d bytes", SUBJECT_MAX);
    if (tut_str_trim(g->text).len == 0 || g->text.len > TUT_CONCERN_BYTES ||
        !tut_utf8_valid(g->text) || memchr(g->text.data, '\0', g->text.len))
        return tut_fail(err, TUT_USAGE, "the text of a concern is text, of at most %d KiB",
                        TUT_CONCERN_BYTES >> 10);
    return TUT_SUCCESS;
}

static tut_status write_body(const tut_concern_given *g, const tut_concern_receipt *r, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", BODY_SCHEMA);
    tut_json_put_z(j, "number", r->number);
    tut_json_put_z(j, "subject", g->subject);
    tut_json_put_str(j, "text", g->text);
    tut_json_put_z(j, "by", g->by);
    tut_json_put_z(j, "salt", r->salt);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status fill_record(tut_record *r, const char *kind, const tut_subject *subject,
                              const char *actor, const char *statement, tut_time at, tut_error *err)
{
    tut_tool_digests tool;
    TUT_TRY(tut_tool_get_digests(&tool, err));
    *r = (tut_record){.type = TUT_RECORD_EVENT,
                      .at = at,
                      .check = kind,
                      .subjects = subject,
                      .subject_count = 1,
                      .actor = actor,
                      .statement = statement,
                      .has_body = true,
                      .tool_binary = tool.binary,
                      .tool_catalogue = tool.catalogue,
                      .tool_rules = tool.rules};
    return TUT_SUCCESS;
}

tut_status tut_concern_raise(tut_ledger *ledger, const tut_concern_given *given,
                             tut_concern_receipt *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_concern_receipt r = {.at = tut_time_now()};
    tut_record record;
    TUT_TRY(check(given, err));
    TUT_TRY(draw(&r, err));
    TUT_TRY(tut_concern_commitment(tut_str_of(r.salt), tut_str_of(given->subject), given->text,
                                   &r.commitment, err));
    TUT_AUTO_FREE char *name = tut_asprintf("concern/%s", r.number);
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const tut_subject subject = {.name = name, .digest = r.commitment};
    TUT_TRY(fill_record(
        &record, given->is_drill ? "concern.drill" : "concern.raised", &subject, "tool",
        given->is_drill ? "A drill of raising a concern." : "A concern was raised.", r.at, err));
    TUT_TRY(write_body(given, &r, &body, err));
    tut_status status = tut_ledger_put_personal_body(ledger, r.at, tut_buf_span(&body),
                                                     &record.body, err);
    tut_wipe(body.data, body.len);
    TUT_TRY(status);
    TUT_TRY(tut_ledger_append(ledger, &record, 1, err));
    r.index = record.index;
    *ret = r;
    return TUT_SUCCESS;
}

/* --- receipts --- */

tut_status tut_concern_receipt_write(const tut_concern_receipt *r, const char *subject, tut_str log,
                                     tut_str proof, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", RECEIPT_SCHEMA);
    tut_json_put_z(j, "number", r->number);
    tut_json_put_z(j, "subject", subject);
    tut_json_put_time(j, "at", r->at);
    tut_json_put_str(j, "log", log);
    tut_json_put_u64(j, "entry", r->index);
    tut_json_put_z(j, "salt", r->salt);
    tut_json_key(j, "commitment");
    tut_json_sha256(j, r->commitment.bytes);
    tut_json_put_str(j, "proof", proof);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

tut_status tut_concern_receipt_read(tut_span text, tut_concern_receipt_file *ret, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_concern_receipt_file f = {.subject = ""};
    TUT_TRY(tut_json_parse(text, NULL, &doc, err));
    const tut_json_value *root = tut_json_root(doc);
    int64_t index = tut_json_get_int(root, "entry", -1);
    tut_str commitment = tut_json_get_text(tut_json_get(root, "commitment"), "sha256");
    if (!tut_str_eq_z(tut_json_get_text(root, "schema"), RECEIPT_SCHEMA) || index < 0 ||
        tut_json_get_text(root, "salt").len != sizeof(f.says.salt) - 1 ||
        tut_json_get_text(root, "subject").len > SUBJECT_MAX ||
        tut_json_get_text(root, "number").len >= sizeof(f.says.number) ||
        !tut_is_ok(tut_sha256_parse(commitment, &f.says.commitment)))
        return tut_fail(err, TUT_MALFORMED, "is no receipt for a concern");
    f.says.index = (uint64_t)index;
    tut_str_copy(f.says.number, sizeof(f.says.number), tut_json_get_text(root, "number"));
    tut_str_copy(f.says.salt, sizeof(f.says.salt), tut_json_get_text(root, "salt"));
    tut_str_copy(f.subject, sizeof(f.subject), tut_json_get_text(root, "subject"));
    *ret = f;
    return TUT_SUCCESS;
}

/* --- reading, deciding --- */

void tut_concern_body_done(tut_concern_body *b)
{
    tut_json_doc_free(b->doc);
    *b = (tut_concern_body){.doc = NULL};
}

tut_status tut_concern_body_read(tut_span body, tut_concern_body *ret, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_TRY(tut_json_parse(body, NULL, &doc, err));
    const tut_json_value *root = tut_json_root(doc);
    if (!tut_str_eq_z(tut_json_get_text(root, "schema"), BODY_SCHEMA))
        return tut_fail(err, TUT_STORE, "the body is no concern");
    *ret = (tut_concern_body){.subject = tut_json_get_text(root, "subject"),
                              .text = tut_json_get_text(root, "text"),
                              .by = tut_json_get_text(root, "by")};
    ret->doc = tut_move(&doc);
    return TUT_SUCCESS;
}

static tut_status write_decision(const tut_concern *c, const tut_concern_decision *d, tut_buf *out,
                                 tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.concern-triage/1");
    tut_json_put_z(j, "number", c->number);
    tut_json_put_z(j, "outcome", d->outcome);
    tut_json_put_z(j, "note", d->note);
    tut_json_put_z(j, "by", d->by);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

tut_status tut_concern_decide(tut_ledger *ledger, const tut_concern *c,
                              const tut_concern_decision *d, uint64_t *ret_index, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_record r;
    char kind[32];
    size_t len = strlen(d->note);
    if (len == 0 || len > NOTE_MAX || !tut_utf8_valid(tut_str_of(d->note)))
        return tut_fail(err, TUT_USAGE, "a note has 1 to %d bytes of text", NOTE_MAX);
    (void)snprintf(kind, sizeof(kind), "concern.%s", d->outcome);
    TUT_TRY(fill_record(&r, kind, &c->raised->subjects[0], d->by, "A concern was triaged.",
                        tut_time_now(), err));
    TUT_TRY(write_decision(c, d, &body, err));
    TUT_TRY(tut_ledger_put_personal_body(ledger, r.at, tut_buf_span(&body), &r.body, err));
    TUT_TRY(tut_ledger_append_signed(ledger, &r, &d->signer, 1, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}
