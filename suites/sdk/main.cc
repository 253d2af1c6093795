// main() of a suite program: link muster_sdk_main and write tests.
#include "suites/sdk/run_suite.h"

int main(int argc, char** argv) { return muster::sdk::RunSuite(argc, argv); }
