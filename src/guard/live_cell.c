/* Rings of cells: what was counted in each of the latest stretches of time. */
#include "guard/live_internal.h"

void tut_live_cell_add(live_u64 *ring, size_t size, uint64_t number, uint64_t n)
{
    live_u64 *cell = &ring[number % size];
    uint64_t had = atomic_load_explicit(cell, memory_order_relaxed);
    uint64_t next;
    do {
        bool is_same = live_cell_of(had) == live_cell_number(number);
        uint64_t sum = is_same ? had & LIVE_CELL_MOST : 0;
        sum = n > LIVE_CELL_MOST - sum ? LIVE_CELL_MOST : sum + n;
        next = live_cell_number(number) << LIVE_CELL_BITS | sum;
    } while (!atomic_compare_exchange_weak(cell, &had, next));
}

void tut_live_cell_take(live_u64 *ring, size_t size, uint64_t number, uint64_t n)
{
    live_u64 *cell = &ring[number % size];
    uint64_t had = atomic_load_explicit(cell, memory_order_relaxed);
    uint64_t next;
    do {
        if (live_cell_of(had) != live_cell_number(number))
            return;
        uint64_t sum = had & LIVE_CELL_MOST;
        next = live_cell_number(number) << LIVE_CELL_BITS | (sum > n ? sum - n : 0);
    } while (!atomic_compare_exchange_weak(cell, &had, next));
}

uint64_t tut_live_cell_get(const live_u64 *ring, size_t size, uint64_t number)
{
    uint64_t cell = atomic_load(&ring[number % size]);
    return live_cell_of(cell) == live_cell_number(number) ? cell & LIVE_CELL_MOST : 0;
}
