/*
 * What the text formats share: names, folders, lines, and facts. A name or folder only parts text
 * whose content cannot (a prompt from a document); text by itself is never more than WEAK, so that
 * a pickle that reads like text stays a pickle.
 */
#ifndef TUT_FORMATS_TEXT_H
#define TUT_FORMATS_TEXT_H

#include "base/buf.h"
#include "formats/format.h"

/* Is the name one of these ("Dockerfile Makefile"), ASCII case folded? */
bool tut_text_named(const tut_sniff *s, const char *names);
/* Does a folder above the file bear one of these names? */
bool tut_text_in_folder(const tut_sniff *s, const char *folders);
/* Is one of these words a part of the name (its parts end at '-', '_', '.', ' ')? */
bool tut_text_has_word(const tut_sniff *s, const char *words);
/* The name holds no ending at all. */
bool tut_text_has_no_ending(const tut_sniff *s);
/* A file that tools keep for themselves: its name, or a folder of it, begins with a dot. */
bool tut_text_is_hidden(const tut_sniff *s);
/* Text in any encoding that keeps ASCII: no control bytes; bytes above 0x7f may be anything. */
bool tut_text_any(const tut_sniff *s);
/* The head without a byte order mark. */
tut_str tut_text_head(const tut_sniff *s);

/* Takes the next line, without its end, off *rest. False at the end. *ret_is_whole tells that its
 * end was seen. */
bool tut_text_next_line(tut_str *rest, tut_str *ret_line, bool *ret_is_whole);
/* Is one of these among the first lines' first words, behind which `behind` follows? */
bool tut_text_has_key(tut_str text, const char *keys, char behind);

/* Facts of artefacts that stand by themselves. What lies inside a container says nothing about the
 * asset that the container is. */
void tut_text_fact(tut_exam *x, const char *key, tut_str value);
void tut_text_count(tut_exam *x, const char *key, uint64_t count);

/* Calls `line` for every line of the stream, cut at TUT_TEXT_LINE bytes, until it returns false. */
enum { TUT_TEXT_LINE = 4096 };
typedef bool (*tut_text_line_fn)(void *ctx, tut_str line, bool is_cut);
TUT_MUST tut_status tut_text_each_line(tut_exam *x, tut_text_line_fn line, void *ctx,
                                       tut_error *err);
/* Up to cap bytes of the stream in memory; *ret_is_whole: nothing follows. */
TUT_MUST tut_status tut_text_hold(tut_exam *x, size_t cap, tut_buf *text, bool *ret_is_whole,
                                  tut_error *err);

#endif
