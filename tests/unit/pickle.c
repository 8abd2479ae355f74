/* The pickle machine: what it says about known streams, and that no damage makes it misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"
#include "formats/format.h"
#include "formats/pickle_memo.h"
#include "formats/pickle_sniff.h"
#include "formats/pickle_text.h"

/* --- a listener that writes one line per event --- */

typedef struct listener {
    tut_buf log;
    tut_budget budget;
    unsigned depth;
} listener;

static void on_fact(void *ctx, const char *key, tut_str value)
{
    (void)ctx;
    assert_non_null(key);
    assert_true(value.data != NULL || value.len == 0);
}

static void on_observe(void *ctx, const char *rule, uint64_t offset, tut_str detail)
{
    listener *l = ctx;
    (void)detail;
    tut_buf_printf(&l->log, "%s@%llu\n", rule, (unsigned long long)offset);
}

static void on_pickle(void *ctx, const tut_pickle_event *e)
{
    static const char *const acts[] = {"import", "call", "build", "write", "persid"};
    listener *l = ctx;
    tut_buf_printf(&l->log, "%s %s%.*s.%.*s", acts[e->act], e->is_resolved ? "" : "?",
                   (int)e->module.len, e->module.data, (int)e->name.len, e->name.data);
    if (e->arguments.len) {
        tut_buf_add_z(&l->log, " ");
        tut_buf_add_escaped(&l->log, e->arguments, 100);
    }
    tut_buf_add_z(&l->log, "\n");
}

static tut_status on_member(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                            uint64_t size, tut_error *err);

static const tut_exam_ops ops = {
    .fact = on_fact, .observe = on_observe, .pickle = on_pickle, .member = on_member};

static tut_code examine(listener *l, const tut_source *source, const char *format)
{
    tut_error err = {0};
    TUT_AUTO(tut_stream) stream = NULL;
    assert_true(tut_is_ok(tut_stream_open_source(source, &stream)));
    tut_exam x = {.stream = stream,
                  .source = source,
                  .size = source->size,
                  .budget = &l->budget,
                  .content = true,
                  .ops = &ops,
                  .ctx = l};
    return tut_format_by_name(format)->examine(&x, &err).code;
}

static tut_status on_member(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                            uint64_t size, tut_error *err)
{
    listener *l = ctx;
    (void)stream, (void)size, (void)err;
    tut_buf_printf(&l->log, "member %.*s\n", (int)name.len, name.data);
    if (l->depth >= 4 || !source)
        return TUT_SUCCESS;
    l->depth++;
    (void)examine(l, source, "pickle");
    l->depth--;
    return TUT_SUCCESS;
}

static tut_code listen(listener *l, const void *data, size_t len, const char *format)
{
    *l = (listener){0};
    tut_buf_init(&l->log, 1u << 20);
    tut_budget_init(&l->budget);
    uint64_t heap = l->budget.heap_left;
    tut_source source = tut_source_memory(tut_span_of(data, len));
    tut_code code = examine(l, &source, format);
    assert_int_equal(heap, l->budget.heap_left);
    return code;
}

static void expect(const char *data, size_t len, tut_code code, const char *wanted)
{
    listener l;
    tut_code got = listen(&l, data, len, "pickle");
    assert_string_equal(tut_buf_z(&l.log) ? tut_buf_z(&l.log) : "", wanted);
    assert_int_equal(got, code);
    tut_buf_done(&l.log);
}

#define EXPECT(literal, code, wanted) expect(literal, sizeof(literal) - 1, code, wanted)

/* --- golden streams --- */

static void global_and_reduce_are_reported(void **state)
{
    (void)state;
    EXPECT("cos\nsystem\n(S'echo canary'\ntR.", TUT_OK,
           "import os.system\ncall os.system ('echo canary',)\n");
    EXPECT("(S'a'\nios\nsystem\n.", TUT_OK, "import os.system\ncall os.system ('a',)\n");
    EXPECT("(cos\nsystem\nK\x05o.", TUT_OK, "import os.system\ncall os.system (5,)\n");
    EXPECT("\x80\x04\x8c\x02os\x8c\x06system\x93)\x81.", TUT_OK,
           "import os.system\ncall os.system ()\n");
    EXPECT("\x80\x04\x8c\x02os\x8c\x06system\x93)}\x92.", TUT_OK,
           "import os.system\ncall os.system ()\n");
}

