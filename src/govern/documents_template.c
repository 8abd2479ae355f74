/* The forms, with what the description knows already; TODO where only a person knows. */
#include <string.h>

#include "assess/form.h"
#include "govern/documents.h"

enum { TEXT_MAX = 300, LISTED = 40 };

const char tut_document_templates[] = "design|documentation|maintenance|card|custodian-policies";

static void add_text(tut_buf *out, tut_str text)
{
    tut_buf_add_escaped(out, text, TEXT_MAX);
}

static void add_known(tut_buf *out, const char *label, tut_str value)
{
    if (value.len == 0)
        return;
    tut_buf_printf(out, "- %s: ", label);
    add_text(out, value);
    tut_buf_add_byte(out, '\n');
}

static void add_list(tut_buf *out, const char *label, const tut_str_list *list)
{
    for (size_t i = 0; i < list->count && i < LISTED; i++)
        add_known(out, label, list->items[i]);
}

static void add_assets(tut_buf *out, const tut_system *s, bool with_origin)
{
    size_t shown = 0;
    for (size_t i = 0; i < s->asset_count; i++) {
        const tut_asset *a = &s->assets[i];
        if (a->kind != TUT_KIND_MODEL && a->kind != TUT_KIND_DATASET)
            continue;
        if (shown++ >= LISTED)
            break;
        tut_buf_printf(out, "- %s", a->id);
        if (a->description.len) {
            tut_buf_add_z(out, ", ");
            add_text(out, a->description);
        }
        tut_buf_add_z(out, with_origin && a->origin.len ? ", origin " : "");
        add_text(out, with_origin ? a->origin : TUT_LIT(""));
        tut_buf_add_z(out, with_origin && a->url.len ? ", from " : "");
        add_text(out, with_origin ? a->url : TUT_LIT(""));
        tut_buf_add_byte(out, '\n');
    }
}

static void add_threats(tut_buf *out, const char *asks)
{
    for (size_t i = 0; i < TUT_THREAT_COUNT; i++) {
        tut_buf_add_z(out, "- ");
        for (const char *c = tut_threat_names[i]; *c; c++)
            tut_buf_add_byte(out, *c == '_' ? ' ' : (uint8_t)*c);
        tut_buf_printf(out, " (%s): %s\n", tut_threat_atlas[i], asks);
    }
}

/* Facts that a section begins with. What they do not say, TODO asks for. */
static void add_facts(const tut_system *s, const char *form, const char *title, tut_buf *out)
{
    const struct {
        const char *form, *title;
        int facts;
    } known[] = {{"design", "Need", 1},
                 {"documentation", "Purpose", 1},
                 {"card", "Scope", 1},
                 {"card", "Sources", 2},
                 {"documentation", "Data", 2},
                 {"documentation", "Design", 3},
                 {"design", "Risks", 4},
                 {"design", "Treatment", 5},
                 {"maintenance", "Responsibilities", 6}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].form, form) != 0 || strcmp(known[i].title, title) != 0)
            continue;
        switch (known[i].facts) {
        case 1:
            add_known(out, "purpose, by tutela.yaml", s->purpose);
            break;
        case 2:
            add_assets(out, s, true);
            break;
        case 3:
            for (size_t k = 0; k < s->component_count && k < LISTED; k++)
                add_known(out, "component", s->components[k].id);
            break;
        case 4:
            add_threats(out, "TODO");
            break;
        case 5:
            add_threats(out, "TODO: treated by, or accepted by whom until when");
            break;
        default:
            add_list(out, "owner", &s->owners);
            add_list(out, "contact", &s->contacts);
            break;
        }
    }
}

static void add_form(const tut_system *s, const char *name, tut_buf *out)
{
    const tut_form_kind *kind = tut_form_named(name);
    for (size_t i = 0; i < kind->section_count; i++) {
        const tut_form_section *section = &kind->sections[i];
        tut_buf_printf(out, "\n## %s\n<!-- %s -->\n", section->title, section->asks);
        add_facts(s, name, section->title, out);
        tut_buf_add_z(out, "TODO\n");
    }
}

static bool has_custodian(const tut_system *s)
{
    for (size_t i = 0; i < s->role_count; i++)
        if (tut_str_eq_z(s->roles[i].key, "data-custodian") && s->roles[i].value.len)
            return true;
    return false;
}

/* What is asked for is written in tutela.yaml, as it is checked at every assess. */
static void add_policies(const tut_system *s, tut_buf *out)
{
    tut_buf_add_z(out,
                  "# In tutela.yaml. Each control names what shows that it is there: a check of "
                  "the catalogue, or a provision.\n# tutela explain CLAUSE tells what a "
                  "provision wants.\ndesign:\n  custodian:\n");
    for (size_t i = 0; i < s->asset_count; i++) {
        const tut_asset *a = &s->assets[i];
        if (a->kind == TUT_KIND_DATASET && tut_sensitivity_level(a->sensitivity) >= 2)
            tut_buf_printf(out,
                           "    - control: membership in %s cannot be told\n      check: "
                           "probe.membership\n",
                           a->id);
    }
    tut_buf_add_z(out, "    - control: TODO, such as no dataset holds secrets or planted rows\n"
                       "      check: vet.dataset\n    - control: TODO, such as the system can be "
                       "stopped\n      clause: 5.1.4-1\n");
}

tut_status tut_document_template(tut_system *system, const char *name, tut_buf *out, tut_error *err)
{
    if (strcmp(name, "custodian-policies") == 0) {
        add_policies(system, out);
        return tut_buf_check(out, err);
    }
    const tut_form_kind *kind = tut_form_named(name);
    if (!kind || strcmp(name, "custodian") == 0)
        return tut_fail(err, TUT_USAGE, "no form is called \"%s\"; there are %s", name,
                        tut_document_templates);
    if (kind->wants_until)
        return tut_fail(err, TUT_USAGE,
                        "that form is about one asset: tutela record 5.1.2-5 --asset DATASET "
                        "--template prints it");
    tut_buf_printf(out, "# %s: ", kind->title);
    add_text(out, system->name);
    tut_buf_add_byte(out, '\n');
    add_form(system, name, out);
    if (strcmp(name, "design") == 0 && has_custodian(system))
        add_form(system, "custodian", out);
    return tut_buf_check(out, err);
}
