// Signals as requests of the user: see Interrupt in environment.h.
//
// Process-wide: handlers are installed with the first call and only note what came. Until then signals do what they
// always do.
#ifndef MUSTER_CLI_INTERRUPTS_H_
#define MUSTER_CLI_INTERRUPTS_H_

#include "cli/environment.h"

namespace muster::cli {

// The oldest interrupt that was not taken; one thread.
Interrupt TakeInterrupt();

}  // namespace muster::cli

#endif  // MUSTER_CLI_INTERRUPTS_H_
