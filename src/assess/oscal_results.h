/* What assessment-results.json is made of: the subjects, records and people of one assessment,
 * each once and in a fixed order. */
#ifndef TUT_ASSESS_OSCAL_RESULTS_H
#define TUT_ASSESS_OSCAL_RESULTS_H

#include "assess/oscal_internal.h"
#include "assess/threat_view.h"
#include "base/map.h"

/* A thing at one digest: an asset of the inventory, or what evidence speaks of besides. */
typedef struct tut_oscal_subject {
    tut_str name;
    const tut_sha256 *digest;       /* NULL: it has none */
    const tut_asset_summary *asset; /* NULL: not in the inventory, or not at this digest */
    tut_uuid id;
} tut_oscal_subject;

typedef struct tut_oscal_used { /* one record that a control lists */
    const tut_record *record;
    tut_uuid observation, evidence;
    size_t listed; /* 1 + the last control that listed it, while findings are written */
} tut_oscal_used;

typedef struct tut_oscal_party {
    const char *name;   /* NULL: nobody whom the log knows */
    const char *key_id; /* NULL: a name that somebody typed */
    tut_uuid id;
} tut_oscal_party;

typedef struct tut_oscal_facts {
    tut_oscal_subject *subjects; /* by name and digest */
    size_t subject_count, subject_capacity;
    tut_oscal_used *used; /* by log index */
    size_t used_count, used_capacity;
    tut_oscal_party *parties; /* by id */
    size_t party_count, party_capacity;
    tut_sha256 *digests; /* of the assets, as bytes */
    tut_map current;     /* asset id -> subject */
    tut_uuid system, tool, platform, bills;
} tut_oscal_facts;

TUT_MUST tut_status tut_oscal_facts_init(tut_oscal_facts *f, tut_oscal *o);
void tut_oscal_facts_done(tut_oscal_facts *f);
const tut_oscal_subject *tut_oscal_find_subject(const tut_oscal_facts *f, tut_str name,
                                                const tut_sha256 *digest);
tut_oscal_used *tut_oscal_find_used(const tut_oscal_facts *f, const tut_record *record);
/* Whom a record is by: those who signed it besides the tool, or the name that it gives. */
tut_uuid tut_oscal_signer_id(tut_oscal *o, const tut_record_signer *signer);
tut_uuid tut_oscal_named_id(tut_oscal *o, const char *name);
bool tut_oscal_is_by_name(const tut_record *r); /* nobody but the tool signed what a person says */

void tut_oscal_put_parties(tut_oscal *o, const tut_oscal_facts *f);
void tut_oscal_put_local_definitions(tut_oscal *o, const tut_oscal_facts *f);
void tut_oscal_put_observations(tut_oscal *o, const tut_oscal_facts *f);
void tut_oscal_put_evidence_resources(tut_oscal *o, const tut_oscal_facts *f);
void tut_oscal_put_findings(tut_oscal *o, const tut_oscal_facts *f);
void tut_oscal_put_risks(tut_oscal *o, const tut_oscal_facts *f);
/* What the tool found a risk to be; between them stand the facets. */
void tut_oscal_begin_facets(tut_oscal *o, const tut_oscal_facts *f);
void tut_oscal_end_facets(tut_oscal *o);
/* Members of the open "risks"; model NULL: none. */
void tut_oscal_put_model_risks(tut_oscal *o, const tut_oscal_facts *f,
                               const tut_threat_view *model);

#endif
