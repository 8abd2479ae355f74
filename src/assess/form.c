#include "assess/form.h"

#include <string.h>

#include "base/limits.h"

static const tut_form_section component_sections[] = {
    {"Source", "provenance;origin;address;where it comes from",
     "Where the component was taken from: address, provider, version, when."},
    {"Licence", "license;licences;licenses;terms",
     "Under which licence or contract it may be used, and whether this use is within it."},
    {"Assessment", "risk assessment;vetting;evaluation;risk evaluation",
     "What was looked at for risks of AI (poisoned data, backdoors, code that runs on load, "
     "extraction), how, and what came out."},
    {"Known risks", "risks;residual risks;residual risk;limitations;known limitations",
     "What remains, and what is done about it; \"none known\" if so."},
};

static const tut_form_section provider_sections[] = {
    {"Provider", "supplier;vendor", "Who the provider is, and what it provides."},
    {"Security practices", "security;practices;secure development",
     "How the provider develops, tests and maintains it, by which evidence."},
    {"Conformity", "en 304 223;standard;certificates;certification",
     "Whether the provider follows EN 304 223, by which evidence; else what stands in for it."},
    {"Assessment", "risk assessment;evaluation;due diligence",
     "What was examined of the provider, by whom, and what came out."},
    {"Known risks", "risks;residual risks;residual risk;limitations;known limitations",
     "What remains, and what is done about it; \"none known\" if so."},
};

static const tut_form_section design_sections[] = {
    {"Need", "purpose;business need;why;motivation",
     "Which need the system serves, and whose it is."},
    {"Alternatives", "options;alternatives considered;options considered",
     "What else was considered, also doing without AI, and why it was not chosen."},
    {"Risks", "ai security risks;security risks;threats",
     "Which risks to security the system brings: poisoned data, inversion, membership inference, "
     "indirect prompt injection, hidden functions, adversarial examples, what else."},
    {"Treatment", "risk treatment;risks and treatment;mitigations;mitigation",
     "How each of these risks is treated, by whom, and which are accepted."},
};

static const tut_form_section custodian_sections[] = {
    {"Custodian's part", "custodian;the custodian's part;data custodian;data custodian's part",
     "How the data custodian took part in deciding the requirements and the needs of data: what "
     "he asked for, and what came of it."},
};

static const tut_form_section documentation_sections[] = {
    {"Purpose", "scope;overview;introduction", "What this part of the system does, and for whom."},
    {"Design", "architecture;components;structure",
     "Its components and how they work together: models, data, prompts, tools, interfaces."},
    {"Data", "data flows;training data;data and data flows",
     "Which data it is trained on and works on, where it comes from and where it goes."},
    {"Security", "security design;security measures;controls",
     "Boundaries of trust, who may do what, and which controls stand where."},
};

static const tut_form_section maintenance_sections[] = {
    {"Schedule", "calendar;intervals;cadence",
     "What is looked at how often: models, data, prompts, dependencies, access."},
    {"Responsibilities", "responsible;roles;owners", "Who does it, and who stands in."},
    {"Updates", "update process;changes;patching",
     "How updates are decided, tested, given out and taken back."},
    {"End", "end of life;end of support;retirement;decommissioning",
     "Until when it is maintained, and what happens to models and data then."},
};

static const tut_form_section card_sections[] = {
    {"Sources", "training data sources;data sources;training data",
     "Where the data of each model comes from."},
    {"Scope", "intended use;intended uses;scope of use", "What it is meant for, and by whom."},
    {"Limits", "limitations;out of scope;known limitations", "What it cannot do, or is not for."},
    {"Guardrails", "safeguards;guards;protections", "What holds it within its scope."},
    {"Retention", "data retention;retention periods",
     "How long prompts, answers, logs and data are kept."},
    {"Review", "review interval;review schedule;reviews", "How often it is reviewed, and by whom."},
    {"Failure modes", "failures;known failure modes;failure",
     "How it fails, how that shows, and what is done then."},
};

