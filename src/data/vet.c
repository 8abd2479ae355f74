#include "data/vet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assets/manifest.h"
#include "base/fs.h"
#include "base/limits.h"
#include "data/vet_chunks.h"
#include "data/vet_internal.h"

static const char *const check_names[] = {
#define NAME(name, id, words) id,
    TUT_VET_CHECKS(NAME)
#undef NAME
};

const char *tut_vet_check_name(tut_vet_check check)
{
    return check < TUT_VET_CHECK_COUNT ? check_names[check] : "";
}

tut_status tut_vet_checks_parse(const char *words, unsigned *ret_checks, tut_error *err)
{
    tut_str rest = tut_str_of(words);
    unsigned checks = 0;
    while (rest.len > 0) {
        size_t end = rest.len;
        (void)tut_str_find(rest, TUT_LIT(","), &end);
        tut_str word = {rest.data, end};
        unsigned c = 0;
        while (c < TUT_VET_CHECK_COUNT && !tut_str_eq_z(word, check_names[c]))
            c++;
        if (c == TUT_VET_CHECK_COUNT)
            return tut_fail(err, TUT_USAGE,
                            "there is no check \"%.*s\"; there are profile, personal, hidden, "
                            "duplicates and poison",
                            (int)(word.len < 40 ? word.len : 40), word.data);
        checks |= TUT_VET_BIT(c);
        rest = end < rest.len ? (tut_str){rest.data + end + 1, rest.len - end - 1}
                              : (tut_str){"", 0};
    }
    *ret_checks = checks;
    return TUT_SUCCESS;
}

const char *tut_vet_status_name(tut_vet_status status)
{
    static const char *const names[] = {"complete", "incomplete", "unsupported", "error"};
    return names[status];
}

/* --- results --- */

void tut_vet_dataset_done(tut_vet_dataset *d)
{
    tut_free(d->profile);
    tut_free(d->baseline);
    tut_chunks_done(&d->chunks);
    for (size_t i = 0; i < d->note_count; i++)
        tut_free(d->notes[i]);
    for (size_t i = 0; i < d->example_count; i++) {
        tut_free(d->examples[i].text);
        tut_free(d->examples[i].pixels);
    }
    tut_free(d->examples);
    tut_data_findings_done(&d->found);
}

tut_status tut_vet_note(tut_vet_dataset *d, const char *text, tut_error *err)
{
    for (size_t i = 0; i < d->note_count; i++)
        if (strcmp(d->notes[i], text) == 0)
            return TUT_SUCCESS;
    if (d->note_count == TUT_VET_NOTES)
        return TUT_SUCCESS;
    d->notes[d->note_count] = tut_strdup(text);
    if (!d->notes[d->note_count])
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    d->note_count++;
    return TUT_SUCCESS;
}

void tut_vet_free(tut_vet *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->count; i++)
        tut_vet_dataset_done(&v->items[i]);
    tut_free(v->items);
    tut_free(v);
}

/* --- what workers come by --- */

tut_status tut_vet_prepare(unsigned checks, char ret_text_problem[TUT_ERROR_TEXT_MAX],
                           tut_error *err)
{
    tut_error local = {0};
    vet_shared *s = &tut_vet_shared;
    if (checks & TUT_VET_BIT(TUT_VET_PERSONAL) && !s->text &&
        !tut_is_ok(tut_text_set_open(NULL, &s->text, &local)))
        tut_str_copy(ret_text_problem, TUT_ERROR_TEXT_MAX, tut_str_of(local.text));
    if (checks & TUT_VET_BIT(TUT_VET_HIDDEN) && !s->model)
        return tut_model_builtin(&s->model, err);
    return TUT_SUCCESS;
}

/* --- files --- */

typedef struct opened {
    int fd, labels, against, activations; /* -1: none */
    vet_place *places;
    tut_stamp before, against_before;
    tut_error error; /* code OK: it is open */
} opened;

static void opened_done(opened *o)
{
    if (o->fd >= 0)
        (void)close(o->fd);
    if (o->labels >= 0)
        (void)close(o->labels);
    if (o->against >= 0)
        (void)close(o->against);
    if (o->activations >= 0)
        (void)close(o->activations);
    tut_free(o->places);
}

tut_status tut_vet_open(const char *path, int *ret_fd, struct stat *st, tut_error *err)
{
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    tut_error_set_path(err, path);
    if (*ret_fd < 0)
        return tut_fail_errno(err, errno, "cannot be opened");
    if (fstat(*ret_fd, st) == 0 && S_ISREG(st->st_mode))
        return TUT_SUCCESS;
    return tut_fail(err, TUT_UNSUPPORTED, "this is no regular file");
}

