#include "text/check.h"

static uint64_t number(const uint8_t *d, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + d[i];
    return v;
}

static bool all_same(const uint8_t *d, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (d[i] != d[0])
            return false;
    }
    return true;
}

static unsigned weighted(const uint8_t *d, const char *weights, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (unsigned)d[i] * (unsigned)(weights[i] - '0');
    return sum;
}

static bool is_day(uint64_t day, uint64_t month)
{
    return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

bool tut_check_any(const uint8_t *d, size_t n)
{
    return n > 0 && !all_same(d, n);
}

/* ISO/IEC 7812-1, annex B. */
bool tut_check_luhn(const uint8_t *d, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v = d[n - 1 - i];
        if (i % 2 == 1)
            v = v > 4 ? v * 2 - 9 : v * 2;
        sum += v;
    }
    return n > 1 && sum % 10 == 0;
}

/* First digits and lengths of the issuers (ISO/IEC 7812 registry, as the schemes publish them). */
static const struct {
    uint16_t from, to; /* of the first four digits */
    uint32_t lengths;  /* a bit each */
} issuers[] = {
#define L(n) (1u << (n))
    {4000, 4999, L(13) | L(16) | L(19)},                         /* Visa */
    {5100, 5599, L(16)},                                         /* Mastercard */
    {2221, 2720, L(16)},                                         /* Mastercard */
    {3400, 3499, L(15)},                                         /* American Express */
    {3700, 3799, L(15)},                                         /* American Express */
    {3000, 3059, L(14) | L(16)},                                 /* Diners Club */
    {3600, 3699, L(14) | L(16)},                                 /* Diners Club */
    {3800, 3999, L(14) | L(16)},                                 /* Diners Club */
    {3528, 3589, L(16)},                                         /* JCB */
    {1800, 1800, L(15)},                                         /* JCB, older */
    {2131, 2131, L(15)},                                         /* JCB, older */
    {6011, 6011, L(16) | L(19)},                                 /* Discover */
    {6440, 6599, L(16) | L(19)},                                 /* Discover */
    {6200, 6299, L(16) | L(17) | L(18) | L(19)},                 /* UnionPay */
    {5000, 5099, L(12) | L(13) | L(14) | L(15) | L(16) | L(19)}, /* Maestro */
    {5600, 5899, L(12) | L(13) | L(14) | L(15) | L(16) | L(19)}, /* Maestro */
    {6300, 6399, L(12) | L(13) | L(14) | L(15) | L(16) | L(19)}, /* Maestro */
    {6700, 6799, L(12) | L(13) | L(14) | L(15) | L(16) | L(19)}, /* Maestro */
    {2200, 2204, L(16)},                                         /* Mir */
#undef L
};

bool tut_check_card(const uint8_t *d, size_t n)
{
    return n >= 12 && n <= 19 && d[0] != 0 && !all_same(d + 1, n - 1) && tut_check_luhn(d, n);
}

bool tut_check_issuer(const uint8_t *d, size_t n)
{
    uint64_t first = number(d, 4);
    for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++) {
        if (first >= issuers[i].from && first <= issuers[i].to && (issuers[i].lengths >> n & 1u))
            return true;
    }
    return false;
}

/* Social Security Administration: areas 000, 666 and 900 up were never assigned. */
bool tut_check_us_ssn(const uint8_t *d, size_t n)
{
    uint64_t area = number(d, 3);
    return n == 9 && area != 0 && area != 666 && area < 900 && number(d + 3, 2) != 0 &&
           number(d + 5, 4) != 0 && !(all_same(d, 3) && all_same(d + 3, 2) && all_same(d + 5, 4)) &&
           number(d, 9) != 123456789 && number(d, 9) != 78051120 &&
           number(d, 9) != 219099999; /* printed on sample cards */
}

/* IRS: 9xx-(50..65|70..88|90..92|94..99)-xxxx. */
bool tut_check_us_itin(const uint8_t *d, size_t n)
{
    uint64_t group = number(d + 3, 2);
    return n == 9 && d[0] == 9 &&
           ((group >= 50 && group <= 65) || (group >= 70 && group <= 88) ||
            (group >= 90 && group <= 92) || group >= 94);
}

