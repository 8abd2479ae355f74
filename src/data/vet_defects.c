#include "data/vet_defects.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void keep_word(char *to, const char *word)
{
    tut_str_copy(to, TUT_VET_WORD, tut_str_of(word ? word : ""));
}

void vet_keep_facts(tut_vet_dataset *d, const tut_rows_facts *f)
{
    keep_word(d->format, f->format);
    keep_word(d->compression, f->compression);
    keep_word(d->encoding, f->encoding);
    keep_word(d->layout, f->layout);
    if (f->delimiter)
        (void)snprintf(d->dialect, sizeof(d->dialect), "%s%s%s",
                       f->delimiter == ','    ? "comma"
                       : f->delimiter == '\t' ? "tab"
                       : f->delimiter == ';'  ? "semicolon"
                       : f->delimiter == '|'  ? "bar"
                                              : "other",
                       f->quote == '\'' ? " '" : "", f->has_header ? " header" : "");
    else if (f->rank > 0)
        for (unsigned i = 0; i < f->rank && strlen(d->dialect) + 12 < sizeof(d->dialect); i++)
            (void)snprintf(d->dialect + strlen(d->dialect), sizeof(d->dialect) - strlen(d->dialect),
                           "%s%llu", i ? "x" : "", (unsigned long long)f->shape[i]);
}

/* Part of the file was not looked at. */
static bool is_gap(tut_rows_defect_kind k)
{
    return k == TUT_ROWS_PAGE || k == TUT_ROWS_CUT || k == TUT_ROWS_UNREAD || k == TUT_ROWS_LONG ||
           k == TUT_ROWS_DEPTH;
}

tut_status vet_keep_defects(tut_vet_dataset *to, const tut_rows_facts *f, uint64_t base,
                            tut_error *err)
{
    for (unsigned k = 0; k < TUT_ROWS_DEFECT_COUNT; k++) {
        const tut_rows_defects *d = &f->defects[k];
        char rule[64];
        tut_data_finding *made;
        if (d->count == 0)
            continue;
        (void)snprintf(rule, sizeof(rule), "dataset.%s", tut_rows_defect_id(k));
        const tut_rule *row = tut_rule_find(tut_str_of(rule));
        if (!row)
            return tut_fail(err, TUT_BUG, "no rule %s", rule);
        TUT_TRY(tut_data_found(
            &to->found, row->id, (tut_str){"", 0}, &made, err, "%llu times: %s%s%s",
            (unsigned long long)d->count, tut_rows_defect_words(k),
            d->kept && d->items[0].detail[0] ? ", first " : "", d->kept ? d->items[0].detail : ""));
        for (size_t i = 0; i < d->kept; i++)
            if (d->items[i].row != UINT64_MAX)
                TUT_TRY(tut_data_found_row(made, base + d->items[i].row, 1, NAN, NAN,
                                           d->items[i].detail, err));
        made->count = d->count;
        if (is_gap(k) && to->status == TUT_VET_COMPLETE) {
            to->status = TUT_VET_INCOMPLETE;
            tut_str_copy(to->problem, sizeof(to->problem), tut_str_of(tut_rows_defect_words(k)));
        }
    }
    return TUT_SUCCESS;
}
