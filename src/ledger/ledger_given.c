#include "ledger/ledger_given.h"

#include "ledger/ledger_internal.h"

tut_status tut_ledger_of_source(const tut_ledger_source *source, const char *log_origin,
                                tut_ledger **ret_ledger, tut_error *err)
{
    const char *slash = strrchr(log_origin, '/');
    size_t len = slash ? (size_t)(slash - log_origin) : strlen(log_origin);
    tut_ledger *l = tut_alloc_array(1, sizeof(*l));
    if (!l)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    l->source = source;
    l->origin = tut_strndup(log_origin, len);
    l->log_origin = tut_strdup(log_origin);
    l->state_dir = tut_strdup("");
    if (!l->origin || !l->log_origin || !l->state_dir) {
        tut_ledger_close(l);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    *ret_ledger = l;
    return TUT_SUCCESS;
}

tut_beside tut_ledger_beside(const tut_ledger *l)
{
    return l->source ? l->source->beside : tut_beside_dir(l->evidence);
}

bool tut_ledger_is_given(const tut_ledger *l)
{
    return l->source != NULL;
}

bool tut_ledger_is_part(const tut_ledger *l)
{
    return l->source && l->source->is_part;
}
