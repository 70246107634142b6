/* Writes a policy in words: thresholds per channel, rules in order, and the decision table. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/words.h"
#include "bonafide/policy.h"
#include "policy/rules.h"

#define LINE_SIZE 1024
#define CELL_SIZE 48
#define WRAP_COLUMNS 100
#define LABEL_COLUMNS 29
#define CHANNEL_COLUMNS 14

typedef struct sink {
    bf_policy_write write;
    void *context;
} sink;

static void say(const sink *out, const char *format, ...) BF_PRINTF(2, 3);

static void say(const sink *out, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    out->write(out->context, line);
}

/* Breaks a text into indented lines between words. */
static void say_wrapped(const sink *out, const char *text)
{
    while (*text) {
        size_t length = strlen(text), cut = length;
        if (length > WRAP_COLUMNS) {
            cut = WRAP_COLUMNS;
            while (cut > 0 && text[cut] != ' ')
                cut--;
            cut = cut > 0 ? cut : WRAP_COLUMNS;
        }
        say(out, "  %.*s\n", (int)cut, text);
        text += cut;
        text += strspn(text, " \n");
    }
}

/* What one setting is on one channel, as text. */
typedef void setting_fn(const bf_policy_settings *settings, int index, char ret[CELL_SIZE]);

/* One row: the setting on every channel, or once when it is the same on all. */
static void say_setting(const sink *out, const bf_policy *policy, const char *label, setting_fn *show, int index)
{
    char cell[BF_CHANNEL_COUNT][CELL_SIZE];
    bool same = true;
    for (int i = 0; i < BF_CHANNEL_COUNT; i++) {
        show(&policy->settings[i], index, cell[i]);
        same = same && strcmp(cell[i], cell[0]) == 0;
    }
    say(out, "  %-*s", LABEL_COLUMNS, label);
    for (int i = 0; i < (same ? 1 : BF_CHANNEL_COUNT); i++)
        say(out, " %-*s", i + 1 < (same ? 1 : BF_CHANNEL_COUNT) ? CHANNEL_COLUMNS : 0, cell[i]);
    say(out, "\n");
}

enum {
    SHOW_PASS,
    SHOW_UNCERTAIN,
    SHOW_REQUIRED,
    SHOW_STRONG,
    SHOW_WEAK,
    SHOW_CAP,
    SHOW_UNCERTAIN_CAP,
    SHOW_ESCALATE,
    SHOW_DOCUMENT,
    SHOW_FAILURES,
    SHOW_KILL_SWITCH,
    SHOW_PATTERN,
    SHOW_STEPS,
    SHOW_STEPS_AT_RISK,
    SHOW_FLASH,
    SHOW_EXCUSE,
    SHOW_COUNT
};

static void show_capture(const bf_policy_settings *settings, int index, char ret[CELL_SIZE])
{
    const bf_steps *steps = index == SHOW_STEPS ? &settings->steps : &settings->steps_at_risk;
    if (index == SHOW_PATTERN)
        (void)snprintf(ret, CELL_SIZE, "%s", BF_PATTERN_WORDS[settings->pattern]);
    else if (index == SHOW_FLASH)
        (void)snprintf(ret, CELL_SIZE, "%s", BF_FLASH_WORDS[settings->flash]);
    else if (index == SHOW_EXCUSE)
        (void)snprintf(ret, CELL_SIZE, "%s", BF_EXCUSE_WORDS[settings->excuse]);
    else
        (void)snprintf(ret, CELL_SIZE, "%d to %d", steps->min, steps->max);
}

static void show_value(const bf_policy_settings *settings, int index, char ret[CELL_SIZE])
{
    const double numbers[SHOW_COUNT] = {[SHOW_PASS] = settings->pass * 100,
                                        [SHOW_UNCERTAIN] = settings->uncertain * 100,
                                        [SHOW_STRONG] = settings->strong,
                                        [SHOW_WEAK] = settings->weak,
                                        [SHOW_CAP] = settings->retry_cap,
                                        [SHOW_UNCERTAIN_CAP] = settings->uncertain_cap,
                                        [SHOW_DOCUMENT] = settings->document_confidence_min,
                                        [SHOW_FAILURES] = settings->failures_many};
    if (index == SHOW_REQUIRED)
        (void)snprintf(ret, CELL_SIZE, "%s", settings->match_required ? "yes" : "no");
    else if (index == SHOW_ESCALATE)
        (void)snprintf(ret, CELL_SIZE, "%s", bf_decision_name(settings->escalate_to));
    else if (index == SHOW_KILL_SWITCH)
        (void)snprintf(ret, CELL_SIZE, "%s", bf_decision_name(settings->kill_switch));
    else if (index >= SHOW_PATTERN)
        show_capture(settings, index, ret);
    else
        (void)snprintf(ret, CELL_SIZE, "%g", numbers[index]);
}

