// Reads what a program reports in one of the result formats and writes it into the job's case book. One for each
// format.
#ifndef MUSTER_AGENT_EXECUTOR_RESULT_READER_H_
#define MUSTER_AGENT_EXECUTOR_RESULT_READER_H_

#include <functional>
#include <string_view>

#include "agent/executor/case_book.h"
#include "base/event_loop.h"
#include "muster/v1/event.pb.h"

namespace muster::agent {

class ResultReader {
 public:
  // Text for one of the job's logs.
  using Log = std::function<void(v1::LogStream stream, std::string_view text)>;

  virtual ~ResultReader() = default;
  // The program runs from now.
  virtual void Begin(base::Time now) {}
  // Bytes of standard output, cut anywhere.
  virtual void TakeStdout(std::string_view bytes, base::Time now) = 0;
  // Standard output has ended and so has the program: reads what there is to read of files, and says what is open or
  // missing. CaseBook::End follows.
  virtual void End(const ProgramEnd& end, base::Time now) = 0;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_RESULT_READER_H_
