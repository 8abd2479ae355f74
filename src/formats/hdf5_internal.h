/*
 * The HDF5 reader's parts: hdf5.c (the walk over all objects, facts), hdf5_superblock.c,
 * hdf5_header.c (object headers, their messages one by one), hdf5_message.c (what a message says),
 * hdf5_datatype.c, hdf5_link.c, hdf5_group.c (old groups: B-tree and local heap), hdf5_tree2.c
 * (second B-tree), hdf5_heap.c (fractal heap: dense links and attributes), hdf5_value.c (global
 * heap, strings), hdf5_chunk.c and hdf5_array.c (chunk indexes), hdf5_dataset.c, hdf5_attribute.c,
 * hdf5_virtual.c.
 *
 * Addresses in the file are relative to the superblock, and so are those here; tut_hdf5_read()
 * alone turns them into offsets.
 */
#ifndef TUT_FORMATS_HDF5_INTERNAL_H
#define TUT_FORMATS_HDF5_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/reader.h"
#include "formats/extents.h"
#include "formats/format.h"

#define TUT_HDF5_MAGIC "\x89HDF\r\n\x1a\n"
#define TUT_HDF5_NOWHERE UINT64_MAX /* the undefined address */

enum {
    TUT_HDF5_RANK = 32,        /* dimensions: the library's own limit */
    TUT_HDF5_PATH_SHOWN = 400, /* bytes kept of a path in messages and names */
    TUT_HDF5_FILTERS = 32      /* in one pipeline: the library's own limit */
};

typedef enum tut_hdf5_class {
    TUT_HDF5_INTEGER,
    TUT_HDF5_FLOAT,
    TUT_HDF5_TIME,
    TUT_HDF5_STRING,
    TUT_HDF5_BITS,
    TUT_HDF5_OPAQUE,
    TUT_HDF5_COMPOUND,
    TUT_HDF5_REFERENCE,
    TUT_HDF5_ENUM,
    TUT_HDF5_VLEN,
    TUT_HDF5_ARRAY,
    TUT_HDF5_COMPLEX,
    TUT_HDF5_CLASSES
} tut_hdf5_class;

typedef struct tut_hdf5_type {
    bool is_there;
    tut_hdf5_class class;
    tut_hdf5_class base; /* of a sequence of variable length */
    uint32_t base_size;
    bool is_vlen_string;
    bool is_big_endian, is_signed;
    uint16_t mantissa; /* bits, of a float: parts bfloat16 from half */
    bool has_vlen;     /* here or in a member */
    uint32_t size;     /* bytes of one element */
} tut_hdf5_type;

typedef struct tut_hdf5_space {
    bool is_there;
    bool is_null;
    uint32_t rank;
    uint64_t dims[TUT_HDF5_RANK];
    uint64_t elements; /* product; UINT64_MAX: overflow */
} tut_hdf5_space;

typedef enum tut_hdf5_layout_class {
    TUT_HDF5_COMPACT,
    TUT_HDF5_CONTIGUOUS,
    TUT_HDF5_CHUNKED,
    TUT_HDF5_VIRTUAL
} tut_hdf5_layout_class;

typedef enum tut_hdf5_index {
    TUT_HDF5_INDEX_TREE1, /* B-tree of the first kind */
    TUT_HDF5_INDEX_SINGLE,
    TUT_HDF5_INDEX_IMPLICIT,
    TUT_HDF5_INDEX_FIXED,
    TUT_HDF5_INDEX_EXTENSIBLE,
    TUT_HDF5_INDEX_TREE2
} tut_hdf5_index;

typedef struct tut_hdf5_layout {
    bool is_there;
    tut_hdf5_layout_class class;
    uint64_t address;
    uint64_t size;     /* contiguous: bytes, UINT64_MAX where the version does not say; compact */
    uint64_t value_at; /* compact: file offset of the bytes */
    uint32_t rank;     /* of chunks */
    uint64_t chunk[TUT_HDF5_RANK];
    tut_hdf5_index index;
    uint64_t single_size; /* filtered single chunk */
    uint32_t single_mask; /* filters that it did not go through */
    uint32_t heap_index;  /* virtual */
} tut_hdf5_layout;

