/* What the example's assistant makes of any text: sentences, parts of them, numbers; and what the
 * probe looks for in one. */
#include <stdlib.h>

#include "asking.h"
#include "probe/talk.h"
#include "reading.h"
#include "words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(tut_str text)
{
    float row[ASSISTANT_WIDTH];
    assistant_numbers(text, row);
    tut_str parts[] = {assistant_asked_order(text), assistant_asked_address(text),
                       assistant_asked_text(text)};
    for (size_t i = 0; i < 3; i++)
        if (parts[i].len &&
            (parts[i].data < text.data || parts[i].data + parts[i].len > text.data + text.len))
            abort(); /* it is a part of something else */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_arena arena;
    TUT_AUTO(tut_json_doc) doc = NULL;
    static assistant_reading r;
    tut_str text = tut_str_from(tut_span_of(data, size));
    if (size > 4096)
        return 0;
    tut_arena_init(&arena, 8 << 20);
    if (tut_is_ok(tut_json_parse(tut_span_of(data, size), NULL, &doc, NULL)) &&
        tut_is_ok(assistant_read(tut_json_root(doc), &arena, &r, NULL)))
        for (size_t i = 0; i < r.sentence_count; i++)
            look(r.sentences[i]);
    look(text);
    if (tut_talk_common(text, text) > size)
        abort(); /* more words than bytes */
    (void)tut_talk_holds(text, TUT_LIT("hazel-lantern"));
    tut_arena_done(&arena);
    return 0;
}
