/* Everything that is recognised by content and is no model: kinds, facts, and the few findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "exam_recorder.h"

/* Bytes at a path, as the scan engine sees them: "FORMAT KIND" and what was said. */
static const char *look(exam_recorder *r, const char *path, tut_span bytes)
{
    tut_source source = tut_source_memory(bytes);
    const char *slash = strrchr(path, '/');
    size_t head = bytes.len < 4096 ? bytes.len : 4096, tail = bytes.len < 512 ? bytes.len : 512;
    tut_sniff s = {.head = tut_span_of(bytes.data, head),
                   .tail = tut_span_of(bytes.data + bytes.len - tail, tail),
                   .size = bytes.len,
                   .name = tut_str_of(slash ? slash + 1 : path),
                   .path = tut_str_of(path)};
    *r = (exam_recorder){.content = true};
    tut_budget_init(&r->budget);
    (void)snprintf(r->where, sizeof(r->where), "%s", s.name.data);
    const tut_format *f = tut_format_detect(&s, NULL);
    tut_buf_printf(&r->log, "%s %s\n", f ? f->name : "-",
                   tut_asset_kind_name(f ? f->kind : TUT_KIND_NONE));
    TUT_AUTO(tut_stream) stream = NULL;
    if (f && f->examine && tut_is_ok(tut_stream_open_source(&source, &stream))) {
        tut_error err = {0};
        tut_exam x = {.stream = stream,
                      .source = &source,
                      .size = bytes.len,
                      .name = s.name,
                      .budget = &r->budget,
                      .content = true,
                      .ops = &recorder_ops,
                      .ctx = r};
        tut_status status = f->examine(&x, &err);
        if (!tut_is_ok(status))
            tut_buf_printf(&r->log, "status %s %s\n", tut_code_name(status.code), err.text);
    }
    const char *log = tut_buf_z(&r->log);
    return log ? log : "";
}

typedef struct sample {
    const char *path;
    const char *text;
    const char *is; /* "FORMAT KIND" */
    const char *says[8];
} sample;

static void check(const sample *s)
{
    exam_recorder r;
    const char *log = look(&r, s->path, tut_span_of(s->text, strlen(s->text)));
    size_t len = strlen(s->is);
    if (strncmp(log, s->is, len) != 0 || log[len] != '\n')
        fail_msg("%s is not %s but: %s", s->path, s->is, log);
    for (size_t i = 0; i < 6 && s->says[i]; i++) {
        bool is_denied = s->says[i][0] == '!';
        if (recorder_has(log, s->says[i] + is_denied) == is_denied)
            fail_msg("%s: \"%s\" in: %s", s->path, s->says[i], log);
    }
    recorder_done(&r);
}

static void check_all(const sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(&samples[i]);
}

#define CHECK(list) check_all(list, sizeof(list) / sizeof((list)[0]))

/* --- data sets --- */
static const sample tables[] = {
    {"data/a.csv", "id,name\n1,x\n2,y\n", "csv dataset", {"fact rows=2 ", "fact columns=2 "}},
    {"a.tsv", "id\tname, first\n1\tx\n", "csv dataset", {"fact rows=1 ", "fact columns=2 "}},
    {"a.csv", "1;2;3\n4;5;6", "csv dataset", {"fact rows=2 ", "fact columns=3 "}},
    {"a.csv", "a|b\r\n1|2\r\n\r\n3|4\r\n", "csv dataset", {"fact rows=2 "}},
    {"a.csv", "a,b\r1,2\r3,4\r", "csv dataset", {"fact rows=2 "}},
    /* A quoted field holds ends of lines, delimiters and doubled quotes. */
    {"a.csv",
     "q,a\n\"one\ntwo\",\"x,\"\"y\"\"\n\"\nthree,4\n",
     "csv dataset",
     {"fact rows=2 ", "fact columns=2 "}},
    /* A quote inside an unquoted field is a character. */
    {"a.csv", "q,a\n5\" disk,1\n6\" disk,2\n", "csv dataset", {"fact rows=2 "}},
    {"a.csv", "name\nx\ny\n", "csv dataset", {"fact rows=2 ", "fact columns=1 "}},
    {"a.csv", "caf\xe9,b\n1,2\n", "csv dataset", {"fact rows=1 "}}, /* Latin-1 */
    {"datasets/iris.data", "5.1,3.5,a\n4.9,3.0,a\n4.7,3.2,b\n", "csv dataset", {"fact rows=3 "}},
    {"data/train", "5.1,3.5\n4.9,3.0\n4.7,3.2\n", "csv dataset", {"fact columns=2 "}},
    {"iris.data", "5.1,3.5,a\n4.9,3.0,a\n4.7,3.2,b\n", "- none", {NULL}},
};

