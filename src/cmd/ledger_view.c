#include "cmd/ledger_view.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "crypto/merkle.h"
#include "ledger/people.h"
#include "ledger/sequencer.h"
#include "state/records.h"

enum { LABEL_COLUMNS = 14, STDIN_CHUNK = 65536 };

tut_status tut_ledger_view_find(const tut_args *args, char **ret_state, tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    if (args->state && tut_fs_is_dir(args->state)) { /* also one without its system, as auditors
                                                        are given it */
        *ret_state = tut_strdup(args->state);
        return *ret_state ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here; name one with --system, or a state with --state");
    }
    *ret_state = tut_move(&state);
    return TUT_SUCCESS;
}

tut_status tut_ledger_view_open(const tut_args *args, tut_ledger_view *ret, tut_error *err)
{
    tut_ledger_view v = {.state = NULL};
    tut_status status = tut_ledger_view_find(args, &v.state, err);
    if (tut_is_ok(status))
        status = tut_ledger_open(v.state, false, &v.ledger, err);
    if (tut_is_ok(status))
        status = tut_ledger_log(v.ledger, &v.log, err);
    if (tut_is_ok(status) && !v.log) {
        tut_error_set_path(err, v.state);
        status = tut_fail(err, TUT_USAGE, "nothing was recorded here; tutela assess records");
    }
    if (!tut_is_ok(status)) {
        tut_ledger_view_done(&v);
        return status;
    }
    *ret = v;
    return TUT_SUCCESS;
}

tut_status tut_ledger_view_open_traffic(const tut_args *args, tut_ledger_view *ret, tut_error *err)
{
    tut_ledger_view v = {.state = NULL};
    tut_status status = tut_ledger_view_find(args, &v.state, err);
    if (tut_is_ok(status))
        status = tut_place_find(v.state, tut_log_names[TUT_LOG_TRAFFIC], &v.place, err);
    if (tut_is_ok(status))
        status = tut_place_open(&v.place, &v.log, err);
    if (!tut_is_ok(status)) {
        tut_ledger_view_done(&v);
        return status;
    }
    *ret = v;
    return TUT_SUCCESS;
}

tut_status tut_ledger_view_open_named(const tut_args *args, tut_ledger_view *ret, tut_error *err)
{
    const char *which = tut_args_get(args, "--log");
    if (which && strcmp(which, tut_log_names[TUT_LOG_TRAFFIC]) == 0)
        return tut_ledger_view_open_traffic(args, ret, err);
    if (which && strcmp(which, tut_log_names[TUT_LOG_EVIDENCE]) != 0)
        return tut_fail(err, TUT_USAGE, "--log is evidence or traffic, not \"%s\"", which);
    return tut_ledger_view_open(args, ret, err);
}

const char *tut_ledger_view_origin(const tut_ledger_view *v)
{
    return v->ledger ? tut_ledger_log_origin(v->ledger) : v->place.log_origin;
}

void tut_ledger_view_done(tut_ledger_view *v)
{
    if (!v->ledger)
        tut_log_free(v->log);
    tut_place_done(&v->place);
    tut_ledger_close(v->ledger);
    tut_free(v->state);
    *v = (tut_ledger_view){.state = NULL};
}

tut_status tut_ledger_view_place(const char *text, uint64_t size, uint64_t *ret_place,
                                 tut_error *err)
{
    uint64_t place = size ? size - 1 : 0;
    if (strcmp(text, "last") != 0 && !tut_str_u64(tut_str_of(text), &place))
        return tut_fail(err, TUT_USAGE,
                        "an entry is named by its number or by \"last\", not \"%s\"", text);
    if (place >= size)
        return tut_fail(err, TUT_USAGE, "there is no entry %llu: the log has %llu",
                        (unsigned long long)place, (unsigned long long)size);
    *ret_place = place;
    return TUT_SUCCESS;
}

/* --- one entry --- */

void tut_shown_entry_done(tut_shown_entry *e)
{
    tut_entry_done(&e->entry);
    tut_arena_done(&e->arena);
    tut_buf_done(&e->bytes);
}

