/*
 * Tar archives in all their dialects (v7, ustar, GNU, pax, star), read as Python, GNU tar and Go
 * read them; where these differ it is said, and what one of them sees is examined.
 *
 *   archive = { [extended] header [map] data padding } zeros(512) zeros(512) [zeros]
 *
 * Readers stop at the first block of zeros, at a header whose checksum is wrong, or go on behind
 * both. All that follows is looked at.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/codec.h"
#include "formats/pickle_sniff.h"
#include "formats/pickle_stream.h"
#include "formats/tar_internal.h"

void tut_tar_problem(tut_tar *t, tut_code code, const char *fmt, ...)
{
    if (t->worst != TUT_OK)
        return;
    t->worst = code;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(t->problem, sizeof(t->problem), fmt, ap);
    va_end(ap);
}

/* --- recognising --- */

static bool parse_head(const tut_sniff *s, tut_tar_header *h)
{
    if (s->head.len < TUT_TAR_BLOCK || tut_tar_is_zero(s->head.data))
        return false;
    tut_tar_parse(s->head.data, h);
    return true;
}

static bool is_torch_part(tut_str name)
{
    return tut_str_eq_z(name, "sys_info") || tut_str_eq_z(name, "pickle") ||
           tut_str_eq_z(name, "tensors") || tut_str_eq_z(name, "storages");
}

