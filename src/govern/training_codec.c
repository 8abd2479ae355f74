/*
 * A module through the cage: a worker reads it, the parent, who has the text, makes it of a reply
 * that it does not trust.
 *
 *   reply    = version u32, review_days u32, minutes u32, draw u32, reviewed u64, about u32,
 *              roles u32, pass u64 (of an IEEE double), words u32, id, title, atlas_version,
 *              list (ATLAS), list (clauses), count u32, block*, text_blocks u32, count u32,
 * question* block    = type u32, level u32, number u32, view question = title view, first_block
 * u32, block_count u32, why view, count u32, (is_right u32, text view)* view     = start u32,
 * length u32: of the text;  texts are sized, list = count u32, text*
 */
#include "base/cage.h"
#include "base/jail.h"
#include "base/limits.h"
#include "base/reader.h"
#include "govern/training_internal.h"

/* --- writing --- */

static void put_view(tut_buf *out, const tut_training_module *m, tut_str view)
{
    const char *start = (const char *)m->source.data;
    tut_buf_add_u32le(out, view.len ? (uint32_t)(view.data - start) : 0);
    tut_buf_add_u32le(out, (uint32_t)view.len);
}

static void put_list(tut_buf *out, const tut_str_list *list)
{
    tut_buf_add_u32le(out, (uint32_t)list->count);
    for (size_t i = 0; i < list->count; i++)
        tut_buf_add_sized(out, list->items[i]);
}

static void put_question(tut_buf *out, const tut_training_module *m, const tut_training_question *q)
{
    put_view(out, m, q->title);
    tut_buf_add_u32le(out, q->first_block);
    tut_buf_add_u32le(out, q->block_count);
    put_view(out, m, q->why);
    tut_buf_add_u32le(out, (uint32_t)q->answer_count);
    for (size_t i = 0; i < q->answer_count; i++) {
        tut_buf_add_u32le(out, q->answers[i].is_right);
        put_view(out, m, q->answers[i].text);
    }
}

tut_status tut_training_module_encode(const tut_training_module *m, tut_buf *out, tut_error *err)
{
    uint64_t pass = 0;
    const uint32_t head[] = {m->version, m->review_days, m->minutes, m->draw};
    memcpy(&pass, &m->pass, sizeof(pass));
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        tut_buf_add_u32le(out, head[i]);
    tut_buf_add_u64le(out, (uint64_t)m->reviewed);
    tut_buf_add_u32le(out, (uint32_t)m->about);
    tut_buf_add_u32le(out, m->roles);
    tut_buf_add_u64le(out, pass);
    tut_buf_add_u32le(out, (uint32_t)m->words);
    tut_buf_add_sized(out, m->id);
    tut_buf_add_sized(out, m->title);
    tut_buf_add_sized(out, m->atlas_version);
    put_list(out, &m->atlas);
    put_list(out, &m->clauses);
    tut_buf_add_u32le(out, (uint32_t)m->block_count);
    for (size_t i = 0; i < m->block_count; i++) {
        tut_buf_add_u32le(out, (uint32_t)m->blocks[i].type);
        tut_buf_add_u32le(out, m->blocks[i].level);
        tut_buf_add_u32le(out, m->blocks[i].number);
        put_view(out, m, m->blocks[i].text);
    }
    tut_buf_add_u32le(out, (uint32_t)m->text_blocks);
    tut_buf_add_u32le(out, (uint32_t)m->question_count);
    for (size_t i = 0; i < m->question_count; i++)
        put_question(out, m, &m->questions[i]);
    return tut_buf_check(out, err);
}

/* --- reading --- */

typedef struct decoder {
    tut_reader in;
    tut_training_module *m;
} decoder;

#define MALFORMED ((tut_status){TUT_MALFORMED})

static tut_status take_u32(decoder *d, uint32_t most, uint32_t *ret)
{
    TUT_TRY(tut_reader_u32le(&d->in, ret));
    return *ret <= most ? TUT_SUCCESS : MALFORMED;
}

static tut_status take_view(decoder *d, tut_str *ret)
{
    uint32_t start, len;
    tut_str text = tut_buf_str(&d->m->source);
    TUT_TRY(tut_reader_u32le(&d->in, &start));
    TUT_TRY(tut_reader_u32le(&d->in, &len));
    if (start > text.len || len > text.len - start)
        return MALFORMED;
    *ret = (tut_str){text.data + start, len};
    return tut_utf8_valid(*ret) ? TUT_SUCCESS : MALFORMED;
}