static void names_come_through_stack_and_memo(void **state)
{
    (void)state;
    EXPECT("\x80\x04\x8c\x02os\x94\x8c\x06system\x94K\x01K\x02"
           "00\x93)R.",
           TUT_OK, "import os.system\ncall os.system ()\n");
    EXPECT("\x80\x04\x8c\x04math\x94"
           "0\x8c\x02osq\x00"
           "0\x8c\x06system\x94"
           "0h\x00h\x01\x93)R.",
           TUT_OK, "import os.system\ncall os.system ()\n");
    EXPECT("\x80\x04\x8c\x02os2\x8c\x06system\x93)R.", TUT_OK,
           "import os.system\ncall os.system ()\n");
    /* MEMOIZE takes the number of filled slots as its index. */
    EXPECT("\x80\x04\x8c\x01xq\x07"
           "0\x8c\x02os\x94"
           "0\x8c\x06system\x94"
           "0h\x01h\x02\x93)R.",
           TUT_OK, "import os.system\ncall os.system ()\n");
}

static void escapes_in_names_are_read(void **state)
{
    (void)state;
    EXPECT("S'\\x6f\\163'\nV\\u0073ystem\n\x93)R.", TUT_OK,
           "import os.system\ncall os.system ()\npickle.mixed-protocol@0\n");
}

static void computed_names_are_followed(void **state)
{
    (void)state;
    EXPECT("\x80\x04\x8c\x02os"
           "c_codecs\ndecode\n\x8c\x06"
           "flfgrz\x8c\x05rot13\x86R\x93.",
           TUT_OK,
           "import _codecs.decode\ncall _codecs.decode ('flfgrz', 'rot13')\nimport os.system\n");
    EXPECT("\x80\x04"
           "cbuiltins\ngetattr\ncimportlib\nimport_module\n\x8c\x02os\x85R"
           "\x8c\x06system\x86R\x8c\x01x\x85R.",
           TUT_OK,
           "import builtins.getattr\nimport importlib.import_module\n"
           "call importlib.import_module ('os',)\ncall builtins.getattr (os, 'system')\n"
           "import os.system\ncall os.system ('x',)\n");
    EXPECT("\x80\x04\x8c\x02os"
           "cfoo\nbar\n)R\x93.",
           TUT_OK, "import foo.bar\ncall foo.bar ()\nimport ?os.<computed>\n");
    EXPECT("\x80\x04"
           "cfoo\nbar\n)R)R.",
           TUT_OK, "import foo.bar\ncall foo.bar ()\ncall ?foo.<result of bar> ()\n");
}

static void writes_into_imports_are_reported(void **state)
{
    (void)state;
    EXPECT("\x80\x02"
           "csys\nmodules\nU\x01"
           "aK\x01s.",
           TUT_OK, "import sys.modules\nwrite sys.modules {'a': 1}\n");
    EXPECT("\x80\x02"
           "cm\nC\n}U\x01"
           "aK\x01sb.",
           TUT_OK, "import m.C\nwrite m.C {'a': 1}\n");
    EXPECT("\x80\x02"
           "csys\npath\n(K\x01K\x02"
           "e.",
           TUT_OK, "import sys.path\nwrite sys.path [1, 2]\n");
}

static void a_planted_setstate_is_a_call(void **state)
{
    (void)state;
    EXPECT("\x80\x02"
           "cm\nC\n)\x81}U\x0c__setstate__cos\nsystem\nsbU\x01"
           "ab.",
           TUT_OK,
           "import m.C\ncall m.C ()\nimport os.system\npickle.planted-setstate@36\n"
           "build m.C {'__setstate__': os.system}\npickle.item-after-state@40\n"
           "call os.system 'a'\nbuild m.C 'a'\n");
}

static void items_after_the_state_are_no_order_of_a_pickler(void **state)
{
    (void)state;
    EXPECT("\x80\x02"
           "cm\nC\n)\x81}U\x01xK\x01sbU\x01"
           "aa.",
           TUT_OK, "import m.C\ncall m.C ()\nbuild m.C {'x': 1}\npickle.item-after-state@20\n");
    EXPECT("\x80\x02"
           "cm\nC\n)\x81U\x01"
           "aa}U\x01xK\x01sb.",
           TUT_OK, "import m.C\ncall m.C ()\nbuild m.C {'x': 1}\n");
}

