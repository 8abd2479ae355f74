/* See tf_ops.h; the names of all operators are in tf_ops.def. */
#include "formats/tf_ops.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Sources: tensorflow/core/ops/{io,dataset,experimental_dataset,script,summary,logging,debug,rpc,
 * lookup,state,decode_proto,collective}_ops.cc. Sorted by name. */
static const tut_tf_op judged[] = {
    {"AsString", TUT_TF_PASSES_TEXT, 1, NULL},
    {"BigQueryReader", TUT_TF_NETWORK, 0, NULL},
    {"CSVDataset", TUT_TF_READS, 1, NULL},
    {"CSVDatasetV2", TUT_TF_READS, 1, NULL},
    {"CacheDataset", TUT_TF_CACHES, 2, NULL},
    {"CacheDatasetV2", TUT_TF_CACHES, 2, NULL},
    {"CloseSummaryWriter", TUT_TF_LOGS, 0, NULL},
    {"ConcatV2", TUT_TF_PASSES_TEXT, 255, NULL},
    {"Const", TUT_TF_PASSES_TEXT, 0, NULL},
    {"CreateSummaryDbWriter", TUT_TF_LOGS, 2, NULL},
    {"CreateSummaryFileWriter", TUT_TF_LOGS, 2, NULL},
    {"DataServiceDataset", TUT_TF_NETWORK, 0, NULL},
    {"DataServiceDatasetV2", TUT_TF_NETWORK, 0, NULL},
    {"DataServiceDatasetV3", TUT_TF_NETWORK, 0, NULL},
    {"DataServiceDatasetV4", TUT_TF_NETWORK, 0, NULL},
    {"DatasetToTFRecord", TUT_TF_WRITES, 2, NULL},
    {"DebugIdentity", TUT_TF_DEBUGS, 0, "debug_urls"},
    {"DebugIdentityV2", TUT_TF_DEBUGS, 0, "debug_urls"},
    {"DebugIdentityV3", TUT_TF_DEBUGS, 0, "debug_urls"},
    {"DebugNanCount", TUT_TF_DEBUGS, 0, "debug_urls"},
    {"DebugNumericSummary", TUT_TF_DEBUGS, 0, "debug_urls"},
    {"DecodeBase64", TUT_TF_PASSES_TEXT, 1, NULL},
    {"DecodeProto", TUT_TF_READS_ATTR, 0, "descriptor_source"},
    {"DecodeProtoV2", TUT_TF_READS_ATTR, 0, "descriptor_source"},
    {"DistributedSave", TUT_TF_WRITES, 2, NULL},
    {"DistributedSaveV2", TUT_TF_WRITES, 2, NULL},
    {"EagerPyFunc", TUT_TF_PYTHON, 0, NULL},
    {"EncodeProto", TUT_TF_READS_ATTR, 0, "descriptor_source"},
    {"ExpandDims", TUT_TF_PASSES_TEXT, 1, NULL},
    {"ExperimentalCSVDataset", TUT_TF_READS, 1, NULL},
    {"ExperimentalDatasetToTFRecord", TUT_TF_WRITES, 2, NULL},
    {"ExperimentalLMDBDataset", TUT_TF_READS, 1, NULL},
    {"ExperimentalMatchingFilesDataset", TUT_TF_READS, 1, NULL},
    {"ExperimentalSqlDataset", TUT_TF_READS, 2, NULL},
    {"FileSystemSetConfiguration", TUT_TF_NETWORK, 0, NULL},
    {"FixedLengthRecordDataset", TUT_TF_READS, 1, NULL},
    {"FixedLengthRecordDatasetV2", TUT_TF_READS, 1, NULL},
    {"FixedLengthRecordReader", TUT_TF_READS, 0, NULL},
    {"FixedLengthRecordReaderV2", TUT_TF_READS, 0, NULL},
    {"FlushSummaryWriter", TUT_TF_LOGS, 0, NULL},
    {"GatherV2", TUT_TF_PASSES_TEXT, 1, NULL},
    {"GcsConfigureBlockCache", TUT_TF_NETWORK, 0, NULL},
    {"GcsConfigureCredentials", TUT_TF_NETWORK, 0, NULL},
    {"GenerateBigQueryReaderPartitions", TUT_TF_NETWORK, 0, NULL},
    {"IO>FileInfo", TUT_TF_READS, 1, NULL},
    {"IO>FileInit", TUT_TF_WRITES, 1, NULL},
    {"IO>FileRead", TUT_TF_READS, 1, NULL},
    {"Identity", TUT_TF_PASSES_TEXT, 1, NULL},
    {"IdentityN", TUT_TF_PASSES_TEXT, 255, NULL},
    {"ImmutableConst", TUT_TF_READS_ATTR, 0, "memory_region_name"},
    {"ImportEvent", TUT_TF_LOGS, 0, NULL},
    {"InitializeTableFromTextFile", TUT_TF_FILLS_TABLE, 2, NULL},
    {"InitializeTableFromTextFileV2", TUT_TF_FILLS_TABLE, 2, NULL},
    {"LMDBDataset", TUT_TF_READS, 1, NULL},
    {"LMDBReader", TUT_TF_READS, 0, NULL},
    {"LoadAndRemapMatrix", TUT_TF_RESTORES, 1, NULL},
    {"LoadDataset", TUT_TF_READS, 1, NULL},
    {"LookupTableExport", TUT_TF_EXPORTS, 0, NULL},
    {"LookupTableExportV2", TUT_TF_EXPORTS, 0, NULL},
    {"MatchingFiles", TUT_TF_READS, 1, NULL},
    {"MatchingFilesDataset", TUT_TF_READS, 1, NULL},
    {"MergeV2Checkpoints", TUT_TF_SAVES, 3, NULL},
    {"Pack", TUT_TF_PASSES_TEXT, 255, NULL},
    {"PartitionedCall", TUT_TF_CALLS, 255, "f"},
    {"PlaceholderWithDefault", TUT_TF_PASSES_TEXT, 1, NULL},
    {"PrintV2", TUT_TF_WRITES_ATTR, 0, "output_stream"},
    {"PyFunc", TUT_TF_PYTHON, 0, NULL},
    {"PyFuncStateless", TUT_TF_PYTHON, 0, NULL},
    {"ReadFile", TUT_TF_READS, 1, NULL},
    {"RegexReplace", TUT_TF_PASSES_TEXT, 5, NULL},
    {"RegisterDataset", TUT_TF_NETWORK, 0, NULL},
    {"RegisterDatasetV2", TUT_TF_NETWORK, 0, NULL},
    {"Reshape", TUT_TF_PASSES_TEXT, 1, NULL},
    {"Restore", TUT_TF_RESTORES, 1, NULL},
    {"RestoreSlice", TUT_TF_RESTORES, 1, NULL},
    {"RestoreV2", TUT_TF_RESTORES, 1, NULL},
    {"Rpc", TUT_TF_NETWORK, 0, NULL},
    {"RpcCall", TUT_TF_NETWORK, 0, NULL},
    {"RpcCheckStatus", TUT_TF_NETWORK, 0, NULL},
    {"RpcClient", TUT_TF_NETWORK, 0, NULL},
    {"RpcGetValue", TUT_TF_NETWORK, 0, NULL},
    {"RpcServer", TUT_TF_NETWORK, 0, NULL},
    {"RpcServerRegister", TUT_TF_NETWORK, 0, NULL},
    {"RpcServerStart", TUT_TF_NETWORK, 0, NULL},
    {"RpcServerStop", TUT_TF_NETWORK, 0, NULL},
    {"Save", TUT_TF_SAVES, 1, NULL},
    {"SaveDataset", TUT_TF_WRITES, 2, NULL},
    {"SaveDatasetV2", TUT_TF_WRITES, 2, NULL},
    {"SaveSlices", TUT_TF_SAVES, 1, NULL},
    {"SaveV2", TUT_TF_SAVES, 1, NULL},
    {"Select", TUT_TF_PASSES_TEXT, 6, NULL},
    {"SelectV2", TUT_TF_PASSES_TEXT, 6, NULL},
    {"ShardedFilename", TUT_TF_PASSES_TEXT, 1, NULL},
    {"ShardedFilespec", TUT_TF_PASSES_TEXT, 1, NULL},
    {"SnapshotDataset", TUT_TF_WRITES, 2, NULL},
    {"SnapshotDatasetV2", TUT_TF_WRITES, 2, NULL},
    {"SqlDataset", TUT_TF_READS, 2, NULL},
    {"Squeeze", TUT_TF_PASSES_TEXT, 1, NULL},
    {"StatefulPartitionedCall", TUT_TF_CALLS, 255, "f"},
    {"StaticRegexReplace", TUT_TF_PASSES_TEXT, 1, NULL},
    {"StridedSlice", TUT_TF_PASSES_TEXT, 1, NULL},
    {"StringFormat", TUT_TF_PASSES_TEXT, 255, NULL},
    {"StringJoin", TUT_TF_PASSES_TEXT, 255, NULL},
    {"StringLower", TUT_TF_PASSES_TEXT, 1, NULL},
    {"StringStrip", TUT_TF_PASSES_TEXT, 1, NULL},
    {"Substr", TUT_TF_PASSES_TEXT, 1, NULL},
    {"SummaryWriter", TUT_TF_LOGS, 0, NULL},
    {"TFRecordDataset", TUT_TF_READS, 1, NULL},
    {"TFRecordDatasetV2", TUT_TF_READS, 1, NULL},
    {"TFRecordReader", TUT_TF_READS, 0, NULL},
    {"TFRecordReaderV2", TUT_TF_READS, 0, NULL},
    {"TextLineDataset", TUT_TF_READS, 1, NULL},
    {"TextLineReader", TUT_TF_READS, 0, NULL},
    {"TextLineReaderV2", TUT_TF_READS, 0, NULL},
    {"TryRpc", TUT_TF_NETWORK, 0, NULL},
    {"WholeFileReader", TUT_TF_READS, 0, NULL},
    {"WholeFileReaderV2", TUT_TF_READS, 0, NULL},
    {"WriteAudioSummary", TUT_TF_LOGS, 0, NULL},
    {"WriteFile", TUT_TF_WRITES, 1, NULL},
    {"WriteGraphSummary", TUT_TF_LOGS, 0, NULL},
    {"WriteHistogramSummary", TUT_TF_LOGS, 0, NULL},
    {"WriteImageSummary", TUT_TF_LOGS, 0, NULL},
    {"WriteRawProtoSummary", TUT_TF_LOGS, 0, NULL},
    {"WriteScalarSummary", TUT_TF_LOGS, 0, NULL},
    {"WriteSummary", TUT_TF_LOGS, 0, NULL},
    {"XlaCustomCall", TUT_TF_NATIVE, 0, "target_name"},
    {"XlaCustomCallV2", TUT_TF_NATIVE, 0, "call_target_name"},
};

