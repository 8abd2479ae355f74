/* Notes, verifier keys and checkpoints: what is taken is written back as the same bytes, and
 * nothing that a fuzzer makes verifies under a published key. */
#include <stdlib.h>

#include "crypto/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static void check_vkey(tut_str text)
{
    TUT_CLEAN(tut_verifier) v = {.key = NULL};
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(tut_verifier_parse(text, &v, &err))) {
        demand(err.text[0] != '\0');
        return;
    }
    tut_verifier_write(&v, &again);
    demand(tut_str_eq(tut_buf_str(&again), text));
}

static void check_checkpoint(tut_str text)
{
    tut_checkpoint c;
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    if (!tut_is_ok(tut_checkpoint_parse(text, &c, NULL)))
        return;
    tut_checkpoint_write(&c, &again);
    demand(tut_is_ok(tut_buf_check(&again, NULL)) && tut_str_eq(tut_buf_str(&again), text));
}

static void check_note(tut_str text)
{
    static tut_verifier known;
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    if (!known.key)
        demand(tut_is_ok(tut_verifier_parse(
            TUT_LIT("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
            &known, NULL)));
    if (!tut_is_ok(tut_note_parse(text, &note, NULL)))
        return;
    tut_buf_add_str(&again, note.text);
    tut_buf_add_z(&again, "\n");
    for (size_t i = 0; i < note.signature_count; i++) {
        tut_buf_add_z(&again, "\xe2\x80\x94 ");
        tut_buf_add_str(&again, note.signatures[i].name);
        tut_buf_add_z(&again, " ");
        tut_buf_add_str(&again, note.signatures[i].base64);
        tut_buf_add_z(&again, "\n");
    }
    demand(tut_str_eq(tut_buf_str(&again), text));
    if (tut_is_ok(tut_note_verify(&note, &known, 1, 1, NULL, NULL, NULL)))
        demand(tut_str_eq_z(note.text, "This is an example message.\n"));
    check_checkpoint(note.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_str text = {(const char *)data, size};
    check_vkey(text);
    check_checkpoint(text);
    check_note(text);
    return 0;
}
