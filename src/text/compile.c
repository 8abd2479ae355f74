/*
 * Run once while building: compiles the triggers of all rules for any processor of this
 * architecture, and writes them to a file, which becomes part of the program.
 */
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/rule.h"

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "tut_text_compile: %s: %s\n", what, why);
    return 1;
}

static int write_database(const hs_database_t *database, const char *path)
{
    char *bytes = NULL;
    size_t len = 0;
    if (hs_serialize_database(database, &bytes, &len) != HS_SUCCESS)
        return fail(path, "cannot be serialised");
    FILE *out = fopen(path, "wb");
    bool is_good = out && fwrite(bytes, 1, len, out) == len;
    is_good = out && fclose(out) == 0 && is_good;
    free(bytes);
    return is_good ? 0 : fail(path, "cannot be written");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return fail("usage", "tut_text_compile OUT");
    size_t count = tut_text_rules_count;
    const char **expressions = tut_alloc_array(count, sizeof(*expressions));
    unsigned *flags = tut_alloc_array(count, sizeof(*flags));
    unsigned *ids = tut_alloc_array(count, sizeof(*ids));
    tut_buf *texts = tut_alloc_array(count, sizeof(*texts));
    if (!expressions || !flags || !ids || !texts)
        return fail("memory", "ran out");
    for (size_t i = 0; i < count; i++) {
        tut_text_rule_expression(&tut_text_rules[i], &texts[i]);
        expressions[i] = tut_buf_z(&texts[i]);
        flags[i] = tut_text_rules[i].is_caseless ? HS_FLAG_CASELESS : 0;
        ids[i] = (unsigned)i;
    }
    hs_platform_info_t any = {.tune = HS_TUNE_FAMILY_GENERIC};
    hs_database_t *database = NULL;
    hs_compile_error_t *error = NULL;
    if (hs_compile_multi(expressions, flags, ids, (unsigned)count, HS_MODE_BLOCK, &any, &database,
                         &error) != HS_SUCCESS)
        return fail(error && error->expression >= 0 ? expressions[error->expression] : "rules",
                    error ? error->message : "not compiled");
    int rc = write_database(database, argv[1]);
    (void)hs_free_database(database);
    for (size_t i = 0; i < count; i++)
        tut_buf_done(&texts[i]);
    tut_free(texts);
    tut_free(ids);
    tut_free(flags);
    tut_free(expressions);
    return rc;
}