static const tut_form_section use_sections[] = {
    {"Use", "intended use;planned use;purpose", "What the system does with this dataset."},
    {"Fit", "fitness;sensitivity;suitability",
     "Why that use fits how sensitive the data is, and who could learn of it."},
    {"Controls", "protection;safeguards;protective controls",
     "Which controls protect the data in that use."},
    {"Limits", "limitations;prohibited uses;not allowed", "What it must not be used for."},
};

#define SECTIONS(list) (list), sizeof(list) / sizeof((list)[0])
static const tut_form_kind kinds[] = {
    {NULL, "bom.due-diligence", "Due diligence on a component", true, SECTIONS(component_sections)},
    {NULL, "supplier.due-diligence", "Due diligence on a provider", true,
     SECTIONS(provider_sections)},
    {"design", "gate.design-record", "Design record", false, SECTIONS(design_sections)},
    {"custodian", "gate.custodian-part", "Custodian's part", false, SECTIONS(custodian_sections)},
    {"documentation", "gate.design-documents", "Design documentation", false,
     SECTIONS(documentation_sections)},
    {"maintenance", "gate.design-documents", "Maintenance plan", false,
     SECTIONS(maintenance_sections)},
    {"card", "gate.system-card", "System card", false, SECTIONS(card_sections)},
    {"intended-use", "gate.intended-use", "Intended use of a dataset", true,
     SECTIONS(use_sections)},
};

const tut_form_kind *tut_form_of(tut_str check)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (tut_str_eq_z(check, kinds[i].check))
            return &kinds[i];
    return NULL;
}

const tut_form_kind *tut_form_named(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].name && strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

enum { SECTIONS_MAX = 16 }; /* more than any form has */

typedef struct form_reader {
    const tut_form_kind *kind;
    tut_form *form;
    bool is_filled[SECTIONS_MAX], is_unfinished[SECTIONS_MAX];
    bool in_front, in_fence, in_comment;
    size_t line;
    /* headings on the way to the line at hand, by level: the section each opens, or -1 */
    int open[7];
    int field;            /* section of the field whose indented lines come now, or -1 */
    const char *mistaken; /* a digest or date that is none: which */
} form_reader;

static tut_str behind(tut_str s, size_t len)
{
    return (tut_str){s.data + len, s.len - len};
}

static bool is_named(tut_str key, const char *title, const char *aliases)
{
    if (tut_str_ieq(key, tut_str_of(title)))
        return true;
    for (const char *at = aliases; *at;) {
        size_t len = strcspn(at, ";");
        if (tut_str_ieq(key, (tut_str){at, len}))
            return true;
        at += len;
        at += *at == ';';
    }
    return false;
}

static int section_of(const tut_form_kind *kind, tut_str key)
{
    for (size_t i = 0; i < kind->section_count; i++)
        if (is_named(key, kind->sections[i].title, kind->sections[i].aliases))
            return (int)i;
    return -1;
}

/* Ornament of Markdown around a word: "2. **Licence**:" -> Licence */
static tut_str bare(tut_str s)
{
    s = tut_str_trim(s);
    size_t digits = 0;
    while (digits < s.len && ((s.data[digits] >= '0' && s.data[digits] <= '9') ||
                              (digits > 0 && s.data[digits] == '.')))
        digits++;
    if (digits > 0 && digits < s.len && s.data[digits] == ' ')
        s = tut_str_trim(behind(s, digits));
    while (s.len > 0 && memchr("*_`", s.data[0], 3))
        s = behind(s, 1);
    while (s.len > 0 && memchr("*_`:#", s.data[s.len - 1], 5))
        s.len--;
    return tut_str_trim(s);
}

/* Without bullets, boxes and ornament, however they nest. */
static tut_str words_of(tut_str s)
{
    for (size_t before = s.len + 1; s.len < before;) {
        before = s.len;
        s = bare(s);
        while (s.len > 0 && memchr("-+> |[]", s.data[0], 7))
            s = behind(s, 1);
    }
    return s;
}

static bool is_todo(tut_str line)
{
    return tut_str_starts(words_of(line), TUT_LIT("TODO"));
}

/* Does the line say anything? */
static bool says(tut_str line)
{
    line = words_of(line);
    if (tut_str_starts(line, TUT_LIT("TODO")))
        return false;
    size_t letters = 0;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.data[i];
        letters += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   (uint8_t)c >= 0x80;
    }
    return letters >= 2;
}

