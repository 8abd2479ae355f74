/*
 * Zip archives as all their readers see them, at once: by the central directory (Python, PyTorch),
 * by local headers in file order (stream readers), and by every end record that leads somewhere.
 * What one reading shows and another does not is reported, and the members of all of them are
 * examined.
 *
 *   archive = { local header data [descriptor] } { central header } [zip64 end, locator] end record
 *
 * PyTorch's files and NumPy's npz are rows of their own over the same walk.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "formats/zip_internal.h"

void tut_zip_problem(tut_zip *z, tut_code code, const char *fmt, ...)
{
    if (z->worst != TUT_OK)
        return;
    z->worst = code;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(z->problem, sizeof(z->problem), fmt, ap);
    va_end(ap);
}

/* --- what kind of zip --- */

static bool has_local_magic(const tut_sniff *s)
{
    return tut_sniff_magic(s, "PK\3\4", 4);
}

/* A member name in the head (behind a local header) or in the tail (in the directory). */
static bool mentions(tut_span bytes, const char *needle)
{
    return bytes.len > 0 && memmem(bytes.data, bytes.len, needle, strlen(needle)) != NULL;
}

/* Name of the first local header, as far as the head shows it. */
static tut_str first_name(const tut_sniff *s)
{
    if (s->head.len < TUT_ZIP_LOCAL_BYTES)
        return TUT_LIT("");
    size_t len = (size_t)s->head.data[26] | (size_t)s->head.data[27] << 8;
    size_t there = s->head.len - TUT_ZIP_LOCAL_BYTES;
    return (tut_str){(const char *)s->head.data + TUT_ZIP_LOCAL_BYTES, len < there ? len : there};
}

static bool is_torch_name(tut_str name)
{
    static const char *const ends[] = {"data.pkl",   "/constants.pkl",   "/version",
                                       "/byteorder", "/.format_version", "/.data/serialization_id"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (tut_str_ends(name, tut_str_of(ends[i])))
            return true;
    }
    return false;
}

