/* What codec.c (the pull decoder) and codec_drivers.c (one driver a library) share. */
#ifndef TUT_FORMATS_CODEC_INTERNAL_H
#define TUT_FORMATS_CODEC_INTERNAL_H

#include "formats/codec.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

typedef enum tut_codec_step {
    TUT_STEP_MORE,   /* went on, or wants more input */
    TUT_STEP_END,    /* end mark seen, checksum holds */
    TUT_STEP_BROKEN, /* the data breaks the format */
    TUT_STEP_LIMIT,  /* wants more memory than we lend */
    TUT_STEP_NOMEM
} tut_codec_step;

typedef struct tut_codec_io {
    const uint8_t *in;
    size_t in_len;
    size_t used;
    uint8_t *out;
    size_t out_cap;
    size_t made;
    bool is_last; /* nothing follows these input bytes */
} tut_codec_io;

typedef struct tut_codec_state tut_codec_state;

typedef struct tut_codec_driver {
    /* (Re)starts at the beginning of a part; MORE when ready. */
    tut_codec_step (*start)(tut_codec_state *c);
    tut_codec_step (*step)(tut_codec_state *c, tut_codec_io *io);
    void (*stop)(tut_codec_state *c); /* also after a failed or no start */
    /* Another part begins with these bytes; NULL: there is but one part. */
    bool (*is_part)(tut_span next);
    bool has_padding; /* zero bytes may part the parts */
} tut_codec_driver;

struct tut_codec_state {
    const tut_codec_driver *driver;
    tut_stream *in;     /* borrowed */
    tut_budget *budget; /* borrowed */
    tut_codec_counts *counts;
    tut_codec_counts own_counts;
    bool is_started;
    bool heap_refused; /* an allocation was refused by the budget, not by the system */
    bool is_over;
    tut_status outcome; /* once over */
    const char *why;
    const tut_codec_filter *filters; /* while a chain is opened */
    size_t filter_count;
    size_t wanted;       /* by lz4 and zstd: bytes of input they ask for next */
    uint64_t heap_taken; /* of libraries that do not allocate through us */
    lzma_allocator lzma_alloc;
    union {
        z_stream z;
        bz_stream bz;
        struct {
            lzma_stream s;
            uint8_t head[4 + 5]; /* zip: version, length of properties, properties */
            size_t head_len;
        } lzma;
        LZ4F_dctx *lz4;
        ZSTD_DCtx *zstd;
    } u;
};

extern const tut_codec_driver tut_codec_drivers[TUT_CODEC_COUNT];

#endif
