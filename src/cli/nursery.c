/* bonafide nursery: the process that the server starts for judging, and forks its workers from. Not for people, and not
 * listed. */
#include <stdio.h>
#include <sys/socket.h>

#include "cli/commands.h"
#include "worker/nursery.h"

int cli_nursery(void)
{
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(BF_NURSERY_FD, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        (void)fprintf(stderr, "bonafide nursery: is started by 'bonafide serve' only.\n");
        return CLI_USAGE;
    }
    return bf_nursery_run(BF_NURSERY_FD);
}
