/* What the files of one examination share: exam.c (the whole file), exam_artefact.c (one artefact
 * of it), exam_report.c (what parsers say, and what is made of it). */
#ifndef TUT_SCAN_EXAM_INTERNAL_H
#define TUT_SCAN_EXAM_INTERNAL_H

#include "scan/exam.h"
#include "scan/weights.h"

enum { TUT_FRAME_HEAD_BYTES = 4096 };

typedef struct tut_exam_run {
    tut_cage_task *task;
    const tut_exam_request *request;
    tut_file_report *report;
    tut_budget budget;
    tut_code failed;                  /* memory ran out while reporting: seen at the end */
    char program[TUT_ERROR_PATH_MAX]; /* where a member that is a program lies, escaped */
    const char *program_kind;         /* "an ELF program", or NULL */
} tut_exam_run;

/* A frame is one artefact on the way down: the file, a member of it, a member of that. */
typedef struct tut_frame {
    tut_exam_run *run;
    const struct tut_frame *outer;
    const tut_format *format;
    tut_str location;         /* escaped */
    tut_buf part;             /* the same, of a part that is reported on; empty: of all of it */
    tut_str whole;            /* meanwhile: the artefact's own location */
    tut_str name;             /* as in the container, raw */
    bool is_text;             /* looked through for secrets as a whole: its facts need not be */
    bool is_script;           /* TorchScript, as its parser says */
    const tut_source *source; /* while its parser runs; NULL: a decoder's */
    const tut_source
        *bytes;           /* what it lies in: the file, or what was unpacked; NULL: a decoder's */
    tut_weights *weights; /* the tensors that lie in `bytes` */
    tut_str storage;      /* name of a member that somebody compressed: a tensor's bytes */
    int worst_seen;       /* severity of what the parser itself observed here; -1: nothing */
} tut_frame;

typedef struct tut_artefact {
    const tut_source *source; /* exactly one of these two */
    tut_stream *stream;
    uint64_t size;
    bool is_kept; /* what comes from a decoder stays there */
} tut_artefact;

/* --- exam_report.c --- */
extern const tut_exam_ops tut_frame_ops;
void tut_frame_note(tut_exam_run *run, tut_status status);
/* severity -1: the rule's own */
void tut_frame_add(tut_frame *f, const char *rule, int severity, uint64_t offset, tut_str message);
/* The same with text from outside, escaped here, and no offset. */
void tut_frame_line(tut_frame *f, const char *rule, int severity, tut_str raw);
void tut_frame_spoil(tut_frame *f, tut_scan_status status, const char *why);
/* An examination that could not be finished. Hands up only what ends the file as a whole. */
TUT_MUST tut_status tut_frame_conclude(tut_frame *f, tut_status status, const tut_error *why);

/* --- exam_yara.c --- */
/* Shows the artefact to the rules of users, where there are any. */
void tut_frame_show(tut_frame *f, const tut_artefact *a);
bool tut_frame_has_rules(const tut_frame *f);
/* What tut_weights says, with the run as its context. */
void tut_frame_said_of_weights(void *ctx, const char *location, const char *rule, int severity,
                               uint64_t offset, tut_str line);
void tut_frame_fact_of_weights(void *ctx, const char *key, tut_str value);

/* --- exam_polyglot.c --- */
/* Behind the reading by its format: is it a pickle as well? Artefacts with a source only. */
TUT_MUST tut_status tut_frame_look_twice(tut_frame *f, const tut_artefact *a, tut_span head,
                                         tut_error *err);

/* --- exam_artefact.c --- */
/* Recognises and reads one artefact; f->format is NULL when it is nothing known. */
TUT_MUST tut_status tut_frame_examine(tut_frame *f, tut_artefact *a, tut_error *err);
/* ctx is the container's frame: the callback of parsers that meet a member. */
TUT_MUST tut_status tut_frame_member(void *ctx, tut_str name, const tut_source *source,
                                     tut_stream *stream, uint64_t size_or_max, tut_error *err);
/* Whether a slice is one of these bytes. */
bool tut_frame_lies_in(const tut_source *slice, const tut_source *bytes);
/* Tensors whose bytes are an artefact of their own are examined as that. */
TUT_MUST tut_status tut_frame_hits(tut_exam_run *run, tut_weights *w, const tut_source *bytes,
                                   tut_error *err);
void tut_frame_weights_init(tut_exam_run *run, tut_weights *w);
/* A program that lay beside a model: said once, at the end. */
void tut_frame_tell_program(tut_exam_run *run, tut_frame *f);
tut_str tut_frame_last_component(tut_str path);

#endif
