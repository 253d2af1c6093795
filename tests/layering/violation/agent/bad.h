#include "coordinator/store/store.h"
