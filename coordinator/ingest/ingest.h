// Takes an attempt's events in: each once, in order, none invented.
//
// Per attempt there is one high-water mark. The event after it is taken and moves it; a lower number is a duplicate, a
// higher one a gap: both are dropped, and the ack tells the agent where to go on. Measurements, logs and artifacts go
// straight into the batch as rows; what changes the attempt goes to the sink. A superseded attempt's events are taken
// like any other's.
#ifndef MUSTER_COORDINATOR_INGEST_INGEST_H_
#define MUSTER_COORDINATOR_INGEST_INGEST_H_

#include <cstdint>

#include "coordinator/schedule/run_record.h"
#include "coordinator/store/store.h"
#include "muster/v1/agent_service.pb.h"

namespace muster::coordinator {

class IngestSink {
 public:
  virtual ~IngestSink() = default;
  // Where rows go.
  virtual WriteBatch& batch() = 0;
  virtual void OnMeasurement(const AttemptRecord& attempt, const v1::Measurement& measurement) = 0;
  // The attempt's list of running cases is up to date already.
  virtual void OnCaseStarted(AttemptRecord& attempt) = 0;
  virtual void OnCaseFinished(AttemptRecord& attempt, v1::CaseResult result) = 0;
  // The attempt holds fate, detail and exit already.
  virtual void OnJobFinished(AttemptRecord& attempt) = 0;
};

struct Ingested {
  uint64_t taken = 0;
  uint64_t duplicates = 0;
  uint64_t after_gap = 0;
  uint64_t measurements = 0;
};

// A case with more results than its job has cases to report is cut off here, per attempt.
inline constexpr size_t kMaxResults = 20'000;
// A protocol's bound on events in a batch.
inline constexpr int kMaxEventsInBatch = 1'024;

// Moves out of `events` what is taken.
Ingested Ingest(v1::EventBatch& events, AttemptRecord& attempt, IngestSink& sink);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_INGEST_INGEST_H_
