/* The files that a command works through: names as given, and what lies in folders. */
#ifndef BF_CLI_FILES_H
#define BF_CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"

#define CLI_FILES_MAX 1000000
#define CLI_FOLDER_DEPTH_MAX 32

/* What is taken out of folders. */
typedef enum cli_files_kind {
    CLI_FILES_PHOTOS,   /* photos */
    CLI_FILES_CAPTURES, /* photos, videos, capture files, and folders with a capture.json, each as one capture */
    CLI_FILES_FRAMES    /* as CAPTURES, and each folder that is named is one capture itself */
} cli_files_kind;

typedef struct cli_files {
    cli_files_kind kind;
    char **path; /* in the order given; what a folder holds is sorted by name */
    size_t count, capacity;
} cli_files;

/* Adds a file, "-" for standard input, or everything below a folder whose name ends like a photo's (.jpg .jpeg .png
 * .webp .heic .heif) or, by kind, like a video's (.mp4 .m4v .mov .webm .mkv) or a capture file's (.capture); folders
 * that are a capture are added as such, see cli/bundle.h. Names that begin with a dot and links to folders are passed
 * over. What does not exist is added too: it becomes an error of its own. INVALID_ARGUMENT: "-" twice, or too many
 * files. IO_ERROR: a folder that cannot be read, is too deep, or holds nothing of it. */
bf_status cli_files_add(cli_files *files, const char *path, bf_error *err);
void cli_files_done(cli_files *files);

#endif
