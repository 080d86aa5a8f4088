#include "vector.h"

#include "activation.h"

#include "gemm.h"

#include "pack.h"

#include "convolve.h"

#include "winograd.h"

#include "window.h"

#include "depthwise.h"

#include "pool.h"

#include "elementwise.h"

#include "peak.h"

#include "table.h"
