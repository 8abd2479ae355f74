#include "stats/pack.h"

#include <math.h>
#include <string.h>

/* The step has no divisor in common with the block, so each place is visited once. */
enum { BYTES = 256, SHUFFLED = 192, STEP = 55 };

static uint64_t turned(uint64_t field, unsigned bits)
{
    uint64_t out = 0;
    for (unsigned i = 0; i < bits; i++)
        out |= ((field >> i) & 1u) << (bits - 1 - i);
    return out;
}

/* Bits on their way into bytes: fewer than 8 wait between two numbers, and a number brings at most
 * 52. */
typedef struct packer {
    const tut_pack_way *way;
    uint64_t mask, value;
    unsigned have, drop;
    uint8_t *to;
    size_t made, room;
} packer;

static void put(packer *p, uint64_t number)
{
    const tut_pack_way *way = p->way;
    uint64_t field = number & p->mask;
    if (way->is_turned)
        field = turned(field, way->bits);
    p->value = way->is_low_first ? p->value | field << p->have : p->value << way->bits | field;
    p->have += way->bits;
    if (p->drop > 0 && p->have >= p->drop) {
        p->have -= p->drop;
        p->value = way->is_low_first ? p->value >> p->drop : p->value & ((1ull << p->have) - 1u);
        p->drop = 0;
    }
    while (p->have >= 8 && p->drop == 0 && p->made < p->room) {
        p->have -= 8;
        if (way->is_low_first) {
            p->to[p->made++] = (uint8_t)p->value;
            p->value >>= 8;
        } else {
            p->to[p->made++] = (uint8_t)(p->value >> p->have);
            p->value &= (1ull << p->have) - 1u;
        }
    }
}

static packer packer_of(const tut_pack_way *way, uint8_t *to, size_t room)
{
    return (packer){
        .way = way, .mask = (1ull << way->bits) - 1, .drop = way->phase, .to = to, .room = room};
}

size_t tut_pack(const uint64_t *numbers, size_t count, const tut_pack_way *way, uint8_t *to,
                size_t room)
{
    packer p = packer_of(way, to, room);
    for (size_t i = way->first; i < count && p.made < room; i += way->stride)
        put(&p, numbers[i]);
    return p.made;
}

size_t tut_pack_shuffled(const uint64_t *numbers, size_t count, const tut_pack_way *way,
                         uint8_t *to, size_t room)
{
    packer p = packer_of(way, to, room);
    size_t n = count > way->first ? (count - way->first + way->stride - 1) / way->stride : 0;
    for (size_t i = 0; i < n && p.made < room; i++) {
        size_t block = i / SHUFFLED * SHUFFLED;
        size_t at = block + SHUFFLED <= n ? block + (i - block) * STEP % SHUFFLED : i;
        put(&p, numbers[way->first + at * way->stride]);
    }
    return p.made;
}

double tut_pack_repeats(const uint8_t *bytes, const uint8_t *shuffled, size_t count, double times)
{
    uint32_t seen[BYTES] = {0}, usual[BYTES] = {0};
    double pairs = 0, due = 0, triples = 0, n = (double)count;
    if (count < 64)
        return 0;
    for (size_t i = 0; i < count; i++) {
        seen[bytes[i]]++;
        usual[shuffled[i]]++;
    }
    for (unsigned b = 0; b < BYTES; b++) {
        double u = usual[b];
        pairs += (double)seen[b] * ((double)seen[b] - 1) / 2;
        due += u * (u - 1) / 2;
        triples += u * u * u;
    }
    double share = 2 * due / (n * (n - 1));
    double spread = due +
                    (triples > n * n * n * share * share ? triples - n * n * n * share * share : 0);
    return pairs > times * due ? (pairs - due) / sqrt(2 * spread + 1) : 0;
}