static const sample records[] = {
    {"a.jsonl", "{\"a\": 1}\n\n{\"a\": 2}\n{\"a\": 3}", "jsonl dataset", {"fact rows=3 "}},
    {"a.ndjson", "{}\n", "jsonl dataset", {"fact rows=1 "}},
    {"a.json", "{\"a\": 1}\n{\"a\": 2}\n", "jsonl dataset", {"fact rows=2 "}},
    {"a.json",
     "[{\"a\": 1, \"b\": {\"c\": []}}, {\"a\": {\"x\": {}}}]",
     "json-records dataset",
     {"fact rows=2 ", "fact columns=2 "}},
    {"a.json", "[\n  {\"a\": 1},", "json-records dataset", {"fact data.broken=", "!fact rows"}},
    {"a.jsonl", "[1]\n[2]\n", "- none", {NULL}},
    {"data/corpus/one.txt", "Once upon a time.\nThere was.", "corpus dataset", {"fact lines=2 "}},
    {"notes/one.txt", "Once upon a time.\n", "- none", {NULL}},
    {"data/README.md", "# What lies here\n", "- none", {NULL}},
    {"data/LICENSE.txt", "Permission is\n", "- none", {NULL}},
};

static void tables_are_data_sets_with_rows_and_columns(void **state)
{
    (void)state;
    CHECK(tables);
}

static void json_lines_records_and_text_corpora_are_data_sets(void **state)
{
    (void)state;
    CHECK(records);
}

static void a_record_longer_than_any_window_counts_once(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, "{\"a\": \"");
    for (int i = 0; i < 40000; i++)
        tut_buf_add_z(&text, "0123456789");
    tut_buf_add_z(&text, "\"}\n{\"a\": 1}\n");
    exam_recorder r;
    assert_true(recorder_has(look(&r, "a.jsonl", tut_buf_span(&text)), "fact rows=2 "));
    recorder_done(&r);
    tut_buf_clear(&text);
    tut_buf_add_z(&text, "text,n\n");
    for (int i = 0; i < 5000; i++)
        tut_buf_printf(&text, "\"line\n%d, of \"\"many\"\"\",%d\n", i, i);
    assert_true(recorder_has(look(&r, "a.csv", tut_buf_span(&text)), "fact rows=5000 "));
    recorder_done(&r);
}

/* pyarrow: two columns, a list column among them, and 7 rows; only what is read is here. */
static const uint8_t parquet[] = {
    'P',  'A',  'R',  '1',  0x00, 0x00, 0x00, 0x00,                   /* a column chunk */
    0x15, 0x02,                                                       /* 1: version 1 */
    0x19, 0x5c,                                                       /* 2: 5 structs */
    0x48, 0x06, 's',  'c',  'h',  'e',  'm',  'a',  0x15, 0x04, 0x00, /* root, 2 children */
    0x15, 0x02, 0x25, 0x02, 0x18, 0x01, 'a',  0x00,                   /* int32 a */
    0x35, 0x02, 0x18, 0x01, 'b',  0x15, 0x02, 0x15, 0x06, 0x5c, 0x3c, 0x00, 0x00, 0x00, /* b */
    0x35, 0x04, 0x18, 0x04, 'l',  'i',  's',  't',  0x15, 0x02, 0x00,                   /* b.list */
    0x15, 0x0c, 0x25, 0x02, 0x18, 0x01, 'e',  0x00, /* b.list.e */
    0x16, 0x0e,                                     /* 3: 7 rows */
    0x19, 0x0c, 0x00,                               /* 4: no row groups */
    0x45, 0x00, 0x00, 0x00, 'P',  'A',  'R',  '1'};

static void parquet_says_its_rows_and_leaf_columns(void **state)
{
    (void)state;
    uint8_t bytes[sizeof(parquet)];
    memcpy(bytes, parquet, sizeof(parquet));
    bytes[sizeof(bytes) - 8] = (uint8_t)(sizeof(parquet) - 8 - 8);
    exam_recorder r;
    const char *log = look(&r, "x", tut_span_of(bytes, sizeof(bytes)));
    assert_true(recorder_has(log, "parquet dataset\n"));
    assert_true(recorder_has(log, "fact rows=7 "));
    assert_true(recorder_has(log, "fact columns=2 "));
    recorder_done(&r);
    bytes[sizeof(bytes) - 1] = '2';
    log = look(&r, "x.parquet", tut_span_of(bytes, sizeof(bytes)));
    assert_true(recorder_has(log, "- none\n"));
    recorder_done(&r);
}

