// The whole of a suite program's main: muster_sdk_main calls it, and an author's own main may.
#ifndef MUSTER_SUITES_SDK_RUN_SUITE_H_
#define MUSTER_SUITES_SDK_RUN_SUITE_H_

namespace muster::sdk {

// Reads the MUSTER_* variables, runs the tests they name and reports. Exit status: 0 nothing failed, 1 something did, 3
// the environment is not understood. In OCPTV mode standard output is the report's alone: what tests print there goes
// to standard error.
int RunSuite(int argc, char** argv);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_RUN_SUITE_H_
