/* Bodies of the evidence that collecting brings: what was found, in the contract's own shapes. */
#include "assess/collect_internal.h"
#include "assets/match.h"

static void put_sandbox(const tut_cage_facts *cage, tut_json *j)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (cage->landlock_abi > 0)
        tut_buf_printf(&text, "Landlock %d", cage->landlock_abi);
    if (cage->seccomp)
        tut_buf_printf(&text, "%sseccomp", text.len ? ", " : "");
    if (!cage->complete)
        tut_buf_printf(&text, "%slacking: %s", text.len ? "; " : "", cage->lacking);
    tut_json_put_str(j, "sandbox", tut_buf_str(&text));
}

/* By its path below the system's directory: where the command ran is no matter of the evidence. */
static void put_report(const tut_file_report *r, tut_json *j)
{
    tut_file_report below = *r;
    below.path = below.rel;
    tut_file_report_json(&below, j);
}

static void put_unread(const tut_collection *c, tut_json *j)
{
    tut_json_key(j, "unread");
    tut_json_array(j);
    for (size_t i = 0; i < c->found->count; i++) {
        if (!tut_collection_is_unread(c, i))
            continue;
        const tut_file_report *r = c->reports[i];
        tut_json_object(j);
        tut_json_put_z(j, "path", r->rel);
        tut_json_put_z(j, "problem", r->problem ? r->problem : "could not be read");
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

/* Files that are no asset of their own (an archive, say) but have findings all the same. */
static void put_others(const tut_collection *c, tut_json *j)
{
    tut_json_key(j, "others");
    tut_json_array(j);
    for (size_t i = 0; i < c->found->count; i++) {
        const tut_file_report *r = c->reports[i];
        size_t item = c->inventory->item_of[i];
        bool is_other = item == SIZE_MAX || !c->inventory->items[item].has_digest;
        if (is_other && r->finding_count + r->suppressed_count &&
            !tut_path_is_ignored(c->system, r->rel))
            put_report(r, j);
    }
    tut_json_end_array(j);
}

tut_status tut_collection_inventory_body(const tut_collection *c, tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.inventory/1");
    tut_json_put_str(j, "system", c->system->name);
    put_sandbox(&c->scan->cage, j);
    tut_json_key(j, "assets");
    tut_inventory_json(c->inventory, c->system, j);
    put_unread(c, j);
    put_others(c, j);
    tut_json_end_object(j);
    return tut_json_finish(j, c->err);
}

tut_status tut_collection_scan_body(const tut_collection *c, size_t item, tut_buf *out)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.scan/1");
    tut_json_put_z(j, "asset", c->inventory->items[item].id);
    tut_json_key(j, "rules");
    tut_json_sha256(j, c->scan->rules.bytes);
    tut_json_key(j, "files");
    tut_json_array(j);
    for (size_t i = 0; i < c->inventory->items[item].files; i++)
        put_report(c->reports[c->inventory->items[item].members[i]], j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, c->err);
}