static void arrow_and_idx_are_told_by_both_ends_and_by_size(void **state)
{
    (void)state;
    static const char arrow[] = "ARROW1\0\0................ARROW1";
    static const uint8_t digits[] = {0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6};
    exam_recorder r;
    assert_true(
        recorder_has(look(&r, "x", tut_span_of(arrow, sizeof(arrow) - 1)), "arrow dataset"));
    recorder_done(&r);
    assert_true(recorder_has(look(&r, "x", tut_span_of(arrow, sizeof(arrow) - 2)), "- none"));
    recorder_done(&r);
    const char *log = look(&r, "x", tut_span_of(digits, sizeof(digits)));
    assert_true(recorder_has(log, "idx dataset\n"));
    assert_true(recorder_has(log, "fact rows=3 "));
    assert_true(recorder_has(log, "fact columns=2 "));
    recorder_done(&r);
    for (size_t n = 0; n < sizeof(digits); n++) {
        assert_true(recorder_has(look(&r, "x", tut_span_of(digits, n)), "- none"));
        recorder_done(&r);
    }
}

/* --- prompts, documents --- */
static const sample texts[] = {
    {"prompts/system.md", "You help.\nBe kind.\n", "prompt prompt", {"fact lines=2 "}},
    {"prompts/de/antwort.txt", "Antworte.", "prompt prompt", {"fact lines=1 "}},
    {"system.md", "You help.\n", "prompt prompt", {NULL}},
    {"config/system_prompt.txt", "You help.\n", "prompt prompt", {NULL}},
    {"app/answer_prompt.j2",
     "{% for m in messages %}{{ m.content }}{% endfor %}",
     "prompt prompt",
     {"!rule "}},
    {"x.prompt", "Say {{name}}", "prompt prompt", {NULL}},
    {"app/prompt_builder.py", "def build():\n    pass\n", "source code", {NULL}},
    {"prompts/README.md", "# Prompts\n", "- none", {NULL}},
    {"docs/prompting.md", "# How to\n", "- none", {NULL}},
    {"README.md", "# Project\n\nlicense: none\n", "- none", {NULL}},
    {"README.md", "---\ntitle: Home\nlayout: page\n---\n# Site\n", "- none", {NULL}},
    {"LICENSE", "Apache License\n", "- none", {NULL}},
    {".gitignore", "*.pyc\n", "- none", {NULL}},
    {"notes.txt", "remember the milk\n", "- none", {NULL}},
    {"b.cdx.json", "{\n  \"bomFormat\": \"CycloneDX\"}", "bill-of-materials none", {NULL}},
    {"b.spdx.json",
     "{\"@context\":\"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\"}",
     "bill-of-materials none",
     {NULL}},
    /* Only under names of bills, and only what begins as one. */
    {"config.json", "{\"bomFormat\":\"CycloneDX\"}", "json config", {NULL}},
    {"b.cdx.json", "{\"x\":1,\"bomFormat\":\"CycloneDX\"}", "json config", {NULL}},
    {"MODEL_CARD.md", "# Classifier\n", "model-card document", {"!fact licence"}},
    {"README.md",
     "---\nlicense: apache-2.0\ndatasets:\n- squad\n- org/other\nbase_model: org/base-7b\n"
     "library_name: transformers\npipeline_tag: text-generation\nmodel-index:\n- name: x\n"
     "  results:\n  - dataset:\n      name: y\n---\n# M\nbase_model: z\n",
     "model-card document",
     {"fact licence=apache-2.0 ", "fact refers.dataset=squad ", "fact refers.dataset=org/other ",
      "fact refers.model=org/base-7b ", "fact card.task=text-generation ", "!refers.model=z"}},
    {"README.md",
     "---\r\nlicence:\r\n  - mit\r\nbase_model:\r\n  - a/b\r\n---\r\n# M\r\n",
     "model-card document",
     {"fact licence=mit ", "fact refers.model=a/b "}},
    {"MODEL_CARD.md",
     "---\nlicense: mit\nlanguage: [en, de]\ntags:\n- t\nmodel-index:\n- name: x\n  results:\n"
     "  - task:\n      type: tabular\n    dataset:\n      type: id\n      name: set\n    metrics:\n"
     "    - type: acc\n      value: 0.91\n    - value: 2\n      name: Loss\n    - type: none\n"
     "  - metrics:\n    - {type: f1, value: 1}\n---\n# M\n",
     "model-card document",
     {"fact card.language=en ", "fact card.language=de ", "fact card.tag=t ",
      "fact card.task=tabular ", "fact card.metric=acc=0.91 on set ",
      "fact card.metric=Loss=2 on set ", "fact card.metric=f1=1 "}},
    {"MODEL_CARD.md",
     "# M\n\n![badge](x)\nTells cats\nfrom dogs.\n\nMore.\n## Intended use\nPets.\n```\ncode\n```\n"
     "<!-- a\nb -->\n| t |\n### Details\nno\n## Known LIMITATIONS\n\n- wolves\n- foxes\n"
     "## Training data\n[More Information Needed]\n",
     "model-card document",
     {"fact card.summary=Tells cats from dogs. ", "fact card.use=Pets. ",
      "fact card.limitation=- wolves - foxes ", "!card.training", "!code", "!fact card.use=no"}},
    {"README.md", "---\nlicense: [mit\n---\n", "model-card document", {"!rule ", "!status"}},
    {"README.md",
     "---\nlicense: mit\nx: !!python/object/apply:os.system [id]\n---\n",
     "model-card document",
     {"apply os.system "}},
};

