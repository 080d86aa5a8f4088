#pragma once

#include <stdbool.h>
#include <stddef.h>

// Whether this build counts: with glibc, where a program may define the allocation functions itself, and without a
// sanitizer that does so already.
bool allocation_counter_works(void);

// Allocations that the calling thread has made so far.
size_t allocation_count(void);
