/* Ending long work on Ctrl-C or SIGTERM after what is under way, so that what was done is kept. */
#ifndef BF_CLI_INTERRUPT_H
#define BF_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on both signals are remembered; a second one ends the program at once. */
void cli_interrupt_catch(void);
bool cli_interrupted(void);

#endif
