/*
 * The index over the evidence log: STATE/state.db, SQLite, made from the log alone and made anew
 * whenever it is missing, damaged, foreign, of another version, or says anything that the log key
 * did not sign. It finds entries; it proves nothing. What it finds is read from the log and proved
 * there (ledger/record.h). Where the state cannot be written, the index is in memory.
 *
 * Every column of every row is bound into the heads (ledger/heads.h) that each checkpoint carries,
 * so tut_index_ready notices a row changed, added or left out without rereading the log. From then
 * until the index is freed or made ready again, answers come from that one verified snapshot, by
 * the very statements that were verified: a database may hold the same row in two places that
 * disagree. Others cannot take new entries in meanwhile, so it is freed soon.
 */
#ifndef TUT_STATE_INDEX_H
#define TUT_STATE_INDEX_H

#include "ledger/log.h"
#include "ledger/row.h"

typedef struct tut_index tut_index;

/* Never fails for the sake of the file: what cannot be used is made anew. */
TUT_MUST tut_status tut_index_open(const char *state_dir, tut_index **ret_index, tut_error *err);
void tut_index_free(tut_index *index);
TUT_DEFINE_AUTO(tut_index)

/* Takes in what the log holds beyond the index, then compares the whole index with the heads in the
 * log's checkpoint (whose signature the log has checked). What does not agree is made anew from the
 * log, once; *ret_why (may be NULL) then says what was wrong, else "". STORE when the log's own
 * entries do not give the heads that its key signed. */
enum { TUT_INDEX_WHY_MAX = 160 };
TUT_MUST tut_status tut_index_ready(tut_index *index, tut_log *log, char ret_why[TUT_INDEX_WHY_MAX],
                                    tut_error *err);
/* The two steps by themselves. A failure of the index itself is STORE. */
TUT_MUST tut_status tut_index_catch_up(tut_index *index, tut_log *log, tut_error *err);
TUT_MUST tut_status tut_index_verify(tut_index *index, tut_str checkpoint, tut_error *err);
/* Empties the index; the next catch_up fills it from the log. */
TUT_MUST tut_status tut_index_clear(tut_index *index, tut_error *err);
uint64_t tut_index_size(const tut_index *index); /* entries taken in */
bool tut_index_is_in_memory(const tut_index *index);

/* Every row, in order of the log. */
typedef tut_status (*tut_index_visit)(void *ctx, const tut_row *row, tut_error *err);
TUT_MUST tut_status tut_index_each(tut_index *index, tut_index_visit visit, void *ctx,
                                   tut_error *err);

/* Places in the log, ascending; zeroed before use, freed by tut_places_done. */
typedef struct tut_places {
    uint64_t *items;
    size_t count, capacity;
} tut_places;
void tut_places_done(tut_places *p);
/* Takes these in, in any order; each place stays once. */
TUT_MUST tut_status tut_places_join(tut_places *p, const uint64_t *items, size_t count,
                                    tut_error *err);

/* Entries recorded by `until` that can decide a verdict then (relevant.h). */
TUT_MUST tut_status tut_index_relevant(tut_index *index, tut_time until, tut_places *ret_places,
                                       tut_error *err);

/* All events of the ledger itself, its people and keys: those by which signers are found out. */
TUT_MUST tut_status tut_index_of_the_ledger(tut_index *index, tut_places *ret_places,
                                            tut_error *err);

typedef struct tut_index_query {
    const char *asset; /* name of a subject; NULL: any, here and below */
    const char *actor;
    const char *clause;
    const char *kind;  /* whole, or its beginning followed by '*' */
    tut_time from, to; /* of the records' own time, both included */
} tut_index_query;
TUT_MUST tut_status tut_index_search(tut_index *index, const tut_index_query *query,
                                     tut_places *ret_places, tut_error *err);

#endif