static void a_function_that_calls_its_argument_is_that_call(void **state)
{
    (void)state;
    EXPECT("cnumpy.random._pickle\n__generator_ctor\n(U\x01xcm\nf\ntR.", TUT_OK,
           "import numpy.random._pickle.__generator_ctor\nimport m.f\n"
           "call numpy.random._pickle.__generator_ctor ('x', m.f)\ncall m.f 'x'\n");
}

static void the_part_before_a_break_is_reported(void **state)
{
    (void)state;
    EXPECT("cos\nsystem\n(S'a'\ntR\xff.", TUT_MALFORMED,
           "import os.system\ncall os.system ('a',)\npickle.broken@19\n");
    EXPECT("cos\nsystem\n(S'a'\ntR", TUT_TRUNCATED,
           "import os.system\ncall os.system ('a',)\npickle.truncated@19\n");
    EXPECT("\x80\x02h\x05.", TUT_MALFORMED, "pickle.broken@2\n");
    EXPECT("\x80\x02R.", TUT_MALFORMED, "pickle.broken@2\n");
    EXPECT("\x80\x02(K\x01K\x02"
           "000.",
           TUT_MALFORMED, "pickle.broken@10\n");
}

static void the_fence_of_a_mark_holds(void **state)
{
    (void)state;
    /* Nothing below the mark can be popped, but POP removes the mark itself. */
    EXPECT("\x80\x02K\x01(R.", TUT_MALFORMED, "pickle.broken@5\n");
    EXPECT("\x80\x02K\x01(0.", TUT_OK, "");
}

static void further_pickles_are_read(void **state)
{
    (void)state;
    EXPECT("\x80\x02N.\0\0\0cos\nsystem\n(S'a'\ntR.", TUT_OK,
           "import os.system\ncall os.system ('a',)\n");
    EXPECT("\x80\x02N.\xff\xff\xff"
           "cos\nsystem\n(S'a'\ntR.",
           TUT_OK,
           "pickle.data-after-stop@4\npickle.hidden-stream@7\n"
           "import os.system\ncall os.system ('a',)\n");
    EXPECT("\x80\x02N.\0\0\0\0", TUT_OK, "");
}

static void a_frame_that_ends_inside_an_argument_is_read_both_ways(void **state)
{
    (void)state;
    EXPECT("\x80\x04\x95\x08\0\0\0\0\0\0\0X\x18\0\0\0abccos\nsystem\n(S'a'\ntR.N0N.", TUT_OK,
           "pickle.frame-divergence@11\nimport os.system\ncall os.system ('a',)\n");
    EXPECT("\x80\x04\x95\x40\0\0\0\0\0\0\0N.", TUT_OK, "pickle.frame-mismatch@2\n");
    EXPECT("\x80\x04\x95\x02\0\0\0\0\0\0\0N.", TUT_OK, "");
    EXPECT("\x80\x04N\x80\x02"
           "0N.",
           TUT_OK, "pickle.proto-misplaced@3\n");
}

static void nested_payloads_are_handed_on(void **state)
{
    (void)state;
    EXPECT("\x80\x03"
           "C\x13\x80\x02"
           "cos\nsystem\nU\x01"
           "a\x85R..",
           TUT_OK, "member bytes@2\nimport os.system\ncall os.system ('a',)\n");
}

static void extension_codes_are_followed(void **state)
{
    (void)state;
    EXPECT("\x80\x02"
           "ccopyreg\nadd_extension\nU\x02osU\x06systemK\x2a\x87R0\x82\x2a)R.",
           TUT_OK,
           "import copyreg.add_extension\ncall copyreg.add_extension ('os', 'system', 42)\n"
           "pickle.extension-code@42\nimport os.system\ncall os.system ()\n");
    EXPECT("\x80\x02\x82\x2a.", TUT_OK, "pickle.extension-code@2\nimport ?copyreg.extension 42\n");
}

