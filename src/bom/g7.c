#include "bom/g7.h"

#include "bom/bom_internal.h"

static bool is_always(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom != NULL;
}

static bool is_signed(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->is_signed;
}

/* --- the system --- */
static bool has_system_name(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->system && bom->system->name.len;
}

static bool has_components(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->asset_count > 0;
}

static bool has_system_producer(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return tut_bom_role(bom, "developer").len > 0;
}

static bool has_system_version(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->system && bom->system->version.len;
}

/* The time of this document is another matter. */
static bool has_system_release(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->system && bom->system->has_released_at;
}

static bool has_hardware(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->system && bom->system->hardware.count > 0;
}

/* Nothing here records it yet. */
static bool is_never(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    (void)a;
    return false;
}

static bool has_flows(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->system && bom->system->flow_count > 0;
}

static bool has_data_usage(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    for (size_t i = 0; bom->system && i < bom->system->flow_count; i++)
        if (bom->system->flows[i].data.count)
            return true;
    return false;
}

static bool has_attribute(const tut_bom *bom, const char *prefix)
{
    for (size_t i = 0; bom->system && i < bom->system->component_count; i++) {
        const tut_component *c = &bom->system->components[i];
        for (size_t k = 0; k < c->attribute_count; k++)
            if (tut_str_starts(c->attributes[k].key, tut_str_of(prefix)) &&
                c->attributes[k].value.len)
                return true;
    }
    return false;
}

static bool has_system_io(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return has_attribute(bom, "api.returns") || has_attribute(bom, "model.modality_");
}

static bool has_purpose(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->system && bom->system->purpose.len;
}

/* --- models and data sets --- */
static bool has_name(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->name.len > 0;
}

static bool has_id(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->id.len > 0;
}

static bool has_version(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->version.len > 0;
}

static bool has_release(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->released_at.len > 0;
}

static bool has_producer(const tut_bom *bom, const tut_bom_asset *a)
{
    const char *source;
    return tut_bom_producer(bom, a, &source).len > 0;
}

static bool has_description(const tut_bom *bom, const tut_bom_asset *a)
{
    return a->description.len > 0 || tut_bom_known(bom, a, "card.summary").len > 0;
}

static bool has_hash(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->has_digest;
}

static bool has_properties(const tut_bom *bom, const tut_bom_asset *a)
{
    return tut_bom_architecture(bom, a).len > 0 || tut_bom_fact_of(a, "parameters").len > 0;
}

static bool has_io(const tut_bom *bom, const tut_bom_asset *a)
{
    return tut_bom_known(bom, a, "card.task").len > 0 ||
           tut_bom_attribute(bom, a, "api.returns").len > 0 ||
           tut_bom_attribute(bom, a, "model.modality_used").len > 0;
}

static bool has_training(const tut_bom *bom, const tut_bom_asset *a)
{
    return tut_bom_known(bom, a, "card.training").len > 0 ||
           tut_bom_known(bom, a, "refers.dataset").len > 0 ||
           tut_bom_known(bom, a, "refers.model").len > 0;
}

static bool has_licence(const tut_bom *bom, const tut_bom_asset *a)
{
    TUT_CLEAN(tut_buf) said = TUT_BUF_INIT;
    return tut_bom_licence(a->licence, &said) != TUT_BOM_LICENCE_NONE ||
           tut_bom_licence(tut_bom_known(bom, a, "licence"), &said) != TUT_BOM_LICENCE_NONE;
}

static bool has_references(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->url.len > 0 || a->source_count > 0 || a->card != SIZE_MAX;
}

static bool has_content(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->format.len > 0;
}

static bool has_provenance(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->url.len > 0 || a->source_count > 0 || a->collected_at.len > 0;
}

static bool has_statistics(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return tut_bom_fact_of(a, "rows").len > 0 || tut_bom_fact_of(a, "lines").len > 0;
}

static bool has_sensitivity(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->sensitivity.len > 0;
}

static bool is_used(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)bom;
    return a->used_by > 0 || a->edge_count > 0;
}

/* --- the rest --- */
static bool has_software(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->package_count > 0;
}

static bool has_controls(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    for (size_t i = 0; bom->conformity && i < bom->conformity->claim_count; i++)
        if (bom->conformity->claims[i].verdict == TUT_BOM_MET)
            return true;
    return false;
}

static bool has_compliance(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->conformity && bom->conformity->evidence_count > 0;
}

static bool has_contact(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    return bom->system && bom->system->contacts.count > 0;
}

static bool has_metric(const tut_bom *bom, const tut_bom_asset *a)
{
    (void)a;
    for (size_t i = 0; i < bom->asset_count; i++)
        if (bom->assets[i].kind == TUT_KIND_MODEL &&
            tut_bom_known(bom, &bom->assets[i], "card.metric").len)
            return true;
    return false;
}

