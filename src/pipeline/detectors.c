#include "pipeline/detectors.h"

#include <string.h>

/* The empty last row keeps the table well-formed whatever is registered. */
static const bf_own_detector DETECTORS[] = {
    {NULL, NULL, NULL},
};

int bf_own_detector_count(void)
{
    return (int)(sizeof DETECTORS / sizeof *DETECTORS) - 1;
}

const bf_own_detector *bf_own_detector_at(int index)
{
    return &DETECTORS[index];
}

const bf_own_detector *bf_own_detector_find(const char *name)
{
    for (int i = 0; i < bf_own_detector_count(); i++) {
        if (strcmp(DETECTORS[i].name, name) == 0)
            return &DETECTORS[i];
    }
    return NULL;
}
