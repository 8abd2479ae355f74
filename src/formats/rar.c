/* Archives that are recognised, and named as what was not read. */
#include <string.h>

#include "base/reader.h"
#include "formats/format.h"

/*
 * RAR: "Rar!\x1a\x07\x00" and blocks (to 4), or "Rar!\x1a\x07\x01\x00" and headers (5). The first
 * one says whether the list of files is encrypted.
 */
static tut_match sniff_rar(const tut_sniff *s)
{
    return tut_sniff_magic(s, "Rar!\x1a\x07", 6) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static bool is_list_encrypted(tut_span head)
{
    enum { RAR4_FLAGS = 10, RAR4_PASSWORD = 0x80, RAR5_FIRST = 12, RAR5_ENCRYPTION = 4 };
    tut_reader r = tut_reader_of(head);
    uint64_t size = 0, type = 0;
    if (head.len > RAR4_FLAGS && head.data[6] == 0)
        return head.data[RAR4_FLAGS] & RAR4_PASSWORD;
    return tut_is_ok(tut_reader_skip(&r, RAR5_FIRST)) && tut_is_ok(tut_reader_varint(&r, &size)) &&
           tut_is_ok(tut_reader_varint(&r, &type)) && type == RAR5_ENCRYPTION;
}

static tut_status examine_rar(tut_exam *x, tut_error *err)
{
    tut_span head = {0};
    TUT_TRY(tut_stream_peek_some(x->stream, 64, &head));
    bool is_encrypted = is_list_encrypted(head);
    tut_exam_observe(x, is_encrypted ? "archive.encrypted" : "archive.not-read", TUT_NO_OFFSET,
                     "RAR: %s",
                     is_encrypted ? "the list of files is encrypted, and so are the files"
                                  : "the members of archives of this kind are not read here");
    return tut_fail(err, TUT_UNSUPPORTED, "RAR archives are not unpacked here");
}

extern const tut_format tut_format_rar;
const tut_format tut_format_rar = {
    .name = "rar",
    .label = "RAR archive",
    .kind = TUT_KIND_NONE,
    .sniff = sniff_rar,
    .examine = examine_rar,
    .extensions = ".rar .cbr",
    .reads = "that it is one, and whether its list of files is encrypted; no member",
    .rules = "archive",
};
