#include "formats/xml.h"

#include <expat.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "formats/payload.h"
#include "formats/snippet.h"

enum {
    CHUNK_BYTES = 32 << 10,
    /* One tag with its attributes: expat holds it whole, and looks at it anew with every chunk. */
    TOKEN_MAX_BYTES = 4 << 20,
    NAME_MAX_BYTES = 128
};

typedef struct reader {
    tut_exam *x;
    const tut_xml_ops *ops;
    void *ctx;
    XML_Parser parser;
    tut_status status; /* of a callback: why the parser was stopped */
    tut_error why;
    size_t depth;
    uint64_t fed, elements, entities;
    bool has_external, has_nested;
} reader;

static uint64_t position(const reader *r)
{
    XML_Index at = XML_GetCurrentByteIndex(r->parser);
    return at < 0 ? 0 : (uint64_t)at;
}

static void stop(reader *r, tut_status status)
{
    if (!tut_is_ok(r->status) || tut_is_ok(status))
        return;
    r->status = status;
    XML_StopParser(r->parser, XML_FALSE);
}

static tut_str local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return tut_str_of(colon ? colon + 1 : name);
}

tut_str tut_xml_attribute(const char *const *attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return tut_str_of(attributes[1]);
    return (tut_str){"", 0};
}

/* --- what the parser calls --- */
static void on_open(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    reader *r = ctx;
    uint64_t at = position(r);
    const char *const *list = (const char *const *)attributes;
    stop(r, tut_budget_steps(r->x->budget, 1, &r->why));
    if (!tut_is_ok(r->status))
        return;
    r->elements++;
    if (++r->depth > TUT_XML_DEPTH) {
        tut_exam_observe(r->x, "xml.depth", at, "elements nested over %d deep", TUT_XML_DEPTH);
        stop(r, tut_fail_at(&r->why, TUT_LIMIT, at, "elements nested too deeply"));
        return;
    }
    tut_str local = local_name(name);
    for (const char *const *a = list; a[0]; a += 2) {
        tut_snippet_check(r->x, tut_str_of(a[0]), tut_str_of(a[1]), at);
        if (strcmp(a[1], "http://www.w3.org/2001/XInclude") == 0)
            tut_exam_observe(r->x, "xml.include", at, "the document includes other documents");
    }
    if (tut_str_ieq(local, TUT_LIT("script")))
        tut_exam_observe(r->x, "xml.script", at, "an element %.100s", name);
    stop(r, r->ops->open(r->ctx, local, list, at, &r->why));
}

static void on_close(void *ctx, const XML_Char *name)
{
    reader *r = ctx;
    r->depth--;
    if (tut_is_ok(r->status))
        stop(r, r->ops->close(r->ctx, local_name(name), &r->why));
}

static void on_text(void *ctx, const XML_Char *text, int len)
{
    reader *r = ctx;
    tut_str piece = {text, len > 0 ? (size_t)len : 0};
    if (!tut_is_ok(r->status))
        return;
    tut_snippet_check(r->x, TUT_LIT("a text"), piece, position(r));
    if (r->ops->text)
        r->ops->text(r->ctx, piece, position(r));
}

static void on_instruction(void *ctx, const XML_Char *target, const XML_Char *data)
{
    reader *r = ctx;
    tut_snippet_check(r->x, tut_str_of(target), tut_str_of(data), position(r));
    if (strcmp(target, "xml-stylesheet") == 0 || strncmp(target, "php", 3) == 0)
        tut_exam_observe(r->x, "xml.instruction", position(r), "<?%.40s %.200s?>", target, data);
}

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int has_subset)
{
    reader *r = ctx;
    (void)has_subset;
    tut_exam_observe(r->x, "xml.doctype", position(r), "<!DOCTYPE %.100s>", name);
    if (system || public)
        tut_exam_observe(r->x, "xml.external", position(r),
                         "the document type is to be fetched from %.200s",
                         system ? system : public);
}

