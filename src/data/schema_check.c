/* A schema held against a stream of rows. */
#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/map.h"
#include "data/schema_internal.h"

typedef enum rule { TYPE, RANGE, SET, PATTERN, NULLS, UNIQUE, RULES } rule;

static const char *const rule_names[RULES] = {
    [TYPE] = "dataset.schema-type",  [RANGE] = "dataset.schema-range",
    [SET] = "dataset.schema-set",    [PATTERN] = "dataset.schema-pattern",
    [NULLS] = "dataset.schema-null", [UNIQUE] = "dataset.schema-unique",
};

typedef struct violation {
    tut_data_row *rows;
    size_t kept;
    uint64_t count;
} violation;

typedef struct column_check {
    const tut_data_schema_column *schema;
    violation violations[RULES];
    uint64_t rows, nulls;
    uint64_t *seen; /* hashes of a unique column; 0: empty */
    size_t seen_count, seen_slots;
    bool is_seen_full, is_there;
} column_check;

struct tut_data_schema_check {
    const tut_data_schema *schema;
    column_check *columns;
    tut_map by_name;
    size_t *places; /* of each of the batch's columns; SIZE_MAX: not in the schema */
    size_t place_count, place_capacity;
    tut_arena names; /* of columns that the schema does not have */
    tut_str *unknown;
    size_t unknown_count, unknown_capacity;
    uint64_t rows;
};

