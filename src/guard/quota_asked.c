/* What a request may come to, before anybody has counted. */
#include "guard/quota.h"

enum { BYTES_EACH = 4, CHOICES_MOST = 128 };

/* Four letters of the Latin alphabet are about a token; of scripts beyond it each character is one,
 * or nearly so. */
static uint64_t tokens_of(tut_str text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t characters = 0, ascii = 0;
    size_t i = 0;
    for (; text.len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) { /* the same, eight at once */
        uint64_t w;
        memcpy(&w, text.data + i, sizeof(w));
        ascii += ((~w & tops) >> 7) * ones >> 56;
        characters += ((w & w << 1 & tops) >> 7) * ones >> 56;
    }
    for (; i < text.len; i++) {
        uint8_t c = (uint8_t)text.data[i];
        ascii += c < 0x80;
        characters += c >= 0xc0; /* that begins a longer one */
    }
    return ascii / BYTES_EACH + characters;
}

void tut_quota_asked(const tut_guard_request *r, uint64_t *ret_in, uint64_t *ret_out)
{
    static const char *const limits[] = {"max_tokens", "max_completion_tokens",
                                         "max_output_tokens"};
    const tut_json_value *root = r->doc ? tut_json_root(r->doc) : NULL;
    uint64_t out = 0;
    for (size_t i = 0; i < TUT_COUNT(limits); i++) {
        int64_t n = tut_json_get_int(root, limits[i], 0);
        out = n > 0 && (uint64_t)n > out ? (uint64_t)n : out;
    }
    int64_t choices = tut_json_get_int(root, "n", 1);
    choices = choices < 1 ? 1 : choices > CHOICES_MOST ? CHOICES_MOST : choices;
    *ret_in = 1;
    for (size_t i = 0; i < r->segment_count; i++)
        *ret_in += tokens_of(r->segments[i].text);
    *ret_out = out > UINT32_MAX ? UINT32_MAX : out * (uint64_t)choices;
}
