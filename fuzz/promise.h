/* What a fuzzed piece of code promises, by its words. */
#ifndef FUZZ_PROMISE_H
#define FUZZ_PROMISE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program, which the fuzzer takes for a finding, when the promise was not kept. */
static inline void promise(bool kept, const char *what)
{
    if (kept)
        return;
    (void)fprintf(stderr, "broken promise: %s\n", what);
    abort();
}

#endif
