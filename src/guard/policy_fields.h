/* The parts of policy reading that two files share. */
#ifndef TUT_GUARD_POLICY_FIELDS_H
#define TUT_GUARD_POLICY_FIELDS_H

#include "base/json.h"
#include "guard/policy.h"

/* checks: of the whole policy or of a route. */
TUT_MUST tut_status tut_guard_read_checks(tut_schema *s, const tut_yaml_node *node,
                                          tut_guard_setting *settings, const char *where);
/* "key": ["...", ...] */
void tut_guard_put_list(tut_json *j, const char *key, const tut_str_list *list);
/* What the tensors of one policy are bounded by, while it is read. */
typedef struct tut_guard_baseline tut_guard_baseline;
typedef struct tut_guard_bounding {
    bool is_kept;               /* baselines stay closed: bounds come out of the canonical form */
    const tut_json_value *kept; /* its routes */
    tut_guard_baseline *baselines;
    size_t count, capacity, features;
} tut_guard_bounding;
void tut_guard_bounding_done(tut_guard_bounding *b);
/* tensors: of a route; kept are those of the route's canonical form. */
TUT_MUST tut_status tut_guard_read_tensors(tut_schema *s, const tut_yaml_node *node,
                                           const tut_json_value *kept, tut_guard_bounding *b,
                                           tut_guard_route *route);
/* policy_bounds.c: baseline: of a tensor whose other keys are read; its canonical form, inside the
 * tensor's object. */
TUT_MUST tut_status tut_guard_read_bounds(tut_schema *s, const tut_yaml_node *node,
                                          const tut_json_value *kept, tut_guard_bounding *b,
                                          tut_guard_tensor *t);
void tut_guard_bounds_json(const tut_guard_tensor *t, tut_json *j);
TUT_MUST tut_status tut_guard_read_limits(tut_schema *s, const tut_yaml_node *node,
                                          tut_guard_limits *limits, const char *where);
/* policy_server.c: listen, tls, audit, ledger_down, workers, notice. */
TUT_MUST tut_status tut_guard_read_server(tut_schema *s, const tut_yaml_node *guard,
                                          tut_guard_server *server);
TUT_MUST tut_status tut_guard_read_route_server(tut_schema *s, const tut_yaml_node *route_node,
                                                const tut_guard_server *server,
                                                tut_guard_route *route);
void tut_guard_server_json(const tut_guard_server *server, tut_json *j);
/* policy_texts.c: what a route does with texts; its canonical form, inside the route's object. */
TUT_MUST tut_status tut_guard_read_texts(tut_schema *s, const tut_yaml_node *route_node,
                                         tut_guard_route *route);
void tut_guard_texts_json(const tut_guard_route *route, tut_json *j);
void tut_guard_route_server_json(const tut_guard_route *route, tut_json *j);
/* policy_access.c: jwt, prices, quota, load, abuse; of a client: keys, jwt, certificate, quota. */
TUT_MUST tut_status tut_guard_read_access(tut_schema *s, const tut_yaml_node *guard,
                                          tut_guard_access *access);
TUT_MUST tut_status tut_guard_read_client_access(tut_schema *s, const tut_yaml_node *client_node,
                                                 const tut_guard_policy *p,
                                                 tut_guard_client *client);
TUT_MUST tut_status tut_guard_read_abuse(tut_schema *s, const tut_yaml_node *node,
                                         tut_abuse_setting *settings, const char *where);
void tut_guard_default_abuse(tut_abuse_setting *settings, const tut_abuse_setting *above);
void tut_guard_access_json(const tut_guard_access *access, tut_json *j);
void tut_guard_client_access_json(const tut_guard_client *client, tut_json *j);
/* approvals: (policy_people.c); guard is the whole section. */
TUT_MUST tut_status tut_guard_read_people(tut_schema *s, const tut_yaml_node *guard,
                                          tut_guard_policy *p);
void tut_guard_people_json(const tut_guard_policy *p, tut_json *j);
void tut_guard_default_limits(tut_guard_limits *limits);
void tut_guard_default_checks(tut_guard_setting *settings, const tut_guard_setting *above);

#endif