static void show_gate(const bf_policy_settings *settings, int index, char ret[CELL_SIZE])
{
    const bf_measure_gate *gate = &settings->gate[index];
    char value[CELL_SIZE] = "", native[CELL_SIZE] = "";
    if (gate->value_min > 0)
        (void)snprintf(value, sizeof value, "%d+", gate->value_min);
    if (!isinf(gate->native_min) && !isinf(gate->native_max))
        (void)snprintf(native, sizeof native, "[%g, %g]", gate->native_min, gate->native_max);
    else if (!isinf(gate->native_min))
        (void)snprintf(native, sizeof native, "[%g, ..]", gate->native_min);
    else if (!isinf(gate->native_max))
        (void)snprintf(native, sizeof native, "[.., %g]", gate->native_max);
    if (gate->used)
        (void)snprintf(ret, CELL_SIZE, "%.12s%s%.28s", value, value[0] && native[0] ? " " : "", native);
    else
        (void)snprintf(ret, CELL_SIZE, "off");
}

static void show_other_signal(const bf_policy_settings *settings, int index, char ret[CELL_SIZE])
{
    (void)index;
    (void)snprintf(ret, CELL_SIZE, "%s", BF_EFFECT_WORDS[settings->other_signal]);
}

static void say_channels(const sink *out)
{
    say(out, "  %-*s", LABEL_COLUMNS, "");
    for (int i = 0; i < BF_CHANNEL_COUNT; i++)
        say(out, " %-*s", i + 1 < BF_CHANNEL_COUNT ? CHANNEL_COLUMNS : 0, bf_channel_name((bf_channel)i));
    say(out, "\n");
}

static void say_thresholds(const sink *out, const bf_policy *policy)
{
    static const char *const labels[SHOW_COUNT] = {"liveness pass",
                                                   "liveness uncertain",
                                                   "match required",
                                                   "match strong",
                                                   "match weak",
                                                   "retries cap",
                                                   "retries uncertain_cap",
                                                   "retries escalate_to",
                                                   "document confidence_min",
                                                   "previous_failures many",
                                                   "kill_switch",
                                                   "capture pattern",
                                                   "capture steps",
                                                   "capture steps_at_risk",
                                                   "capture flash",
                                                   "capture excuse"};
    say(out, "\nThresholds (one value: the same on every channel)\n");
    say_channels(out);
    for (int i = 0; i < SHOW_COUNT; i++)
        say_setting(out, policy, labels[i], show_value, i);
    say(out, "\nQuality gate (80+: least value 0..100; [a, b]: native value within)\n");
    say_channels(out);
    for (int i = 0; i < BF_MEASURE_COUNT; i++) {
        bool used = false;
        for (int channel = 0; channel < BF_CHANNEL_COUNT; channel++)
            used = used || policy->settings[channel].gate[i].used;
        if (used)
            say_setting(out, policy, bf_measure_name((bf_measure_id)i), show_gate, i);
    }
}

static bf_effect effect_of(const bf_policy_settings *settings, const char *name)
{
    for (int i = 0; i < settings->signal_count; i++) {
        if (strcmp(settings->signal[i].name, name) == 0)
            return settings->signal[i].effect;
    }
    return settings->other_signal;
}

static void say_signal(const sink *out, const bf_policy *policy, const char *name)
{
    const char *word[BF_CHANNEL_COUNT];
    bool same = true;
    for (int i = 0; i < BF_CHANNEL_COUNT; i++) {
        word[i] = BF_EFFECT_WORDS[effect_of(&policy->settings[i], name)];
        same = same && strcmp(word[i], word[0]) == 0;
    }
    say(out, "  %-*s", LABEL_COLUMNS, name);
    for (int i = 0; i < (same ? 1 : BF_CHANNEL_COUNT); i++)
        say(out, " %-*s", i + 1 < (same ? 1 : BF_CHANNEL_COUNT) ? CHANNEL_COLUMNS : 0, word[i]);
    say(out, "\n");
}

