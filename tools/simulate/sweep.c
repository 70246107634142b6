/* Judges many simulated captures with the real judge, in parallel, and writes what came of each as a line of JSON, for
 * tools/simulate/tables.py. See usage below and docs/results/simulated.md. */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "simulate/random.h"
#include "simulate/simulate.h"

#define STILLS_MAX 64
#define JOBS_MAX 64
#define CASES_MAX 128
#define PATH_SIZE 1024
#define CAPTURE_BYTES_MAX (64u << 20)

static const char usage[] =
    "usage: sweep --seeds N [OPTION ...] PHOTO PHOTO ... > LINES\n"
    "\n"
    "Renders each case with seeds 1..N, judges it with its plan, prints one line of JSON for each.\n"
    "\n"
    "  --first N           the first seed (1)\n"
    "  --cases A,B         only these: an attack or \"live\", with \"+nuisance\" behind it\n"
    "  --steps N           asked by each plan (2)\n"
    "  --flash FORM        full, gentle or none (full)\n"
    "  --rate FPS          10\n"
    "  --jobs N            threads (2)\n"
    "  --keep FOLDER       captures are kept there, and taken from there when rendered before\n"
    "  --render            only render, with --keep\n"
    "  --skip LINES        what these lines of an earlier run hold is not judged again; append to them\n"
    "  --data FOLDER       models/ and the rest (.); --weights FOLDER (.cache/weights, or in BONAFIDE_CACHE_DIR)\n";

static const char *const all_cases[] = {
    "live",
    "live+dim",
    "live+bright",
    "live+backlit",
    "live+dark",
    "live+far",
    "live+low_rate",
    "live+drops",
    "live+jitter",
    "live+shaky",
    "live+glasses",
    "live+partial",
    "live+slow",
    "live+noisy",
    "print_still",
    "print",
    "print_moved",
    "print_bent",
    "screen",
    "screen_moved",
    "screen_video",
    "screen_puppet",
    "replay",
    "reordered",
    "early",
    "swap",
    "loop",
    "frozen",
    "interpolated",
    "uploaded",
    "puppet_unlit",
    "puppet_tinted",
    "print_moved+dim",
    "print_moved+bright",
    "print_moved+low_rate",
    "print_moved+shaky",
    "screen_moved+dim",
    "screen_video+bright",
    "puppet_unlit+dim",
    "puppet_unlit+bright",
    "puppet_tinted+dim",
    "replay+low_rate",
    "loop+drops",
    "early+jitter",
};

/* One kind of presentation. */
typedef struct one_case {
    const char *name;
    sim_what what;
    unsigned nuisances;
} one_case;

typedef struct sweep {
    const bf_engine *engine;
    sim_still still[STILLS_MAX];
    int still_count;
    one_case of[CASES_MAX];
    int case_count;
    uint64_t first;
    int seeds, jobs, steps;
    bf_flash_form flash;
    double rate_fps;
    const char *keep; /* NULL: captures are not kept */
    bool render;
    bool *done;      /* of seeds x cases; NULL: none */
    atomic_int next; /* of seeds x cases */
    atomic_int failed;
    pthread_mutex_t output;
} sweep;

static bool read_case(const char *name, one_case *ret)
{
    char what[32];
    size_t length = strcspn(name, "+");
    *ret = (one_case){.name = name};
    if (length >= sizeof what)
        return false;
    memcpy(what, name, length);
    what[length] = 0;
    if (!sim_what_from_name(what, &ret->what))
        return false;
    for (const char *rest = name + length; *rest; rest += strcspn(rest, "+")) {
        rest++;
        int bit = 0;
        while (bit < SIM_NUISANCE_COUNT && (strlen(sim_nuisance_name(bit)) != strcspn(rest, "+") ||
                                            strncmp(sim_nuisance_name(bit), rest, strcspn(rest, "+")) != 0))
            bit++;
        if (bit == SIM_NUISANCE_COUNT)
            return false;
        ret->nuisances |= 1u << bit;
    }
    return true;
}

