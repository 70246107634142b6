/* Renders a capture with known truth from a photo of a face; see usage below and docs/results/simulated.md. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "simulate/show.h"

#define PATH_SIZE 1024
#define SHEET_COLUMNS 5
#define SHEET_ROWS 4

static const char usage[] =
    "usage: simulate --still PHOTO [--what WHAT] [OPTION ...]\n"
    "\n"
    "Renders what a camera would see, with known truth. The same options give the same bytes.\n"
    "\n"
    "  --still PHOTO       a photo of one face\n"
    "  --other PHOTO       who comes in at half-time, for --what swap\n"
    "  --what WHAT         live (default) or an attack; \"help\" lists them\n"
    "  --nuisance A,B      what makes it hard; \"help\" lists them\n"
    "  --plan FILE         what is asked, as the server gives it (JSON)\n"
    "  --make-plan N       a plan of N steps with a flash, made from the seed\n"
    "  --seed N            1\n"
    "  --rate FPS          10\n"
    "  --seconds S         the plan's, or 4\n"
    "  --size WxH          640x480\n"
    "  --quality Q         of the JPEG frames, 75\n"
    "  --loop              the end goes over into the beginning (live, without a plan)\n"
    "  --out FILE          the capture file\n"
    "  --frames FOLDER     each frame as JPEG\n"
    "  --sheet FILE.png    a contact sheet\n"
    "  --truth FILE.json   what is known of each frame\n"
    "  --y4m FILE, --mjpeg FILE   for a browser's fake camera\n"
    "  --save-plan FILE    the plan that was followed\n"
    "  --data FOLDER       models/ and the rest (.); --weights FOLDER (.cache/weights, or in BONAFIDE_CACHE_DIR)\n";

typedef struct arguments {
    const char *still, *other, *plan_file, *out, *frames, *sheet, *truth, *y4m, *mjpeg, *save_plan, *data;
    char weights[PATH_SIZE];
    int make_plan; /* steps; -1: none is made */
    sim_options options;
    bf_plan plan;
} arguments;

static int fail(const char *text, const char *what)
{
    (void)fprintf(stderr, "simulate: %s%s\n", text, what);
    return 64;
}

static bool read_nuisances(const char *list, unsigned *ret)
{
    while (*list) {
        size_t length = strcspn(list, ",");
        int bit = 0;
        while (bit < SIM_NUISANCE_COUNT &&
               (strlen(sim_nuisance_name(bit)) != length || strncmp(sim_nuisance_name(bit), list, length) != 0))
            bit++;
        if (bit == SIM_NUISANCE_COUNT)
            return false;
        *ret |= 1u << bit;
        list += length + (list[length] == ',');
    }
    return true;
}

static void list_names(void)
{
    (void)printf("what:\n");
    for (int i = 0; i < SIM_WHAT_COUNT; i++)
        (void)printf("  %s\n", sim_what_name((sim_what)i));
    (void)printf("nuisance:\n");
    for (int i = 0; i < SIM_NUISANCE_COUNT; i++)
        (void)printf("  %s\n", sim_nuisance_name(i));
}

static const struct option long_options[] = {
    {"still", 1, NULL, 's'},   {"other", 1, NULL, 'o'},     {"what", 1, NULL, 'w'},    {"nuisance", 1, NULL, 'n'},
    {"plan", 1, NULL, 'p'},    {"make-plan", 1, NULL, 'P'}, {"seed", 1, NULL, 'S'},    {"rate", 1, NULL, 'r'},
    {"seconds", 1, NULL, 't'}, {"size", 1, NULL, 'z'},      {"quality", 1, NULL, 'q'}, {"loop", 0, NULL, 'l'},
    {"out", 1, NULL, 'O'},     {"frames", 1, NULL, 'f'},    {"sheet", 1, NULL, 'c'},   {"truth", 1, NULL, 'T'},
    {"y4m", 1, NULL, 'y'},     {"mjpeg", 1, NULL, 'm'},     {"data", 1, NULL, 'd'},    {"weights", 1, NULL, 'W'},
    {"help", 0, NULL, 'h'},    {"save-plan", 1, NULL, 'V'}, {NULL, 0, NULL, 0},
};

/* Numbers, and what is checked at once. False: the value is none. */
static bool set_value(arguments *a, int option, const char *value)
{
    char *end = NULL;
    sim_options *o = &a->options;
    switch (option) {
    case 'w':
        return sim_what_from_name(value, &o->what);
    case 'n':
        return read_nuisances(value, &o->nuisances);
    case 'P':
        a->make_plan = (int)strtol(value, &end, 10);
        return *end == 0;
    case 'S':
        o->seed = strtoull(value, &end, 10);
        return *end == 0;
    case 'r':
        o->rate_fps = strtod(value, &end);
        return *end == 0;
    case 't':
        o->seconds = strtod(value, &end);
        return *end == 0;
    case 'q':
        o->jpeg_quality = (int)strtol(value, &end, 10);
        return *end == 0 && o->jpeg_quality >= 1 && o->jpeg_quality <= 100;
    case 'z':
        o->width = (int)strtol(value, &end, 10);
        if (*end != 'x')
            return false;
        o->height = (int)strtol(end + 1, &end, 10);
        return *end == 0;
    case 'W':
        (void)snprintf(a->weights, sizeof a->weights, "%s", value);
        return true;
    default:
        o->loops = true;
        return true;
    }
}

