#include "record/build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/utf8.h"

void bf_build_put(bf_build *build, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        build->failed = true;
}

void bf_build_add(bf_build *build, json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) != 0)
        build->failed = true;
}

json_t *bf_build_text(const char *text)
{
    BF_CLEANUP(bf_free_string) char *valid = bf_strdup(text);
    if (!valid)
        return NULL;
    for (unsigned char *at = (unsigned char *)valid; *at;) {
        size_t size = bf_utf8_size(at);
        if (size == 0)
            *at = '?';
        at += size > 0 ? size : 1;
    }
    return json_string(valid);
}

json_t *bf_build_text_or_null(const char *text)
{
    return text && text[0] ? bf_build_text(text) : json_null();
}

static json_t *rounded_real(bool significant, int digits, double value)
{
    char text[400];
    if (!isfinite(value))
        return json_null();
    /* By way of text, because that is what rounds a decimal number the way it will be printed. */
    (void)snprintf(text, sizeof text, significant ? "%.*g" : "%.*f", digits, value);
    double rounded = strtod(text, NULL);
    return json_real(rounded == 0.0 ? 0.0 : rounded); /* no negative zero */
}

json_t *bf_build_decimals(double value, int decimals)
{
    return rounded_real(false, decimals, value);
}

json_t *bf_build_digits(double value, int digits)
{
    return rounded_real(true, digits, value);
}

json_t *bf_build_point(bf_build *build, bf_point point)
{
    json_t *list = json_array();
    bf_build_add(build, list, bf_build_decimals((double)point.x, 1));
    bf_build_add(build, list, bf_build_decimals((double)point.y, 1));
    return list;
}

json_t *bf_build_rect(bf_build *build, bf_rect rect)
{
    json_t *list = json_array();
    const float side[4] = {rect.x0, rect.y0, rect.x1, rect.y1};
    for (int i = 0; i < 4; i++)
        bf_build_add(build, list, bf_build_decimals((double)side[i], 1));
    return list;
}