static json_t *evidence_of(const json_t *record)
{
    json_t *ret = json_object();
    size_t i = 0;
    const json_t *one = NULL;
    json_array_foreach(json_object_get(record, "evidence"), i, one)
    {
        json_t *brief = json_object();
        (void)json_object_set(brief, "status", json_object_get(one, "status"));
        (void)json_object_set(brief, "llr", json_object_get(one, "llr"));
        (void)json_object_set(brief, "raw", json_object_get(one, "raw"));
        if (json_object_get(one, "why"))
            (void)json_object_set(brief, "why", json_object_get(one, "why"));
        (void)json_object_set_new(ret, json_string_value(json_object_get(one, "detector")), brief);
    }
    return ret;
}

/* What is kept of a record. */
static json_t *line_of(const json_t *record, const one_case *of, uint64_t seed, int still)
{
    const json_t *capture = json_object_get(record, "capture"), *decision = json_object_get(record, "decision");
    json_t *line = json_object();
    (void)json_object_set_new(line, "case", json_string(of->name));
    (void)json_object_set_new(line, "seed", json_integer((json_int_t)seed));
    (void)json_object_set_new(line, "still", json_integer(still));
    (void)json_object_set(line, "status", json_object_get(record, "status"));
    (void)json_object_set(line, "decision", json_object_get(decision, "decision"));
    (void)json_object_set(line, "result", json_object_get(record, "result"));
    (void)json_object_set(line, "error", json_object_get(record, "error"));
    (void)json_object_set(line, "challenge", json_object_get(capture, "challenge"));
    (void)json_object_set(line, "track", json_object_get(capture, "track"));
    (void)json_object_set(line, "sequence", json_object_get(capture, "sequence"));
    (void)json_object_set(line, "signals", json_object_get(capture, "signals"));
    (void)json_object_set_new(line, "evidence", evidence_of(record));
    return line;
}

static bf_status print_line(sweep *s, bf_record *record, const one_case *of, uint64_t seed, int still, bf_error *err)
{
    char *text = NULL;
    bf_status status = bf_record_json(record, BF_JSON_NO_TIMING, &text, err);
    if (status != BF_OK)
        return status;
    json_t *parsed = json_loads(text, 0, NULL);
    free(text);
    if (!parsed)
        return bf_fail_memory(err);
    json_t *line = line_of(parsed, of, seed, still);
    (void)pthread_mutex_lock(&s->output);
    (void)json_dumpf(line, stdout, JSON_COMPACT);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
    (void)pthread_mutex_unlock(&s->output);
    json_decref(line);
    json_decref(parsed);
    return BF_OK;
}

static bf_status render(const sweep *s, const one_case *of, uint64_t seed, int still, const bf_plan *plan,
                        bf_bytes *ret, bf_error *err)
{
    BF_CLEANUP(sim_sequence_free) sim_sequence *sequence = NULL;
    const sim_options options = {
        .what = of->what, .nuisances = of->nuisances, .seed = seed, .plan = plan, .rate_fps = s->rate_fps};
    const sim_still *other = &s->still[(still + 1) % s->still_count];
    bf_status status = sim_sequence_new(&s->still[still], other, &options, &sequence, err);
    return status == BF_OK ? sim_capture(sequence, ret, NULL, err) : status;
}

/* Rendered, or taken from where it was kept. */
static bf_status get_capture(const sweep *s, const one_case *of, uint64_t seed, int still, const bf_plan *plan,
                             bf_bytes *ret, bf_error *err)
{
    if (!s->keep)
        return render(s, of, seed, still, plan, ret, err);
    char path[PATH_SIZE];
    bf_error none = {0};
    (void)snprintf(path, sizeof path, "%s/%s-%d-%s-%llu.capture", s->keep, of->name, s->steps,
                   bf_flash_form_name(s->flash), (unsigned long long)seed);
    if (bf_bytes_read_file(ret, path, CAPTURE_BYTES_MAX, &none) == BF_OK)
        return BF_OK;
    bf_status status = render(s, of, seed, still, plan, ret, err);
    return status == BF_OK ? bf_bytes_write_file(path, ret->data, ret->size, err) : status;
}

