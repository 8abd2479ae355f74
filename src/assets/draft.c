/* Writing tutela.yaml: a whole draft, new assets inserted, one digest replaced. What a person wrote
 * is never rewritten: insertions and replacements happen at source positions. */
#include <stdio.h>
#include <stdlib.h>

#include "assets/match.h"
#include "assets/system.h"
#include "base/alloc.h"

static void add_quoted(tut_buf *out, tut_str text)
{
    tut_yaml_quote(out, text);
}

/* Fields of one asset below its "- id:" line, at `indent`. Counts what only a person knows. */
static void add_asset(tut_buf *out, const tut_inventory_item *item, int indent, size_t *todo)
{
    tut_buf_printf(out, "%*s- id: ", indent, "");
    add_quoted(out, tut_str_of(item->id));
    tut_buf_printf(out, "\n%*spath: ", indent + 2, "");
    add_quoted(out, tut_str_of(item->path));
    if (item->has_digest) {
        char hex[TUT_SHA256_HEX];
        tut_sha256_hex(&item->digest, hex);
        tut_buf_printf(out, "\n%*sdigest: sha256:%s", indent + 2, "", hex);
    }
    tut_buf_printf(out, "\n%*sorigin: TODO", indent + 2, "");
    (*todo)++;
    if (item->kind == TUT_KIND_MODEL || item->kind == TUT_KIND_DATASET) {
        tut_buf_printf(out, "\n%*slicence: TODO", indent + 2, "");
        (*todo)++;
    }
    if (item->kind == TUT_KIND_DATASET) {
        tut_buf_printf(out, "\n%*ssensitivity: TODO", indent + 2, "");
        (*todo)++;
    }
    if (item->depends_count) {
        tut_buf_printf(out, "\n%*sdepends_on:", indent + 2, "");
        for (size_t i = 0; i < item->depends_count; i++) {
            tut_buf_printf(out, "\n%*s- ", indent + 4, "");
            add_quoted(out, tut_str_of(item->depends_on[i]));
        }
    }
    tut_buf_add_z(out, "\n");
}

/* YAML is UTF-8: another name cannot be declared, and stays undeclared until it is renamed. */
static bool can_declare(const tut_inventory_item *item)
{
    return tut_utf8_valid(tut_str_of(item->path));
}

static void add_undeclarable(tut_buf *out, const tut_inventory_item *item, int indent)
{
    tut_buf_printf(out, "%*s# cannot be declared until it has a UTF-8 name: ", indent, "");
    tut_buf_add_escaped(out, tut_str_of(item->path), 200);
    tut_buf_add_z(out, "\n");
}

static const char head[] = "# What this AI system is made of. `tutela assess` reads it; "
                           "docs/tutela-yaml.md explains every key.\n"
                           "# A value left TODO counts as absent: only a person knows it.\n"
                           "schema: tutela.system/1\n"
                           "\n"
                           "system:\n";

static const char after_name[] =
    "  version: TODO\n"
    "  purpose: TODO           # one sentence: what it does, for whom\n"
    "  owners:                 # who answers for it\n"
    "    - TODO\n"
    "  contacts:               # where a problem is reported\n"
    "    - TODO\n"
    "\n"
    "# Who holds each role of EN 304 223.\n"
    "roles:\n"
    "  developer: TODO\n"
    "  system-operator: TODO\n"
    "  data-custodian: TODO\n"
    "\n"
    "# origin: first-party, supplier, public, licensed, user or synthetic.\n"
    "# sensitivity: public, internal, confidential or personal.  shared: true when others receive "
    "it.\n"
    "# The digest is the one last accepted; `tutela init --accept ID` accepts a new one.\n";

