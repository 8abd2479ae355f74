#include "detect/plain.h"

/* Base letters of U+00C0 to U+017F; 0: none. */
static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOO*OUUUUYTsaaaaaaaceeeeiiiidnooooo*ouuuuyty"
                            "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"
                            "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
_Static_assert(sizeof(latin) - 1 == 0x180 - 0xc0, "a letter each");

/* U+1E00 to U+1EFF run in pairs of capital and small; the letter changes at these. */
static const struct pairs {
    uint16_t first;
    char letter;
} additional[] = {
    {0x1e00, 'A'}, {0x1e02, 'B'}, {0x1e08, 'C'}, {0x1e0a, 'D'}, {0x1e14, 'E'}, {0x1e1e, 'F'},
    {0x1e20, 'G'}, {0x1e22, 'H'}, {0x1e2c, 'I'}, {0x1e30, 'K'}, {0x1e36, 'L'}, {0x1e3e, 'M'},
    {0x1e44, 'N'}, {0x1e4c, 'O'}, {0x1e54, 'P'}, {0x1e58, 'R'}, {0x1e60, 'S'}, {0x1e6a, 'T'},
    {0x1e72, 'U'}, {0x1e7c, 'V'}, {0x1e80, 'W'}, {0x1e8a, 'X'}, {0x1e8e, 'Y'}, {0x1e90, 'Z'},
    {0x1e96, 0},   {0x1ea0, 'A'}, {0x1eb8, 'E'}, {0x1ec8, 'I'}, {0x1ecc, 'O'}, {0x1ee4, 'U'},
    {0x1ef2, 'Y'}, {0x1efa, 0},
};

/* Letters of other scripts that a reader takes for Latin ones. */
static const struct lookalike {
    uint16_t c;
    char ascii;
} lookalikes[] = {
    {0x0391, 'A'}, {0x0392, 'B'}, {0x0395, 'E'}, {0x0396, 'Z'}, {0x0397, 'H'}, {0x0399, 'I'},
    {0x039a, 'K'}, {0x039c, 'M'}, {0x039d, 'N'}, {0x039f, 'O'}, {0x03a1, 'P'}, {0x03a4, 'T'},
    {0x03a5, 'Y'}, {0x03a7, 'X'}, {0x03b1, 'a'}, {0x03b5, 'e'}, {0x03b9, 'i'}, {0x03ba, 'k'},
    {0x03bd, 'v'}, {0x03bf, 'o'}, {0x03c1, 'p'}, {0x03c4, 't'}, {0x03c5, 'u'}, {0x03c7, 'x'},
    {0x0405, 'S'}, {0x0406, 'I'}, {0x0408, 'J'}, {0x0410, 'A'}, {0x0412, 'B'}, {0x0415, 'E'},
    {0x041a, 'K'}, {0x041c, 'M'}, {0x041d, 'H'}, {0x041e, 'O'}, {0x0420, 'P'}, {0x0421, 'C'},
    {0x0422, 'T'}, {0x0423, 'Y'}, {0x0425, 'X'}, {0x0430, 'a'}, {0x0432, 'b'}, {0x0433, 'r'},
    {0x0435, 'e'}, {0x043a, 'k'}, {0x043c, 'm'}, {0x043d, 'h'}, {0x043e, 'o'}, {0x0440, 'p'},
    {0x0441, 'c'}, {0x0442, 't'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'},
    {0x0457, 'i'}, {0x0458, 'j'}, {0x04bb, 'h'}, {0x04cf, 'l'}, {0x0501, 'd'}, {0x051b, 'q'},
    {0x051d, 'w'}, {0x0561, 'w'}, {0x0570, 'h'}, {0x0578, 'n'}, {0x057d, 'u'}, {0x0585, 'o'},
};

/* Small capitals and letters of phonetic script: U+1D00 to U+1D22. */
static const char small_capitals[] = "a*abcddejijklmnoo*o****p*rttuw*uvwz";

static tut_fold letter(uint8_t ascii, tut_fold how, uint8_t *ret_ascii)
{
    *ret_ascii = ascii;
    return ascii && ascii != '*' ? how : TUT_FOLD_KEEP;
}

static tut_fold fold_lookalike(uint32_t c, uint8_t *ret_ascii)
{
    size_t low = 0, count = sizeof(lookalikes) / sizeof(lookalikes[0]);
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (lookalikes[middle].c == c)
            return letter((uint8_t)lookalikes[middle].ascii, TUT_FOLD_LOOKALIKE, ret_ascii);
        if (lookalikes[middle].c < c)
            low = middle + 1;
        else
            count = middle;
    }
    return TUT_FOLD_KEEP;
}

