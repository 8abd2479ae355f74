/*
 * The header of a 7z archive, which stands at its end:
 *
 *   header  = 0x01 [properties 0x02] [streams 0x03] [streams 0x04] [files 0x05] 0x00 | 0x17 streams
 *   streams = [0x06 pack] [0x07 folders] [0x08 substreams] 0x00
 *   pack    = number:at number:count [0x09 sizes] [0x0a digests] 0x00
 *   folders = 0x0b number:count 0 { folder } 0x0c { size } [0x0a digests] 0x00
 *   folder  = number:count { flags id [inputs outputs] [size properties] } { in out } { packed }
 *   files   = number:count { number:kind number:size ... } 0x00
 *
 * A number is one to nine bytes: as many leading ones in the first as bytes follow.
 */
#include "formats/sevenzip_internal.h"

#include <string.h>

enum {
    COUNT_MAX = 1 << 20, /* folders, streams, files: what an archive of a dataset may have */
    END = 0x00,
    HEADER = 0x01,
    PROPERTIES = 0x02,
    MORE_STREAMS = 0x03,
    MAIN_STREAMS = 0x04,
    FILES = 0x05,
    PACK = 0x06,
    FOLDERS = 0x07,
    SUBSTREAMS = 0x08,
    SIZES = 0x09,
    DIGESTS = 0x0a,
    FOLDER = 0x0b,
    UNPACK_SIZES = 0x0c,
    UNPACK_STREAMS = 0x0d,
    EMPTY_STREAM = 0x0e,
    NAMES = 0x11,
    ENCODED = 0x17
};

static const uint64_t no_coder = UINT64_MAX;

void tut_sevenzip_done(tut_sevenzip *z)
{
    tut_free(z->folders);
    tut_free(z->sizes);
    tut_free(z->files);
    tut_budget_heap_return(z->x->budget, z->heap);
    *z = (tut_sevenzip){.x = z->x, .src = z->src};
}

static tut_status broken(tut_error *err)
{
    return tut_fail(err, TUT_MALFORMED, "the header of the 7z archive is broken");
}

static tut_status number(tut_reader *r, uint64_t *ret)
{
    uint8_t first = 0, byte = 0;
    uint64_t value = 0;
    TUT_TRY(tut_reader_u8(r, &first));
    for (unsigned i = 0; i < 8; i++) {
        uint8_t bit = (uint8_t)(0x80u >> i);
        if (!(first & bit)) {
            *ret = value | (uint64_t)(first & (bit - 1u)) << (8 * i);
            return TUT_SUCCESS;
        }
        TUT_TRY(tut_reader_u8(r, &byte));
        value |= (uint64_t)byte << (8 * i);
    }
    *ret = value;
    return TUT_SUCCESS;
}

static tut_status count(tut_reader *r, uint64_t *ret, tut_error *err)
{
    TUT_TRY(number(r, ret));
    if (*ret > COUNT_MAX)
        return tut_fail(err, TUT_LIMIT, "the 7z archive claims %llu entries",
                        (unsigned long long)*ret);
    return TUT_SUCCESS;
}

static tut_status kind(tut_reader *r, uint64_t *ret)
{
    return number(r, ret);
}

static tut_status charge(tut_sevenzip *z, uint64_t bytes, tut_error *err)
{
    TUT_TRY(tut_budget_heap(z->x->budget, bytes, err));
    z->heap += bytes;
    return TUT_SUCCESS;
}

/* One bit for each of `items`, and a digest for each that is set. folders (may be NULL): which of
 * them have one. */
static tut_status skip_digests(tut_reader *r, uint64_t items, tut_sevenzip_folder *folders)
{
    uint8_t all = 0, byte = 0;
    uint64_t set = 0;
    TUT_TRY(tut_reader_u8(r, &all));
    for (uint64_t i = 0; i < items; i++) {
        if (!all && i % 8 == 0)
            TUT_TRY(tut_reader_u8(r, &byte));
        bool is_set = all || (byte & (0x80u >> (i % 8))) != 0;
        set += is_set;
        if (folders)
            folders[i].has_digest = is_set;
    }
    return tut_reader_skip(r, set * 4);
}

