/* A journal of answers that somebody has altered: it opens whole, or is refused with a reason; what
 * is added to it is there the next time. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    static const char *const target = "v2 http://127.0.0.1/v2/models/m/infer";
    tut_error err = {0};
    TUT_AUTO(tut_journal) j = NULL;
    TUT_AUTO(tut_journal) again = NULL;
    TUT_CLEAN(tut_buf) answer = TUT_BUF_INIT;
    const tut_sha256 key = {{9}};
    bool is_found = false;
    (void)snprintf(path, sizeof(path), "/tmp/tutela-fuzz-journal-%d", (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    demand(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
    tut_status s = tut_journal_open(path, tut_str_of(target), &j, &err);
    demand(tut_is_ok(s) || err.text[0] != '\0');
    if (tut_is_ok(s)) {
        uint64_t count = tut_journal_count(j);
        while (tut_is_ok(tut_journal_take(j, &key, &answer, &is_found, NULL)) && is_found)
            tut_buf_clear(&answer);
        demand(tut_is_ok(tut_journal_add(j, &key, TUT_LIT("{\"r\":1}"), NULL)));
        tut_journal_free(tut_move(&j));
        demand(tut_is_ok(tut_journal_open(path, tut_str_of(target), &again, &err)));
        demand(tut_journal_count(again) == count + 1);
    }
    (void)unlink(path);
    return 0;
}
