/* Check digits: of people's numbers, of cards and accounts, of keys. Each takes what it says and
 * answers whether the check holds; the method's source stands beside each in check_*.c. */
#ifndef TUT_TEXT_CHECK_H
#define TUT_TEXT_CHECK_H

#include "base/str.h"

/* --- check_number.c: over digits 0 to 9 --- */
typedef bool (*tut_check_digits)(const uint8_t *d, size_t n);
bool tut_check_luhn(const uint8_t *d, size_t n);
bool tut_check_card(const uint8_t *d, size_t n); /* Luhn, and a length that cards have */
bool tut_check_issuer(const uint8_t *d,
                      size_t n); /* its first digits are an issuer's, of that length */
bool tut_check_us_ssn(const uint8_t *d, size_t n);  /* no check digit: areas never given out */
bool tut_check_us_itin(const uint8_t *d, size_t n); /* likewise */
bool tut_check_us_aba(const uint8_t *d, size_t n);
bool tut_check_us_npi(const uint8_t *d, size_t n);
bool tut_check_uk_nhs(const uint8_t *d, size_t n);
bool tut_check_de_steuer(const uint8_t *d, size_t n);
bool tut_check_fr_nir(const uint8_t *d, size_t n);
bool tut_check_nl_bsn(const uint8_t *d, size_t n);
bool tut_check_pl_pesel(const uint8_t *d, size_t n);
bool tut_check_be_rrn(const uint8_t *d, size_t n);
bool tut_check_se_pnr(const uint8_t *d, size_t n);
bool tut_check_dk_cpr(const uint8_t *d, size_t n); /* a date; its check digit is given up */
bool tut_check_no_fnr(const uint8_t *d, size_t n);
bool tut_check_pt_nif(const uint8_t *d, size_t n);
bool tut_check_au_tfn(const uint8_t *d, size_t n);
bool tut_check_au_medicare(const uint8_t *d, size_t n);
bool tut_check_au_abn(const uint8_t *d, size_t n);
bool tut_check_in_aadhaar(const uint8_t *d, size_t n);
bool tut_check_br_cpf(const uint8_t *d, size_t n);
bool tut_check_br_cnpj(const uint8_t *d, size_t n);
bool tut_check_ca_sin(const uint8_t *d, size_t n);
bool tut_check_kr_rrn(const uint8_t *d, size_t n);
bool tut_check_any(const uint8_t *d, size_t n); /* there is none */

/* --- check_word.c: over letters and digits, spaces taken out, in upper case --- */
typedef bool (*tut_check_word)(tut_str word);
bool tut_check_iban(tut_str word);
bool tut_check_uk_nino(tut_str word);
bool tut_check_es_dni(tut_str word); /* DNI and NIE */
bool tut_check_it_fiscale(tut_str word);
bool tut_check_fi_hetu(tut_str word);
bool tut_check_sg_nric(tut_str word);
bool tut_check_in_pan(tut_str word);
bool tut_check_mx_curp(tut_str word);
/* Length of an account number of this country, 0: no IBAN there. */
size_t tut_check_iban_length(tut_str country);

/* --- check_key.c: over the key as it stands --- */
typedef bool (*tut_check_key)(tut_str key);
bool tut_check_crc_base62(tut_str key);  /* GitHub, npm: CRC-32 of what is before, in base 62 */
bool tut_check_crc_grafana(tut_str key); /* CRC-32 in hexadecimal behind the last '_' */
bool tut_check_bech32(tut_str key);
bool tut_check_jwt(tut_str key); /* the header is JSON and names an algorithm */

#endif
