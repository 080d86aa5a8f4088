#include "include/CSepalKernels.h"
int CSepalKernels_placeholder(void) { return 0; }