/* --- where the packed bytes lie --- */
typedef struct packs {
    uint64_t at, count;
    tut_reader sizes; /* numbers, one a stream */
} packs;

static tut_status read_packs(tut_reader *r, packs *p, tut_error *err)
{
    uint64_t what = 0, size = 0;
    TUT_TRY(number(r, &p->at));
    TUT_TRY(count(r, &p->count, err));
    for (;;) {
        TUT_TRY(kind(r, &what));
        if (what == END)
            return TUT_SUCCESS;
        if (what == DIGESTS) {
            TUT_TRY(skip_digests(r, p->count, NULL));
            continue;
        }
        if (what != SIZES)
            return broken(err);
        p->sizes = *r;
        for (uint64_t i = 0; i < p->count; i++)
            TUT_TRY(number(r, &size));
    }
}

/* --- folders --- */
static tut_status read_coder(tut_reader *r, tut_codec_filter *ret, uint64_t *ins, uint64_t *outs,
                             tut_error *err)
{
    uint8_t flags = 0, byte = 0;
    uint64_t size = 0;
    *ins = *outs = 1;
    *ret = (tut_codec_filter){0};
    TUT_TRY(tut_reader_u8(r, &flags));
    if ((flags & 0x0f) > 8 || (flags & 0xc0))
        return broken(err);
    for (unsigned i = 0; i < (flags & 0x0fu); i++) {
        TUT_TRY(tut_reader_u8(r, &byte));
        ret->method = ret->method << 8 | byte;
    }
    if (flags & 0x10) {
        TUT_TRY(number(r, ins));
        TUT_TRY(number(r, outs));
    }
    if (*ins > 32 || *outs > 32)
        return broken(err);
    if (!(flags & 0x20))
        return TUT_SUCCESS;
    TUT_TRY(number(r, &size));
    return tut_reader_bytes(r, size, &ret->properties);
}

/* Puts the coders of a chain in order: the first one gives the data, the last one reads the packed
 * bytes. feeder[i] is the coder that feeds coder i, or no_coder. */
static void order_chain(tut_sevenzip_folder *f, const uint64_t feeder[TUT_SEVENZIP_CODERS])
{
    tut_codec_filter ordered[TUT_SEVENZIP_CODERS];
    bool is_inner[TUT_SEVENZIP_CODERS] = {false};
    uint64_t at = no_coder;
    size_t n = 0;
    for (size_t i = 0; i < f->coder_count; i++) {
        if (feeder[i] < f->coder_count)
            is_inner[feeder[i]] = true;
    }
    for (size_t i = 0; i < f->coder_count; i++)
        at = is_inner[i] ? at : i;
    f->final = at < f->coder_count ? (size_t)at : 0;
    for (; at < f->coder_count && n < f->coder_count; at = feeder[at])
        ordered[n++] = f->coders[at];
    f->is_chain = f->is_chain && n == f->coder_count && at == no_coder;
    if (f->is_chain)
        memcpy(f->coders, ordered, n * sizeof(ordered[0]));
}

/* Bindings: which input is fed by which output. */
static tut_status read_bindings(tut_reader *r, tut_sevenzip_folder *f, uint64_t ins, uint64_t outs,
                                tut_error *err)
{
    uint64_t feeder[TUT_SEVENZIP_CODERS] = {no_coder, no_coder, no_coder, no_coder};
    uint64_t in = 0, out = 0;
    if (outs == 0 || outs - 1 > ins)
        return broken(err);
    for (uint64_t i = 0; i + 1 < outs; i++) {
        TUT_TRY(number(r, &in));
        TUT_TRY(number(r, &out));
        if (in < TUT_SEVENZIP_CODERS)
            feeder[in] = out;
    }
    uint64_t packed = ins - (outs - 1);
    for (uint64_t i = 0; packed > 1 && i < packed; i++)
        TUT_TRY(number(r, &in));
    f->is_chain = f->is_chain && packed == 1;
    if (f->is_chain)
        order_chain(f, feeder);
    return TUT_SUCCESS;
}

