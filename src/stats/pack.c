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

/* --- many at once: eight numbers of n bits are n bytes --- */

static void fill(const uint64_t *numbers, const tut_pack_way *way, bool is_shuffled,
                 uint8_t fields[SHUFFLED])
{
    const unsigned mask = (1u << way->bits) - 1, up = 8 - way->bits;
    const size_t stride = way->stride, step = is_shuffled ? STEP * stride : stride;
    const size_t end = SHUFFLED * stride;
    for (size_t i = 0, at = 0; i < SHUFFLED; i++) {
        fields[i] = (uint8_t)(numbers[at] & mask);
        at += step;
        at -= at >= end ? end : 0;
    }
    for (unsigned i = 0; i < SHUFFLED && way->is_turned; i++) {
        unsigned b = fields[i];
        b = (b & 0x0fu) << 4 | b >> 4;
        b = (b & 0x33u) << 2 | (b >> 2 & 0x33u);
        b = (b & 0x55u) << 1 | (b >> 1 & 0x55u);
        fields[i] = (uint8_t)(b >> up);
    }
}

static void join(const uint8_t *fields, const tut_pack_way *way, uint8_t *to)
{
    const unsigned bits = way->bits;
    if (bits == 8) {
        memcpy(to, fields, SHUFFLED);
        return;
    }
    for (unsigned group = 0; group < SHUFFLED / 8; group++, fields += 8, to += bits) {
        uint64_t word = 0;
        if (way->is_low_first) {
            for (unsigned i = 0; i < 8; i++)
                word |= (uint64_t)fields[i] << (bits * i);
            for (unsigned i = 0; i < bits; i++)
                to[i] = (uint8_t)(word >> (8 * i));
        } else {
            for (unsigned i = 0; i < 8; i++)
                word = word << bits | fields[i];
            for (unsigned i = 0; i < bits; i++)
                to[i] = (uint8_t)(word >> (8 * (bits - 1 - i)));
        }
    }
}

/* The n numbers from way->first on, in blocks as far as they go; returns how many were packed. */
static size_t put_blocks(packer *p, const uint64_t *numbers, size_t n, bool is_shuffled)
{
    const tut_pack_way *way = p->way;
    const size_t bytes = (size_t)way->bits * SHUFFLED / 8;
    uint8_t fields[SHUFFLED];
    size_t done = 0;
    if (way->bits > 8 || way->phase > 0)
        return 0;
    for (; n - done >= SHUFFLED && p->room - p->made >= bytes; done += SHUFFLED) {
        fill(numbers + way->first + done * way->stride, way, is_shuffled, fields);
        join(fields, way, p->to + p->made);
        p->made += bytes;
    }
    return done;
}

static size_t pack(const uint64_t *numbers, size_t count, const tut_pack_way *way, bool is_shuffled,
                   uint8_t *to, size_t room)
{
    packer p = packer_of(way, to, room);
    size_t n = count > way->first ? (count - way->first + way->stride - 1) / way->stride : 0;
    for (size_t i = put_blocks(&p, numbers, n, is_shuffled); i < n && p.made < room; i++) {
        size_t block = i / SHUFFLED * SHUFFLED;
        size_t at = is_shuffled && block + SHUFFLED <= n ? block + (i - block) * STEP % SHUFFLED
                                                         : i;
        put(&p, numbers[way->first + at * way->stride]);
    }
    return p.made;
}

size_t tut_pack(const uint64_t *numbers, size_t count, const tut_pack_way *way, uint8_t *to,
                size_t room)
{
    return pack(numbers, count, way, false, to, room);
}

size_t tut_pack_shuffled(const uint64_t *numbers, size_t count, const tut_pack_way *way,
                         uint8_t *to, size_t room)
{
    return pack(numbers, count, way, true, to, room);
}

bool tut_pack_may_repeat(const uint8_t *bytes, size_t count, double times)
{
    uint32_t seen[BYTES] = {0};
    double pairs = 0, n = (double)count;
    for (size_t i = 0; i < count; i++)
        seen[bytes[i]]++;
    for (unsigned b = 0; b < BYTES; b++)
        pairs += (double)seen[b] * ((double)seen[b] - 1) / 2;
    /* Fewest where all bytes are equally many. */
    return pairs > times * (n * n / BYTES - n) / 2;
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
