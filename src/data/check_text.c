#include "data/check_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What findings are gathered under: one for each column. */
typedef enum heading {
    SECRET,
    PERSONAL,
    HIDDEN,
    ALIKE,
    ORDER,
    LIKE_ORDER,
    HIDDEN_ORDER,
    HEADINGS
} heading;
static const char *const rules[HEADINGS] = {"dataset.secret",
                                            "dataset.personal-data",
                                            "dataset.hidden-characters",
                                            "dataset.lookalikes",
                                            "dataset.instruction",
                                            "dataset.instruction-like",
                                            "dataset.hidden-instruction"};

typedef struct tally {
    uint64_t count, rows, last_row;
    double score;
    tut_data_row *kept;
    size_t kept_count, kept_capacity;
    uint32_t kinds[4]; /* which of the counts, a bit each */
} tally;

typedef struct column {
    char name[TUT_DATA_COLUMN];
    tally of[HEADINGS];
} column;

struct tut_text_check {
    tut_text_tools tools;
    column *columns;
    size_t column_count, column_capacity;
    tut_text_count counts[TUT_TEXT_TYPES];
    size_t count_count;
    tut_buf text;           /* of one column of a batch */
    uint32_t *starts;       /* of each of its rows in the text */
    uint32_t *rows, *cells; /* its row, and where its cell begins: behind the column's name */
    size_t start_count;
    column *at;
    size_t at_index;
    uint64_t first;
    bool has_no_memory;
};

tut_status tut_text_check_new(const tut_text_tools *tools, tut_text_check **ret_check,
                              tut_error *err)
{
    TUT_AUTO(tut_text_check) c = tut_alloc_array(1, sizeof(*c));
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->tools = *tools;
    c->starts = tut_alloc_array(TUT_ROWS_BATCH, sizeof(*c->starts));
    c->rows = tut_alloc_array(TUT_ROWS_BATCH, sizeof(*c->rows));
    c->cells = tut_alloc_array(TUT_ROWS_BATCH, sizeof(*c->cells));
    if (!c->starts || !c->rows || !c->cells)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_check = tut_move(&c);
    return TUT_SUCCESS;
}

void tut_text_check_free(tut_text_check *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->column_count; i++)
        for (size_t h = 0; h < HEADINGS; h++)
            tut_free(c->columns[i].of[h].kept);
    tut_free(c->columns);
    tut_free(c->starts);
    tut_free(c->rows);
    tut_free(c->cells);
    tut_buf_done(&c->text);
    tut_free(c);
}

static tut_status know_columns(tut_text_check *c, const tut_batch *b, tut_error *err)
{
    if (b->column_count > c->column_capacity) {
        column *more = tut_realloc_array(c->columns, b->column_count, sizeof(*more));
        if (!more)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        c->columns = more;
        c->column_capacity = b->column_count;
    }
    for (; c->column_count < b->column_count; c->column_count++) {
        column *made = &c->columns[c->column_count];
        *made = (column){0};
        tut_str_copy(made->name, sizeof(made->name), b->names[c->column_count]);
    }
    return TUT_SUCCESS;
}

static bool tally_row(tut_text_check *c, heading h, uint64_t row, double score, const char *note)
{
    tally *t = &c->at->of[h];
    if (t->kept_count == t->kept_capacity && t->kept_count < TUT_DATA_ROWS_SHOWN) {
        size_t capacity = t->kept_capacity ? 2 * t->kept_capacity : 32;
        tut_data_row *more = tut_realloc_array(t->kept, capacity, sizeof(*more));
        if (!more) {
            c->has_no_memory = true;
            return false;
        }
        t->kept = more;
        t->kept_capacity = capacity;
    }
    t->score = score > t->score ? score : t->score;
    if (t->count++ > 0 && t->last_row == row)
        return true;
    t->last_row = row;
    t->rows++;
    if (t->kept_count < TUT_DATA_ROWS_SHOWN) {
        tut_data_row *made = &t->kept[t->kept_count++];
        *made = (tut_data_row){.row = row, .score = score, .p = NAN, .q = NAN};
        tut_str_copy(made->note, sizeof(made->note), tut_str_of(note));
    }
    return true;
}