static tut_status read_folder(tut_reader *r, tut_sevenzip_folder *f, uint64_t *ret_packed,
                              uint64_t *ret_outs, tut_error *err)
{
    uint64_t coders = 0, all_ins = 0, all_outs = 0;
    TUT_TRY(number(r, &coders));
    if (coders == 0 || coders > 32)
        return broken(err);
    f->is_chain = coders <= TUT_SEVENZIP_CODERS;
    for (uint64_t i = 0; i < coders; i++) {
        tut_codec_filter one;
        uint64_t ins = 0, outs = 0;
        TUT_TRY(read_coder(r, &one, &ins, &outs, err));
        all_ins += ins;
        all_outs += outs;
        f->is_chain = f->is_chain && ins == 1 && outs == 1;
        f->is_encrypted = f->is_encrypted || one.method == TUT_SEVENZIP_AES;
        if (i < TUT_SEVENZIP_CODERS)
            f->coders[f->coder_count++] = one;
    }
    TUT_TRY(read_bindings(r, f, all_ins, all_outs, err));
    *ret_packed = all_ins - (all_outs - 1);
    *ret_outs = all_outs;
    return TUT_SUCCESS;
}

/* The packed streams of a folder follow each other. */
static tut_status place_folder(tut_sevenzip_folder *f, packs *p, uint64_t packed, tut_error *err)
{
    f->pack_at = p->at;
    for (uint64_t i = 0; i < packed; i++) {
        uint64_t size = 0;
        if (p->count == 0)
            return broken(err);
        p->count--;
        TUT_TRY(number(&p->sizes, &size));
        if (__builtin_add_overflow(f->pack_size, size, &f->pack_size) ||
            __builtin_add_overflow(p->at, size, &p->at))
            return broken(err);
    }
    return TUT_SUCCESS;
}

static tut_status read_unpack_sizes(tut_reader *r, tut_sevenzip_folder *f, uint64_t outs)
{
    for (uint64_t i = 0; i < outs; i++) {
        uint64_t size = 0;
        TUT_TRY(number(r, &size));
        if (i < TUT_SEVENZIP_CODERS)
            f->unpack_sizes[i] = size;
    }
    f->size = f->unpack_sizes[f->final];
    return TUT_SUCCESS;
}

static tut_status read_folders(tut_sevenzip *z, tut_reader *r, packs *p, tut_error *err)
{
    uint64_t what = 0, folders = 0;
    uint8_t external = 0;
    TUT_TRY(kind(r, &what));
    if (what != FOLDER || z->folders)
        return broken(err);
    TUT_TRY(count(r, &folders, err));
    TUT_TRY(tut_reader_u8(r, &external));
    /* A folder takes two bytes at least: what is claimed has to be there. */
    if (external || folders > tut_reader_left(r))
        return broken(err);
    TUT_TRY(charge(z, folders * (sizeof(*z->folders) + sizeof(uint64_t)), err));
    z->folders = tut_alloc_array(folders ? folders : 1, sizeof(*z->folders));
    TUT_AUTO_FREE uint64_t *outs = tut_alloc_array(folders ? folders : 1, sizeof(*outs));
    if (!z->folders || !outs)
        return tut_fail(err, TUT_NOMEM, "no memory for the folders of the archive");
    z->folder_count = folders;
    for (size_t i = 0; i < folders; i++) {
        uint64_t packed = 0;
        TUT_TRY(read_folder(r, &z->folders[i], &packed, &outs[i], err));
        TUT_TRY(place_folder(&z->folders[i], p, packed, err));
        z->folders[i].streams = 1;
    }
    TUT_TRY(kind(r, &what));
    if (what != UNPACK_SIZES)
        return broken(err);
    for (size_t i = 0; i < folders; i++)
        TUT_TRY(read_unpack_sizes(r, &z->folders[i], outs[i]));
    TUT_TRY(kind(r, &what));
    if (what == DIGESTS) {
        TUT_TRY(skip_digests(r, folders, z->folders));
        TUT_TRY(kind(r, &what));
    }
    return what == END ? TUT_SUCCESS : broken(err);
}

