// The self-test of JUnit results. `--junit=FILE` says where to write; MUSTER_CASES what to run.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <string>

int main(int argc, char** argv) {
  const std::string argument = argc > 1 ? argv[1] : "";
  const char* const given = getenv("MUSTER_CASES");
  const std::string cases = std::string(",") + (given == nullptr ? "passes,skipped" : given) + ",";
  const auto chosen = [&cases](const char* name) {
    return cases.find(std::string(",") + name + ",") != std::string::npos;
  };
  if (argument.rfind("--junit=", 0) != 0 || chosen("no-file")) return 0;
  if (chosen("crashes")) raise(SIGSEGV);
  FILE* const file = fopen(argument.substr(8).c_str(), "w");
  if (file == nullptr) return 99;
  fputs("<?xml version=\"1.0\"?>\n<testsuites><testsuite name=\"selftest\">\n", file);
  if (chosen("passes")) fputs("<testcase name=\"passes\" classname=\"selftest\" time=\"0.001\"/>\n", file);
  if (chosen("skipped"))
    fputs("<testcase name=\"skipped\"><skipped message=\"needs what no machine has\"/></testcase>\n", file);
  if (chosen("fails")) fputs("<testcase name=\"fails\"><failure message=\"on purpose\"/></testcase>\n", file);
  if (chosen("errs")) fputs("<testcase name=\"errs\"><error message=\"no tool\"/></testcase>\n", file);
  fputs("</testsuite></testsuites>\n", file);
  fclose(file);
  return chosen("fails") || chosen("errs") ? 1 : 0;
}