static void claims_are_not_believed(void **state)
{
    (void)state;
    EXPECT("\x80\x04\x8d\0\0\0\0\0\1\0\0abc", TUT_TRUNCATED,
           "pickle.oversized-claim@2\npickle.truncated@2\n");
    EXPECT("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
           "abc",
           TUT_MALFORMED, "pickle.oversized-claim@2\npickle.broken@2\n");
}

/* --- resources --- */

static void millions_of_opcodes_are_read_to_the_call(void **state)
{
    (void)state;
    static const char tail[] = "cos\nsystem\n)R.";
    size_t count = 4200000, len = 2 + count + sizeof tail - 1;
    char *data = test_malloc(len);
    memcpy(data, "\x80\x02", 2);
    memset(data + 2, 'N', count);
    memcpy(data + 2 + count, tail, sizeof tail - 1);
    expect(data, len, TUT_OK, "import os.system\ncall os.system ()\n");
    memset(data + 2, '\x85', count);
    data[2] = 'N';
    expect(data, len, TUT_OK, "import os.system\ncall os.system ()\n");
    test_free(data);
}

static void a_memo_bomb_is_estimated_not_expanded(void **state)
{
    (void)state;
    tut_buf b;
    listener l;
    tut_buf_init(&b, 0);
    tut_buf_add_z(&b, "\x80\x02]q");
    tut_buf_add_byte(&b, 0);
    tut_buf_add_z(&b, "(NNNNNNNNNNe");
    for (uint8_t i = 1; i < 20; i++) {
        tut_buf_printf(&b, "]q%c(", i);
        for (int n = 0; n < 10; n++) {
            tut_buf_add_byte(&b, 'h');
            tut_buf_add_byte(&b, (uint8_t)(i - 1));
        }
        tut_buf_add_byte(&b, 'e');
    }
    tut_buf_add_byte(&b, '.');
    assert_int_equal(listen(&l, b.data, b.len, "pickle"), TUT_OK);
    assert_non_null(strstr(tut_buf_z(&l.log), "pickle.memo-bomb"));
    tut_buf_done(&l.log);
    tut_buf_done(&b);
}

/* --- damage --- */

static const char victim[] = "\x80\x04\x95\x46\0\0\0\0\0\0\0\x8c\x02os\x94\x8c\x06system\x94\x93"
                             "\x94(K\x01M\x02\x03J\x04\x05\x06"
                             "\x07G\x40\0\0\0\0\0\0\0\x8a\x03"
                             "abcC\x03xyzS'q\\x41'\nV\\u0041\nI12\nL5L\nF1.5\nt}\x94(\x8c\x01"
                             "a]\x94(h\x00h\x01"
                             "euh\x02\x8c\x04"
                             "echo\x85R.";

static void truncation_anywhere_is_never_silent(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(victim) - 1; len++) {
        char *exact = test_malloc(len ? len : 1);
        memcpy(exact, victim, len);
        listener l;
        tut_code code = listen(&l, exact, len, "pickle");
        assert_true(code == TUT_TRUNCATED || code == TUT_MALFORMED);
        tut_buf_done(&l.log);
        test_free(exact);
    }
}

static void flipped_bits_are_survived(void **state)
{
    (void)state;
    static const char *const formats[] = {"pickle", "joblib", "torch-legacy"};
    char bytes[sizeof victim];
    for (size_t i = 0; i < (sizeof(victim) - 1) * 8; i++) {
        memcpy(bytes, victim, sizeof victim);
        bytes[i / 8] = (char)(bytes[i / 8] ^ (1 << (i % 8)));
        listener l;
        tut_code code = listen(&l, bytes, sizeof(victim) - 1, formats[i % 3]);
        assert_true(code == TUT_OK || code == TUT_TRUNCATED || code == TUT_MALFORMED);
        tut_buf_done(&l.log);
    }
}

static void failing_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 60; n++) {
        listener l = {0};
        tut_error err = {0};
        tut_budget_init(&l.budget);
        tut_source source = tut_source_memory(tut_span_of(victim, sizeof(victim) - 1));
        TUT_AUTO(tut_stream) stream = NULL;
        assert_true(tut_is_ok(tut_stream_open_source(&source, &stream)));
        static const tut_exam_ops deaf = {0};
        tut_exam x = {.stream = stream,
                      .source = &source,
                      .size = source.size,
                      .budget = &l.budget,
                      .ops = &deaf};
        tut_alloc_fail_after(n);
        tut_code code = tut_format_by_name("pickle")->examine(&x, &err).code;
        tut_alloc_fail_after(0);
        assert_true(code == TUT_OK || code == TUT_NOMEM || code == TUT_MALFORMED ||
                    code == TUT_TRUNCATED);
    }
}

