#include "fit/boost.h"

#include <dlfcn.h>
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define LIBRARY "libxgboost.so.0"
#define MARGIN 1       /* option of XGBoosterPredict: log-odds */
#define AGREEMENT 1e-4 /* of sums of floats, taken in another order */

/* The part of xgboost/c_api.h that is used. Each function returns 0, or -1 with a text in XGBGetLastError. */
typedef struct xgboost {
    void *library;
    const char *(*error)(void);
    int (*matrix)(const float *data, uint64_t rows, uint64_t columns, float missing, void **ret);
    int (*matrix_free)(void *matrix);
    int (*set_floats)(void *matrix, const char *field, const float *values, uint64_t count);
    int (*create)(void *const matrices[], uint64_t count, void **ret);
    int (*booster_free)(void *booster);
    int (*set)(void *booster, const char *name, const char *value);
    int (*update)(void *booster, int round, void *matrix);
    int (*predict)(void *booster, void *matrix, int options, unsigned trees, int training, uint64_t *ret_count,
                   const float **ret);
    int (*dump)(void *booster, const char *names, int statistics, const char *format, uint64_t *ret_count,
                const char ***ret);
} xgboost;

static void unload(xgboost *x)
{
    if (x->library)
        (void)dlclose(x->library);
}

static bf_status load(xgboost *x, bf_error *err)
{
    const struct {
        const char *name;
        void *place;
    } wanted[] = {
        {"XGBGetLastError", &x->error},     {"XGDMatrixCreateFromMat", &x->matrix},
        {"XGDMatrixFree", &x->matrix_free}, {"XGDMatrixSetFloatInfo", &x->set_floats},
        {"XGBoosterCreate", &x->create},    {"XGBoosterFree", &x->booster_free},
        {"XGBoosterSetParam", &x->set},     {"XGBoosterUpdateOneIter", &x->update},
        {"XGBoosterPredict", &x->predict},  {"XGBoosterDumpModelEx", &x->dump},
    };
    x->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; x->library && i < sizeof wanted / sizeof *wanted; i++) {
        void *found = dlsym(x->library, wanted[i].name);
        if (!found) {
            unload(x);
            x->library = NULL;
        } else {
            memcpy(wanted[i].place, &found, sizeof found);
        }
    }
    if (x->library)
        return BF_OK;
    bf_fail(err, BF_MODEL_UNAVAILABLE, "Boosted trees are fitted by XGBoost, which is not installed.");
    bf_fail_hint(err,
                 "Install Debian's package libxgboost0, or leave this method out. What is fitted runs without it.");
    return BF_MODEL_UNAVAILABLE;
}

bf_status bf_boost_available(bf_error *err)
{
    BF_CLEANUP(unload) xgboost x = {0};
    return load(&x, err);
}

/* One fit: what XGBoost holds of it. */
typedef struct boosting {
    xgboost *x;
    void *matrix, *check, *booster;
} boosting;

static void boosting_done(boosting *b)
{
    if (b->booster)
        (void)b->x->booster_free(b->booster);
    if (b->matrix)
        (void)b->x->matrix_free(b->matrix);
    if (b->check)
        (void)b->x->matrix_free(b->check);
}

static bf_status judge(const xgboost *x, int result, bf_error *err)
{
    if (result == 0)
        return BF_OK;
    bf_fail(err, BF_INTERNAL, "XGBoost could not fit the trees.");
    bf_fail_detail(err, "%s", x->error());
    return BF_INTERNAL;
}

static bf_status make_matrix(const xgboost *x, const bf_boost_data *data, void **ret, bf_error *err)
{
    int result = x->matrix(data->x, data->rows, data->columns, NAN, ret);
    if (result == 0)
        result = x->set_floats(*ret, "label", data->target, data->rows);
    if (result == 0)
        result = x->set_floats(*ret, "weight", data->weight, data->rows);
    return judge(x, result, err);
}