static bf_status judge_one(sweep *s, bf_judge *judge, const one_case *of, uint64_t seed, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes capture = {0};
    BF_CLEANUP(bf_record_free) bf_record *record = NULL;
    sim_random random = sim_random_from(seed, 91);
    int still = sim_below(&random, s->still_count);
    bf_plan plan;
    char text[BF_PLAN_TEXT_MAX];
    bf_status status = sim_make_plan(s->steps, s->flash, seed, &plan, err);
    if (status == BF_OK)
        status = get_capture(s, of, seed, still, &plan, &capture, err);
    if (status != BF_OK || s->render)
        return status;
    (void)bf_plan_write(&plan, text);
    const bf_request request = {
        .struct_size = sizeof request, .media = capture.data, .media_size = capture.size, .plan_json = text};
    status = bf_judge_capture(judge, &request, &record, err);
    return status == BF_OK ? print_line(s, record, of, seed, still, err) : status;
}

static void *work(void *argument)
{
    sweep *s = argument;
    bf_judge *judge = NULL;
    bf_error err = {0};
    if (bf_judge_new(s->engine, &judge, &err) != BF_OK) {
        (void)fprintf(stderr, "sweep: %s\n", err.message);
        atomic_fetch_add(&s->failed, 1);
        return NULL;
    }
    int total = s->seeds * s->case_count;
    for (int i = atomic_fetch_add(&s->next, 1); i < total; i = atomic_fetch_add(&s->next, 1)) {
        if (s->done && s->done[i])
            continue;
        const one_case *of = &s->of[i % s->case_count];
        uint64_t seed = s->first + (uint64_t)(i / s->case_count);
        if (judge_one(s, judge, of, seed, &err) != BF_OK) {
            (void)fprintf(stderr, "sweep: %s, seed %llu: %s\n", of->name, (unsigned long long)seed, err.message);
            atomic_fetch_add(&s->failed, 1);
        }
    }
    bf_judge_free(&judge);
    return NULL;
}

static void mark_done(sweep *s, const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "case"));
    json_int_t seed = json_integer_value(json_object_get(line, "seed")) - (json_int_t)s->first;
    for (int i = 0; name && seed >= 0 && seed < s->seeds && i < s->case_count; i++) {
        if (strcmp(s->of[i].name, name) == 0)
            s->done[seed * s->case_count + i] = true;
    }
}

/* A last line that was cut off is an error: the next would be written behind it. */
static bf_status read_done(sweep *s, const char *path, bf_error *err)
{
    s->done = bf_calloc((size_t)s->seeds * (size_t)s->case_count, sizeof *s->done);
    FILE *file = s->done ? fopen(path, "r") : NULL;
    if (!file)
        return s->done ? bf_fail(err, BF_IO_ERROR, "Cannot read %s.", path) : bf_fail_memory(err);
    char *text = NULL;
    size_t size = 0;
    bool whole = true;
    while (whole && getline(&text, &size, file) > 0) {
        json_t *line = json_loads(text, 0, NULL);
        whole = line != NULL;
        mark_done(s, line);
        json_decref(line);
    }
    free(text);
    (void)fclose(file);
    return whole ? BF_OK : bf_fail(err, BF_CONFIG_INVALID, "%s has a line that is no JSON; take it out.", path);
}

static int run_jobs(sweep *s)
{
    pthread_t thread[JOBS_MAX];
    int started = 0;
    while (started < s->jobs && pthread_create(&thread[started], NULL, work, s) == 0)
        started++;
    for (int i = 0; i < started; i++)
        (void)pthread_join(thread[i], NULL);
    return started > 0 && atomic_load(&s->failed) == 0 ? 0 : 70;
}

static bool take_cases(sweep *s, char *list)
{
    s->case_count = 0;
    for (char *at = list; *at && s->case_count < CASES_MAX;) {
        char *end = at + strcspn(at, ",");
        bool last = *end == 0;
        *end = 0;
        if (!read_case(at, &s->of[s->case_count++]))
            return false;
        at = last ? end : end + 1;
    }
    return s->case_count > 0;
}