#define ROWS(X)                                                                                    \
    X(Metadata, 01, "SBOM author", DOCUMENT, "metadata.authors, metadata.tools",                   \
      "CreationInfo.createdBy", is_always)                                                         \
    X(Metadata, 02, "SBOM version", DOCUMENT, "serialNumber, version", "SpdxDocument.spdxId",      \
      is_always)                                                                                   \
    X(Metadata, 03, "SBOM data format name", DOCUMENT, "bomFormat", "@context", is_always)         \
    X(Metadata, 04, "SBOM data format version", DOCUMENT, "specVersion",                           \
      "CreationInfo.specVersion", is_always)                                                       \
    X(Metadata, 05, "SBOM author signature", DOCUMENT, "signature",                                \
      "the log's record of this file's digest", is_signed)                                         \
    X(Metadata, 06, "SBOM tool name", DOCUMENT, "metadata.tools", "CreationInfo.createdUsing",     \
      is_always)                                                                                   \
    X(Metadata, 07, "SBOM tool version", DOCUMENT, "metadata.tools", "CreationInfo.createdUsing",  \
      is_always)                                                                                   \
    X(Metadata, 08, "SBOM generation context", DOCUMENT, "metadata.lifecycles",                    \
      "software_Sbom.software_sbomType", is_always)                                                \
    X(Metadata, 09, "SBOM timestamp", DOCUMENT, "metadata.timestamp", "CreationInfo.created",      \
      is_always)                                                                                   \
    X(Metadata, 10, "SBOM dependency relationship", DOCUMENT, "dependencies, compositions",        \
      "Relationship", is_always)                                                                   \
    X(System, 01, "System name", DOCUMENT, "metadata.component.name", "ai_AIPackage.name",         \
      has_system_name)                                                                             \
    X(System, 02, "System components", DOCUMENT, "components, services", "Relationship contains",  \
      has_components)                                                                              \
    X(System, 03, "System producer", DOCUMENT, "metadata.component.manufacturer",                  \
      "ai_AIPackage.suppliedBy", has_system_producer)                                              \
    X(System, 04, "System version", DOCUMENT, "metadata.component.version",                        \
      "ai_AIPackage.software_packageVersion", has_system_version)                                  \
    X(System, 05, "System timestamp", DOCUMENT,                                                    \
      "metadata.component.properties tutela:declared:released-at", "releaseTime",                  \
      has_system_release)                                                                          \
    X(System, 06, "System data flow", DOCUMENT, "services[].data",                                 \
      "CdxProperty tutela:declared:flow", has_flows)                                               \
    X(System, 07, "System data usage", DOCUMENT, "services[].data[].description",                  \
      "CdxProperty tutela:declared:flow", has_data_usage)                                          \
    X(System, 08, "System input/output properties", DOCUMENT,                                      \
      "services[].properties tutela:declared:*", "CdxProperty tutela:declared:part",               \
      has_system_io)                                                                               \
    X(System, 09, "Intended application area", DOCUMENT, "metadata.component.description",         \
      "ai_AIPackage.ai_informationAboutApplication", has_purpose)                                  \
    X(Models, 01, "Model name", MODELS, "name", "name", has_name)                                  \
    X(Models, 02, "Model identifier", MODELS, "bom-ref, purl", "spdxId", has_id)                   \
    X(Models, 03, "Model version", MODELS, "version", "software_packageVersion", has_version)      \
    X(Models, 04, "Model timestamp", MODELS, "properties tutela:declared:released-at",             \
      "releaseTime", has_release)                                                                  \
    X(Models, 05, "Model producer", MODELS, "supplier", "suppliedBy", has_producer)                \
    X(Models, 06, "Model description", MODELS, "description", "description", has_description)      \
    X(Models, 07, "Model hash value", MODELS, "hashes[].content", "verifiedUsing.hashValue",       \
      has_hash)                                                                                    \
    X(Models, 08, "Model hash algorithm", MODELS, "hashes[].alg", "verifiedUsing.algorithm",       \
      has_hash)                                                                                    \
    X(Models, 09, "Model properties", MODELS, "modelCard, properties tutela:file:*",               \
      "ai_typeOfModel, CdxProperty tutela:file:*", has_properties)                                 \
    X(Models, 10, "Model input/output properties", MODELS,                                         \
      "modelCard.modelParameters.task, properties tutela:declared:*",                              \
      "ai_informationAboutApplication, CdxProperty tutela:declared:*", has_io)                     \
    X(Models, 11, "Model training properties", MODELS,                                             \
      "modelCard.modelParameters.datasets, pedigree", "trainedOn, ai_informationAboutTraining",    \
      has_training)                                                                                \
    X(Models, 12, "Model license", MODELS, "licenses", "hasDeclaredLicense, hasConcludedLicense",  \
      has_licence)                                                                                 \
    X(Models, 13, "Model external references", MODELS, "externalReferences", "externalRef",        \
      has_references)                                                                              \
    X(Datasets, 01, "Dataset name", DATASETS, "name", "name", has_name)                            \
    X(Datasets, 02, "Dataset description", DATASETS, "description", "description",                 \
      has_description)                                                                             \
    X(Datasets, 03, "Dataset content", DATASETS, "data[], properties tutela:file:format",          \
      "dataset_datasetType, CdxProperty tutela:file:format", has_content)                          \
    X(Datasets, 04, "Dataset identifier", DATASETS, "bom-ref", "spdxId", has_id)                   \
    X(Datasets, 05, "Dataset hash", DATASETS, "hashes[]", "verifiedUsing", has_hash)               \
    X(Datasets, 06, "Dataset provenance", DATASETS, "data[].contents, externalReferences",         \
      "dataset_dataCollectionProcess, software_downloadLocation", has_provenance)                  \
    X(Datasets, 07, "Dataset statistical properties", DATASETS, "properties tutela:file:rows",     \
      "dataset_datasetSize", has_statistics)                                                       \
    X(Datasets, 08, "Dataset sensitivity", DATASETS, "data[].classification, sensitiveData",       \
      "dataset_hasSensitivePersonalInformation", has_sensitivity)                                  \
    X(Datasets, 09, "Dataset dependency relationship", DATASETS, "dependencies",                   \
      "Relationship dependsOn, trainedOn", is_used)                                                \
    X(Datasets, 10, "Dataset license", DATASETS, "licenses",                                       \
      "hasDeclaredLicense, hasConcludedLicense", has_licence)                                      \
    X(Infrastructure, 01, "Infrastructure software", DOCUMENT, "components[] of type library",     \
      "software_Package", has_software)                                                            \
    X(Infrastructure, 02, "Infrastructure hardware", DOCUMENT,                                     \
      "metadata.component.properties tutela:declared:hardware",                                    \
      "CdxProperty tutela:declared:hardware", has_hardware)                                        \
    X(Security, 01, "Security controls", DOCUMENT, "declarations.claims",                          \
      "CdxProperty tutela:log:control", has_controls)                                              \
    X(Security, 02, "Security compliance", DOCUMENT, "declarations.attestations",                  \
      "CdxProperty tutela:log:control", has_compliance)                                            \
    X(Security, 03, "Cybersecurity policy information", DOCUMENT,                                  \
      "metadata.component.externalReferences security-contact", "externalRef securityPolicy",      \
      has_contact)                                                                                 \
    X(Security, 04, "Vulnerability referencing", DOCUMENT, "", "", is_never)                       \
    X(KPI, 01, "Security metrics", DOCUMENT, "declarations.attestations[].map[].conformance",      \
      "CdxProperty tutela:log:control", has_compliance)                                            \
    X(KPI, 02, "Operational performance KPIs", DOCUMENT, "modelCard.quantitativeAnalysis",         \
      "ai_metric", has_metric)

