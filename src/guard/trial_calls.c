/*
 * Answers that call a tool, in every shape that clients of the protocols read as a call. A shape is
 * one row. In its text @N stands for the tool's name as JSON has it, @A and @B for the halves of
 * its arguments within a JSON string, @J for the arguments as an object.
 */
#include "guard/trial_calls.h"

#include "guard/policy.h"

#define EVENT(json) "data: " json "\n\n"
#define NAMED(name, json) "event: " name "\ndata: " json "\n\n"
#define FUNCTION "\"function\":{\"name\":\"@N\",\"arguments\":\"@A@B\"}"
#define MESSAGE(index, more)                                                                       \
    "{\"index\":" #index ",\"finish_reason\":\"tool_calls\",\"message\":{\"role\":\"assistant\","  \
    "\"content\":null," more "}}"
#define DELTA(index, more) "{\"choices\":[{\"index\":" #index ",\"delta\":{" more "}}]}"
#define END(index, why)                                                                            \
    "{\"choices\":[{\"index\":" #index ",\"delta\":{},\"finish_reason\":\"" why "\"}]}"
#define DONE "data: [DONE]\n\n"
#define ITEM                                                                                       \
    "{\"type\":\"function_call\",\"id\":\"f\",\"call_id\":\"c\",\"name\":\"@N\",\"arguments\":"    \
    "\"@A@B\",\"status\":\"completed\"}"
#define PLAIN_ITEM                                                                                 \
    "{\"type\":\"message\",\"id\":\"m\",\"role\":\"assistant\",\"content\":[{\"type\":"            \
    "\"output_text\",\"text\":\"One moment.\",\"annotations\":[]}]}"
#define COMPLETED                                                                                  \
    NAMED("response.completed", "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\","     \
                                "\"status\":\"completed\",\"output\":[" ITEM "]}}")