static void copy(char *to, size_t cap, tut_str value, bool *has)
{
    if (*has || !says(value) || value.len >= cap)
        return;
    tut_str_copy(to, cap, value);
    *has = true;
}

static void take_date(form_reader *r, tut_str value)
{
    tut_form *f = r->form;
    size_t len = 0;
    while (len < value.len && value.data[len] != ' ')
        len++;
    if (!says(value) || f->has_until)
        return;
    if (tut_is_ok(tut_time_parse((tut_str){value.data, len}, &f->until)))
        f->has_until = true;
    else
        r->mistaken = "\"accepted until\" is no date such as 2027-06-30";
}

static void take_digest(form_reader *r, tut_str value)
{
    tut_form *f = r->form;
    if (!says(value) || f->has_digest)
        return;
    if (tut_str_starts(value, TUT_LIT("sha256:")))
        value = behind(value, 7);
    f->has_digest = tut_is_ok(tut_sha256_parse(value, &f->digest));
    if (!f->has_digest)
        r->mistaken = "\"digest\" is no sha256:HEX";
}

static void take_field(form_reader *r, tut_str key, tut_str value)
{
    tut_form *f = r->form;
    value = bare(value);
    if (value.len >= 2 && (value.data[0] == '"' || value.data[0] == '\'') &&
        value.data[value.len - 1] == value.data[0])
        value = (tut_str){value.data + 1, value.len - 2};
    r->field = section_of(r->kind, key);
    if (r->field >= 0 && is_todo(value))
        r->is_unfinished[r->field] = true;
    if (r->field >= 0)
        r->is_filled[r->field] |= says(value) && !tut_str_eq_z(value, "|");
    else if (is_named(key, "accepted until", "accepted_until") ||
             (r->in_front && is_named(key, "expires", "valid until;until")))
        take_date(r, value);
    else if (!r->in_front)
        return;
    else if (is_named(key, "asset", "component"))
        copy(f->asset, sizeof(f->asset), value, &f->has_asset);
    else if (is_named(key, "clause", "provision"))
        copy(f->clause, sizeof(f->clause), value, &f->has_clause);
    else if (is_named(key, "accepted by", "accepted_by;by"))
        copy(f->by, sizeof(f->by), value, &f->has_by);
    else if (is_named(key, "digest", "sha256"))
        take_digest(r, value);
}

/* "KEY: VALUE", also as an item of a list in bold. An address is no key. */
static bool split_field(tut_str line, tut_str *ret_key, tut_str *ret_value)
{
    tut_str s = tut_str_trim(line);
    if (s.len > 2 && memchr("-*+", s.data[0], 3) && s.data[1] == ' ')
        s = tut_str_trim(behind(s, 2));
    const char *colon = s.len ? memchr(s.data, ':', s.len) : NULL;
    if (!colon || (size_t)(colon - s.data) > 60)
        return false;
    size_t at = (size_t)(colon - s.data);
    *ret_key = bare((tut_str){s.data, at});
    *ret_value = behind(s, at + 1);
    bool is_end = ret_value->len == 0 || memchr(" \t*_", ret_value->data[0], 4);
    return ret_key->len > 0 && is_end;
}

static void open_heading(form_reader *r, tut_str line)
{
    size_t level = 0;
    while (level < line.len && level < 6 && line.data[level] == '#')
        level++;
    for (size_t i = level; i < 7; i++)
        r->open[i] = -1;
    r->open[level] = section_of(r->kind, bare(behind(line, level)));
    r->field = -1;
}

static void take_text(form_reader *r, tut_str line)
{
    for (size_t i = 1; i < 7 && is_todo(line); i++)
        if (r->open[i] >= 0)
            r->is_unfinished[r->open[i]] = true;
    if (!says(line))
        return;
    for (size_t i = 1; i < 7; i++)
        if (r->open[i] >= 0)
            r->is_filled[r->open[i]] = true;
    bool is_continued = line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
    if (r->field >= 0 && is_continued)
        r->is_filled[r->field] = true;
}

static bool is_fence(tut_str line)
{
    line = tut_str_trim(line);
    return tut_str_starts(line, TUT_LIT("```")) || tut_str_starts(line, TUT_LIT("~~~"));
}