const tut_g7_element tut_g7_elements[TUT_G7_COUNT] = {
#define X(group, number, title, scope, in_cyclonedx, in_spdx, claim)                               \
    {.id = #group "-" #number,                                                                     \
     .cluster = #group,                                                                            \
     .name = title,                                                                                \
     .about = TUT_G7_##scope,                                                                      \
     .cyclonedx = in_cyclonedx,                                                                    \
     .spdx = in_spdx,                                                                              \
     .is_known = claim},
    ROWS(X)
#undef X
};

tut_g7_state tut_g7_judge(const tut_bom *bom, const tut_g7_element *element)
{
    tut_g7_state s = {0};
    if (element->about == TUT_G7_DOCUMENT)
        return (tut_g7_state){element->is_known(bom, NULL), 1};
    tut_asset_kind kind = element->about == TUT_G7_MODELS ? TUT_KIND_MODEL : TUT_KIND_DATASET;
    for (size_t i = 0; i < bom->asset_count; i++) {
        if (bom->assets[i].kind != kind)
            continue;
        s.of++;
        s.known += element->is_known(bom, &bom->assets[i]);
    }
    return s;
}

void tut_g7_text(const tut_g7_element *element, const tut_g7_state *state, bool is_spdx,
                 tut_buf *out)
{
    const char *place = is_spdx ? element->spdx : element->cyclonedx;
    if (state->of == 0)
        tut_buf_printf(out, "not known: the system has no %s",
                       element->about == TUT_G7_MODELS ? "model" : "data set");
    else if (state->known == 0 && element->about == TUT_G7_DOCUMENT)
        tut_buf_add_z(out, "not known");
    else if (state->known == 0)
        tut_buf_printf(out, "not known of any of %zu", state->of);
    else if (state->known < state->of)
        tut_buf_printf(out, "known of %zu of %zu: %s", state->known, state->of, place);
    else
        tut_buf_printf(out, "known: %s", place);
}
