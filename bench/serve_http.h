/* A connection to a server on this machine: sends whole requests, reads whole answers, stays open in between. */
#ifndef BENCH_SERVE_HTTP_H
#define BENCH_SERVE_HTTP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define HTTP_ANSWER_MAX (1u << 20)
#define HTTP_TIMEOUT_S 30 /* without a byte, in either direction */

typedef struct http_connection {
    struct sockaddr_in address;
    int fd; /* -1: not connected */
    char *answer;
    size_t body_at, body_size;
} http_connection;

/* "127.0.0.1:8080"; false for every address that is not of the loopback network. */
bool http_address(const char *text, struct sockaddr_in *ret);

bool http_open(http_connection *connection, const struct sockaddr_in *address);
void http_close(http_connection *connection);

/* Sends the request and reads its answer, connecting first where that is needed. Returns the HTTP status, with the body
 * in connection->answer; 0 when the connection broke, ran out of time, or gave something that is no answer. */
int http_ask(http_connection *connection, const void *head, size_t head_size, const void *body, size_t body_size);

#endif