/* --- personal data and secrets --- */

static tut_text_count *count_of(tut_text_check *c, const tut_text_match *m)
{
    for (size_t i = 0; i < c->count_count; i++)
        if (c->counts[i].id == m->id || strcmp(c->counts[i].id, m->id) == 0)
            return &c->counts[i];
    if (c->count_count == TUT_TEXT_TYPES)
        return &c->counts[TUT_TEXT_TYPES - 1];
    tut_text_count *made = &c->counts[c->count_count++];
    *made =
        (tut_text_count){.id = m->id, .label = m->label, .type = m->type, .last_row = UINT64_MAX};
    return made;
}

static size_t start_at(const tut_text_check *c, uint64_t at)
{
    size_t low = 0, high = c->start_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (c->starts[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void tell_place(const tut_text_check *c, size_t start, const tut_text_match *m)
{
    uint64_t cell = c->cells[start];
    uint64_t next = start + 1 < c->start_count ? c->starts[start + 1] : c->text.len;
    uint64_t begin = m->begin > cell ? m->begin : cell;
    uint64_t end = m->end < next - 1 ? m->end : next - 1; /* without the newline */
    if (begin >= end)
        return; /* the name of the column itself */
    const tut_text_place place = {c->rows[start], c->at_index, (size_t)(begin - cell),
                                  (size_t)(end - cell)};
    c->tools.place(c->tools.ctx, &place, m);
}

static bool take_match(void *ctx, const tut_text_match *m)
{
    tut_text_check *c = ctx;
    size_t start = start_at(c, m->begin);
    uint64_t row = c->first + c->rows[start];
    if (c->tools.place)
        tell_place(c, start, m);
    tut_text_count *count = count_of(c, m);
    count->count++;
    count->rows += count->last_row != row;
    count->last_row = row;
    if (m->type == TUT_TEXT_NETWORK)
        return true; /* addresses of pages are no persons; they are counted */
    char note[64];
    (void)snprintf(note, sizeof(note), "%.40s %.20s", m->label, m->shown);
    heading h = tut_text_is_secret(m->type) ? SECRET : PERSONAL;
    size_t kind = (size_t)(count - c->counts);
    c->at->of[h].kinds[kind / 32] |= UINT32_C(1) << kind % 32;
    static const double sure[] = {0.7, 0.9, 1.0};
    return tally_row(c, h, row, sure[m->proof], note);
}

/* Short numbers are nobody's. */
static bool may_be_personal(const tut_cells *cells, size_t i)
{
    if (cells->kinds[i] == TUT_CELL_TEXT || cells->kinds[i] == TUT_CELL_NESTED)
        return cells->texts[i].len > 3;
    return cells->kinds[i] == TUT_CELL_INTEGER && fabs(cells->numbers[i]) >= 1e6;
}

enum { NAME_SHOWN = 40, CELL_SHORT = 80 };

/* A short value by itself says little: what its column is called is the word beside it. */
static void put_cell(tut_text_check *c, tut_str name, tut_str cell, size_t row)
{
    c->rows[c->start_count] = (uint32_t)row;
    c->starts[c->start_count++] = (uint32_t)c->text.len;
    if (cell.len <= CELL_SHORT && name.len > 0 && name.len <= NAME_SHOWN) {
        tut_buf_add_str(&c->text, name);
        tut_buf_add_z(&c->text, ": ");
    }
    c->cells[c->start_count - 1] = (uint32_t)c->text.len;
    tut_buf_add_str(&c->text, cell);
    tut_buf_add_byte(&c->text, '\n');
}

static tut_status scan_column(tut_text_check *c, const tut_batch *b, size_t at, tut_error *err)
{
    const tut_cells *cells = &b->cells[at];
    const tut_text_wish wish = {.classes = TUT_TEXT_ALL, .match = take_match, .ctx = c};
    tut_buf_clear(&c->text);
    c->start_count = 0;
    for (size_t i = 0; i < b->count; i++)
        if (may_be_personal(cells, i))
            put_cell(c, b->names[at], cells->texts[i], i);
    TUT_TRY(tut_buf_check(&c->text, err));
    return c->text.len ? tut_text_scan(c->tools.scanner, tut_buf_str(&c->text), &wish, err)
                       : TUT_SUCCESS;
}

/* --- orders, and what is hidden --- */

static bool says(const tut_detect_verdict *v, const char *code)
{
    for (size_t i = 0; i < v->reason_count; i++)
        if (strcmp(v->reasons[i].code, code) == 0)
            return true;
    return false;
}

static const char *reason_of(const tut_detect_verdict *v, const char *const *codes, size_t count)
{
    for (size_t i = 0; i < v->reason_count; i++)
        for (size_t k = 0; k < count; k++)
            if (strcmp(v->reasons[i].code, codes[k]) == 0)
                return v->reasons[i].text;
    return NULL;
}

static bool is_unseen(const tut_detect_verdict *v)
{
    if (says(v, "invisible-markup") || says(v, "invisible-text"))
        return true;
    for (size_t i = 0; i < v->reason_count; i++)
        if (tut_str_starts(tut_str_of(v->reasons[i].text), TUT_LIT("decoded from ")))
            return true;
    return false;
}

/* Among thousands of harmless rows one in a hundred is too many: an order is what both models of
 * the detector take for one, the one for data and the one for what users write. */
static tut_status judge(tut_text_check *c, uint64_t row, tut_str text, const tut_detect_verdict *v,
                        tut_error *err)
{
    static const char *const hidden[] = {"invisible-text", "zero-width", "bidirectional"};
    static const char *const alike[] = {"look-alike"};
    const char *why = reason_of(v, hidden, sizeof(hidden) / sizeof(hidden[0]));
    if (v->action == TUT_ACTION_BLOCK) {
        tut_detect_verdict user;
        TUT_TRY(tut_detect(c->tools.detector, TUT_DETECT_USER, text, &user, err));
        heading h = user.action != TUT_ACTION_BLOCK ? LIKE_ORDER
                    : is_unseen(v)                  ? HIDDEN_ORDER
                                                    : ORDER;
        (void)tally_row(c, h, row, v->score, v->reason_count ? v->reasons[0].text : "");
    }
    if (why)
        (void)tally_row(c, HIDDEN, row, 1, why);
    why = reason_of(v, alike, 1);
    if (why)
        (void)tally_row(c, ALIKE, row, 1, why);
    return TUT_SUCCESS;
}

enum { SHORTEST = 16 };

/* One word in ASCII gives no orders. */
static bool may_speak(tut_str t)
{
    if (t.len >= SHORTEST && memchr(t.data, ' ', t.len))
        return true;
    for (size_t i = 0; i < t.len; i++)
        if ((uint8_t)t.data[i] >= 0x80)
            return true;
    return t.len >= (size_t)4 * SHORTEST; /* encoded, it may */
}

static tut_status detect_column(tut_text_check *c, const tut_batch *b, size_t at,
                                tut_detect_role role, tut_error *err)
{
    const tut_cells *cells = &b->cells[at];
    for (size_t i = 0; i < b->count && !c->has_no_memory; i++) {
        tut_detect_verdict verdict;
        if ((cells->kinds[i] != TUT_CELL_TEXT && cells->kinds[i] != TUT_CELL_NESTED) ||
            !may_speak(cells->texts[i]))
            continue;
        TUT_TRY(tut_detect(c->tools.detector, role, cells->texts[i], &verdict, err));
        TUT_TRY(judge(c, b->first + i, cells->texts[i], &verdict, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_text_check_add(tut_text_check *c, const tut_batch *batch, tut_detect_role role,
                              tut_error *err)
{
    TUT_TRY(know_columns(c, batch, err));
    c->first = batch->first;
    for (size_t k = 0; k < batch->column_count; k++) {
        if (!batch->cells[k].texts)
            continue;
        c->at = &c->columns[k];
        c->at_index = k;
        if (c->tools.scanner)
            TUT_TRY(scan_column(c, batch, k, err));
        if (c->tools.detector)
            TUT_TRY(detect_column(c, batch, k, role, err));
    }
    return c->has_no_memory ? tut_fail(err, TUT_NOMEM, "memory ran out") : TUT_SUCCESS;
}

/* --- what it comes to --- */

static int by_count(const void *a, const void *b)
{
    const tut_text_count *left = a, *right = b;
    return left->count != right->count ? (left->count < right->count ? 1 : -1)
                                       : strcmp(left->id, right->id);
}

size_t tut_text_check_counts(const tut_text_check *c, const tut_text_count **ret_counts)
{
    *ret_counts = c->counts;
    return c->count_count;
}

static void name_kinds(const tut_text_check *c, const tally *t, char *to, size_t cap)
{
    size_t len = 0;
    to[0] = '\0';
    for (size_t k = 0; k < c->count_count && len + 40 < cap; k++)
        if (t->kinds[k / 32] >> k % 32 & 1)
            len += (size_t)snprintf(to + len, cap - len, "%s%.36s", len ? ", " : "",
                                    c->counts[k].label);
}

static void say(const tut_text_check *c, heading h, const tally *t, char *to, size_t cap)
{
    char kinds[160];
    unsigned long long rows = t->rows;
    const char *s = rows == 1 ? "" : "s";
    name_kinds(c, t, kinds, sizeof(kinds));
    switch (h) {
    case SECRET:
    case PERSONAL:
        (void)snprintf(to, cap, "%llu row%s: %s", rows, s, kinds);
        return;
    case HIDDEN:
        (void)snprintf(to, cap, "%llu row%s with characters that are not shown", rows, s);
        return;
    case ALIKE:
        (void)snprintf(to, cap, "%llu row%s with letters of two alphabets in one word", rows, s);
        return;
    case LIKE_ORDER:
        (void)snprintf(to, cap, "%llu row%s that may be an order to a model", rows, s);
        return;
    case ORDER:
    case HIDDEN_ORDER:
        (void)snprintf(to, cap, "%llu row%s that read%s as an order to a model%s", rows, s,
                       rows == 1 ? "s" : "", h == ORDER ? "" : ", where people do not see it");
        return;
    case HEADINGS:
        break;
    }
    to[0] = '\0';
}

static tut_status report(const tut_text_check *c, const column *from, heading h,
                         tut_data_findings *found, tut_error *err)
{
    const tally *t = &from->of[h];
    tut_data_finding *f;
    char text[TUT_DATA_MESSAGE];
    if (t->count == 0)
        return TUT_SUCCESS;
    say(c, h, t, text, sizeof(text));
    TUT_TRY(tut_data_found(found, rules[h], tut_str_of(from->name), &f, err, "%s", text));
    for (size_t i = 0; i < t->kept_count; i++)
        TUT_TRY(tut_data_found_row(f, t->kept[i].row, t->kept[i].score, NAN, NAN, t->kept[i].note,
                                   err));
    f->count = t->rows;
    f->score = t->score;
    return TUT_SUCCESS;
}

tut_status tut_text_check_finish(tut_text_check *c, tut_data_findings *found, tut_error *err)
{
    for (size_t k = 0; k < c->column_count; k++)
        for (unsigned h = 0; h < HEADINGS; h++)
            TUT_TRY(report(c, &c->columns[k], (heading)h, found, err));
    qsort(c->counts, c->count_count, sizeof(c->counts[0]), by_count);
    return TUT_SUCCESS;
}
