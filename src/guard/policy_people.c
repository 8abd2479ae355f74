/* approvals: of a policy: who decides about what is held, how many of them, and within what time.
 */
#include "guard/policy_fields.h"
#include "ledger/people.h"

enum { TIMEOUT_LEAST = 5, TIMEOUT_MOST = 86400, TIMEOUT = 600, PEOPLE_MOST = 3 };

static const tut_field approval_fields[] = {
    {"roles", TUT_FIELD_TEXTS, offsetof(tut_guard_approvals, role_words), 0, false, NULL},
    TUT_FIELD(COUNT, tut_guard_approvals, people, false, NULL),
    {"timeout", TUT_FIELD_TEXT, offsetof(tut_guard_approvals, timeout_text), 0, false, NULL},
    TUT_FIELD(WORD, tut_guard_approvals, on_timeout, false, "deny"),
    TUT_FIELD(TEXT, tut_guard_approvals, listen, false, NULL),
    TUT_FIELD(TEXTS, tut_guard_approvals, keys, false, NULL),
};

/* "90s", "10m", "2h" */
static bool seconds_of(tut_str text, uint32_t *ret_seconds)
{
    uint64_t n, unit;
    if (text.len < 2)
        return false;
    switch (text.data[text.len - 1]) {
    case 's':
        unit = 1;
        break;
    case 'm':
        unit = 60;
        break;
    case 'h':
        unit = 3600;
        break;
    default:
        return false;
    }
    if (!tut_str_u64((tut_str){text.data, text.len - 1}, &n) || n > TIMEOUT_MOST)
        return false;
    n *= unit;
    *ret_seconds = (uint32_t)n;
    return n >= TIMEOUT_LEAST && n <= TIMEOUT_MOST;
}

static tut_status check_roles(tut_schema *s, const tut_yaml_node *node, tut_guard_approvals *a)
{
    for (size_t i = 0; i < a->role_words.count; i++) {
        uint32_t role = tut_person_role(a->role_words.items[i]);
        if (!role)
            return tut_schema_fail_node(
                s, tut_yaml_get(s->system->yaml, node, "roles"),
                "\"%.*s\" is no role; tutela people knows developer operator custodian approver "
                "trainer tester auditor root",
                (int)a->role_words.items[i].len, a->role_words.items[i].data);
        a->roles |= role;
    }
    return TUT_SUCCESS;
}

/* What is asked and answered there goes over the wire in clear. */
static tut_status check_listen(tut_schema *s, const tut_yaml_node *node,
                               const tut_guard_approvals *a)
{
    static const char *const near[] = {"127.0.0.1:", "[::1]:", "localhost:", "unix:/"};
    for (size_t i = 0; i < TUT_COUNT(near); i++)
        if (tut_str_starts(a->listen, tut_str_of(near[i])))
            return TUT_SUCCESS;
    return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "listen"),
                                "approvals are served on this machine alone (127.0.0.1:PORT, "
                                "[::1]:PORT or unix:/PATH); put a proxy with TLS before it for "
                                "others");
}

static tut_status check_keys(tut_schema *s, const tut_yaml_node *node, const tut_guard_approvals *a)
{
    tut_sha256 digest;
    for (size_t i = 0; i < a->keys.count; i++) {
        if (!tut_is_ok(tut_sha256_parse(a->keys.items[i], &digest)))
            return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "keys"),
                                        "a key is named by its SHA-256, 64 hex digits, never by "
                                        "itself");
    }
    if (a->keys.count && !a->listen.len)
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "keys"),
                                    "these keys are for the listener, and listen: names none");
    return TUT_SUCCESS;
}

static tut_status check_approvals(tut_schema *s, const tut_yaml_node *node, tut_guard_approvals *a)
{
    TUT_TRY(check_roles(s, node, a));
    if (tut_yaml_get(s->system->yaml, node, "people") && (a->people < 1 || a->people > PEOPLE_MOST))
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "people"),
                                    "1 to %d people have to approve", PEOPLE_MOST);
    if (a->timeout_text.len && !seconds_of(a->timeout_text, &a->timeout_s))
        return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, node, "timeout"),
                                    "a timeout is %d seconds to 24 hours, such as 90s, 10m or 2h",
                                    TIMEOUT_LEAST);
    if (a->listen.len)
        TUT_TRY(check_listen(s, node, a));
    return check_keys(s, node, a);
}

tut_status tut_guard_read_people(tut_schema *s, const tut_yaml_node *guard, tut_guard_policy *p)
{
    const tut_yaml_node *node = tut_yaml_get(s->system->yaml, guard, "approvals");
    tut_guard_approvals *a = &p->approvals;
    if (!tut_schema_is_absent(node)) {
        TUT_TRY(tut_schema_read(s, node, approval_fields, TUT_COUNT(approval_fields), a,
                                "approvals", "guard.approvals"));
        TUT_TRY(check_approvals(s, node, a));
    }
    if (!a->roles)
        a->roles = TUT_PERSON_APPROVER;
    if (!a->people)
        a->people = 1;
    if (!a->timeout_s)
        a->timeout_s = TIMEOUT;
    return TUT_SUCCESS;
}

void tut_guard_people_json(const tut_guard_policy *p, tut_json *j)
{
    const tut_guard_approvals *a = &p->approvals;
    tut_json_key(j, "approvals");
    tut_json_object(j);
    tut_json_key(j, "roles");
    tut_json_array(j);
    for (int i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if (a->roles & (1u << i))
            tut_json_z(j, tut_person_roles[i]);
    tut_json_end_array(j);
    tut_json_put_u64(j, "people", a->people);
    tut_json_put_u64(j, "timeout_seconds", a->timeout_s);
    tut_json_put_z(j, "on_timeout", "deny");
    tut_json_put_or_null(j, "listen", a->listen);
    tut_json_key(j, "keys");
    tut_json_array(j);
    for (size_t i = 0; i < a->keys.count; i++)
        tut_json_str(j, a->keys.items[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}
