/* See the header for the grammar. Names of witnesses and groups share one table in the order of the
 * file; a group's members stand before it, so that one pass over the table decides all of them. */
#include "ledger/witness_policy.h"

#include "base/limits.h"

enum { NODES_MAX = TUT_POLICY_WITNESSES_MAX + TUT_POLICY_GROUPS_MAX, NO_NODE = -1 };

typedef struct node {
    char *name; /* owned here for groups, borrowed from the witness otherwise */
    bool is_group;
    size_t witness; /* index, of a witness */
    size_t need;    /* of a group */
    int group;      /* node that this is a member of, or NO_NODE */
} node;

struct tut_witness_policy {
    tut_policy_log logs[TUT_POLICY_LOGS_MAX];
    tut_policy_witness witnesses[TUT_POLICY_WITNESSES_MAX];
    node nodes[NODES_MAX];
    size_t log_count, witness_count, group_count, node_count;
    bool has_quorum;
    int quorum; /* NO_NODE: none */
};

typedef struct line_reader {
    tut_str rest; /* of the line */
    unsigned number;
    tut_error *err;
} line_reader;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next word of the line; empty at its end. */
static tut_str next_word(line_reader *l)
{
    while (l->rest.len && is_blank(l->rest.data[0]))
        l->rest = (tut_str){l->rest.data + 1, l->rest.len - 1};
    tut_str word = {l->rest.data, 0};
    while (word.len < l->rest.len && !is_blank(l->rest.data[word.len]))
        word.len++;
    l->rest = (tut_str){l->rest.data + word.len, l->rest.len - word.len};
    return word;
}

static tut_status bad(const line_reader *l, const char *what)
{
    return tut_fail(l->err, TUT_MALFORMED, "line %u of the witness policy: %s", l->number, what);
}

static tut_status keep(tut_str text, char **ret_copy, const line_reader *l)
{
    *ret_copy = tut_strndup(text.data, text.len);
    return *ret_copy ? TUT_SUCCESS : tut_fail(l->err, TUT_NOMEM, "memory ran out");
}

/* An optional last word, and nothing behind it. */
static tut_status read_url(line_reader *l, char **ret_url)
{
    tut_str url = next_word(l);
    if (next_word(l).len)
        return bad(l, "there is more on the line than belongs there");
    return url.len ? keep(url, ret_url, l) : TUT_SUCCESS;
}

static tut_status read_key(line_reader *l, tut_verifier *v)
{
    tut_error why = {0};
    tut_status s = tut_verifier_parse(next_word(l), v, &why);
    if (!tut_is_ok(s))
        return tut_fail(l->err, s.code, "line %u of the witness policy: %s", l->number, why.text);
    return TUT_SUCCESS;
}

static tut_status read_log(tut_witness_policy *p, line_reader *l)
{
    if (p->log_count == TUT_POLICY_LOGS_MAX)
        return tut_fail(l->err, TUT_LIMIT, "the witness policy has more than %d logs",
                        TUT_POLICY_LOGS_MAX);
    tut_policy_log *log = &p->logs[p->log_count];
    TUT_TRY(read_key(l, &log->verifier));
    p->log_count++; /* from here on it is freed with the policy */
    if (log->verifier.algorithm == TUT_NOTE_COSIGNATURE)
        return bad(l, "that is a witness's key, not a log's");
    for (size_t i = 0; i + 1 < p->log_count; i++) {
        if (tut_pubkey_eq(p->logs[i].verifier.key, log->verifier.key))
            return bad(l, "the same key stands on an earlier log line");
    }
    return read_url(l, &log->url);
}

static int find_node(const tut_witness_policy *p, tut_str name)
{
    for (size_t i = 0; i < p->node_count; i++) {
        if (tut_str_eq(name, tut_str_of(p->nodes[i].name)))
            return (int)i;
    }
    return NO_NODE;
}

static tut_status check_new_name(const tut_witness_policy *p, tut_str name, const line_reader *l)
{
    if (name.len == 0)
        return bad(l, "a name is missing");
    if (tut_str_eq_z(name, "none"))
        return bad(l, "\"none\" means no quorum and cannot be a name");
    if (find_node(p, name) != NO_NODE)
        return bad(l, "the name was given on an earlier line");
    return TUT_SUCCESS;
}

