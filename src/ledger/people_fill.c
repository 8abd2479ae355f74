#include "ledger/people.h"

/* By Hall's theorem there is such an assignment exactly when, for each set of roles, at least as
 * many people hold one of them as are wanted in all of them together. */
bool tut_people_fill(const uint32_t *roles, size_t people,
                     const uint32_t demand[TUT_PERSON_ROLE_COUNT])
{
    for (uint32_t set = 1; set < 1u << TUT_PERSON_ROLE_COUNT; set++) {
        uint64_t wanted = 0;
        uint64_t there = 0;
        for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
            wanted += set & (1u << i) ? demand[i] : 0;
        for (size_t i = 0; i < people; i++)
            there += (roles[i] & set) != 0;
        if (there < wanted)
            return false;
    }
    return true;
}