/* Entities that stand for others many times over. */
static bool refers(const XML_Char *value, int len)
{
    size_t count = 0;
    for (int i = 0; value && i < len; i++)
        count += value[i] == '&';
    return count > 1;
}

static void on_entity(void *ctx, const XML_Char *name, int is_parameter, const XML_Char *value,
                      int len, const XML_Char *base, const XML_Char *system, const XML_Char *public,
                      const XML_Char *notation)
{
    reader *r = ctx;
    (void)is_parameter;
    (void)base;
    (void)notation;
    if (r->entities++ == 0)
        tut_exam_observe(r->x, "xml.entity", position(r), "the entity %.100s is declared", name);
    if ((system || public) && !r->has_external) {
        r->has_external = true;
        tut_exam_observe(r->x, "xml.external", position(r), "the entity %.100s stands for %.200s",
                         name, system ? system : public);
    }
    if (refers(value, len) && !r->has_nested) {
        r->has_nested = true;
        tut_exam_observe(r->x, "xml.expansion", position(r),
                         "the entity %.100s stands for others many times over", name);
    }
}

static void on_doctype_end(void *ctx)
{
    reader *r = ctx;
    if (r->entities > 0)
        stop(r, tut_fail_at(&r->why, TUT_MALFORMED, position(r),
                            "entities are declared; what follows is not read"));
}

/* Set, so that references to entities in texts come here and are not expanded. */
static void on_other(void *ctx, const XML_Char *text, int len)
{
    (void)ctx;
    (void)text;
    (void)len;
}

/* --- feeding it --- */
static void *take(size_t n)
{
    return tut_realloc_array(NULL, n, 1);
}

static void *retake(void *old, size_t n)
{
    return tut_realloc_array(old, n, 1);
}

static tut_status broken(reader *r, tut_error *err)
{
    enum XML_Error code = XML_GetErrorCode(r->parser);
    uint64_t at = position(r);
    if (!tut_is_ok(r->status)) {
        if (err)
            *err = r->why;
        return r->status;
    }
    if (code == XML_ERROR_NO_MEMORY)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (r->depth == 0 && r->elements > 0) {
        tut_exam_observe(r->x, "xml.trailing-data", at, "bytes follow the document");
        if (r->x->source)
            TUT_TRY(tut_payload_examine(r->x, at, r->x->source->size, "behind the document", err));
    }
    bool is_cut = code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN ||
                  code == XML_ERROR_PARTIAL_CHAR || code == XML_ERROR_UNCLOSED_CDATA_SECTION;
    return tut_fail_at(err, is_cut ? TUT_TRUNCATED : TUT_MALFORMED, at, "not XML: %s",
                       XML_ErrorString(code));
}

static tut_status feed(reader *r, tut_error *err)
{
    for (;;) {
        tut_span some = {0};
        TUT_TRY(tut_stream_peek_some(r->x->stream, CHUNK_BYTES, &some));
        bool is_last = some.len == 0;
        if (XML_Parse(r->parser, (const char *)some.data, (int)some.len, is_last) != XML_STATUS_OK)
            return broken(r, err);
        if (is_last)
            break;
        r->fed += some.len;
        if (r->fed - position(r) > TOKEN_MAX_BYTES)
            return tut_fail_at(err, TUT_LIMIT, position(r), "one tag of over %d MiB",
                               TOKEN_MAX_BYTES >> 20);
        TUT_TRY(tut_stream_skip(r->x->stream, some.len));
    }
    const char *why = NULL;
    tut_code code = tut_stream_failure(r->x->stream, &why);
    return code == TUT_OK ? TUT_SUCCESS : tut_fail(err, code, "%s", why ? why : "it ends early");
}

