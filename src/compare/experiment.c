#include "compare/experiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define FORMAT 1
#define COUNT_MAX 1000000000
#define MS_MAX 1e6
#define NUMBER_MAX 100.0 /* of Cllr and the like */
#define THRESHOLD_DEFAULT 80.0
#define BAND_DEFAULT 50.0
#define MARGIN_DEFAULT 0.01
#define LEAST_DEFAULT 30
#define PERSONS_DEFAULT 20

static void add_default(bf_experiment *e, bf_metric_kind kind, bool primary)
{
    e->metric[e->metrics++] = (bf_metric){.kind = kind};
    if (!primary)
        return;
    e->criterion[e->criteria++] = (bf_criterion){.metric = {.kind = kind}, .margin = MARGIN_DEFAULT};
    e->primary++;
}

void bf_experiment_default(bf_experiment *ret)
{
    static const bf_metric_kind secondary[] = {BF_METRIC_BPCER100, BF_METRIC_EER,  BF_METRIC_AUC,  BF_METRIC_APNRR,
                                               BF_METRIC_BPNRR,    BF_METRIC_CLLR, BF_METRIC_BRIER};
    *ret = (bf_experiment){.id = "defaults",
                           .threshold = {THRESHOLD_DEFAULT, THRESHOLD_DEFAULT},
                           .band = {BAND_DEFAULT, THRESHOLD_DEFAULT},
                           .bands = 2,
                           .confidence = 0.95,
                           .bona_fide_least = LEAST_DEFAULT,
                           .attacks_least = LEAST_DEFAULT,
                           .persons_least = PERSONS_DEFAULT,
                           .segment_least = LEAST_DEFAULT};
    add_default(ret, BF_METRIC_MAX_APCER, true);
    add_default(ret, BF_METRIC_BPCER, true);
    for (size_t i = 0; i < sizeof secondary / sizeof *secondary; i++)
        add_default(ret, secondary[i], false);
}

/* Where the parts of a document go. */
typedef struct parsing {
    const bf_yaml *doc;
    const bf_yaml_node *root;
    bf_experiment *e;
} parsing;

static bf_status parse_text(const parsing *p, const char *key, char ret[BF_EXPERIMENT_TEXT_MAX], bf_error *err)
{
    const char *text = NULL;
    bf_status status = bf_yaml_string(p->doc, p->root, key, true, &text, err);
    if (status != BF_OK)
        return status;
    if (text[0] == '\0' || strlen(text) >= BF_EXPERIMENT_TEXT_MAX)
        return bf_yaml_fail(p->doc, bf_yaml_get(p->root, key), err, "%s must have 1 to %d bytes.", key,
                            BF_EXPERIMENT_TEXT_MAX - 1);
    (void)snprintf(ret, BF_EXPERIMENT_TEXT_MAX, "%s", text);
    return BF_OK;
}

static bf_status parse_metric(const parsing *p, const bf_yaml_node *node, bf_metric *ret, bf_error *err)
{
    const char *problem = NULL;
    if (node->kind != BF_YAML_SCALAR)
        return bf_yaml_fail(p->doc, node, err, "the name of a metric is expected.");
    if (bf_metric_parse(node->scalar, ret, &problem))
        return BF_OK;
    char word[BF_METRIC_TEXT_MAX];
    (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(node->scalar, "("), node->scalar);
    const char *nearest = bf_nearest_word(word, BF_METRIC_NAMES);
    bool unknown = nearest && strcmp(nearest, word) != 0;
    return bf_yaml_fail(p->doc, node, err, "'%.60s' %s%s%s%s.", node->scalar, problem,
                        unknown ? "; did you mean '" : "", unknown ? nearest : "", unknown ? "'?" : "");
}

