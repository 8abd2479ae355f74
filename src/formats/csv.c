/*
 * Tables as text (RFC 4180 and its cousins):
 *
 *   file   = record { end record } [ end ]
 *   record = field { delimiter field }
 *   field  = '"' { any | '""' } '"' | { any but delimiter and end }
 *   end    = CRLF | LF | CR
 *
 * The delimiter is the one that cuts the first records into equally many fields.
 */
#include <string.h>

#include "formats/text.h"

#define ENDINGS ".csv .tsv .tab .psv"

typedef struct csv {
    char delimiter;
    bool is_quoted;   /* inside quotes */
    bool was_quote;   /* the last byte was a quote inside quotes: it closes, or is half of one */
    bool field_empty; /* nothing of the field seen yet */
    bool record_empty;
    bool has_digit;  /* of the field */
    bool has_other;  /* of the field: what no number holds */
    uint64_t fields; /* of the record so far */
    uint64_t records;
    uint64_t columns;  /* of the first record */
    bool is_even;      /* every record has as many fields as the first */
    bool first_number; /* a field of the first record is a number */
} csv;

static csv csv_start(char delimiter)
{
    return (csv){
        .delimiter = delimiter, .field_empty = true, .record_empty = true, .is_even = true};
}

static void end_field(csv *c)
{
    if (c->records == 0 && c->has_digit && !c->has_other)
        c->first_number = true;
    c->fields++;
    c->field_empty = true;
    c->has_digit = false;
    c->has_other = false;
}

static void end_record(csv *c)
{
    if (c->record_empty)
        return;
    end_field(c);
    if (c->records == 0)
        c->columns = c->fields;
    else if (c->fields != c->columns)
        c->is_even = false;
    c->records++;
    c->fields = 0;
    c->record_empty = true;
}

static void plain_byte(csv *c, char byte)
{
    c->record_empty = false;
    if (byte == c->delimiter) {
        end_field(c);
        return;
    }
    if (byte == '"' && c->field_empty) {
        c->is_quoted = true;
        c->field_empty = false;
        return;
    }
    c->field_empty = false;
    bool is_digit = byte >= '0' && byte <= '9';
    c->has_digit |= is_digit;
    c->has_other |= !is_digit && (byte == '\0' || !strchr("+-.,eE %", byte));
}

static void csv_byte(csv *c, char byte)
{
    if (c->is_quoted && !c->was_quote) {
        c->was_quote = byte == '"';
        c->has_other |= byte != '"' && (byte < '0' || byte > '9');
        c->has_digit |= byte >= '0' && byte <= '9';
        return;
    }
    if (c->was_quote) {
        c->was_quote = false;
        if (byte == '"')
            return; /* a doubled quote: text */
        c->is_quoted = false;
    }
    if (byte == '\n' || byte == '\r')
        end_record(c);
    else
        plain_byte(c, byte);
}

static void csv_feed(csv *c, tut_str text)
{
    for (size_t i = 0; i < text.len; i++)
        csv_byte(c, text.data[i]);
}

/* The delimiter of a text, and what it makes of it. A record cut by the end is left out. */
static csv guess(tut_str head, bool is_whole)
{
    static const char delimiters[] = {',', '\t', ';', '|'};
    csv best = csv_start(',');
    for (size_t i = 0; i < sizeof(delimiters); i++) {
        csv c = csv_start(delimiters[i]);
        csv_feed(&c, head);
        if (is_whole)
            end_record(&c);
        bool is_better = c.columns > 1 && c.records > 1 && c.is_even && !best.is_even;
        bool is_wider = c.columns > best.columns && (c.is_even || !best.is_even);
        if (i == 0 || is_better || is_wider)
            best = c;
    }
    return best;
}

static tut_match sniff(const tut_sniff *s)
{
    if (!tut_text_any(s) || tut_text_is_hidden(s))
        return TUT_MATCH_NONE;
    if (tut_sniff_ext(s, ENDINGS))
        return TUT_MATCH_WEAK;
    if (!tut_sniff_ext(s, ".txt .data .dat") && !tut_text_has_no_ending(s))
        return TUT_MATCH_NONE;
    if (!tut_text_in_folder(s, "data dataset datasets"))
        return TUT_MATCH_NONE;
    csv c = guess(tut_text_head(s), s->size == s->head.len);
    return c.is_even && c.columns > 1 && c.records > 2 ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    tut_span head;
    TUT_TRY(tut_stream_peek_some(x->stream, TUT_LIMIT_PEEK_BYTES, &head));
    csv first = guess(tut_str_from(head), head.len < TUT_LIMIT_PEEK_BYTES);
    if (first.columns > 0)
        tut_text_count(x, "columns", first.columns);
    if (!x->content)
        return TUT_SUCCESS;
    csv c = csv_start(first.delimiter);
    for (;;) {
        TUT_TRY(tut_budget_steps(x->budget, 1, err));
        TUT_TRY(tut_stream_peek_some(x->stream, TUT_LIMIT_PEEK_BYTES, &head));
        if (head.len == 0)
            break;
        csv_feed(&c, tut_str_from(head));
        TUT_TRY(tut_stream_skip(x->stream, head.len));
    }
    end_record(&c);
    /* A first line without a number in it names the columns. */
    bool has_header = c.records > 0 && !c.first_number;
    tut_text_count(x, "rows", has_header ? c.records - 1 : c.records);
    return TUT_SUCCESS;
}

extern const tut_format tut_format_csv;
const tut_format tut_format_csv = {
    .name = "csv",
    .label = "CSV",
    .kind = TUT_KIND_DATASET,
    .sniff = sniff,
    .examine = examine,
    .extensions = ENDINGS " .txt .data .dat",
    .reads = "header, rows, columns",
};
