/*
 * Abstract values of the pickle machine: exact enough to know which name was meant and what a call
 * was given, small enough for millions of them.
 *
 * A value is 32 bits: a constant, a small integer, or the number of a node. Nodes are counted by
 * reference, and freed without recursion. When the heap has reached its limit nothing fails: new
 * values become "lost" ones, which keep their type and lose their content. A lost string that is
 * later used as a name is reported as a name that could not be known.
 */
#ifndef TUT_FORMATS_PICKLE_VALUE_H
#define TUT_FORMATS_PICKLE_VALUE_H

#include "base/alloc.h"
#include "base/budget.h"
#include "base/status.h"
#include "base/str.h"

typedef uint32_t tut_pval;

typedef enum tut_pval_type {
    TUT_PVAL_NONE,
    TUT_PVAL_BOOL,
    TUT_PVAL_INT,
    TUT_PVAL_FLOAT,
    TUT_PVAL_STR,
    TUT_PVAL_BYTES,
    TUT_PVAL_TUPLE,
    TUT_PVAL_LIST,
    TUT_PVAL_DICT, /* items: key, value, key, value ... in the order of writing */
    TUT_PVAL_SET,
    TUT_PVAL_GLOBAL, /* pair: module, name (strings, or what was there instead) */
    TUT_PVAL_OBJECT, /* pair: callable, arguments; extra: last state given by BUILD */
    TUT_PVAL_PERSID, /* pair: id, none */
    TUT_PVAL_OPAQUE  /* could be anything */
} tut_pval_type;

enum {
    TUT_PNODE_CUT = 1,        /* content is only the beginning */
    TUT_PNODE_BIG = 2,        /* integer in bytes, little endian, two's complement */
    TUT_PNODE_INLINE = 4,     /* up to two items lie in the node */
    TUT_PNODE_MODULE = 8,     /* a GLOBAL that is the module itself */
    TUT_PNODE_UNRESOLVED = 16 /* a GLOBAL whose name is not known */
};

typedef struct tut_pnode {
    uint8_t type;
    uint8_t flags;
    uint32_t refs;
    union {
        uint8_t *bytes;
        tut_pval *items;
        tut_pval pair[2];
        int64_t integer;
    } as;
    uint32_t len;   /* bytes or items stored; next free node when unused */
    uint32_t extra; /* containers: estimated size when every reference is written out; see above */
} tut_pnode;

enum { TUT_PHEAP_CHUNK = 2048 };

typedef struct tut_pheap {
    tut_budget *budget; /* may be NULL */
    tut_pnode **chunks;
    size_t chunk_count, chunk_capacity;
    uint32_t fresh;     /* nodes ever used */
    uint32_t free_head; /* 0: none; else index + 1 */
    uint64_t used;      /* bytes, all in all */
    bool is_lossy;      /* some value had to be lost */
    bool is_exhausted;  /* memory ran out */
} tut_pheap;

/* Immediate values. */
#define TUT_PVAL_CONST(n) ((tut_pval)((n) << 3))
enum {
    TUT_PV_NONE = TUT_PVAL_CONST(0),
    TUT_PV_FALSE = TUT_PVAL_CONST(1),
    TUT_PV_TRUE = TUT_PVAL_CONST(2),
    TUT_PV_FLOAT = TUT_PVAL_CONST(3),
    TUT_PV_EMPTY_TUPLE = TUT_PVAL_CONST(4),
    TUT_PV_EMPTY_LIST = TUT_PVAL_CONST(5), /* fresh: becomes a node when shared or written to */
    TUT_PV_EMPTY_DICT = TUT_PVAL_CONST(6),
    TUT_PV_EMPTY_SET = TUT_PVAL_CONST(7),
    TUT_PV_LOST = TUT_PVAL_CONST(8), /* + type: LOST_STR is 8 + TUT_PVAL_STR, and so on */
};
static inline tut_pval tut_pv_lost(tut_pval_type type)
{
    return TUT_PVAL_CONST(8 + (unsigned)type);
}
static inline bool tut_pv_is_node(tut_pval v)
{
    return (v & 7) == 2;
}
static inline tut_pnode *tut_pv_node(const tut_pheap *h, tut_pval v)
{
    uint32_t i = v >> 3;
    return &h->chunks[i / TUT_PHEAP_CHUNK][i % TUT_PHEAP_CHUNK];
}

void tut_pheap_init(tut_pheap *h, tut_budget *budget);
void tut_pheap_done(tut_pheap *h); /* frees all nodes at once, whatever refers to them */

tut_pval_type tut_pv_type(const tut_pheap *h, tut_pval v);
static inline void tut_pv_ref(const tut_pheap *h, tut_pval v)
{
    if (tut_pv_is_node(v))
        tut_pv_node(h, v)->refs++;
}
void tut_pv_release(tut_pheap *h, tut_pval v);
static inline void tut_pv_unref(tut_pheap *h, tut_pval v)
{
    if (tut_pv_is_node(v))
        tut_pv_release(h, v);
}

/* Makers: the caller owns one reference. Children given to them change hands. */
tut_pval tut_pv_int(tut_pheap *h, int64_t n);
tut_pval tut_pv_long(tut_pheap *h, tut_span little_endian, bool is_cut);
tut_pval tut_pv_text(tut_pheap *h, tut_pval_type type, tut_str content, bool is_cut);
tut_pval tut_pv_pair(tut_pheap *h, tut_pval_type type, tut_pval a, tut_pval b, uint8_t flags);
tut_pval tut_pv_container(tut_pheap *h, tut_pval_type type);
/* A fresh empty constant becomes a node of its own; others stay. */
tut_pval tut_pv_materialise(tut_pheap *h, tut_pval v);
/* Adds to a container node; takes the item's reference. Lost containers only drop it. */
void tut_pv_add(tut_pheap *h, tut_pval container, tut_pval item);
/* Replaces the state of an object; takes the reference. */
void tut_pv_set_state(tut_pheap *h, tut_pval object, tut_pval state);

/* Readers: values are borrowed. False when it is not that, or its content is not wholly known. */
bool tut_pv_get_text(const tut_pheap *h, tut_pval v, tut_pval_type type, tut_str *ret);
bool tut_pv_get_int(const tut_pheap *h, tut_pval v, int64_t *ret);
/* The beginning of a string or bytes even when the rest was not kept. */
tut_str tut_pv_text_head(const tut_pheap *h, tut_pval v, bool *ret_is_cut);
/* Items of a container; *ret_is_whole tells whether they are all. NULL when empty. */
const tut_pval *tut_pv_items(const tut_pheap *h, tut_pval v, size_t *ret_count, bool *ret_is_whole);
/* Item i of a tuple or list, or TUT_PV_LOST. */
tut_pval tut_pv_item(const tut_pheap *h, tut_pval v, size_t i);
/* The last value written under a constant string key of a dict. */
bool tut_pv_lookup(const tut_pheap *h, tut_pval dict, const char *key, tut_pval *ret);
/* pair[0], pair[1] of GLOBAL, OBJECT, PERSID; TUT_PV_LOST for others. */
tut_pval tut_pv_first(const tut_pheap *h, tut_pval v);
tut_pval tut_pv_second(const tut_pheap *h, tut_pval v);
tut_pval tut_pv_state(const tut_pheap *h, tut_pval object);
uint8_t tut_pv_flags(const tut_pheap *h, tut_pval v);
/* How many leaves the value has when every reference in it is written out; saturates. */
uint32_t tut_pv_weight(const tut_pheap *h, tut_pval v);

#endif
