#include "include/CSepalSchema.h"
int CSepalSchema_placeholder(void) { return 0; }
