// What is loaded from a file: compiled to a fat binary, never linked.
#include "suites/physical/api.kernels.h"
