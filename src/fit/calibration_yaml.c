/* Writing calibration/DETECTOR.yaml. */
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "evaluate/page.h"
#include "fit/calibration.h"

/* In quotes, and in the characters that every editor shows alike. */
static void put_text(bf_page *page, const char *key, const char *text)
{
    bf_page_put(page, "%s: \"", key);
    for (; *text; text++) {
        bool plain = *text >= ' ' && *text <= '~' && *text != '"' && *text != '\\';
        bf_page_put(page, "%c", plain ? *text : '?');
    }
    bf_page_put(page, "\"\n");
}

static void put_map(bf_page *page, const char *indent, const bf_calibration_map *map)
{
    if (map->knots == 0) {
        bf_page_put(page, "%splatt:\n%s  slope: %.9g\n%s  intercept: %.9g\n%s  prior_log_odds: %.9g\n", indent, indent,
                    map->slope, indent, map->intercept, indent, map->prior_log_odds);
        return;
    }
    bf_page_put(page, "%sknots:\n", indent);
    for (int k = 0; k < map->knots; k++)
        bf_page_put(page, "%s  - {raw: %.9g, llr: %.9g}\n", indent, map->knot[k].raw, map->knot[k].llr);
}

static void put_file(bf_page *page, const bf_calibrated *c, const char *dataset)
{
    const bf_calibration *fit = &c->fit;
    bf_page_put(page, "# Fitted by `bonafide calibrate`. Figures are in the report that was written with it.\n");
    bf_page_put(page, "format: 1\n");
    put_text(page, "detector", fit->detector);
    put_text(page, "version", fit->version);
    bf_page_put(page, "method: %s\nfitted_on:\n", bf_fit_method_name(c->chosen));
    put_text(page, "  detector_version", fit->detector_version);
    if (fit->model_sha256[0])
        bf_page_put(page, "  model_sha256: \"%s\"\n", fit->model_sha256);
    put_text(page, "  dataset", dataset);
    bf_page_put(page, "  live: %llu\n  attack: %llu\n", (unsigned long long)c->rows[0], (unsigned long long)c->rows[1]);
    put_map(page, "", &fit->map);
    bool first = true;
    for (int channel = 0; channel < BF_CHANNEL_COUNT; channel++) {
        if (!fit->has_channel[channel])
            continue;
        bf_page_put(page, "%s  %s:\n", first ? "by_channel:\n" : "", bf_channel_name((bf_channel)channel));
        put_map(page, "    ", &fit->by_channel[channel]);
        first = false;
    }
    bf_page_put(page, "llr:\n  min: %.9g\n  max: %.9g\n", fit->llr_min, fit->llr_max);
}

bf_status bf_calibration_write(bf_bytes *ret, const bf_calibrated *calibrated, const char *dataset, bf_error *err)
{
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    bf_calibration check;
    put_file(&page, calibrated, dataset);
    bf_status status = bf_page_take(&page, &bytes, err);
    if (status == BF_OK)
        status = bf_calibration_parse(bytes.data, bytes.size, calibrated->name, &check, err);
    if (status != BF_OK)
        return status;
    *ret = bytes;
    bytes = (bf_bytes){0};
    return BF_OK;
}
