/* Files that hold one secret as a line of text, such as the service's keys. */
#ifndef BF_BASE_SECRET_FILE_H
#define BF_BASE_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"

#define BF_SECRET_TEXT_SIZE 256

/* Writes the text of a new secret, with its NUL. */
typedef bf_status bf_secret_text_fn(const void *context, char ret[BF_SECRET_TEXT_SIZE], bf_error *err);

/* Reads the file, which must be ours or root's and closed to everybody else; a group may read root's, as orchestrators
 * and packages keep secrets. A file that is not there is made with mode 0600 and what `make` writes (NULL: it is not
 * made); of several processes that make it at once, all read the same. `what` names the secret in messages. The caller
 * wipes *ret_text, whose *ret_size bytes no NUL follows; a file that is too long fills it. IO_ERROR, CONFIG_INVALID,
 * OUT_OF_MEMORY, and what `make` returns. */
bf_status bf_secret_file_read(const char *path, const char *what, bf_secret_text_fn *make, const void *context,
                              char ret_text[BF_SECRET_TEXT_SIZE], size_t *ret_size, bf_error *err);

/* Clean-up helper: wipes such a text. */
void bf_secret_text_wipe(char (*text)[BF_SECRET_TEXT_SIZE]);

/* Syncs the folder in which `path` stands, so that the name of a new file is not lost with the power. */
bool bf_sync_folder_of(const char *path);

#endif
