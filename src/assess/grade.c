/* The grade: a score, the caps that bite, one sentence, and the exit status. As the contract says:
 * met 1, partly 1/2, else 0; a shall weighs twice; not applicable is left out. */
#include "assess/evaluate_internal.h"

typedef struct tally {
    size_t shalls;         /* applicable */
    size_t shalls_checked; /* met, partly or not met */
    size_t shalls_unproved;
    size_t shalls_not_met;
    double gained, possible;
} tally;

static const char *const number_words[] = {"No",   "One",    "Two",   "Three", "Four",
                                           "Five", "Six",    "Seven", "Eight", "Nine",
                                           "Ten",  "Eleven", "Twelve"};

static double value_of(tut_control_verdict v)
{
    return v == TUT_CONTROL_MET ? 1.0 : v == TUT_CONTROL_PARTLY ? 0.5 : 0.0;
}

static tally count_up(tut_assessment *a)
{
    tally t = {0};
    for (size_t v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++)
        a->counts[v] = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_control *c = &a->controls[i];
        a->counts[c->verdict]++;
        if (c->verdict == TUT_CONTROL_NOT_APPLICABLE)
            continue;
        bool is_shall = c->clause->modality == TUT_SHALL;
        double weight = is_shall ? 2.0 : 1.0;
        t.possible += weight;
        t.gained += weight * value_of(c->verdict);
        if (!is_shall)
            continue;
        t.shalls++;
        t.shalls_checked += c->verdict != TUT_CONTROL_NOT_CHECKED;
        t.shalls_not_met += c->verdict == TUT_CONTROL_NOT_MET;
        t.shalls_unproved += c->verdict == TUT_CONTROL_PARTLY ||
                             c->verdict == TUT_CONTROL_NOT_CHECKED;
    }
    return t;
}

static char letter_of(double score)
{
    static const struct {
        double from;
        char letter;
    } steps[] = {{85, 'A'}, {70, 'B'}, {55, 'C'}, {40, 'D'}, {25, 'E'}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (score >= steps[i].from)
            return steps[i].letter;
    return 'F';
}

static tut_status add_cap(tut_assessment *a, char grade, bool applies, char *reason, tut_error *err)
{
    if (!reason)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    a->caps[a->cap_count++] = (tut_cap){.grade = grade, .applies = applies, .reason = reason};
    return TUT_SUCCESS;
}

static tut_status add_not_met(tut_assessment *a, const tally *t, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (t->shalls_not_met == 0)
        return add_cap(a, 'C', false, tut_strdup("no shall is not met"), err);
    tut_buf_add_z(&text, "a shall is not met:");
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_control *c = &a->controls[i];
        if (c->clause->modality != TUT_SHALL || c->verdict != TUT_CONTROL_NOT_MET)
            continue;
        tut_buf_add_byte(&text, ' ');
        tut_buf_add_str(&text, c->clause->id);
    }
    return add_cap(a, 'C', true, tut_buf_steal(&text), err);
}

static tut_status add_unproved(tut_assessment *a, const tally *t, size_t expired, tut_error *err)
{
    if (t->shalls_unproved == 0)
        return add_cap(a, 'B', false, tut_strdup("no shall is unproved"), err);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%zu %s partly or unproved", t->shalls_unproved,
                   t->shalls_unproved == 1 ? "shall" : "shalls");
    if (expired > 0)
        tut_buf_printf(&text, "; %zu %s expired", expired, expired == 1 ? "record" : "records");
    return add_cap(a, 'B', true, tut_buf_steal(&text), err);
}

static tut_status add_damage(tut_assessment *a, const char *damage, tut_error *err)
{
    if (!damage)
        return add_cap(a, 'F', false, tut_strdup("the records verify"), err);
    return add_cap(a, 'F', true, tut_asprintf("the records do not verify: %s", damage), err);
}

