/* The form of due diligence, with what inventory and log know already. */
#include "assess/diligence.h"
#include "assess/evaluate_internal.h"
#include "state/records.h"

enum { SHOWN_PACKAGES = 20, TEXT_MAX = 300 };

/* One line, whatever it holds. */
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

static void add_day(tut_buf *out, const char *label, bool has, tut_time at)
{
    char day[TUT_TIME_TEXT];
    if (!has)
        return;
    tut_time_date(at, day);
    add_known(out, label, tut_str_of(day));
}

static void add_source(const tut_asset *a, tut_buf *out)
{
    add_known(out, "address", a->url);
    add_known(out, "provided by", a->supplier);
    add_known(out, "version of it", a->version);
    add_day(out, "collected on", a->has_collected_at, a->collected_at);
    for (size_t i = 0; i < a->source_count; i++)
        add_known(out, "data from", a->sources[i].url);
}

static const char *fact_of(const tut_inventory *inv, const tut_inventory_item *item,
                           const char *key)
{
    for (size_t m = 0; item->members && m < item->files; m++) {
        const tut_found_file *f = &inv->found[item->members[m]];
        for (size_t i = 0; i < f->fact_count; i++)
            if (strcmp(f->fact_keys[i], key) == 0)
                return f->fact_values[i];
    }
    return NULL;
}

static void add_packages(const tut_inventory *inv, const tut_inventory_item *item, tut_buf *out)
{
    size_t count = 0;
    for (size_t m = 0; item->members && m < item->files; m++) {
        const tut_found_file *f = &inv->found[item->members[m]];
        for (size_t i = 0; i < f->package_count; i++, count++) {
            const tut_listed_package *p = &f->packages[i];
            if (count < SHOWN_PACKAGES)
                tut_buf_printf(out, "- %s %s%s%s\n", p->type, p->name, p->version[0] ? " " : "",
                               p->version);
        }
    }
    if (count > SHOWN_PACKAGES)
        tut_buf_printf(out, "- and %zu more packages\n", count - SHOWN_PACKAGES);
}

/* The latest result of the scan of these very bytes, as it was recorded. */
static tut_status add_scan(const tut_inventory_item *item, const char *state_dir, tut_buf *out,
                           tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    if (!state_dir)
        return TUT_SUCCESS;
    TUT_TRY(tut_ledger_open(state_dir, false, &ledger, err));
    TUT_TRY(tut_state_read(ledger, INT64_MAX, &records, err));
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        if (!tut_record_is_test(r, TUT_CHECK_SCAN) || strcmp(r->subjects[0].name, item->id) != 0 ||
            !tut_sha256_eq(&r->subjects[0].digest, &item->digest))
            continue;
        char day[TUT_TIME_TEXT];
        tut_time_date(r->to, day);
        tut_buf_printf(out, "- scan of %s (entry %llu): ", day, (unsigned long long)r->index);
        add_text(out, tut_str_of(r->statement));
        tut_buf_add_byte(out, '\n');
        return TUT_SUCCESS;
    }
    tut_buf_add_z(out, "- these bytes were not scanned yet: tutela assess\n");
    return TUT_SUCCESS;
}

/* What is known where the section of that title asks for it. A heading that only facts stand under
 * is still to be filled in by somebody: TODO comes behind them. */
static tut_status add_section(const tut_diligence *d, const tut_inventory *inv,
                              const char *state_dir, const tut_form_section *s, tut_buf *out,
                              tut_error *err)
{
    static const tut_asset none;
    const tut_asset *a = d->item->declared ? d->item->declared : &none;
    size_t before;
    tut_buf_printf(out, "\n## %s\n<!-- %s -->\n", s->title, s->asks);
    before = out->len;
    if (strcmp(s->title, "Source") == 0) {
        add_source(a, out);
    } else if (strcmp(s->title, "Licence") == 0) {
        const char *says = fact_of(inv, d->item, "licence");
        add_known(out, "declared in tutela.yaml", a->licence);
        add_known(out, "the file says", tut_str_of(says));
    } else if (strcmp(s->title, "Provider") == 0) {
        add_known(out, "name", a->supplier);
        add_known(out, "address", a->url);
    } else if (strcmp(s->title, "Assessment") == 0) {
        TUT_TRY(add_scan(d->item, state_dir, out, err));
        add_packages(inv, d->item, out);
        tut_buf_add_z(out, "TODO\n");
        return TUT_SUCCESS;
    }
    if (out->len == before)
        tut_buf_add_z(out, "TODO\n");
    return TUT_SUCCESS;
}

tut_status tut_diligence_template(const tut_diligence *d, const tut_inventory *inv,
                                  const char *state_dir, tut_buf *out, tut_error *err)
{
    const tut_form_kind *kind = tut_form_of(d->want->check);
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&d->item->digest, hex);
    tut_buf_printf(out, "---\nclause: %.*s\nasset: ", (int)d->clause->id.len, d->clause->id.data);
    add_text(out, tut_str_of(d->item->id));
    tut_buf_printf(out, "\ndigest: sha256:%s\naccepted by: ", hex);
    add_text(out, tut_str_of(d->by ? d->by : "TODO"));
    tut_buf_printf(out, "\naccepted until: TODO\n---\n\n# %s: ", kind->title);
    add_text(out, tut_str_of(d->item->id));
    tut_buf_add_byte(out, '\n');
    for (size_t i = 0; i < kind->section_count; i++)
        TUT_TRY(add_section(d, inv, state_dir, &kind->sections[i], out, err));
    return tut_buf_check(out, err);
}
