/* The operations of the API and their addresses: tables generated from api/openapi.yaml. */
#ifndef BF_SERVER_ROUTE_H
#define BF_SERVER_ROUTE_H

#include "access/access.h"
#include "server/schema.h"

typedef enum bf_credential {
    BF_CREDENTIAL_NONE,
    BF_CREDENTIAL_KEY,  /* an API key */
    BF_CREDENTIAL_TOKEN /* a session's client token */
} bf_credential;

typedef struct bf_route {
    const char *operation; /* "session_get"; NULL ends the table */
    const char *method;
    const char *path; /* "/v1/sessions/{id}": at most one parameter */
    bf_credential credential;
    unsigned roles;             /* bf_access_role of those who may */
    const bf_schema *parameter; /* of the path; NULL: none */
    const bf_schema *query;     /* an object; NULL: there is no query */
    const bf_schema *body;      /* an object; NULL: there is no body */
    bool raw;                   /* the body may be a capture itself */
} bf_route;

extern const bf_route BF_ROUTES[];

#define BF_TARGET_BYTES_MAX 2048
#define BF_PARAMETER_SIZE 80

/* What a request's target names. */
typedef struct bf_target {
    const bf_route *route;
    char parameter[BF_PARAMETER_SIZE]; /* decoded and checked; "" without one */
    const char *query;                 /* what follows the "?", within the target; NULL: none */
} bf_target;

/* Finds the operation. INVALID_REQUEST for a target that is no plain absolute path; NOT_FOUND; METHOD_NOT_ALLOWED with
 * the methods that are in *ret_allowed ("GET, DELETE"). `target` is kept by *ret->query. Untrusted text. */
#define BF_ALLOWED_SIZE 32
bf_status bf_route_find(const char *method, const char *target, bf_target *ret, char ret_allowed[BF_ALLOWED_SIZE],
                        bf_error *err);

/* The query of the target as an object, checked; NULL where the route takes none. The caller releases *ret. */
bf_status bf_route_query(const bf_target *target, json_t **ret, bf_error *err);

#endif
