/* What the four OSCAL documents share. */
#ifndef TUT_ASSESS_OSCAL_INTERNAL_H
#define TUT_ASSESS_OSCAL_INTERNAL_H

#include "assess/oscal.h"
#include "crypto/uuid.h"

/* A document being written. Writing is void; the first failure stays in `status`. */
typedef struct tut_oscal {
    const tut_assessment *a;
    tut_json *j;
    tut_status status;
    tut_error *err;
} tut_oscal;

/* Derived from the kind of thing and the parts that make it this one; the parts are told apart. */
tut_uuid tut_oscal_id(tut_oscal *o, const char *kind, const tut_str *parts, size_t count);
#define TUT_OSCAL_ID(o, kind, ...)                                                                 \
    tut_oscal_id(o, kind, (const tut_str[]){__VA_ARGS__},                                          \
                 sizeof((const tut_str[]){__VA_ARGS__}) / sizeof(tut_str))
/* The 32 bytes as they are, as a part of an identifier. */
tut_str tut_oscal_digest_part(const tut_sha256 *digest);

void tut_oscal_put_uuid(tut_oscal *o, const char *key, const tut_uuid *id);
void tut_oscal_put_ref(tut_oscal *o, const char *key, const tut_uuid *id); /* "#uuid" */
/* "string": one line, no white space at its ends, controls made visible. */
void tut_oscal_put_text(tut_oscal *o, const char *key, tut_str text);
/* "markup-line", "markup-multiline": one line of text in which nothing is markup. */
void tut_oscal_put_markup(tut_oscal *o, const char *key, tut_str text);
/* The same, added to a buffer that becomes markup. */
void tut_oscal_add_markup(tut_buf *out, tut_str text);
void tut_oscal_put_buf(tut_oscal *o, const char *key, const tut_buf *markup);
/* RFC 3339, where OSCAL can say it (years 1900 to 2999); false and nothing written else. */
bool tut_oscal_can_say(tut_time t);
bool tut_oscal_put_time(tut_oscal *o, const char *key, tut_time t);

/* Members of an open "props" array. An empty value writes nothing. */
void tut_oscal_prop(tut_oscal *o, const char *name, tut_str value);
void tut_oscal_prop_z(tut_oscal *o, const char *name, const char *value);
void tut_oscal_prop_u64(tut_oscal *o, const char *name, uint64_t value);
void tut_oscal_prop_time(tut_oscal *o, const char *name, tut_time value);
void tut_oscal_prop_sha256(tut_oscal *o, const char *name, const tut_sha256 *value);
/* With a class and remarks; ns NULL: OSCAL's own. */
void tut_oscal_prop_full(tut_oscal *o, const char *ns, const char *name, tut_str value,
                         const char *class_or_null, tut_str remarks);
/* One prop for each word of a bit set. */
void tut_oscal_prop_set(tut_oscal *o, const char *name, uint32_t bits, const char *const *words,
                        size_t count);
/* Members of an open "links" array. */
void tut_oscal_link(tut_oscal *o, const char *rel, const char *href, tut_str text);
void tut_oscal_link_ref(tut_oscal *o, const char *rel, const tut_uuid *id, tut_str text);

/* "en304223-5.2.4-1.2", and with a suffix "en304223-5.2.4-1.2_smt". */
enum { TUT_OSCAL_CONTROL_MAX = 64 };
void tut_oscal_control_id(const tut_clause *clause, const char *suffix,
                          char out[TUT_OSCAL_CONTROL_MAX]);

/* Opens the document, its root, and within that "metadata"; both stay open. */
void tut_oscal_begin(tut_oscal *o, tut_oscal_model model, const tut_uuid *id, const char *title,
                     tut_str version);
/* metadata.roles: the five of the standard. */
void tut_oscal_put_roles(tut_oscal *o);
void tut_oscal_role_id(size_t role, char out[32]); /* "data-custodian" */
/* Version of what depends on nothing but this build: "0.1.0+CATALOGUE". */
void tut_oscal_build_version(const tut_assessment *a, char out[64]);
/* Closes root and document, and ends the line. */
tut_status tut_oscal_end(tut_oscal *o, tut_buf *out);

/* The catalog as a source: a resource of back-matter that is the file beside this one. */
tut_uuid tut_oscal_catalog_resource(tut_oscal *o);
void tut_oscal_put_catalog_resource(tut_oscal *o);
/* The standard itself, as a citation. */
tut_uuid tut_oscal_standard_resource(tut_oscal *o);
void tut_oscal_put_standard_resource(tut_oscal *o);

#endif
