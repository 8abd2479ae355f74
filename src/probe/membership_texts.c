/*
 * Texts as rows of an attack on membership: those that the model was trained on and others, which
 * words occur in them (what tells them apart without the model), and the strongest of several
 * scores as the result.
 */
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "base/cage.h"
#include "base/json_write.h"
#include "probe/membership_texts.h"
#include "probe/target_internal.h"
#include "stats/random.h"
#include "stats/seeded.h"
#include "stats/tails.h"

enum { TEXTS_MOST = 1000, LINES_MOST = 65536, TEXT_BYTES = TUT_MIA_TEXT_BYTES, TEXT_LEAST = 20 };
enum { BATCH = TUT_MIA_TEXT_BATCH, WORDS = 128 };

/* --- texts --- */

static tut_str cut_text(tut_str line)
{
    tut_str s = tut_str_trim(line);
    if (s.len > TEXT_BYTES) {
        s.len = TEXT_BYTES;
        while (s.len > 0 && ((uint8_t)s.data[s.len] & 0xc0) == 0x80)
            s.len--;
    }
    return s;
}

/* One a line; those that are too short say nothing. */
static size_t split_lines(const char *from, tut_str *ret, uint64_t *numbers, size_t most)
{
    size_t count = 0;
    uint64_t number = 0;
    for (const char *at = from; at && *at && count < most; number++) {
        size_t len = strcspn(at, "\n");
        tut_str line = cut_text((tut_str){at, len});
        if (line.len >= TEXT_LEAST) {
            ret[count] = line;
            numbers[count++] = number;
        }
        at += len + (at[len] == '\n');
    }
    return count;
}

/* Which words occur: those with the same hash share a column. */
static void note_words(tut_str text, float *ret)
{
    uint64_t hash = 0;
    for (size_t i = 0; i <= text.len; i++) {
        char c = i < text.len ? text.data[i] : ' ';
        if (c != ' ' && c != '\t') {
            hash = tut_random_mix(hash ^ (uint8_t)c);
            continue;
        }
        if (hash)
            ret[hash % WORDS] = 1;
        hash = 0;
    }
    ret[WORDS] = (float)text.len;
}

static tut_status add_texts(tut_mia_texts *a, const char *from, size_t most, bool is_member,
                            tut_error *err)
{
    tut_mia_kept *k = &a->kept;
    TUT_AUTO_FREE tut_str *lines = tut_alloc_array(LINES_MOST, sizeof(*lines));
    TUT_AUTO_FREE uint64_t *numbers = tut_alloc_array(LINES_MOST, sizeof(*numbers));
    tut_seeded random = tut_seeded_of(a->p->seed ^ (is_member ? 8 : 9));
    if (!lines || !numbers)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t count = split_lines(from, lines, numbers, LINES_MOST), left = most;
    left = left < count ? left : count;
    for (size_t i = 0; i < count && left > 0; i++) {
        if (tut_seeded_below(&random, count - i) >= left)
            continue;
        a->texts[k->count] = lines[i];
        k->numbers[k->count] = numbers[i];
        k->is_member[k->count] = is_member;
        note_words(lines[i], k->rows + k->count * k->width);
        k->count++;
        k->members += is_member;
        left--;
    }
    return TUT_SUCCESS;
}

static tut_status gather(tut_mia_texts *a, tut_error *err)
{
    tut_arena *arena = &a->p->arena;
    size_t most = TEXTS_MOST, room = (size_t)2 * TEXTS_MOST;
    tut_mia_kept *k = &a->kept;
    *k = (tut_mia_kept){.width = WORDS + 1, .classes = 2, .blind_tpr = NAN, .blind_auc = NAN};
    k->rows = tut_arena_take(arena, room, k->width * sizeof(*k->rows));
    k->labels = tut_arena_take(arena, room, sizeof(*k->labels));
    k->numbers = tut_arena_take(arena, room, sizeof(*k->numbers));
    k->is_member = tut_arena_take(arena, room, 1);
    a->texts = tut_arena_take(arena, room, sizeof(*a->texts));
    bool is_whole = k->rows && k->labels && k->numbers && k->is_member && a->texts;
    for (unsigned s = 0; s < a->kinds; s++) {
        a->scores[s] = tut_arena_take(arena, room, sizeof(*a->scores[s]));
        is_whole = is_whole && a->scores[s];
    }
    if (!is_whole)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (a->p->target->allowance)
        most = (size_t)tut_allowance_left(a->p->target->allowance, room) / 2;
    TUT_TRY(add_texts(a, a->p->texts.documents, most, true, err));
    TUT_TRY(add_texts(a, a->p->texts.other_documents, most, false, err));
    for (unsigned s = 0; s < a->kinds; s++)
        for (size_t i = 0; i < k->count; i++)
            a->scores[s][i] = NAN;
    return TUT_SUCCESS;
}