static tut_status is_expected(const tut_vet_input *in, size_t file, const tut_sha256 *digest,
                              tut_error *err)
{
    const tut_sha256 *expected = in->expected ? in->expected[file] : NULL;
    return !expected || tut_sha256_eq(expected, digest)
               ? TUT_SUCCESS
               : tut_fail(err, TUT_STORE, "it changed while it was looked at");
}

/* Its chunks are those of the bytes that the worker gets. */
static tut_status append_file(const tut_vet_input *in, size_t file, const opened *o,
                              tut_vet_dataset *d, vet_member *member, tut_error *err)
{
    static const tut_chunks_options options;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_chunks) chunks = {0};
    tut_sha256 digest;
    TUT_TRY(tut_fs_read(in->files[file], TUT_LIMIT_MEMBER_BYTES, &bytes, err));
    tut_source source = tut_source_memory(tut_buf_span(&bytes));
    TUT_TRY(tut_chunks_read(&source, &options, &digest, &chunks, err));
    TUT_TRY(is_expected(in, file, &digest, err));
    *member = (vet_member){in->files[file], chunks.root};
    d->chunks.count += chunks.count;
    o->places[file] = (vet_place){.start = d->size, .size = bytes.len};
    d->size += bytes.len;
    return tut_fs_write_to(o->fd, tut_buf_span(&bytes), err);
}

/* The texts of a folder become one file, which costs one descriptor. */
static tut_status spool(const tut_vet_input *in, opened *o, tut_vet_dataset *d, tut_error *err)
{
    TUT_AUTO_FREE vet_member *members = tut_alloc_array(in->file_count + 1, sizeof(*members));
    o->places = tut_alloc_array(in->file_count + 1, sizeof(*o->places));
    if (!o->places || !members)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_open_nameless(&o->fd, err));
    d->size = 0;
    for (size_t i = 0; i < in->file_count; i++)
        TUT_TRY(append_file(in, i, o, d, &members[i], err));
    vet_chunks_folder(members, in->file_count, &d->chunks.root);
    d->chunks.size = d->size;
    d->has_root = true;
    return TUT_SUCCESS;
}

/* Bytes that the other version shares: of its file, or by what was saved of it. */
static tut_status compare_bytes(const tut_vet_input *in, const opened *o, tut_vet_dataset *d,
                                tut_error *err)
{
    const tut_chunks_options options = {.keep = true};
    TUT_CLEAN(tut_chunks) then = {0};
    tut_source bytes;
    tut_sha256 digest;
    if (in->against_chunks)
        return vet_chunks_compare(&d->chunks, in->against_chunks, &d->bytes, err);
    if (o->against < 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_source_file(o->against, &bytes, err));
    TUT_TRY(tut_chunks_read(&bytes, &options, &digest, &then, err));
    return vet_chunks_compare(&d->chunks, &then, &d->bytes, err);
}

static tut_status open_input(const tut_vet_input *in, opened *o, tut_vet_dataset *d, tut_error *err)
{
    struct stat st;
    if (in->labels)
        TUT_TRY(tut_vet_open(in->labels, &o->labels, &st, err));
    if (in->against) {
        TUT_TRY(tut_vet_open(in->against, &o->against, &st, err));
        tut_stamp_of(&st, &o->against_before);
    }
    if (in->activations)
        TUT_TRY(tut_vet_open(in->activations, &o->activations, &st, err));
    if (in->file_count > 1)
        return spool(in, o, d, err);
    TUT_TRY(tut_vet_open(in->files[0], &o->fd, &st, err));
    tut_stamp_of(&st, &o->before);
    d->size = (uint64_t)st.st_size;
    const tut_chunks_options options = {.keep = in->wants_chunks || in->against ||
                                                in->against_chunks};
    tut_source bytes;
    TUT_TRY(tut_source_file(o->fd, &bytes, err));
    TUT_TRY(tut_chunks_read(&bytes, &options, &d->digest, &d->chunks, err));
    d->has_digest = d->has_root = true;
    TUT_TRY(is_expected(in, 0, &d->digest, err));
    return compare_bytes(in, o, d, err);
}

/* What was said of its bytes is not known any more. */
static void fail_item(tut_vet_dataset *d, const char *problem)
{
    d->status = TUT_VET_ERROR;
    d->has_digest = d->has_root = false;
    d->bytes.is_known = d->change.is_known = false;
    tut_str_copy(d->problem, sizeof(d->problem), tut_str_of(problem));
}

static bool is_unchanged(int fd, const tut_stamp *before)
{
    struct stat st;
    tut_stamp now;
    if (fstat(fd, &st) != 0)
        return false;
    tut_stamp_of(&st, &now);
    return tut_stamp_eq(&now, before);
}

static void is_it_the_same(const opened *o, tut_vet_dataset *d)
{
    if (d->status > TUT_VET_INCOMPLETE)
        return;
    if (d->has_digest && !is_unchanged(o->fd, &o->before))
        fail_item(d, "it changed while it was read");
    else if (o->against >= 0 && !is_unchanged(o->against, &o->against_before))
        fail_item(d, "the version that it was held against changed while it was read");
}

