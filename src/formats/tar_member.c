/* One member's bytes: handed on to be examined by content, with their holes where it has some. */
#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "formats/part.h"
#include "formats/tar_internal.h"

static tut_status hand_over(tut_tar *t, tut_str name, const tut_source *slice, tut_stream *stream,
                            uint64_t size, tut_error *err)
{
    return t->x->ops->member(t->x->ctx, name, slice, stream, size, err);
}

static void report_cut(tut_tar *t, const tut_tar_member *m, uint64_t there)
{
    tut_exam_observe(t->x, "tar.truncated", m->at, "'%.*s' has %llu bytes, %llu of them are there",
                     TUT_TAR_SHOWN(m->name), (unsigned long long)m->size,
                     (unsigned long long)there);
    tut_tar_problem(t, TUT_TRUNCATED, "the archive ends inside '%.*s'", TUT_TAR_SHOWN(m->name));
}

/* A bomb of holes. */
static void check_holes(tut_tar *t, const tut_tar_member *m)
{
    const tut_tar_sparse *sparse = m->sparse;
    const char *why = tut_tar_sparse_problem(sparse, m->size);
    if (why)
        tut_exam_observe(t->x, "tar.sparse-map", m->at, "'%.*s': %s", TUT_TAR_SHOWN(m->name), why);
    if (sparse->size > TUT_LIMIT_BOMB_BYTES && sparse->size / TUT_LIMIT_BOMB_RATIO > m->size)
        tut_exam_observe(t->x, "tar.bomb", m->at, "'%.*s': %llu bytes unpack to %llu",
                         TUT_TAR_SHOWN(m->name), (unsigned long long)m->size,
                         (unsigned long long)sparse->size);
}

static tut_status examine_stream(tut_tar *t, const tut_tar_member *m, tut_stream *data,
                                 tut_error *err)
{
    if (!m->sparse)
        return hand_over(t, m->name, NULL, data, m->size, err);
    check_holes(t, m);
    if (tut_tar_sparse_problem(m->sparse, m->size)) /* as readers without a map have it */
        return hand_over(t, m->name, NULL, data, m->size, err);
    TUT_AUTO(tut_stream) whole = NULL;
    TUT_TRY(tut_tar_sparse_open(m->sparse, data, t->x->budget, &whole));
    return hand_over(t, m->name, NULL, whole, m->sparse->size, err);
}

/* Readers that do not know pax go by the plain header's size, and find what follows there. */
static tut_status examine_covered(tut_tar *t, const tut_tar_member *m, uint64_t pos, uint64_t there,
                                  tut_error *err)
{
    char name[256];
    tut_source rest;
    uint64_t from = m->header_size +
                    (TUT_TAR_BLOCK - m->header_size % TUT_TAR_BLOCK) % TUT_TAR_BLOCK;
    if (m->header_size >= m->size || from >= there)
        return TUT_SUCCESS;
    TUT_TRY(tut_source_slice(t->src, pos + from, there - from, &rest));
    int len = snprintf(name, sizeof(name), "%.*s [by its plain header]", TUT_TAR_SHOWN(m->name));
    return hand_over(t, (tut_str){name, (size_t)len}, &rest, NULL, rest.size, err);
}

/* Images in one file: a part is called by the digest of its content. */
static tut_status check_digest(tut_tar *t, const tut_tar_member *m, const tut_source *slice,
                               tut_error *err)
{
    enum { HEX = 64 };
    static const char form[] = "blobs/sha256/";
    tut_sha256 digest;
    TUT_CLEAN(tut_buf) is = TUT_BUF_INIT;
    size_t prefix = sizeof(form) - 1;
    if (!t->x->content || m->sparse || m->name.len < prefix + HEX)
        return TUT_SUCCESS;
    const char *hex = m->name.data + m->name.len - HEX;
    if (memcmp(hex - prefix, form, prefix) != 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_sha256_source(slice, &digest, err));
    tut_buf_add_hex(&is, digest.bytes, sizeof(digest.bytes));
    TUT_TRY(tut_buf_check(&is, err));
    if (memcmp(is.data, hex, HEX) != 0)
        tut_exam_observe(t->x, "image.digest-mismatch", m->at,
                         "called by the digest %.16s..., but its content has %.16s...", hex,
                         (const char *)is.data);
    return TUT_SUCCESS;
}

static tut_status examine_source(tut_tar *t, const tut_tar_member *m, tut_error *err)
{
    uint64_t pos = tut_stream_pos(t->s);
    uint64_t left = t->src->size - pos, there = m->size < left ? m->size : left;
    tut_source slice;
    TUT_TRY(tut_source_slice(t->src, pos, there, &slice));
    if (there < m->size)
        report_cut(t, m, there);
    TUT_TRY(check_digest(t, m, &slice, err));
    if (m->sparse) {
        TUT_AUTO(tut_stream) data = NULL;
        TUT_TRY(tut_stream_open_source(&slice, &data));
        TUT_TRY(examine_stream(t, m, data, err));
    } else {
        TUT_TRY(hand_over(t, m->name, &slice, NULL, slice.size, err));
    }
    TUT_TRY(examine_covered(t, m, pos, there, err));
    return tut_stream_seek(t->s, pos + there);
}

static tut_status examine_decoded(tut_tar *t, const tut_tar_member *m, tut_error *err)
{
    tut_part p = {t->s, m->size};
    TUT_AUTO(tut_stream) data = NULL;
    TUT_TRY(tut_part_open(&p, &data));
    TUT_TRY(examine_stream(t, m, data, err));
    uint64_t before = tut_stream_pos(t->s);
    tut_status skipped = tut_stream_skip(t->s, p.left);
    if (skipped.code != TUT_TRUNCATED)
        return skipped;
    report_cut(t, m, m->size - p.left + (tut_stream_pos(t->s) - before));
    return TUT_SUCCESS;
}

tut_status tut_tar_examine_member(tut_tar *t, const tut_tar_member *m, tut_error *err)
{
    TUT_TRY(t->src ? examine_source(t, m, err) : examine_decoded(t, m, err));
    uint64_t over = m->size % TUT_TAR_BLOCK;
    if (over == 0 || t->worst == TUT_TRUNCATED)
        return TUT_SUCCESS;
    tut_status padding = tut_stream_skip(t->s, TUT_TAR_BLOCK - over);
    return padding.code == TUT_TRUNCATED ? TUT_SUCCESS : padding; /* the end, without end blocks */
}