/* In an order that the seed draws: a part of it is a fair one. */
static tut_status ask_all(tut_mia_texts *a, tut_error *err)
{
    size_t count = a->kept.count;
    TUT_AUTO_FREE size_t *order = tut_alloc_array(count + 1, sizeof(*order));
    tut_seeded random = tut_seeded_of(a->p->seed ^ 10);
    if (!order)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)tut_seeded_below(&random, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (size_t i = 0; i < count; i += BATCH) {
        tut_probe_step(a->p, "texts", i, count);
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(a->ask(a, order + i, count - i < BATCH ? count - i : BATCH, err));
    }
    return TUT_SUCCESS;
}

/* --- the result --- */

/* The score that tells most decides, with an interval that allows for having chosen among those
 * that could be measured. */
static tut_status report(tut_mia_texts *a, tut_attack_result *ret, tut_error *err)
{
    tut_measure of[TUT_MIA_TEXT_SCORES];
    tut_curve curves[TUT_MIA_TEXT_SCORES] = {{.name = NULL}};
    unsigned best = 0, measured = 0;
    for (unsigned s = 0; s < a->kinds; s++) {
        tut_attack_result one = {.metric = NULL};
        TUT_TRY(tut_mia_report(a->p, &a->kept, a->names[s].name, a->scores[s], &one, err));
        of[s] = one.decisive;
        if (one.curve_count)
            curves[s] = one.curves[0];
        measured += !isnan(one.decisive.value);
        if (s == 0 || one.decisive.value > of[best].value ||
            (isnan(of[best].value) && !isnan(one.decisive.value))) {
            const char *weakness = ret->weakness;
            best = s;
            *ret = one;
            ret->weakness = weakness;
        }
    }
    for (unsigned s = 0; s < a->kinds; s++) {
        if (!isnan(of[s].value))
            tut_result_add(ret, a->names[s].measure, of[s].value, of[s].low, of[s].high);
        if (s != best && curves[s].count && ret->curve_count < TUT_RESULT_CURVES)
            ret->curves[ret->curve_count++] = curves[s];
    }
    if (isnan(ret->decisive.value))
        return TUT_SUCCESS;
    uint64_t members = 0;
    for (size_t i = 0; i < a->kept.count; i++)
        members += a->kept.is_member[i] && !isnan(a->scores[best][i]);
    uint64_t hits = (uint64_t)rint(ret->decisive.value * (double)members);
    tut_binomial_interval(hits, members, 1 - 0.05 / measured, &ret->decisive.low,
                          &ret->decisive.high);
    return TUT_SUCCESS;
}

tut_status tut_mia_texts_run(tut_mia_texts *a, tut_attack_result *ret, tut_error *err)
{
    tut_probe *p = a->p;
    ret->metric = "tpr_at_1";
    ret->decisive = (tut_measure){"tpr_at_1", NAN, NAN, NAN};
    ret->baseline = NAN;
    if (!p->texts.documents || !p->texts.other_documents) {
        ret->reason = "needs texts that the model was trained on (documents) and texts of the same "
                      "kind that it was not (other_documents)";
        return TUT_SUCCESS;
    }
    TUT_TRY(gather(a, err));
    if (a->kept.members == 0 || a->kept.members == a->kept.count) {
        ret->reason =
            "there are no texts of 20 characters or more on both sides, or no queries left";
        return TUT_SUCCESS;
    }
    tut_status s = ask_all(a, err);
    a->kept.was_cut = s.code == TUT_CANCELLED || s.code == TUT_IO;
    if (!tut_is_ok(s) && !a->kept.was_cut)
        return s;
    TUT_TRY(tut_mia_blind(p, &a->kept, err));
    TUT_TRY(report(a, ret, err));
    ret->queries = a->asked;
    return s.code == TUT_CANCELLED ? s : TUT_SUCCESS;
}

tut_status tut_mia_texts_prompt(tut_str text, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_str(j, "prompt", text);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

double tut_mia_texts_packed_bits(tut_str text)
{
    Bytef packed[TEXT_BYTES + 256];
    uLongf size = sizeof(packed);
    if (compress2(packed, &size, (const Bytef *)text.data, (uLong)text.len, 9) != Z_OK)
        return 8 * (double)text.len;
    return 8 * (double)size;
}