/* A channel may know signals that the others do not, so the names are gathered from all. */
static void say_signals(const sink *out, const bf_policy *policy)
{
    say(out, "\nSignals of device and capture path (one value: the same on every channel)\n");
    say_channels(out);
    for (int channel = 0; channel < BF_CHANNEL_COUNT; channel++) {
        const bf_policy_settings *settings = &policy->settings[channel];
        int known = channel > 0 ? policy->settings[0].signal_count : 0;
        for (int i = known; i < settings->signal_count; i++)
            say_signal(out, policy, settings->signal[i].name);
    }
    say_setting(out, policy, "any other", show_other_signal, 0);
}

static void say_condition(const sink *out, const bf_rule *rule, bf_fact fact, bool *first)
{
    bf_fact_mask bits = bf_fact_bits(fact);
    if ((rule->when & bits) == bits)
        return;
    say(out, "%s%s", *first ? "" : " and ", bf_fact_name(fact));
    const char *joint = " ";
    for (int value = 0; value < bf_fact_size(fact); value++) {
        if (!(rule->when & bf_fact_bit(fact, value)))
            continue;
        say(out, "%s%s", joint, bf_fact_words(fact)[value]);
        joint = "/";
    }
    *first = false;
}

static void say_rules(const sink *out, const bf_policy *policy)
{
    say(out, "\nRules (the first that applies decides)\n");
    for (int i = 0; i < policy->rule_count; i++) {
        const bf_rule *rule = &policy->rule[i];
        bool first = true;
        say(out, "  %2d %-*s %-9s %-24s when ", i + 1, LABEL_COLUMNS - 3, rule->id, bf_decision_name(rule->decision),
            bf_reason_name(rule->reason));
        for (int fact = 0; fact < BF_FACT_COUNT; fact++)
            say_condition(out, rule, (bf_fact)fact, &first);
        say(out, "%s\n", first ? "nothing above applied" : "");
    }
}

/* The decision on each attempt that can be: "retry>challenge>review", or one word when it never changes. */
static void cell_text(const bf_policy *policy, bf_situation situation, char ret[CELL_SIZE])
{
    const char *last = "";
    size_t used = 0;
    ret[0] = 0;
    for (int attempt = BF_ATTEMPT_EARLY; attempt <= BF_ATTEMPT_LAST; attempt++) {
        situation.value[BF_FACT_ATTEMPT] = (uint8_t)attempt;
        if (!bf_situation_possible(policy, &situation))
            continue;
        const char *word = bf_decision_name(bf_policy_apply(policy, &situation).decision);
        if (strcmp(word, last) == 0)
            continue;
        int put = snprintf(ret + used, CELL_SIZE - used, "%s%s", used ? ">" : "", word);
        used += put > 0 ? (size_t)put : 0;
        last = word;
    }
}

typedef struct table_row {
    char cell[3][CELL_SIZE]; /* by risk tier; empty when the combination cannot arise */
} table_row;

static table_row make_row(const bf_policy *policy, bf_channel channel, bf_band band, int match,
                          bf_challenge_outcome challenge, bf_light_outcome light)
{
    table_row row;
    for (int risk = BF_RISK_LOW; risk <= BF_RISK_HIGH; risk++) {
        bf_situation situation = {{0}};
        situation.value[BF_FACT_BAND] = (uint8_t)band;
        situation.value[BF_FACT_MATCH] = (uint8_t)match;
        situation.value[BF_FACT_CHALLENGE] = (uint8_t)challenge;
        situation.value[BF_FACT_LIGHT] = (uint8_t)light;
        situation.value[BF_FACT_RISK] = (uint8_t)risk;
        situation.value[BF_FACT_CHANNEL] = (uint8_t)channel;
        cell_text(policy, situation, row.cell[risk]);
    }
    return row;
}

static void say_row(const sink *out, bf_band band, const char *match, const table_row *row)
{
    say(out, "  %-10s %-19s %-24s %-24s %s\n", bf_band_name(band), match, row->cell[0], row->cell[1], row->cell[2]);
}