typedef struct tut_hdf5_filters {
    uint32_t count;
    uint16_t ids[TUT_HDF5_FILTERS];
    uint32_t client[TUT_HDF5_FILTERS]; /* the first value given to each */
} tut_hdf5_filters;

typedef struct tut_hdf5 {
    tut_exam *x;
    const tut_source *src;
    uint64_t base; /* where the superblock lies: offsets are address + base */
    uint8_t version;
    uint8_t offset_bytes, length_bytes;
    uint64_t eof; /* as the superblock says, an address */
    uint64_t root, extension;
    uint64_t root_tree, root_heap; /* cached in superblocks 0 and 1; NOWHERE else */

    tut_arena arena; /* names, pending objects */
    uint64_t charged;
    tut_map seen; /* addresses of objects and nodes, as text in the arena */
    struct tut_hdf5_object *first, *last;
    tut_extents extents; /* raw data */
    struct {             /* the global heap that was read last, and how far */
        uint64_t address, end, at;
        uint32_t index;
    } global;

    /* shared messages of the superblock's extension */
    uint64_t shared_heaps[8];
    uint16_t shared_types[8];
    uint32_t shared_count;

    uint64_t objects, datasets, attributes, parameters;
    bool is_keras;    /* said by the root's attributes */
    bool wants_sweep; /* values of variable length whose places could not be read */
    tut_code worst;   /* why something was not read, or OK */
    char problem[160];
    char path[TUT_HDF5_PATH_SHOWN + 8]; /* of the object at hand */
} tut_hdf5;

/* An object on its way to be read. */
typedef struct tut_hdf5_object {
    struct tut_hdf5_object *next;
    const struct tut_hdf5_object *parent;
    uint64_t address;
    uint64_t tree, heap; /* an old group's, cached in the entry that names it; NOWHERE: none */
    tut_str name;
} tut_hdf5_object;

/* What the messages of one object header say. */
typedef struct tut_hdf5_node {
    const tut_hdf5_object *object;
    tut_hdf5_type type;
    tut_hdf5_space space;
    tut_hdf5_layout layout;
    tut_hdf5_filters filters;
    bool has_external;
    uint64_t tree, heap;                     /* of an old group */
    uint64_t link_heap, link_tree;           /* of a new one, dense */
    uint64_t attribute_heap, attribute_tree; /* dense attributes */
    tut_buf *wanted; /* only the first message of wanted_type is read, into this */
    unsigned wanted_type;
    bool is_found;
    uint32_t depth; /* of shared messages being followed */
} tut_hdf5_node;

/* Whether a failure concerns only the part at hand: it is told of, and the rest is read. */
static inline bool tut_hdf5_is_local(tut_status s)
{
    return s.code == TUT_TRUNCATED || s.code == TUT_MALFORMED || s.code == TUT_UNSUPPORTED;
}

/* --- hdf5.c --- */
/* Reports a broken structure, and that the examination is not complete. */
void tut_hdf5_bad(tut_hdf5 *h, uint64_t address, const char *fmt, ...) TUT_PRINTF(3, 4);
/* Not read, for this reason; the first one is kept. */
void tut_hdf5_problem(tut_hdf5 *h, tut_code code, const char *fmt, ...) TUT_PRINTF(3, 4);
uint64_t tut_hdf5_offset(const tut_hdf5 *h, uint64_t address);
/* Appends len bytes at the address; TRUNCATED when they do not lie in the file. */
TUT_MUST tut_status tut_hdf5_read(tut_hdf5 *h, uint64_t address, uint64_t len, tut_buf *out,
                                  tut_error *err);