static tut_status read_entry(tut_log *log, tut_shown_entry *e, tut_error *err)
{
    tut_sha256 proof[TUT_MERKLE_PROOF_MAX];
    tut_sha256 root;
    size_t count;
    uint64_t size = tut_log_size(log);
    TUT_TRY(tut_merkle_start(err));
    TUT_TRY(tut_log_entry(log, e->index, &e->bytes, err));
    tut_merkle_leaf(tut_buf_span(&e->bytes), &e->leaf);
    tut_log_root(log, &root);
    TUT_TRY(tut_log_prove_inclusion(log, e->index, size, proof, &count, err));
    TUT_TRY(tut_merkle_check_inclusion(&e->leaf, e->index, size, proof, count, &root, err));
    return tut_entry_parse(tut_buf_span(&e->bytes), &e->arena, &e->entry, err);
}

tut_status tut_shown_entry_read(tut_log *log, uint64_t index, const tut_records *records,
                                tut_shown_entry *ret, tut_error *err)
{
    tut_shown_entry e = {.index = index};
    tut_arena_init(&e.arena, 0);
    tut_status status = read_entry(log, &e, err);
    if (!tut_is_ok(status)) {
        tut_shown_entry_done(&e);
        return status;
    }
    e.record = records ? tut_records_at(records, index) : NULL;
    *ret = e;
    return TUT_SUCCESS;
}