static tut_status read_witness(tut_witness_policy *p, line_reader *l)
{
    tut_str name = next_word(l);
    TUT_TRY(check_new_name(p, name, l));
    if (p->witness_count == TUT_POLICY_WITNESSES_MAX)
        return tut_fail(l->err, TUT_LIMIT, "the witness policy has more than %d witnesses",
                        TUT_POLICY_WITNESSES_MAX);
    tut_policy_witness *w = &p->witnesses[p->witness_count];
    TUT_TRY(read_key(l, &w->verifier));
    p->witness_count++;
    if (w->verifier.algorithm != TUT_NOTE_COSIGNATURE)
        return bad(l, "that is a log's key, not a witness's");
    for (size_t i = 0; i + 1 < p->witness_count; i++) {
        if (tut_pubkey_eq(p->witnesses[i].verifier.key, w->verifier.key))
            return bad(l, "the same key stands on an earlier witness line");
    }
    TUT_TRY(keep(name, &w->name, l));
    p->nodes[p->node_count++] =
        (node){.name = w->name, .witness = p->witness_count - 1, .group = NO_NODE};
    return read_url(l, &w->url);
}

static tut_status read_members(tut_witness_policy *p, line_reader *l, int group, size_t *ret_count)
{
    size_t count = 0;
    for (tut_str name = next_word(l); name.len; name = next_word(l)) {
        int member = find_node(p, name);
        if (member == NO_NODE || member == group)
            return bad(l, "a member is not defined on an earlier line");
        if (p->nodes[member].group != NO_NODE)
            return bad(l, "a member is listed already; each may count only once");
        p->nodes[member].group = group;
        count++;
    }
    *ret_count = count;
    return count ? TUT_SUCCESS : bad(l, "the group has no members");
}

static tut_status read_group(tut_witness_policy *p, line_reader *l)
{
    tut_str name = next_word(l);
    tut_str rule = next_word(l);
    uint64_t need = 0;
    size_t count;
    TUT_TRY(check_new_name(p, name, l));
    bool is_all = tut_str_eq_z(rule, "all");
    bool is_any = tut_str_eq_z(rule, "any");
    if (!is_all && !is_any && (!tut_str_u64(rule, &need) || need == 0))
        return bad(l, "a group needs all, any, or a number from 1 on");
    if (p->group_count == TUT_POLICY_GROUPS_MAX)
        return tut_fail(l->err, TUT_LIMIT, "the witness policy has more than %d groups",
                        TUT_POLICY_GROUPS_MAX);
    int self = (int)p->node_count;
    node *n = &p->nodes[self];
    *n = (node){.is_group = true, .group = NO_NODE};
    TUT_TRY(keep(name, &n->name, l));
    p->node_count++;
    p->group_count++;
    TUT_TRY(read_members(p, l, self, &count));
    n->need = is_all ? count : is_any ? 1 : (size_t)need;
    if (need > count)
        return bad(l, "the group needs more members than it has");
    return TUT_SUCCESS;
}

static tut_status read_quorum(tut_witness_policy *p, line_reader *l)
{
    tut_str name = next_word(l);
    if (p->has_quorum)
        return bad(l, "quorum stands here for a second time");
    p->quorum = find_node(p, name);
    if (p->quorum == NO_NODE && !tut_str_eq_z(name, "none"))
        return bad(l, "the quorum's name is not defined on an earlier line");
    if (next_word(l).len)
        return bad(l, "there is more on the line than belongs there");
    p->has_quorum = true;
    return TUT_SUCCESS;
}

static tut_status read_line(tut_witness_policy *p, line_reader *l)
{
    for (size_t i = 0; i < l->rest.len; i++) {
        unsigned char c = (unsigned char)l->rest.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return bad(l, "there is a control character");
    }
    tut_str word = next_word(l);
    if (word.len == 0 || word.data[0] == '#')
        return TUT_SUCCESS;
    if (tut_str_eq_z(word, "log"))
        return read_log(p, l);
    if (tut_str_eq_z(word, "witness"))
        return read_witness(p, l);
    if (tut_str_eq_z(word, "group"))
        return read_group(p, l);
    if (tut_str_eq_z(word, "quorum"))
        return read_quorum(p, l);
    return bad(l, "a line begins with log, witness, group or quorum");
}

tut_status tut_witness_policy_read(tut_span text, tut_witness_policy **ret_policy, tut_error *err)
{
    if (text.len > TUT_LIMIT_WITNESS_POLICY_BYTES)
        return tut_fail(err, TUT_LIMIT, "a witness policy of %zu bytes is too large (at most %u)",
                        text.len, TUT_LIMIT_WITNESS_POLICY_BYTES);
    TUT_AUTO(tut_witness_policy) p = tut_alloc_array(1, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    line_reader l = {.err = err};
    for (tut_str rest = tut_str_from(text); rest.len;) {
        const char *end = memchr(rest.data, '\n', rest.len);
        l.number++;
        if (!end)
            return bad(&l, "the last line does not end");
        l.rest = (tut_str){rest.data, (size_t)(end - rest.data)};
        rest = (tut_str){end + 1, rest.len - l.rest.len - 1};
        TUT_TRY(read_line(p, &l));
    }
    if (!p->has_quorum)
        return tut_fail(err, TUT_MALFORMED,
                        "the witness policy has no quorum line; \"quorum none\" demands nobody");
    *ret_policy = tut_move(&p);
    return TUT_SUCCESS;
}

void tut_witness_policy_free(tut_witness_policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->log_count; i++) {
        tut_verifier_done(&p->logs[i].verifier);
        tut_free(p->logs[i].url);
    }
    for (size_t i = 0; i < p->witness_count; i++) {
        tut_verifier_done(&p->witnesses[i].verifier);
        tut_free(p->witnesses[i].name);
        tut_free(p->witnesses[i].url);
    }
    for (size_t i = 0; i < p->node_count; i++) {
        if (p->nodes[i].is_group)
            tut_free(p->nodes[i].name);
    }
    tut_free(p);
}