static bf_status parse_metric_list(const parsing *p, const bf_yaml_node *map, const char *key, bf_error *err)
{
    const bf_yaml_node *list = bf_yaml_get(map, key);
    bf_experiment *e = p->e;
    if (!list)
        return BF_OK;
    if (list->kind != BF_YAML_LIST)
        return bf_yaml_fail(p->doc, list, err, "%s must be a list of metrics.", key);
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        bf_metric metric;
        bf_status status = parse_metric(p, node, &metric, err);
        if (status != BF_OK)
            return status;
        for (size_t m = 0; m < e->metrics; m++) {
            if (bf_metric_equal(&e->metric[m], &metric))
                return bf_yaml_fail(p->doc, node, err, "'%.60s' is named already.", node->scalar);
        }
        if (e->metrics == BF_EXPERIMENT_METRICS_MAX)
            return bf_yaml_fail(p->doc, node, err, "there can be %d metrics at most.", BF_EXPERIMENT_METRICS_MAX);
        e->metric[e->metrics++] = metric;
    }
    return BF_OK;
}

static bf_status parse_metrics(const parsing *p, bf_error *err)
{
    static const char *const keys[] = {"primary", "secondary", NULL};
    const bf_yaml_node *map = bf_yaml_get(p->root, "metrics");
    if (!map)
        return bf_yaml_fail(p->doc, p->root, err, "the key 'metrics' is missing.");
    bf_status status = bf_yaml_check_keys(p->doc, map, keys, err);
    if (status == BF_OK)
        status = parse_metric_list(p, map, "primary", err);
    p->e->primary = p->e->metrics;
    if (status == BF_OK && p->e->primary == 0)
        status = bf_yaml_fail(p->doc, map, err, "there must be a primary metric.");
    return status == BF_OK ? parse_metric_list(p, map, "secondary", err) : status;
}

/* The largest margin that says anything. */
static double margin_max(const bf_metric *metric)
{
    bf_metric_unit unit = bf_metric_unit_of(metric->kind);
    return unit == BF_UNIT_MS ? MS_MAX : unit == BF_UNIT_NUMBER ? NUMBER_MAX : 1;
}

static bf_status parse_by(const parsing *p, const bf_yaml_node *map, bf_criterion *c, bf_error *err)
{
    static const char *const names[] = {"bound", "estimate", NULL};
    int by = 0;
    bf_status status = bf_yaml_choice(p->doc, map, "by", false, names, &by, err);
    c->by_estimate = by == 1;
    return status;
}

static bf_status add_criterion(const parsing *p, const bf_yaml_node *node, const bf_criterion *c, bf_error *err)
{
    bf_experiment *e = p->e;
    if (e->criteria == BF_EXPERIMENT_CRITERIA_MAX)
        return bf_yaml_fail(p->doc, node, err, "there can be %d criteria at most.", BF_EXPERIMENT_CRITERIA_MAX);
    e->criterion[e->criteria] = *c;
    e->criterion[e->criteria++].line = node->line;
    return BF_OK;
}

static bf_status parse_metric_of(const parsing *p, const bf_yaml_node *map, bf_metric *ret, bf_error *err)
{
    const bf_yaml_node *node = bf_yaml_get(map, "metric");
    return node ? parse_metric(p, node, ret, err) : bf_yaml_fail(p->doc, map, err, "the key 'metric' is missing.");
}

static bf_status parse_criterion(const parsing *p, const bf_yaml_node *map, bf_error *err)
{
    static const char *const keys[] = {"metric", "non_inferior", "superior", "by", NULL};
    bf_criterion c = {0};
    bf_status status = bf_yaml_check_keys(p->doc, map, keys, err);
    if (status == BF_OK)
        status = parse_metric_of(p, map, &c.metric, err);
    if (status != BF_OK)
        return status;
    bool superior = bf_yaml_get(map, "superior") != NULL;
    if (superior == (bf_yaml_get(map, "non_inferior") != NULL))
        return bf_yaml_fail(p->doc, map, err, "a criterion has either non_inferior or superior.");
    c.rule = superior ? BF_RULE_SUPERIOR : BF_RULE_NON_INFERIOR;
    status = bf_yaml_number(p->doc, map, superior ? "superior" : "non_inferior", true, 0, margin_max(&c.metric),
                            &c.margin, err);
    if (status == BF_OK)
        status = parse_by(p, map, &c, err);
    return status == BF_OK ? add_criterion(p, map, &c, err) : status;
}

