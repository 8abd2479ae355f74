#include "watch/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reader.h"

/* What the worker is told: in this order, each sized (tut_buf_add_sized) or a number. */
enum { ASKED_COLUMNS_MAX = 4096, TASK_MS = 600000 };
static const char *const lent_names[TUT_SIDES] = {"reference", "current"};

static void add_real(tut_buf *b, double v)
{
    uint64_t bits = 0;
    memcpy(&bits, &v, sizeof(bits));
    tut_buf_add_u64le(b, bits);
}

static tut_status take_real(tut_reader *r, double *ret)
{
    uint64_t bits = 0;
    TUT_TRY(tut_reader_u64le(r, &bits));
    memcpy(ret, &bits, sizeof(bits));
    return TUT_SUCCESS;
}

static void write_asked(const char *const paths[TUT_SIDES], const tut_compare_options *o,
                        tut_buf *to)
{
    for (unsigned side = 0; side < TUT_SIDES; side++)
        tut_buf_add_sized(to, tut_str_of(paths[side]));
    add_real(to, o->drift.alpha);
    add_real(to, o->drift.effect);
    add_real(to, o->drift.power);
    tut_buf_add_u64le(to, o->drift.least);
    tut_buf_add_u64le(to, o->drift.seed);
    tut_buf_add_sized(to, o->drift.prediction);
    tut_buf_add_sized(to, o->drift.probability);
    tut_buf_add_sized(to, o->drift.label);
    tut_buf_add_sized(to, o->language);
    tut_buf_add_u32le(to, (uint32_t)o->column_count);
    for (size_t i = 0; i < o->column_count; i++)
        tut_buf_add_sized(to, o->columns[i]);
}

typedef struct asked {
    tut_str paths[TUT_SIDES], language;
    tut_drift_options drift;
    tut_str *columns;
    uint32_t column_count;
} asked;

static tut_status read_asked(tut_span bytes, asked *a)
{
    tut_reader r = tut_reader_of(bytes);
    uint64_t least = 0;
    for (unsigned side = 0; side < TUT_SIDES; side++)
        TUT_TRY(tut_reader_sized(&r, &a->paths[side]));
    TUT_TRY(take_real(&r, &a->drift.alpha));
    TUT_TRY(take_real(&r, &a->drift.effect));
    TUT_TRY(take_real(&r, &a->drift.power));
    TUT_TRY(tut_reader_u64le(&r, &least));
    a->drift.least = (size_t)least;
    TUT_TRY(tut_reader_u64le(&r, &a->drift.seed));
    TUT_TRY(tut_reader_sized(&r, &a->drift.prediction));
    TUT_TRY(tut_reader_sized(&r, &a->drift.probability));
    TUT_TRY(tut_reader_sized(&r, &a->drift.label));
    TUT_TRY(tut_reader_sized(&r, &a->language));
    TUT_TRY(tut_reader_u32le(&r, &a->column_count));
    if (a->column_count > ASKED_COLUMNS_MAX)
        return (tut_status){TUT_MALFORMED};
    a->columns = tut_alloc_array(a->column_count + 1, sizeof(*a->columns));
    if (!a->columns)
        return (tut_status){TUT_NOMEM};
    for (uint32_t i = 0; i < a->column_count; i++)
        TUT_TRY(tut_reader_sized(&r, &a->columns[i]));
    return TUT_SUCCESS;
}

static tut_status read_side(tut_cage_task *task, const asked *a, tut_side side, tut_pair *p,
                            tut_error *err)
{
    char name[512];
    int fd = -1;
    tut_source source;
    TUT_AUTO(tut_rows) rows = NULL;
    TUT_TRY(tut_cage_file(task, lent_names[side], &fd, err));
    TUT_TRY(tut_source_file(fd, &source, err));
    tut_str_copy(name, sizeof(name), a->paths[side]);
    tut_status status = tut_rows_open(&source, name, &rows, err);
    if (tut_is_ok(status))
        status = tut_pair_read(p, side, rows, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, name);
    return status;
}