static void prompts_and_cards_are_told_from_other_text(void **state)
{
    (void)state;
    CHECK(texts);
}

/* --- configurations --- */
static const sample configs[] = {
    {"m/config.json",
     "{\"architectures\": [\"LlamaForCausalLM\", \"Other\"], \"model_type\": \"llama\",\n"
     " \"_name_or_path\": \"meta/base\", \"vocab_size\": 32000}",
     "json config",
     {"fact architecture=LlamaForCausalLM ", "fact refers.model=meta/base ", "!Other", "!rule "}},
    {"adapter_config.json",
     "{\"base_model_name_or_path\": \"a/b\", \"auto_map\": null}",
     "json config",
     {"fact refers.model=a/b ", "!rule "}},
    {"config.json",
     "{\"model_type\": \"bert\", \"auto_map\": {}}",
     "json config",
     {"fact architecture=bert ", "!rule "}},
    {"config.json",
     "{\"auto_map\": {\"AutoModel\": \"modeling_x.X\"}}",
     "json config",
     {"rule data.remote-code config.json : auto_map: modeling_x.X"}},
    {"tokenizer_config.json",
     "{\"auto_map\": {\"AutoTokenizer\": [\"tok.T\", null]}}",
     "json config",
     {"rule data.remote-code "}},
    {"t.yaml", "model:\n  trust_remote_code: True\n", "yaml config", {"rule data.remote-code "}},
    {"t.yaml", "model:\n  trust_remote_code: false\n", "yaml config", {"!rule "}},
    {"config.json",
     "{\"x\": NaN, \"auto_map\": {\"AutoModel\": \"a.B\"}}",
     "json config",
     {"rule data.remote-code "}},
    {"c.json", "{\"a\": 1, // remark\n \"b\": 2}", "json config", {"!rule ", "!status"}},
    {"tokenizer_config.json",
     "{\"chat_template\": \"{{ messages[0].content }}\"}",
     "json config",
     {"fact chat_template=yes ", "!rule "}},
    {"tokenizer_config.json",
     "{\"chat_template\": [{\"name\": \"default\", \"template\": "
     "\"{{ ''.__class__.__mro__[1].__subclasses__() }}\"}]}",
     "json config",
     {"fact chat_template=yes ", "rule data.template-injection "}},
    {"tokenizer_config.json",
     "{\"chat_template\": {\"default\": \"{{ messages[0].content }}\", \"tool\": "
     "\"{{ ''.__class__.__mro__[1].__subclasses__() }}\"}}",
     "json config",
     {"fact chat_template=yes ", "rule data.template-injection "}},
    {"config/a.yaml",
     "model: ../models/x.gguf\nother: ./a/../b//c.bin\nurl: https://example.org/x.bin\n"
     "addr: 127.0.0.1:80\nversion: 1.2.3\nabs: /etc/passwd\ntext: see x.bin\nlist: "
     "[data/kb.jsonl]\n",
     "yaml config",
     {"fact refers.file=../models/x.gguf ", "fact refers.file=b/c.bin ",
      "fact refers.file=data/kb.jsonl ", "!example", "!passwd", "!1.2.3"}},
    {"c.json", "{\"\": 1, \"a\": {\"\": \"\"}}", "json config", {"!rule "}},
    {"c.toml", "[model]\npath = \"models/x.onnx\" \n# note\n", "toml config", {NULL}},
    {"c.ini",
     "[model]\npath = models/x.onnx\n; note = y.bin\n",
     "ini config",
     {"fact refers.file=models/x.onnx ", "!y.bin"}},
    {"tutela.yaml", "schema: tutela.system/1\nsystem:\n  name: x\n", "tutela config", {NULL}},
    {".vscode/settings.json", "{\"a\": 1}", "- none", {NULL}},
    {".pre-commit-config.yaml", "repos: []\n", "- none", {NULL}},
    {"broken.yaml", "a: [1, 2\nb: }\n", "yaml config", {"!rule ", "!status"}},
};

