/*
 * Runs nets for tests/integration/nets.py.
 *
 *   net_run MODEL.onnx ROWS.f32 OUT.f32        rows of single precision in, outputs out
 *   net_run --gradient MODEL.onnx ROWS.f32 OUT.f32   the gradient of the sum of the scores
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "nets/net.h"

enum { AT_ONCE = 16 };

static float *read_rows(const char *path, size_t width, size_t *ret_count)
{
    struct stat info;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &info) != 0)
        return NULL;
    *ret_count = (size_t)info.st_size / sizeof(float) / width;
    float *rows = tut_alloc_array(*ret_count * width + 1, sizeof(*rows));
    bool is_read = rows && fread(rows, sizeof(*rows) * width, *ret_count, f) == *ret_count;
    (void)fclose(f);
    return is_read ? rows : NULL;
}

static tut_status run(tut_pass *pass, const tut_net_facts *f, bool is_gradient, const float *rows,
                      size_t count, FILE *to, tut_error *err)
{
    const float *out = NULL;
    TUT_AUTO_FREE float *up = tut_alloc_array(count * f->outputs, sizeof(*up));
    TUT_AUTO_FREE float *back = tut_alloc_array(count * f->width, sizeof(*back));
    if (!up || !back)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_pass_run(pass, rows, count, &out, err));
    for (size_t i = 0; i < count * f->outputs; i++)
        up[i] = (float)(i % f->outputs + 1);
    if (is_gradient)
        TUT_TRY(tut_pass_back(pass, up, back, err));
    size_t n = count * (is_gradient ? f->width : f->outputs);
    bool is_written = fwrite(is_gradient ? back : out, sizeof(float), n, to) == n;
    return is_written ? TUT_SUCCESS : tut_fail(err, TUT_IO, "not written");
}

static tut_status run_all(char *const *files, bool is_gradient, tut_error *err)
{
    TUT_AUTO(tut_net) net = NULL;
    TUT_AUTO(tut_pass) pass = NULL;
    size_t count = 0;
    TUT_TRY(tut_net_load(files[0], TUT_CAGE_AUTO, &net, err));
    const tut_net_facts *f = tut_net_about(net);
    TUT_AUTO_FREE float *rows = read_rows(files[1], f->width, &count);
    FILE *to = fopen(files[2], "wb");
    if (!rows || !to)
        return tut_fail(err, TUT_IO, "%s or %s", files[1], files[2]);
    TUT_TRY(tut_pass_new(net, AT_ONCE, &pass, err));
    for (size_t done = 0; done < count; done += AT_ONCE) {
        size_t n = count - done < AT_ONCE ? count - done : AT_ONCE;
        TUT_TRY(run(pass, f, is_gradient, rows + done * f->width, n, to, err));
    }
    return fclose(to) == 0 ? TUT_SUCCESS : tut_fail(err, TUT_IO, "%s", files[2]);
}

int main(int argc, char **argv)
{
    tut_error err = {0};
    bool is_gradient = argc == 5 && strcmp(argv[1], "--gradient") == 0;
    if (argc != 4 + is_gradient)
        return 2;
    if (tut_is_ok(run_all(argv + 1 + is_gradient, is_gradient, &err)))
        return 0;
    (void)fprintf(stderr, "%s %s: %s\n", tut_code_name(err.code), err.path, err.text);
    return 1;
}
