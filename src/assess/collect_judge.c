/* What inventory and scan came to: a result and one sentence for people. */
#include "assess/collect_internal.h"

/* Of the items in this state that were read: how many, and the first. */
static size_t count_in(const tut_inventory *inv, tut_asset_state state,
                       const tut_inventory_item **ret_first)
{
    size_t count = 0;
    for (size_t i = 0; i < inv->count; i++) {
        if (inv->items[i].state != state || inv->items[i].is_unread)
            continue;
        if (count++ == 0)
            *ret_first = &inv->items[i];
    }
    return count;
}

static const tut_inventory_item *find_item(const tut_inventory *inv, const char *id)
{
    for (size_t i = 0; i < inv->count; i++)
        if (strcmp(inv->items[i].id, id) == 0)
            return &inv->items[i];
    return NULL;
}

/* Dependencies are part of the inventory: each must lead to an asset. */
static bool depends_soundly(const tut_inventory *inv, tut_buf *why)
{
    for (size_t i = 0; i < inv->count; i++) {
        const tut_inventory_item *item = &inv->items[i];
        for (size_t k = 0; k < item->depends_count; k++) {
            if (find_item(inv, item->depends_on[k]))
                continue;
            tut_buf_printf(why, "%s depends on %s, which is no asset", item->id,
                           item->depends_on[k]);
            return false;
        }
    }
    return true;
}

static void add_count(tut_buf *out, const tut_inventory *inv, tut_asset_state state)
{
    const tut_inventory_item *first = NULL;
    size_t n = count_in(inv, state, &first);
    if (n == 0)
        return;
    tut_buf_printf(out, "%s%zu %s (%s%s)", out->len ? ", " : "", n, tut_asset_state_name(state),
                   first->id, n > 1 ? " and others" : "");
}

static tut_status finish(const tut_collection *c, tut_buf *text, char **ret_statement)
{
    TUT_TRY(tut_buf_check(text, c->err));
    char *statement = tut_buf_steal(text);
    if (!statement)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    *ret_statement = statement;
    return TUT_SUCCESS;
}

tut_status tut_collection_judge_inventory(const tut_collection *c, tut_result *ret_result,
                                          char **ret_statement)
{
    const tut_inventory *inv = c->inventory;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t unread = 0;
    for (size_t i = 0; i < c->found->count; i++)
        unread += tut_collection_is_unread(c, i);
    add_count(&text, inv, TUT_ASSET_UNDECLARED);
    add_count(&text, inv, TUT_ASSET_MISSING);
    add_count(&text, inv, TUT_ASSET_CHANGED);
    if (text.len > 0) {
        *ret_result = TUT_RESULT_FAIL;
        tut_buf_printf(&text, " of %zu assets.", inv->count);
    } else if (inv->count == 0) {
        *ret_result = TUT_RESULT_NOT_CHECKED;
        tut_buf_add_z(&text, "No asset is declared, and none was found.");
    } else if (!depends_soundly(inv, &text)) {
        *ret_result = TUT_RESULT_FAIL;
        tut_buf_add_z(&text, ".");
    } else if (unread > 0) {
        *ret_result = TUT_RESULT_ERROR;
        tut_buf_printf(&text, "%zu of the files could not be read, so the inventory is not whole.",
                       unread);
    } else {
        *ret_result = TUT_RESULT_PASS;
        tut_buf_printf(&text, "All %zu assets are the ones that were declared and accepted.",
                       inv->count);
    }
    return finish(c, &text, ret_statement);
}

typedef struct scan_tally {
    size_t files, incomplete, unknown, accepted;
    const tut_finding *worst;
    const char *problem;
} scan_tally;

static scan_tally count_up(const tut_collection *c, size_t item)
{
    scan_tally t = {0};
    for (size_t i = 0; i < c->inventory->items[item].files; i++) {
        const tut_file_report *r = c->reports[c->inventory->items[item].members[i]];
        t.files++;
        t.accepted += r->suppressed_count;
        t.unknown += r->status == TUT_SCAN_UNSUPPORTED;
        if (r->status != TUT_SCAN_COMPLETE && r->status != TUT_SCAN_UNSUPPORTED) {
            t.incomplete++;
            t.problem = t.problem ? t.problem : r->problem;
        }
        for (size_t k = 0; k < r->finding_count; k++)
            if (!t.worst || r->findings[k].severity > t.worst->severity)
                t.worst = &r->findings[k];
    }
    return t;
}

tut_status tut_collection_judge_scan(const tut_collection *c, size_t item, tut_result *ret_result,
                                     char **ret_statement)
{
    scan_tally t = count_up(c, item);
    const char *id = c->inventory->items[item].id;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (t.worst && t.worst->severity >= TUT_SEVERITY_HIGH) {
        *ret_result = TUT_RESULT_FAIL;
        tut_buf_printf(&text, "%s: %s (%s).", id, tut_finding_title(t.worst), t.worst->rule->id);
    } else if (t.incomplete > 0) {
        *ret_result = TUT_RESULT_ERROR;
        tut_buf_printf(&text, "%s was not read to its end%s%s.", id, t.problem ? ": " : "",
                       t.problem ? t.problem : "");
    } else if (t.unknown > 0) {
        *ret_result = TUT_RESULT_NOT_CHECKED;
        tut_buf_printf(&text, "%s is of no format that is read.", id);
    } else if (t.worst && t.worst->severity == TUT_SEVERITY_MEDIUM) {
        *ret_result = TUT_RESULT_NOT_CHECKED;
        tut_buf_printf(&text, "%s needs a person's look: %s (%s).", id, tut_finding_title(t.worst),
                       t.worst->rule->id);
    } else {
        *ret_result = TUT_RESULT_PASS;
        tut_buf_printf(&text, "%s: %zu %s read to the end, ", id, t.files,
                       t.files == 1 ? "file" : "files");
        if (t.accepted == 0)
            tut_buf_add_z(&text, "without findings.");
        else
            tut_buf_printf(&text, "with %zu accepted %s and no other.", t.accepted,
                           t.accepted == 1 ? "finding" : "findings");
    }
    return finish(c, &text, ret_statement);
}
