/*
 * What the records say about one subject of one want: the latest record of that check about this
 * very digest decides. Records are held in an index sorted by subject, newest first, so that many
 * subjects and many runs stay cheap.
 */
#include <stdlib.h>

#include "assess/covered.h"
#include "assess/evaluate_internal.h"

typedef struct entry {
    const char *subject;
    const tut_sha256 *digest;
    const tut_record *record;
} entry;

struct tut_evidence_index {
    tut_evaluation *e;
    const tut_want *want;
    entry *entries;
    size_t count, capacity;
    const tut_record *covered; /* the latest evidence of the checks that the want covers, or NULL */
};

static const char *const use_names[] = {"counts",       "contradicts", "stale",
                                        "other_digest", "superseded",  "not_enough"};

const char *tut_use_name(tut_use u)
{
    return (size_t)u < sizeof(use_names) / sizeof(use_names[0]) ? use_names[u] : "not_enough";
}

static bool is_check(const tut_record *r, tut_str check)
{
    const char *slash = strchr(r->check, '/');
    size_t len = slash ? (size_t)(slash - r->check) : strlen(r->check);
    return tut_str_eq(check, (tut_str){r->check, len});
}

static bool names_clause(const tut_record *r, tut_str id)
{
    for (size_t i = 0; i < r->clause_count; i++)
        if (tut_str_eq_z(id, r->clauses[i]))
            return true;
    return false;
}

static int compare(const void *a, const void *b)
{
    const entry *x = a;
    const entry *y = b;
    int by_name = strcmp(x->subject, y->subject);
    if (by_name != 0)
        return by_name;
    return x->record->index > y->record->index ? -1 : x->record->index < y->record->index;
}

void tut_evidence_index_free(tut_evidence_index *index)
{
    if (!index)
        return;
    tut_free(index->entries);
    tut_free(index);
}

static tut_status add_record(tut_evidence_index *index, const tut_record *r)
{
    /* What is said about the organisation is about the clause, whatever the document was called. */
    bool is_whole = index->want->scope == TUT_SCOPE_ORGANISATION;
    for (size_t i = 0; i < (is_whole ? 1 : r->subject_count); i++) {
        TUT_TRY(tut_grow(&index->entries, index->count, &index->capacity, sizeof(entry)));
        index->entries[index->count++] = (entry){.subject = is_whole ? TUT_SUBJECT_ORGANISATION
                                                                     : r->subjects[i].name,
                                                 .digest = &r->subjects[i].digest,
                                                 .record = r};
    }
    return TUT_SUCCESS;
}

tut_status tut_evidence_index_new(tut_evaluation *e, const tut_clause *clause, const tut_want *want,
                                  tut_evidence_index **ret_index)
{
    TUT_AUTO(tut_evidence_index) index = tut_alloc_array(1, sizeof(*index));
    if (!index)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    index->e = e;
    index->want = want;
    for (size_t i = 0; i < e->a->records->count; i++) {
        const tut_record *r = &e->a->records->items[i];
        if (r->type == TUT_RECORD_EVIDENCE && is_check(r, want->check) &&
            names_clause(r, clause->id))
            TUT_TRY(add_record(index, r));
        if (tut_want_covers(want, r))
            index->covered = r;
    }
    if (index->count)
        qsort(index->entries, index->count, sizeof(entry), compare);
    *ret_index = tut_move(&index);
    return TUT_SUCCESS;
}

/* --- how one record stands --- */

static uint32_t greatest_age(const tut_evaluation *e, const tut_want *want)
{
    uint32_t policy = e->a->system ? e->a->system->max_age_days : 0;
    return policy != 0 && policy < want->max_age_days ? policy : want->max_age_days;
}

static bool is_expired(const tut_evaluation *e, const tut_want *want, const tut_record *r)
{
    tut_time oldest = (tut_time)greatest_age(e, want) * TUT_DAY_SECONDS;
    return e->a->evaluated_at >= r->expires || e->a->evaluated_at - r->to > oldest;
}

static tut_status read_body(tut_evaluation *e, const tut_record *r, bool *ret_whole)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_error why = {0};
    tut_status status = tut_ledger_get_body(e->ledger, &r->body, &body, &why);
    *ret_whole = tut_is_ok(status);
    if (*ret_whole || status.code == TUT_DENIED) /* sealed, and whoever judges has not its key */
        return TUT_SUCCESS;
    if (status.code != TUT_STORE)
        return tut_fail(e->err, status.code, "%s", why.text);
    if (!e->damage) {
        e->damage = tut_asprintf("record %llu: %s", (unsigned long long)r->index, why.text);
        if (!e->damage)
            return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    }
    return TUT_SUCCESS;
}