static void set_handlers(XML_Parser parser, reader *r)
{
    XML_SetUserData(parser, r);
    XML_SetElementHandler(parser, on_open, on_close);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetProcessingInstructionHandler(parser, on_instruction);
    XML_SetDoctypeDeclHandler(parser, on_doctype, on_doctype_end);
    XML_SetEntityDeclHandler(parser, on_entity);
    XML_SetDefaultHandler(parser, on_other);
    XML_SetParamEntityParsing(parser, XML_PARAM_ENTITY_PARSING_NEVER);
}

tut_status tut_xml_read(tut_exam *x, const tut_xml_ops *ops, void *ctx, tut_error *err)
{
    static const XML_Memory_Handling_Suite memory = {take, retake, tut_free};
    reader r = {.x = x, .ops = ops, .ctx = ctx, .status = TUT_SUCCESS};
    unsigned long salt = 0;
    r.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (!r.parser)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (getrandom(&salt, sizeof(salt), 0) < 0 || salt == 0)
        salt = (unsigned long)(uintptr_t)&r;
    XML_SetHashSalt(r.parser, salt); /* else it opens a device for one */
    set_handlers(r.parser, &r);
    tut_status status = feed(&r, err);
    XML_ParserFree(r.parser);
    return status;
}

/* --- for sniffers --- */
/* The head as bytes of ASCII, where it is UTF-16 by its mark. */
static size_t plain_head(tut_span head, char *to, size_t cap)
{
    size_t len = 0, at = 0, step = 1;
    if (head.len >= 2 && ((head.data[0] == 0xff && head.data[1] == 0xfe) ||
                          (head.data[0] == '<' && head.data[1] == 0))) {
        step = 2;
        at = head.data[0] == 0xff ? 2 : 0;
    } else if (head.len >= 2 && ((head.data[0] == 0xfe && head.data[1] == 0xff) ||
                                 (head.data[0] == 0 && head.data[1] == '<'))) {
        step = 2;
        at = head.data[0] == 0xfe ? 3 : 1;
    } else if (head.len >= 3 && memcmp(head.data, "\xef\xbb\xbf", 3) == 0) {
        at = 3;
    }
    for (; at < head.len && len < cap; at += step)
        to[len++] = (char)head.data[at];
    return len;
}

static bool skip_to(tut_str *rest, const char *mark)
{
    size_t at = 0;
    if (!tut_str_find(*rest, tut_str_of(mark), &at))
        return false;
    at += strlen(mark);
    *rest = (tut_str){rest->data + at, rest->len - at};
    return true;
}

/* A document type may hold declarations in brackets. */
static bool skip_doctype(tut_str *rest)
{
    const char *open = memchr(rest->data, '[', rest->len);
    const char *close = memchr(rest->data, '>', rest->len);
    if (open && (!close || open < close) && !skip_to(rest, "]"))
        return false;
    return skip_to(rest, ">");
}

bool tut_xml_root(const tut_sniff *s, char *to, size_t cap)
{
    char plain[4096];
    tut_str rest = {plain, plain_head(s->head, plain, sizeof(plain))};
    for (rest = tut_str_trim(rest); rest.len > 1 && rest.data[0] == '<';
         rest = tut_str_trim(rest)) {
        bool is_there = true;
        if (rest.data[1] == '?')
            is_there = skip_to(&rest, "?>");
        else if (tut_str_starts(rest, TUT_LIT("<!--")))
            is_there = skip_to(&rest, "-->");
        else if (rest.data[1] == '!')
            is_there = skip_doctype(&rest);
        else
            break;
        if (!is_there)
            return false;
    }
    if (rest.len < 2 || rest.data[0] != '<')
        return false;
    size_t len = 1;
    while (len < rest.len && !strchr(" \t\r\n/>", rest.data[len]) && rest.data[len])
        len++;
    tut_str name = {rest.data + 1, len - 1};
    const char *colon = memchr(name.data, ':', name.len);
    if (colon)
        name = (tut_str){colon + 1, name.len - (size_t)(colon + 1 - name.data)};
    tut_str_copy(to, cap, name);
    return name.len > 0;
}
