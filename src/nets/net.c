#include "nets/net.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "nets/net_internal.h"
#include "nets/onnx_internal.h"
#include "stats/scores.h"

void tut_net_free(tut_net *net)
{
    if (!net)
        return;
    tut_free(net->widths);
    tut_free(net->steps);
    tut_arena_done(&net->arena);
    tut_free(net);
}

const tut_net_facts *tut_net_about(const tut_net *net)
{
    return &net->facts;
}

void tut_net_probabilities(const tut_net_facts *f, const float *output, double *ret)
{
    if (f->outputs == 1) { /* a sigmoid, or the score before one */
        double p = f->last == TUT_NET_SIGMOID ? output[0] : 1 / (1 + exp(-(double)output[0]));
        ret[0] = 1 - p;
        ret[1] = p;
        return;
    }
    for (size_t i = 0; i < f->outputs; i++)
        ret[i] = output[i];
    if (f->last == TUT_NET_SCORES)
        tut_softmax(ret, f->outputs, ret);
}

/* The worker says where weights lie; they are read here, and so is the digest. What changes
 * meanwhile is noticed by its time. */
static tut_status load(int fd, tut_cage_mode sandbox, tut_net **ret_net, tut_error *err)
{
    TUT_CLEAN(tut_buf) wire = TUT_BUF_INIT;
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_AUTO(tut_net) net = NULL;
    const tut_cage_options options = {.mode = sandbox};
    struct stat before, after;
    tut_source file;
    tut_sha256 digest;
    tut_graph graph;
    if (fstat(fd, &before) != 0 || !S_ISREG(before.st_mode))
        return tut_fail(err, TUT_USAGE, "it is no file");
    TUT_TRY(tut_source_file(fd, &file, err));
    TUT_TRY(tut_cage_call(tut_net_onnx_job, &options, fd, (tut_span){0}, &wire, err));
    TUT_TRY(tut_graph_decode(tut_buf_span(&wire), file.size, &arena, &graph, err));
    TUT_TRY(tut_net_build(&graph, &file, &net, err));
    TUT_TRY(tut_sha256_source(&file, &digest, err));
    if (fstat(fd, &after) != 0 || after.st_size != before.st_size ||
        after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
        after.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
        return tut_fail(err, TUT_IO, "it changed while it was read: try again");
    memcpy(net->facts.digest, digest.bytes, sizeof(net->facts.digest));
    *ret_net = tut_move(&net);
    return TUT_SUCCESS;
}

tut_status tut_net_load(const char *path, tut_cage_mode sandbox, tut_net **ret_net, tut_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return tut_fail_errno(err, errno, "%s cannot be read", path);
    tut_status status = load(fd, sandbox, ret_net, err);
    (void)close(fd);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}
