/* What collecting puts together before anything is written. */
#ifndef TUT_ASSESS_COLLECT_INTERNAL_H
#define TUT_ASSESS_COLLECT_INTERNAL_H

#include "assess/evaluate_internal.h"
#include "assess/tool.h"
#include "assets/vouchers.h"
#include "scan/found.h"
#include "scan/scan.h"
#include "scan/secret_rules.h"
#include "scan/yara.h"

typedef struct tut_collection {
    tut_system *system;
    tut_vouchers vouchers;
    tut_yara *yara;              /* the description's own rules; or NULL */
    tut_text_user *secret_rules; /* likewise */
    tut_scan *scan;
    tut_found *found;
    tut_inventory *inventory;
    const tut_file_report **reports; /* in the order of found->files */
    struct tut_vetting *vetting;     /* of the datasets */
    tut_time from, to;
    tut_error *err;
} tut_collection;

void tut_collection_done(tut_collection *c);

/* --- collect_files.c --- */
/* Fills reports. */
TUT_MUST tut_status tut_collection_assign(tut_collection *c);
/* Files that no evidence speaks of because they could not be read. */
bool tut_collection_is_unread(const tut_collection *c, size_t file);

/* --- collect_vet.c --- */
/* Vets every dataset of the inventory. */
TUT_MUST tut_status tut_collection_vet(tut_collection *c, tut_cage_mode sandbox,
                                       tut_progress *progress);
void tut_vetting_free(struct tut_vetting *v);
/* What an item's bytes were when they were vetted: of each dataset its path and Merkle root. */
void tut_vetting_roots(const tut_collection *c, size_t item, tut_json *j);

/* --- collect_bodies.c --- */
/* The inventory as recorded: the contract's assets, the sandbox, what could not be read. */
TUT_MUST tut_status tut_collection_inventory_body(const tut_collection *c, tut_buf *out);
/* The scan of one asset as recorded: the contract's files. */
TUT_MUST tut_status tut_collection_scan_body(const tut_collection *c, size_t item, tut_buf *out);

/* --- collect_judge.c --- */
/* What the check came to, and one sentence for people (caller frees). */
TUT_MUST tut_status tut_collection_judge_inventory(const tut_collection *c, tut_result *ret_result,
                                                   char **ret_statement);
TUT_MUST tut_status tut_collection_judge_scan(const tut_collection *c, size_t item,
                                              tut_result *ret_result, char **ret_statement);

/* --- collect_batch.c --- */
typedef struct tut_batch {
    const tut_collection *c;
    tut_ledger *ledger;
    tut_tool_digests tool;
    tut_records *known; /* what the log said before */
    tut_record *records;
    size_t count, capacity;
    tut_arena arena; /* subjects, statements, clause lists */
    tut_error *err;
} tut_batch;
TUT_MUST tut_status tut_batch_init(tut_batch *b, const tut_collection *c, tut_ledger *ledger,
                                   tut_error *err);
void tut_batch_done(tut_batch *b);
/* A record about one subject, to be filled before the next is added. The name is borrowed. */
TUT_MUST tut_status tut_batch_add(tut_batch *b, const char *name, const tut_sha256 *digest,
                                  tut_record **ret_record);
/* The same for evidence of a check, with the clauses whose rows want it. */
TUT_MUST tut_status tut_batch_evidence(tut_batch *b, const char *name, const tut_sha256 *digest,
                                       const char *check, tut_asset_kind kind,
                                       tut_record **ret_record);
TUT_MUST tut_status tut_batch_state(tut_batch *b, tut_record *r, tut_str statement);
/* The evidence falls with this person's key (record.h); NULL: it rests on none. */
TUT_MUST tut_status tut_batch_rests_on(tut_batch *b, tut_record *r, const char *key_id);
TUT_MUST tut_status tut_batch_body(tut_batch *b, tut_record *r, tut_span body);
TUT_MUST tut_status tut_batch_append(tut_batch *b);
bool tut_clause_wants(const tut_clause *clause, const char *check, tut_asset_kind kind);
/* Whether any row wants this check of the item, and there are bytes to check. */
bool tut_batch_wants(const tut_inventory_item *item, const char *check);

/* --- collect_signatures.c --- */
/* By which key a registered person whom the policy wants signed these very bytes (arena); NULL: by
 * none. */
TUT_MUST tut_status tut_batch_signed_by(tut_batch *b, const tut_inventory_item *item,
                                        const char **ret_key);

/* --- the steps --- */
TUT_MUST tut_status tut_step_system(tut_batch *b);
TUT_MUST tut_status tut_step_vouchers(tut_batch *b);
TUT_MUST tut_status tut_step_inventory(tut_batch *b);
TUT_MUST tut_status tut_step_scan(tut_batch *b);
TUT_MUST tut_status tut_step_signatures(tut_batch *b);
TUT_MUST tut_status tut_step_published(tut_batch *b);
TUT_MUST tut_status tut_step_changes(tut_batch *b);
TUT_MUST tut_status tut_step_sources(tut_batch *b);
TUT_MUST tut_status tut_step_approved(tut_batch *b);
TUT_MUST tut_status tut_step_vetted(tut_batch *b);
TUT_MUST tut_status tut_step_provenance(tut_batch *b);
TUT_MUST tut_status tut_step_probed(tut_batch *b);
TUT_MUST tut_status tut_step_lifecycle(tut_batch *b);
TUT_MUST tut_status tut_step_prompts(tut_batch *b);
TUT_MUST tut_status tut_step_store(tut_batch *b);

#endif