/* --- the worker's answer --- */

typedef struct asking {
    tut_vet_dataset **items; /* those that were asked about */
    size_t count;
    tut_cage_outcome outcome;
    tut_error error;
} asking;

static tut_status take(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                       const tut_error *error, tut_error *err)
{
    asking *a = ctx;
    (void)tag;
    a->outcome = outcome;
    if (error)
        a->error = *error;
    if (outcome != TUT_CAGE_DONE)
        return TUT_SUCCESS;
    tut_reader r = tut_reader_of(reply);
    for (size_t i = 0; i < a->count; i++)
        TUT_TRY(tut_vet_answer_read(&r, a->items[i], err));
    return tut_reader_left(&r) == 0
               ? TUT_SUCCESS
               : tut_fail(err, TUT_MALFORMED, "the worker's answer makes no sense");
}

typedef struct round_of { /* what is asked in one task */
    const tut_vet_input *inputs;
    opened *files;
    tut_vet_dataset *datasets;
    size_t *at; /* indexes */
    size_t count;
} round_of;

enum { LENT_EACH = 4 };

static void lend(const round_of *r, tut_cage_lent *lent, char (*names)[32], size_t *ret_count)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++) {
        const opened *o = &r->files[r->at[i]];
        const struct {
            int fd;
            const char *ending;
        } each[LENT_EACH] = {{o->fd, ""},
                             {o->labels, ".labels"},
                             {o->against, ".against"},
                             {o->activations, ".activations"}};
        for (size_t k = 0; k < LENT_EACH; k++) {
            if (each[k].fd < 0)
                continue;
            (void)snprintf(names[n], sizeof(names[n]), "%zu%s", i, each[k].ending);
            lent[n] = (tut_cage_lent){.name = names[n], .fd = each[k].fd};
            n++;
        }
    }
    *ret_count = n;
}

static tut_status ask(tut_cage *cage, const round_of *r, unsigned checks, asking *a, tut_error *err)
{
    TUT_CLEAN(tut_buf) question = TUT_BUF_INIT;
    TUT_AUTO_FREE vet_asking *who = tut_alloc_array(r->count + 1, sizeof(*who));
    TUT_AUTO_FREE tut_cage_lent *lent = tut_alloc_array(LENT_EACH * r->count + 1, sizeof(*lent));
    TUT_AUTO_FREE char(*names)[32] = tut_alloc_array(LENT_EACH * r->count + 1, sizeof(*names));
    uint64_t size = 0;
    if (!who || !lent || !names)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < r->count; i++) {
        who[i] = (vet_asking){&r->inputs[r->at[i]], r->files[r->at[i]].places};
        size += r->datasets[r->at[i]].size;
    }
    tut_vet_ask(who, r->count, checks, &question);
    TUT_TRY(tut_buf_check(&question, err));
    tut_cage_request request = {.fd = -1,
                                .size = size,
                                .sibling_dirfd = -1,
                                .lent = lent,
                                .argument = tut_buf_span(&question)};
    lend(r, lent, names, &request.lent_count);
    TUT_TRY(tut_cage_submit(cage, &request, take, a, err));
    return tut_cage_drain(cage, take, a, err);
}

static void spoil(tut_vet_dataset *d, const asking *a)
{
    d->status = TUT_VET_ERROR;
    tut_str_copy(d->problem, sizeof(d->problem), tut_str_of(a->error.text));
}

/* One that brings the worker down takes the others with it: then each is asked about alone, and
 * what spans datasets is not known. */
static tut_status ask_alone(tut_cage *cage, const round_of *all, unsigned checks, tut_error *err)
{
    for (size_t i = 0; i < all->count; i++) {
        round_of single = *all;
        tut_vet_dataset *d = &all->datasets[all->at[i]];
        asking a = {.items = &d, .count = 1, .outcome = TUT_CAGE_DONE};
        single.at = all->at + i;
        single.count = 1;
        TUT_TRY(ask(cage, &single, checks, &a, err));
        if (a.outcome != TUT_CAGE_DONE)
            spoil(d, &a);
        else if (all->count > 1)
            TUT_TRY(tut_vet_note(d,
                                 "The datasets could not be looked at together: rows that "
                                 "several have were not looked for.",
                                 err));
    }
    return TUT_SUCCESS;
}

static tut_status ask_all(tut_cage *cage, const round_of *r, unsigned checks, tut_error *err)
{
    TUT_AUTO_FREE tut_vet_dataset **items = tut_alloc_array(r->count + 1, sizeof(*items));
    if (!items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < r->count; i++)
        items[i] = &r->datasets[r->at[i]];
    asking a = {.items = items, .count = r->count, .outcome = TUT_CAGE_DONE};
    TUT_TRY(ask(cage, r, checks, &a, err));
    return a.outcome == TUT_CAGE_DONE ? TUT_SUCCESS : ask_alone(cage, r, checks, err);
}

