/* tutela version: what this program is, to the byte. Every piece of evidence carries these digests.
 */
#include <unistd.h>

#include "assess/tool.h"
#include "base/json_write.h"
#include "cmd/command.h"
#include "formats/format.h"
#include "scan/rule.h"

static void add_json(tut_json *j, const tut_tool_digests *d)
{
    tut_json_head(j, "tutela.version/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "version", TUTELA_VERSION);
    tut_json_key(j, "binary");
    tut_json_sha256(j, d->binary.bytes);
    tut_json_key(j, "catalogue");
    tut_json_sha256(j, d->catalogue.bytes);
    tut_json_key(j, "rules");
    tut_json_sha256(j, d->rules.bytes);
    tut_json_put_u64(j, "rule_count", tut_rule_count());
    tut_json_end_object(j);
    tut_json_key(j, "formats");
    tut_json_array(j);
    for (size_t i = 0; tut_formats[i]; i++)
        tut_json_z(j, tut_formats[i]->name);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void add_line(tut_buf *out, const char *label, const tut_sha256 *digest)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    tut_buf_printf(out, "%-11s sha256 %s\n", label, hex);
}

static tut_status compose(const tut_args *args, tut_buf *out, tut_error *err)
{
    tut_tool_digests digests;
    TUT_TRY(tut_tool_get_digests(&digests, err));
    if (strcmp(args->format, "json") == 0) {
        TUT_AUTO(tut_json) j = NULL;
        TUT_TRY(tut_json_new(out, &j));
        add_json(j, &digests);
        TUT_TRY(tut_json_finish(j, err));
        tut_buf_add_z(out, "\n");
        return TUT_SUCCESS;
    }
    tut_buf_add_z(out, "tutela " TUTELA_VERSION ", for ETSI EN 304 223 V2.1.1\n");
    add_line(out, "program", &digests.binary);
    add_line(out, "catalogue", &digests.catalogue);
    add_line(out, "rules", &digests.rules);
    return TUT_SUCCESS;
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(compose(args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_version = {
    .name = "version",
    .arguments = "",
    .summary = "Print the version and the digests that evidence carries",
    .help = "The digests of the program, of the catalogue of provisions and of the rule set. Two "
            "runs that print "
            "the same three digests judge alike.",
    .formats = "table json",
    .run = run,
};