static tut_status take_text(decoder *d, tut_str *ret)
{
    tut_str text;
    TUT_TRY(tut_reader_sized(&d->in, &text));
    char *copy = tut_arena_copy(&d->m->arena, text);
    if (!copy)
        return (tut_status){TUT_NOMEM};
    *ret = (tut_str){copy, text.len};
    return tut_utf8_valid(text) && !memchr(copy, '\0', text.len) ? TUT_SUCCESS : MALFORMED;
}

static tut_status take_list(decoder *d, tut_str_list *ret)
{
    uint32_t count;
    TUT_TRY(take_u32(d, TUT_TRAINING_LIST, &count));
    ret->items = tut_arena_take(&d->m->arena, count + 1u, sizeof(*ret->items));
    if (!ret->items)
        return (tut_status){TUT_NOMEM};
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(take_text(d, &ret->items[i]));
    ret->count = count;
    return TUT_SUCCESS;
}

static tut_status take_head(decoder *d)
{
    tut_training_module *m = d->m;
    uint32_t *const head[] = {&m->version, &m->review_days, &m->minutes, &m->draw};
    uint64_t reviewed, pass;
    uint32_t about, words;
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        TUT_TRY(take_u32(d, UINT32_MAX, head[i]));
    TUT_TRY(tut_reader_u64le(&d->in, &reviewed));
    TUT_TRY(take_u32(d, TUT_TRAINING_PRACTICE, &about));
    TUT_TRY(take_u32(d, UINT32_MAX, &m->roles));
    TUT_TRY(tut_reader_u64le(&d->in, &pass));
    TUT_TRY(take_u32(d, TUT_TRAINING_BYTES, &words));
    if (reviewed > (uint64_t)1 << 40)
        return MALFORMED;
    m->reviewed = (tut_time)reviewed;
    m->about = (tut_training_about)about;
    m->words = words;
    memcpy(&m->pass, &pass, sizeof(pass));
    TUT_TRY(take_text(d, &m->id));
    TUT_TRY(take_text(d, &m->title));
    TUT_TRY(take_text(d, &m->atlas_version));
    TUT_TRY(take_list(d, &m->atlas));
    return take_list(d, &m->clauses);
}

static tut_status take_blocks(decoder *d)
{
    tut_training_module *m = d->m;
    uint32_t count, type, text_blocks;
    TUT_TRY(take_u32(d, TUT_TRAINING_LINES, &count));
    m->blocks = tut_arena_take(&m->arena, count + 1u, sizeof(*m->blocks));
    if (!m->blocks)
        return (tut_status){TUT_NOMEM};
    for (uint32_t i = 0; i < count; i++) {
        tut_block *b = &m->blocks[i];
        TUT_TRY(take_u32(d, TUT_BLOCK_RULE, &type));
        TUT_TRY(take_u32(d, 6, &b->level));
        TUT_TRY(take_u32(d, 9999, &b->number));
        TUT_TRY(take_view(d, &b->text));
        b->type = (tut_block_type)type;
    }
    m->block_count = count;
    TUT_TRY(take_u32(d, count, &text_blocks));
    m->text_blocks = text_blocks;
    return TUT_SUCCESS;
}

static tut_status take_question(decoder *d, tut_training_question *q)
{
    uint32_t count, is_right;
    TUT_TRY(take_view(d, &q->title));
    TUT_TRY(take_u32(d, (uint32_t)d->m->block_count, &q->first_block));
    TUT_TRY(take_u32(d, (uint32_t)d->m->block_count - q->first_block, &q->block_count));
    TUT_TRY(take_view(d, &q->why));
    TUT_TRY(take_u32(d, TUT_TRAINING_ANSWERS, &count));
    for (uint32_t i = 0; i < count; i++) {
        TUT_TRY(take_u32(d, 1, &is_right));
        TUT_TRY(take_view(d, &q->answers[i].text));
        q->answers[i].is_right = is_right;
        q->right_count += is_right;
    }
    q->answer_count = count;
    return TUT_SUCCESS;
}

static tut_status take_all(decoder *d)
{
    tut_training_module *m = d->m;
    uint32_t count;
    TUT_TRY(take_head(d));
    TUT_TRY(take_blocks(d));
    TUT_TRY(take_u32(d, TUT_TRAINING_QUESTIONS, &count));
    m->questions = tut_arena_take(&m->arena, count + 1u, sizeof(*m->questions));
    if (!m->questions)
        return (tut_status){TUT_NOMEM};
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(take_question(d, &m->questions[i]));
    m->question_count = count;
    return tut_reader_left(&d->in) == 0 && !tut_module_flaw(m) ? TUT_SUCCESS : MALFORMED;
}

