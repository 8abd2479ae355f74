/*
 * Which dialect a CSV file is in. Each delimiter and quote is tried on the first records, and
 * scored after van den Burg, Nazabal and Sutton ("Wrangling messy CSV files by detecting row and
 * type patterns", 2019): how alike the records are, times how many cells look like something on
 * their own. Then whether the first record names the columns.
 */
#include <math.h>

#include "base/limits.h"
#include "data/rows_csv.h"

enum {
    RECORDS = 100,
    FIELDS = 512,
    NAME_MAX_BYTES = 64,
    QUOTED_MOST = 8 << 10 /* a longer field is a quote that is not closed, for a guess */
};

typedef struct sniff {
    tut_str head;
    size_t at;
    bool is_whole;
    char delimiter, quote;
    tut_str fields[FIELDS]; /* of the record; those beyond are counted */
    size_t count;
    size_t quoted, broken; /* fields so far that are in quotes; of which the end is not right */
} sniff;

static bool ends_record(char c)
{
    return c == '\n' || c == '\r';
}

/* Behind the closing quote of a field that begins at `at`; SIZE_MAX: it is not closed. */
static size_t quoted_end(const sniff *s, size_t at)
{
    for (at++; at < s->head.len; at++) {
        if (s->head.data[at] != s->quote)
            continue;
        if (at + 1 == s->head.len || s->head.data[at + 1] != s->quote)
            return at + 1;
        at++;
    }
    return SIZE_MAX;
}

static void add_field(sniff *s, size_t from, size_t to)
{
    if (s->count < FIELDS)
        s->fields[s->count] = tut_str_trim((tut_str){s->head.data + from, to - from});
    s->count++;
}

/* One field; false: it goes on behind the head. */
static bool take_field(sniff *s, bool *ret_is_last)
{
    size_t from = s->at;
    size_t start = from;
    size_t at = from;
    while (at < s->head.len && s->head.data[at] == ' ')
        at++;
    bool is_quoted = at < s->head.len && s->head.data[at] == s->quote;
    size_t close = is_quoted ? quoted_end(s, at) : 0;
    if (is_quoted && close == SIZE_MAX && !s->is_whole && s->head.len - at < QUOTED_MOST)
        return false;
    bool is_closed = is_quoted && close != SIZE_MAX;
    if (is_closed) {
        start = at + 1;
        at = close;
        while (at < s->head.len && s->head.data[at] == ' ')
            at++;
    }
    size_t clean = at;
    while (at < s->head.len && s->head.data[at] != s->delimiter && !ends_record(s->head.data[at]))
        at++;
    if (at == s->head.len && !s->is_whole)
        return false;
    s->quoted += is_quoted;
    s->broken += is_quoted && (!is_closed || at != clean);
    add_field(s, start, is_closed && at == clean ? close - 1 : at);
    *ret_is_last = at == s->head.len || s->head.data[at] != s->delimiter;
    s->at = at + (at < s->head.len);
    return true;
}

/* The next record that is not an empty line. */
static bool take_record(sniff *s)
{
    while (s->at < s->head.len && ends_record(s->head.data[s->at]))
        s->at++;
    s->count = 0;
    bool is_last = s->at == s->head.len;
    bool has_any = !is_last;
    while (!is_last)
        if (!take_field(s, &is_last))
            return false;
    return has_any;
}

static size_t seen(const sniff *s)
{
    return s->count < FIELDS ? s->count : FIELDS;
}

/* --- the score --- */

static bool is_decimal_comma(tut_str t)
{
    size_t commas = 0;
    for (size_t i = 0; i < t.len; i++) {
        commas += t.data[i] == ',';
        if (t.data[i] != ',' && !(t.data[i] >= '0' && t.data[i] <= '9') &&
            !(i == 0 && t.data[i] == '-'))
            return false;
    }
    return commas == 1;
}

