#include "server/web.h"

#include <string.h>
#include <strings.h>

#define BF_WEB_FILE(path, type, tag, bytes, size, packed, packed_size)                                                 \
    {path, type, tag, bytes, size, packed, packed_size},
static const bf_web_file FILES[] = {
#include "web/web_files.inc"
};

#define DEMO "/demo/"
#define PUBLIC "/capture/"

const bf_route BF_WEB_ROUTE = {.operation = "web", .method = "GET", .path = "/", .credential = BF_CREDENTIAL_NONE};

const char BF_WEB_POLICY[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob: mediastream:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

const bf_web_file *bf_web_find(const char *target, bool demo)
{
    size_t size = strcspn(target, "?");
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        const char *path = FILES[i].path;
        bool hidden = !demo && strncmp(path, DEMO, sizeof DEMO - 1) == 0;
        if (!hidden && strlen(path) == size && memcmp(path, target, size) == 0)
            return &FILES[i];
    }
    return NULL;
}

bool bf_web_is_public(const bf_web_file *file)
{
    return strncmp(file->path, PUBLIC, sizeof PUBLIC - 1) == 0;
}

/* "gzip" as a word of its own, and not refused by "q=0". Whoever writes it in another way gets the file as it is. */
bool bf_web_accepts_gzip(const char *accepted)
{
    while (accepted && *accepted) {
        accepted += strspn(accepted, " \t,");
        size_t size = strcspn(accepted, ",");
        size_t name = strcspn(accepted, ",; \t");
        if (name == 4 && strncasecmp(accepted, "gzip", 4) == 0)
            return size == name || !memchr(accepted + name, '0', size - name);
        accepted += size;
    }
    return false;
}

bool bf_web_is_fresh(const bf_web_file *file, const char *known)
{
    const char *at = known ? strstr(known, file->tag) : NULL;
    return at && at > known && at[-1] == '"' && at[strlen(file->tag)] == '"';
}