static const char **text_of(arguments *a, int option)
{
    switch (option) {
    case 's':
        return &a->still;
    case 'o':
        return &a->other;
    case 'p':
        return &a->plan_file;
    case 'O':
        return &a->out;
    case 'f':
        return &a->frames;
    case 'c':
        return &a->sheet;
    case 'T':
        return &a->truth;
    case 'y':
        return &a->y4m;
    case 'm':
        return &a->mjpeg;
    case 'd':
        return &a->data;
    case 'V':
        return &a->save_plan;
    default:
        return NULL;
    }
}

/* 0, or the exit code with which to end; -1 to end well. */
static int read_arguments(int argc, char **argv, arguments *a)
{
    const char *cache = getenv("BONAFIDE_CACHE_DIR");
    (void)snprintf(a->weights, sizeof a->weights, "%s/weights", cache ? cache : ".cache");
    a->data = ".";
    a->make_plan = -1;
    a->options.seed = 1;
    int option = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'h' || (optarg && strcmp(optarg, "help") == 0)) {
            if (option == 'h')
                (void)fputs(usage, stdout);
            else
                list_names();
            return -1;
        }
        if (option == '?')
            return 64;
        const char **text = text_of(a, option);
        if (text)
            *text = optarg;
        else if (!set_value(a, option, optarg ? optarg : ""))
            return fail("this is no value that fits: ", optarg ? optarg : "");
    }
    if (!a->still || optind != argc)
        return fail("needs --still PHOTO and takes options only; see --help", "");
    return 0;
}

static bf_status read_plan(arguments *a, bf_error *err)
{
    bf_status status = BF_OK;
    if (a->plan_file) {
        BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
        status = bf_bytes_read_file(&bytes, a->plan_file, 1u << 20, err);
        if (status == BF_OK)
            status = bf_plan_parse((const char *)bytes.data, bytes.size, &a->plan, err);
    } else if (a->make_plan >= 0) {
        status = sim_make_plan(a->make_plan, BF_FLASH_FULL, a->options.seed, &a->plan, err);
    } else {
        return BF_OK;
    }
    a->options.plan = &a->plan;
    if (status == BF_OK && a->save_plan) {
        char text[BF_PLAN_TEXT_MAX];
        size_t size = bf_plan_write(&a->plan, text);
        status = bf_bytes_write_file(a->save_plan, text, size, err);
    }
    return status;
}

static bf_status write_all(const arguments *a, sim_sequence *s, bf_error *err)
{
    static sim_truth truth[BF_CAPTURE_FRAMES_MAX];
    BF_CLEANUP(bf_bytes_done) bf_bytes capture = {0};
    int quality = a->options.jpeg_quality ? a->options.jpeg_quality : 75;
    double rate = a->options.rate_fps != 0 ? a->options.rate_fps : 10;
    bf_status status = BF_OK;
    if (a->out || a->truth)
        status = sim_capture(s, &capture, truth, err);
    if (status == BF_OK && a->out)
        status = bf_bytes_write_file(a->out, capture.data, capture.size, err);
    if (status == BF_OK && a->truth)
        status = sim_write_truth(truth, sim_sequence_count(s), a->truth, err);
    if (status == BF_OK && a->frames)
        status = sim_write_frames(s, quality, a->frames, err);
    if (status == BF_OK && a->sheet)
        status = sim_write_sheet(s, SHEET_COLUMNS, SHEET_ROWS, 2, a->sheet, err);
    if (status == BF_OK && a->y4m)
        status = sim_write_y4m(s, rate, a->y4m, err);
    if (status == BF_OK && a->mjpeg)
        status = sim_write_mjpeg(s, quality, a->mjpeg, err);
    return status;
}

static bf_status run(arguments *a, bf_error *err)
{
    BF_CLEANUP(bf_engine_free) bf_engine *engine = NULL;
    BF_CLEANUP(bf_judge_free) bf_judge *judge = NULL;
    BF_CLEANUP(sim_still_done) sim_still still = {0};
    BF_CLEANUP(sim_still_done) sim_still other = {0};
    BF_CLEANUP(sim_sequence_free) sim_sequence *sequence = NULL;
    bf_engine_options options = {.struct_size = sizeof options, .data_dir = a->data, .weights_dir = a->weights};
    bf_status status = read_plan(a, err);
    if (status == BF_OK)
        status = bf_engine_new(&options, &engine, err);
    if (status == BF_OK)
        status = bf_judge_new(engine, &judge, err);
    if (status == BF_OK)
        status = sim_still_read(judge, a->still, &still, err);
    if (status == BF_OK && a->other)
        status = sim_still_read(judge, a->other, &other, err);
    if (status == BF_OK)
        status = sim_sequence_new(&still, a->other ? &other : NULL, &a->options, &sequence, err);
    return status == BF_OK ? write_all(a, sequence, err) : status;
}

int main(int argc, char **argv)
{
    arguments a = {0};
    int code = read_arguments(argc, argv, &a);
    if (code != 0)
        return code < 0 ? 0 : code;
    bf_error err = {0};
    if (run(&a, &err) == BF_OK)
        return 0;
    (void)fprintf(stderr, "simulate: %s %s\n", err.message, err.hint);
    return 70;
}
