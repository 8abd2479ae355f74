#include "pack/draft.h"

#include <stdlib.h>

#include "base/fs.h"
#include "pack/image.h"

enum { FLUSH_BYTES = 1 << 20 };

void tut_draft_init(tut_draft *d, tut_draft_fetch fetch, void *ctx)
{
    *d = (tut_draft){.fetch = fetch, .ctx = ctx};
    tut_arena_init(&d->names, 0);
}

void tut_draft_done(tut_draft *d)
{
    for (size_t i = 0; i < d->count; i++)
        tut_buf_done(&d->files[i].bytes);
    tut_free(d->files);
    tut_arena_done(&d->names);
    *d = (tut_draft){.files = NULL};
}

static tut_status new_file(tut_draft *d, const char *name, tut_draft_file **ret, tut_error *err)
{
    if (!tut_is_ok(tut_grow(&d->files, d->count, &d->capacity, sizeof(*d->files))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_draft_file *f = &d->files[d->count];
    *f = (tut_draft_file){.member = {.name = tut_arena_copy(&d->names, tut_str_of(name))}};
    if (!f->member.name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    d->count++;
    *ret = f;
    return TUT_SUCCESS;
}

tut_status tut_draft_add(tut_draft *d, const char *name, tut_span bytes, bool is_listed,
                         tut_error *err)
{
    tut_draft_file *f;
    TUT_TRY(new_file(d, name, &f, err));
    f->is_listed = is_listed;
    f->member.size = bytes.len;
    tut_buf_add(&f->bytes, bytes.data, bytes.len);
    TUT_TRY(tut_buf_check(&f->bytes, err));
    return tut_sha256_of(bytes, &f->member.digest, err);
}

tut_status tut_draft_add_body(tut_draft *d, const tut_sha256 *digest, uint64_t size, tut_error *err)
{
    tut_draft_file *f;
    char name[TUT_PACK_NAME];
    tut_pack_body_name(digest, name);
    TUT_TRY(new_file(d, name, &f, err));
    f->is_body = f->is_listed = true;
    f->member.size = size;
    f->member.digest = *digest;
    return TUT_SUCCESS;
}

static int by_name(const void *a, const void *b)
{
    const tut_draft_file *x = a;
    const tut_draft_file *y = b;
    return strcmp(x->member.name, y->member.name);
}

/* In order of the names, each once: the first that was added. */
static void sort(tut_draft *d)
{
    size_t kept = 0;
    if (d->count > 0)
        qsort(d->files, d->count, sizeof(*d->files), by_name);
    for (size_t i = 0; i < d->count; i++) {
        if (i > 0 && strcmp(d->files[i].member.name, d->files[kept - 1].member.name) == 0)
            tut_buf_done(&d->files[i].bytes);
        else
            d->files[kept++] = d->files[i];
    }
    d->count = kept;
}

tut_status tut_draft_list(tut_draft *d, tut_arena *arena, const tut_pack_file **ret_files,
                          size_t *ret_count, tut_error *err)
{
    size_t count = 0;
    sort(d);
    tut_pack_file *files = tut_arena_take(arena, d->count + 1, sizeof(*files));
    if (!files)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < d->count; i++) {
        const tut_archive_member *m = &d->files[i].member;
        if (d->files[i].is_listed)
            files[count++] =
                (tut_pack_file){.name = tut_str_of(m->name), .size = m->size, .digest = m->digest};
    }
    *ret_files = files;
    *ret_count = count;
    return TUT_SUCCESS;
}

/* --- the archive --- */

typedef struct writing {
    tut_draft *d;
    tut_buf pending;
} writing;

static tut_status flush(writing *w, tut_fs_out *out, tut_error *err)
{
    TUT_TRY(tut_buf_check(&w->pending, err));
    TUT_TRY(tut_fs_out_add(out, tut_buf_span(&w->pending), err));
    tut_buf_clear(&w->pending);
    return TUT_SUCCESS;
}

static void add_zeros(tut_buf *out, size_t count)
{
    static const uint8_t zeros[TUT_ARCHIVE_BLOCK];
    while (count > 0) {
        size_t some = count < sizeof(zeros) ? count : sizeof(zeros);
        tut_buf_add(out, zeros, some);
        count -= some;
    }
}

static tut_status add_file(writing *w, const tut_draft_file *f, tut_fs_out *out, tut_error *err)
{
    TUT_TRY(tut_archive_header(f->member.name, f->member.size, &w->pending, err));
    size_t start = w->pending.len;
    if (f->is_body)
        TUT_TRY(w->d->fetch(w->d->ctx, &f->member.digest, &w->pending, err));
    else
        tut_buf_add(&w->pending, f->bytes.data, f->bytes.len);
    TUT_TRY(tut_buf_check(&w->pending, err));
    if (w->pending.len - start != f->member.size)
        return tut_fail(err, TUT_STORE, "%s changed while the pack was written", f->member.name);
    add_zeros(&w->pending, tut_archive_padding(f->member.size));
    return w->pending.len < FLUSH_BYTES ? TUT_SUCCESS : flush(w, out, err);
}

static tut_status compose(void *ctx, tut_fs_out *out, tut_error *err)
{
    writing *w = ctx;
    for (size_t i = 0; i < w->d->count; i++)
        TUT_TRY(add_file(w, &w->d->files[i], out, err));
    add_zeros(&w->pending, (size_t)2 * TUT_ARCHIVE_BLOCK);
    return flush(w, out, err);
}

static tut_status add_sums(tut_draft *d, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < d->count; i++)
        tut_archive_sums(&d->files[i].member, 1, &text);
    TUT_TRY(tut_buf_check(&text, err));
    return tut_draft_add(d, TUT_PACK_SUMS, tut_buf_span(&text), false, err);
}

tut_status tut_draft_write(tut_draft *d, const char *path, tut_error *err)
{
    writing w = {.d = d};
    sort(d);
    TUT_TRY(add_sums(d, err));
    sort(d);
    tut_status status = tut_fs_write_parts(path, 0644, compose, &w, err);
    tut_buf_done(&w.pending);
    return status;
}
