#include "store/queue.h"

void bf_queue_push(bf_queue *queue, bf_request *request)
{
    request->next = NULL;
    request->previous = queue->last;
    if (queue->last)
        queue->last->next = request;
    else
        queue->first = request;
    queue->last = request;
    queue->count++;
}

void bf_queue_push_front(bf_queue *queue, bf_request *request)
{
    request->previous = NULL;
    request->next = queue->first;
    if (queue->first)
        queue->first->previous = request;
    else
        queue->last = request;
    queue->first = request;
    queue->count++;
}

void bf_queue_remove(bf_queue *queue, bf_request *request)
{
    if (request->previous)
        request->previous->next = request->next;
    else
        queue->first = request->next;
    if (request->next)
        request->next->previous = request->previous;
    else
        queue->last = request->previous;
    request->next = NULL;
    request->previous = NULL;
    queue->count--;
}

bf_request *bf_queue_pop(bf_queue *queue)
{
    bf_request *first = queue->first;
    if (first)
        bf_queue_remove(queue, first);
    return first;
}