/* Text up to a NUL at `address`, at most cap bytes; false when there is none. */
bool tut_hdf5_read_z(tut_hdf5 *h, uint64_t address, size_t cap, tut_buf *out);
/* Little endian number of 1 to 8 bytes. */
TUT_MUST tut_status tut_hdf5_number(tut_reader *r, unsigned bytes, uint64_t *ret);
/* All bits set is the undefined address, whatever the width. */
TUT_MUST tut_status tut_hdf5_address(const tut_hdf5 *h, tut_reader *r, uint64_t *ret);
TUT_MUST tut_status tut_hdf5_length(const tut_hdf5 *h, tut_reader *r, uint64_t *ret);
/* Jenkins' lookup3 over all but the last four bytes, which hold it. False: it differs. */
bool tut_hdf5_checksum_fits(tut_span block);
/* Remembers the address. *ret_is_new: it was not there before. Kind parts objects from nodes. */
TUT_MUST tut_status tut_hdf5_visit(tut_hdf5 *h, char kind, uint64_t address, bool *ret_is_new,
                                   tut_error *err);
/* Queues an object that a link names. */
TUT_MUST tut_status tut_hdf5_queue(tut_hdf5 *h, const tut_hdf5_object *parent, tut_str name,
                                   uint64_t address, uint64_t tree, uint64_t heap, tut_error *err);
/* "/a/b", cut, of the object at hand, for messages. */
const char *tut_hdf5_path(tut_hdf5 *h, const tut_hdf5_object *o, tut_str attribute);

/* --- hdf5_superblock.c --- */
TUT_MUST tut_status tut_hdf5_read_superblock(tut_hdf5 *h, tut_error *err);
/* The user block, what follows the end, an archive that is read from there. */
TUT_MUST tut_status tut_hdf5_check_around(tut_hdf5 *h, tut_error *err);

/* --- hdf5_header.c --- */
TUT_MUST tut_status tut_hdf5_read_header(tut_hdf5 *h, uint64_t address, tut_hdf5_node *node,
                                         tut_error *err);

/* --- hdf5_message.c --- */
/* One message. `at` is the file offset of the body's first byte, or NO_OFFSET. */
TUT_MUST tut_status tut_hdf5_message(tut_hdf5 *h, tut_hdf5_node *node, unsigned type,
                                     unsigned flags, tut_span body, uint64_t at, tut_error *err);
TUT_MUST tut_status tut_hdf5_read_space(tut_hdf5 *h, tut_reader r, tut_hdf5_space *ret);
/* A body that is shared: puts what it stands for into `out`. False: it could not be found. */
bool tut_hdf5_follow_shared(tut_hdf5 *h, unsigned type, tut_span body, tut_buf *out,
                            tut_error *err);

/* --- hdf5_link.c --- */
TUT_MUST tut_status tut_hdf5_link(tut_hdf5 *h, const tut_hdf5_object *parent, tut_span body,
                                  tut_error *err);

/* --- hdf5_datatype.c --- */
TUT_MUST tut_status tut_hdf5_read_type(tut_hdf5 *h, tut_reader *r, tut_hdf5_type *ret);
/* "F32", or NULL when it is none that weights have. */
const char *tut_hdf5_dtype(const tut_hdf5_type *t);

/* --- hdf5_group.c --- */
TUT_MUST tut_status tut_hdf5_old_group(tut_hdf5 *h, const tut_hdf5_object *parent, uint64_t tree,
                                       uint64_t heap, tut_error *err);
/* The data segment of a local heap; false: broken (told). */
bool tut_hdf5_local_heap(tut_hdf5 *h, uint64_t address, uint64_t *ret_data, uint64_t *ret_size);

/* --- hdf5_tree2.c --- */
/* Each record of a second B-tree. */
typedef tut_status (*tut_hdf5_record_fn)(void *ctx, tut_span record, tut_error *err);
TUT_MUST tut_status tut_hdf5_each_record(tut_hdf5 *h, uint64_t tree, unsigned type,
                                         tut_hdf5_record_fn fn, void *ctx, tut_error *err);