static void configurations_name_models_files_and_remote_code(void **state)
{
    (void)state;
    CHECK(configs);
}

static const sample tools[] = {
    {"tools.yaml",
     "tools:\n  - name: search\n    args:\n      - name: q\n  - name: open\n",
     "yaml config",
     {"fact tools=2 ", "fact tool.name=search ", "fact tool.name=open ", "!tool.name=q"}},
    {"t.json",
     "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": {\"type\": "
     "\"object\"}}}]",
     "json config",
     {"fact tools=1 ", "fact tool.name=f "}},
    {"t.json",
     "{\"tools\": [{\"name\": \"a\", \"inputSchema\": {}}, {\"nam\": \"b\"}]}",
     "json config",
     {"fact tools=1 "}},
    {"api.json",
     "{\"paths\": {\"/a\": {\"get\": {\"operationId\": \"listA\"}, \"post\": {\"x\": 1}}, "
     "\"/b\": {\"delete\": {}, \"parameters\": {}}}, \"openapi\": \"3.1.0\"}",
     "json config",
     {"fact tools=3 ", "fact tool.name=listA ", "fact tool.name=POST /a ",
      "fact tool.name=DELETE /b "}},
    {"api.json",
     "{\"paths\": {\"/a\": {\"get\": {\"operationId\": \"listA\"}}}}",
     "json config",
     {"!tool"}},
    {"mcp.json",
     "{\"mcpServers\": {\"files\": {\"command\": \"npx\"}, \"web\": {}}}",
     "json config",
     {"fact mcp.servers=2 ", "fact mcp.server=files ", "fact mcp.server=web "}},
    {"a.yaml", "tools: ../prompts/tools.md\nfunctions: 3\n", "yaml config", {"!fact tool"}},
};

static void tools_of_agents_are_counted_by_name(void **state)
{
    (void)state;
    CHECK(tools);
}

static const sample hydra[] = {
    {"c.yaml",
     "opt:\n  _target_: torch.optim.Adam\nnet:\n  _target_: x.Net\n",
     "yaml config",
     {"target torch.optim.Adam ", "target x.Net ", "!rule "}},
    {"c.yaml",
     "a:\n  _target_: x.Net\nb:\n  _target_: os.system\n",
     "yaml config",
     {"target x.Net ", "target os.system "}},
    {"c.yaml",
     "x: &w subprocess.run\ny:\n  _target_: *w\n",
     "yaml config",
     {"target subprocess.run "}},
    {"c.json",
     "{\"a\": {\"_target_\": \"builtins.exec\"}}",
     "json config",
     {"target builtins.exec "}},
    {"c.json",
     "{\"a\": Infinity, \"b\": {\"_target_\": \"x.y\"}}",
     "json config",
     {"rule data.hydra-target "}},
    {"c.yaml", "note: the _target_ of this\n", "yaml config", {"!rule "}},
};

static const sample tags[] = {
    {"c.yaml",
     "a: !!python/tuple [1, 2]\nb: !!python/none\nc: !!int 3\nd: !env HOME\n",
     "yaml config",
     {"!rule "}},
    {"c.yaml",
     "# !!python/object/apply:os.system\na: \"!!python/object:os.x\"\nb: 'x !!python/name:y'\n",
     "yaml config",
     {"!rule "}},
    {"c.yaml",
     "a: !!python/object:pkg.Thing\n  x: 1\n",
     "yaml config",
     {"tag pkg.Thing ", "!rule "}},
    {"c.yaml",
     "a: !!python/object/apply:os.system [id]\n",
     "yaml config",
     {"apply os.system ", "!rule "}},
    {"c.yaml", "!!python/object/new:type\nargs: []\n", "yaml config", {"apply type "}},
    {"c.yaml",
     "a: !!python/object/new:tuple [!!python/object/new:map [!!python/name:eval , [x]]]\n",
     "yaml config",
     {"tag eval ", "apply map "}},
    {"c.yaml",
     "%TAG ! tag:yaml.org,2002:python/\n---\na: !name:posix.system\n",
     "yaml config",
     {"tag posix.system "}},
    {"c.yaml",
     "a: !<tag:yaml.org,2002:python/module:antigravity> ''\n",
     "yaml config",
     {"tag antigravity "}},
    {"c.yaml", "a: !!python/object%2fapply:os.system [id]\n", "yaml config", {"apply os.system "}},
    {"c.yaml", "? !!python/name:os.system\n: 1\n", "yaml config", {"tag os.system "}},
    {"c.yaml", "a: 1\n---\nb: !!python/name:os.system\n", "yaml config", {"tag os.system "}},
    /* Broken before the tag, and behind it. */
    {"c.yaml", "a: !!python/name:os.system\nb: }\n", "yaml config", {"tag os.system "}},
    {"c.yaml", "b: }\na: !!python/name:os.system\n", "yaml config", {"rule data.yaml-python-tag "}},
    {"payload", "!!python/object/apply:os.system [id]\n", "yaml config", {"apply os.system "}},
};

static void targets_of_hydra_are_said_each(void **state)
{
    (void)state;
    CHECK(hydra);
}

static void python_tags_of_yaml_are_found_however_they_are_written(void **state)
{
    (void)state;
    CHECK(tags);
}

#define HEX_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
static const sample detached[] = {
    {"m.pt.sig", "{\"dsseEnvelope\":{\"payload\":\"e30=\"}}", "signature none", {0}},
    {"model.sig",
     " {\n \"mediaType\": \"application/vnd.dev.sigstore.bundle.v0.3+json\"}",
     "signature none",
     {0}},
    {"m.pt.sha256", HEX_OF_NOTHING "  m.pt\n", "digests none", {0}},
    /* A key in front does not hide a configuration from its rules, nor the name another format. */
    {"c.json", "{\"dsseEnvelope\":{\"payload\":1},\"_target_\":\"os.system\"}", "json config", {0}},
    {"c.sha256", "not a digest\n", "- none", {0}},
};

static const sample shards[] = {
    {"m/model.safetensors.index.json",
     "{\"metadata\": {\"total_size\": 9}, \"weight_map\": {\"a\": \"m-1.safetensors\", "
     "\"b\": \"m-2.safetensors\", \"c\": \"m-1.safetensors\"}}",
     "shard-index model",
     {"fact shards=2 ", "fact refers.shard=m-1.safetensors ", "fact refers.shard=m-2.safetensors ",
      "!rule "}},
    {"x.bin.index.json",
     "{\"weight_map\": {\"a\": \"../../x.bin\"}}",
     "shard-index model",
     {"rule data.shard-traversal x.bin.index.json : weight_map names ../../x.bin"}},
    {"x.json",
     "{\"weight_map\": {\"a\": \"/etc/passwd\"}}",
     "shard-index model",
     {"rule data.shard-traversal "}},
    {"x.json",
     "{\"weight_map\": {\"a\": \"sub\\\\..\\\\..\\\\x\"}}",
     "shard-index model",
     {"rule data.shard-traversal "}},
    {"x.json",
     "{\"weight_map\": {\"a\": \"C:x\", \"b\": \"c\\u0000d\"}}",
     "shard-index model",
     {"names C:x", "weight_map names c: holds a NUL", "refers.shard=c\\x00d "}},
    {"x.json", "{\"weight_map\": {\"a\": \"sub/m..1.bin\"}}", "shard-index model", {"!rule "}},
};

static void signatures_and_published_digests_are_no_assets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(detached) / sizeof(detached[0]); i++)
        check(&detached[i]);
}