/* American Bankers Association: 3 7 1, and the first two digits name a Federal Reserve bank. */
bool tut_check_us_aba(const uint8_t *d, size_t n)
{
    uint64_t first = number(d, 2);
    bool is_bank = first <= 12 || (first >= 21 && first <= 32) || (first >= 61 && first <= 72) ||
                   first == 80;
    return n == 9 && is_bank && !all_same(d, n) && weighted(d, "371371371", 9) % 10 == 0;
}

/* CMS: Luhn over 80840 and the ten digits. */
bool tut_check_us_npi(const uint8_t *d, size_t n)
{
    uint8_t all[15] = {8, 0, 8, 4, 0};
    if (n != 10 || (d[0] != 1 && d[0] != 2))
        return false;
    memcpy(all + 5, d, 10);
    return tut_check_luhn(all, sizeof(all));
}

/* NHS data dictionary: weights 10 to 2, modulo 11. */
bool tut_check_uk_nhs(const uint8_t *d, size_t n)
{
    unsigned sum = 0;
    if (n != 10 || all_same(d, n))
        return false;
    for (unsigned i = 0; i < 9; i++)
        sum += d[i] * (10 - i);
    unsigned check = 11 - sum % 11;
    return check != 10 && (check == 11 ? 0 : check) == d[9];
}

/* Identifikationsnummer, section 139b AO: ISO/IEC 7064 MOD 11,10; one digit comes two or three
 * times. */
bool tut_check_de_steuer(const uint8_t *d, size_t n)
{
    unsigned counts[10] = {0}, product = 10, most = 0, distinct = 0;
    if (n != 11 || d[0] == 0)
        return false;
    for (size_t i = 0; i < 10; i++) {
        counts[d[i]]++;
        unsigned sum = (d[i] + product) % 10;
        product = (sum == 0 ? 10 : sum) * 2 % 11;
    }
    for (size_t i = 0; i < 10; i++) {
        most = counts[i] > most ? counts[i] : most;
        distinct += counts[i] > 0;
    }
    return (most == 2 || most == 3) && distinct >= 8 && (11 - product) % 10 == d[10];
}

/* INSEE: 97 less the number modulo 97. */
bool tut_check_fr_nir(const uint8_t *d, size_t n)
{
    uint64_t month = number(d + 3, 2);
    return n == 15 && (d[0] == 1 || d[0] == 2) &&
           (month <= 12 || (month >= 20 && month <= 42) || month >= 50) &&
           97 - number(d, 13) % 97 == number(d + 13, 2);
}

/* The eleven test of the Netherlands. */
bool tut_check_nl_bsn(const uint8_t *d, size_t n)
{
    if (n != 9 || all_same(d, n))
        return false;
    int sum = -(int)d[8];
    for (int i = 0; i < 8; i++)
        sum += d[i] * (9 - i);
    return sum % 11 == 0;
}

bool tut_check_pl_pesel(const uint8_t *d, size_t n)
{
    return n == 11 && !all_same(d, n) && is_day(number(d + 4, 2), number(d + 2, 2) % 20) &&
           (weighted(d, "1379137913", 10) + d[10]) % 10 == 0;
}

/* 97 less the first nine digits modulo 97; those born from 2000 on have a 2 before them. */
bool tut_check_be_rrn(const uint8_t *d, size_t n)
{
    if (n != 11 || number(d + 2, 2) > 12 || number(d + 4, 2) > 31)
        return false;
    uint64_t v = number(d, 9), check = number(d + 9, 2);
    return 97 - v % 97 == check || 97 - (v + 2000000000u) % 97 == check;
}

