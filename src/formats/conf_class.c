/* Classes that a configuration has loaded: those of diffusers' pipelines, of sentence encoders, of
 * adapters, of Keras' models written as YAML, the items of a Core ML package, and Hydra's targets
 * that are put together from others.
 */
#include <string.h>

#include "formats/conf.h"
#include "formats/encoded.h"
#include "formats/marshal.h"
#include "formats/relpath.h"

enum { SHOWN = 300 };
#define TUT_CONF_SHOWN(s) (int)((s).len < SHOWN ? (s).len : SHOWN), (s).data

static bool is_one_of(tut_str s, const char *const *list)
{
    for (; *list; list++)
        if (tut_str_eq_z(s, *list))
            return true;
    return false;
}

/* --- model_index.json: {"unet": ["diffusers", "UNet2DConditionModel"]} --- */

/* Libraries, and the folders of diffusers' own pipelines: all else is a module of the model's. */
static bool is_library(tut_str name)
{
    static const char *const names[] = {"diffusers",
                                        "transformers",
                                        "onnxruntime.training",
                                        "k_diffusion",
                                        "optimum",
                                        "peft",
                                        "torch",
                                        "alt_diffusion",
                                        "animatediff",
                                        "audioldm",
                                        "audioldm2",
                                        "blip_diffusion",
                                        "controlnet",
                                        "cosmos",
                                        "deepfloyd_if",
                                        "deprecated",
                                        "flux",
                                        "hunyuandit",
                                        "kandinsky",
                                        "kandinsky2_2",
                                        "kolors",
                                        "latent_diffusion",
                                        "latent_diffusion_uncond",
                                        "ltx",
                                        "ltx2",
                                        "musicldm",
                                        "paint_by_example",
                                        "pipeline_utils",
                                        "pixart_alpha",
                                        "shap_e",
                                        "spectrogram_diffusion",
                                        "stable_audio",
                                        "stable_cascade",
                                        "stable_diffusion",
                                        "stable_diffusion_3",
                                        "stable_diffusion_safe",
                                        "stable_diffusion_xl",
                                        "stable_video_diffusion",
                                        "t2i_adapter",
                                        "unclip",
                                        "unidiffuser",
                                        "versatile_diffusion",
                                        "vq_diffusion",
                                        "wuerstchen",
                                        NULL};
    return is_one_of(name, names) || tut_str_starts(name, TUT_LIT("optimum.")) ||
           tut_str_starts(name, TUT_LIT("transformers.")) ||
           tut_str_starts(name, TUT_LIT("diffusers."));
}

static void note_component(tut_conf *c, tut_str text)
{
    bool is_library_place = c->depth == 2 && !c->levels[1].is_map && c->levels[1].items == 0;
    if (!is_library_place || text.len == 0 || c->has_local_class || is_library(text))
        return;
    c->has_local_class = c->has_remote_code = true;
    tut_str what = tut_conf_key_at(c, 1);
    tut_exam_observe(c->x, "data.remote-code", c->offset, "%.*s comes from the module %.*s",
                     TUT_CONF_SHOWN(what), TUT_CONF_SHOWN(text));
}

/* --- modules.json of Sentence Transformers: [{"path": "1_Pooling", "type": "module.Class"}] --- */

/* The loader imports the class, and joins the path with the folder of the model. */
static void note_module(tut_conf *c, tut_str key, tut_str text)
{
    bool is_own = tut_str_starts(text, TUT_LIT("sentence_transformers.")) ||
                  tut_str_starts(text, TUT_LIT("pylate."));
    if (c->depth != 2 || c->levels[0].is_map || text.len == 0)
        return;
    if (tut_str_eq_z(key, "type") && !is_own && !c->has_local_class) {
        c->has_local_class = c->has_remote_code = true;
        tut_exam_observe(c->x, "data.remote-code", c->offset, "a module of the model is a %.*s",
                         TUT_CONF_SHOWN(text));
    }
    const char *why = tut_str_eq_z(key, "path") ? tut_relpath_unsafe(text) : NULL;
    if (why)
        tut_exam_observe(c->x, "data.shard-traversal", c->offset,
                         "a module of the model lies in %.*s: it %s", TUT_CONF_SHOWN(text), why);
}

/* --- adapter_config.json of PEFT: {"auto_mapping": {"parent_library": "transformers.models.x"}}
 * ---
 */

/* The loader imports the library, whatever it is, and takes the class of the base model from it. */
static void note_parent(tut_conf *c, tut_str key, tut_str text)
{
    static const char *const roots[] = {"transformers.",          "diffusers.", "torch.",
                                        "sentence_transformers.", "peft.",      "timm.",
                                        "torchvision.",           "open_clip.", NULL};
    if (!tut_str_eq_z(key, "parent_library") || text.len == 0 || c->has_local_class ||
        !tut_str_eq_z(tut_conf_key_at(c, c->depth - 1), "auto_mapping"))
        return;
    for (const char *const *root = roots; *root; root++)
        if (tut_str_starts(text, tut_str_of(*root)) ||
            tut_str_eq(text, (tut_str){*root, strlen(*root) - 1}))
            return;
    c->has_local_class = c->has_remote_code = true;
    tut_exam_observe(c->x, "data.remote-code", c->offset,
                     "the base model's class comes from the module %.*s", TUT_CONF_SHOWN(text));
}

/* --- Manifest.json of a .mlpackage --- */

