#include "dataset/row.h"

#include <string.h>

#include "base/yaml.h"
#include "bonafide/words.h"
#include "dataset/instant.h"
#include "policy/policy.h"

#define PATH_BYTES_MAX 2000

static const char *const REVIEWS[] = {"confirmed", "uncertain", "disputed", "excluded", NULL};
static const char *const LABELS[] = {"live", "spoof", "bona_fide", "attack", NULL};

const char *bf_label_name(bf_label label)
{
    return label == BF_LABEL_LIVE ? "live" : "spoof";
}

bool bf_label_parse(const char *text, bf_label *ret, const char **ret_type)
{
    size_t size = strcspn(text, "/");
    for (int i = 0; LABELS[i]; i++) {
        if (strlen(LABELS[i]) != size || memcmp(LABELS[i], text, size) != 0)
            continue;
        bf_label label = i % 2 == 0 ? BF_LABEL_LIVE : BF_LABEL_SPOOF;
        const char *type = text[size] == '/' ? text + size + 1 : NULL;
        if (type && (label == BF_LABEL_LIVE || type[0] == '\0'))
            return false;
        *ret = label;
        *ret_type = type;
        return true;
    }
    return false;
}

bool bf_path_inside(const char *path)
{
    if (path[0] == '/')
        return false;
    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return false;
    }
    return true;
}

static bool is_among(const char *word, const char *const words[])
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0)
            return true;
    }
    return false;
}

static void error_word(bf_problems *problems, const bf_sample *sample, const char *column, const char *word,
                       const char *const words[], const char *list)
{
    const char *nearest = bf_nearest_word(word, words);
    if (nearest)
        bf_problems_error(problems, sample->row, "%s '%.80s' is none; did you mean '%s'?", column, word, nearest);
    else
        bf_problems_error(problems, sample->row, "%s '%.80s' is none; write %s.", column, word, list);
}

static bool is_printable(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    }
    return true;
}

static bool check_texts(const bf_sample *sample, bf_problems *problems)
{
    for (int i = 0; i < BF_COLUMN_COUNT; i++) {
        bool path = i == BF_COLUMN_PATH || i == BF_COLUMN_REFERENCE;
        size_t max = path ? PATH_BYTES_MAX : BF_DATASET_NAME_BYTES_MAX;
        const char *name = bf_dataset_column_name((bf_dataset_column)i);
        if (!is_printable(sample->value[i])) {
            bf_problems_error(problems, sample->row, "%s holds a control character; take it out.", name);
            return false;
        }
        if (i != BF_COLUMN_SOURCE && i != BF_COLUMN_LICENCE && strlen(sample->value[i]) > max) {
            bf_problems_error(problems, sample->row, "%s is longer than %zu bytes.", name, max);
            return false;
        }
    }
    return true;
}

static bool set(bf_dataset *dataset, bf_sample *sample, bf_dataset_column column, const char *text,
                bf_problems *problems)
{
    const char *kept = bf_texts_keep(&dataset->texts, text, strlen(text));
    if (!kept) {
        problems->incomplete = true;
        return false;
    }
    sample->value[column] = kept;
    return true;
}

static bool check_path(bf_dataset *dataset, bf_sample *sample, bf_problems *problems)
{
    const char *path = sample->value[BF_COLUMN_PATH], *reference = sample->value[BF_COLUMN_REFERENCE];
    if (path[0] == '\0') {
        bf_problems_error(problems, sample->row, "path is empty; name the file.");
        return false;
    }
    if (!bf_path_inside(path) || !bf_path_inside(reference)) {
        bf_problems_error(problems, sample->row,
                          "'%.200s' leaves the dataset's folder; write a path below it, or give another folder with "
                          "--root.",
                          bf_path_inside(path) ? reference : path);
        return false;
    }
    if (!dataset->has[BF_COLUMN_SAMPLE_ID])
        return set(dataset, sample, BF_COLUMN_SAMPLE_ID, path, problems);
    if (sample->value[BF_COLUMN_SAMPLE_ID][0] == '\0') {
        bf_problems_error(problems, sample->row, "sample_id is empty; give every sample a name of its own.");
        return false;
    }
    return true;
}

