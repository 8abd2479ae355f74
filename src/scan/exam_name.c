/*
 * What the ending of a name promises. Content decides what a file is; a name only says what people
 * and loaders will take it for.
 */
#include "scan/exam.h"

/* Files that loaders unpickle, whatever exactly lies in them. */
static const char pickled[] =
    ".pt .pth .ckpt .bin .pkl .pickle .joblib .p .pk .dill .cloudpickle .mar .pt2 .ptl .th "
    ".pdparams .pdopt";
/* Files of models that by their format hold data and no code. */
static const char data_only[] =
    ".safetensors .gguf .ggml .onnx .npy .npz .h5 .hdf5 .keras .pb .tflite .msgpack .mlmodel .pte "
    ".pdmodel .pdiparams .caffemodel .rknn .mnn .ubj .cbm .pmml";
/* Files that nobody expects to be loaded as a model. */
static const char documents[] =
    ".txt .md .rst .json .jsonl .csv .tsv .yaml .yml .toml .xml .html .htm .css .js .py .ipynb "
    ".ini .cfg .conf .log .pdf .doc .docx .xls .xlsx .ppt .pptx .png .jpg .jpeg .gif .bmp .webp "
    ".svg "
    ".ico .tif .tiff .mp3 .mp4 .wav .ogg .flac .avi .mov .mkv .webm .lock";
/* Formats whose loading runs what the file says. */
static const char executing[] = "pickle joblib torch-package torch-zip torch-legacy torch-tar";

/* Formats that hold numbers, and nothing that any loader could run. */
static const char passive[] = "safetensors gguf";

static bool name_ends(tut_str name, const char *endings)
{
    tut_sniff s = {.name = name};
    return tut_sniff_ext(&s, endings);
}

static bool list_has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = strstr(words, word); at; at = strstr(at + 1, word)) {
        bool starts = at == words || at[-1] == ' ';
        bool ends = at[len] == '\0' || at[len] == ' ';
        if (starts && ends)
            return true;
    }
    return false;
}

bool tut_name_is_model(tut_str name)
{
    return name_ends(name, pickled) || name_ends(name, data_only);
}

/* Models of kinds that are not read here, and archives in which models are handed on. */
static const char opaque[] =
    ".keras .nemo .skops .mar .llamafile .mlmodel .mlpackage .pte .pdmodel .pdiparams .caffemodel "
    ".rknn .dlc .hef .kmodel .bmodel .xmodel .cvimodel .dnn .cmf .t7 .rds .rda .rdata .tar .tgz "
    ".tar.gz .tar.bz2 .tar.xz .tar.zst .7z .rar";

/* "model.pt.gpg": a model that has been encrypted as a file. */
static bool is_encrypted_model(tut_str name)
{
    static const char *const endings[] = {".gpg", ".pgp", ".age", ".enc", ".aes"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t len = strlen(endings[i]);
        if (name_ends(name, endings[i]) && tut_name_is_model((tut_str){name.data, name.len - len}))
            return true;
    }
    return false;
}

bool tut_name_is_opaque(tut_str name)
{
    return name_ends(name, opaque) || is_encrypted_model(name);
}

bool tut_name_is_common(tut_str name)
{
    return name_ends(name, ".pt .pth .bin .p .pk .th .mar");
}

bool tut_format_executes(const tut_format *format)
{
    return list_has_word(executing, format->name);
}

bool tut_name_fits(tut_str name, const tut_format *format, bool *ret_is_severe)
{
    bool executes = tut_format_executes(format);
    bool is_data_name = name_ends(name, data_only);
    bool is_document = name_ends(name, documents);
    *ret_is_severe = executes && (is_data_name || is_document);
    if (format->extensions && name_ends(name, format->extensions))
        return true;
    /* Within the family of pickles names are used freely, and compression keeps the name. */
    if (name_ends(name, pickled) && (executes || format->kind == TUT_KIND_NONE))
        return true;
    if (format->kind != TUT_KIND_MODEL && format->kind != TUT_KIND_NONE)
        return !tut_name_is_model(name);
    return !is_data_name && !is_document && !name_ends(name, pickled);
}

bool tut_name_overstates(tut_str name, const tut_format *format)
{
    return format->kind == TUT_KIND_MODEL && !tut_format_executes(format) &&
           list_has_word(passive, format->name) && name_ends(name, pickled);
}