/* Many provisions ask about the same record: its body is read once. */
static tut_status body_is_whole(tut_evaluation *e, const tut_record *r, bool *ret_whole)
{
    enum { UNKNOWN, WHOLE, NOT_WHOLE };
    uint8_t *known = &e->bodies[r - e->a->records->items];
    *ret_whole = true;
    if (!r->has_body)
        return TUT_SUCCESS;
    if (*known == UNKNOWN) {
        TUT_TRY(read_body(e, r, ret_whole));
        *known = *ret_whole ? WHOLE : NOT_WHOLE;
    }
    *ret_whole = *known == WHOLE;
    return TUT_SUCCESS;
}

static tut_standing standing_of_result(const tut_want *want, tut_result result,
                                       const char **ret_why)
{
    switch (result) {
    case TUT_RESULT_PASS:
        *ret_why = "holds";
        return TUT_STANDING_HOLDS;
    case TUT_RESULT_FAIL:
        *ret_why = "contradicts";
        return TUT_STANDING_CONTRADICTED;
    case TUT_RESULT_ERROR:
        *ret_why = "the check could not be carried to its end";
        return TUT_STANDING_NOT_ENOUGH;
    case TUT_RESULT_NOT_APPLICABLE:
        *ret_why = "the check did not apply to it";
        return want->may_not_apply ? TUT_STANDING_EXEMPT : TUT_STANDING_NOT_ENOUGH;
    case TUT_RESULT_NOT_CHECKED:
        *ret_why = "the check came to no answer";
        return TUT_STANDING_NOT_ENOUGH;
    }
    return TUT_STANDING_NOT_ENOUGH;
}

/* Machine evidence is what the tool's own key signed; nobody else's word is a test. */
static bool is_measured(const tut_record *r)
{
    for (size_t i = 0; r->method == TUT_METHOD_TEST && i < r->signer_count; i++)
        if (r->signers[i].counts && r->signers[i].is_tool)
            return true;
    return false;
}

bool tut_record_is_test(const tut_record *r, const char *check)
{
    return r->type == TUT_RECORD_EVIDENCE && is_check(r, tut_str_of(check)) && is_measured(r);
}

bool tut_want_covers(const tut_want *want, const tut_record *r)
{
    if (r->type != TUT_RECORD_EVIDENCE || r->doubt || !is_measured(r))
        return false;
    for (size_t i = 0; i < want->covers_count; i++)
        if (is_check(r, want->covers[i]))
            return true;
    return false;
}

/* Entries about one subject: [first, end) of the index. */
typedef struct group {
    size_t first, end;
} group;

enum { SIGNERS_MAX = 16 };

typedef struct signing { /* people who say the same, each once */
    const char *names[SIGNERS_MAX];
    uint32_t roles[SIGNERS_MAX];
    size_t count;
} signing;

/* Adds the people in the wanted roles who signed this record. */
static void add_signers(const tut_want *want, const tut_record *r, signing *people)
{
    for (size_t i = 0; i < r->signer_count && people->count < SIGNERS_MAX; i++) {
        const tut_record_signer *s = &r->signers[i];
        bool is_wanted = s->counts && !s->is_tool &&
                         (want->signer_roles == 0 || (s->roles & want->signer_roles));
        for (size_t k = 0; k < people->count && is_wanted; k++)
            is_wanted = strcmp(people->names[k], s->name) != 0;
        if (!is_wanted)
            continue;
        people->roles[people->count] = s->roles;
        people->names[people->count++] = s->name;
    }
}

/* Distinct registered people who, in force, say the same of the same bytes: each may have signed a
 * record of their own. With two, one at least is not the author. */
static signing find_signers(const tut_evidence_index *index, const group *g, const entry *at)
{
    signing people = {.count = 0};
    for (size_t i = g->first; i < g->end; i++) {
        const entry *other = &index->entries[i];
        const tut_record *r = other->record;
        if (!r->doubt && r->result == at->record->result &&
            tut_sha256_eq(other->digest, at->digest) && !is_expired(index->e, index->want, r))
            add_signers(index->want, r, &people);
    }
    return people;
}

static bool has_each_role(const tut_want *want, const signing *people)
{
    uint32_t demand[TUT_PERSON_ROLE_COUNT];
    for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        demand[i] = (want->signer_roles >> i) & 1u;
    return !want->is_each_role || tut_people_fill(people->roles, people->count, demand);
}

