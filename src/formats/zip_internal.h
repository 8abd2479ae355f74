/*
 * The zip reader's parts: zip_end.c (where the directory is), zip_directory.c (central headers),
 * zip_local.c (local headers), zip_names.c, zip_layout.c (order, overlaps, gaps), zip_content.c
 * (members' bytes), zip.c (rows and the order of it all).
 */
#ifndef TUT_FORMATS_ZIP_INTERNAL_H
#define TUT_FORMATS_ZIP_INTERNAL_H

#include "base/arena.h"
#include "base/reader.h"
#include "formats/codec.h"
#include "formats/format.h"

#define TUT_ZIP_SIG_LOCAL 0x04034b50u
#define TUT_ZIP_SIG_CENTRAL 0x02014b50u
#define TUT_ZIP_SIG_END 0x06054b50u
#define TUT_ZIP_SIG_END64 0x06064b50u
#define TUT_ZIP_SIG_LOCATOR64 0x07064b50u
#define TUT_ZIP_SIG_DESCRIPTOR 0x08074b50u

enum {
    TUT_ZIP_LOCAL_BYTES = 30,
    TUT_ZIP_CENTRAL_BYTES = 46,
    TUT_ZIP_END_BYTES = 22,
    TUT_ZIP_END64_BYTES = 56,
    TUT_ZIP_LOCATOR64_BYTES = 20
};

enum {
    TUT_ZIP_FLAG_ENCRYPTED = 0x0001,
    TUT_ZIP_FLAG_DEFERRED = 0x0008, /* sizes and CRC follow the data */
    TUT_ZIP_FLAG_PATCHED = 0x0020,
    TUT_ZIP_FLAG_STRONG = 0x0040,
    TUT_ZIP_FLAG_UTF8 = 0x0800,
    TUT_ZIP_FLAG_MASKED = 0x2000
};

/* One header's reading of a member. */
typedef struct tut_zip_header {
    bool is_present;
    bool is_deferred; /* local: sizes and CRC are left to the descriptor */
    uint16_t made_by, flags, method;
    uint32_t crc, external;
    uint64_t packed, unpacked;
    uint64_t at;       /* of this header in the file */
    uint64_t local_at; /* central: where it says the local header lies, as written */
    uint64_t data_at;  /* local: first byte behind name and extra */
    tut_str name;
} tut_zip_header;

typedef struct tut_zip_member {
    tut_zip_header central, local;
    uint64_t start, end; /* of everything it takes in the file: header, data, descriptor */
    bool is_shared;      /* overlaps another one */
} tut_zip_member;

/* One end record and what it leads to. */
typedef struct tut_zip_end {
    uint64_t at;                    /* of the end record */
    uint64_t entries, size, offset; /* as the record or its zip64 companion says */
    uint16_t comment_len;
    uint64_t tail_at;       /* first byte of zip64 end record, locator or end record */
    uint64_t directory_at;  /* where the central headers are */
    uint64_t shift;         /* what has to be added to offsets: bytes before the archive */
    uint64_t directory_end; /* behind the last central header read */
    bool has_directory;
} tut_zip_end;

typedef struct tut_zip {
    tut_exam *x;
    const tut_source *src;
    tut_arena arena; /* names */
    tut_zip_member *members;
    size_t count, capacity;
    uint64_t heap;         /* charged for members and names */
    tut_zip_end end;       /* the one that loaders take */
    tut_zip_end others[8]; /* other readings: more end records, directory by offset, no zip64 */
    size_t other_count;
    bool has_end;
    bool is_torch;
    bool is_program;         /* what precedes the archive is no secret */
    size_t links;            /* symbolic links seen */
    uint64_t scanned;        /* bytes searched more than once, see tut_zip_may_scan */
    uint64_t unpacked_total; /* decoded so far, for the bomb guard of the whole archive */
    tut_code worst;          /* why something was not read, or OK */
    char problem[160];
    uint8_t *scratch; /* SCRATCH bytes for reading */
} tut_zip;

enum { TUT_ZIP_SCRATCH = 256 << 10 };

/* The reason for an incomplete examination; the first one is kept. */
void tut_zip_problem(tut_zip *z, tut_code code, const char *fmt, ...) TUT_PRINTF(3, 4);

/* zip_end.c: finds the end record that loaders take (the last), and the other readings. */
TUT_MUST tut_status tut_zip_find_end(tut_zip *z, tut_error *err);

/* zip_directory.c: reads central headers into members. */
TUT_MUST tut_status tut_zip_read_directory(tut_zip *z, tut_zip_end *end, bool is_primary,
                                           tut_error *err);
TUT_MUST tut_status tut_zip_add(tut_zip *z, tut_zip_member **ret_member, tut_error *err);
/* Sizes and name of the extra field: zip64 values, the Unicode path. */
void tut_zip_read_extra(tut_zip *z, tut_zip_header *h, tut_span extra, bool is_central);

/* zip_local.c */
TUT_MUST tut_status tut_zip_read_local(tut_zip *z, uint64_t at, const tut_str *expected,
                                       tut_zip_header *ret_local, tut_error *err);
/* Of the central members from `first` on. */
TUT_MUST tut_status tut_zip_read_locals(tut_zip *z, size_t first, tut_error *err);
/* Length of the data descriptor at `at` (0: none there that fits). */
uint64_t tut_zip_descriptor(tut_zip *z, uint64_t at, const tut_zip_header *h, bool *ret_agrees);
/* Local headers that no directory names, in [from, to): adds them as members. Returns how many. */
TUT_MUST tut_status tut_zip_walk_locals(tut_zip *z, uint64_t from, uint64_t to, size_t *ret_found,
                                        tut_error *err);

/* zip_compare.c: local against central. */
void tut_zip_compare(tut_zip *z, const tut_zip_member *m);

/* zip_names.c: dangerous names, names that meet. */
void tut_zip_check_name(tut_zip *z, const tut_zip_member *m);
TUT_MUST tut_status tut_zip_check_names(tut_zip *z, tut_error *err);

/* zip_layout.c: overlaps, gaps, prefix, tail; hidden members found there are added. */
TUT_MUST tut_status tut_zip_check_layout(tut_zip *z, tut_error *err);

/* zip_content.c: hands members on and tests their bytes. */
TUT_MUST tut_status tut_zip_examine_member(tut_zip *z, tut_zip_member *m, tut_error *err);
/* Searching the same bytes again and again is quadratic: false when the archive has used up what a
 * sound one could need, a few times its size. */
bool tut_zip_may_scan(tut_zip *z, uint64_t bytes);
/* Where a signature lies in [from, to) of the file; false: nowhere. */
bool tut_zip_find(tut_zip *z, uint64_t from, uint64_t to, uint32_t signature, uint64_t *ret_at);
bool tut_zip_is_signature(const tut_zip *z, uint64_t at, uint32_t signature);
/* The codec of a method; false: none of ours. */
bool tut_zip_codec(uint16_t method, tut_codec *ret_codec);
const tut_zip_header *tut_zip_reading(const tut_zip_member *m); /* central if there, else local */
/* For "%.*s": as much of a name as a message wants. */
#define TUT_ZIP_NAME(name) (int)((name).len < 160 ? (name).len : 160), (name).data

static inline bool tut_zip_contains(tut_str s, tut_str needle)
{
    size_t at = 0;
    return tut_str_find(s, needle, &at);
}

/* torch_script.c: TorchScript source text of a member. */
void tut_torch_script_check(tut_exam *x, tut_str member, tut_str text);

#endif