static tut_match sniff_tar(const tut_sniff *s)
{
    tut_tar_header h;
    if (!parse_head(s, &h))
        return TUT_MATCH_NONE;
    if (h.has_checksum && (h.dialect != TUT_TAR_V7 || h.size_kind == TUT_TAR_PLAIN))
        return TUT_MATCH_SURE;
    return h.dialect != TUT_TAR_V7 ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static tut_match sniff_torch(const tut_sniff *s)
{
    tut_tar_header h;
    if (!parse_head(s, &h) || !h.has_checksum)
        return TUT_MATCH_NONE;
    return is_torch_part((tut_str){h.name, h.name_len}) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* --- one member --- */

/* The name that readers go by, and whether they differ about it. */
static tut_str name_of(tut_tar *t, const tut_tar_header *h, uint64_t at)
{
    const tut_tar_extended *e = &t->next;
    tut_str plain = {h->name, h->name_len};
    tut_str pax = tut_buf_str(&e->pax_name), gnu = tut_buf_str(&e->gnu_name);
    tut_str name = e->has_sparse_name ? tut_buf_str(&e->sparse_name)
                   : e->has_pax_name  ? pax
                   : e->has_gnu_name  ? gnu
                                      : plain;
    tut_str other = name;
    bool fits_plain = name.len < TUT_TAR_NAME && !memchr(name.data ? name.data : "", 0, name.len);
    for (size_t i = 0; name.data && i < name.len; i++)
        fits_plain = fits_plain && (uint8_t)name.data[i] < 0x80;
    if (h->has_second_name)
        other = (tut_str){h->second_name, h->second_name_len};
    else if (e->has_pax_name && e->has_gnu_name)
        other = gnu;
    else if ((e->has_pax_name || e->has_gnu_name) && !e->has_sparse_name && fits_plain)
        other = plain;
    if (!tut_str_eq(name, other))
        tut_exam_observe(t->x, "tar.name-mismatch", at, "'%.*s' to some readers, '%.*s' to others",
                         TUT_TAR_SHOWN(name), TUT_TAR_SHOWN(other));
    return name;
}

static tut_str link_of(tut_tar *t, const tut_tar_header *h, uint64_t at)
{
    const tut_tar_extended *e = &t->next;
    tut_str pax = tut_buf_str(&e->pax_link), gnu = tut_buf_str(&e->gnu_link);
    if (e->has_pax_link && e->has_gnu_link && !tut_str_eq(pax, gnu))
        tut_exam_observe(t->x, "tar.name-mismatch", at,
                         "a link to '%.*s' to some readers, to '%.*s' to others",
                         TUT_TAR_SHOWN(pax), TUT_TAR_SHOWN(gnu));
    if (e->has_pax_link)
        return pax;
    return e->has_gnu_link ? gnu : (tut_str){h->link, h->link_len};
}

/* The size that readers go by. Plain headers hold up to 8 GiB; below that both must say the same.
 */
static bool size_of(tut_tar *t, const tut_tar_header *h, tut_str name, uint64_t at, uint64_t *ret)
{
    static const uint64_t plain_max = 1ull << 33;
    const tut_tar_extended *e = &t->next;
    *ret = e->has_size ? e->size : h->size;
    if (h->size_kind == TUT_TAR_NEGATIVE && !e->has_size) {
        tut_exam_observe(t->x, "tar.number", at, "'%.*s' has a size below zero or beyond measure",
                         TUT_TAR_SHOWN(name));
        tut_tar_problem(t, TUT_MALFORMED, "'%.*s' has no size that makes sense",
                        TUT_TAR_SHOWN(name));
        return false;
    }
    if (h->size_kind == TUT_TAR_ODD)
        tut_exam_observe(t->x, "tar.number", at,
                         "the size of '%.*s' is written in a way that readers differ about",
                         TUT_TAR_SHOWN(name));
    if (e->has_size && e->size < plain_max && e->size != h->size)
        tut_exam_observe(t->x, "tar.size-mismatch", at,
                         "'%.*s' has %llu bytes by its pax record, %llu by its header",
                         TUT_TAR_SHOWN(name), (unsigned long long)e->size,
                         (unsigned long long)h->size);
    return true;
}

/* Whether the next block may well be a header, or the end. */
static bool at_header(tut_stream *s)
{
    const uint8_t *block = NULL;
    tut_tar_header h;
    if (tut_stream_at_end(s))
        return true;
    if (!tut_is_ok(tut_stream_peek(s, TUT_TAR_BLOCK, &block)))
        return false;
    if (tut_tar_is_zero(block))
        return true;
    tut_tar_parse(block, &h);
    return h.has_checksum;
}

static tut_status examine_data(tut_tar *t, const tut_tar_header *h, const uint8_t *block,
                               tut_tar_member *m, tut_error *err)
{
    tut_tar_sparse sparse = {0};
    tut_status status = TUT_SUCCESS;
    if (h->type == 'S')
        status = tut_tar_sparse_old(t, block, &sparse, err);
    else if (t->next.is_sparse)
        status = tut_tar_sparse_pax(t, &m->size, &sparse, err);
    if (h->type == 'S' || t->next.is_sparse) {
        m->sparse = &sparse;
        m->header_size = UINT64_MAX;
    }
    if (status.code == TUT_MALFORMED || status.code == TUT_LIMIT || status.code == TUT_TRUNCATED)
        tut_exam_observe(t->x, "tar.sparse-map", m->at, "'%.*s': the map is broken, or too long",
                         TUT_TAR_SHOWN(m->name));
    if (tut_is_ok(status))
        status = tut_tar_examine_member(t, m, err);
    m->sparse = NULL;
    tut_tar_sparse_done(&sparse);
    return status;
}

static tut_status examine_entry(tut_tar *t, const tut_tar_header *h, const uint8_t *block,
                                uint64_t at, tut_error *err)
{
    tut_str name = name_of(t, h, at);
    tut_tar_member m = {.name = name, .at = at, .header_size = h->size};
    bool is_folder = h->type == '5' || (h->type <= '0' && tut_str_ends(name, TUT_LIT("/")));
    if (!tut_tar_is_known(h->type))
        tut_exam_observe(t->x, "tar.unusual-type", at,
                         "'%.*s' is of type 0x%02x, which readers take as they like",
                         TUT_TAR_SHOWN(name), (unsigned)(uint8_t)h->type);
    TUT_TRY(tut_tar_add_name(t, name, link_of(t, h, at), is_folder ? '5' : h->type, at, err));
    if (h->has_second_name)
        TUT_TRY(tut_tar_add_name(t, (tut_str){h->second_name, h->second_name_len}, TUT_LIT(""),
                                 is_folder ? '5' : '0', at, err));
    if (!size_of(t, h, name, at, &m.size))
        return tut_fail(err, TUT_MALFORMED, "%s", t->problem);
    if (is_folder || !tut_tar_has_data(h->type)) {
        if (m.size == 0)
            return TUT_SUCCESS;
        tut_exam_observe(t->x, "tar.size-mismatch", at,
                         "'%.*s' is no file, but has a size of %llu: some readers skip so much",
                         TUT_TAR_SHOWN(name), (unsigned long long)m.size);
        if (at_header(t->s))
            return TUT_SUCCESS;
    }
    return examine_data(t, h, block, &m, err);
}

/* --- the walk --- */

typedef struct walk_state {
    uint64_t members;
    bool has_ended, has_told_more;
} walk_state;

/* Zeros, then nothing; or something that only readers see who go on. */
static tut_status after_end(tut_tar *t, walk_state *w, tut_error *err)
{
    const uint8_t *block = NULL;
    w->has_ended = true;
    while (tut_is_ok(tut_stream_peek(t->s, TUT_TAR_BLOCK, &block)) && tut_tar_is_zero(block))
        TUT_TRY(tut_stream_skip(t->s, TUT_TAR_BLOCK));
    if (!tut_stream_at_end(t->s) && !w->has_told_more && at_header(t->s)) {
        w->has_told_more = true;
        tut_exam_observe(t->x, "tar.trailing-archive", tut_stream_pos(t->s),
                         "more members follow behind the end of the archive");
    }
    (void)err;
    return TUT_SUCCESS;
}

/* Less than a block is left, all of it zeros: it is passed over. */
static bool skip_short_zeros(tut_stream *s)
{
    tut_span some = {0};
    if (!tut_is_ok(tut_stream_peek_some(s, TUT_TAR_BLOCK, &some)))
        return false;
    for (size_t i = 0; i < some.len; i++) {
        if (some.data[i])
            return false;
    }
    return tut_is_ok(tut_stream_skip(s, some.len));
}

static bool looks_like_header(tut_stream *s)
{
    const uint8_t *block = NULL;
    tut_tar_header h;
    if (!tut_is_ok(tut_stream_peek(s, TUT_TAR_BLOCK, &block)))
        return false;
    tut_tar_parse(block, &h);
    return h.dialect != TUT_TAR_V7;
}

/* What is no header, from here on to the next one or the end. */
static tut_status pass_over(tut_tar *t, const walk_state *w, tut_error *err)
{
    uint64_t from = tut_stream_pos(t->s);
    char name[48];
    tut_source rest;
    bool is_short = false, has_header = looks_like_header(t->s);
    tut_exam_observe(t->x, w->has_ended ? "tar.trailing-data" : "tar.checksum", from,
                     w->has_ended ? "bytes follow the end of the archive"
                                  : "a header does not fit its checksum: some readers stop here, "
                                    "others look for the next one");
    do {
        const uint8_t *block = NULL;
        is_short = !tut_is_ok(tut_stream_peek(t->s, TUT_TAR_BLOCK, &block));
        TUT_TRY(tut_budget_steps(t->x->budget, 1, err));
        if (!is_short)
            TUT_TRY(tut_stream_skip(t->s, TUT_TAR_BLOCK));
    } while (!is_short && !at_header(t->s));
    uint64_t to = is_short && t->src ? t->src->size : tut_stream_pos(t->s);
    if (is_short) {
        if (!w->has_ended)
            tut_tar_problem(t, TUT_MALFORMED, "the archive is broken at byte %llu",
                            (unsigned long long)from);
        while (!tut_stream_at_end(t->s))
            TUT_TRY(tut_stream_skip(t->s, 1));
    }
    from += has_header ? TUT_TAR_BLOCK : 0; /* what follows is its data */
    if (!t->src || to <= from)
        return TUT_SUCCESS;
    TUT_TRY(tut_source_slice(t->src, from, to - from, &rest));
    int len = snprintf(name, sizeof(name), "[%s at %llu]", w->has_ended ? "trailing" : "gap",
                       (unsigned long long)from);
    return t->x->ops->member(t->x->ctx, (tut_str){name, (size_t)len}, &rest, NULL, rest.size, err);
}

static tut_status next_entry(tut_tar *t, walk_state *w, tut_error *err)
{
    uint8_t block[TUT_TAR_BLOCK];
    const uint8_t *there = NULL;
    tut_tar_header h;
    uint64_t at = tut_stream_pos(t->s);
    TUT_TRY(tut_budget_steps(t->x->budget, 1, err));
    if (!tut_is_ok(tut_stream_peek(t->s, TUT_TAR_BLOCK, &there))) {
        return skip_short_zeros(t->s) ? TUT_SUCCESS : pass_over(t, w, err);
    }
    memcpy(block, there, sizeof(block));
    if (tut_tar_is_zero(block))
        return after_end(t, w, err);
    tut_tar_parse(block, &h);
    if (!h.has_checksum)
        return pass_over(t, w, err);
    TUT_TRY(tut_stream_skip(t->s, TUT_TAR_BLOCK));
    if (++w->members > TUT_LIMIT_TAR_MEMBERS)
        return tut_fail(err, TUT_LIMIT, "more than %u members", TUT_LIMIT_TAR_MEMBERS);
    if (tut_tar_is_extended(h.type))
        return tut_tar_read_extended(t, &h, at, err);
    tut_status status = examine_entry(t, &h, block, at, err);
    tut_tar_extended_clear(&t->next);
    return status;
}

static tut_status walk(tut_tar *t, tut_error *err)
{
    walk_state w = {0};
    tut_status status = TUT_SUCCESS;
    while (tut_is_ok(status) && !tut_stream_at_end(t->s) && t->worst != TUT_TRUNCATED)
        status = next_entry(t, &w, err);
    tut_exam_factf(t->x, "tar.members", "%zu", t->count);
    const char *why = NULL;
    tut_code failed = tut_stream_failure(t->s, &why);
    if (tut_is_ok(status) && failed != TUT_OK)
        return tut_fail(err, failed, "%s", why ? why : tut_code_sentence(failed));
    if (!tut_is_ok(status) || t->worst == TUT_OK)
        return status;
    return tut_fail(err, t->worst, "%s", t->problem);
}

/* A name is the first thing in the file, and may be a pickle: whoever unpickles the file runs it.
 */
static tut_status check_polyglot(tut_exam *x, tut_error *err)
{
    tut_span head = {0};
    tut_pglance g;
    TUT_TRY(tut_stream_peek_some(x->stream, 4096, &head));
    tut_psniff_glance(head, x->size, 512, &g);
    if (!g.imports && !(g.has_proto && g.is_done))
        return TUT_SUCCESS;
    tut_exam_observe(x, "tar.pickle-name", 0,
                     "the archive's first bytes are a pickle: what unpickles the file runs it");
    TUT_AUTO(tut_stream) again = NULL;
    tut_source shown = x->source ? *x->source : tut_source_memory(head);
    TUT_TRY(tut_stream_open_source(&shown, &again));
    tut_exam as_pickle = *x;
    as_pickle.stream = again;
    as_pickle.source = &shown;
    as_pickle.size = shown.size;
    tut_status status = tut_pstream_search(&as_pickle, err);
    return status.code == TUT_TRUNCATED || status.code == TUT_MALFORMED ? TUT_SUCCESS : status;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    tut_tar t = {
        .x = x, .s = x->stream, .src = x->source ? x->source : tut_stream_source(x->stream)};
    if (!x->is_member && t.src)
        tut_codec_bound_layers(x->budget, t.src->size);
    TUT_TRY(check_polyglot(x, err));
    tut_arena_init(&t.arena, TUT_LIMIT_HEAP_BYTES);
    tut_status status = walk(&t, err);
    tut_tar_extended_done(&t.next);
    tut_map_done(&t.by_name);
    tut_free(t.names);
    tut_arena_done(&t.arena);
    tut_budget_heap_return(x->budget, t.heap);
    return status;
}

extern const tut_format tut_format_torch_tar, tut_format_tar;

const tut_format tut_format_torch_tar = {
    .name = "torch-tar",
    .label = "PyTorch tar",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_torch,
    .examine = examine,
    .extensions = ".pt .pth .bin .ckpt .tar .th .t7 .model",
    .reads = "the pickles in all its members, with storages between them; headers as for tar",
    .rules = "tar pickle torch data",
};

const tut_format tut_format_tar = {
    .name = "tar",
    .label = "tar archive",
    .kind = TUT_KIND_NONE,
    .sniff = sniff_tar,
    .examine = examine,
    .extensions = ".tar .nemo .mar .gem .ova .layer .tgz .tbz2 .txz .t7 .pt .pth .ckpt .model",
    .reads = "all dialects as their readers differ, links and names, each member by its own format",
    .rules = "tar image data",
};
