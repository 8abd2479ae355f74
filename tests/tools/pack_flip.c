/*
 * pack_flip FILE STRIDE: alters every byte of a pack, one at a time, and verifies each; within
 * reports/ only every STRIDE-th. Prints what was found; exit 1 when an altered pack holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "pack/archive.h"
#include "pack/verify.h"

enum { WORKERS = 2 };

/* Whether it is said that something is wrong. */
static bool is_found(tut_span bytes)
{
    tut_source source = tut_source_memory(bytes);
    tut_pack_trust none = {.keys = NULL};
    TUT_AUTO(tut_pack_result) r = NULL;
    tut_status status = tut_pack_verify(&source, &none, tut_time_now(), &r, NULL);
    return !tut_is_ok(status) || !r->holds;
}

static bool is_report(const tut_archive *a, size_t at)
{
    for (size_t i = 0; i < a->count; i++)
        if (at >= a->members[i].offset && at < a->members[i].offset + a->members[i].size)
            return strncmp(a->members[i].name, "reports/", 8) == 0;
    return false;
}

/* Every WORKERS-th place from `first` on; the number of those where nothing was found. */
static int flip(tut_buf *bytes, const tut_archive *a, size_t stride, size_t first)
{
    size_t tried = 0;
    int missed = 0;
    for (size_t at = first; at < bytes->len; at += WORKERS) {
        if (is_report(a, at) && (at / WORKERS) % stride != 0)
            continue;
        bytes->data[at] ^= (uint8_t)(1u << at % 8);
        tried++;
        if (!is_found(tut_buf_span(bytes)) && missed++ < 10)
            printf("byte %zu: nothing was found\n", at);
        bytes->data[at] ^= (uint8_t)(1u << at % 8);
    }
    printf("%zu bytes altered, %d not found\n", tried, missed);
    (void)fflush(stdout);
    return missed;
}

int main(int argc, char **argv)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_archive archive;
    int failed = 0;
    if (argc != 3 || !tut_is_ok(tut_fs_read(argv[1], TUT_LIMIT_PACK_MEMBER_BYTES, &bytes, NULL)))
        return 2;
    size_t stride = strtoul(argv[2], NULL, 10);
    tut_source source = tut_source_memory(tut_buf_span(&bytes));
    if (is_found(tut_buf_span(&bytes)) || !tut_is_ok(tut_archive_read(&source, &archive, NULL))) {
        printf("the pack does not hold as it is\n");
        return 2;
    }
    for (size_t i = 0; i < WORKERS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(flip(&bytes, &archive, stride, i) != 0);
        failed += pid < 0;
    }
    int status = 0;
    while (wait(&status) > 0)
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    tut_archive_done(&archive);
    return failed != 0;
}