static const char tail[] =
    "\n"
    "# Running parts, how data flows between them, and which trust each another part of the "
    "house.\n"
    "# components:\n"
    "#   - id: assistant\n"
    "#     kind: model           # model, agent, tool, rag-index, inference-gateway, user-client, "
    "...\n"
    "#     asset: model/assistant\n"
    "#     api:\n"
    "#       auth: key           # none, key, token, oauth, mtls\n"
    "#       returns: text       # label, topk, logits, text, embeddings\n"
    "#     untrusted_content: false\n"
    "# flows:\n"
    "#   - id: question\n"
    "#     from: user\n"
    "#     to: assistant\n"
    "#     auth: key\n"
    "#     encryption: tls       # none, tls\n"
    "# boundaries:\n"
    "#   - id: inside\n"
    "#     inside:\n"
    "#       - assistant\n"
    "\n"
    "# A provision that does not apply needs a reason, a person and an end.\n"
    "# not_applicable:\n"
    "#   - clause: 5.2.2-6\n"
    "#     reason: no cloud provider is used\n"
    "#     by: NAME\n"
    "#     expires: 2027-05-31\n"
    "\n"
    "policy:\n"
    "  fail_on: high           # info, low, medium, high, critical\n"
    "  # witnesses: FILE       # who vouches for the log (docs/witnesses.md)\n"
    "  # timestamp_ca: FILE    # roots of the time-stamp authorities that are believed\n"
    "  # signatures:           # who signs what; else any enrolled person\n"
    "  #   model: [developer]\n"
    "  #   dataset: [custodian]\n"
    "# inventory:\n"
    "#   ignore:               # paths or patterns that are no assets\n"
    "#     - notes/*\n";

/* The directory's own name, or "system" where it has none ("." and "/"). */
static void add_name(tut_buf *out, const char *dir)
{
    TUT_AUTO_FREE char *real = realpath(dir, NULL);
    const char *base = real ? strrchr(real, '/') : NULL;
    tut_str name = base && base[1] ? tut_str_of(base + 1) : TUT_LIT("system");
    tut_buf_add_z(out, "  name: ");
    if (tut_utf8_valid(name))
        add_quoted(out, name);
    else
        tut_buf_add_z(out, "TODO");
    tut_buf_add_z(out, "\n");
}

tut_status tut_system_draft(const char *dir, const tut_inventory *inv, tut_buf *out,
                            size_t *ret_todo, tut_error *err)
{
    size_t todo = 7; /* version, purpose, owner, contact, three roles */
    tut_buf_add_z(out, head);
    add_name(out, dir);
    tut_buf_add_z(out, after_name);
    tut_buf_add_z(out, inv->count ? "assets:\n" : "assets: []\n");
    for (size_t i = 0; i < inv->count; i++) {
        if (i > 0)
            tut_buf_add_z(out, "\n");
        if (can_declare(&inv->items[i]))
            add_asset(out, &inv->items[i], 2, &todo);
        else
            add_undeclarable(out, &inv->items[i], 2);
    }
    tut_buf_add_z(out, tail);
    *ret_todo = todo;
    return tut_buf_check(out, err);
}

/* End of the line that holds byte `at`: where the next line starts. */
static size_t line_end(tut_str text, size_t at)
{
    while (at < text.len && text.data[at] != '\n')
        at++;
    return at < text.len ? at + 1 : text.len;
}

static void add_range(tut_buf *out, tut_str text, size_t from, size_t to)
{
    tut_buf_add(out, text.data + from, to - from);
}

/* Where new list items go: behind the last item of `assets`, or in the place of an empty list. */
typedef struct place {
    size_t keep_to;   /* source bytes [0, keep_to) stay before */
    size_t resume_at; /* source bytes from here stay behind */
    int indent;
    bool needs_key; /* "assets:" itself must be written */
} place;

/* A list ends behind its last value, but libyaml's end mark may lie behind following comments: go
 * back over blank and comment lines. */
static size_t last_content_line(tut_str text, size_t start, size_t end)
{
    size_t keep = line_end(text, start);
    for (size_t at = start; at < end && at < text.len;) {
        size_t next = line_end(text, at);
        size_t i = at;
        while (i < next && (text.data[i] == ' ' || text.data[i] == '\n' || text.data[i] == '\r'))
            i++;
        if (i < next && text.data[i] != '#')
            keep = next;
        at = next;
    }
    return keep;
}