/* --- all of it --- */

static int by_weight(const void *a, const void *b)
{
    const tut_data_finding *left = a, *right = b;
    int l = (int)tut_rule_find(tut_str_of(left->rule))->severity;
    int r = (int)tut_rule_find(tut_str_of(right->rule))->severity;
    if (l != r)
        return r - l;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    int order = strcmp(left->rule, right->rule);
    return order ? order : strcmp(left->column, right->column);
}

enum {
    ROUND = 64, /* datasets that are looked at together: each takes up to four descriptors */
    WORKER_MS = 600000,
    WORKER_BYTES_PER_MS = 1000
};

/* What is looked for takes much longer than reading: poison is weighed against neighbours. */
static tut_status open_cage(const tut_vet_options *options, const round_of *r, tut_cage **ret_cage,
                            tut_error *err)
{
    tut_cage_options how = {.mode = options->sandbox,
                            .workers = 1,
                            .task_ms = WORKER_MS,
                            .heap_bytes = TUT_LIMIT_VET_HEAP_BYTES};
    for (size_t i = 0; i < r->count; i++)
        how.task_ms += r->datasets[r->at[i]].size / WORKER_BYTES_PER_MS;
    return tut_cage_open(tut_vet_job, &how, ret_cage, err);
}

static void open_round(const tut_vet_options *options, round_of *r, size_t first, size_t end,
                       size_t all)
{
    r->count = 0;
    for (size_t i = first; i < end; i++) {
        tut_error local = {0};
        tut_vet_dataset *d = &r->datasets[i];
        if (options->progress)
            options->progress(options->progress_ctx, i, all);
        if (tut_is_ok(open_input(&r->inputs[i], &r->files[i], d, &local))) {
            r->at[r->count++] = i;
            continue;
        }
        fail_item(d, local.text);
    }
}

static tut_status run_round(const tut_vet_options *options, round_of *r, tut_vet *v, tut_error *err)
{
    TUT_AUTO(tut_cage) cage = NULL;
    TUT_TRY(open_cage(options, r, &cage, err));
    if (r->count > 0)
        TUT_TRY(ask_all(cage, r, options->checks, err));
    tut_cage_get_facts(cage, &v->cage);
    for (size_t i = 0; i < r->count; i++)
        is_it_the_same(&r->files[r->at[i]], &v->items[r->at[i]]);
    return TUT_SUCCESS;
}

static tut_status run(const tut_vet_input *inputs, size_t count, const tut_vet_options *options,
                      tut_vet *v, opened *files, tut_error *err)
{
    TUT_AUTO_FREE size_t *at = tut_alloc_array(ROUND, sizeof(*at));
    round_of r = {.inputs = inputs, .files = files, .datasets = v->items, .at = at};
    if (!at)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_vet_prepare(options->checks, v->text_problem, err));
    for (size_t first = 0; first < count || first == 0; first += ROUND) {
        size_t end = count - first < ROUND ? count : first + ROUND;
        open_round(options, &r, first, end, count);
        tut_status status = run_round(options, &r, v, err);
        for (size_t i = first; i < end; i++)
            opened_done(&files[i]);
        TUT_TRY(status);
        for (size_t i = first; i < end && count > ROUND; i++)
            TUT_TRY(tut_vet_note(&v->items[i],
                                 "There are many datasets: rows that several have were looked for "
                                 "among a part of them at a time.",
                                 err));
    }
    for (size_t i = 0; i < count; i++)
        if (v->items[i].found.count > 0)
            qsort(v->items[i].found.items, v->items[i].found.count, sizeof(tut_data_finding),
                  by_weight);
    return TUT_SUCCESS;
}

tut_status tut_vet_run(const tut_vet_input *inputs, size_t count, const tut_vet_options *options,
                       tut_vet **ret_vet, tut_error *err)
{
    TUT_AUTO(tut_vet) v = tut_alloc_array(1, sizeof(*v));
    TUT_AUTO_FREE opened *files = tut_alloc_array(count + 1, sizeof(*files));
    if (!v || !files)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    v->items = tut_alloc_array(count + 1, sizeof(*v->items));
    if (!v->items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    v->count = count;
    for (size_t i = 0; i < count; i++) {
        v->items[i].path = inputs[i].path;
        v->items[i].split = inputs[i].split;
        v->items[i].file_count = inputs[i].file_count;
        files[i] = (opened){.fd = -1, .labels = -1, .against = -1, .activations = -1};
    }
    TUT_TRY(run(inputs, count, options, v, files, err));
    *ret_vet = tut_move(&v);
    return TUT_SUCCESS;
}