static const tut_trial_shape shapes[] = {
    {"openai-chat", false, "a call",
     "{\"choices\":[" MESSAGE(0, "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\"," FUNCTION
                                 "}]") "]}"},
    {"openai-chat", false, "a call of the older form",
     "{\"choices\":[" MESSAGE(0,
                              "\"function_call\":{\"name\":\"@N\",\"arguments\":\"@A@B\"}") "]}"},
    {"openai-chat", false, "a call in the second choice",
     "{\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\","
     "\"content\":\"One moment.\"}}," MESSAGE(
         1, "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\"," FUNCTION "}]") "]}"},
    {"openai-chat", true, "a call in one event",
     EVENT(DELTA(0, "\"role\":\"assistant\",\"content\":\"One moment. \"")) EVENT(
         DELTA(0, "\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\"," FUNCTION "}]"))
         EVENT(END(0, "tool_calls")) DONE},
    {"openai-chat", true, "a call in pieces",
     EVENT(DELTA(0, "\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\",\"function\":{"
                    "\"name\":\"@N\",\"arguments\":\"\"}}]"))
         EVENT(DELTA(0, "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"@A\"}}]"))
             EVENT(DELTA(0, "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"@B\"}}]"))
                 EVENT(END(0, "tool_calls")) DONE},
    {"openai-chat", true, "arguments before the name",
     EVENT(DELTA(0, "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"@A\"}}]"))
         EVENT(DELTA(
             0,
             "\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"@N\",\"arguments\":\"@B\"}}]"))
             EVENT(END(0, "tool_calls")) DONE},
    {"openai-chat", true, "a call of the older form in pieces",
     EVENT(DELTA(0, "\"function_call\":{\"name\":\"@N\",\"arguments\":\"@A\"}")) EVENT(
         DELTA(0, "\"function_call\":{\"arguments\":\"@B\"}")) EVENT(END(0, "function_call")) DONE},
    {"openai-chat", true, "a call in the second choice",
     EVENT(DELTA(0, "\"content\":\"One moment. \"")) EVENT(
         DELTA(1, "\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\"," FUNCTION "}]"))
         EVENT(END(1, "tool_calls")) EVENT(END(0, "stop")) DONE},
    {"openai-chat", true, "a call that is never ended",
     EVENT(DELTA(0, "\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\"," FUNCTION
                    "}]")) DONE},
    {"openai-responses", false, "a call",
     "{\"id\":\"r\",\"object\":\"response\",\"output\":[" PLAIN_ITEM "," ITEM "]}"},
    {"openai-responses", true, "a call in pieces",
     NAMED("response.output_item.added",
           "{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":"
           "\"function_call\","
           "\"id\":\"f\",\"call_id\":\"c\",\"name\":\"@N\",\"arguments\":\"\"}}")
         NAMED("response.function_call_arguments.delta",
               "{\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,\"item_"
               "id\":\"f\",\"delta\":\"@A\"}")
             NAMED("response.function_call_arguments.delta",
                   "{\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,\"item_"
                   "id\":\"f\",\"delta\":\"@B\"}")
                 NAMED("response.function_call_arguments.done",
                       "{\"type\":\"response.function_call_arguments.done\",\"output_index\":0,"
                       "\"item_id\":\"f\",\"arguments\":\"@A@B\"}")
                     NAMED(
                         "response.output_item.done",
                         "{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":" ITEM
                         "}") COMPLETED},
    {"openai-responses", true, "a call in one item",
     NAMED("response.output_item.done",
           "{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":" ITEM "}")
         COMPLETED},
    {"openai-responses", true, "a call in the last event alone", COMPLETED},
    {"anthropic-messages", false, "a call",
     "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"One "
     "moment.\"},"
     "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"@N\",\"input\":@J}],\"stop_reason\":\"tool_"
     "use\"}"},
    {"anthropic-messages", true, "a call in pieces",
     NAMED("content_block_start",
           "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
           "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"@N\",\"input\":{}}}")
         NAMED("content_block_delta", "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                                      "{\"type\":\"input_json_delta\",\"partial_json\":\"@A\"}}")
             NAMED("content_block_delta",
                   "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                   "{\"type\":\"input_json_delta\",\"partial_json\":\"@B\"}}")
                 NAMED("content_block_stop", "{\"type\":\"content_block_stop\",\"index\":0}")
                     NAMED("message_delta",
                           "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}")
                         NAMED("message_stop", "{\"type\":\"message_stop\"}")},
};

const tut_trial_shape *tut_trial_shapes(size_t *ret_count)
{
    *ret_count = TUT_COUNT(shapes);
    return shapes;
}

/* Each letter as \u0041: another spelling of the same name. */
static void put_name(tut_str name, bool is_escaped, tut_buf *out)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = (uint8_t)name.data[i];
        if (c == '"' || c == '\\' || c < ' ' || (is_escaped && c < 0x80))
            tut_buf_printf(out, "\\u%04x", c);
        else
            tut_buf_add_byte(out, c);
    }
}

tut_status tut_trial_call(const tut_trial_shape *shape, tut_str tool, bool is_escaped, tut_buf *out,
                          tut_error *err)
{
    for (const char *p = shape->text; *p; p++) {
        if (*p != '@') {
            tut_buf_add_byte(out, (uint8_t)*p);
            continue;
        }
        switch (*++p) {
        case 'N':
            put_name(tool, is_escaped, out);
            break;
        case 'A':
            tut_buf_add_z(out, "{\\\"to\\\":\\\"" TUT_TRIAL_HALF_1);
            break;
        case 'B':
            tut_buf_add_z(out, "@" TUT_TRIAL_HALF_2 "\\\"}");
            break;
        default:
            tut_buf_add_z(out, "{\"to\":\"" TUT_TRIAL_HALF_1 "@" TUT_TRIAL_HALF_2 "\"}");
        }
    }
    return tut_buf_check(out, err);
}