/* Small and slow to learn: the tables that are fitted here hold hundreds of photos, not millions. */
static bf_status configure(const boosting *b, size_t columns, bf_error *err)
{
    static const char *const settings[][2] = {
        {"verbosity", "0"},    {"nthread", "1"},        {"seed", "1"},   {"objective", "binary:logistic"},
        {"eta", "0.2"},        {"tree_method", "hist"}, {"lambda", "5"}, {"min_child_weight", "3"},
        {"base_score", "0.5"},
    };
    char rising[2 * BF_BOOST_COLUMNS_MAX + 2] = "(1", depth[16];
    for (size_t i = 1; i < columns; i++)
        memcpy(rising + 2 * i, ",1", 3);
    rising[2 * columns] = ')';
    rising[2 * columns + 1] = '\0';
    (void)snprintf(depth, sizeof depth, "%d", BF_BOOST_DEPTH);
    int result = b->x->set(b->booster, "monotone_constraints", rising);
    if (result == 0)
        result = b->x->set(b->booster, "max_depth", depth);
    for (size_t i = 0; result == 0 && i < sizeof settings / sizeof *settings; i++)
        result = b->x->set(b->booster, settings[i][0], settings[i][1]);
    return judge(b->x, result, err);
}

static bf_status log_loss(const boosting *b, const bf_boost_data *check, double *ret, bf_error *err)
{
    uint64_t count = 0;
    const float *margin = NULL;
    bf_status status = judge(b->x, b->x->predict(b->booster, b->check, MARGIN, 0, 0, &count, &margin), err);
    double sum = 0;
    for (size_t i = 0; status == BF_OK && i < count && i < check->rows; i++) {
        double against = check->target[i] > 0.5F ? -(double)margin[i] : (double)margin[i];
        sum += (double)check->weight[i] * (fmax(against, 0) + log1p(exp(-fabs(against))));
    }
    *ret = sum;
    return status;
}

/* Adds trees, and says after how many of them it was best. */
static bf_status grow(const boosting *b, const bf_boost_data *check, size_t rounds, void *matrix, size_t *ret_best,
                      bf_error *err)
{
    bf_status status = BF_OK;
    double least = INFINITY, loss = 0;
    *ret_best = check ? 1 : rounds;
    for (size_t i = 0; status == BF_OK && i < rounds; i++) {
        status = judge(b->x, b->x->update(b->booster, (int)i, matrix), err);
        if (status == BF_OK && check)
            status = log_loss(b, check, &loss, err);
        if (check && loss < least) {
            least = loss;
            *ret_best = i + 1;
        }
    }
    return status;
}

/* The column that XGBoost calls "f0", "f1", ...; `columns` when it is none of them. */
static size_t column_of(const char *name, size_t columns)
{
    char expected[32];
    for (size_t c = 0; name && c < columns; c++) {
        (void)snprintf(expected, sizeof expected, "f%zu", c);
        if (strcmp(expected, name) == 0)
            return c;
    }
    return columns;
}

/* Reads one node of XGBoost's JSON and those below it; *ret_cover is the weight of what reached it. False when it is
 * not as expected. */