/* --- files in folders --- */
static tut_status add_size(tut_sevenzip *z, uint64_t size, tut_error *err)
{
    if (z->size_count >= COUNT_MAX)
        return tut_fail(err, TUT_LIMIT, "the 7z archive has more than %d files", COUNT_MAX);
    TUT_TRY(charge(z, sizeof(*z->sizes), err));
    TUT_TRY(tut_grow(&z->sizes, z->size_count, &z->size_capacity, sizeof(*z->sizes)));
    z->sizes[z->size_count++] = size;
    return TUT_SUCCESS;
}

/* All sizes but the last of each folder are stored; the last is the rest. */
static tut_status read_stream_sizes(tut_sevenzip *z, tut_reader *r, bool are_stored, tut_error *err)
{
    for (size_t i = 0; i < z->folder_count; i++) {
        uint64_t left = z->folders[i].size, size = 0;
        for (uint64_t k = 0; k < z->folders[i].streams; k++) {
            bool is_last = k + 1 == z->folders[i].streams;
            if (!is_last && !are_stored)
                return broken(err);
            if (!is_last)
                TUT_TRY(number(r, &size));
            size = is_last ? left : size;
            if (size > left)
                return broken(err);
            left -= size;
            TUT_TRY(add_size(z, size, err));
        }
    }
    return TUT_SUCCESS;
}

static tut_status read_substreams(tut_sevenzip *z, tut_reader *r, tut_error *err)
{
    uint64_t what = 0;
    TUT_TRY(kind(r, &what));
    if (what == UNPACK_STREAMS) {
        for (size_t i = 0; i < z->folder_count; i++) {
            TUT_TRY(count(r, &z->folders[i].streams, err));
        }
        TUT_TRY(kind(r, &what));
    }
    TUT_TRY(read_stream_sizes(z, r, what == SIZES, err));
    if (what == SIZES)
        TUT_TRY(kind(r, &what));
    if (what == DIGESTS) {
        uint64_t missing = 0; /* of streams whose digest no folder has */
        for (size_t i = 0; i < z->folder_count; i++) {
            const tut_sevenzip_folder *f = &z->folders[i];
            missing += f->streams == 1 && f->has_digest ? 0 : f->streams;
        }
        TUT_TRY(skip_digests(r, missing, NULL));
        TUT_TRY(kind(r, &what));
    }
    return what == END ? TUT_SUCCESS : broken(err);
}

static tut_status read_streams(tut_sevenzip *z, tut_reader *r, tut_error *err)
{
    packs p = {0};
    bool has_substreams = false;
    for (;;) {
        uint64_t what = 0;
        TUT_TRY(kind(r, &what));
        if (what == END)
            break;
        if (what == PACK) {
            TUT_TRY(read_packs(r, &p, err));
        } else if (what == FOLDERS) {
            TUT_TRY(read_folders(z, r, &p, err));
        } else if (what == SUBSTREAMS) {
            if (has_substreams)
                return broken(err);
            has_substreams = true;
            TUT_TRY(read_substreams(z, r, err));
        } else {
            return broken(err);
        }
    }
    return has_substreams ? TUT_SUCCESS : read_stream_sizes(z, r, false, err);
}

