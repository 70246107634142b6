#include "dataset/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/error.h"

#define TEXT_SIZE 512

static void add(bf_problems *problems, bool error, uint64_t row, const char *text)
{
    if (error)
        problems->errors++;
    else
        problems->warnings++;
    if ((error ? problems->errors : problems->warnings) > BF_PROBLEMS_KEPT_MAX)
        return;
    if (problems->count == problems->capacity) {
        size_t capacity = problems->capacity ? problems->capacity * 2 : 16;
        bf_problem *grown = bf_realloc(problems->problem, capacity * sizeof *grown);
        if (!grown) {
            problems->incomplete = true;
            return;
        }
        problems->problem = grown;
        problems->capacity = capacity;
    }
    char *copy = bf_strdup(text);
    if (copy)
        problems->problem[problems->count++] = (bf_problem){error, row, copy};
    else
        problems->incomplete = true;
}

void bf_problems_error(bf_problems *problems, uint64_t row, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add(problems, true, row, text);
}

void bf_problems_warn(bf_problems *problems, uint64_t row, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add(problems, false, row, text);
}

/* Insertion from behind: findings come almost in order, since rows are looked at in order. */
void bf_problems_sort(bf_problems *problems)
{
    for (size_t i = 1; i < problems->count; i++) {
        bf_problem moved = problems->problem[i];
        size_t at = i;
        for (; at > 0 && problems->problem[at - 1].row > moved.row; at--)
            problems->problem[at] = problems->problem[at - 1];
        problems->problem[at] = moved;
    }
}

void bf_problems_done(bf_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        bf_free(problems->problem[i].text);
    bf_free(problems->problem);
    *problems = (bf_problems){0};
}

bf_status bf_problems_status(const bf_problems *problems, const char *name, bf_error *err)
{
    if (problems->incomplete)
        return bf_fail_memory(err);
    if (problems->errors == 0)
        return BF_OK;
    size_t first = 0;
    while (!problems->problem[first].error && first + 1 < problems->count)
        first++;
    const bf_problem *problem = &problems->problem[first];
    char row[32] = "";
    if (problem->row > 0)
        (void)snprintf(row, sizeof row, ", row %llu", (unsigned long long)problem->row);
    (void)bf_fail(err, BF_INVALID_ARGUMENT, "%.100s%s: %.180s", name, row, problem->text);
    if (problems->errors > 1)
        bf_fail_hint(err, "'bonafide dataset validate' names this and %zu more.", problems->errors - 1);
    return BF_INVALID_ARGUMENT;
}
