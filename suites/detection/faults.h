// The faults that physical cases can make by themselves, and what each case must say of its own: the table behind the
// suite detection and docs/detection.md.
#ifndef MUSTER_SUITES_DETECTION_FAULTS_H_
#define MUSTER_SUITES_DETECTION_FAULTS_H_

#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"

namespace muster::detection {

struct Fault {
  std::string suite;
  // As the suite's manifest has it; the suite detection has a case of the same name, which its manifest lists too.
  std::string case_name;
  // For a reader: "bit 77 of vector 123456 flipped once".
  std::string fault;
  // A JSON object over the manifest's defaults and over what detection_cases.cc gives all: the injection, and a floor
  // where the fault shows as a rate.
  std::string parameters;
  // Each must be in what the failed case says: the fault's kind and its place.
  std::vector<std::string> words;
  int level = 1;
  // Whose devices show such a fault; VENDOR_UNSPECIFIED: every vendor's.
  v1::Vendor vendor = v1::VENDOR_UNSPECIFIED;
};

// Grouped by case.
const std::vector<Fault>& Faults();

}  // namespace muster::detection

#endif  // MUSTER_SUITES_DETECTION_FAULTS_H_