static bool check_label(bf_dataset *dataset, bf_sample *sample, bf_problems *problems)
{
    const char *text = sample->value[BF_COLUMN_LABEL], *type = NULL;
    if (!bf_label_parse(text, &sample->label, &type)) {
        error_word(problems, sample, "label", text, LABELS, "live or spoof");
        return false;
    }
    if (sample->label == BF_LABEL_LIVE &&
        (sample->value[BF_COLUMN_ATTACK_TYPE][0] || sample->value[BF_COLUMN_ATTACK_FAMILY][0])) {
        bf_problems_error(problems, sample->row,
                          "a live sample has an attack; clear attack_type and attack_family, or "
                          "make the label spoof.");
        return false;
    }
    if (type && sample->value[BF_COLUMN_ATTACK_TYPE][0] == '\0' &&
        !set(dataset, sample, BF_COLUMN_ATTACK_TYPE, type, problems))
        return false;
    if (sample->label == BF_LABEL_SPOOF && sample->value[BF_COLUMN_ATTACK_TYPE][0] == '\0')
        bf_problems_warn(problems, sample->row, "attack_type is empty; its species is told as '(not stated)'.");
    return set(dataset, sample, BF_COLUMN_LABEL, bf_label_name(sample->label), problems);
}

static bool check_review(bf_dataset *dataset, bf_sample *sample, bf_problems *problems)
{
    const char *text = sample->value[BF_COLUMN_REVIEW_STATUS];
    if (text[0] == '\0')
        return set(dataset, sample, BF_COLUMN_REVIEW_STATUS, REVIEWS[0], problems);
    if (is_among(text, REVIEWS))
        return true;
    error_word(problems, sample, "review_status", text, REVIEWS, "confirmed, uncertain, disputed or excluded");
    return false;
}

static bool check_hash(bf_dataset *dataset, bf_sample *sample, bf_problems *problems)
{
    const char *text = sample->value[BF_COLUMN_SHA256];
    char lower[BF_SHA256_HEX_SIZE];
    if (text[0] == '\0')
        return true;
    size_t size = strlen(text);
    if (size != sizeof lower - 1 || strspn(text, "0123456789abcdefABCDEF") != size) {
        bf_problems_error(problems, sample->row, "sha256 is no hash of 64 digits; correct it, or leave it empty.");
        return false;
    }
    for (size_t i = 0; i <= size; i++)
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + ('a' - 'A') : text[i]);
    return set(dataset, sample, BF_COLUMN_SHA256, lower, problems);
}

static bool check_rest(bf_sample *sample, bf_problems *problems)
{
    const char *channel = sample->value[BF_COLUMN_CHANNEL], *captured = sample->value[BF_COLUMN_CAPTURED_AT];
    bf_channel known;
    if (channel[0] && !bf_channel_from_name(channel, &known))
        bf_problems_warn(problems, sample->row,
                         "channel '%.80s' is not one that policies know (android_app, ios_app, mobile_web, "
                         "desktop_web, kiosk); it is judged as unspecified.",
                         channel);
    if (captured[0] && !bf_instant_parse(captured, &sample->captured_s)) {
        bf_problems_error(problems, sample->row, "captured_at '%.80s' is no time; write 2026-03-01T12:30:00Z.",
                          captured);
        return false;
    }
    return true;
}

bool bf_row_check(bf_dataset *dataset, bf_sample *sample, bf_problems *problems)
{
    /* Each check runs, so that one pass names everything. */
    bool good = check_texts(sample, problems);
    good = check_path(dataset, sample, problems) && good;
    good = check_label(dataset, sample, problems) && good;
    good = check_review(dataset, sample, problems) && good;
    good = check_hash(dataset, sample, problems) && good;
    return check_rest(sample, problems) && good;
}