static tut_match sniff_torch(const tut_sniff *s)
{
    if (!has_local_magic(s))
        return TUT_MATCH_NONE;
    bool is_torch = is_torch_name(first_name(s)) || mentions(s->head, "/data.pkl") ||
                    mentions(s->tail, "/data.pkl") || mentions(s->tail, "/constants.pkl") ||
                    (mentions(s->tail, "/version") && mentions(s->tail, "/data/"));
    return is_torch ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* An end record in the tail whose comment reaches exactly to the end of the file. */
static bool has_end_in_tail(const tut_sniff *s);

static tut_match sniff_skops(const tut_sniff *s)
{
    bool has_schema = mentions(s->tail, "schema.json") || mentions(s->head, "schema.json");
    bool is_skops = has_local_magic(s) && has_schema && tut_sniff_ext(s, ".skops");
    return is_skops ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* torch.package: pickles that import modules which are in the archive. */
static tut_match sniff_package(const tut_sniff *s)
{
    static const char externs[] = ".data/extern_modules";
    bool is_package = has_local_magic(s) &&
                      (mentions(s->tail, externs) || mentions(s->head, externs));
    return is_package ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_match sniff_mar(const tut_sniff *s)
{
    bool has_manifest = mentions(s->tail, "MAR-INF/") || mentions(s->head, "MAR-INF/");
    return has_local_magic(s) && has_manifest ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* A program that carries its model with it: for any system (Cosmopolitan) or for Linux. */
static tut_match sniff_llamafile(const tut_sniff *s)
{
    bool is_program = tut_sniff_magic(s, "MZqFpD", 6) || tut_sniff_magic(s, "jartsr", 6) ||
                      tut_sniff_magic(s,
                                      "\x7f"
                                      "ELF",
                                      4);
    bool has_model = mentions(s->tail, ".gguf") || mentions(s->tail, ".llamafile") ||
                     tut_sniff_ext(s, ".llamafile");
    return is_program && has_model && has_end_in_tail(s) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_match sniff_npz(const tut_sniff *s)
{
    if (!has_local_magic(s))
        return TUT_MATCH_NONE;
    return tut_str_ends(first_name(s), TUT_LIT(".npy")) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static bool has_end_in_tail(const tut_sniff *s)
{
    for (size_t at = 0; at + TUT_ZIP_END_BYTES <= s->tail.len; at++) {
        const uint8_t *raw = s->tail.data + at;
        if (memcmp(raw, "PK\5\6", 4) == 0 &&
            at + TUT_ZIP_END_BYTES + ((size_t)raw[20] | (size_t)raw[21] << 8) == s->tail.len)
            return true;
    }
    return false;
}

static tut_match sniff_zip(const tut_sniff *s)
{
    bool is_empty = tut_sniff_magic(s, "PK\5\6", 4) || tut_sniff_magic(s, "PK\6\6", 4);
    if (has_local_magic(s) || (is_empty && s->head.len >= TUT_ZIP_END_BYTES))
        return TUT_MATCH_SURE;
    return has_end_in_tail(s) ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

/* --- the walk --- */

static tut_status read_members(tut_zip *z, tut_error *err)
{
    if (z->src->size >= TUT_ZIP_END_BYTES)
        TUT_TRY(tut_zip_find_end(z, err));
    bool is_empty = z->has_end && z->end.entries == 0 && z->end.size == 0;
    if (z->has_end && z->end.has_directory) {
        TUT_TRY(tut_zip_read_directory(z, &z->end, true, err));
        TUT_TRY(tut_zip_read_locals(z, 0, err));
        return tut_zip_check_layout(z, err);
    }
    if (is_empty)
        return TUT_SUCCESS;
    size_t found = 0;
    tut_exam_observe(z->x, "zip.no-directory", TUT_NO_OFFSET, "%s",
                     z->has_end ? "the end record leads to no directory"
                                : "there is no end record: cut off, or meant for stream readers");
    TUT_TRY(tut_zip_walk_locals(z, 0, z->src->size, &found, err));
    tut_zip_problem(z, found ? TUT_TRUNCATED : TUT_MALFORMED,
                    "the zip directory is missing; %zu members were found by their local headers",
                    found);
    return TUT_SUCCESS;
}

static void check_declared_total(tut_zip *z)
{
    uint64_t total = 0;
    for (size_t i = 0; i < z->count; i++) {
        if (__builtin_add_overflow(total, tut_zip_reading(&z->members[i])->unpacked, &total))
            total = UINT64_MAX;
    }
    if (total > TUT_LIMIT_BOMB_BYTES && total / TUT_LIMIT_BOMB_RATIO > z->src->size)
        tut_exam_observe(z->x, "zip.bomb", TUT_NO_OFFSET,
                         "members of %llu bytes in all out of an archive of %llu bytes",
                         (unsigned long long)total, (unsigned long long)z->src->size);
}

static bool is_storage(tut_str name)
{
    size_t at = name.len;
    while (at > 0 && name.data[at - 1] >= '0' && name.data[at - 1] <= '9')
        at--;
    return at < name.len && tut_str_ends((tut_str){name.data, at}, TUT_LIT("/data/"));
}

static void tell_facts(tut_zip *z)
{
    tut_exam_factf(z->x, "zip.members", "%zu", z->count);
    if (!z->is_torch)
        return;
    uint64_t storages = 0, bytes = 0;
    bool is_script = false;
    for (size_t i = 0; i < z->count; i++) {
        const tut_zip_header *h = tut_zip_reading(&z->members[i]);
        is_script |= tut_zip_contains(h->name, TUT_LIT("/code/")) ||
                     tut_str_ends(h->name, TUT_LIT("/constants.pkl"));
        if (is_storage(h->name)) {
            storages++;
            bytes += h->unpacked;
        }
    }
    tut_exam_factf(z->x, "torch.storages", "%llu", (unsigned long long)storages);
    tut_exam_factf(z->x, "torch.storage-bytes", "%llu", (unsigned long long)bytes);
    tut_exam_fact(z->x, "torch.script", is_script ? TUT_LIT("yes") : TUT_LIT("no"));
}

/* TorchScript text is small; what is longer is looked at up to here. */
enum { SCRIPT_BYTES = 1 << 20 };

static void read_all(tut_stream *s, tut_buf *out)
{
    tut_span some = {0};
    while (out->len < SCRIPT_BYTES && tut_is_ok(tut_stream_peek_some(s, 16u << 10, &some)) &&
           some.len > 0) {
        tut_buf_add(out, some.data, some.len);
        if (!tut_is_ok(tut_stream_skip(s, some.len)))
            break;
    }
}

static tut_status check_script(tut_zip *z, const tut_zip_member *m, tut_error *err)
{
    const tut_zip_header *h = tut_zip_reading(m);
    tut_codec codec = TUT_CODEC_STORED;
    tut_source part;
    if (!m->local.is_present || !tut_zip_contains(h->name, TUT_LIT("code/")) ||
        !tut_str_ends(h->name, TUT_LIT(".py")) || !tut_zip_codec(h->method, &codec) ||
        !tut_is_ok(tut_source_slice(z->src, m->local.data_at, h->packed, &part)))
        return TUT_SUCCESS;
    TUT_AUTO(tut_stream) packed = NULL;
    TUT_AUTO(tut_stream) decoded = NULL;
    TUT_CLEAN(tut_buf) text;
    tut_buf_init(&text, SCRIPT_BYTES + (16u << 10));
    TUT_TRY(tut_stream_open_source(&part, &packed));
    TUT_TRY(tut_codec_open(codec, packed, z->x->budget, &decoded, err));
    read_all(decoded, &text);
    tut_torch_script_check(z->x, h->name, tut_buf_str(&text));
    return TUT_SUCCESS;
}

static tut_status examine_members(tut_zip *z, tut_error *err)
{
    for (size_t i = 0; i < z->count; i++) {
        tut_zip_check_name(z, &z->members[i]);
        tut_zip_compare(z, &z->members[i]);
    }
    TUT_TRY(tut_zip_check_names(z, err));
    for (size_t i = 0; i < z->count; i++) {
        TUT_TRY(tut_zip_examine_member(z, &z->members[i], err));
        if (z->is_torch)
            TUT_TRY(check_script(z, &z->members[i], err));
    }
    return TUT_SUCCESS;
}

static tut_status walk(tut_zip *z, tut_error *err)
{
    z->scratch = tut_realloc_array(NULL, TUT_ZIP_SCRATCH, 1); /* only ever read into */
    if (!z->scratch)
        return tut_fail(err, TUT_NOMEM, "no memory to read the archive");
    tut_status s = read_members(z, err);
    /* What was found before a stop is examined all the same. */
    if (!tut_is_ok(s) && s.code != TUT_LIMIT && s.code != TUT_TRUNCATED && s.code != TUT_MALFORMED)
        return s;
    if (!tut_is_ok(s))
        tut_zip_problem(z, s.code, "%s", tut_code_sentence(s.code));
    tell_facts(z);
    check_declared_total(z);
    TUT_TRY(examine_members(z, err));
    if (z->worst == TUT_OK)
        return TUT_SUCCESS;
    return tut_fail(err, z->worst, "%s", z->problem);
}

typedef enum zip_kind { ZIP_PLAIN, ZIP_TORCH, ZIP_PROGRAM } zip_kind;

static tut_status examine(tut_exam *x, zip_kind kind, tut_error *err)
{
    const tut_source *source = x->source ? x->source : tut_stream_source(x->stream);
    if (!source)
        return tut_fail(err, TUT_UNSUPPORTED, "a zip archive is read with random access only");
    if (!x->is_member)
        tut_codec_bound_layers(x->budget, source->size);
    tut_zip z = {
        .x = x, .src = source, .is_torch = kind == ZIP_TORCH, .is_program = kind == ZIP_PROGRAM};
    tut_arena_init(&z.arena, TUT_LIMIT_HEAP_BYTES);
    tut_status s = walk(&z, err);
    tut_arena_done(&z.arena);
    tut_free(z.members);
    tut_free(z.scratch);
    tut_budget_heap_return(x->budget, z.heap);
    return s;
}

static tut_status examine_torch(tut_exam *x, tut_error *err)
{
    return examine(x, ZIP_TORCH, err);
}

static tut_status examine_plain(tut_exam *x, tut_error *err)
{
    return examine(x, ZIP_PLAIN, err);
}

static tut_status examine_program(tut_exam *x, tut_error *err)
{
    tut_exam_observe(x, "archive.program", 0,
                     "a program with its model inside; the program itself was not examined");
    TUT_TRY(examine(x, ZIP_PROGRAM, err));
    return tut_fail(err, TUT_UNSUPPORTED, "the program around the model was not examined");
}

extern const tut_format tut_format_torch_package, tut_format_torch_zip, tut_format_npz,
    tut_format_zip, tut_format_skops, tut_format_mar, tut_format_llamafile;

const tut_format tut_format_torch_package = {
    .name = "torch-package",
    .label = "torch.package",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .sniff = sniff_package,
    .examine = examine_torch,
    .extensions = ".pt .pth .zip",
    .reads = "every pickle in it, its Python code, both lists of members, storages as bytes",
    .rules = "zip pickle code torch data",
};

const tut_format tut_format_skops = {
    .name = "skops",
    .label = "skops",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .sniff = sniff_skops,
    .examine = examine_plain,
    .extensions = ".skops",
    .reads = "the schema's nodes, arrays, both lists of members",
    .rules = "zip skops pickle numpy",
};

const tut_format tut_format_mar = {
    .name = "torchserve",
    .label = "TorchServe archive",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .sniff = sniff_mar,
    .examine = examine_plain,
    .extensions = ".mar .zip",
    .reads =
        "manifest, handlers as Python code, models by their own formats, both lists of members",
    .rules = "zip mar code pickle torch data",
};

const tut_format tut_format_llamafile = {
    .name = "llamafile",
    .label = "llamafile",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .sniff = sniff_llamafile,
    .examine = examine_program,
    .extensions = ".llamafile .exe .com .elf",
    .reads = "the archive behind the program, each member by its own format; not the program",
    .rules = "archive zip gguf",
};

const tut_format tut_format_torch_zip = {
    .name = "torch-zip",
    .label = "PyTorch zip",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .sniff = sniff_torch,
    .examine = examine_torch,
    .extensions = ".pt .pth .bin .ckpt .ptl .pt2 .th .model .mar",
    .reads = "every pickle in it, TorchScript code, both lists of members, storages as bytes",
    .rules = "zip torch pickle data weights",
};

const tut_format tut_format_npz = {
    .name = "npz",
    .label = "NumPy npz",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .sniff = sniff_npz,
    .examine = examine_plain,
    .extensions = ".npz",
    .reads = "each array's header, object arrays as pickles, both lists of members",
    .rules = "zip numpy pickle weights",
};

const tut_format tut_format_zip = {
    .name = "zip",
    .label = "zip archive",
    .kind = TUT_KIND_NONE,
    .needs_source = true,
    .sniff = sniff_zip,
    .examine = examine_plain,
    .extensions =
        ".zip .mar .keras .jar .whl .egg .nemo .mlmodel .mlpackage .skops .docx .xlsx .pptx "
        ".odt .ods .epub .apk .pt .pth",
    .reads = "both lists of members compared, each member by its own format",
    .rules = "zip data",
};
