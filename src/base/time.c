#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The range that four-digit years cover: 0000-01-01 to 9999-12-31T23:59:59. */
#define TIME_MIN (-62167219200LL)
#define TIME_MAX 253402300799LL

typedef struct civil {
    int64_t year;
    unsigned month, day, hour, minute, second;
} civil;

/* Proleptic Gregorian calendar; after Howard Hinnant, "chrono-compatible low-level date
 * algorithms". */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

static civil civil_from_time(tut_time t)
{
    t = t < TIME_MIN ? TIME_MIN : t > TIME_MAX ? TIME_MAX : t;
    int64_t days = t / TUT_DAY_SECONDS;
    int64_t rest = t % TUT_DAY_SECONDS;
    if (rest < 0) {
        rest += TUT_DAY_SECONDS;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    civil c = {.year = (int64_t)yoe + era * 400, .day = doy - (153 * mp + 2) / 5 + 1};
    c.month = mp < 10 ? mp + 3 : mp - 9;
    c.year += c.month <= 2;
    c.hour = (unsigned)(rest / 3600);
    c.minute = (unsigned)(rest / 60 % 60);
    c.second = (unsigned)(rest % 60);
    return c;
}

static tut_time pretended;

void tut_time_pretend(tut_time now)
{
    pretended = now;
}

tut_time tut_time_now(void)
{
    if (pretended)
        return pretended;
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

uint64_t tut_clock_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void tut_time_rfc3339(tut_time t, char out[TUT_TIME_TEXT])
{
    civil c = civil_from_time(t);
    unsigned year = (unsigned)c.year % 10000u;
    const unsigned parts[] = {year / 100, year % 100, c.month, c.day, c.hour, c.minute, c.second};
    static const char between[] = "\0--T::Z";
    char *at = out;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        *at++ = (char)('0' + parts[i] / 10 % 10);
        *at++ = (char)('0' + parts[i] % 10);
        if (between[i])
            *at++ = between[i];
    }
    *at = '\0';
}

void tut_time_date(tut_time t, char out[TUT_TIME_TEXT])
{
    civil c = civil_from_time(t);
    snprintf(out, TUT_TIME_TEXT, "%u %s %04u", c.day, months[c.month - 1],
             (unsigned)c.year % 10000u);
}

void tut_time_people(tut_time t, char out[TUT_TIME_TEXT])
{
    civil c = civil_from_time(t);
    snprintf(out, TUT_TIME_TEXT, "%u %s %04u, %02u:%02u:%02u UTC", c.day % 100u,
             months[c.month - 1], (unsigned)c.year % 10000u, c.hour % 100u, c.minute % 100u,
             c.second % 100u);
}

static bool digits(tut_str s, size_t at, size_t count, unsigned *ret)
{
    unsigned value = 0;
    if (at + count > s.len)
        return false;
    for (size_t i = at; i < at + count; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
        value = value * 10 + (unsigned)(s.data[i] - '0');
    }
    *ret = value;
    return true;
}

static bool is_char(tut_str s, size_t at, const char *any_of)
{
    return at < s.len && s.data[at] && strchr(any_of, s.data[at]);
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned table[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return table[month - 1] + (month == 2 && is_leap);
}

/* "Z", "+02:00", "-05:30": seconds east of UTC. */
static bool parse_zone(tut_str s, size_t at, int64_t *ret_offset)
{
    unsigned hours, minutes;
    if (is_char(s, at, "Zz") && at + 1 == s.len) {
        *ret_offset = 0;
        return true;
    }
    if (!is_char(s, at, "+-") || !digits(s, at + 1, 2, &hours) || !is_char(s, at + 3, ":") ||
        !digits(s, at + 4, 2, &minutes) || at + 6 != s.len || hours > 23 || minutes > 59)
        return false;
    int64_t offset = ((int64_t)hours * 60 + minutes) * 60;
    *ret_offset = s.data[at] == '-' ? -offset : offset;
    return true;
}

tut_status tut_time_parse(tut_str s, tut_time *ret_time)
{
    unsigned year, month, day, hour = 0, minute = 0, second = 0;
    const tut_status bad = {TUT_MALFORMED};
    if (!digits(s, 0, 4, &year) || !is_char(s, 4, "-") || !digits(s, 5, 2, &month) ||
        !is_char(s, 7, "-") || !digits(s, 8, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month))
        return bad;
    int64_t offset = 0;
    if (s.len > 10) {
        if (!is_char(s, 10, "Tt ") || !digits(s, 11, 2, &hour) || !is_char(s, 13, ":") ||
            !digits(s, 14, 2, &minute) || !is_char(s, 16, ":") || !digits(s, 17, 2, &second) ||
            hour > 23 || minute > 59 || second > 60)
            return bad;
        size_t at = 19;
        if (is_char(s, at, ".")) {
            size_t start = ++at;
            while (is_char(s, at, "0123456789"))
                at++;
            if (at == start)
                return bad;
        }
        if (!parse_zone(s, at, &offset))
            return bad;
    }
    *ret_time = days_from_civil(year, month, day) * TUT_DAY_SECONDS + (int64_t)hour * 3600 +
                (int64_t)minute * 60 + (second == 60 ? 59 : second) - offset;
    return TUT_SUCCESS;
}

tut_time tut_time_generated(void)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    uint64_t seconds;
    if (epoch && tut_str_u64(tut_str_of(epoch), &seconds) && seconds <= (uint64_t)TIME_MAX)
        return (tut_time)seconds;
    return tut_time_now();
}