/* --- parts --- */

static void the_memo_holds_any_index(void **state)
{
    (void)state;
    tut_pheap heap;
    tut_pmemo memo;
    tut_pheap_init(&heap, NULL);
    tut_pmemo_init(&memo, &heap);
    for (uint64_t i = 0; i < 5000; i++)
        tut_pmemo_put(&memo, i * 7919, tut_pv_int(&heap, (int64_t)i));
    for (uint64_t i = 0; i < 5000; i++) {
        int64_t n = -1;
        assert_true(tut_pv_get_int(&heap, tut_pmemo_get(&memo, i * 7919), &n));
        assert_int_equal(n, i);
    }
    assert_int_equal(memo.size, 5000);
    tut_pmemo_put(&memo, 7919, tut_pv_int(&heap, 77));
    assert_int_equal(memo.size, 5000);
    assert_int_equal(tut_pmemo_get(&memo, 3), TUT_PVAL_UNSET);
    tut_pmemo_done(&memo);
    tut_pheap_done(&heap);
}

static void long_chains_are_freed_without_recursion(void **state)
{
    (void)state;
    tut_pheap heap;
    tut_pheap_init(&heap, NULL);
    tut_pval v = TUT_PV_NONE;
    for (int i = 0; i < 1000000; i++) {
        tut_pval outer = tut_pv_container(&heap, TUT_PVAL_TUPLE);
        tut_pv_add(&heap, outer, v);
        v = outer;
    }
    tut_pv_unref(&heap, v);
    /* All nodes are free again: the next ones come from the list. */
    uint32_t before = heap.fresh;
    tut_pv_unref(&heap, tut_pv_container(&heap, TUT_PVAL_LIST));
    assert_int_equal(heap.fresh, before);
    tut_pheap_done(&heap);
}

static void numbers_are_read_as_python_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int base;
        bool is_number;
        int64_t value;
    } rows[] = {{"12", 10, true, 12},
                {" -7 ", 10, true, -7},
                {"1_000", 0, true, 1000},
                {"0x1F", 0, true, 31},
                {"0o17", 0, true, 15},
                {"0b11", 0, true, 3},
                {"0x1F", 10, false, 0},
                {"1__0", 0, false, 0},
                {"_1", 0, false, 0},
                {"1_", 0, false, 0},
                {"", 0, false, 0},
                {"x", 0, false, 0},
                {"9223372036854775807", 0, true, INT64_MAX},
                {"9223372036854775808", 0, false, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t n = 0;
        assert_int_equal(tut_ptext_int(tut_str_of(rows[i].text), rows[i].base, &n),
                         rows[i].is_number);
        if (rows[i].is_number)
            assert_int_equal(n, rows[i].value);
    }
    assert_true(tut_ptext_is_float(TUT_LIT("1e5")));
    assert_true(tut_ptext_is_float(TUT_LIT("-.5")));
    assert_true(tut_ptext_is_float(TUT_LIT("nan")));
    assert_false(tut_ptext_is_float(TUT_LIT("1e")));
    assert_false(tut_ptext_is_float(TUT_LIT(".")));
}

static tut_match sniff(const char *name, const void *data, size_t len)
{
    tut_sniff s = {.head = tut_span_of(data, len), .size = len, .name = tut_str_of(name)};
    return tut_format_by_name("pickle")->sniff(&s);
}

