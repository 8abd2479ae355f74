/*
 * XML by libexpat, for models that are written in it (PMML, OpenVINO): no entity is expanded and
 * nothing is fetched. A document type that declares entities ends the reading: no model needs one,
 * and what a loader makes of them depends on the loader.
 */
#ifndef TUT_FORMATS_XML_H
#define TUT_FORMATS_XML_H

#include "formats/format.h"

enum { TUT_XML_DEPTH = 512 };

/* Names are without prefix. `attributes`: name, value, name, value, ..., NULL, with their prefixes.
 * Text may come in pieces. All of them may observe; a failure ends the reading. */
typedef struct tut_xml_ops {
    tut_status (*open)(void *ctx, tut_str name, const char *const *attributes, uint64_t at,
                       tut_error *err);
    tut_status (*close)(void *ctx, tut_str name, tut_error *err);
    void (*text)(void *ctx, tut_str text, uint64_t at); /* or NULL */
} tut_xml_ops;

/* Reads the document from the stream's position to its end, and observes xml.*: document types,
 * entities, inclusion, style sheets, nesting, program text in texts and values. */
TUT_MUST tut_status tut_xml_read(tut_exam *x, const tut_xml_ops *ops, void *ctx, tut_error *err);

/* The value of an attribute, or an empty view. */
tut_str tut_xml_attribute(const char *const *attributes, const char *name);

/* For sniffers: the name of the root element (without prefix) when the head shows it, in UTF-8 or
 * UTF-16. False: not XML, or not seen. */
bool tut_xml_root(const tut_sniff *s, char *to, size_t cap);

#endif