static void put_signers(const tut_record *r, tut_json *j)
{
    tut_json_key(j, "signers");
    tut_json_array(j);
    for (size_t i = 0; i < r->signer_count; i++) {
        const tut_record_signer *s = &r->signers[i];
        tut_json_object(j);
        tut_json_put_z(j, "key", s->key_id);
        tut_json_put_z(j, "name", s->name);
        tut_json_put_bool(j, "counts", s->counts);
        tut_json_put_z(j, "why", s->counts ? NULL : s->why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

void tut_shown_entry_json(const tut_shown_entry *e, tut_json *j)
{
    const tut_entry_head *h = &e->entry.head;
    char leaf[TUT_SHA256_HEX];
    tut_sha256_hex(&e->leaf, leaf);
    tut_json_object(j);
    tut_json_put_u64(j, "index", e->index);
    tut_json_put_time(j, "recorded_at", h->at);
    tut_json_put_str(j, "kind", h->kind);
    tut_json_put_str(j, "producer", h->producer);
    tut_json_put_u64(j, "seq", h->seq);
    tut_json_put_int(j, "uid", h->uid);
    tut_json_put_z(j, "leaf", leaf);
    tut_json_key(j, "statement");
    tut_json_raw(j, e->entry.statement);
    if (e->record) {
        put_signers(e->record, j);
        tut_json_put_z(j, "tier", tut_tier_name(e->record->tier));
        tut_json_put_z(j, "doubt", e->record->doubt);
    }
    tut_json_end_object(j);
}

static void label(const tut_term *term, tut_buf *out, const char *name)
{
    tut_term_printf(term, out, TUT_STYLE_DIM, "  %-*s", LABEL_COLUMNS - 2, name);
}

static void add_digest(tut_buf *out, const tut_sha256 *digest)
{
    tut_buf_add_hex(out, digest->bytes, TUT_SHA256_BYTES);
    tut_buf_add_z(out, "\n");
}

static void text_of_signers(const tut_record *r, const tut_term *term, tut_buf *out)
{
    for (size_t i = 0; i < r->signer_count; i++) {
        const tut_record_signer *s = &r->signers[i];
        label(term, out, i == 0 ? "signed" : "");
        tut_buf_add_escaped(out, tut_str_of(s->name ? s->name : "nobody known"), 100);
        tut_buf_printf(out, ", key %.12s, %s\n", s->key_id, s->counts ? "in force" : s->why);
    }
    if (r->doubt) {
        label(term, out, "doubt");
        tut_term_printf(term, out, TUT_STYLE_BAD, "%s\n", r->doubt);
    }
}

static void text_of_record(const tut_record *r, const tut_term *term, tut_buf *out)
{
    char when[TUT_TIME_TEXT];
    label(term, out, "says");
    tut_term_wrap(term, out, LABEL_COLUMNS, tut_str_of(r->statement));
    for (size_t i = 0; i < r->subject_count; i++) {
        label(term, out, i == 0 ? "about" : "");
        tut_buf_add_escaped(out, tut_str_of(r->subjects[i].name), 200);
        tut_buf_add_z(out, "  sha256:");
        add_digest(out, &r->subjects[i].digest);
    }
    for (size_t i = 0; i < r->clause_count; i++) {
        if (i == 0)
            label(term, out, "provisions");
        tut_buf_add_z(out, i == 0 ? "" : ", ");
        tut_buf_add_escaped(out, tut_str_of(r->clauses[i]), 40);
    }
    if (r->clause_count)
        tut_buf_add_z(out, "\n");
    label(term, out, "actor");
    tut_buf_add_escaped(out, tut_str_of(r->actor), 200);
    tut_buf_add_z(out, "\n");
    if (r->type == TUT_RECORD_EVIDENCE) {
        tut_time_people(r->expires, when);
        label(term, out, "expires");
        tut_buf_printf(out, "%s\n", when);
    }
    if (r->has_body) {
        label(term, out, "body");
        add_digest(out, &r->body);
    }
    text_of_signers(r, term, out);
}

void tut_shown_entry_text(const tut_shown_entry *e, const tut_term *term, tut_buf *out)
{
    const tut_entry_head *h = &e->entry.head;
    const tut_record *r = e->record ? e->record : e->entry.has_record ? &e->entry.record : NULL;
    char when[TUT_TIME_TEXT];
    tut_time_people(h->at, when);
    tut_term_printf(term, out, TUT_STYLE_BOLD, "#%llu", (unsigned long long)e->index);
    tut_buf_printf(out, "  %.*s", (int)h->kind.len, h->kind.data);
    if (r && r->type == TUT_RECORD_EVIDENCE)
        tut_term_printf(term, out,
                        r->result == TUT_RESULT_PASS   ? TUT_STYLE_GOOD
                        : r->result == TUT_RESULT_FAIL ? TUT_STYLE_BAD
                                                       : TUT_STYLE_WARN,
                        "  %s", tut_result_name(r->result));
    tut_buf_printf(out, "  %s\n", when);
    if (r) {
        text_of_record(r, term, out);
    } else {
        label(term, out, "content");
        tut_term_wrap(term, out, LABEL_COLUMNS, e->entry.statement);
    }
    label(term, out, "from");
    tut_buf_printf(out, "%.*s, its number %llu, user %lld\n", (int)h->producer.len,
                   h->producer.data, (unsigned long long)h->seq, (long long)h->uid);
    label(term, out, "leaf");
    add_digest(out, &e->leaf);
}

/* --- documents and files --- */

void tut_ledger_head(tut_json *j, const char *origin, uint64_t size, const tut_sha256 *root)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_base64_add(&text, tut_span_of(root->bytes, TUT_SHA256_BYTES));
    tut_json_head(j, "tutela.ledger/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "origin", origin);
    tut_json_put_u64(j, "size", size);
    tut_json_put_str(j, "root", tut_buf_str(&text));
}

static tut_status read_stdin(size_t max, tut_buf *out, tut_error *err)
{
    char chunk[STDIN_CHUNK];
    size_t n;
    while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0) {
        if (n > max - out->len)
            return tut_fail(err, TUT_LIMIT, "standard input is larger than %zu bytes", max);
        tut_buf_add(out, chunk, n);
    }
    return ferror(stdin) ? tut_fail(err, TUT_IO, "standard input cannot be read")
                         : tut_buf_check(out, err);
}

tut_status tut_ledger_view_entry_json(const tut_ledger_view *v, const tut_shown_entry *e,
                                      tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_sha256 root;
    TUT_TRY(tut_json_new(out, &j));
    tut_log_root(v->log, &root);
    tut_ledger_head(j, tut_ledger_view_origin(v), tut_log_size(v->log), &root);
    tut_json_end_object(j);
    tut_json_key(j, "entries");
    tut_json_array(j);
    tut_shown_entry_json(e, j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

tut_status tut_ledger_view_file(const char *path, size_t max, tut_buf *out, tut_error *err)
{
    return strcmp(path, "-") == 0 ? read_stdin(max, out, err) : tut_fs_read(path, max, out, err);
}

int tut_ledger_view_write(const char *path, const tut_buf *bytes, int exit_status)
{
    tut_error err = {0};
    if (!path || strcmp(path, "-") == 0)
        return tut_cmd_output(bytes, exit_status);
    if (tut_fs_exists(path)) {
        tut_error_set_path(&err, path);
        TUT_IGNORE(tut_fail(&err, TUT_USAGE, "is there already; remove it, or name another file"));
        return tut_cmd_fail(&err);
    }
    if (!tut_is_ok(tut_fs_write(path, tut_buf_span(bytes), 0644, &err)))
        return tut_cmd_fail(&err);
    return exit_status;
}