/* --- hdf5_heap.c --- */
typedef tut_status (*tut_hdf5_heap_fn)(tut_hdf5 *h, void *ctx, tut_span object, uint64_t at,
                                       tut_error *err);
/* Each object of a fractal heap that an index of this type names. */
TUT_MUST tut_status tut_hdf5_each_dense(tut_hdf5 *h, uint64_t heap, uint64_t tree, unsigned type,
                                        tut_hdf5_heap_fn fn, void *ctx, tut_error *err);
/* One object by its heap id; false: it is not there. */
bool tut_hdf5_heap_object(tut_hdf5 *h, uint64_t heap, tut_span id, tut_buf *out, tut_error *err);

/* --- hdf5_value.c --- */
enum { TUT_HDF5_VALUE_BYTES = TUT_LIMIT_MEMBER_BYTES };
/* An object of a global heap; false when it is not there. */
bool tut_hdf5_global(tut_hdf5 *h, uint64_t address, uint32_t index, tut_buf *out);
/* One string, without what pads it; false: it leads nowhere. */
bool tut_hdf5_string(tut_hdf5 *h, const tut_hdf5_type *t, tut_span element, tut_buf *out);
/* Bytes that may be an artefact of their own (a pickle, an archive, a program): examined as one. */
TUT_MUST tut_status tut_hdf5_look(tut_hdf5 *h, tut_str value, const char *where, tut_error *err);
/* `raw` holds elements of this type: each string, sequence and opaque value is looked at. */
TUT_MUST tut_status tut_hdf5_look_elements(tut_hdf5 *h, const tut_hdf5_type *t, tut_span raw,
                                           const char *where, tut_error *err);

/* Looks at every object of every global heap that lies in the file. */
TUT_MUST tut_status tut_hdf5_sweep(tut_hdf5 *h, tut_error *err);

/* --- hdf5_attribute.c --- */
TUT_MUST tut_status tut_hdf5_attribute(tut_hdf5 *h, tut_hdf5_node *node, tut_span body, uint64_t at,
                                       tut_error *err);

/* --- hdf5_dataset.c --- */
TUT_MUST tut_status tut_hdf5_dataset(tut_hdf5 *h, const tut_hdf5_node *node, tut_error *err);
void tut_hdf5_external_files(tut_hdf5 *h, tut_hdf5_node *node, tut_span body, tut_error *err);
TUT_MUST tut_status tut_hdf5_read_layout(tut_hdf5 *h, tut_span body, uint64_t at,
                                         tut_hdf5_layout *ret);
TUT_MUST tut_status tut_hdf5_read_filters(tut_hdf5 *h, const tut_hdf5_node *node, tut_span body,
                                          tut_hdf5_filters *ret);

/* --- hdf5_chunk.c --- */
/* Holds every chunk's place against the file; with `look`, chunks of text or code are decoded and
 * looked at. *ret_stored: bytes that all chunks take. */
TUT_MUST tut_status tut_hdf5_chunks(tut_hdf5 *h, const tut_hdf5_node *node, bool look,
                                    uint64_t *ret_stored, tut_error *err);

/* --- hdf5_array.c --- */
/* Each entry of an array of chunks. */
TUT_MUST tut_status tut_hdf5_fixed_array(tut_hdf5 *h, uint64_t address, tut_hdf5_record_fn fn,
                                         void *ctx, tut_error *err);
TUT_MUST tut_status tut_hdf5_extensible_array(tut_hdf5 *h, uint64_t address, tut_hdf5_record_fn fn,
                                              void *ctx, tut_error *err);

/* --- hdf5_virtual.c --- */
void tut_hdf5_virtual(tut_hdf5 *h, const tut_hdf5_node *node);

#endif
