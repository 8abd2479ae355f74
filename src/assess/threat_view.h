/*
 * The threat model as it was recorded (tutela.threats/1), read back for people: what the picture,
 * the matrix, the report and the page of its own are made of. Nothing is judged here.
 */
#ifndef TUT_ASSESS_THREAT_VIEW_H
#define TUT_ASSESS_THREAT_VIEW_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

enum { TUT_VIEW_SCALE = 5, TUT_VIEW_LEVELS = 5 };
extern const char *const tut_view_levels[TUT_VIEW_LEVELS]; /* "low" .. "critical" */
extern const char *const tut_view_likelihoods[TUT_VIEW_SCALE],
    *const tut_view_impacts[TUT_VIEW_SCALE];
extern const char *const tut_view_states[]; /* "open" .. "tolerated"; the last one is NULL */

typedef struct tut_view_size {
    int likelihood, impact; /* 1 to 5 */
    int level;              /* place in tut_view_levels */
} tut_view_size;

typedef struct tut_view_risk {
    tut_str id, rule, element, on, title, threat, state;
    tut_view_size inherent, residual;
    size_t at;                  /* its element, or SIZE_MAX */
    const tut_json_value *json; /* the rest of it */
} tut_view_risk;

typedef struct tut_view_element {
    tut_str on, id;
    tut_str kind;                             /* of a component; else empty */
    size_t from, to, boundary, asset, holder; /* places of other elements, or SIZE_MAX */
    const tut_json_value *attributes;
    size_t risks, open;
    int residual, inherent; /* worst level of its risks; -1: it has none */
    /* The same of a component together with the asset that it runs and the permissions that it
     * holds, which have no place of their own in a picture. */
    int drawn;
    size_t drawn_risks, drawn_open;
} tut_view_element;

/* What the model says too little about, or describes in vain. */
typedef struct tut_view_failure {
    tut_str what;
    const char *why;
} tut_view_failure;

typedef struct tut_threat_view { /* all text lives as long as this */
    tut_json_doc *doc;
    const tut_json_value *root, *summary;
    tut_view_element *elements;
    size_t count;
    tut_view_risk *risks; /* as recorded: the worst residual first */
    size_t risk_count;
    tut_view_failure *failures;
    size_t failure_count;
    tut_arena arena;
} tut_threat_view;

/* body: as evidence keeps it, and as `tutela threats --format json` prints it. MALFORMED. */
TUT_MUST tut_status tut_threat_view_new(tut_span body, tut_threat_view **ret_view, tut_error *err);
void tut_threat_view_free(tut_threat_view *v);
TUT_DEFINE_AUTO(tut_threat_view)

bool tut_view_is(const tut_view_element *e, const char *on); /* "component" */
/* A word of an attribute, or empty; whether a flag is set. */
tut_str tut_view_word(const tut_view_element *e, const char *attribute);
bool tut_view_flag(const tut_view_element *e, const char *attribute);
/* The level of a cell of the matrix, as the engine has it: by the product. */
int tut_view_level_at(int likelihood, int impact);
/* How many risks stand at this likelihood and impact. */
size_t tut_view_cell(const tut_threat_view *v, bool is_residual, int likelihood, int impact);
size_t tut_view_in_state(const tut_threat_view *v, const char *state);
/* "a, b" of a list of text. */
void tut_view_join(const tut_json_value *list, tut_buf *out);

/* The JSON report's "threats": counts and one row a risk; null without a model, and a
 * "problem" where it cannot be read. */
struct tut_json;
TUT_MUST tut_status tut_threat_view_json(tut_span body, struct tut_json *j, tut_error *err);

#endif
