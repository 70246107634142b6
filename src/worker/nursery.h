/* The process that workers are born in. */
#ifndef BF_WORKER_NURSERY_H
#define BF_WORKER_NURSERY_H

/* Where the program finds the socket when it is run as `bonafide nursery`. */
#define BF_NURSERY_FD 3

/* Runs a nursery on the socket `control_fd` until its other end is closed; returns the exit code. Called by the
 * program's hidden command `nursery`, in a process that has no other thread. */
int bf_nursery_run(int control_fd);

#endif
