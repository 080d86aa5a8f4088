#pragma once

#include <stddef.h>

// Does at least `operations` floating-point operations, as multiply-adds of vectors of so many floats that never leave
// their registers, and returns how many it did. Multiplying and adding are two instructions here where they are for the
// kernels of that width.
double bench_multiply_adds(size_t vector_width, double operations);
