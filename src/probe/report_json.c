/* tutela.probe/1: one item for each attack, with everything that was measured. */
#include <math.h>

#include "probe/run.h"

static void put_interval(tut_json *j, const char *key, const tut_measure *m)
{
    tut_json_key(j, key);
    if (isnan(m->low) || isnan(m->high)) {
        tut_json_null(j);
        return;
    }
    tut_json_array(j);
    tut_json_real(j, m->low);
    tut_json_real(j, m->high);
    tut_json_end_array(j);
}

static void put_measures(tut_json *j, const tut_attack_result *r)
{
    tut_json_key(j, "measures");
    tut_json_array(j);
    for (size_t i = 0; i < r->measure_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "name", r->measures[i].name);
        tut_json_put_real(j, "value", r->measures[i].value);
        put_interval(j, "interval", &r->measures[i]);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_numbers(tut_json *j, const char *key, const double *values, size_t count)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        tut_json_real(j, values[i]);
    tut_json_end_array(j);
}

static void put_curves(tut_json *j, const tut_attack_result *r)
{
    tut_json_key(j, "curves");
    tut_json_array(j);
    for (size_t i = 0; i < r->curve_count; i++) {
        const tut_curve *c = &r->curves[i];
        tut_json_object(j);
        tut_json_put_z(j, "name", c->name);
        tut_json_put_z(j, "x", c->x);
        tut_json_put_z(j, "y", c->y);
        put_numbers(j, "xs", c->xs, c->count);
        put_numbers(j, "ys", c->ys, c->count);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_exposed(tut_json *j, const tut_attack_result *r)
{
    tut_json_key(j, "exposed");
    tut_json_array(j);
    for (size_t i = 0; i < r->exposed_count; i++) {
        const tut_exposed *e = &r->exposed[i];
        tut_json_object(j);
        tut_json_key(j, "row");
        if (e->row == UINT64_MAX)
            tut_json_null(j);
        else
            tut_json_u64(j, e->row);
        tut_json_put_real(j, "score", e->score);
        tut_json_put_z(j, "text", e->text);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_way(tut_json *j, const tut_attack_result *r)
{
    tut_json_put_z(j, "metric", r->metric);
    tut_json_put_real(j, "value", r->metric ? r->decisive.value : NAN);
    put_interval(j, "interval", &r->decisive);
    tut_json_put_real(j, "baseline", r->metric ? r->baseline : NAN);
    tut_json_put_z(j, "budget", r->budget);
    tut_json_put_u64(j, "queries", r->queries);
    tut_json_put_u64(j, "rows", r->rows);
    tut_json_put_bool(j, "cut", r->was_cut);
    tut_json_put_z(j, "reason", r->reason);
    tut_json_put_z(j, "weakness", r->weakness);
    tut_json_put_z(j, "kept", r->kept);
    tut_json_key(j, "sample");
    if (r->has_sample)
        tut_json_sha256(j, r->sample);
    else
        tut_json_null(j);
    put_measures(j, r);
    put_curves(j, r);
    put_exposed(j, r);
}

static void put_attack(tut_json *j, const tut_probe_run *r, const struct tut_probe_done *d)
{
    const tut_probe_about *about = tut_probe_about_of(r->kind);
    tut_json_object(j);
    tut_json_put_z(j, "name", d->attack->name);
    tut_json_put_z(j, "about", d->attack->about);
    tut_json_put_z(j, "source", d->attack->source);
    tut_json_put_z(j, "threat", about->threat);
    tut_json_put_words(j, "atlas", about->atlas);
    tut_json_put_z(j, "verdict", tut_outcome_name(d->outcome));
    put_way(j, &d->ways[r->is_guarded]);
    tut_json_key(j, "unguarded");
    if (r->is_guarded) {
        tut_json_object(j);
        put_way(j, &d->ways[TUT_WAY_STRAIGHT]);
        tut_json_end_object(j);
    } else {
        tut_json_null(j);
    }
    tut_json_key(j, "bound");
    if (d->bound) {
        tut_json_object(j);
        tut_json_put_z(j, "metric", d->bound->metric);
        tut_json_put_real(j, d->bound->is_most ? "at_most" : "at_least", d->bound->value);
        tut_json_end_object(j);
    } else {
        tut_json_null(j);
    }
    tut_json_end_object(j);
}

static void put_target(tut_json *j, const char *key, const tut_target_facts *t,
                       const tut_allowance *spent)
{
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_z(j, "place", t->shown);
    tut_json_put_z(j, "kind", t->kind);
    tut_json_key(j, "digest");
    if (t->has_digest)
        tut_json_sha256(j, t->digest);
    else
        tut_json_null(j);
    tut_json_put_bool(j, "unstable", t->is_unstable);
    tut_json_put_u64(j, "queries", spent->queries);
    tut_json_put_u64(j, "refused", spent->refused);
    tut_json_put_u64(j, "failed", spent->failed);
    tut_json_put_u64(j, "from_journal", spent->from_journal);
    tut_json_put_u64(j, "tokens_in", spent->tokens_in);
    tut_json_put_u64(j, "tokens_out", spent->tokens_out);
    tut_json_put_real(j, "money", spent->money);
    tut_json_end_object(j);
}

void tut_probe_run_json(const tut_probe_run *r, tut_json *j)
{
    const tut_probe_about *about = tut_probe_about_of(r->kind);
    tut_json_put_z(j, "probe", about->name);
    put_target(j, "target", &r->targets[TUT_WAY_STRAIGHT], &r->spent[TUT_WAY_STRAIGHT]);
    if (r->is_guarded)
        put_target(j, "guarded", &r->targets[TUT_WAY_GUARDED], &r->spent[TUT_WAY_GUARDED]);
    if (r->spent_on_reference.queries)
        tut_json_put_u64(j, "reference_queries", r->spent_on_reference.queries);
    tut_json_put_u64(j, "seed", r->seed);
    tut_json_put_time(j, "from", r->from);
    tut_json_put_time(j, "to", r->to);
    tut_json_key(j, "attacks");
    tut_json_array(j);
    for (size_t i = 0; i < r->count; i++)
        put_attack(j, r, &r->attacks[i]);
    tut_json_end_array(j);
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "verdict", tut_outcome_name(r->outcome));
    tut_json_put_z(j, "reason", r->reason[0] ? r->reason : NULL);
    tut_json_put_bool(j, "cut", r->was_cut);
    tut_json_put_bool(j, "does_not_apply", r->does_not_apply);
    tut_json_put_u64(j, "members", r->rows[0]);
    tut_json_put_u64(j, "others", r->rows[1]);
    tut_json_end_object(j);
}
