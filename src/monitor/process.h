/* What the process itself takes, under the names that Prometheus' own clients use. Workers are not counted. */
#ifndef BF_MONITOR_PROCESS_H
#define BF_MONITOR_PROCESS_H

/* Each is negative when the system does not tell. */
typedef struct bf_process_facts {
    double cpu_s;    /* user and system */
    double memory;   /* resident, bytes */
    double open_fds; /* descriptors */
    double max_fds;
    double start_s; /* since 1970 */
} bf_process_facts;

void bf_process_look(bf_process_facts *ret);

#endif