tut_status tut_data_schema_check_new(const tut_data_schema *s, tut_data_schema_check **ret,
                                     tut_error *err)
{
    TUT_AUTO(tut_data_schema_check) c = tut_alloc_array(1, sizeof(*c));
    if (!c || !(c->columns = tut_alloc_array(s->count ? s->count : 1, sizeof(*c->columns))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->schema = s;
    for (size_t i = 0; i < s->count; i++) {
        c->columns[i].schema = &s->columns[i];
        tut_str name = {s->columns[i].name, s->columns[i].name_len};
        TUT_TRY(tut_map_put(&c->by_name, name, i, NULL, err));
    }
    *ret = tut_move(&c);
    return TUT_SUCCESS;
}

void tut_data_schema_check_free(tut_data_schema_check *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->columns && c->schema && i < c->schema->count; i++) {
        for (size_t k = 0; k < RULES; k++)
            tut_free(c->columns[i].violations[k].rows);
        tut_free(c->columns[i].seen);
    }
    tut_free(c->columns);
    tut_free(c->places);
    tut_free(c->unknown);
    tut_arena_done(&c->names);
    tut_map_done(&c->by_name);
    tut_free(c);
}

/* --- what is noted --- */

typedef struct cell {
    uint64_t row;
    tut_cell_kind kind;
    double number;
    tut_str text;
    bool has_text;
} cell;

static tut_status note(column_check *c, rule which, const cell *at, const char *words,
                       tut_error *err)
{
    violation *v = &c->violations[which];
    v->count++;
    if (v->kept == TUT_DATA_ROWS_SHOWN)
        return TUT_SUCCESS;
    if (!v->rows)
        v->rows = tut_alloc_array(TUT_DATA_ROWS_SHOWN, sizeof(*v->rows));
    if (!v->rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_data_row *row = &v->rows[v->kept++];
    *row = (tut_data_row){.row = at->row, .score = 1, .p = NAN, .q = NAN};
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    if (at->has_text && at->text.len)
        tut_buf_add_escaped(&shown, at->text, 24);
    else if (at->kind != TUT_CELL_NONE)
        tut_buf_printf(&shown, "%.9g", at->number);
    const char *text = tut_buf_z(&shown);
    (void)snprintf(row->note, sizeof(row->note), text && *text ? "%s: %s" : "%s", words,
                   text ? text : "");
    return TUT_SUCCESS;
}

/* --- uniqueness: an open table of hashes --- */

static bool grow_seen(column_check *c)
{
    size_t slots = c->seen_slots ? 2 * c->seen_slots : 1024;
    uint64_t *seen = tut_alloc_array(slots, sizeof(*seen));
    if (!seen)
        return false;
    for (size_t i = 0; i < c->seen_slots; i++) {
        size_t to = (size_t)c->seen[i] & (slots - 1);
        while (c->seen[i] && seen[to])
            to = (to + 1) & (slots - 1);
        if (c->seen[i])
            seen[to] = c->seen[i];
    }
    tut_free(c->seen);
    c->seen = seen;
    c->seen_slots = slots;
    return true;
}

static tut_status check_unique(column_check *c, const cell *at, uint64_t hash, tut_error *err)
{
    hash += hash == 0;
    c->is_seen_full = c->seen_count >= TUT_DATA_SCHEMA_UNIQUE;
    if (2 * c->seen_count >= c->seen_slots && !c->is_seen_full && !grow_seen(c))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t slot = (size_t)hash & (c->seen_slots - 1);
    while (c->seen[slot] && c->seen[slot] != hash)
        slot = (slot + 1) & (c->seen_slots - 1);
    if (c->seen[slot])
        return note(c, UNIQUE, at, "again", err);
    if (c->is_seen_full)
        return TUT_SUCCESS;
    c->seen[slot] = hash;
    c->seen_count++;
    return TUT_SUCCESS;
}

/* --- cells --- */

static bool is_in_set(const tut_data_schema_column *s, uint64_t hash)
{
    size_t low = 0;
    size_t high = s->value_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->values[middle].hash == hash)
            return true;
        if (s->values[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool has_shape(const tut_data_schema_column *s, tut_str text)
{
    char shape[TUT_PROFILE_SHAPE];
    if (memchr(text.data, '\0', text.len) || !tut_profile_shape_of(text, shape))
        return false;
    for (size_t i = 0; i < s->shape_count; i++)
        if (strcmp(s->shapes[i], shape) == 0)
            return true;
    return false;
}

static tut_status check_cell(column_check *c, const cell *at, tut_error *err)
{
    const tut_data_schema_column *s = c->schema;
    bool is_text = at->kind >= TUT_CELL_TEXT;
    c->rows++;
    if (at->kind == TUT_CELL_NONE) {
        c->nulls++;
        return s->null_share_most > 0 ? TUT_SUCCESS : note(c, NULLS, at, "empty", err);
    }
    if (s->kinds && !(s->kinds >> at->kind & 1))
        return note(c, TYPE, at, tut_profile_kind_name(at->kind), err);
    if (!is_text && (at->number < s->least || at->number > s->most))
        return note(c, RANGE, at, at->number < s->least ? "too small" : "too large", err);
    if (is_text && s->shape_count && at->has_text && !has_shape(s, at->text))
        return note(c, PATTERN, at, "another shape", err);
    if (!s->value_count && !s->is_unique)
        return TUT_SUCCESS;
    if (is_text && !at->has_text)
        return TUT_SUCCESS;
    uint64_t hash = is_text ? tut_profile_hash_text(at->text) : tut_profile_hash_number(at->number);
    if (s->value_count && !is_in_set(s, hash))
        return note(c, SET, at, "not in the set", err);
    return s->is_unique ? check_unique(c, at, hash, err) : TUT_SUCCESS;
}

/* --- batches --- */

static tut_status meet_column(tut_data_schema_check *c, tut_str name, tut_error *err)
{
    if (!tut_is_ok(tut_grow(&c->places, c->place_count, &c->place_capacity, sizeof(*c->places))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t place = tut_map_get(&c->by_name, name);
    c->places[c->place_count++] = place;
    if (place != SIZE_MAX) {
        c->columns[place].is_there = true;
        c->columns[place].rows = c->columns[place].nulls = c->rows; /* nothing so far */
        if (c->columns[place].schema->null_share_most <= 0)
            c->columns[place].violations[NULLS].count += c->rows;
        return TUT_SUCCESS;
    }
    char *copy = tut_arena_copy(&c->names, name);
    if (!copy || !tut_is_ok(tut_grow(&c->unknown, c->unknown_count, &c->unknown_capacity,
                                     sizeof(*c->unknown))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->unknown[c->unknown_count++] = (tut_str){copy, name.len};
    return TUT_SUCCESS;
}

tut_status tut_data_schema_check_add(tut_data_schema_check *c, const tut_batch *batch,
                                     tut_error *err)
{
    while (c->place_count < batch->column_count)
        TUT_TRY(meet_column(c, batch->names[c->place_count], err));
    for (size_t i = 0; i < batch->column_count; i++) {
        const tut_cells *cells = &batch->cells[i];
        if (c->places[i] == SIZE_MAX)
            continue;
        for (size_t k = 0; k < batch->count; k++) {
            cell at = {.row = batch->first + k,
                       .kind = (tut_cell_kind)cells->kinds[k],
                       .number = cells->numbers[k],
                       .has_text = cells->texts != NULL};
            if (at.has_text)
                at.text = cells->texts[k];
            TUT_TRY(check_cell(&c->columns[c->places[i]], &at, err));
        }
    }
    c->rows += batch->count;
    return TUT_SUCCESS;
}

/* --- the end --- */

static tut_status report(const column_check *c, rule which, tut_data_findings *to, tut_error *err)
{
    static const char *const words[RULES] = {
        [TYPE] = "cells are of another type",
        [RANGE] = "cells are out of range",
        [SET] = "cells hold a value that is not in the set",
        [PATTERN] = "cells hold a text of another shape",
        [NULLS] = "cells are empty, where none was",
        [UNIQUE] = "cells hold a value that came before",
    };
    const violation *v = &c->violations[which];
    tut_data_finding *f;
    if (v->count == 0)
        return TUT_SUCCESS;
    bool is_part = which == UNIQUE && c->is_seen_full;
    TUT_TRY(tut_data_found(to, rule_names[which], (tut_str){c->schema->name, c->schema->name_len},
                           &f, err, "%llu of %llu %s%s", (unsigned long long)v->count,
                           (unsigned long long)c->rows, words[which],
                           is_part ? "; only the first values were remembered" : ""));
    f->score = 1;
    for (size_t i = 0; i < v->kept; i++)
        TUT_TRY(tut_data_found_row(f, v->rows[i].row, 1, NAN, NAN, v->rows[i].note, err));
    f->count = v->count;
    return TUT_SUCCESS;
}

static tut_status report_nulls(const column_check *c, tut_data_findings *to, tut_error *err)
{
    tut_data_finding *f;
    double share = (double)c->nulls / (double)c->rows;
    double most = c->schema->null_share_most;
    if (most <= 0 || c->rows == 0 || share <= most)
        return TUT_SUCCESS;
    TUT_TRY(tut_data_found(to, rule_names[NULLS], (tut_str){c->schema->name, c->schema->name_len},
                           &f, err, "%.3g %% of the cells are empty, at most %.3g %% may be",
                           100 * share, 100 * most));
    f->count = c->nulls;
    f->score = 1;
    return TUT_SUCCESS;
}

static tut_status report_columns(const tut_data_schema_check *c, tut_data_findings *to,
                                 tut_error *err)
{
    static const char rule_name[] = "dataset.schema-columns";
    tut_data_finding *f;
    for (size_t i = 0; i < c->schema->count; i++) {
        const tut_data_schema_column *s = &c->schema->columns[i];
        if (c->columns[i].is_there)
            continue;
        TUT_TRY(tut_data_found(to, rule_name, (tut_str){s->name, s->name_len}, &f, err,
                               "the column is missing"));
        f->score = 1;
    }
    for (size_t i = 0; i < c->unknown_count; i++) {
        TUT_TRY(tut_data_found(to, rule_name, c->unknown[i], &f, err, "the column is new"));
        f->score = 1;
    }
    return TUT_SUCCESS;
}

tut_status tut_data_schema_check_end(tut_data_schema_check *c, tut_data_findings *to,
                                     tut_error *err)
{
    const tut_data_schema *s = c->schema;
    tut_data_finding *f;
    TUT_TRY(report_columns(c, to, err));
    if (c->rows < s->rows_least || c->rows > s->rows_most) {
        TUT_TRY(tut_data_found(to, "dataset.schema-rows", (tut_str){"", 0}, &f, err,
                               "%llu rows, where %llu to %llu belong", (unsigned long long)c->rows,
                               (unsigned long long)s->rows_least,
                               (unsigned long long)s->rows_most));
        f->score = 1;
    }
    for (size_t i = 0; i < s->count; i++) {
        for (unsigned k = 0; k < RULES; k++)
            TUT_TRY(report(&c->columns[i], (rule)k, to, err));
        TUT_TRY(report_nulls(&c->columns[i], to, err));
    }
    return TUT_SUCCESS;
}
