#include "formats/pickle_sniff.h"

#include "formats/pickle_machine.h"
#include "formats/pickle_stream.h"

/* Endings that promise a pickle; those of PICKLE_ENDINGS are used for other things as well. */
#define PICKLE_OWN_ENDINGS ".pkl .pickle .pck .pcl .joblib .dill .cloudpickle"
#define PICKLE_ENDINGS                                                                             \
    ".pkl .pickle .pck .pcl .p .pt .pth .bin .ckpt .joblib .dill .cloudpickle .dat"

void tut_psniff_glance(tut_span head, uint64_t size, uint64_t ops_max, tut_pglance *ret)
{
    *ret = (tut_pglance){0};
    if (head.len == 0 || !tut_popcodes[head.data[0]].run)
        return;
    tut_pinput in = tut_pinput_memory(head, 0, size);
    tut_pmachine m;
    if (!tut_is_ok(tut_pmachine_init(&m, NULL, &in, NULL)))
        return;
    m.ops_max = ops_max;
    m.is_plain = true;
    tut_status status = tut_pmachine_run(&m, -1, NULL);
    ret->has_proto = head.len >= 2 && head.data[0] == 0x80 && head.data[1] <= 5;
    ret->is_done = m.is_done && tut_is_ok(status);
    ret->is_cut = m.broken == TUT_TRUNCATED || m.broken == TUT_LIMIT;
    ret->is_ordered = m.odd_names == 0 && (m.marks.len || m.stack.len * 2 <= m.ops);
    ret->ops = m.ops;
    ret->imports = m.imports;
    ret->calls = m.calls;
    ret->end = tut_pinput_pos(&in);
    tut_pmachine_done(&m);
}

static tut_match match_proto(const tut_sniff *s, const tut_pglance *g)
{
    /* What is cut though all of it was seen is as likely a tensor whose first bytes look like
     * PROTO. */
    bool goes_on = g->is_cut && s->size > s->head.len;
    if (g->is_done || (goes_on && g->ops >= 3))
        return TUT_MATCH_SURE;
    if (g->imports || goes_on || tut_sniff_ext(s, PICKLE_OWN_ENDINGS))
        return TUT_MATCH_STRONG;
    return g->ops >= 3 ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

/* Protocols 0 and 1 begin with no mark: only what runs well, and is worth it, is a pickle. */
static tut_match match_plain(const tut_sniff *s, const tut_pglance *g)
{
    bool is_named = tut_sniff_ext(s, PICKLE_OWN_ENDINGS);
    if (g->is_done) {
        if (g->end == s->size ? g->ops >= 3 : g->imports && g->is_ordered)
            return TUT_MATCH_STRONG;
        bool is_likely = g->end < s->size && g->ops >= 8 && g->is_ordered;
        return is_named || is_likely ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
    }
    if (g->is_cut) {
        if (g->imports && g->calls)
            return TUT_MATCH_STRONG;
        if (g->ops >= 16 && g->is_ordered)
            return TUT_MATCH_STRONG;
        bool goes_on = s->size > s->head.len; /* one long string may fill all that was seen */
        return is_named && (goes_on || g->ops >= 2) ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
    }
    if (g->imports && (g->calls || is_named))
        return TUT_MATCH_STRONG;
    return is_named && g->ops >= 2 ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static tut_match sniff_pickle(const tut_sniff *s)
{
    tut_pglance g;
    tut_psniff_glance(s->head, s->size, 0, &g);
    if (g.ops == 0)
        return TUT_MATCH_NONE;
    return g.has_proto ? match_proto(s, &g) : match_plain(s, &g);
}

bool tut_psniff_is_pickle(tut_span head, uint64_t size)
{
    /* Without PROTO only a pickle that names something matters, and names need one of these. */
    if (head.len < 2 || (head.data[0] != 0x80 && !memchr(head.data, '\n', head.len) &&
                         !memchr(head.data, 0x93, head.len)))
        return false;
    tut_pglance g;
    tut_psniff_glance(head, size, 0, &g);
    if (g.has_proto)
        return (g.is_done && g.ops >= 3) || (g.is_cut && g.ops >= 4) || g.imports;
    return g.imports && (g.is_done || g.is_cut || g.calls);
}

bool tut_psniff_follows(tut_span head, uint64_t size)
{
    tut_pglance g;
    tut_psniff_glance(head, size, 0, &g);
    if (g.has_proto)
        return g.is_done || g.is_cut || g.imports;
    return g.is_done ? g.ops >= 2 : g.imports || (g.is_cut && g.ops >= 16);
}

extern const tut_format tut_format_pickle;
const tut_format tut_format_pickle = {
    .name = "pickle",
    .label = "Python pickle",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_ANY,
    .sniff = sniff_pickle,
    .examine = tut_pstream_examine,
    .extensions = PICKLE_ENDINGS " .data .sav .model .obj",
    .reads =
        "opcodes as the loaders run them, both readings of frames, nested and following streams",
    .rules = "pickle data",
};
