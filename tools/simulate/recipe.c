#include "simulate/recipe.h"

#include <string.h>

#define PLAN_STEPS_MOST 4
#define PERSON SIM_SURFACE_PERSON
#define PRINT SIM_SURFACE_PRINT
#define DISPLAY SIM_SURFACE_DISPLAY
#define PLAN SIM_SCRIPT_PLAN

const sim_recipe sim_recipes[SIM_WHAT_COUNT] = {
    [SIM_LIVE] = {.name = "live", .surface = PERSON, .person = PLAN},
    [SIM_PRINT_STILL] = {.name = "print_still", .surface = PRINT},
    [SIM_PRINT] = {.name = "print", .surface = PRINT, .hand = 1},
    [SIM_PRINT_MOVED] = {.name = "print_moved", .surface = PRINT, .sheet = PLAN, .hand = 1, .sway_deg = 9},
    [SIM_PRINT_BENT] = {.name = "print_bent", .surface = PRINT, .sheet = PLAN, .hand = 1, .sway_deg = 9, .bend = 0.9F},
    [SIM_SCREEN] = {.name = "screen", .surface = DISPLAY, .hand = 1},
    [SIM_SCREEN_MOVED] = {.name = "screen_moved", .surface = DISPLAY, .sheet = PLAN, .hand = 1, .sway_deg = 9},
    [SIM_SCREEN_VIDEO] = {.name = "screen_video", .surface = DISPLAY, .person = SIM_SCRIPT_OTHER, .hand = 1},
    [SIM_SCREEN_PUPPET] = {.name = "screen_puppet", .surface = DISPLAY, .person = PLAN, .hand = 0.3},
    [SIM_REPLAY] = {.name = "replay", .surface = PERSON, .person = SIM_SCRIPT_OTHER},
    [SIM_REORDERED] = {.name = "reordered", .surface = PERSON, .person = SIM_SCRIPT_REORDERED},
    [SIM_EARLY] = {.name = "early", .surface = PERSON, .person = PLAN, .early = true},
    [SIM_SWAP] = {.name = "swap", .surface = PERSON, .person = PLAN, .swap = true},
    [SIM_LOOP] = {.name = "loop", .surface = PERSON, .stream = SIM_STREAM_LOOP, .answer = SIM_FLASH_NONE},
    [SIM_FROZEN] = {.name = "frozen", .surface = PERSON, .person = PLAN, .stream = SIM_STREAM_FROZEN},
    [SIM_INTERPOLATED] = {.name = "interpolated",
                          .surface = PERSON,
                          .person = PLAN,
                          .stream = SIM_STREAM_INTERPOLATED,
                          .answer = SIM_FLASH_NONE},
    [SIM_UPLOADED] = {.name = "uploaded",
                      .surface = PERSON,
                      .person = SIM_SCRIPT_OTHER,
                      .stream = SIM_STREAM_FILE,
                      .answer = SIM_FLASH_NONE},
    [SIM_PUPPET_UNLIT] = {.name = "puppet_unlit", .surface = PERSON, .person = PLAN, .answer = SIM_FLASH_NONE},
    [SIM_PUPPET_TINTED] = {.name = "puppet_tinted", .surface = PERSON, .person = PLAN, .answer = SIM_FLASH_IMITATED},
};

static const char *const nuisances[SIM_NUISANCE_COUNT] = {
    "dim",    "bright", "backlit", "dark",    "far",  "low_rate", "drops",
    "jitter", "shaky",  "glasses", "partial", "slow", "noisy",
};

const char *sim_what_name(sim_what what)
{
    return sim_recipes[what].name;
}

bool sim_what_from_name(const char *name, sim_what *ret)
{
    for (int i = 0; i < SIM_WHAT_COUNT; i++) {
        if (strcmp(sim_recipes[i].name, name) == 0) {
            *ret = (sim_what)i;
            return true;
        }
    }
    return false;
}

const char *sim_nuisance_name(int bit)
{
    return nuisances[bit];
}

bf_status sim_make_plan(int steps, bf_flash_form flash, uint64_t seed, bf_plan *ret, bf_error *err)
{
    steps = steps < PLAN_STEPS_MOST ? steps : PLAN_STEPS_MOST;
    bf_plan_wish wish = {.attempt = 1, .steps_min = steps, .steps_max = steps, .flash = flash};
    uint8_t bytes[BF_PLAN_RANDOM_SIZE];
    sim_random random = sim_random_from(seed, 51);
    for (int i = 0; i < BF_PLAN_NONCE_HEX; i++)
        wish.nonce[i] = "0123456789abcdef"[sim_below(&random, 16)];
    for (int i = 0; i < BF_PLAN_RANDOM_SIZE; i++)
        bytes[i] = (uint8_t)sim_random_next(&random);
    return bf_plan_make(&wish, bytes, ret, err);
}
