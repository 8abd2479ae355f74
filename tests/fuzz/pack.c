/* By the first byte: 'm' a manifest, which must come back as it was; else a whole pack: what its
 * container accepts is byte for byte what the writer writes, and the verifier says something of it.
 */
#include <stdlib.h>
#include <string.h>

#include "pack/archive.h"
#include "pack/manifest.h"
#include "pack/verify.h"

static void try_manifest(tut_span text)
{
    tut_arena arena;
    tut_pack_manifest m;
    tut_buf again = TUT_BUF_INIT;
    tut_arena_init(&arena, 64 << 20);
    if (tut_is_ok(tut_pack_manifest_read(text, &arena, &m, NULL)) &&
        (!tut_is_ok(tut_pack_manifest_write(&m, &again, NULL)) || again.len != text.len ||
         memcmp(again.data, text.data, text.len) != 0))
        __builtin_trap();
    tut_buf_done(&again);
    tut_arena_done(&arena);
}

static void write_again(const tut_archive *a, tut_span bytes)
{
    tut_buf out = TUT_BUF_INIT;
    for (size_t i = 0; i < a->count; i++) {
        const tut_archive_member *m = &a->members[i];
        if (!tut_is_ok(tut_archive_header(m->name, m->size, &out, NULL)))
            __builtin_trap();
        tut_buf_add(&out, bytes.data + m->offset, (size_t)m->size);
        for (size_t n = tut_archive_padding(m->size); n > 0; n--)
            tut_buf_add_byte(&out, 0);
    }
    for (size_t n = 0; n < 2 * (size_t)TUT_ARCHIVE_BLOCK; n++)
        tut_buf_add_byte(&out, 0);
    if (out.len != bytes.len || memcmp(out.data, bytes.data, bytes.len) != 0)
        __builtin_trap();
    tut_buf_done(&out);
}

static void try_pack(tut_span bytes)
{
    tut_source source = tut_source_memory(bytes);
    tut_archive a;
    tut_pack_result *r = NULL;
    tut_buf text = TUT_BUF_INIT;
    const tut_pack_trust none = {.keys = NULL};
    if (tut_is_ok(tut_archive_read(&source, &a, NULL))) {
        write_again(&a, bytes);
        tut_archive_done(&a);
    }
    if (tut_is_ok(tut_pack_verify(&source, &none, 1800000000, &r, NULL)) &&
        (r->count == 0 || !tut_is_ok(tut_pack_result_json(r, &text, NULL))))
        __builtin_trap();
    tut_pack_result_free(r);
    tut_buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'm')
        try_manifest(tut_span_of(data + 1, size - 1));
    else
        try_pack(tut_span_of(data, size));
    return 0;
}
