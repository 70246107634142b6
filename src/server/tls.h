/* The server's certificate, changed while it runs. */
#ifndef BF_SERVER_TLS_H
#define BF_SERVER_TLS_H

#include <stdint.h>

#include "bonafide/status.h"

/* TLS 1.2 and 1.3 only. */
#define BF_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

/* Reads certificate chain and key (PEM) and uses them for connections from now on; what was used before stays valid for
 * handshakes under way. CONFIG_INVALID (the key is not the certificate's, or a file is no PEM), IO_ERROR,
 * OUT_OF_MEMORY; the old pair stays then. One pair in the process: the HTTP library's hook has no room for more. */
bf_status bf_tls_load(const char *certificate_path, const char *key_path, bf_error *err);
void bf_tls_unload(void); /* when no connection is left */

/* When the certificate in use ends, in seconds since 1970; 0 when there is none. */
int64_t bf_tls_expires_s(void);
/* Since when it is valid. */
int64_t bf_tls_begins_s(void);

/* The hook for MHD_OPTION_HTTPS_CERT_CALLBACK. */
void *bf_tls_hook(void);

#endif
