#include "assets/signed.h"

typedef struct finding {
    const tut_people *people;
    tut_act act;
    const tut_person *person;
} finding;

static const tut_pubkey *find_key(void *ctx, const char *key_id, const char **ret_why)
{
    finding *f = ctx;
    const tut_person_key *key = NULL;
    bool may = tut_people_may_sign(f->people, key_id, &f->act, &f->person, ret_why);
    (void)tut_people_by_key(f->people, key_id, &key);
    return may && key ? key->key : NULL;
}

tut_status tut_verify_by_people(const char *path, const tut_people *people, uint64_t log_size,
                                uint32_t roles, const tut_verify_options *options,
                                tut_verify_result *ret_result, const tut_person **ret_person,
                                tut_error *err)
{
    finding f = {.people = people, .act = {.roles = roles, .index = log_size}};
    tut_verify_options how = *options;
    how.find_key = find_key;
    how.find_ctx = &f;
    TUT_TRY(tut_verify_path(path, &how, ret_result, err));
    *ret_person = f.person;
    return TUT_SUCCESS;
}

static const tut_str_list *signers_of(const tut_signature_policy *policy, tut_asset_kind kind)
{
    switch (kind) {
    case TUT_KIND_MODEL:
        return &policy->model;
    case TUT_KIND_DATASET:
        return &policy->dataset;
    case TUT_KIND_PROMPT:
        return &policy->prompt;
    case TUT_KIND_CONFIG:
        return &policy->config;
    case TUT_KIND_CODE:
        return &policy->code;
    case TUT_KIND_DOCUMENT:
        return &policy->document;
    case TUT_KIND_NONE:
    case TUT_KIND_SERVICE:
        return NULL;
    }
    return NULL;
}

uint32_t tut_signer_roles(const tut_system *system, tut_asset_kind kind)
{
    const tut_str_list *words = system ? signers_of(&system->signatures, kind) : NULL;
    uint32_t roles = 0;
    for (size_t i = 0; words && i < words->count; i++)
        roles |= tut_person_role(words->items[i]);
    return roles;
}

bool tut_must_be_signed(const tut_system *system, tut_asset_kind kind)
{
    switch (kind) {
    case TUT_KIND_MODEL:
    case TUT_KIND_DATASET:
    case TUT_KIND_PROMPT:
    case TUT_KIND_CONFIG:
        return true;
    case TUT_KIND_CODE:
    case TUT_KIND_DOCUMENT:
        return signers_of(&system->signatures, kind)->count > 0;
    case TUT_KIND_NONE:
    case TUT_KIND_SERVICE:
        return false;
    }
    return false;
}