static tut_status read_empty(tut_sevenzip *z, tut_reader *r)
{
    uint8_t byte = 0;
    for (size_t i = 0; i < z->file_count; i++) {
        if (i % 8 == 0)
            TUT_TRY(tut_reader_u8(r, &byte));
        z->files[i].has_stream = !(byte & (0x80u >> (i % 8)));
    }
    return TUT_SUCCESS;
}

static tut_status read_names(tut_sevenzip *z, tut_reader *r, tut_error *err)
{
    uint8_t external = 0;
    TUT_TRY(tut_reader_u8(r, &external));
    if (external)
        return broken(err);
    for (size_t i = 0; i < z->file_count; i++) {
        const uint8_t *name = r->data + r->pos;
        uint16_t unit = 0;
        size_t len = 0;
        for (;;) {
            TUT_TRY(tut_reader_u16le(r, &unit));
            if (unit == 0)
                break;
            len += 2;
        }
        z->files[i].name = tut_span_of(name, len);
    }
    return TUT_SUCCESS;
}

static tut_status read_files(tut_sevenzip *z, tut_reader *r, tut_error *err)
{
    uint64_t files = 0;
    TUT_TRY(count(r, &files, err));
    if (z->files)
        return broken(err);
    TUT_TRY(charge(z, files * sizeof(*z->files), err));
    z->files = tut_alloc_array(files ? files : 1, sizeof(*z->files));
    if (!z->files)
        return tut_fail(err, TUT_NOMEM, "no memory for the files of the archive");
    z->file_count = files;
    for (size_t i = 0; i < files; i++)
        z->files[i].has_stream = true;
    for (;;) {
        uint64_t what = 0, size = 0;
        tut_reader body;
        TUT_TRY(kind(r, &what));
        if (what == END)
            return TUT_SUCCESS;
        TUT_TRY(number(r, &size));
        TUT_TRY(tut_reader_take(r, size, &body));
        if (what == EMPTY_STREAM)
            TUT_TRY(read_empty(z, &body));
        else if (what == NAMES)
            TUT_TRY(read_names(z, &body, err));
    }
}

static tut_status skip_properties(tut_reader *r)
{
    for (;;) {
        uint64_t what = 0, size = 0;
        TUT_TRY(kind(r, &what));
        if (what == END)
            return TUT_SUCCESS;
        TUT_TRY(number(r, &size));
        TUT_TRY(tut_reader_skip(r, size));
    }
}

/* Files take their sizes from the streams in order. */
static void join(tut_sevenzip *z)
{
    size_t stream = 0;
    for (size_t i = 0; i < z->file_count; i++) {
        if (z->files[i].has_stream && stream < z->size_count)
            z->files[i].size = z->sizes[stream++];
        else
            z->files[i].has_stream = false;
    }
}

static tut_status read_all(tut_sevenzip *z, tut_reader *r, bool *ret_is_encoded, tut_error *err)
{
    uint64_t what = 0;
    TUT_TRY(kind(r, &what));
    *ret_is_encoded = what == ENCODED;
    if (what == ENCODED)
        return read_streams(z, r, err);
    if (what != HEADER)
        return broken(err);
    for (;;) {
        TUT_TRY(kind(r, &what));
        switch (what) {
        case END:
            join(z);
            return TUT_SUCCESS;
        case PROPERTIES:
            TUT_TRY(skip_properties(r));
            break;
        case MAIN_STREAMS:
            TUT_TRY(read_streams(z, r, err));
            break;
        case FILES:
            TUT_TRY(read_files(z, r, err));
            break;
        case MORE_STREAMS: /* never written */
        default:
            return tut_fail(err, TUT_UNSUPPORTED, "the 7z archive has streams beside its files");
        }
    }
}

tut_status tut_sevenzip_read_header(tut_sevenzip *z, tut_span bytes, bool *ret_is_encoded,
                                    tut_error *err)
{
    tut_reader r = tut_reader_of(bytes);
    tut_status status = read_all(z, &r, ret_is_encoded, err);
    return status.code == TUT_TRUNCATED ? broken(err) : status;
}