static void note_item(tut_conf *c, tut_str key, tut_str text)
{
    if (!tut_str_eq_z(key, "path") || !tut_str_eq_z(tut_conf_key_at(c, 1), "itemInfoEntries"))
        return;
    const char *why = tut_relpath_unsafe(text);
    if (why)
        tut_exam_observe(c->x, "coreml.path", c->offset, "an item of the package is %.*s: it %s",
                         TUT_CONF_SHOWN(text), why);
}

void tut_conf_note_class(tut_conf *c, tut_str key, tut_str text)
{
    if (tut_str_eq_z(c->x->name, "model_index.json"))
        note_component(c, text);
    if (tut_str_eq_z(c->x->name, "modules.json"))
        note_module(c, key, text);
    if (c->depth > 0)
        note_parent(c, key, text);
    if (tut_str_eq_z(c->x->name, "Manifest.json"))
        note_item(c, key, text);
}

/* --- Keras' models, as YAML --- */

tut_status tut_conf_note_keras(tut_conf *c, tut_str key, tut_str text)
{
    enum { HEAD = 256, LEAST = 48 };
    uint8_t some[HEAD];
    size_t len = 0;
    bool is_lambda = tut_str_eq_z(key, "class_name") && tut_str_eq_z(text, "Lambda");
    if (is_lambda && !c->has_lambda)
        tut_exam_observe(c->x, "keras.lambda", c->offset, "class_name: Lambda");
    c->has_lambda |= is_lambda;
    tut_str head = {text.data, text.len < HEAD ? text.len : HEAD};
    if (text.len < LEAST || !tut_encoded_base64(head, some, sizeof(some), &len) ||
        !tut_marshal_is_code((tut_span){some, len}))
        return TUT_SUCCESS;
    TUT_AUTO_FREE uint8_t *decoded = tut_alloc_array(text.len, 1);
    if (!decoded)
        return tut_fail(c->err, TUT_NOMEM, "memory ran out");
    if (!tut_encoded_base64(text, decoded, text.len, &len))
        return TUT_SUCCESS;
    return tut_marshal_report(c->x, (tut_span){decoded, len}, "keras.lambda-code", "a text",
                              c->err);
}

/* --- targets: "${module}.system" --- */

enum { JOINED_MAX = 200, JOINS = 64 };

bool tut_conf_is_joined(tut_str target)
{
    size_t at;
    return tut_str_find(target, TUT_LIT("${"), &at);
}

static bool is_dotted(tut_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.data[i];
        bool is_word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                       (ch >= '0' && ch <= '9') || ch == '_' || ch == '.' || ch == '$' ||
                       ch == '{' || ch == '}' || (uint8_t)ch >= 0x80;
        if (!is_word)
            return false;
    }
    return s.len > 0;
}

void tut_conf_note_word(tut_conf *c, tut_str key, tut_str text)
{
    char word[2 * JOINED_MAX];
    if (key.len == 0 || key.len + text.len + 1 > JOINED_MAX || memchr(key.data, '=', key.len) ||
        tut_str_eq_z(key, "_target_") || !is_dotted(text))
        return;
    memcpy(word, key.data, key.len);
    word[key.len] = '=';
    memcpy(word + key.len + 1, text.data, text.len);
    (void)tut_conf_set_add(&c->words, (tut_str){word, key.len + 1 + text.len});
}

typedef struct joining {
    tut_conf *c;
    tut_str shown;
    size_t left;   /* how many more may be put together */
    bool is_whole; /* something came of it */
} joining;

/* By the last part of its name, wherever that stands: "${a.b}" is any b. */
static bool fits(tut_str word, tut_str name, tut_str *ret_text)
{
    const char *dot = name.len ? memrchr(name.data, '.', name.len) : NULL;
    if (dot)
        name = (tut_str){dot + 1, name.len - (size_t)(dot + 1 - name.data)};
    if (word.len <= name.len || word.data[name.len] != '=' || !tut_str_starts(word, name))
        return false;
    *ret_text = (tut_str){word.data + name.len + 1, word.len - name.len - 1};
    return true;
}

static void join(joining *j, tut_str text, int depth)
{
    size_t start = 0, end = 0;
    char next[2 * JOINED_MAX];
    if (!tut_str_find(text, TUT_LIT("${"), &start)) {
        j->is_whole = true;
        tut_conf_refer_target(j->c, text, j->shown);
        return;
    }
    tut_str behind = {text.data + start + 2, text.len - start - 2};
    if (depth == 0 || !tut_str_find(behind, TUT_LIT("}"), &end))
        return;
    tut_str name = {behind.data, end}, word, value;
    tut_str rest = {behind.data + end + 1, behind.len - end - 1};
    for (size_t at = 0; j->left > 0 && tut_conf_set_next(&j->c->words, &at, &word);) {
        if (!fits(word, name, &value) || start + value.len + rest.len > sizeof(next))
            continue;
        j->left--;
        memcpy(next, text.data, start);
        memcpy(next + start, value.data, value.len);
        memcpy(next + start + value.len, rest.data, rest.len);
        join(j, (tut_str){next, start + value.len + rest.len}, depth - 1);
    }
}

void tut_conf_finish_targets(tut_conf *c)
{
    enum { DEPTH = 8 };
    tut_str target;
    joining j = {.c = c, .left = JOINS};
    c->offset = TUT_NO_OFFSET;
    for (size_t at = 0; tut_conf_set_next(&c->targets, &at, &target);) {
        if (!tut_conf_is_joined(target))
            continue;
        j.shown = target;
        j.is_whole = false;
        join(&j, target, DEPTH);
        if (!j.is_whole)
            tut_conf_refer_target(c, target, target);
    }
}
