/*
 * A form that somebody filled in: what due diligence on a component, or on its provider, found. A
 * document is Markdown, with or without YAML front matter:
 *
 *   document = ["---" line, field*, "---" line] (field | heading | text)*
 *   field    = KEY ":" VALUE, and the indented lines below it; also "- **KEY:** VALUE"
 *   heading  = "#"{1,6} TITLE: names all text up to the next heading of its level or above
 *
 * Comments (<!-- -->) say nothing, and a section with a line that begins with TODO is not filled
 * in. Text in fences is text. Asset, digest, clause and who accepts stand in the front matter,
 * where they are given; the sections and "accepted until" may stand anywhere.
 */
#ifndef TUT_ASSESS_FORM_H
#define TUT_ASSESS_FORM_H

#include "base/buf.h"
#include "base/time.h"
#include "crypto/digest.h"

/* A document of people: far below this, also with tables pasted in. */
enum { TUT_FORM_BYTES = 1 << 20 };

typedef struct tut_form_section {
    const char *title;   /* as the template has it */
    const char *aliases; /* ';' between: other names of the same, in small letters */
    const char *asks;    /* what to write there */
} tut_form_section;

typedef struct tut_form_kind {
    const char *name;  /* "design": how a command names the form; NULL: by its check alone */
    const char *check; /* "bom.due-diligence" */
    const char *title; /* of the document */
    bool wants_until;  /* it is accepted until a day, which it names */
    const tut_form_section *sections;
    size_t section_count;
} tut_form_kind;

/* The form that evidence of this check is examined against, or NULL. */
const tut_form_kind *tut_form_of(tut_str check);
/* The form of that name, or NULL. */
const tut_form_kind *tut_form_named(const char *name);

typedef struct tut_form {
    bool has_asset, has_digest, has_clause, has_by, has_until;
    char asset[256], clause[32], by[256];
    tut_sha256 digest; /* of the asset, that the document is about */
    tut_time until;    /* accepted until */
} tut_form;

/* What the document says. USAGE, naming all of them, when sections are missing or say nothing, or a
 * digest or date is none. MALFORMED: no text. */
TUT_MUST tut_status tut_form_read(const tut_form_kind *kind, tut_str text, tut_form *ret_form,
                                  tut_error *err);

#endif