static tut_fold fold_additional(uint32_t c, uint8_t *ret_ascii)
{
    size_t i = 0;
    while (i + 1 < sizeof(additional) / sizeof(additional[0]) && additional[i + 1].first <= c)
        i++;
    uint8_t base = (uint8_t)additional[i].letter;
    return letter(base && (c & 1) ? base | 0x20 : base, TUT_FOLD_LETTER, ret_ascii);
}

static tut_fold fold_punctuation(uint32_t c, uint8_t *ret_ascii)
{
    if (c >= 0x2010 && c <= 0x2015)
        return letter('-', TUT_FOLD_LETTER, ret_ascii);
    if (c == 0x2018 || c == 0x2019 || c == 0x201b)
        return letter('\'', TUT_FOLD_LETTER, ret_ascii);
    if (c == 0x201c || c == 0x201d || c == 0x201e || c == 0x201f)
        return letter('"', TUT_FOLD_LETTER, ret_ascii);
    if (c == 0x2028 || c == 0x2029)
        return letter('\n', TUT_FOLD_LETTER, ret_ascii);
    if (c <= 0x200a || c == 0x202f || c == 0x205f)
        return letter(' ', TUT_FOLD_LETTER, ret_ascii);
    if (c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
        return TUT_FOLD_DIRECTIONAL;
    if ((c >= 0x200b && c <= 0x200d) || (c >= 0x2060 && c <= 0x2065) || c >= 0x206a)
        return TUT_FOLD_INVISIBLE;
    return TUT_FOLD_KEEP;
}

static tut_fold fold_styled(uint32_t c, uint8_t *ret_ascii)
{
    uint32_t n = 0;
    if (c >= 0x1d400 && c <= 0x1d6a3) { /* thirteen alphabets of mathematics */
        n = (c - 0x1d400) % 52;
        return letter((uint8_t)(n < 26 ? 'A' + n : 'a' + n - 26), TUT_FOLD_STYLED, ret_ascii);
    }
    if (c >= 0x1d7ce && c <= 0x1d7ff)
        return letter((uint8_t)('0' + (c - 0x1d7ce) % 10), TUT_FOLD_STYLED, ret_ascii);
    if (c >= 0x24b6 && c <= 0x24cf)
        n = 'A' + c - 0x24b6;
    else if (c >= 0x24d0 && c <= 0x24e9)
        n = 'a' + c - 0x24d0;
    else if (c >= 0x1f130 && c <= 0x1f149)
        n = 'A' + c - 0x1f130;
    else if (c >= 0x1f150 && c <= 0x1f169)
        n = 'A' + c - 0x1f150;
    else if (c >= 0x1f170 && c <= 0x1f189)
        n = 'A' + c - 0x1f170;
    else if (c >= 0x1d00 && c <= 0x1d22)
        n = (uint8_t)small_capitals[c - 0x1d00];
    return letter((uint8_t)n, TUT_FOLD_STYLED, ret_ascii);
}

tut_fold tut_fold_of(uint32_t c, uint8_t *ret_ascii)
{
    *ret_ascii = 0;
    if (c == 0xa0)
        return letter(' ', TUT_FOLD_LETTER, ret_ascii);
    if (c == 0xad || c == 0x34f || c == 0xfeff)
        return TUT_FOLD_INVISIBLE;
    if (c >= 0xc0 && c < 0x180)
        return letter((uint8_t)latin[c - 0xc0], TUT_FOLD_LETTER, ret_ascii);
    if (c >= 0x300 && c <= 0x36f)
        return TUT_FOLD_DROP;
    if (c >= 0x370 && c < 0x590)
        return fold_lookalike(c, ret_ascii);
    if (c == 0x61c)
        return TUT_FOLD_DIRECTIONAL;
    if (c == 0x115f || c == 0x1160 || c == 0x180e || c == 0x3164 || c == 0xffa0)
        return TUT_FOLD_INVISIBLE;
    if (c >= 0x1e00 && c <= 0x1eff)
        return fold_additional(c, ret_ascii);
    if (c >= 0x2000 && c <= 0x206f)
        return fold_punctuation(c, ret_ascii);
    if (c >= 0xff01 && c <= 0xff5e)
        return letter((uint8_t)(c - 0xff01 + '!'), TUT_FOLD_STYLED, ret_ascii);
    if (c == 0x3000)
        return letter(' ', TUT_FOLD_LETTER, ret_ascii);
    if ((c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef))
        return TUT_FOLD_SELECTOR;
    if (c >= 0xe0000 && c <= 0xe007f) {
        *ret_ascii = c >= 0xe0020 && c < 0xe007f ? (uint8_t)(c - 0xe0000) : 0;
        return TUT_FOLD_TAG;
    }
    return fold_styled(c, ret_ascii);
}