static tut_status judge(tut_cage_task *task, const asked *a, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_pair) pair;
    TUT_AUTO(tut_drift) drift = NULL;
    TUT_AUTO(tut_json) j = NULL;
    tut_pair_init(&pair, a->drift.seed);
    pair.language = a->language;
    pair.only = a->columns;
    pair.only_count = a->column_count;
    for (unsigned side = 0; side < TUT_SIDES; side++)
        TUT_TRY(read_side(task, a, (tut_side)side, &pair, err));
    TUT_TRY(tut_drift_judge(&pair, &a->drift, &drift, err));
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_drift_json(drift, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status job(tut_cage_task *task, const tut_source *bytes, tut_span argument, tut_buf *out,
                      tut_error *err)
{
    asked a = {.columns = NULL};
    (void)bytes;
    tut_status status = read_asked(argument, &a);
    if (tut_is_ok(status))
        status = judge(task, &a, out, err);
    tut_free(a.columns);
    return status;
}

typedef struct answer {
    tut_buf *out;
    tut_status status;
} answer;

static tut_status keep(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                       const tut_error *error, tut_error *err)
{
    answer *a = ctx;
    (void)tag;
    a->status = TUT_SUCCESS;
    if (outcome == TUT_CAGE_DONE) {
        tut_buf_add(a->out, reply.data, reply.len);
        return TUT_SUCCESS;
    }
    tut_code code = outcome == TUT_CAGE_FAILED    ? error->code
                    : outcome == TUT_CAGE_TIMEOUT ? TUT_LIMIT
                                                  : TUT_BUG;
    a->status = tut_fail(err, code, "%s", error->text);
    if (error->path[0])
        tut_error_set_path(err, error->path);
    return a->status;
}

static tut_status ask(const int fds[TUT_SIDES], uint64_t size, const char *const paths[TUT_SIDES],
                      const tut_compare_options *o, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) asked_bytes = TUT_BUF_INIT;
    TUT_AUTO(tut_cage) cage = NULL;
    const tut_cage_options options = {.mode = o->sandbox, .workers = 1, .task_ms = TASK_MS};
    const tut_cage_lent lent[TUT_SIDES] = {{.name = lent_names[0], .fd = fds[0]},
                                           {.name = lent_names[1], .fd = fds[1]}};
    answer a = {.out = out, .status = {TUT_BUG}};
    write_asked(paths, o, &asked_bytes);
    TUT_TRY(tut_buf_check(&asked_bytes, err));
    TUT_TRY(tut_cage_open(job, &options, &cage, err));
    const tut_cage_request request = {.fd = -1,
                                      .size = size,
                                      .sibling_dirfd = -1,
                                      .lent = lent,
                                      .lent_count = TUT_SIDES,
                                      .argument = tut_buf_span(&asked_bytes)};
    TUT_TRY(tut_cage_submit(cage, &request, keep, &a, err));
    TUT_TRY(tut_cage_drain(cage, keep, &a, err));
    return a.status;
}

static tut_status open_file(const char *path, int *ret_fd, uint64_t *size, tut_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return tut_fail_errno(err, errno, "%s", path);
    *ret_fd = fd;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return tut_fail(err, TUT_USAGE, "%s is no file", path);
    *size += (uint64_t)st.st_size;
    return TUT_SUCCESS;
}

tut_status tut_compare_files(const char *const paths[TUT_SIDES], const tut_compare_options *options,
                             tut_drift **ret_drift, tut_error *err)
{
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    int fds[TUT_SIDES] = {-1, -1};
    uint64_t size = 0;
    tut_status status = open_file(paths[0], &fds[0], &size, err);
    if (tut_is_ok(status))
        status = open_file(paths[1], &fds[1], &size, err);
    if (tut_is_ok(status))
        status = ask(fds, size, paths, options, &reply, err);
    for (unsigned side = 0; side < TUT_SIDES; side++)
        if (fds[side] >= 0)
            (void)close(fds[side]);
    TUT_TRY(status);
    return tut_drift_read(tut_buf_span(&reply), ret_drift, err);
}
