// A suite program run from outside, as an agent would: its OCPTV lines, read back with muster.v1.ocptv and no leniency.
#ifndef MUSTER_SUITES_SDK_TESTING_PROGRAM_RUN_H_
#define MUSTER_SUITES_SDK_TESTING_PROGRAM_RUN_H_

#include <map>
#include <string>
#include <vector>

#include "muster/v1/ocptv.pb.h"

namespace muster::sdk::testing {

struct Step {
  std::string status;
  std::vector<v1::ocptv::Measurement> measurements;
  std::vector<v1::ocptv::Diagnosis> diagnoses;
  std::vector<v1::ocptv::Error> errors;
  std::vector<v1::ocptv::Log> logs;
};

struct ProgramRun {
  int exit_status = -1;
  std::vector<v1::ocptv::Root> lines;
  v1::ocptv::TestRunStart start;
  v1::ocptv::TestRunEnd end;
  std::vector<v1::ocptv::Error> run_errors;
  // By name of the case.
  std::map<std::string, Step> steps;
};

// Runs `program` with `variables` ("NAME=value") and nothing else in its environment but PATH, MUSTER_OUTPUT=ocptv and,
// where they do not say so, no drivers for Level Zero.
// Fails the calling test where a line breaks a rule of the format: not JSON, unknown fields, numbers not dense from 0,
// a step that does not end, a reference to nothing.
ProgramRun RunProgram(const std::string& program, const std::vector<std::string>& variables);

// Exit status and all of standard output, with `variables` alone.
std::pair<int, std::string> RunForText(const std::string& program, const std::vector<std::string>& variables,
                                       const std::vector<std::string>& arguments);

}  // namespace muster::sdk::testing

#endif  // MUSTER_SUITES_SDK_TESTING_PROGRAM_RUN_H_
