#include "store/statements.h"

#define PLACES (sizeof((bf_statements *)0)->place / sizeof(bf_statement))

bf_statement *bf_statements_find(bf_statements *statements, const char *sql)
{
    uint64_t mixed = (uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(mixed >> 32) % PLACES;
    while (statements->place[at].sql && statements->place[at].sql != sql)
        at = (at + 1) % PLACES;
    return &statements->place[at];
}
