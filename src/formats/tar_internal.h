/*
 * The tar reader's parts: tar_header.c (one block of 512 bytes), tar_pax.c (extended headers and
 * long names), tar_sparse.c (files with holes), tar_names.c (links, names that meet), tar_member.c
 * (one member's bytes), tar.c (rows and the walk).
 */
#ifndef TUT_FORMATS_TAR_INTERNAL_H
#define TUT_FORMATS_TAR_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "formats/format.h"

enum {
    TUT_TAR_BLOCK = 512,
    TUT_TAR_NAME = 100,
    TUT_TAR_PREFIX = 155,
    TUT_TAR_FULL_NAME = TUT_TAR_PREFIX + 1 + TUT_TAR_NAME
};

typedef enum tut_tar_dialect {
    TUT_TAR_V7,
    TUT_TAR_USTAR,
    TUT_TAR_GNU,
    TUT_TAR_STAR
} tut_tar_dialect;

/* How a number in a header is written. */
typedef enum tut_tar_number {
    TUT_TAR_PLAIN,   /* octal, or base 256 as GNU writes it */
    TUT_TAR_ODD,     /* readers differ about its value */
    TUT_TAR_NEGATIVE /* below zero, or beyond 63 bits */
} tut_tar_number;

typedef struct tut_tar_header {
    tut_tar_dialect dialect;
    char type;
    bool has_checksum;            /* it fits, by one of the two sums in use */
    bool has_second_name;         /* readers differ about the prefix: second_name */
    char name[TUT_TAR_FULL_NAME]; /* with the prefix where the dialect has one */
    size_t name_len;
    char second_name[TUT_TAR_FULL_NAME];
    size_t second_name_len;
    char link[TUT_TAR_NAME];
    size_t link_len;
    uint64_t size;
    tut_tar_number size_kind;
} tut_tar_header;

/* tar_header.c */
bool tut_tar_is_zero(const uint8_t block[TUT_TAR_BLOCK]);
void tut_tar_parse(const uint8_t block[TUT_TAR_BLOCK], tut_tar_header *ret);
tut_tar_number tut_tar_read_number(const uint8_t *field, size_t len, uint64_t *ret);
/* Regular files by any reader, as opposed to what consists of a header only. */
bool tut_tar_has_data(char type);
bool tut_tar_is_known(char type);

typedef struct tut_tar_segment {
    uint64_t at, len; /* in the file as it is unpacked */
} tut_tar_segment;

/* Where the data of a sparse file belongs. */
typedef struct tut_tar_sparse {
    tut_tar_segment *segments;
    size_t count, capacity;
    uint64_t size;   /* unpacked */
    uint64_t stored; /* sum of the segments */
} tut_tar_sparse;

/* What extended headers and long names say about the member that follows. */
typedef struct tut_tar_extended {
    tut_buf pax_name, pax_link; /* has_: a record said so */
    tut_buf gnu_name, gnu_link;
    tut_buf sparse_map;  /* pairs of "offset,length," as the records gave them */
    tut_buf sparse_name; /* GNU.sparse.name: pax_name is then a made-up one */
    uint64_t size, sparse_size;
    bool has_pax_name, has_pax_link, has_gnu_name, has_gnu_link, has_size;
    bool has_sparse_size, has_sparse_name;
    bool is_sparse, is_sparse_1_0; /* 1.0: the map stands before the data */
} tut_tar_extended;

typedef struct tut_tar_name {
    uint64_t at; /* of the header */
    char type;
} tut_tar_name;

typedef struct tut_tar {
    tut_exam *x;
    tut_stream *s;
    const tut_source *src; /* NULL: out of a decoder */
    tut_arena arena;       /* names */
    uint64_t heap;         /* charged for them */
    tut_tar_name *names;
    size_t count, capacity;
    tut_map by_name; /* of names without "." and doubled separators */
    tut_tar_extended next;
    tut_code worst; /* why something was not read, or OK */
    char problem[160];
} tut_tar;

/* The reason for an incomplete examination; the first one is kept. */
void tut_tar_problem(tut_tar *t, tut_code code, const char *fmt, ...) TUT_PRINTF(3, 4);

/* tar_pax.c */
void tut_tar_extended_done(tut_tar_extended *e);
void tut_tar_extended_clear(tut_tar_extended *e);
/* Whether this header speaks about the next one. */
bool tut_tar_is_extended(char type);
/* The stream stands behind the header; afterwards behind its data. */
TUT_MUST tut_status tut_tar_read_extended(tut_tar *t, const tut_tar_header *h, uint64_t at,
                                          tut_error *err);

/* tar_sparse.c */
void tut_tar_sparse_done(tut_tar_sparse *sparse);
/* The map in a header of GNU's old kind, and in the blocks behind it. */
TUT_MUST tut_status tut_tar_sparse_old(tut_tar *t, const uint8_t block[TUT_TAR_BLOCK],
                                       tut_tar_sparse *ret, tut_error *err);
/* The map of pax records; for 1.0 it is taken from data, and *left shrinks by it. */
TUT_MUST tut_status tut_tar_sparse_pax(tut_tar *t, uint64_t *left, tut_tar_sparse *ret,
                                       tut_error *err);
/* Why the map is none ("segments overlap"), or NULL. */
const char *tut_tar_sparse_problem(const tut_tar_sparse *sparse, uint64_t stored);
/* data (borrowed) with its holes. */
TUT_MUST tut_status tut_tar_sparse_open(const tut_tar_sparse *sparse, tut_stream *data,
                                        tut_budget *budget, tut_stream **ret);

/* tar_member.c: the bytes of one member, at the stream's position. Leaves the stream behind them.
 */
typedef struct tut_tar_member {
    tut_str name;
    uint64_t at;            /* of the header */
    uint64_t size;          /* in the archive */
    uint64_t header_size;   /* as the plain header says */
    tut_tar_sparse *sparse; /* NULL: no holes */
} tut_tar_member;
TUT_MUST tut_status tut_tar_examine_member(tut_tar *t, const tut_tar_member *m, tut_error *err);

/* tar_names.c */
/* Checks a member's name and link against each other and against those before. */
TUT_MUST tut_status tut_tar_add_name(tut_tar *t, tut_str name, tut_str link, char type, uint64_t at,
                                     tut_error *err);
/* "./a//b/" -> "a/b", in the archive's arena. */
TUT_MUST tut_status tut_tar_plain_name(tut_tar *t, tut_str name, tut_str *ret, tut_error *err);

/* For "%.*s": as much of a name as a message wants. */
#define TUT_TAR_SHOWN(name) (int)((name).len < 160 ? (name).len : 160), (name).data

#endif
