#include "include/CONNXSchema.h"
int CONNXSchema_placeholder(void) { return 0; }
