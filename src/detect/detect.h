/*
 * Injection by provenance: does this text try to give a model orders that are not its sender's to
 * give? User text and data (results of tools, documents) have a model and limits each; system text
 * is the deployer's own and scored by neither, nor is what the assistant itself said before.
 *
 * Text is made safe first (plain.h), what it hides is decoded and scored too (hidden.h). Texts of
 * any length are looked at whole, in windows and segments, and the limits grow with their number,
 * so that a long clean text is not more suspicious than a short one. After shared notes of
 * experiments; docs/guard-detector.md has the figures and what it cannot do.
 */
#ifndef TUT_DETECT_DETECT_H
#define TUT_DETECT_DETECT_H

#include "detect/hidden.h"
#include "detect/model.h"

typedef enum tut_detect_role {
    TUT_DETECT_USER,
    TUT_DETECT_SYSTEM,
    TUT_DETECT_TOOL,
    TUT_DETECT_DOCUMENT,
    TUT_DETECT_ASSISTANT,
    TUT_DETECT_COUNT
} tut_detect_role;
const char *tut_detect_role_name(tut_detect_role role);
/* False: no role of that name ("developer" is system, "function" is tool). */
bool tut_detect_role_of(tut_str name, tut_detect_role *ret_role);

typedef enum tut_detect_action {
    TUT_ACTION_ALLOW,
    TUT_ACTION_FLAG,   /* user text above the first limit */
    TUT_ACTION_REDACT, /* never of the detector itself */
    TUT_ACTION_HOLD,   /* data above the first limit: what follows from it is tainted */
    TUT_ACTION_BLOCK,  /* above the second */
    TUT_ACTION_COUNT
} tut_detect_action;
const char *tut_detect_action_name(tut_detect_action action);

enum { TUT_DETECT_REASONS = 8, TUT_DETECT_TEXT = 160 };

typedef struct tut_detect_reason {
    const char *code; /* "instruction-in-data" */
    uint64_t at;      /* byte of the text */
    char text[TUT_DETECT_TEXT];
} tut_detect_reason;

typedef struct tut_detect_verdict {
    double score; /* 0 to 1; 0.5 and 0.9 are the two limits */
    tut_detect_action action;
    bool is_scored; /* false: of a role that no model looks at */
    size_t pieces;  /* decoded and looked at too */
    size_t reason_count;
    tut_detect_reason reasons[TUT_DETECT_REASONS];
} tut_detect_verdict;

/* One thread's; the model is borrowed and must outlive it. */
typedef struct tut_detector tut_detector;
TUT_MUST tut_status tut_detector_new(const tut_model *model, tut_detector **ret_detector,
                                     tut_error *err);
void tut_detector_free(tut_detector *d);
TUT_DEFINE_AUTO(tut_detector)

/* Verdicts of texts that were scored before come from there (cache.h), NULL: none do. Borrowed; of
 * the same thread, and of no detector with another model. */
typedef struct tut_detect_cache tut_detect_cache;
void tut_detector_use(tut_detector *d, tut_detect_cache *cache);

TUT_MUST tut_status tut_detect(tut_detector *d, tut_detect_role role, tut_str text,
                               tut_detect_verdict *ret_verdict, tut_error *err);

/*
 * The same in steps, so that nobody waits for a long text: begin, step until it is done, end. A
 * step costs about as much as max_bytes of text do (16 kB: a third of a millisecond), and a window
 * of user text at least; a text takes some five times its length in steps. The text is borrowed
 * until the end; another begin lets go of what was under way.
 */
TUT_MUST tut_status tut_detect_begin(tut_detector *d, tut_detect_role role, tut_str text,
                                     tut_error *err);
TUT_MUST tut_status tut_detect_step(tut_detector *d, size_t max_bytes, bool *ret_is_done,
                                    tut_error *err);
TUT_MUST tut_status tut_detect_end(tut_detector *d, tut_detect_verdict *ret_verdict,
                                   tut_error *err);

#endif