static void an_index_names_its_shards_and_none_outside(void **state)
{
    (void)state;
    CHECK(shards);
}

/* --- code --- */
static const sample code[] = {
    {"requirements.txt",
     "# pins\nnumpy==1.2 \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\n-r other.txt\n"
     "--index-url x\n-e git+https://e\n\ntorch>=1\n",
     "lock code",
     {"fact packages=3 "}},
    {"requirements-dev.lock", "a==1\n", "lock code", {"fact packages=1 "}},
    {"requirements/base.txt", "a==1\nb==2\n", "lock code", {"fact packages=2 "}},
    {"poetry.lock",
     "[[package]]\nname = \"a\"\n\n[[package]]\nname = \"b\"\n[metadata]\n",
     "lock code",
     {"fact packages=2 "}},
    {"uv.lock", "version = 1\n[[package]]\nname = \"a\"\n", "lock code", {"fact packages=1 "}},
    {"yarn.lock",
     "# v1\n\"a@^1\", a@1:\n  version \"1\"\n  dependencies:\n    b \"1\"\n\nb@1:\n",
     "lock code",
     {"fact packages=2 "}},
    {"yarn.lock",
     "__metadata:\n  version: 6\n\n\"a@npm:1\":\n  version: 1\n",
     "lock code",
     {"fact packages=1 "}},
    {"Pipfile.lock",
     "{\"_meta\": {\"hash\": {}}, \"default\": {\"a\": {}, \"b\": {}}, \"develop\": {\"c\": {}}}",
     "lock code",
     {"fact packages=3 "}},
    {"package-lock.json",
     "{\"lockfileVersion\": 2, \"packages\": {\"\": {\"dependencies\": {\"a\": \"1\"}}, "
     "\"node_modules/a\": {}}, \"dependencies\": {\"a\": {}}}",
     "lock code",
     {"fact packages=1 "}},
    {"package-lock.json",
     "{\"dependencies\": {\"a\": {\"requires\": {\"b\": \"1\"}}, \"b\": {}}}",
     "lock code",
     {"fact packages=2 "}},
    {"pnpm-lock.yaml",
     "lockfileVersion: '6.0'\npackages:\n  /a@1:\n    dev: true\n  /b@1:\n    dev: false\n",
     "lock code",
     {"fact packages=2 "}},
    {"environment.yml",
     "name: x\ndependencies:\n  - python=3.10\n  - pip\n  - pip:\n    - torch==2\n    - x\n",
     "lock code",
     {"fact packages=4 "}},
    {"environment.yml", "stage: production\n", "yaml config", {NULL}},
    {"nb.ipynb",
     "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\"x\"], \"outputs\": [{}]}, "
     "{\"cell_type\": "
     "\"markdown\"}], \"metadata\": {\"language_info\": {\"name\": \"python\"}}, \"nbformat\": 4}",
     "notebook code",
     {"fact cells=2 ", "fact language=python "}},
    {"a.py", "import os\n", "source code", {NULL}},
    {"a.R", "x <- 1\n", "source code", {NULL}},
    {"run", "#!/bin/sh\necho\n", "source code", {NULL}},
    {"Dockerfile", "FROM debian\n", "build code", {NULL}},
    {"docker/Dockerfile.gpu", "FROM debian\n", "build code", {NULL}},
    {"Makefile", "all:\n", "build code", {NULL}},
    {"pyproject.toml", "[project]\n", "build code", {NULL}},
    {"a.py", "\x01\x02\x03", "- none", {NULL}},
};