/* The strictest cap that applies decides; letters grow worse with the alphabet. */
static void apply_caps(tut_assessment *a)
{
    tut_cap *strictest = NULL;
    for (size_t i = 0; i < a->cap_count; i++)
        if (a->caps[i].applies && (!strictest || a->caps[i].grade > strictest->grade))
            strictest = &a->caps[i];
    a->grade = a->grade_without_caps;
    if (strictest && strictest->grade == 'F') { /* what was altered gets no benefit of the doubt */
        strictest->bit = a->grade != 'F';
        a->grade = 'F';
    } else if (a->grade != 0 && strictest && strictest->grade > a->grade) {
        strictest->bit = true;
        a->grade = strictest->grade;
    }
}

static void add_number(tut_buf *out, size_t n, const char *one, const char *many)
{
    if (n < sizeof(number_words) / sizeof(number_words[0]))
        tut_buf_printf(out, "%s %s", number_words[n], n == 1 ? one : many);
    else
        tut_buf_printf(out, "%zu %s", n, n == 1 ? one : many);
}

static tut_status write_sentence(tut_assessment *a, const tally *t, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const tut_cap *bit = NULL;
    for (size_t i = 0; i < a->cap_count; i++)
        if (a->caps[i].bit)
            bit = &a->caps[i];
    if (a->grade == 0) {
        if (t->shalls_not_met > 0) {
            add_number(&text, t->shalls_not_met, "duty is not met", "duties are not met");
            tut_buf_add_z(&text, ". ");
        }
        tut_buf_printf(&text,
                       "No grade: %zu of %zu applicable duties were checked, and at least half "
                       "must be.",
                       t->shalls_checked, t->shalls);
    } else if (bit && bit->grade == 'F') {
        tut_buf_add_z(&text, "The records do not verify, so the grade is F.");
    } else if (bit && bit->grade == 'C') {
        add_number(&text, t->shalls_not_met, "duty is", "duties are");
        tut_buf_add_z(&text, " not met, so the grade stops at C.");
    } else if (bit) {
        add_number(&text, t->shalls_unproved, "duty is", "duties are");
        tut_buf_add_z(&text, " not proved, so the grade stops at B.");
    } else if (t->shalls_not_met > 0) {
        add_number(&text, t->shalls_not_met, "duty is", "duties are");
        tut_buf_add_z(&text, " not met.");
    } else if (t->shalls_unproved > 0) {
        add_number(&text, t->shalls_unproved, "duty is", "duties are");
        tut_buf_add_z(&text, " not proved yet.");
    } else {
        tut_buf_add_z(&text, "Every applicable duty is met.");
    }
    TUT_TRY(tut_buf_check(&text, err));
    a->grade_sentence = tut_buf_steal(&text);
    return a->grade_sentence ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_grade_assessment(tut_assessment *a, const char *damage, size_t expired,
                                tut_error *err)
{
    tally t = count_up(a);
    a->score = t.possible > 0 ? 100.0 * t.gained / t.possible : 0.0;
    bool is_enough = t.shalls > 0 && 2 * t.shalls_checked >= t.shalls;
    a->grade_without_caps = is_enough ? letter_of(a->score) : 0;
    TUT_TRY(add_not_met(a, &t, err));
    TUT_TRY(add_unproved(a, &t, expired, err));
    TUT_TRY(add_damage(a, damage, err));
    apply_caps(a);
    return write_sentence(a, &t, err);
}

bool tut_assessment_is_damaged(const tut_assessment *a)
{
    for (size_t i = 0; i < a->cap_count; i++)
        if (a->caps[i].grade == 'F' && a->caps[i].applies)
            return true;
    return false;
}

/* Findings decide first, then doubt. */
int tut_assessment_exit(const tut_assessment *a, tut_severity fail_on)
{
    bool is_doubtful = a->grade == 0 || a->unchecked_count > 0;
    for (size_t i = 0; i < a->finding_count; i++)
        if (a->findings[i].severity >= fail_on)
            return 1;
    if (tut_assessment_is_damaged(a))
        return 1;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_control *c = &a->controls[i];
        tut_severity severity = c->clause->modality == TUT_SHALL ? TUT_SEVERITY_HIGH
                                                                 : TUT_SEVERITY_LOW;
        if (c->verdict == TUT_CONTROL_NOT_MET && severity >= fail_on)
            return 1;
        is_doubtful = is_doubtful || c->verdict == TUT_CONTROL_NOT_CHECKED || c->is_stale;
    }
    return is_doubtful ? 3 : 0;
}
