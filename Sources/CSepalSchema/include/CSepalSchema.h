#include "sepal.pb-c.h"