size_t tut_witness_policy_logs(const tut_witness_policy *p, const tut_policy_log **ret_logs)
{
    *ret_logs = p->logs;
    return p->log_count;
}

size_t tut_witness_policy_witnesses(const tut_witness_policy *p,
                                    const tut_policy_witness **ret_witnesses)
{
    *ret_witnesses = p->witnesses;
    return p->witness_count;
}

/* ---- deciding ---- */

bool tut_witness_policy_met(const tut_witness_policy *p, const bool *cosigned)
{
    size_t have[NODES_MAX] = {0};
    for (size_t i = 0; i < p->node_count; i++) {
        const node *n = &p->nodes[i];
        bool holds = n->is_group ? have[i] >= n->need : cosigned[n->witness];
        if ((int)i == p->quorum)
            return holds;
        if (holds && n->group != NO_NODE)
            have[n->group]++;
    }
    return true; /* quorum none */
}

/* The earliest of the times by which those who had cosigned were enough. */
static void find_time(const tut_witness_policy *p, tut_witness_verdict *v)
{
    for (size_t i = 0; i < p->witness_count; i++) {
        bool by_then[TUT_POLICY_WITNESSES_MAX] = {false};
        if (!v->cosigned[i] || (v->has_time && v->times[i] >= v->at))
            continue;
        for (size_t k = 0; k < p->witness_count; k++)
            by_then[k] = v->cosigned[k] && v->times[k] <= v->times[i];
        if (tut_witness_policy_met(p, by_then)) {
            v->has_time = true;
            v->at = v->times[i];
        }
    }
}

/* The policy's keys as one borrowed list: witnesses first, then the logs of this origin. */
static size_t gather(const tut_witness_policy *p, tut_str origin, tut_verifier *all)
{
    size_t count = 0;
    for (size_t i = 0; i < p->witness_count; i++)
        all[count++] = p->witnesses[i].verifier;
    for (size_t i = 0; i < p->log_count; i++) {
        if (tut_str_eq(origin, tut_str_of(p->logs[i].verifier.name)))
            all[count++] = p->logs[i].verifier;
    }
    return count;
}

static tut_status check_note(const tut_witness_policy *p, const tut_note *note, tut_str origin,
                             tut_witness_verdict *v, tut_error *err)
{
    enum { ALL = TUT_POLICY_WITNESSES_MAX + TUT_POLICY_LOGS_MAX };
    TUT_AUTO_FREE tut_verifier *all = tut_alloc_array(ALL, sizeof(*all));
    bool good[ALL] = {false};
    tut_time times[ALL] = {0};
    bool is_signed = false;
    if (!all)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t count = gather(p, origin, all);
    TUT_TRY(tut_note_verify(note, all, count, 0, good, times, err));
    for (size_t i = p->witness_count; i < count; i++)
        is_signed = is_signed || good[i];
    if (!is_signed)
        return tut_fail(err, TUT_CRYPTO, "the checkpoint is not signed by a log of the policy");
    for (size_t i = 0; i < p->witness_count; i++) {
        v->cosigned[i] = good[i];
        v->times[i] = good[i] ? times[i] : 0;
        v->count += good[i];
    }
    return TUT_SUCCESS;
}

tut_status tut_witness_policy_check(const tut_witness_policy *p, tut_str checkpoint,
                                    tut_witness_verdict *ret_verdict, tut_error *err)
{
    TUT_CLEAN(tut_note) note = {0};
    tut_checkpoint parsed;
    tut_witness_verdict v = {0};
    TUT_TRY(tut_note_parse(checkpoint, &note, err));
    TUT_TRY(tut_checkpoint_parse(note.text, &parsed, err));
    TUT_TRY(check_note(p, &note, parsed.origin, &v, err));
    v.is_met = tut_witness_policy_met(p, v.cosigned);
    if (v.is_met)
        find_time(p, &v);
    *ret_verdict = v;
    return TUT_SUCCESS;
}
