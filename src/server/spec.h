/* The API's description and its readable reference, generated from api/openapi.yaml. */
#ifndef BF_SERVER_SPEC_H
#define BF_SERVER_SPEC_H

extern const char BF_OPENAPI_JSON[];
extern const char BF_DOCS_HTML[];
extern const char BF_DOCS_POLICY[]; /* the page's Content-Security-Policy: its own style, nothing else */

#endif
