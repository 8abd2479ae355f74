/*
 * The pickle machine: runs a pickle's opcodes as CPython's loader does, on abstract values, and
 * reports every name that is looked up, every call, every write into something imported.
 *
 *   pickle = [PROTO n] { [FRAME len] opcode } STOP
 *
 * It follows the C loader (Modules/_pickle.c): one stack with marks and a fence, a memo that is a
 * map, frames that are a mere read-ahead. Where other readers differ (the pure Python loader, the
 * C loader on a file at the end of a frame) the difference is reported, and the driver
 * (pickle_stream.c) runs the other reading as well.
 *
 * Internal to the pickle family: pickle_*.c, torch_legacy.c, joblib.c, and their tests.
 */
#ifndef TUT_FORMATS_PICKLE_MACHINE_H
#define TUT_FORMATS_PICKLE_MACHINE_H

#include "formats/format.h"
#include "formats/pickle_input.h"
#include "formats/pickle_memo.h"
#include "formats/pickle_stack.h"
#include "formats/pickle_value.h"

enum {
    TUT_PSPLITS_MAX = 16,     /* other readings kept per stream */
    TUT_PEXTENSIONS_MAX = 16, /* registrations of extension codes seen */
    TUT_PWHY_MAX = 160
};

/* Another reading of the same bytes: opcodes from `at` on. first_op >= 0: with this opcode before.
 */
typedef struct tut_psplit {
    uint64_t at;
    int first_op;
} tut_psplit;

typedef struct tut_pextension {
    int64_t code;
    tut_pval module, name;
} tut_pextension;

/* Top-level modules that were named. */
enum { TUT_PMODULES_MAX = 48, TUT_PMODULE_BYTES = 48 };
typedef struct tut_pmodules {
    char names[TUT_PMODULES_MAX][TUT_PMODULE_BYTES];
    size_t count;
} tut_pmodules;

struct tut_plegacy; /* storages of a legacy torch file, see torch_legacy.c */

typedef struct tut_pmachine {
    tut_exam *x; /* NULL: a dry run, nothing is reported */
    tut_pinput *in;
    tut_pmodules *modules;      /* NULL: nobody wants them */
    struct tut_plegacy *legacy; /* collects persistent ids; NULL: nobody wants them */
    tut_pheap heap;
    tut_pstack stack, marks;
    tut_pmemo memo;
    size_t fence; /* nothing below this may be popped: the top mark */
    uint64_t start, op_at, frame_end;
    uint8_t op;
    uint8_t protocol;       /* as declared so far */
    uint8_t needs_protocol; /* the newest that its opcodes belong to */
    bool is_candidate;      /* found by searching: only plausible names count, breaks are no news */
    bool is_lenient; /* a second reading that starts in the middle: missing values are unknown */
    bool is_plain;   /* never skips the raw arrays that joblib writes into its streams */
    bool is_done;
    bool is_weight_told, is_nesting_told, is_proto_told, is_count_told;
    bool uses_joblib;            /* some array of joblib was skipped */
    tut_pval result;             /* of STOP */
    uint64_t raw_begin, raw_len; /* the long bytes that were pushed last */
    uint64_t ops, ops_max;       /* ops_max: a short look ends there; 0: none */
    uint64_t imports, calls;     /* calls: and writes into what was imported */
    uint64_t persids, odd_names; /* odd: imports of what no program calls a name */
    tut_psplit splits[TUT_PSPLITS_MAX];
    size_t split_count;
    tut_pextension extensions[TUT_PEXTENSIONS_MAX];
    size_t extension_count;
    tut_code broken; /* why the stream could not be read to its STOP; OK: it was */
    char why[TUT_PWHY_MAX];
    uint8_t *keep; /* TUT_LIMIT_PICKLE_TEXT_BYTES: the beginning of overlong lines */
    uint8_t *text; /* as long: decoded strings */
} tut_pmachine;

