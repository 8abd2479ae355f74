/*
 * gate_fill DIR COUNT ASSET=DIGEST...: fills the evidence log of the described system DIR with what
 * years of assessments leave behind: COUNT pieces of evidence by the tool's own key, each of a
 * check of the catalogue, about the system and these assets, at digests that change now and then.
 * Made for bench/gate.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assess/assessment.h"
#include "assess/tool.h"
#include "base/fs.h"

enum { BATCH = 2000, CHECKS = 40, VERSION_RUNS = 10 };

static void must(tut_status s, const tut_error *err)
{
    if (tut_is_ok(s))
        return;
    (void)fprintf(stderr, "gate_fill: %s\n", err->text);
    exit(2);
}

/* A digest of an earlier version: no version that is there now. */
static tut_sha256 digest_of(const char *name, size_t version)
{
    char text[300];
    tut_sha256 digest;
    tut_error err = {0};
    int len = snprintf(text, sizeof(text), "%s %zu", name, version);
    must(tut_sha256_of(tut_span_of(text, (size_t)len), &digest, &err), &err);
    return digest;
}

typedef struct pair { /* a want and its provision */
    const char *check, *clause;
    bool is_of_system;
} pair;

static size_t pairs_of(pair *pairs)
{
    const tut_clause *clauses;
    tut_error err = {0};
    size_t count = 0;
    must(tut_catalogue_load(&clauses, &err), &err);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        for (size_t k = 0; k < clauses[i].want_count && count < CHECKS; k++) {
            const tut_want *w = &clauses[i].wants[k];
            if (w->method != TUT_METHOD_TEST || !w->is_available)
                continue;
            char *check = malloc(w->check.len + 3);
            char *clause = malloc(clauses[i].id.len + 1);
            if (!check || !clause)
                exit(2);
            (void)snprintf(check, w->check.len + 3, "%.*s/1", (int)w->check.len, w->check.data);
            (void)snprintf(clause, clauses[i].id.len + 1, "%.*s", (int)clauses[i].id.len,
                           clauses[i].id.data);
            pairs[count++] = (pair){check, clause, w->scope == TUT_SCOPE_SYSTEM};
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    static tut_record records[BATCH];
    static tut_subject subjects[BATCH];
    static const char *clauses[BATCH];
    pair pairs[CHECKS];
    tut_error err = {0};
    tut_ledger *ledger = NULL;
    tut_tool_digests tool;
    if (argc < 4)
        return 2;
    size_t count = strtoul(argv[2], NULL, 10);
    size_t assets = (size_t)argc - 3;
    size_t pair_count = pairs_of(pairs);
    char *state = tut_fs_join(argv[1], ".tutela");
    must(tut_tool_get_digests(&tool, &err), &err);
    must(tut_ledger_open(state, true, &ledger, &err), &err);
    tut_time now = tut_time_now();
    size_t run = 0, at = 0;
    for (size_t done = 0; done < count;) {
        size_t n = count - done < BATCH ? count - done : BATCH;
        for (size_t i = 0; i < n; i++, at++) {
            size_t place = at % (pair_count * assets);
            if (place == 0)
                run++;
            const pair *p = &pairs[place % pair_count];
            const char *name = p->is_of_system ? "tutela.yaml" : argv[3 + place / pair_count];
            tut_time when = now - (tut_time)(count - done - i) * 60;
            subjects[i] = (tut_subject){name, digest_of(name, run / VERSION_RUNS)};
            clauses[i] = p->clause;
            records[i] = (tut_record){.type = TUT_RECORD_EVIDENCE,
                                      .at = when,
                                      .from = when,
                                      .to = when,
                                      .expires = when + 30 * TUT_DAY_SECONDS,
                                      .check = p->check,
                                      .method = TUT_METHOD_TEST,
                                      .result = TUT_RESULT_PASS,
                                      .clauses = &clauses[i],
                                      .clause_count = 1,
                                      .subjects = &subjects[i],
                                      .subject_count = 1,
                                      .actor = "tool",
                                      .statement = "An earlier assessment.",
                                      .tool_binary = tool.binary,
                                      .tool_catalogue = tool.catalogue,
                                      .tool_rules = tool.rules};
        }
        must(tut_ledger_append(ledger, records, n, &err), &err);
        done += n;
        if (done % 100000 < BATCH)
            (void)fprintf(stderr, "%zu\n", done);
    }
    tut_ledger_close(ledger);
    tut_free(state);
    return 0;
}
