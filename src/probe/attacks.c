/* Every attack there is. */
#include "probe/attack.h"

#define PROBE_ATTACK(symbol) extern const tut_attack tut_attack_##symbol;
#include "probe/attacks.def"
#undef PROBE_ATTACK

const tut_attack *const tut_attacks[] = {
#define PROBE_ATTACK(symbol) &tut_attack_##symbol,
#include "probe/attacks.def"
#undef PROBE_ATTACK
    NULL,
};

void tut_probe_step(const tut_probe *p, const char *what, uint64_t done, uint64_t total)
{
    if (p->step)
        p->step(p->step_ctx, what, done, total);
}
