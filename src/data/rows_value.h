/* Stored values as cells and as text, for the formats that store them in binary. */
#ifndef TUT_DATA_ROWS_VALUE_H
#define TUT_DATA_ROWS_VALUE_H

#include "data/rows_internal.h"

/* INTEGER or NUMBER of each, as rows_number_kind() says it. */
void rows_number_kinds(uint8_t *kinds, const double *numbers, size_t n);
/* IEEE 754's binary16 */
double rows_half(uint16_t bits);
/* Nothing, in the cells [from, to). */
void rows_no_cells(const tut_cells *c, size_t from, size_t to);
TUT_MUST tut_status rows_no_memory(tut_error *err);

/* Each writes at most its cap, without a NUL, and returns how much. */
enum {
    ROWS_INT_TEXT = 20,
    ROWS_TIME_TEXT = 40,
    ROWS_DECIMAL_TEXT = 128, /* of integers; of bytes: the digits of ROWS_DECIMAL_BYTES */
    ROWS_DECIMAL_BYTES = 32,
    ROWS_BYTES_TEXT = 140
};
size_t rows_put_int(char *to, uint64_t magnitude, bool is_negative);
/* "2026-11-29", of days since 1970-01-01 */
size_t rows_put_date(char *to, int64_t days);
/* "13:37:00.123" of a day; digits of a second: 3, 6 or 9 */
size_t rows_put_time(char *to, int64_t units, unsigned digits);
/* "2026-11-29T13:37:00.123Z", without the Z where no zone is known */
size_t rows_put_timestamp(char *to, int64_t units, unsigned digits, bool is_utc);
/* INT96: nanoseconds of the day (8 bytes) and the Julian day (4). */
size_t rows_put_int96(char *to, const uint8_t *raw);
/* A whole number, big endian, two's complement, times 10^-scale. 0: too wide or odd a scale. */
size_t rows_put_decimal(char *to, const uint8_t *raw, size_t len, int32_t scale);
size_t rows_put_uuid(char *to, const uint8_t *raw);
size_t rows_put_interval(char *to, const uint8_t *raw);
/* "0x…" of up to 64 bytes; of more, the first 16, how many there are and their SHA-256's begin. */
size_t rows_put_bytes(char *to, tut_span bytes);

#endif