static void add_roles(tut_buf *out, uint32_t roles)
{
    const char *between = "";
    for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++) {
        if (!(roles & (1u << i)))
            continue;
        tut_buf_printf(out, "%s%s", between, tut_person_roles[i]);
        between = " and ";
    }
}

static tut_status say_signers(tut_evidence_index *index, const signing *people,
                              const char **ret_why)
{
    const tut_want *want = index->want;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (people->count == 0) {
        tut_buf_add_z(&text, "self-declared; signatures of registered people are wanted");
    } else if (people->count < want->signers) {
        tut_buf_printf(&text, "signed by %zu of the %u registered people that are wanted",
                       people->count, want->signers);
    } else {
        tut_buf_add_z(&text, "not signed in each of the roles that are wanted: ");
        add_roles(&text, want->signer_roles);
    }
    TUT_TRY(tut_buf_check(&text, index->e->err));
    *ret_why = tut_arena_copy(&index->e->arena, tut_buf_str(&text));
    return *ret_why ? TUT_SUCCESS : tut_fail(index->e->err, TUT_NOMEM, "memory ran out");
}

/* What bars a record from proving anything, whatever it says; NULL: nothing does. */
static const char *find_bar(const tut_evidence_index *index, const tut_record *r)
{
    if (!r->doubt && index->want->method == TUT_METHOD_TEST && !is_measured(r))
        return "a statement; this is decided by a test";
    return r->doubt;
}

/* NULL in *ret_why: as many people stand behind it as are wanted. */
static tut_status ask_signers(tut_evidence_index *index, const group *g, const entry *at,
                              const char **ret_why)
{
    const tut_want *want = index->want;
    *ret_why = NULL;
    if (want->signers == 0)
        return TUT_SUCCESS;
    signing people = find_signers(index, g, at);
    bool is_enough = people.count >= want->signers && has_each_role(want, &people);
    return is_enough ? TUT_SUCCESS : say_signers(index, &people, ret_why);
}

static tut_status judge(tut_evidence_index *index, const tut_want_subject *subject, const group *g,
                        const entry *at, tut_match_result *ret)
{
    const tut_record *r = at->record;
    bool is_same = subject->is_any_digest ||
                   (subject->has_digest && tut_sha256_eq(at->digest, &subject->digest));
    bool is_whole;
    ret->record = r;
    if (!is_same) {
        ret->standing = TUT_STANDING_OTHER_DIGEST;
        ret->why = "about another version";
        return TUT_SUCCESS;
    }
    ret->standing = TUT_STANDING_NOT_ENOUGH;
    ret->why = find_bar(index, r);
    if (ret->why)
        return TUT_SUCCESS;
    /* Before signers are counted: those of what ran out no longer count, and that is why. */
    if (is_expired(index->e, index->want, r)) {
        ret->standing = TUT_STANDING_STALE;
        ret->why = "ran out";
        return TUT_SUCCESS;
    }
    if (index->covered && index->covered->index > r->index) {
        ret->why = "does not cover the findings that came since";
        return TUT_SUCCESS;
    }
    TUT_TRY(ask_signers(index, g, at, &ret->why));
    if (ret->why)
        return TUT_SUCCESS;
    TUT_TRY(body_is_whole(index->e, r, &is_whole));
    if (!is_whole && r->result != TUT_RESULT_FAIL) { /* losing a body never hides a failure */
        ret->why = "what it was drawn from is missing or altered";
        return TUT_SUCCESS;
    }
    ret->standing = standing_of_result(index->want, r->result, &ret->why);
    return TUT_SUCCESS;
}

static tut_use use_of(tut_standing standing)
{
    switch (standing) {
    case TUT_STANDING_HOLDS:
    case TUT_STANDING_EXEMPT:
        return TUT_USE_COUNTS;
    case TUT_STANDING_CONTRADICTED:
        return TUT_USE_CONTRADICTS;
    case TUT_STANDING_STALE:
        return TUT_USE_STALE;
    case TUT_STANDING_OTHER_DIGEST:
        return TUT_USE_OTHER_DIGEST;
    case TUT_STANDING_NOT_ENOUGH:
    case TUT_STANDING_MISSING:
    case TUT_STANDING_COUNT:
        return TUT_USE_NOT_ENOUGH;
    }
    return TUT_USE_NOT_ENOUGH;
}

/* A record appears once in a control: of two uses the one that decides more stays. */
static int weight_of(tut_use use)
{
    static const int weights[] = {
        [TUT_USE_CONTRADICTS] = 6, [TUT_USE_COUNTS] = 5,       [TUT_USE_STALE] = 4,
        [TUT_USE_NOT_ENOUGH] = 3,  [TUT_USE_OTHER_DIGEST] = 2, [TUT_USE_SUPERSEDED] = 1};
    return weights[use];
}

