#include "probe/odd_inputs.h"

#include "probe/target_internal.h"

enum {
    V2 = ODD_V2,
    CHAT = ODD_CHAT,
    COMPLETIONS = ODD_COMPLETIONS,
    ROWS = ODD_ROWS,
    TALK = ODD_TALK,
    WIDTH = 4,
    WIDTH_MAX = 4096
};

const odd_input odd_inputs[] = {
#define LENGTH(literal) (sizeof(literal) - 1)
#define ODD(to, name, head, unit, times, tail)                                                     \
    {to, name, {head, LENGTH(head)}, {unit, LENGTH(unit)}, times, {tail, LENGTH(tail)}},
#include "probe/odd_inputs.def"
#undef ODD
#undef LENGTH
};
const size_t odd_input_count = sizeof(odd_inputs) / sizeof(odd_inputs[0]);

/* --- what the marks stand for --- */
void odd_marks_done(odd_marks *m)
{
    tut_buf *const all[] = {&m->name,  &m->width, &m->row,  &m->large,
                            &m->small, &m->model, &m->head, &m->id};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        tut_buf_done(all[i]);
}

static void add_numbers(tut_buf *to, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        tut_buf_printf(to, "%s%s", i > 0 ? "," : "", text);
}

tut_status odd_marks_set(odd_marks *m, const tut_probe *p, const float **ret_row, size_t *ret_width,
                         tut_error *err)
{
    static const float zeros[WIDTH_MAX];
    const tut_sample *data = p->others ? p->others : p->members;
    const tut_target *t = p->target;
    size_t width = t->facts.width ? t->facts.width : data ? data->width : WIDTH;
    if (width > WIDTH_MAX && !(data && data->width == width))
        return tut_fail(err, TUT_UNSUPPORTED, "a row of the data is wanted for rows of %zu numbers",
                        width);
    const float *row = data && data->width == width ? data->rows : zeros;
    tut_buf_printf(&m->width, "%zu", width);
    for (size_t i = 0; i < width; i++)
        tut_buf_printf(&m->row, "%s%.9g", i > 0 ? "," : "", (double)row[i]);
    add_numbers(&m->large, width, "3.4e38");
    add_numbers(&m->small, width, "-1e-45");
    *ret_row = row;
    *ret_width = width;
    return tut_buf_check(&m->row, err);
}

/* --- writing --- */
static const tut_buf *mark_of(const odd_marks *m, char c)
{
    switch (c) {
    case 'N':
        return &m->name;
    case 'W':
        return &m->width;
    case 'D':
        return &m->row;
    case 'L':
        return &m->large;
    case 'S':
        return &m->small;
    case 'M':
        return &m->model;
    case 'H':
        return &m->head;
    case 'I':
        return &m->id;
    default:
        return NULL;
    }
}

static void expand(const odd_marks *m, tut_str text, tut_buf *to)
{
    for (size_t i = 0; i < text.len; i++) {
        const tut_buf *mark = text.data[i] == '@' && i + 1 < text.len ? mark_of(m, text.data[i + 1])
                                                                      : NULL;
        if (mark) {
            tut_buf_add_str(to, tut_buf_str(mark));
            i++;
        } else {
            tut_buf_add_byte(to, (uint8_t)text.data[i]);
        }
    }
}

void odd_input_write(const odd_input *input, const odd_marks *m, tut_buf *to)
{
    expand(m, input->head, to);
    for (size_t i = 0; i < input->times; i++)
        tut_buf_add_str(to, input->unit);
    expand(m, input->tail, to);
}
