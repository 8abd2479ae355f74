/* tutela version: what this program is, to the byte; every piece of evidence carries the digests. */
#include <stdio.h>
#include <unistd.h>

#include "assess/catalogue.h"
#include "base/json_write.h"
#include "cmd/command.h"
#include "crypto/digest.h"
#include "scan/rule.h"
#include "scan/scan.h"

#include <fcntl.h>

typedef struct digests {
    tut_sha256 binary, catalogue, rules;
} digests;

static tut_status binary_digest(tut_sha256 *ret_digest, tut_error *err)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tut_fail(err, TUT_IO, "the program's own file cannot be read through /proc/self/exe");
    tut_source source;
    tut_status status = tut_source_file(fd, &source, err);
    if (tut_is_ok(status))
        status = tut_sha256_source(&source, ret_digest, err);
    close(fd);
    return status;
}

static tut_status read_digests(digests *d, tut_error *err)
{
    TUT_TRY(binary_digest(&d->binary, err));
    TUT_TRY(tut_catalogue_digest(&d->catalogue, err));
    return tut_rules_digest(d->rules.bytes, err);
}