/* "COLUMN=VALUE". */
static bf_status parse_segment(const parsing *p, const bf_yaml_node *map, bf_criterion *c, bf_error *err)
{
    const char *text = NULL;
    bf_status status = bf_yaml_string(p->doc, map, "segment", true, &text, err);
    if (status != BF_OK)
        return status;
    const bf_yaml_node *node = bf_yaml_get(map, "segment");
    size_t name = strcspn(text, "=");
    int s = 0;
    while (s < BF_SEGMENTS && (strlen(bf_segment_column((bf_segment)s)) != name ||
                               strncmp(bf_segment_column((bf_segment)s), text, name) != 0))
        s++;
    if (s == BF_SEGMENTS || text[name] != '=')
        return bf_yaml_fail(p->doc, node, err,
                            "'%.60s' is no segment: write COLUMN=VALUE with platform, device_class, channel, "
                            "capture_type, lighting_bucket, quality_bucket, face_iod_px, person_group or source.",
                            text);
    if (strlen(text + name + 1) >= BF_EXPERIMENT_VALUE_MAX)
        return bf_yaml_fail(p->doc, node, err, "the value of a segment has %d bytes at most.",
                            BF_EXPERIMENT_VALUE_MAX - 1);
    c->in_segment = true;
    c->column = (bf_segment)s;
    (void)snprintf(c->value, sizeof c->value, "%s", text + name + 1);
    return BF_OK;
}

static bf_status parse_protected(const parsing *p, const bf_yaml_node *map, bf_error *err)
{
    static const char *const keys[] = {"segment", "metric", "margin", "by", NULL};
    bf_criterion c = {0};
    bf_status status = bf_yaml_check_keys(p->doc, map, keys, err);
    if (status == BF_OK)
        status = parse_segment(p, map, &c, err);
    if (status == BF_OK)
        status = parse_metric_of(p, map, &c.metric, err);
    if (status == BF_OK)
        status = bf_yaml_number(p->doc, map, "margin", true, 0, margin_max(&c.metric), &c.margin, err);
    if (status == BF_OK)
        status = parse_by(p, map, &c, err);
    return status == BF_OK ? add_criterion(p, map, &c, err) : status;
}

static bf_status parse_list(const parsing *p, const char *key, bool required,
                            bf_status (*parse)(const parsing *, const bf_yaml_node *, bf_error *), bf_error *err)
{
    const bf_yaml_node *list = bf_yaml_get(p->root, key);
    bf_status status = BF_OK;
    if (!list)
        return required ? bf_yaml_fail(p->doc, p->root, err, "the key '%s' is missing.", key) : BF_OK;
    if (list->kind != BF_YAML_LIST || !list->child)
        return bf_yaml_fail(p->doc, list, err, "%s must be a list with something in it.", key);
    for (const bf_yaml_node *node = list->child; status == BF_OK && node; node = node->next)
        status = parse(p, node, err);
    return status;
}

static bf_status check_primary(const parsing *p, bf_error *err)
{
    const bf_experiment *e = p->e;
    for (size_t m = 0; m < e->primary; m++) {
        size_t c = 0;
        while (c < e->criteria &&
               (e->criterion[c].in_segment || !bf_metric_equal(&e->criterion[c].metric, &e->metric[m])))
            c++;
        char name[BF_METRIC_TEXT_MAX];
        bf_metric_text(&e->metric[m], name);
        if (c == e->criteria)
            return bf_yaml_fail(p->doc, bf_yaml_get(p->root, "metrics"), err,
                                "the primary metric %s has no criterion; give it one, or make it secondary.", name);
    }
    return BF_OK;
}

static bf_status parse_thresholds(const parsing *p, bf_error *err)
{
    static const char *const keys[] = {"a", "b", NULL};
    const bf_yaml_node *map = bf_yaml_get(p->root, "thresholds");
    if (!map)
        return BF_OK;
    bf_status status = bf_yaml_check_keys(p->doc, map, keys, err);
    for (int t = 0; status == BF_OK && t < 2; t++)
        status = bf_yaml_number(p->doc, map, keys[t], false, 0, BF_SCORE_TOP, &p->e->threshold[t], err);
    return status;
}

