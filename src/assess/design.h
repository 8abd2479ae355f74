/*
 * The section `design:` of tutela.yaml: which documents say how the system was decided, built and
 * is to be kept, how sensitive the data may be that its use is fit for, and what the data custodian
 * asked for. Evidence about a document is bound to the bytes of the document (TUT_SCOPE_DOCUMENT),
 * so that an edit of tutela.yaml asks nobody to sign anew what did not change.
 */
#ifndef TUT_ASSESS_DESIGN_H
#define TUT_ASSESS_DESIGN_H

#include "assets/system.h"

/* Subjects of evidence and events about a document: this, and its path. */
#define TUT_SUBJECT_DESIGN "design:"
/* The event that a document has these bytes now; its body are the bytes. */
#define TUT_EVENT_DOCUMENT "document.versioned"

enum { TUT_DESIGN_DOCUMENTS_MAX = 32, TUT_DESIGN_ASKS_MAX = 64 };

typedef struct tut_custodian_ask { /* one control that the custodian asks for */
    tut_str control;               /* in words */
    tut_str check, clause;         /* what shows it: one of the two */
    const tut_yaml_node *node;
} tut_custodian_ask;

typedef struct tut_design {
    bool is_there;
    tut_str record, maintenance, card; /* paths below the directory of tutela.yaml; or empty */
    tut_str_list documents;
    tut_str use_ceiling; /* sensitivity that the use is fit for; or empty */
    /* The data custodian belongs to another organisation than the developer (5.1.2-1.1). */
    bool custodian_outside;
    tut_custodian_ask *custodian;
    size_t custodian_count;
} tut_design;

/* Zero where there is no such section. Text and lists live in the system. */
TUT_MUST tut_status tut_design_read(tut_system *system, tut_design *ret_design, tut_buf *ret_shown,
                                    tut_error *err);
/* All documents, each path once, in the order of the section. */
size_t tut_design_documents(const tut_design *d, tut_str paths[TUT_DESIGN_DOCUMENTS_MAX]);
/* Those that evidence of this check is about. */
size_t tut_design_of_check(const tut_design *d, tut_str check,
                           tut_str paths[TUT_DESIGN_DOCUMENTS_MAX]);
/* 0 public to 3 personal; -1: nobody says. */
int tut_sensitivity_level(tut_str word);

#endif