/* 1: a cell like this stands for itself; less where a piece of another dialect shows. */
static double plausible(const sniff *s, tut_str t)
{
    double number;
    if (rows_look(t, &number) != TUT_CELL_TEXT || is_decimal_comma(t))
        return 1;
    char first = t.data[0];
    char last = t.data[t.len - 1];
    bool is_open = (first == '"' || first == '\'') != (last == '"' || last == '\'');
    for (size_t i = 0; i < t.len; i++)
        if (t.data[i] != s->delimiter && memchr(",;\t|", t.data[i], 4))
            return s->quoted ? 0.6 : 0.1;
    return is_open ? 0.3 : 1;
}

static size_t mode_of(const size_t *counts, size_t n, size_t *ret_times)
{
    size_t best = 0;
    *ret_times = 0;
    for (size_t i = 0; i < n; i++) {
        size_t times = 0;
        for (size_t k = 0; k < n; k++)
            times += counts[k] == counts[i];
        if (times > *ret_times || (times == *ret_times && counts[i] > best)) {
            best = counts[i];
            *ret_times = times;
        }
    }
    return best;
}

static csv_dialect score(sniff *s)
{
    size_t counts[RECORDS];
    size_t n = 0;
    size_t cells = 0;
    double good = 0;
    for (; n < RECORDS && take_record(s); n++) {
        counts[n] = s->count;
        for (size_t i = 0; i < seen(s) && i < 64; i++, cells++)
            good += plausible(s, s->fields[i]);
    }
    csv_dialect d = {.delimiter = s->delimiter, .quote = s->quote, .records = n};
    size_t times;
    d.columns = mode_of(counts, n, &times);
    if (n == 0)
        return d;
    d.even = (double)times / (double)n;
    double sound = s->quoted ? 1 - (double)s->broken / (double)s->quoted : 1;
    d.score = d.even * (1 - 1 / (double)d.columns) * (good / (double)cells) * sound;
    return d;
}

/* --- the header --- */

typedef struct column {
    tut_str name;
    tut_cell_kind name_kind;
    double name_number;
    size_t filled, typed; /* cells below that are not empty; that are numbers or truth values */
    bool recurs;          /* the name stands below as well */
} column;

static bool is_typed(tut_cell_kind kind)
{
    return kind == TUT_CELL_NUMBER || kind == TUT_CELL_INTEGER || kind == TUT_CELL_BOOL;
}

static bool is_identifier(tut_str t, bool may_have_spaces)
{
    if (t.len == 0 || t.len > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) || c == '_';
        bool is_inner = (c >= '0' && c <= '9') || memchr("-./()%#[]:$", c, 11) ||
                        (c == ' ' && may_have_spaces);
        if (!is_letter && (i == 0 || !is_inner))
            return false;
    }
    return true;
}

static void read_columns(sniff *s, column *columns, size_t *ret_count, size_t *ret_records)
{
    size_t count = *ret_records = 0;
    if (take_record(s))
        count = seen(s);
    for (size_t i = 0; i < count; i++) {
        columns[i] = (column){.name = s->fields[i]};
        columns[i].name_kind = rows_look(columns[i].name, &columns[i].name_number);
    }
    for (; *ret_records < RECORDS && take_record(s); ++*ret_records) {
        for (size_t i = 0; i < seen(s) && i < count; i++) {
            double number;
            tut_cell_kind kind = rows_look(s->fields[i], &number);
            columns[i].filled += kind != TUT_CELL_NONE;
            columns[i].typed += is_typed(kind);
            columns[i].recurs |= tut_str_eq(s->fields[i], columns[i].name) && s->fields[i].len > 0;
        }
    }
    *ret_count = count;
}