/* The bands; by default 50 and the threshold of A. */
static bf_status parse_bands(const parsing *p, bf_error *err)
{
    bf_experiment *e = p->e;
    const bf_yaml_node *list = bf_yaml_get(p->root, "bands");
    if (!list) {
        e->bands = 0;
        if (e->threshold[0] > BAND_DEFAULT)
            e->band[e->bands++] = BAND_DEFAULT;
        e->band[e->bands++] = e->threshold[0];
        return BF_OK;
    }
    if (list->kind != BF_YAML_LIST || list->child_count == 0 || list->child_count > BF_EXPERIMENT_BANDS_MAX)
        return bf_yaml_fail(p->doc, list, err, "bands must be a list of 1 to %d thresholds.", BF_EXPERIMENT_BANDS_MAX);
    e->bands = 0;
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        bf_status status = bf_yaml_node_number(p->doc, node, 0, BF_SCORE_TOP, &e->band[e->bands], err);
        if (status != BF_OK)
            return status;
        if (e->bands > 0 && e->band[e->bands] <= e->band[e->bands - 1])
            return bf_yaml_fail(p->doc, node, err, "bands must rise.");
        e->bands++;
    }
    return BF_OK;
}

static bf_status parse_beside(const parsing *p, bf_error *err)
{
    bf_experiment *e = p->e;
    const bf_yaml_node *list = bf_yaml_get(p->root, "beside");
    if (!list)
        return BF_OK;
    if (list->kind != BF_YAML_LIST || list->child_count > BF_EXPERIMENT_BESIDE_MAX)
        return bf_yaml_fail(p->doc, list, err, "beside must be a list of at most %d species.",
                            BF_EXPERIMENT_BESIDE_MAX);
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        if (node->kind != BF_YAML_SCALAR || node->scalar[0] == '\0' || strlen(node->scalar) >= BF_EXPERIMENT_VALUE_MAX)
            return bf_yaml_fail(p->doc, node, err, "the name of a species is expected.");
        (void)snprintf(e->beside[e->besides++], BF_EXPERIMENT_VALUE_MAX, "%s", node->scalar);
    }
    return BF_OK;
}

static bf_status parse_minimum(const parsing *p, bf_error *err)
{
    static const char *const keys[] = {"bona_fide", "attacks_per_species", "persons", "segment", NULL};
    bf_experiment *e = p->e;
    uint64_t *const counts[] = {&e->bona_fide_least, &e->attacks_least, &e->persons_least, &e->segment_least};
    const bf_yaml_node *map = bf_yaml_get(p->root, "minimum");
    if (!map)
        return BF_OK;
    bf_status status = bf_yaml_check_keys(p->doc, map, keys, err);
    for (int i = 0; status == BF_OK && keys[i]; i++) {
        int64_t count = (int64_t)*counts[i];
        /* Of one person nothing can be drawn. */
        status = bf_yaml_integer(p->doc, map, keys[i], false, counts[i] == &e->persons_least ? 2 : 1, COUNT_MAX, &count,
                                 err);
        *counts[i] = (uint64_t)count;
    }
    return status;
}