static place find_place(const tut_system *s)
{
    tut_str text = tut_yaml_source(s->yaml);
    const tut_yaml_node *list = tut_yaml_get(s->yaml, tut_yaml_root(s->yaml), "assets");
    if (!list)
        return (place){text.len, text.len, 2, true};
    if (list->type == TUT_YAML_SEQUENCE && list->count > 0 && text.data[list->start] == '-') {
        size_t keep = last_content_line(text, list->start, list->end);
        return (place){keep, keep, (int)list->column - 1, false};
    }
    /* "assets:", "assets: []", "assets: ~": the value goes, the key stays. */
    size_t end = line_end(text, list->end > list->start ? list->end - 1 : list->start);
    size_t from = list->end > list->start ? list->start : line_end(text, list->start);
    if (list->end <= list->start)
        return (place){from, from, 2, false};
    return (place){from, end, 2, false};
}

tut_status tut_system_add(const tut_system *s, const tut_inventory *inv, tut_buf *out,
                          size_t *ret_added, tut_error *err)
{
    tut_str text = tut_yaml_source(s->yaml);
    const tut_yaml_node *list = tut_yaml_get(s->yaml, tut_yaml_root(s->yaml), "assets");
    if (list && list->type == TUT_YAML_SEQUENCE && list->count > 0 && text.data[list->start] == '[')
        return tut_fail(err, TUT_UNSUPPORTED,
                        "assets is written as [ ... ]; write it as \"- \" lines so that new ones "
                        "can be inserted");
    place p = find_place(s);
    size_t added = 0, todo = 0;
    add_range(out, text, 0, p.keep_to);
    if (p.needs_key)
        tut_buf_add_z(out, text.len && text.data[text.len - 1] != '\n' ? "\n\nassets:\n"
                                                                       : "\nassets:\n");
    else if (out->len && out->data[out->len - 1] != '\n')
        tut_buf_add_z(out, "\n");
    for (size_t i = 0; i < inv->count; i++) {
        if (inv->items[i].state != TUT_ASSET_UNDECLARED || !can_declare(&inv->items[i]))
            continue;
        tut_buf_add_z(out, "\n");
        add_asset(out, &inv->items[i], p.indent, &todo);
        added++;
    }
    add_range(out, text, p.resume_at, text.len);
    *ret_added = added;
    return tut_buf_check(out, err);
}

static const tut_inventory_item *find_item(const tut_inventory *inv, const char *id)
{
    for (size_t i = 0; i < inv->count; i++)
        if (inv->items[i].declared && strcmp(inv->items[i].id, id) == 0)
            return &inv->items[i];
    return NULL;
}

tut_status tut_system_accept(const tut_system *s, const tut_inventory *inv, const char *id,
                             tut_buf *out, tut_error *err)
{
    const tut_inventory_item *item = find_item(inv, id);
    if (!item)
        return tut_fail(err, TUT_USAGE, "no asset \"%s\" is declared; tutela inventory lists them",
                        id);
    if (item->state == TUT_ASSET_MISSING ||
        (item->files == 0 && !tut_asset_is_described(item->declared)))
        return tut_fail(err, TUT_USAGE, "%s has no file that could be accepted", id);
    if (!item->has_digest)
        return tut_fail(err, TUT_IO, "%s could not be read to its end, so it cannot be accepted",
                        id);
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&item->digest, hex);
    tut_str text = tut_yaml_source(s->yaml);
    const tut_yaml_node *old = tut_yaml_get(s->yaml, item->declared->node, "digest");
    if (old && old->end > old->start) {
        add_range(out, text, 0, old->start);
        tut_buf_printf(out, "sha256:%s", hex);
        add_range(out, text, old->end, text.len);
        return tut_buf_check(out, err);
    }
    if (old)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "%s has \"digest:\" without a value; delete that line first", id);
    const tut_yaml_node *id_node = tut_yaml_get(s->yaml, item->declared->node, "id");
    size_t end = line_end(text, id_node->end);
    add_range(out, text, 0, end);
    tut_buf_printf(out, "%s%*sdigest: sha256:%s\n", text.data[end - 1] == '\n' ? "" : "\n",
                   (int)id_node->key_column - 1, "", hex);
    add_range(out, text, end, text.len);
    return tut_buf_check(out, err);
}
