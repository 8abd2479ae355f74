/*
 * Makes a log for readers that are not ours: `log_make DIR COUNT` appends COUNT entries ("entry
 * N\n" and some dots) in batches, folded, renewed and reopened in between, under a key of the
 * moment. It prints the verifier key and then proofs, one a line: vkey KEY root SIZE HASH inclusion
 * INDEX SIZE HASH...          consistency OLD NEW HASH...
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/dsse.h"
#include "ledger/log.h"

#define ORIGIN "tutela.example/evidence"
enum { ENTRY_MAX = 128, BATCH_MAX = 400 };

static void must(tut_status s, const tut_error *err)
{
    if (tut_is_ok(s))
        return;
    (void)fprintf(stderr, "log_make: %s\n", err->text);
    exit(1);
}

static void append(tut_log *log, uint64_t count)
{
    static char rooms[BATCH_MAX][ENTRY_MAX];
    tut_span entries[BATCH_MAX];
    tut_error err = {0};
    uint64_t first = tut_log_size(log);
    for (uint64_t i = 0; i < count; i++) {
        int len = snprintf(rooms[i], ENTRY_MAX, "entry %" PRIu64 "\n%.*s", first + i,
                           (int)((first + i) % 50),
                           "..................................................");
        entries[i] = tut_span_of(rooms[i], (size_t)len);
    }
    must(tut_log_append(log, entries, count, &first, &err), &err);
}

static void grow(const tut_log_options *options, uint64_t size)
{
    tut_error err = {0};
    uint64_t batch = 1;
    tut_log *log = NULL;
    for (uint64_t at = 0; at < size; at += batch) {
        batch = 1 + (batch * 7 + 3) % BATCH_MAX;
        if (batch > size - at)
            batch = size - at;
        if (!log)
            must(tut_log_open(options, true, &log, &err), &err);
        append(log, batch);
        if (batch % 3 == 0)
            must(tut_log_fold(log, &err), &err);
        if (batch % 4 == 0)
            must(tut_log_close(&log, &err), &err);
    }
    must(tut_log_close(&log, &err), &err);
}

static void print_hashes(const tut_sha256 *hashes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_base64_add(&text, tut_span_of(hashes[i].bytes, TUT_SHA256_BYTES));
        printf(" %s", tut_buf_z(&text));
    }
    printf("\n");
}

static void print_proofs(tut_log *log)
{
    tut_error err = {0};
    tut_sha256 proof[TUT_MERKLE_PROOF_MAX], root;
    size_t count = 0;
    uint64_t size = tut_log_size(log);
    for (uint64_t n = 1; n <= size; n += n < 300 ? 1 : 97) {
        must(tut_log_root_at(log, n, &root, &err), &err);
        printf("root %" PRIu64, n);
        print_hashes(&root, 1);
        uint64_t index = n * 7919 % n;
        must(tut_log_prove_inclusion(log, index, n, proof, &count, &err), &err);
        printf("inclusion %" PRIu64 " %" PRIu64, index, n);
        print_hashes(proof, count);
        must(tut_log_prove_consistency(log, n, size, proof, &count, &err), &err);
        printf("consistency %" PRIu64 " %" PRIu64, n, size);
        print_hashes(proof, count);
    }
}

int main(int argc, char **argv)
{
    tut_error err = {0};
    uint64_t count = 0;
    if (argc != 3 || !tut_str_u64(tut_str_of(argv[2]), &count) || count == 0) {
        (void)fprintf(stderr, "usage: log_make DIR COUNT\n");
        return 2;
    }
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_verifier) verifier = {.key = NULL};
    TUT_CLEAN(tut_buf) vkey = TUT_BUF_INIT;
    must(tut_key_generate(TUT_KEY_ED25519, &key, &err), &err);
    must(tut_verifier_of(ORIGIN, TUT_NOTE_ED25519, tut_key_public(key), &verifier, &err), &err);
    tut_verifier_write(&verifier, &vkey);
    printf("vkey %s\n", tut_buf_z(&vkey));
    tut_log_signer signer = {ORIGIN, key};
    tut_log_options options = {.dir = argv[1],
                               .origin = ORIGIN,
                               .signers = &signer,
                               .signer_count = 1,
                               .verifiers = &verifier,
                               .verifier_count = 1};
    grow(&options, count);
    tut_log *log = NULL;
    must(tut_log_open(&options, false, &log, &err), &err);
    print_proofs(log);
    tut_log_free(log);
    return 0;
}