static bf_status parse_root(const parsing *p, const void *yaml, size_t size, bf_error *err)
{
    static const char *const keys[] = {
        "format", "name",    "version",  "objective",          "hypothesis", "thresholds", "bands",
        "beside", "metrics", "criteria", "protected_segments", "minimum",    "confidence", NULL};
    bf_experiment *e = p->e;
    char name[BF_NAME_MAX], version[BF_NAME_MAX];
    bf_status status = bf_yaml_check_keys(p->doc, p->root, keys, err);
    if (status == BF_OK)
        status = bf_config_format(p->doc, p->root, FORMAT, err);
    if (status == BF_OK)
        status = bf_config_name(p->doc, p->root, "name", name, err);
    if (status == BF_OK)
        status = bf_config_name(p->doc, p->root, "version", version, err);
    if (status == BF_OK)
        bf_config_id(name, version, yaml, size, e->id);
    if (status == BF_OK)
        status = parse_text(p, "objective", e->objective, err);
    if (status == BF_OK)
        status = parse_text(p, "hypothesis", e->hypothesis, err);
    if (status == BF_OK)
        status = parse_thresholds(p, err);
    if (status == BF_OK)
        status = parse_bands(p, err);
    if (status == BF_OK)
        status = parse_beside(p, err);
    if (status == BF_OK)
        status = parse_metrics(p, err);
    if (status == BF_OK)
        status = parse_list(p, "criteria", true, parse_criterion, err);
    if (status == BF_OK)
        status = parse_list(p, "protected_segments", false, parse_protected, err);
    if (status == BF_OK)
        status = check_primary(p, err);
    if (status == BF_OK)
        status = parse_minimum(p, err);
    return status == BF_OK ? bf_yaml_number(p->doc, p->root, "confidence", false, 0.8, 0.99, &e->confidence, err)
                           : status;
}

bf_status bf_experiment_parse(const void *yaml, size_t size, const char *name, bf_experiment *ret, bf_error *err)
{
    BF_CLEANUP(bf_yaml_free) bf_yaml *doc = NULL;
    bf_experiment e;
    bf_status status = bf_yaml_parse(yaml, size, name, &doc, err);
    if (status != BF_OK)
        return status;
    bf_experiment_default(&e);
    e.metrics = e.primary = e.criteria = 0;
    (void)snprintf(e.file, sizeof e.file, "%s", name);
    const parsing p = {doc, bf_yaml_root(doc), &e};
    status = parse_root(&p, yaml, size, err);
    if (status == BF_OK)
        *ret = e;
    return status;
}

bf_status bf_experiment_read(const char *path, bf_experiment *ret, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    bf_status status = bf_bytes_read_file(&bytes, path, BF_YAML_BYTES_MAX, err);
    if (status == BF_IMAGE_TOO_LARGE) /* the reader speaks of pictures */
        return bf_fail(err, BF_CONFIG_INVALID, "%s:1: the file is larger than %u bytes.", path, BF_YAML_BYTES_MAX);
    return status == BF_OK ? bf_experiment_parse(bytes.data, bytes.size, path, ret, err) : status;
}

bool bf_experiment_protects(const bf_experiment *e, bf_segment column, const char *value)
{
    for (size_t c = 0; c < e->criteria; c++) {
        const bf_criterion *criterion = &e->criterion[c];
        if (criterion->in_segment && criterion->column == column &&
            (strcmp(criterion->value, "*") == 0 || strcmp(criterion->value, value) == 0))
            return true;
    }
    return false;
}

void bf_criterion_text(const bf_criterion *c, char *ret, size_t ret_size)
{
    char name[BF_METRIC_TEXT_MAX], amount[48];
    bf_metric_unit unit = bf_metric_unit_of(c->metric.kind);
    bf_metric_text(&c->metric, name);
    if (unit == BF_UNIT_SHARE)
        (void)snprintf(amount, sizeof amount, "%.4g percentage point%s", 100 * c->margin,
                       c->margin == 0.01 ? "" : "s"); /* NOLINT(clang-diagnostic-float-equal): as it was written */
    else
        (void)snprintf(amount, sizeof amount, "%.4g%s", c->margin, unit == BF_UNIT_MS ? " ms" : "");
    const char *rule = c->rule == BF_RULE_NON_INFERIOR ? (c->margin > 0 ? "not worse by more than " : "not worse")
                       : c->margin > 0                 ? "better by at least "
                                                       : "better";
    (void)snprintf(ret, ret_size, "%s%s%s%s%s: %s%s%s", name, c->in_segment ? " where " : "",
                   c->in_segment ? bf_segment_column(c->column) : "", c->in_segment ? " is " : "",
                   c->in_segment ? c->value : "", rule, c->margin > 0 ? amount : "",
                   c->by_estimate ? ", by the figures alone" : "");
}