/* The rows of one band; one row when the match makes no difference. */
static void say_band(const sink *out, const bf_policy *policy, bf_channel channel, bf_band band)
{
    table_row rows[BF_FACT_VALUES_MAX] = {0};
    const table_row *first = NULL;
    bool same = true;
    for (int match = 0; match < bf_fact_size(BF_FACT_MATCH); match++) {
        rows[match] = make_row(policy, channel, band, match, BF_CHALLENGE_NOT_ASKED, BF_LIGHT_NOT_ASKED);
        if (!rows[match].cell[0][0])
            continue;
        for (int risk = 0; risk < 3 && first; risk++)
            same = same && strcmp(first->cell[risk], rows[match].cell[risk]) == 0;
        first = first ? first : &rows[match];
    }
    if (same && first) {
        say_row(out, band, "any", first);
        return;
    }
    for (int match = 0; match < bf_fact_size(BF_FACT_MATCH); match++) {
        if (rows[match].cell[0][0])
            say_row(out, band, bf_fact_words(BF_FACT_MATCH)[match], &rows[match]);
    }
}

/* What came of a challenge and of its light, where all else is good and where liveness is uncertain. */
static void say_challenges(const sink *out, const bf_policy *policy, bf_channel channel)
{
    static const bf_band bands[] = {BF_BAND_PASS, BF_BAND_UNCERTAIN};
    const bf_policy_settings *settings = &policy->settings[channel];
    say(out, "  after a challenge, with a strong match:\n");
    for (size_t i = 0; i < sizeof bands / sizeof *bands; i++) {
        for (int challenge = BF_CHALLENGE_FOLLOWED; challenge <= BF_CHALLENGE_NOT_FOLLOWED; challenge++) {
            bf_challenge_outcome outcome = (bf_challenge_outcome)challenge;
            table_row row =
                make_row(policy, channel, bands[i], BF_MATCH_FACT_STRONG, outcome, bf_light_best(settings, outcome));
            say_row(out, bands[i], bf_fact_words(BF_FACT_CHALLENGE)[challenge], &row);
        }
    }
    for (int light = BF_LIGHT_UNANSWERED; light <= BF_LIGHT_EXCUSED && settings->flash != BF_FLASH_NONE; light++) {
        char words[CELL_SIZE];
        table_row row = make_row(policy, channel, BF_BAND_PASS, BF_MATCH_FACT_STRONG, BF_CHALLENGE_FOLLOWED,
                                 (bf_light_outcome)light);
        (void)snprintf(words, sizeof words, "light %s", bf_fact_words(BF_FACT_LIGHT)[light]);
        say_row(out, BF_BAND_PASS, words, &row);
    }
}

/* Whether two channels decide alike in every situation of the table. */
static bool same_table(const bf_policy *policy, int one, int other)
{
    bool started = false;
    for (bf_situation at; bf_situation_next(policy, &at, &started);) {
        if (at.value[BF_FACT_CHANNEL] != one)
            continue;
        bf_situation there = at;
        there.value[BF_FACT_CHANNEL] = (uint8_t)other;
        bool possible = bf_situation_possible(policy, &there);
        if (!possible || bf_policy_apply(policy, &at).decision != bf_policy_apply(policy, &there).decision)
            return false;
    }
    return true;
}

static void say_table(const sink *out, const bf_policy *policy, int channel)
{
    static const bf_band bands[] = {BF_BAND_PASS, BF_BAND_UNCERTAIN, BF_BAND_FAIL, BF_BAND_NOT_JUDGED};
    say(out, "\nDecisions on channel %s (a>b>c: as attempts are used up; no signals, no earlier failures)\n",
        bf_channel_name((bf_channel)channel));
    say(out, "  %-10s %-19s %-24s %-24s %s\n", "liveness", "match", "risk low", "risk medium", "risk high");
    for (size_t i = 0; i < sizeof bands / sizeof *bands; i++)
        say_band(out, policy, (bf_channel)channel, bands[i]);
    say_challenges(out, policy, (bf_channel)channel);
}

bf_status bf_policy_explain(const char *path, bf_policy_write write, void *context, bf_error *err)
{
    BF_CLEANUP(bf_policy_free) bf_policy *policy = NULL;
    bf_status status = bf_policy_read(path, &policy, err);
    if (status != BF_OK)
        return status;
    const sink out = {write, context};
    say(&out, "%s\n\n", policy->version);
    say_wrapped(&out, policy->rationale);
    say_thresholds(&out, policy);
    say_signals(&out, policy);
    say_rules(&out, policy);
    say_table(&out, policy, BF_CHANNEL_UNSPECIFIED);
    for (int channel = 1; channel < BF_CHANNEL_COUNT; channel++) {
        if (same_table(policy, channel, 0))
            say(&out, "\nChannel %s decides as unspecified does.\n", bf_channel_name((bf_channel)channel));
        else
            say_table(&out, policy, channel);
    }
    return BF_OK;
}