/* Of the bytes below the front matter, which the parent finds by itself. */
static tut_status digest_content(tut_training_module *m, tut_error *err)
{
    tut_module_reader r = {.m = m, .file = m->file, .rest = tut_buf_str(&m->source), .err = err};
    tut_module_next_line(&r);
    do
        tut_module_next_line(&r);
    while (!r.at_end && !tut_str_eq_z(r.line, "---"));
    return tut_sha256_of(tut_span_of(r.rest.data, r.rest.len), &m->digest, err);
}

tut_status tut_training_module_decode(const char *file, tut_str text, tut_span reply,
                                      tut_training_module **ret_module, tut_error *err)
{
    TUT_AUTO(tut_training_module) m = tut_alloc_array(1, sizeof(*m));
    if (!m)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&m->arena, 0);
    m->file = tut_strdup(file);
    tut_buf_add_str(&m->source, text);
    TUT_TRY(tut_buf_check(&m->source, err));
    if (!m->file)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    decoder d = {.in = tut_reader_of(reply), .m = m};
    tut_status status = take_all(&d);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        return tut_fail(err, TUT_MALFORMED, "the worker's answer is damaged");
    TUT_TRY(digest_content(m, err));
    *ret_module = tut_move(&m);
    return TUT_SUCCESS;
}

/* --- the cage --- */

/* The argument: the file's name, sized, and its text. */
static tut_status parse_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                            tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_training_module) m = NULL;
    tut_reader in = tut_reader_of(argument);
    tut_str file;
    tut_span text;
    (void)task;
    (void)bytes;
    TUT_TRY(tut_reader_sized(&in, &file));
    TUT_TRY(tut_reader_bytes(&in, tut_reader_left(&in), &text));
    TUT_AUTO_FREE char *name = tut_strndup(file.data, file.len);
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_training_module_parse(name, tut_str_from(text), &m, err));
    return tut_training_module_encode(m, out, err);
}

typedef struct parsing {
    const tut_training_file *files;
    tut_training_module **modules; /* as they come */
} parsing;

static tut_status take_reply(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                             const tut_error *error, tut_error *err)
{
    const parsing *p = ctx;
    tut_training_module **module = tag;
    const tut_training_file *f = &p->files[module - p->modules];
    if (outcome == TUT_CAGE_DONE)
        return tut_training_module_decode(f->name, f->text, reply, module, err);
    tut_error_set_path(err, error->path[0] ? error->path : f->name);
    return tut_fail(err, error->code == TUT_OK ? TUT_MALFORMED : error->code, "%s", error->text);
}

static tut_status parse_all(tut_cage *cage, parsing *p, size_t count, tut_error *err)
{
    for (size_t i = 0; i < count; i++) {
        TUT_CLEAN(tut_buf) argument = TUT_BUF_INIT;
        tut_buf_add_sized(&argument, tut_str_of(p->files[i].name));
        tut_buf_add_str(&argument, p->files[i].text);
        TUT_TRY(tut_buf_check(&argument, err));
        const tut_cage_request request = {.fd = -1,
                                          .sibling_dirfd = -1,
                                          .argument = tut_buf_span(&argument),
                                          .tag = &p->modules[i]};
        TUT_TRY(tut_cage_submit(cage, &request, take_reply, p, err));
    }
    return tut_cage_drain(cage, take_reply, p, err);
}

static tut_status parse_in_cage(parsing *p, size_t count, tut_error *err)
{
    TUT_AUTO(tut_cage) cage = NULL;
    const tut_cage_options options = {.mode = TUT_CAGE_AUTO, .workers = 1};
    TUT_TRY(tut_cage_open(parse_job, &options, &cage, err));
    return parse_all(cage, p, count, err);
}

static tut_status parse_here(const parsing *p, size_t count, tut_error *err)
{
    for (size_t i = 0; i < count; i++)
        TUT_TRY(tut_training_module_parse(p->files[i].name, p->files[i].text, &p->modules[i], err));
    return TUT_SUCCESS;
}

tut_status tut_training_modules_parse(const tut_training_file *files, size_t count,
                                      tut_training_module **ret_modules, tut_error *err)
{
    TUT_AUTO_FREE tut_training_module **modules = tut_alloc_array(count + 1, sizeof(*modules));
    if (!modules)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    parsing p = {.files = files, .modules = modules};
    tut_status status = TUT_SUCCESS;
    if (count > 0)
        status = tut_jail_is_entered() ? parse_here(&p, count, err) : parse_in_cage(&p, count, err);
    for (size_t i = 0; i < count; i++) {
        if (tut_is_ok(status))
            ret_modules[i] = modules[i];
        else
            tut_training_module_free(modules[i]);
    }
    return status;
}