static void take_line(form_reader *r, tut_str line)
{
    tut_str key, value;
    bool is_mark = tut_str_eq_z(tut_str_trim(line), "---");
    if (is_mark && (r->line == 1 || r->in_front)) {
        r->in_front = r->line == 1;
        r->field = -1;
        return;
    }
    if (!r->in_front && is_fence(line)) {
        r->in_fence = !r->in_fence;
        return;
    }
    bool is_heading = !r->in_front && !r->in_fence && line.len > 1 && line.data[0] == '#';
    bool is_indented = line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
    if (is_heading) {
        open_heading(r, line);
        return;
    }
    if (!r->in_fence && !is_indented && split_field(line, &key, &value)) {
        take_field(r, key, value);
        if (is_todo(value))
            line = value; /* a key without its value says nothing */
    } else if (!is_indented) {
        r->field = -1;
    }
    take_text(r, line);
}

/* The line without what stands in comments; a comment may go over lines. */
static void strip_comments(form_reader *r, tut_str line, tut_buf *out)
{
    size_t at;
    tut_buf_clear(out);
    while (line.len > 0) {
        tut_str mark = r->in_comment ? TUT_LIT("-->") : TUT_LIT("<!--");
        bool has_mark = tut_str_find(line, mark, &at);
        if (!r->in_comment)
            tut_buf_add_str(out, has_mark ? (tut_str){line.data, at} : line);
        if (!has_mark)
            return;
        line = behind(line, at + mark.len);
        r->in_comment = !r->in_comment;
    }
}

static bool next_line(tut_str *rest, tut_str *ret_line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    *ret_line = (tut_str){rest->data, len};
    *rest = behind(*rest, end ? len + 1 : len);
    if (ret_line->len > 0 && ret_line->data[ret_line->len - 1] == '\r')
        ret_line->len--;
    return true;
}

static tut_status conclude(const form_reader *r, tut_error *err)
{
    TUT_CLEAN(tut_buf) lacks = TUT_BUF_INIT;
    if (r->mistaken)
        return tut_fail(err, TUT_USAGE, "%s", r->mistaken);
    for (size_t i = 0; i < r->kind->section_count; i++)
        if (!r->is_filled[i] || r->is_unfinished[i])
            tut_buf_printf(&lacks, "%s\"%s\"", lacks.len ? ", " : "", r->kind->sections[i].title);
    if (r->kind->wants_until && !r->form->has_until)
        tut_buf_printf(&lacks, "%s\"accepted until\" (a date)", lacks.len ? ", " : "");
    TUT_TRY(tut_buf_check(&lacks, err));
    if (lacks.len == 0)
        return TUT_SUCCESS;
    const char *text = tut_buf_z(&lacks);
    return tut_fail(err, TUT_USAGE, "lacks, or says nothing under, %s", text ? text : "sections");
}

tut_status tut_form_read(const tut_form_kind *kind, tut_str text, tut_form *ret_form,
                         tut_error *err)
{
    tut_form form = {0};
    form_reader r = {.kind = kind, .form = &form, .field = -1};
    TUT_CLEAN(tut_buf) visible = TUT_BUF_INIT;
    tut_str line;
    if (text.len > TUT_FORM_BYTES)
        return tut_fail(err, TUT_LIMIT, "is larger than %d KiB; a form is a few pages",
                        TUT_FORM_BYTES >> 10);
    if (!tut_utf8_valid(text) || (text.len && memchr(text.data, '\0', text.len)))
        return tut_fail(err, TUT_MALFORMED,
                        "is no text; fill in the form (--template) and name the document in it");
    if (tut_str_starts(text, TUT_LIT("\xef\xbb\xbf")))
        text = behind(text, 3);
    for (size_t i = 0; i < 7; i++)
        r.open[i] = -1;
    while (next_line(&text, &line)) {
        r.line++;
        strip_comments(&r, line, &visible);
        TUT_TRY(tut_buf_check(&visible, err));
        take_line(&r, tut_buf_str(&visible));
    }
    TUT_TRY(conclude(&r, err));
    *ret_form = form;
    return TUT_SUCCESS;
}