static tut_status note_use(tut_evaluation *e, tut_control *c, const tut_record *r, tut_use use,
                           const char *why)
{
    if (!c)
        return TUT_SUCCESS;
    size_t *place = &e->places[r - e->a->records->items];
    bool is_noted = *place < c->evidence_count && c->evidence[*place].record == r;
    tut_evidence_use *slot = is_noted ? &c->evidence[*place] : NULL;
    if (slot && weight_of(slot->use) >= weight_of(use))
        return TUT_SUCCESS;
    char *copy = tut_strdup(why);
    if (!copy)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    if (slot) {
        tut_free(slot->why);
        slot->use = use;
        slot->why = copy;
        return TUT_SUCCESS;
    }
    tut_evidence_use *grown = tut_realloc_array(c->evidence, c->evidence_count + 1, sizeof(*grown));
    if (!grown) {
        tut_free(copy);
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    }
    c->evidence = grown;
    *place = c->evidence_count;
    c->evidence[c->evidence_count++] = (tut_evidence_use){.record = r, .use = use, .why = copy};
    return TUT_SUCCESS;
}

/* The newest entry about this digest that is of the right kind; else the best of the others. */
static tut_status choose(tut_evidence_index *index, const tut_want_subject *subject, const group *g,
                         size_t *ret_at, tut_match_result *ret)
{
    bool has_one = false;
    for (size_t i = g->first; i < g->end; i++) {
        tut_match_result at = {0};
        TUT_TRY(judge(index, subject, g, &index->entries[i], &at));
        /* What proves nothing does not hide what was proved before it. */
        bool is_final = at.standing != TUT_STANDING_OTHER_DIGEST && !at.record->doubt &&
                        (index->want->method != TUT_METHOD_TEST || is_measured(at.record));
        if (is_final || !has_one) {
            *ret = at;
            *ret_at = i;
            has_one = true;
        }
        if (is_final)
            return TUT_SUCCESS;
    }
    return TUT_SUCCESS;
}

/* The record before the deciding one is shown where it said something else: that is a change. */
static tut_status note_predecessor(tut_evidence_index *index, const tut_want_subject *subject,
                                   size_t at, size_t end, tut_control *control)
{
    const tut_record *now = index->entries[at].record;
    if (at + 1 >= end)
        return TUT_SUCCESS;
    const entry *before = &index->entries[at + 1];
    bool is_same = subject->is_any_digest ||
                   (subject->has_digest && tut_sha256_eq(before->digest, &subject->digest));
    if (before->record == now || !is_same || before->record->result == now->result)
        return TUT_SUCCESS;
    return note_use(index->e, control, before->record, TUT_USE_SUPERSEDED, "a later record exists");
}

tut_status tut_evidence_find(tut_evidence_index *index, const tut_want_subject *subject,
                             tut_control *control, tut_match_result *ret_result)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->entries[middle].subject, subject->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < index->count && strcmp(index->entries[end].subject, subject->name) == 0)
        end++;
    *ret_result = (tut_match_result){.standing = TUT_STANDING_MISSING, .why = "no record"};
    if (end == low)
        return TUT_SUCCESS;
    size_t at = low;
    group g = {.first = low, .end = end};
    TUT_TRY(choose(index, subject, &g, &at, ret_result));
    TUT_TRY(note_use(index->e, control, ret_result->record, use_of(ret_result->standing),
                     ret_result->why));
    return note_predecessor(index, subject, at, end, control);
}

tut_status tut_evidence_note_unused(tut_evaluation *e, tut_control *control)
{
    const tut_clause *clause = control->clause;
    for (size_t w = 0; w < clause->want_count; w++)
        if (tut_str_eq_z(clause->wants[w].check, TUT_CHECK_DOCUMENT))
            return TUT_SUCCESS;
    for (size_t i = e->a->records->count; i > 0; i--) {
        const tut_record *r = &e->a->records->items[i - 1];
        if (r->type != TUT_RECORD_EVIDENCE || !is_check(r, TUT_LIT(TUT_CHECK_DOCUMENT)) ||
            !names_clause(r, clause->id))
            continue;
        const tut_want *want = &clause->wants[0];
        const char *why = want->method == TUT_METHOD_TEST
                              ? "a statement; this is decided by a test"
                              : "self-declared; signatures of registered people are wanted";
        /* One is enough to say it: the latest. */
        return note_use(e, control, r, TUT_USE_NOT_ENOUGH, why);
    }
    return TUT_SUCCESS;
}