static void code_is_told_by_name_and_packages_are_counted(void **state)
{
    (void)state;
    CHECK(code);
}

/* --- what text may hide --- */
static void a_pickle_stays_a_pickle_under_any_name(void **state)
{
    (void)state;
    static const char pickle[] = "cos\nsystem\n(S'id'\ntR.";
    static const char *const names[] = {"a.csv",  "data/a.txt",       "prompts/system.md",
                                        "a.py",   "requirements.txt", "a.yaml",
                                        "a.json", "README.md",        "Makefile"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        exam_recorder r;
        const char *log = look(&r, names[i], tut_span_of(pickle, sizeof(pickle) - 1));
        if (strncmp(log, "pickle model", 12) != 0)
            fail_msg("%s: %s", names[i], log);
        recorder_done(&r);
    }
}

static void what_lies_in_a_container_gives_findings_but_no_facts(void **state)
{
    (void)state;
    static const char text[] =
        "licence: mit\nbase_model: x\nm: !!python/name:os.system\np: a/b.bin\n";
    tut_source source = tut_source_memory(tut_span_of(text, sizeof(text) - 1));
    exam_recorder r = {.content = true};
    tut_budget_init(&r.budget);
    assert_true(
        tut_is_ok(recorder_member(&r, TUT_LIT("c.yaml"), &source, NULL, source.size, NULL)));
    const char *log = tut_buf_z(&r.log);
    assert_true(recorder_has(log, "tag os.system "));
    assert_false(recorder_has(log, "fact "));
    recorder_done(&r);
}

