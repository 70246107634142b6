/* Ends the program when a writer of test images cannot do its work. */
#ifndef TEST_SUPPORT_MUST_H
#define TEST_SUPPORT_MUST_H

#include <stdbool.h>

void test_must(bool ok, const char *what);

#endif
