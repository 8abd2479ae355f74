/* The axes of the attack, each read of its own table. */
#include "probe/injection_internal.h"

#define SAYS(en, de, fr, es)                                                                       \
    {                                                                                              \
        en, de, fr, es                                                                             \
    }

static const tut_injection_goal goals[] = {
#define GOAL(symbol, fact, tool, en, de, fr, es)                                                   \
    {#symbol, TUT_FACT_##fact, tool, SAYS(en, de, fr, es)},
#include "probe/injection_goals.def"
#undef GOAL
};

static const struct {
    const char *name;
    tut_injection_said text;
} templates[] =
    {
#define TEMPLATE(symbol, source, en, de, fr, es) {#symbol, SAYS(en, de, fr, es)},
#include "probe/injection_templates.def"
#undef TEMPLATE
},
  framings[] = {
#define FRAMING(symbol, en, de, fr, es) {#symbol, SAYS(en, de, fr, es)},
#include "probe/injection_framings.def"
#undef FRAMING
};

static const tut_injection_carrier carriers[] = {
#define CARRIER(symbol, place, begin, end, form)                                                   \
    {#symbol, TUT_PLACE_##place, begin, end, TUT_FORM_##form},
#include "probe/injection_carriers.def"
#undef CARRIER
};

static const tut_injection_encoding encodings[] = {
#define ENCODING(symbol, way, lead) {#symbol, TUT_WAY_##way, lead},
#include "probe/injection_encodings.def"
#undef ENCODING
};

static const struct {
    const char *name;
    size_t member;
} languages[] = {
#define LANGUAGE(symbol, member) {#symbol, offsetof(tut_injection_said, member)},
#include "probe/injection_languages.def"
#undef LANGUAGE
};

static const char *const wordings[] = {"as_is", "synonym"};
static const char *const positions[] = {"before", "amid", "behind"};
static const char *const paddings[] = {"none", "some", "much"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const axis_names[] = {
#define AXIS(symbol, name) name,
#include "probe/injection_axes.def"
#undef AXIS
};
static const size_t axis_sizes[] = {
    [TUT_AXIS_GOAL] = COUNT(goals),         [TUT_AXIS_TEMPLATE] = COUNT(templates),
    [TUT_AXIS_CARRIER] = COUNT(carriers),   [TUT_AXIS_ENCODING] = COUNT(encodings),
    [TUT_AXIS_LANGUAGE] = COUNT(languages), [TUT_AXIS_FRAMING] = COUNT(framings),
    [TUT_AXIS_WORDING] = COUNT(wordings),   [TUT_AXIS_POSITION] = COUNT(positions),
    [TUT_AXIS_PADDING] = COUNT(paddings),
};

const char *tut_axis_name(tut_injection_axis axis)
{
    return axis_names[axis];
}

size_t tut_axis_size(tut_injection_axis axis)
{
    return axis_sizes[axis];
}

const char *tut_axis_value(tut_injection_axis axis, size_t value)
{
    switch (axis) {
    case TUT_AXIS_GOAL:
        return goals[value].name;
    case TUT_AXIS_TEMPLATE:
        return templates[value].name;
    case TUT_AXIS_CARRIER:
        return carriers[value].name;
    case TUT_AXIS_ENCODING:
        return encodings[value].name;
    case TUT_AXIS_LANGUAGE:
        return languages[value].name;
    case TUT_AXIS_FRAMING:
        return framings[value].name;
    case TUT_AXIS_WORDING:
        return wordings[value];
    case TUT_AXIS_POSITION:
        return positions[value];
    case TUT_AXIS_PADDING:
        return paddings[value];
    case TUT_AXIS_COUNT:
        break;
    }
    return "";
}

const tut_injection_goal *tut_injection_goal_at(size_t i)
{
    return &goals[i];
}

const tut_injection_carrier *tut_injection_carrier_at(size_t i)
{
    return &carriers[i];
}

const tut_injection_encoding *tut_injection_encoding_at(size_t i)
{
    return &encodings[i];
}

const char *tut_injection_say(const tut_injection_said *said, size_t language)
{
    return *(const char *const *)((const char *)said + languages[language].member);
}

const char *tut_injection_template_at(size_t i, size_t language)
{
    return tut_injection_say(&templates[i].text, language);
}

const char *tut_injection_framing_at(size_t i, size_t language)
{
    return tut_injection_say(&framings[i].text, language);
}