TUT_MUST tut_status tut_pmachine_init(tut_pmachine *m, tut_exam *x, tut_pinput *in,
                                      tut_budget *budget);
void tut_pmachine_done(tut_pmachine *m);
/* Runs from the input's position to STOP. OK also when the pickle is broken: then m->broken and
 * m->why say so, and everything before has been reported. Fails for LIMIT, NOMEM, IO, and what
 * ended the examination of a nested artefact. first_op: an opcode to run before, or -1. */
TUT_MUST tut_status tut_pmachine_run(tut_pmachine *m, int first_op, tut_error *err);

/* --- for the opcode handlers --- */
typedef tut_status (*tut_popcode_run)(tut_pmachine *m);
typedef struct tut_popcode {
    const char *name;
    uint8_t protocol; /* that brought it */
    tut_popcode_run run;
} tut_popcode;
extern const tut_popcode tut_popcodes[256]; /* run is NULL where no opcode is */

/* Ends the stream: MALFORMED or TRUNCATED with a reason. */
TUT_MUST tut_status tut_pm_break(tut_pmachine *m, tut_code code, const char *fmt, ...)
    TUT_PRINTF(3, 4);
/* Reports, unless this is a dry run or a mere candidate. */
void tut_pm_observe(tut_pmachine *m, const char *rule, const char *fmt, ...) TUT_PRINTF(3, 4);
/* Takes the reference, also on failure. */
TUT_MUST tut_status tut_pm_push(tut_pmachine *m, tut_pval v);
/* Makes sure that n values can be popped above the top mark. */
TUT_MUST tut_status tut_pm_need(tut_pmachine *m, size_t n);
static inline tut_pval tut_pm_pop(tut_pmachine *m)
{
    return tut_pstack_pop(&m->stack);
}
/* Removes the top mark; *ret_start is the stack's height when it was set. */
TUT_MUST tut_status tut_pm_marker(tut_pmachine *m, size_t *ret_start);
/* Makes a container of all values above `start` and removes them from the stack. */
tut_pval tut_pm_collect(tut_pmachine *m, size_t start, tut_pval_type type);
/* Watches the size of what a container would be when written out. */
void tut_pm_weigh(tut_pmachine *m, tut_pval v);
uint64_t tut_pm_pos(const tut_pmachine *m);

/* Names of opcodes' handlers, by file. clang-format 14 never comes to rest on this list. */
/* clang-format off */
#define TUT_POPS(X) \
    /* pickle_ops_stack.c */ \
    X(mark) X(stop) X(pop) X(pop_mark) X(dup) X(get) X(binget) X(long_binget) X(put) X(binput) \
    X(long_binput) X(memoize) X(proto) X(frame) \
    /* pickle_ops_data.c */ \
    X(none) X(newtrue) X(newfalse) X(int) X(binint) X(binint1) X(binint2) X(long) X(long1) \
    X(long4) X(float) X(binfloat) X(next_buffer) X(readonly_buffer) X(string) X(binstring) \
    X(short_binstring) X(unicode) X(short_binunicode) X(binunicode) X(binunicode8) X(binbytes) \
    X(short_binbytes) X(binbytes8) X(bytearray8) \
    /* pickle_ops_container.c */ \
    X(empty_tuple) X(tuple) X(tuple1) X(tuple2) X(tuple3) X(empty_list) X(list) X(append) \
    X(appends) X(empty_dict) X(dict) X(setitem) X(setitems) X(empty_set) X(additems) \
    X(frozenset) \
    /* pickle_ops_call.c */ \
    X(global) X(stack_global) X(inst) X(obj) X(newobj) X(newobj_ex) X(reduce) X(build) X(persid) \
    X(binpersid) X(ext1) X(ext2) X(ext4)
/* clang-format on */
#define TUT_POP_DECLARE(name) TUT_MUST tut_status tut_pop_##name(tut_pmachine *m);
TUT_POPS(TUT_POP_DECLARE)
#undef TUT_POP_DECLARE

#endif
