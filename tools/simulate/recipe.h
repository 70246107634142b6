/* What each simulated presentation is made of. */
#ifndef SIM_RECIPE_H
#define SIM_RECIPE_H

#include "simulate/light.h"
#include "simulate/simulate.h"

typedef enum sim_surface { SIM_SURFACE_PERSON, SIM_SURFACE_PRINT, SIM_SURFACE_DISPLAY } sim_surface;
typedef enum sim_script { SIM_SCRIPT_NONE, SIM_SCRIPT_PLAN, SIM_SCRIPT_OTHER, SIM_SCRIPT_REORDERED } sim_script;
typedef enum sim_stream {
    SIM_STREAM_PLAIN,
    SIM_STREAM_LOOP,
    SIM_STREAM_FROZEN,
    SIM_STREAM_INTERPOLATED,
    SIM_STREAM_FILE
} sim_stream;

typedef struct sim_recipe {
    const char *name;
    sim_surface surface;
    sim_script person; /* what the person does, who is there or on the display */
    sim_script sheet;  /* what is done with print or display */
    double hand;       /* 0 on a stand, 1 held */
    double sway_deg;   /* print or display: how far it is turned to and fro, to look alive */
    float bend;        /* radians */
    sim_flash_answer answer;
    sim_stream stream;
    bool early, swap;
} sim_recipe;

extern const sim_recipe sim_recipes[SIM_WHAT_COUNT];

#endif
