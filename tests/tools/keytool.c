/*
 * The key functions for scripts, so that tests can hold them against ssh-agent, tokens and other
 * people's programs:
 *   keytool generate TYPE FILE [PASSPHRASE-FILE]     keytool public SPEC [SECRET]
 *   keytool id PUBLIC-FILE                           keytool sign SPEC FILE [SECRET]
 *   keytool verify PUBLIC-FILE FILE SIGNATURE        keytool bench SPEC
 *   keytool note-sign SPEC NAME TYPE FILE            keytool note-verify FILE VKEY...
 * SECRET: a file, or "ask". Exit 0, or 1 with "CODE: PATH: text" on stderr.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/note.h"

enum { BENCH_ROUNDS = 2000 };

static tut_status print(tut_str text)
{
    if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
        return (tut_status){TUT_IO};
    return TUT_SUCCESS;
}

static tut_status open_key(const char *spec, const char *secret, tut_key **ret, tut_error *err)
{
    tut_secret_source source = {.file = secret};
    if (secret && strcmp(secret, "ask") == 0)
        source = (tut_secret_source){.may_ask = true};
    return tut_key_open(spec, secret ? &source : NULL, ret, err);
}

static tut_status generate(char **args, size_t count, tut_error *err)
{
    static const char *const names[] = {"ed25519", "p256", "p384", "p521"};
    TUT_AUTO(tut_key) key = NULL;
    tut_buf passphrase = TUT_BUF_INIT;
    size_t type = 0;
    while (type < 4 && strcmp(names[type], args[0]) != 0)
        type++;
    TUT_TRY(tut_key_generate((tut_key_type)type, &key, err));
    if (count > 2) {
        tut_secret_source source = {.file = args[2]};
        if (strcmp(args[2], "ask") == 0)
            source = (tut_secret_source){.may_ask = true};
        TUT_TRY(tut_secret_read(&source, "New passphrase: ", true, &passphrase, err));
    }
    tut_status status = tut_key_write(key, args[1], tut_buf_str(&passphrase), err);
    tut_secret_wipe(&passphrase);
    return status;
}

static tut_status show_public(char **args, size_t count, tut_error *err)
{
    TUT_AUTO(tut_key) key = NULL;
    TUT_TRY(open_key(args[0], count > 1 ? args[1] : NULL, &key, err));
    return print(tut_pubkey_pem(tut_key_public(key)));
}

static tut_status show_id(char **args, size_t count, tut_error *err)
{
    (void)count;
    TUT_AUTO(tut_pubkey) key = NULL;
    TUT_TRY(tut_pubkey_from_file(args[0], &key, err));
    TUT_TRY(print(tut_str_of(tut_pubkey_id(key))));
    return print(TUT_LIT("\n"));
}

static tut_status sign(char **args, size_t count, tut_error *err)
{
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) message = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(args[1], TUT_LIMIT_BODY_BYTES, &message, err));
    TUT_TRY(open_key(args[0], count > 2 ? args[2] : NULL, &key, err));
    TUT_TRY(tut_key_sign(key, tut_buf_span(&message), &signature, err));
    return print(tut_buf_str(&signature));
}

static tut_status verify(char **args, size_t count, tut_error *err)
{
    (void)count;
    TUT_AUTO(tut_pubkey) key = NULL;
    TUT_CLEAN(tut_buf) message = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    TUT_TRY(tut_pubkey_from_file(args[0], &key, err));
    TUT_TRY(tut_fs_read(args[1], TUT_LIMIT_BODY_BYTES, &message, err));
    TUT_TRY(tut_fs_read(args[2], TUT_LIMIT_SIGNATURE_BYTES, &signature, err));
    return tut_pubkey_verify(key, tut_buf_span(&message), tut_buf_span(&signature), err);
}

/* The cost of a signature alone, and of a checkpoint's note around it. */
static tut_status bench(char **args, size_t count, tut_error *err)
{
    (void)count;
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_str text = TUT_LIT("log.example/evidence\n70000\n"
                           "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
    TUT_TRY(open_key(args[0], NULL, &key, err));
    uint64_t started = tut_clock_ms();
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        tut_buf_clear(&out);
        TUT_TRY(tut_key_sign(key, tut_span_of(text.data, text.len), &out, err));
    }
    uint64_t plain = tut_clock_ms() - started;
    started = tut_clock_ms();
    for (int i = 0; i < BENCH_ROUNDS; i++) {
        tut_buf_clear(&out);
        TUT_TRY(tut_note_sign("log.example", TUT_NOTE_ED25519, key, text, 0, &out, err));
    }
    uint64_t note = tut_clock_ms() - started;
    (void)printf("signature %.1f us, note %.1f us\n", (double)plain * 1000 / BENCH_ROUNDS,
                 (double)note * 1000 / BENCH_ROUNDS);
    return TUT_SUCCESS;
}

static tut_status note_sign(char **args, size_t count, tut_error *err)
{
    (void)count;
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_verifier) v = {.key = NULL};
    tut_note_algorithm algorithm = args[2][0] == '4' ? TUT_NOTE_COSIGNATURE : TUT_NOTE_ED25519;
    TUT_TRY(tut_fs_read(args[3], TUT_NOTE_BYTES_MAX, &text, err));
    TUT_TRY(open_key(args[0], NULL, &key, err));
    TUT_TRY(tut_verifier_of(args[1], algorithm, tut_key_public(key), &v, err));
    tut_verifier_write(&v, &out);
    tut_buf_add_byte(&out, '\n');
    tut_buf_add_str(&out, tut_buf_str(&text));
    tut_buf_add_byte(&out, '\n');
    TUT_TRY(tut_note_sign(args[1], algorithm, key, tut_buf_str(&text), tut_time_now(), &out, err));
    TUT_TRY(tut_buf_check(&out, err));
    return print(tut_buf_str(&out));
}

static tut_status note_verify(char **args, size_t count, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    TUT_TRY(tut_fs_read(args[0], TUT_NOTE_BYTES_MAX, &bytes, err));
    TUT_TRY(tut_note_parse(tut_buf_str(&bytes), &note, err));
    for (size_t i = 1; i < count; i++) {
        TUT_CLEAN(tut_verifier) v = {.key = NULL};
        TUT_TRY(tut_verifier_parse(tut_str_of(args[i]), &v, err));
        TUT_TRY(tut_note_verify(&note, &v, 1, 1, NULL, NULL, err));
    }
    return print(note.text);
}

static const struct {
    const char *name;
    size_t least, most;
    tut_status (*run)(char **args, size_t count, tut_error *err);
} commands[] = {
    {"generate", 2, 3, generate},   {"public", 1, 2, show_public},
    {"id", 1, 1, show_id},          {"sign", 2, 3, sign},
    {"verify", 3, 3, verify},       {"bench", 1, 1, bench},
    {"note-sign", 4, 4, note_sign}, {"note-verify", 2, 16, note_verify},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        size_t count = (size_t)argc - 2;
        if (strcmp(argv[1], commands[i].name) != 0 || count < commands[i].least ||
            count > commands[i].most)
            continue;
        tut_error err = {0};
        tut_status status = commands[i].run(argv + 2, count, &err);
        if (tut_is_ok(status))
            return 0;
        (void)fprintf(stderr, "%s: %s: %s\n", tut_code_name(status.code), err.path, err.text);
        return 1;
    }
    (void)fprintf(stderr, "keytool: see the head of tests/tools/keytool.c\n");
    return 2;
}