static void nesting_without_end_is_a_limit(void **state)
{
    (void)state;
    static const char *const names[] = {"a.json", "a.yaml"};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, "{\"a\": ");
    for (int i = 0; i < 100000; i++)
        tut_buf_add_byte(&text, '[');
    for (size_t i = 0; i < 2; i++) {
        exam_recorder r;
        const char *log = look(&r, names[i], tut_buf_span(&text));
        assert_true(recorder_has(log, "status LIMIT"));
        recorder_done(&r);
    }
}

static void a_call_behind_any_number_of_names_is_found(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (int i = 0; i < 1000; i++)
        tut_buf_printf(&text, "a%d: {_target_: pkg.C%d}\nb%d: !!python/tuple []\n", i, i, i);
    tut_buf_add_z(&text, "z: {_target_: os.system}\ny: !!python/name:os.system\n");
    exam_recorder r;
    const char *log = look(&r, "a.yaml", tut_buf_span(&text));
    assert_true(recorder_has(log, "target os.system "));
    assert_true(recorder_has(log, "tag os.system "));
    recorder_done(&r);
}

/* Every sample cut at every byte and with bits flipped: any answer will do, none may harm. */
static void damage(const sample *s)
{
    size_t len = strlen(s->text);
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    exam_recorder r;
    for (size_t n = 0; n < len; n++) {
        memcpy(bytes, s->text, len);
        (void)look(&r, s->path, tut_span_of(bytes, n));
        recorder_done(&r);
        bytes[n] ^= (uint8_t)(1u << (n % 8));
        (void)look(&r, s->path, tut_span_of(bytes, len));
        recorder_done(&r);
    }
    free(bytes);
}

#define DAMAGE(list)                                                                               \
    for (size_t i = 0; i < sizeof(list) / sizeof((list)[0]); i++)                                  \
    damage(&(list)[i])

static void damaged_text_does_no_harm(void **state)
{
    (void)state;
    DAMAGE(tables);
    DAMAGE(records);
    DAMAGE(texts);
    DAMAGE(configs);
    DAMAGE(tools);
    DAMAGE(hydra);
    DAMAGE(tags);
    DAMAGE(shards);
    DAMAGE(code);
}

static void damaged_parquet_does_no_harm(void **state)
{
    (void)state;
    uint8_t bytes[sizeof(parquet)];
    exam_recorder r;
    for (size_t n = 0; n < 8 * sizeof(parquet); n++) {
        memcpy(bytes, parquet, sizeof(parquet));
        bytes[sizeof(bytes) - 8] = (uint8_t)(sizeof(parquet) - 8 - 8);
        bytes[n / 8] ^= (uint8_t)(1u << (n % 8));
        (void)look(&r, "x.parquet", tut_span_of(bytes, sizeof(bytes)));
        recorder_done(&r);
        (void)look(&r, "x.parquet", tut_span_of(bytes, n / 8));
        recorder_done(&r);
    }
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 60; n++) {
        for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i += 3) {
            exam_recorder r;
            tut_alloc_fail_after(n);
            (void)look(&r, configs[i].path, tut_span_of(configs[i].text, strlen(configs[i].text)));
            tut_alloc_fail_after(0);
            recorder_done(&r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_data_sets_with_rows_and_columns),
        cmocka_unit_test(json_lines_records_and_text_corpora_are_data_sets),
        cmocka_unit_test(a_record_longer_than_any_window_counts_once),
        cmocka_unit_test(parquet_says_its_rows_and_leaf_columns),
        cmocka_unit_test(arrow_and_idx_are_told_by_both_ends_and_by_size),
        cmocka_unit_test(prompts_and_cards_are_told_from_other_text),
        cmocka_unit_test(configurations_name_models_files_and_remote_code),
        cmocka_unit_test(tools_of_agents_are_counted_by_name),
        cmocka_unit_test(targets_of_hydra_are_said_each),
        cmocka_unit_test(python_tags_of_yaml_are_found_however_they_are_written),
        cmocka_unit_test(signatures_and_published_digests_are_no_assets),
        cmocka_unit_test(an_index_names_its_shards_and_none_outside),
        cmocka_unit_test(code_is_told_by_name_and_packages_are_counted),
        cmocka_unit_test(a_pickle_stays_a_pickle_under_any_name),
        cmocka_unit_test(what_lies_in_a_container_gives_findings_but_no_facts),
        cmocka_unit_test(nesting_without_end_is_a_limit),
        cmocka_unit_test(a_call_behind_any_number_of_names_is_found),
        cmocka_unit_test(damaged_text_does_no_harm),
        cmocka_unit_test(damaged_parquet_does_no_harm),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
