#include "text/check.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* L a letter, 9 a digit, X either: of the word's length exactly. */
static bool looks_like(tut_str word, const char *form)
{
    if (word.len != strlen(form))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.data[i];
        bool fits = form[i] == 'L' ? is_upper(c) : form[i] == '9' ? is_digit(c) : true;
        if (!fits || (!is_upper(c) && !is_digit(c)))
            return false;
    }
    return true;
}

/* SWIFT's IBAN registry: country and length. */
static const char registry[] =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24"
    "FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21"
    "LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22"
    "RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

size_t tut_check_iban_length(tut_str country)
{
    for (const char *at = registry; country.len == 2 && *at && *at <= country.data[0]; at += 4) {
        if (at[0] == country.data[0] && at[1] == country.data[1])
            return (size_t)(at[2] - '0') * 10 + (size_t)(at[3] - '0');
    }
    return 0;
}

/* ISO 13616: the first four characters to the end, letters as 10 to 35, modulo 97 is one. */
bool tut_check_iban(tut_str word)
{
    if (word.len < 15 || word.len != tut_check_iban_length((tut_str){word.data, 2}) ||
        !is_digit(word.data[2]) || !is_digit(word.data[3]))
        return false;
    unsigned rest = 0;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.data[(i + 4) % word.len];
        if (is_digit(c))
            rest = (rest * 10 + (unsigned)(c - '0')) % 97;
        else if (is_upper(c))
            rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
        else
            return false;
    }
    return rest == 1;
}

/* HMRC, NIM39110: letters that are not used, and prefixes that are not given out. */
bool tut_check_uk_nino(tut_str word)
{
    if (!looks_like(word, "LL999999L") || strchr("DFIQUV", word.data[0]) ||
        strchr("DFIOQUV", word.data[1]) || word.data[8] > 'D')
        return false;
    static const char refused[] = "BGGBKNNKNTTNZZ";
    for (const char *at = refused; *at; at += 2) {
        if (memcmp(at, word.data, 2) == 0)
            return false;
    }
    return true;
}

/* Ministerio del Interior: the number modulo 23 picks the letter; X, Y, Z stand for 0, 1, 2. */
bool tut_check_es_dni(tut_str word)
{
    static const char letters[] = "TRWAGMYFPDXBNJZSQVHLCKE";
    if (!looks_like(word, "X9999999L") || (is_upper(word.data[0]) && !strchr("XYZ", word.data[0])))
        return false;
    unsigned v = is_digit(word.data[0]) ? (unsigned)(word.data[0] - '0')
                                        : (unsigned)(word.data[0] - 'X');
    for (size_t i = 1; i < 8; i++)
        v = v * 10 + (unsigned)(word.data[i] - '0');
    return v != 0 && letters[v % 23] == word.data[8];
}

/* D.M. 23/12/1976: odd places by a table of their own, even ones by value; the sum modulo 26. */
bool tut_check_it_fiscale(tut_str word)
{
    static const uint8_t odd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                  20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    if (!looks_like(word, "LLLLLLXXLXXLXXXL") || !strchr("ABCDEHLMPRST", word.data[8]))
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < 15; i++) {
        char c = word.data[i];
        unsigned v = is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'A');
        sum += i % 2 == 0 ? odd[v] : v;
    }
    return (char)('A' + sum % 26) == word.data[15];
}

/* DVV: the nine digits modulo 31 pick the character; the sign in the middle is the century. */
bool tut_check_fi_hetu(tut_str word)
{
    static const char signs[] = "0123456789ABCDEFHJKLMNPRSTUVWXY";
    if (word.len != 11 || word.data[6] == '\0' || !strchr("+-ABCDEFUVWXY", word.data[6]))
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < 10; i++) {
        if (i == 6)
            continue;
        if (!is_digit(word.data[i]))
            return false;
        v = v * 10 + (uint64_t)(word.data[i] - '0');
    }
    unsigned day = (unsigned)(word.data[0] - '0') * 10 + (unsigned)(word.data[1] - '0');
    unsigned month = (unsigned)(word.data[2] - '0') * 10 + (unsigned)(word.data[3] - '0');
    return day >= 1 && day <= 31 && month >= 1 && month <= 12 && signs[v % 31] == word.data[10];
}

/* ICA: weights 2 7 6 5 4 3 2, an offset by prefix, and a table of letters by prefix. */
bool tut_check_sg_nric(tut_str word)
{
    static const uint8_t weights[] = {2, 7, 6, 5, 4, 3, 2};
    if (!looks_like(word, "L9999999L") || !strchr("STFGM", word.data[0]))
        return false;
    char first = word.data[0];
    unsigned sum = first == 'T' || first == 'G' ? 4 : first == 'M' ? 3 : 0;
    for (size_t i = 0; i < 7; i++)
        sum += (unsigned)(word.data[i + 1] - '0') * weights[i];
    const char *letters = first == 'S' || first == 'T'   ? "JZIHGFEDCBA"
                          : first == 'F' || first == 'G' ? "XWUTRQPNMLK"
                                                         : "XWUTRQPNJLK";
    unsigned at = sum % 11;
    return letters[first == 'M' ? 10 - at : at] == word.data[8];
}

/* Income Tax Department: the fourth letter is the kind of holder. */
bool tut_check_in_pan(tut_str word)
{
    return looks_like(word, "LLLLL9999L") && strchr("PCHFATBLJG", word.data[3]);
}

/* RENAPO: four letters, a date, sex, state, three consonants, two signs. */
bool tut_check_mx_curp(tut_str word)
{
    return looks_like(word, "LLLL999999LLLLLLXX") &&
           (word.data[10] == 'H' || word.data[10] == 'M') && word.data[6] <= '1' &&
           word.data[8] <= '3';
}