/* Ten digits, or twelve with the century. Days from 61 on are co-ordination numbers. */
bool tut_check_se_pnr(const uint8_t *d, size_t n)
{
    if (n == 12 && (number(d, 2) < 18 || number(d, 2) > 20))
        return false;
    if (n == 12) {
        d += 2;
        n = 10;
    }
    uint64_t day = number(d + 4, 2);
    return n == 10 && is_day(day > 60 ? day - 60 : day, number(d + 2, 2)) && tut_check_luhn(d, 10);
}

bool tut_check_dk_cpr(const uint8_t *d, size_t n)
{
    return n == 10 && is_day(number(d, 2), number(d + 2, 2)) && !all_same(d, n);
}

bool tut_check_no_fnr(const uint8_t *d, size_t n)
{
    if (n != 11 || !is_day(number(d, 2) % 40, number(d + 2, 2) % 40))
        return false;
    unsigned one = (11 - weighted(d, "376189452", 9) % 11) % 11;
    unsigned two = (11 - weighted(d, "5432765432", 10) % 11) % 11;
    return one == d[9] && two == d[10];
}

bool tut_check_pt_nif(const uint8_t *d, size_t n)
{
    if (n != 9 || d[0] == 0 || d[0] == 4 || all_same(d, n))
        return false;
    unsigned rest = weighted(d, "98765432", 8) % 11;
    return (rest < 2 ? 0 : 11 - rest) == d[8];
}

bool tut_check_au_tfn(const uint8_t *d, size_t n)
{
    static const uint8_t weights[] = {1, 4, 3, 7, 5, 8, 6, 9, 10};
    unsigned sum = 0;
    for (size_t i = 0; i < 9 && n == 9; i++)
        sum += (unsigned)d[i] * weights[i];
    return n == 9 && !all_same(d, n) && sum % 11 == 0;
}

bool tut_check_au_medicare(const uint8_t *d, size_t n)
{
    return (n == 10 || n == 11) && d[0] >= 2 && d[0] <= 6 &&
           weighted(d, "13791379", 8) % 10 == d[8];
}

bool tut_check_au_abn(const uint8_t *d, size_t n)
{
    static const uint8_t weights[] = {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
    if (n != 11 || d[0] == 0)
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < 11; i++)
        sum += (unsigned)(d[i] - (i == 0)) * weights[i];
    return sum % 89 == 0;
}

/* Verhoeff's dihedral check (1969). */
bool tut_check_in_aadhaar(const uint8_t *d, size_t n)
{
    static const uint8_t product[10][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
        {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
        {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
        {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
        {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
    static const uint8_t turn[8][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
        {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
        {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
        {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};
    unsigned c = 0;
    if (n != 12 || d[0] < 2)
        return false;
    for (size_t i = 0; i < n; i++)
        c = product[c][turn[i % 8][d[n - 1 - i]]];
    return c == 0;
}

static unsigned brazil(const uint8_t *d, size_t n, unsigned highest)
{
    unsigned sum = 0, weight = 2;
    for (size_t i = n; i-- > 0;) {
        sum += d[i] * weight;
        weight = weight == highest ? 2 : weight + 1;
    }
    unsigned rest = sum % 11;
    return rest < 2 ? 0 : 11 - rest;
}

bool tut_check_br_cpf(const uint8_t *d, size_t n)
{
    return n == 11 && !all_same(d, n) && brazil(d, 9, 11) == d[9] && brazil(d, 10, 11) == d[10];
}

bool tut_check_br_cnpj(const uint8_t *d, size_t n)
{
    return n == 14 && !all_same(d, n) && brazil(d, 12, 9) == d[12] && brazil(d, 13, 9) == d[13];
}

bool tut_check_ca_sin(const uint8_t *d, size_t n)
{
    return n == 9 && d[0] != 0 && d[0] != 8 && !all_same(d, n) && tut_check_luhn(d, 9);
}

bool tut_check_kr_rrn(const uint8_t *d, size_t n)
{
    return n == 13 && is_day(number(d + 4, 2), number(d + 2, 2)) && d[6] >= 1 && d[6] <= 8 &&
           (11 - weighted(d, "234567892345", 12) % 11) % 10 == d[12];
}
