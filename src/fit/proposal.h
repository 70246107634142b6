/* Bands for a journey, with all that somebody has to know before taking them: what they were chosen on, what they cost,
 * how stable they are and what other people's captures say. */
#ifndef BF_FIT_PROPOSAL_H
#define BF_FIT_PROPOSAL_H

#include "base/bytes.h"
#include "fit/policy_patch.h"
#include "fit/retries.h"
#include "fit/rows.h"
#include "fit/threshold.h"

#define BF_PROPOSAL_VERSION 1 /* of the form of threshold.json */
#define BF_TRADES 141         /* points of the trade-off curve */
#define BF_REFUSALS_MAX 300   /* a sentence for each species, and some */
#define BF_REFUSAL_BYTES 400

typedef struct bf_proposal_options {
    bf_targets targets;
    bool by_person;             /* a person's attacks of one species count once, by the worst of them */
    bool reject_asked;          /* a lower band whose target is not supported is refused, not kept */
    const char *split;          /* chosen on; NULL: `dev`, else `train`, else every row */
    const char *validate_split; /* checked on; NULL: nothing */
    const char *const *beside;  /* species that do not count; may be NULL */
    size_t beside_count;
    size_t replicates;
    uint64_t seed;
    const char *policy_path;
    const char *date; /* for the rationale, "2026-11-25"; NULL: not said */
} bf_proposal_options;

/* Error rates of one kind at a band: attacks at or above it, bona fide below it. */
typedef struct bf_band_rate {
    bf_rate rate;      /* of the presentations with a response */
    double bound;      /* one-sided */
    bf_rate by_person; /* persons with any such error: holds whatever one person's presentations have in common */
} bf_band_rate;

typedef struct bf_scope_kind {
    uint64_t responses, persons;
    uint64_t least;                        /* presentations that the target takes at least; 0 where it has none */
    bf_band_rate today, proposed;          /* at the pass band */
    bf_band_rate rejected_today, rejected; /* of the bona fide: below the lower band */
} bf_scope_kind;

/* The whole journey, or one of its channels. */
typedef struct bf_scope {
    bf_channel channel; /* UNSPECIFIED: every row */
    size_t rows, persons;
    bool own; /* its own rows support a choice; else it keeps to the journey's, or to its own stricter band of today */
    bf_choice choice;
    bf_choice_spread spread;
    bf_policy_band today, proposed;
    bf_scope_kind *kind; /* by kind */
} bf_scope;

typedef enum bf_check_result {
    BF_CHECK_NONE,         /* nothing to check on */
    BF_CHECK_CONFIRMED,    /* the bounds keep to the targets there too */
    BF_CHECK_COMPATIBLE,   /* the rates do, or may */
    BF_CHECK_CONTRADICTED, /* they surely do not */
} bf_check_result;

typedef struct bf_trade {
    double threshold;
    double apcer, bound; /* the highest over the species, of the rates and of their bounds */
    double bpcer;
} bf_trade;

typedef struct bf_proposal {
    bf_proposal_options options;
    const bf_rows *table; /* borrowed */
    size_t kinds;
    bool beside[BF_SPECIES_MAX];
    char split[65];                    /* "" for every row */
    bool split_is_fitted;              /* chosen on the rows that models and fusion were fitted on */
    bf_scope scope[BF_PATCH_CHANNELS]; /* the journey first */
    size_t scopes;
    uint16_t worst_kind; /* the species with the highest APCER at the proposed pass band */
    bf_trade trade[BF_TRADES];
    bf_retries *before, *after; /* by kind; after is NULL when refused */
    bf_policy *policy;          /* today's */
    bf_policy_patch patch;
    bf_scope_kind *checked; /* by kind, on the split to validate; NULL without one */
    size_t checked_rows, checked_persons;
    bf_check_result check;
    char why[BF_PATCH_WHY_BYTES_MAX];
    bool refused;
    char refusal[BF_REFUSALS_MAX][BF_REFUSAL_BYTES]; /* why, a sentence each; the first says what in all */
    size_t refusals;
} bf_proposal;

/* Chooses, checks and makes the patch; when the table cannot support the targets, `refused` is set and there is none.
 * `table` must outlive *ret, which the caller frees with bf_proposal_free. INVALID_ARGUMENT: a split that is `test`,
 * or is none of the table, or shares persons with the other; a species that is none; another journey's table; one class
 * only. CONFIG_INVALID, IO_ERROR: the policy. OUT_OF_MEMORY. */
bf_status bf_propose(bf_proposal **ret, const bf_rows *table, const bf_proposal_options *options, bf_error *err);
void bf_proposal_free(bf_proposal **proposal);

/* "Bona fide", or the species. */
const char *bf_proposal_kind(const bf_proposal *proposal, size_t kind);
/* Whether a species counts. */
bool bf_proposal_counts(const bf_proposal *proposal, size_t kind);

/* Persons of the class, bona fide or a species that counts, that has the fewest. */
uint64_t bf_proposal_fewest_persons(const bf_proposal *proposal);

/* Parts of bf_propose: the sentences. */
void bf_proposal_refuse(bf_proposal *proposal, const char *format, ...) BF_PRINTF(2, 3);
void bf_proposal_refuse_choice(bf_proposal *proposal);
void bf_proposal_explain(bf_proposal *proposal);

/* What the figures do not know about the report. */
typedef struct bf_proposal_facts {
    const char *table;   /* name of the scores table */
    const char *program; /* "bonafide 0.1.0" */
    const char *made_at; /* "2026-11-25T21:00:00Z"; NULL: not stated */
} bf_proposal_facts;

/* As api/threshold.schema.json describes, also of a refusal. The caller gives *ret to bf_bytes_done. OUT_OF_MEMORY. */
bf_status bf_proposal_json(bf_bytes *ret, const bf_proposal *proposal, const bf_proposal_facts *facts, bf_error *err);
/* A page in the style of report.html. The caller gives *ret to bf_bytes_done. OUT_OF_MEMORY. */
bf_status bf_proposal_html(bf_bytes *ret, const bf_proposal *proposal, const bf_proposal_facts *facts, bf_error *err);

#endif
