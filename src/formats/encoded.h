/*
 * What hides in a value: a pickle, an archive, something compressed, a program, a code object; as
 * it is, or written as base64 or hexadecimal text. A string has no other use for such a thing than
 * to carry it past whoever looks at the file.
 */
#ifndef TUT_FORMATS_ENCODED_H
#define TUT_FORMATS_ENCODED_H

#include "formats/format.h"

enum {
    TUT_ENCODED_HEAD = 4096, /* enough of a value to recognise what it is */
    TUT_ENCODED_LEAST = 10   /* nothing shorter does harm */
};

typedef enum tut_encoded_form {
    TUT_ENCODED_NONE,
    TUT_ENCODED_RAW,
    TUT_ENCODED_BASE64,
    TUT_ENCODED_HEX
} tut_encoded_form;

/* base64 (both alphabets, white space passed over, padding optional at the end) into `to`; at most
 * cap bytes. False when a character is none of base64's. */
bool tut_encoded_base64(tut_str text, uint8_t *to, size_t cap, size_t *ret_len);
bool tut_encoded_hex(tut_str text, uint8_t *to, size_t cap, size_t *ret_len);
bool tut_encoded_decode(tut_encoded_form form, tut_str text, uint8_t *to, size_t cap,
                        size_t *ret_len);

typedef struct tut_encoded {
    tut_encoded_form form; /* of an artefact that is worth an examination of its own */
    const char *program;   /* "an ELF program", or NULL */
    tut_encoded_form program_form;
    bool is_code; /* a marshalled code object, as it is */
} tut_encoded;

/* head: the first bytes (TUT_ENCODED_HEAD of them will do) of a value of `size` bytes. */
void tut_encoded_recognise(tut_str head, uint64_t size, tut_encoded *ret);
/* "base64 " and so on, as part of a member's name. */
const char *tut_encoded_name(tut_encoded_form form);

/* A text that the artefact carries, at `at` of it: a program is observed as data.hidden-payload, an
 * artefact is examined as the member "base64 text@AT". is_seen: what the text is as it stands was
 * looked at already. */
TUT_MUST tut_status tut_encoded_look(tut_exam *x, tut_str text, uint64_t at, bool is_seen,
                                     tut_error *err);
/* The same for the next `len` bytes of the stream, which stay there. Without a source no more is
 * decoded than can be peeked at. */
TUT_MUST tut_status tut_encoded_look_ahead(tut_exam *x, uint64_t len, bool is_seen, tut_error *err);

#endif
