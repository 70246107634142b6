#include <string.h>

#include "access/keys.h"

static const struct {
    bf_access_role role;
    const char *name;
} ROLES[] = {
    {BF_ACCESS_INTEGRATOR, "integrator"}, {BF_ACCESS_REVIEWER, "reviewer"}, {BF_ACCESS_AUDITOR, "auditor"},
    {BF_ACCESS_OPERATOR, "operator"},     {BF_ACCESS_PERSON, "person"},
};
#define ROLE_COUNT (sizeof ROLES / sizeof *ROLES)

const char *bf_access_role_name(bf_access_role role)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (ROLES[i].role == role)
            return ROLES[i].name;
    }
    return "unknown";
}

bool bf_access_role_from_name(const char *name, bf_access_role *ret)
{
    for (size_t i = 0; name && i < ROLE_COUNT; i++) {
        if (strcmp(ROLES[i].name, name) == 0) {
            *ret = ROLES[i].role;
            return true;
        }
    }
    return false;
}