static const struct option long_options[] = {
    {"seeds", 1, NULL, 's'},   {"first", 1, NULL, 'f'}, {"cases", 1, NULL, 'c'}, {"steps", 1, NULL, 'S'},
    {"flash", 1, NULL, 'F'},   {"rate", 1, NULL, 'r'},  {"jobs", 1, NULL, 'j'},  {"data", 1, NULL, 'd'},
    {"weights", 1, NULL, 'w'}, {"help", 0, NULL, 'h'},  {"keep", 1, NULL, 'k'},  {"render", 0, NULL, 'R'},
    {"skip", 1, NULL, 'x'},    {NULL, 0, NULL, 0},
};

static bool take_flash(const char *name, bf_flash_form *ret)
{
    for (int form = BF_FLASH_NONE; form <= BF_FLASH_GENTLE; form++) {
        if (strcmp(bf_flash_form_name((bf_flash_form)form), name) == 0) {
            *ret = (bf_flash_form)form;
            return true;
        }
    }
    return false;
}

static bool set_option(sweep *s, int option, char *value)
{
    char *end = NULL;
    switch (option) {
    case 'c':
        return take_cases(s, value);
    case 'F':
        return take_flash(value, &s->flash);
    case 'r':
        s->rate_fps = strtod(value, &end);
        return *end == 0 && s->rate_fps >= 1;
    default: {
        long number = strtol(value, &end, 10);
        int *const to = option == 's' ? &s->seeds : option == 'S' ? &s->steps : &s->jobs;
        if (*end != 0 || number < (option == 'S' ? 0 : 1) || number > (option == 'j' ? JOBS_MAX : 1000000))
            return false;
        if (option == 'f')
            s->first = (uint64_t)number;
        else
            *to = (int)number;
        return true;
    }
    }
}

static bf_status read_stills(sweep *s, char **paths, int count, bf_error *err)
{
    BF_CLEANUP(bf_judge_free) bf_judge *judge = NULL;
    bf_status status = bf_judge_new(s->engine, &judge, err);
    for (int i = 0; i < count && i < STILLS_MAX && status == BF_OK; i++) {
        status = sim_still_read(judge, paths[i], &s->still[i], err);
        s->still_count += status == BF_OK;
    }
    return status;
}

int main(int argc, char **argv)
{
    static sweep s = {.first = 1, .jobs = 2, .steps = 2, .flash = BF_FLASH_FULL, .rate_fps = 10};
    char weights[PATH_SIZE];
    const char *cache = getenv("BONAFIDE_CACHE_DIR"), *data = ".", *skip = NULL;
    (void)snprintf(weights, sizeof weights, "%s/weights", cache ? cache : ".cache");
    for (size_t i = 0; i < sizeof all_cases / sizeof *all_cases; i++)
        (void)read_case(all_cases[i], &s.of[s.case_count++]);
    int option = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'h')
            return fputs(usage, stdout) < 0;
        if (option == 'd')
            data = optarg;
        else if (option == 'k')
            s.keep = optarg;
        else if (option == 'R')
            s.render = true;
        else if (option == 'x')
            skip = optarg;
        else if (option == 'w')
            (void)snprintf(weights, sizeof weights, "%s", optarg);
        else if (option == '?' || !set_option(&s, option, optarg)) {
            (void)fputs(usage, stderr);
            return 64;
        }
    }
    if (s.seeds < 1 || argc - optind < 2) {
        (void)fputs(usage, stderr);
        return 64;
    }
    bf_error err = {0};
    bf_engine *engine = NULL;
    bf_engine_options options = {.struct_size = sizeof options, .data_dir = data, .weights_dir = weights};
    bf_status status = bf_engine_new(&options, &engine, &err);
    s.engine = engine;
    (void)pthread_mutex_init(&s.output, NULL);
    if (status == BF_OK && skip)
        status = read_done(&s, skip, &err);
    if (status == BF_OK)
        status = read_stills(&s, argv + optind, argc - optind, &err);
    int code = status == BF_OK ? run_jobs(&s) : 70;
    if (status != BF_OK)
        (void)fprintf(stderr, "sweep: %s %s\n", err.message, err.hint);
    for (int i = 0; i < s.still_count; i++)
        sim_still_done(&s.still[i]);
    bf_free(s.done);
    bf_engine_free(&engine);
    return code;
}
