/*
 * A model beside an earlier one, tensor by tensor: what changed, and by how much.
 *
 * Both files are hostile: a worker of the cage lists the tensors of both and compares those of one
 * name; the parent reads its rows with a bounded reader and judges them.
 */
#ifndef TUT_SCAN_BASELINE_H
#define TUT_SCAN_BASELINE_H

#include "scan/scan.h"

typedef enum tut_tensor_change {
    TUT_TENSOR_SAME,
    TUT_TENSOR_CHANGED,
    TUT_TENSOR_RESHAPED, /* another shape or type */
    TUT_TENSOR_ADDED,
    TUT_TENSOR_REMOVED,
    TUT_TENSOR_CHANGES
} tut_tensor_change;
const char *tut_tensor_change_name(tut_tensor_change c); /* "changed" */

typedef struct tut_baseline_row {
    char *name, *before, *after; /* "F32 [4, 16]"; "" where there is none */
    tut_tensor_change change;
    uint64_t numbers, differing;
    uint64_t flipped; /* bits in which any number differs; 0 for numbers of different types */
    double greatest;  /* distance of two numbers */
    double relative;  /* length of the difference by length of the earlier tensor */
    double cosine;    /* of the angle between both */
    bool was_rounded; /* before or after, the flipped bits are all zero: rounding, and no writing */
} tut_baseline_row;

typedef struct tut_baseline {
    char *path;             /* of the earlier file */
    tut_baseline_row *rows; /* those that are not the same, worst first */
    size_t count, capacity;
    uint64_t counts[TUT_TENSOR_CHANGES];
    uint64_t left_out; /* rows beyond what a reply holds */
} tut_baseline;

void tut_baseline_free(tut_baseline *b);

/* Compares each file of the scan with `old`: a file for a single one, a directory that has files of
 * the same relative names for more. Adds weights.* findings and sets the reports' baselines. IO
 * when there is no earlier file at all, USAGE for one file against many. */
TUT_MUST tut_status tut_baseline_compare(tut_scan *scan, const char *old, tut_cage_mode sandbox,
                                         tut_error *err);
void tut_baseline_json(const tut_baseline *b, tut_json *j);

/* The worker's side: bytes are the later file; argument and sibling name the earlier one. */
TUT_MUST tut_status tut_baseline_job(tut_cage_task *task, const tut_source *bytes,
                                     tut_span argument, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_baseline_decode(tut_span bytes, tut_baseline *b, tut_error *err);

#endif
