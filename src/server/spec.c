#include "server/spec.h"

#include "server/docs.inc"
#include "server/openapi.inc"
