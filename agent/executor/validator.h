// Evaluates OCPTV validators as the specification words them: the measured value is the left operand, both sides must
// be of one type, and what is not defined (an ordering of texts, a set of truths, an invalid expression) is
// unsupported, never false.
#ifndef MUSTER_AGENT_EXECUTOR_VALIDATOR_H_
#define MUSTER_AGENT_EXECUTOR_VALIDATOR_H_

#include <string>

#include "google/protobuf/struct.pb.h"
#include "muster/v1/ocptv.pb.h"

namespace muster::agent {

struct Validation {
  enum Result { kHolds, kViolated, kUnsupported };
  Result result = kHolds;
  std::string text;  // "3.2 LESS_THAN 3" when violated, why when unsupported; empty when it holds.
};

// Regular expressions are RE2's and match anywhere in the text. Against an array of them: REGEX_MATCH holds when any
// matches, REGEX_NO_MATCH when none does.
Validation Validate(const google::protobuf::Value& measured, const v1::ocptv::Validator& validator);

// "3.2", "\"ok\"", "[1,2]".
std::string JsonText(const google::protobuf::Value& value);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_VALIDATOR_H_