/* 0, 1, 2, … or years: the names of a matrix that somebody wrote with its indices. */
static bool are_counted(const column *c, size_t count)
{
    size_t steps = 0;
    for (size_t i = 1; i < count; i++) {
        if (c[i].name_kind != TUT_CELL_INTEGER || c[i].recurs)
            return false;
        if (i > 1 && c[i].name_number - c[i - 1].name_number != 1)
            return false;
        steps += i > 1;
    }
    bool has_corner = c[0].name_kind == TUT_CELL_NONE || c[0].name_kind == TUT_CELL_TEXT;
    bool is_first = c[0].name_kind == TUT_CELL_INTEGER && count > 1 &&
                    c[1].name_number - c[0].name_number == 1 && !c[0].recurs;
    return steps >= 2 && (has_corner || is_first);
}

static bool is_header(const column *c, size_t count, size_t records, bool *ret_has_numbers)
{
    bool is_evident = false;
    bool are_names = true;
    *ret_has_numbers = false;
    for (size_t i = 0; i < count; i++)
        *ret_has_numbers |= c[i].filled > 0 && c[i].typed * 10 >= c[i].filled * 8;
    if (count == 0 || records == 0)
        return false;
    if (are_counted(c, count))
        return true;
    for (size_t i = 0; i < count; i++) {
        bool is_corner = i == 0 && c[i].name.len == 0 && count > 1;
        if (is_typed(c[i].name_kind) || (c[i].name_kind == TUT_CELL_NONE && !is_corner))
            return false;
        is_evident |= c[i].filled > 0 && c[i].typed * 10 >= c[i].filled * 8;
        are_names &= !c[i].recurs && (is_corner || is_identifier(c[i].name, count > 1));
        for (size_t k = 0; k < i; k++)
            are_names &= !tut_str_eq(c[i].name, c[k].name);
    }
    return is_evident || are_names;
}

static csv_dialect best_of(sniff *s)
{
    static const char delimiters[] = {',', '\t', ';', '|'};
    static const char quotes[] = {'"', '\''};
    csv_dialect best = {.delimiter = ',', .quote = '"'};
    for (size_t q = 0; q < sizeof(quotes); q++) {
        for (size_t i = 0; i < sizeof(delimiters); i++) {
            *s = (sniff){.head = s->head,
                         .is_whole = s->is_whole,
                         .delimiter = delimiters[i],
                         .quote = quotes[q]};
            csv_dialect d = score(s);
            bool is_used = q == 0 || s->quoted > s->broken;
            if ((is_used && d.score > best.score + 1e-9) || best.records == 0)
                best = d;
        }
    }
    return best;
}

csv_dialect csv_sniff(tut_str head, bool is_whole)
{
    sniff s = {.head = head, .is_whole = is_whole};
    column columns[FIELDS];
    csv_dialect best = best_of(&s);
    size_t count;
    size_t records;
    s = (sniff){
        .head = head, .is_whole = is_whole, .delimiter = best.delimiter, .quote = best.quote};
    read_columns(&s, columns, &count, &records);
    best.has_header = is_header(columns, count, records, &best.has_numbers);
    best.header_short = best.has_header && count + 1 == best.columns &&
                        best.even * (double)best.records >= 0.9 * (double)(best.records - 1);
    return best;
}

/* --- is it one? --- */

static bool is_one_of(const char *ending, const char *const *endings)
{
    for (; *endings; endings++)
        if (strcmp(ending, *endings) == 0)
            return true;
    return false;
}

bool csv_is_it(tut_span head, const char *ending)
{
    static const char *const tables[] = {".csv", ".tsv", ".tab", ".psv", NULL};
    static const char *const prose[] = {".md", ".markdown", ".rst", NULL};
    if (is_one_of(ending, tables))
        return true;
    if (is_one_of(ending, prose))
        return false;
    csv_dialect d = csv_sniff(tut_str_from(head), head.len < TUT_LIMIT_PEEK_BYTES);
    if (d.columns < 2 || d.records < 3 || d.even < 0.95 || d.score < 0.3)
        return false;
    return d.has_numbers || d.columns > 2 || d.delimiter == '\t';
}
