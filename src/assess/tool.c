#include "assess/tool.h"

#include <fcntl.h>
#include <unistd.h>

#include "assess/catalogue.h"
#include "scan/rule.h"

static tut_status digest_self(tut_sha256 *ret_digest, tut_error *err)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tut_fail(err, TUT_IO,
                        "the program's own file cannot be read through /proc/self/exe");
    tut_source source;
    tut_status status = tut_source_file(fd, &source, err);
    if (tut_is_ok(status))
        status = tut_sha256_source(&source, ret_digest, err);
    close(fd);
    return status;
}

tut_status tut_tool_get_digests(tut_tool_digests *ret_digests, tut_error *err)
{
    static tut_tool_digests known;
    static bool is_known;
    if (!is_known) {
        TUT_TRY(digest_self(&known.binary, err));
        TUT_TRY(tut_catalogue_digest(&known.catalogue, err));
        TUT_TRY(tut_rules_digest(known.rules.bytes, err));
        is_known = true;
    }
    *ret_digests = known;
    return TUT_SUCCESS;
}

tut_status tut_tool_append(tut_ledger *ledger, tut_record *record, tut_span body,
                           const struct tut_key *key, tut_error *err)
{
    tut_tool_digests tool;
    TUT_TRY(tut_tool_get_digests(&tool, err));
    record->tool_binary = tool.binary;
    record->tool_catalogue = tool.catalogue;
    record->tool_rules = tool.rules;
    record->has_body = record->has_body || body.len > 0;
    if (record->has_body)
        TUT_TRY(tut_ledger_put_body(ledger, body, &record->body, err));
    return key ? tut_ledger_append_signed(ledger, record, &key, 1, err)
               : tut_ledger_append(ledger, record, 1, err);
}
