/*
 * Caffe: one protobuf message, NetParameter (see proto.h; caffe.proto). Layers of type Python
 * import a module of that name when the net is loaded.
 */
#include <inttypes.h>
#include <string.h>

#include "formats/proto.h"

enum message { NET, OLD_LAYER, LAYER, PYTHON, NONE };

#define ROW(in, number, wire, repeats, use, into)                                                  \
    {in, number, TUT_WIRE_##wire, repeats, TUT_PROTO_##use, into},

static const tut_proto_field fields[] = {
    ROW(NET, 1, LEN, false, TEXT_A, NONE)        /* name */
    ROW(NET, 2, LEN, true, ENTER, OLD_LAYER)     /* layers */
    ROW(NET, 3, LEN, true, SKIP, NONE)           /* input */
    ROW(NET, 4, VARINT, true, SKIP, NONE)        /* input_dim */
    ROW(NET, 5, VARINT, false, SKIP, NONE)       /* force_backward */
    ROW(NET, 6, LEN, false, SKIP, NONE)          /* state */
    ROW(NET, 7, VARINT, false, SKIP, NONE)       /* debug_info */
    ROW(NET, 8, LEN, true, SKIP, NONE)           /* input_shape */
    ROW(NET, 100, LEN, true, ENTER, LAYER)       /* layer */
    ROW(OLD_LAYER, 2, LEN, true, SKIP, NONE)     /* bottom */
    ROW(OLD_LAYER, 3, LEN, true, SKIP, NONE)     /* top */
    ROW(OLD_LAYER, 4, LEN, false, TEXT_A, NONE)  /* name */
    ROW(OLD_LAYER, 5, VARINT, false, SKIP, NONE) /* type */
    ROW(OLD_LAYER, 6, LEN, true, SKIP, NONE)     /* blobs */
    ROW(LAYER, 1, LEN, false, TEXT_A, NONE)      /* name */
    ROW(LAYER, 2, LEN, false, TEXT_B, NONE)      /* type */
    ROW(LAYER, 3, LEN, true, SKIP, NONE)         /* bottom */
    ROW(LAYER, 4, LEN, true, SKIP, NONE)         /* top */
    ROW(LAYER, 7, LEN, true, SKIP, NONE)         /* blobs */
    ROW(LAYER, 130, LEN, false, ENTER, PYTHON)   /* python_param */
    ROW(PYTHON, 1, LEN, false, TEXT_A, NONE)     /* module */
    ROW(PYTHON, 2, LEN, false, TEXT_B, NONE)     /* layer */
    ROW(PYTHON, 3, LEN, false, SKIP, NONE)       /* param_str */
    ROW(PYTHON, 4, VARINT, false, SKIP, NONE)    /* share_in_parallel */
};
#undef ROW

static const char *const names[] = {"net", "layer", "layer", "Python layer"};

/* Many forks of Caffe have fields of their own: unknown ones say nothing. */
static const tut_proto_schema schema = {
    .fields = fields,
    .count = sizeof(fields) / sizeof(fields[0]),
    .names = names,
    .family = "Caffe",
    .malformed = "caffe.malformed",
    .nesting = "caffe.malformed",
};

typedef struct caffe {
    tut_exam *x;
    tut_proto p;
    uint64_t layers;
} caffe;

static tut_match sniff(const tut_sniff *s)
{
    tut_sniff some = *s;
    if (!tut_sniff_ext(s, ".caffemodel") || s->head.len < 4 ||
        (s->head.data[0] != 0x0a && s->head.data[0] != 0x12 && s->head.data[0] != 0xa2))
        return TUT_MATCH_NONE;
    /* The first layer holds parameters of many kinds: its beginning must do. */
    some.head.len = some.head.len < 64 ? some.head.len : 64;
    return tut_proto_sniff(&schema, NET, &some) >= 2 ? TUT_MATCH_STRONG : TUT_MATCH_WEAK;
}

static tut_status end_message(void *ctx, const tut_proto_frame *f, tut_error *err)
{
    caffe *c = ctx;
    (void)err;
    c->layers += f->kind == LAYER || f->kind == OLD_LAYER;
    bool is_python = f->kind == LAYER && strcmp(f->b, "Python") == 0;
    if (f->kind == PYTHON)
        tut_exam_observe(c->x, "caffe.python-layer", f->at, "class %s of module %s", f->b, f->a);
    else if (is_python)
        tut_exam_observe(c->x, "caffe.python-layer", f->at, "layer %s is written in Python", f->a);
    return TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    static const tut_proto_ops ops = {NULL, NULL, end_message};
    TUT_AUTO_FREE caffe *c = tut_alloc_array(1, sizeof(*c));
    tut_error own = {0};
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->x = x;
    tut_proto_init(&c->p, x, &schema, &ops, c);
    tut_error *why = err ? err : &own;
    tut_status status = tut_proto_walk(&c->p, NET, x->size, why);
    tut_exam_factf(x, "caffe.layers", "%" PRIu64, c->layers);
    c->p.unknown_at = UINT64_MAX;
    return tut_proto_look_behind(&c->p, status, "caffe.polyglot", why);
}

extern const tut_format tut_format_caffe;

const tut_format tut_format_caffe = {
    .name = "caffe",
    .label = "Caffe",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".caffemodel",
    .reads = "layers written in Python",
    .rules = "caffe data",
};