static bool read_node(const json_t *json, bf_boost_tree *tree, size_t columns, int *ret, double *ret_cover)
{
    const json_t *leaf = json_object_get(json, "leaf"), *children = json_object_get(json, "children");
    if (tree->nodes == BF_BOOST_NODES_MAX)
        return false;
    *ret = tree->nodes++;
    *ret_cover = json_number_value(json_object_get(json, "cover"));
    bf_boost_node *node = &tree->node[*ret];
    *node = (bf_boost_node){.column = -1, .value = json_number_value(leaf)};
    if (json_is_number(leaf))
        return true;
    const json_t *split = json_object_get(json, "split_condition");
    json_int_t yes = json_integer_value(json_object_get(json, "yes"));
    size_t column = column_of(json_string_value(json_object_get(json, "split")), columns);
    if (column == columns || !json_is_number(split) || json_array_size(children) != 2)
        return false;
    double cover[2] = {0};
    size_t first = json_integer_value(json_object_get(json_array_get(children, 0), "nodeid")) == yes ? 0 : 1;
    if (!read_node(json_array_get(children, first), tree, columns, &node->below, &cover[0]) ||
        !read_node(json_array_get(children, 1 - first), tree, columns, &node->above, &cover[1]))
        return false;
    node->column = (int)column;
    node->split = (double)(float)json_number_value(split); /* which is compared with floats that may equal it */
    node->absent_below = json_integer_value(json_object_get(json, "missing")) == yes;
    double below = tree->node[node->below].value, above = tree->node[node->above].value, all = cover[0] + cover[1];
    node->value = all > 0 ? (cover[0] * below + cover[1] * above) / all : (below + above) / 2;
    return true;
}

static bf_status read_trees(const boosting *b, size_t count, bf_boost *ret, bf_error *err)
{
    uint64_t dumped = 0;
    const char **text = NULL;
    bf_status status = judge(b->x, b->x->dump(b->booster, "", 1, "json", &dumped, &text), err);
    for (size_t i = 0; status == BF_OK && i < count && i < dumped; i++) {
        int root;
        double cover;
        json_t *json = json_loads(text[i], JSON_REJECT_DUPLICATES, NULL);
        if (!json || !read_node(json, &ret->tree[i], ret->columns, &root, &cover))
            status = bf_fail(err, BF_INTERNAL, "XGBoost wrote a tree that cannot be read.");
        json_decref(json);
        ret->trees = i + 1;
    }
    return status;
}

/* What was read must say of every row what XGBoost says of it: another version might mean something else. */
static bf_status verify(const boosting *b, const bf_boost_data *data, const bf_boost *boost, bf_error *err)
{
    uint64_t count = 0;
    const float *margin = NULL;
    bf_status status =
        judge(b->x, b->x->predict(b->booster, b->matrix, MARGIN, (unsigned)boost->trees, 0, &count, &margin), err);
    for (size_t i = 0; status == BF_OK && i < data->rows; i++) {
        double row[BF_BOOST_COLUMNS_MAX];
        for (size_t c = 0; c < data->columns; c++)
            row[c] = (double)data->x[i * data->columns + c];
        if (i >= count || !(fabs(bf_boost_log_odds(boost, row) - (double)margin[i]) < AGREEMENT))
            status = bf_fail(err, BF_INTERNAL, "The trees that XGBoost wrote are not those that it predicts by.");
    }
    return status;
}

bf_status bf_boost_fit(bf_boost *ret, const bf_boost_data *data, const bf_boost_data *check, size_t rounds,
                       bf_error *err)
{
    BF_CLEANUP(unload) xgboost x = {0};
    bf_status status = load(&x, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(boosting_done) boosting b = {.x = &x};
    size_t best = 0;
    *ret = (bf_boost){.columns = data->columns};
    status = make_matrix(&x, data, &b.matrix, err);
    if (status == BF_OK && check)
        status = make_matrix(&x, check, &b.check, err);
    if (status == BF_OK)
        status = judge(&x, x.create(&b.matrix, 1, &b.booster), err);
    if (status == BF_OK)
        status = configure(&b, data->columns, err);
    if (status == BF_OK)
        status = grow(&b, check, rounds, b.matrix, &best, err);
    if (status == BF_OK)
        status = read_trees(&b, best, ret, err);
    return status == BF_OK ? verify(&b, data, ret, err) : status;
}

double bf_boost_log_odds(const bf_boost *boost, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < boost->trees; i++) {
        const bf_boost_node *node = &boost->tree[i].node[0];
        while (node->column >= 0) {
            double value = x[node->column];
            bool below = isnan(value) ? node->absent_below : value < node->split;
            node = &boost->tree[i].node[below ? node->below : node->above];
        }
        sum += node->value;
    }
    return sum;
}