typedef struct op_name {
    const char *name;
    bool is_extension;
} op_name;

static const op_name names[] = {
#define OP(name) {name, false},
#define EXTENSION(name) {name, true},
#include "formats/tf_ops.def"
#undef OP
#undef EXTENSION
};

static int compare_judged(const void *key, const void *row)
{
    return strcmp(key, ((const tut_tf_op *)row)->name);
}

static int compare_names(const void *key, const void *row)
{
    return strcmp(key, ((const op_name *)row)->name);
}

const tut_tf_op *tut_tf_op_find(const char *name)
{
    return bsearch(name, judged, sizeof(judged) / sizeof(judged[0]), sizeof(judged[0]),
                   compare_judged);
}

bool tut_tf_op_exists(const char *name, bool *ret_is_extension)
{
    const op_name *row = bsearch(name, names, sizeof(names) / sizeof(names[0]), sizeof(names[0]),
                                 compare_names);
    *ret_is_extension = row && row->is_extension;
    return row != NULL;
}

bool tut_tf_op_sounds_bad(const char *name)
{
    static const char *const words[] = {"shell",   "exec",   "system", "subprocess", "python",
                                        "pycall",  "pyeval", "popen",  "command",    "runcode",
                                        "loadlib", "dlopen", "script", "eval",       "pyfunc"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}