static void text_is_no_pickle(void **state)
{
    (void)state;
    static const char *const texts[] = {"class Foo:\n    def bar(self):\n        pass\n",
                                        "config\nname\nvalue\n",
                                        "cat\ndog\ngoat\n",
                                        "(a) first\n(b) second\n",
                                        "Version 1\nVersion 2\n",
                                        "In the beginning\nwas the word.\n",
                                        "# Title\n\nText.\n",
                                        "{\"a\": 1}\n",
                                        "GGUF\3\0\0\0",
                                        "import os\nos.system('x')\n",
                                        "Pickles are tasty\nReally.\n",
                                        "Name,Value\nx,1\n",
                                        "Licence\n\nFoo.\n",
                                        "def f():\n  pass\n",
                                        "lorem ipsum dolor sit amet.\n",
                                        "Sentence one.\nSecond.\n",
                                        "---\nkey: value\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(sniff("notes.txt", texts[i], strlen(texts[i])), TUT_MATCH_NONE);
}

static void lines_of_text_are_no_pickle(void **state)
{
    (void)state;
    static const char *const lines[] = {"case 0x1: return 2;\n", "Vader\n", "Peter\n",  "I12\n",
                                        "c-name/of-file,1\n",    "F1.5\n",  "catalog\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        tut_buf text;
        tut_buf_init(&text, 0);
        while (text.len < 4096)
            tut_buf_add_z(&text, lines[i]);
        tut_sniff s = {
            .head = tut_span_of(text.data, 4096), .size = 100000, .name = TUT_LIT("list.txt")};
        assert_int_equal(tut_format_by_name("pickle")->sniff(&s), TUT_MATCH_NONE);
        assert_int_equal(sniff("list.txt", text.data, text.len), TUT_MATCH_NONE);
        tut_buf_done(&text);
    }
}

static void random_bytes_are_no_pickle(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252ull;
    unsigned taken = 0;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[256];
        for (size_t k = 0; k < sizeof bytes; k++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            bytes[k] = (uint8_t)(seed >> 24);
        }
        taken += sniff("weights.bin", bytes, sizeof bytes) != TUT_MATCH_NONE;
    }
    assert_true(taken <= 2);
}

static void pickles_of_every_protocol_are_recognised(void **state)
{
    (void)state;
    assert_int_equal(sniff("x", "\x80\x04}\x94.", 5), TUT_MATCH_SURE);
    assert_true(sniff("x", "(dp0\nS'a'\np1\nI1\ns.", 19) >= TUT_MATCH_WEAK);
    assert_true(sniff("x", "cos\nsystem\n(S'a'\ntR.", 20) >= TUT_MATCH_STRONG);
    assert_true(sniff("x", "cos\nsystem\n(S'a'\ntR\xff", 20) >= TUT_MATCH_STRONG);
    assert_true(sniff("x.pkl", "\x80\x02\xff", 3) >= TUT_MATCH_WEAK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(global_and_reduce_are_reported),
        cmocka_unit_test(names_come_through_stack_and_memo),
        cmocka_unit_test(escapes_in_names_are_read),
        cmocka_unit_test(computed_names_are_followed),
        cmocka_unit_test(writes_into_imports_are_reported),
        cmocka_unit_test(a_planted_setstate_is_a_call),
        cmocka_unit_test(items_after_the_state_are_no_order_of_a_pickler),
        cmocka_unit_test(a_function_that_calls_its_argument_is_that_call),
        cmocka_unit_test(the_part_before_a_break_is_reported),
        cmocka_unit_test(the_fence_of_a_mark_holds),
        cmocka_unit_test(further_pickles_are_read),
        cmocka_unit_test(a_frame_that_ends_inside_an_argument_is_read_both_ways),
        cmocka_unit_test(nested_payloads_are_handed_on),
        cmocka_unit_test(extension_codes_are_followed),
        cmocka_unit_test(claims_are_not_believed),
        cmocka_unit_test(millions_of_opcodes_are_read_to_the_call),
        cmocka_unit_test(a_memo_bomb_is_estimated_not_expanded),
        cmocka_unit_test(truncation_anywhere_is_never_silent),
        cmocka_unit_test(flipped_bits_are_survived),
        cmocka_unit_test(failing_memory_is_an_ordinary_error),
        cmocka_unit_test(the_memo_holds_any_index),
        cmocka_unit_test(long_chains_are_freed_without_recursion),
        cmocka_unit_test(numbers_are_read_as_python_reads_them),
        cmocka_unit_test(text_is_no_pickle),
        cmocka_unit_test(lines_of_text_are_no_pickle),
        cmocka_unit_test(random_bytes_are_no_pickle),
        cmocka_unit_test(pickles_of_every_protocol_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
