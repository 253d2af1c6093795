// The methods of ControlService that answer with a stream.
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "coordinator/api/control_service.h"
#include "coordinator/api/run_lookup.h"
#include "coordinator/api/run_watcher.h"
#include "coordinator/report/junit.h"
#include "coordinator/report/ocptv.h"
#include "coordinator/report/run_json.h"

namespace muster::coordinator {
namespace {

constexpr size_t kChunkBytes = 64 << 10;

// Hands out a text in chunks.
template <typename Response>
typename PullStream<Response>::Next InChunks(std::string text) {
  return [text = std::move(text), offset = size_t{0}](Response& response) mutable -> absl::StatusOr<Pull> {
    if (offset >= text.size()) return Pull::kEnd;
    response.set_data(text.substr(offset, kChunkBytes));
    offset += kChunkBytes;
    return Pull::kMessage;
  };
}

absl::StatusOr<std::string> Render(RunReport report, v1::ReportFormat format) {
  switch (format) {
    case v1::REPORT_FORMAT_JUNIT:
      return JunitXml(report);
    case v1::REPORT_FORMAT_OCPTV:
      return OcptvLines(report);
    case v1::REPORT_FORMAT_JSON:
      return RunJson(std::move(report));
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("expected the report format JUNIT, OCPTV or JSON, found number ", static_cast<int>(format)));
  }
}

// Reads one attempt's log, page by page; with `follow` until the attempt has ended.
class LogReader {
 public:
  LogReader(Store& store, JobFiles& files, const v1::ReadLogRequest& request, std::string job_id)
      : store_(store), files_(files), request_(request), job_id_(std::move(job_id)) {}

  absl::StatusOr<Pull> Next(v1::ReadLogResponse& response) {
    while (true) {
      while (next_ < page_.chunks.size()) {
        v1::LogChunk& chunk = page_.chunks[next_++];
        if (request_.stream() != v1::LOG_STREAM_UNSPECIFIED && chunk.stream() != request_.stream()) continue;
        *response.mutable_chunk() = std::move(chunk);
        return Pull::kMessage;
      }
      ASSIGN_OR_RETURN(const bool may_grow, MayGrow());
      if (attempt_ != 0) {
        const uint64_t position = page_.next_position;
        ASSIGN_OR_RETURN(page_, files_.ReadLog(job_id_, attempt_, position, 4 * kChunkBytes));
        next_ = 0;
        if (page_.next_position != position) continue;
      }
      return may_grow && request_.follow() ? Pull::kLater : Pull::kEnd;
    }
  }

 private:
  // Asked before the page is read, so that nothing is missed. Takes the newest attempt when none is asked for.
  absl::StatusOr<bool> MayGrow() {
    ASSIGN_OR_RETURN(const v1::Job job, store_.ReadJob(job_id_));
    if (attempt_ == 0) {
      attempt_ = request_.attempt() != 0  ? request_.attempt()
                 : job.attempts().empty() ? 0
                                          : job.attempts().rbegin()->ref().attempt();
    }
    for (const v1::Attempt& attempt : job.attempts()) {
      if (attempt.ref().attempt() == attempt_) return attempt.fate() == v1::FATE_UNSPECIFIED;
    }
    if (request_.attempt() != 0) {
      return absl::NotFoundError(absl::StrCat("job ", job_id_, " has no attempt ", request_.attempt()));
    }
    return job.state() != v1::JOB_STATE_FINISHED;
  }

  Store& store_;
  JobFiles& files_;
  const v1::ReadLogRequest request_;
  const std::string job_id_;
  uint32_t attempt_ = 0;
  LogPage page_;
  size_t next_ = 0;
};

}  // namespace

template <typename Response>
grpc::ServerWriteReactor<Response>* ControlService::Pulled(Context* context,
                                                           std::function<void(PullStream<Response>& stream)> prepare) {
  auto* stream = new PullStream<Response>(parts_.workers, parts_.runner.loop());
  if (const auto caller = parts_.authorizer.Require(*context, v1::ROLE_VIEWER); !caller.ok()) {
    stream->Fail(caller.status());
  } else if (!parts_.workers.TryPost([stream, prepare = std::move(prepare)] { prepare(*stream); })) {
    stream->Fail(BusyStatus());
  }
  return stream;
}

grpc::ServerWriteReactor<v1::RunUpdate>* ControlService::WatchRun(Context* context,
                                                                  const v1::WatchRunRequest* request) {
  const std::shared_ptr<RunWatcher> watcher = RunWatcher::Make(parts_.feed, parts_.workers);
  if (const auto caller = parts_.authorizer.Require(*context, v1::ROLE_VIEWER); !caller.ok()) {
    watcher->End(caller.status());
  } else if (!parts_.workers.TryPost([this, watcher, text = request->run_id()] {
               const absl::StatusOr<std::string> run_id = ResolveRun(parts_.store, text);
               if (run_id.ok()) {
                 watcher->Watch(*run_id);
               } else {
                 watcher->End(run_id.status());
               }
             })) {
    watcher->End(BusyStatus());
  }
  return watcher.get();
}

grpc::ServerWriteReactor<v1::ReadLogResponse>* ControlService::ReadLog(Context* context,
                                                                       const v1::ReadLogRequest* request) {
  return Pulled<v1::ReadLogResponse>(context, [this, request](PullStream<v1::ReadLogResponse>& stream) {
    absl::StatusOr<std::string> job_id = ResolveJob(parts_.store, request->job_id());
    if (!job_id.ok()) {
      stream.Fail(job_id.status());
      return;
    }
    auto reader = std::make_shared<LogReader>(parts_.store, parts_.files, *request, *std::move(job_id));
    stream.Begin([reader](v1::ReadLogResponse& response) { return reader->Next(response); });
  });
}

grpc::ServerWriteReactor<v1::ReadArtifactResponse>* ControlService::ReadArtifact(
    Context* context, const v1::ReadArtifactRequest* request) {
  return Pulled<v1::ReadArtifactResponse>(context, [this, request](PullStream<v1::ReadArtifactResponse>& stream) {
    const auto find = [this, request]() -> absl::StatusOr<v1::JobRef> {
      v1::JobRef ref;
      ASSIGN_OR_RETURN(*ref.mutable_job_id(), ResolveJob(parts_.store, request->job_id()));
      ASSIGN_OR_RETURN(const v1::Job job, parts_.store.ReadJob(ref.job_id()));
      const uint32_t newest = job.attempts().empty() ? 1 : job.attempts().rbegin()->ref().attempt();
      ref.set_attempt(request->attempt() != 0 ? request->attempt() : newest);
      return ref;
    };
    const absl::StatusOr<v1::JobRef> found = find();
    if (!found.ok()) {
      stream.Fail(found.status());
      return;
    }
    stream.Begin([this, ref = *found, name = request->name(),
                  offset = uint64_t{0}](v1::ReadArtifactResponse& response) mutable -> absl::StatusOr<Pull> {
      ASSIGN_OR_RETURN(*response.mutable_data(),
                       parts_.files.ReadArtifact(ref.job_id(), ref.attempt(), name, offset, kChunkBytes));
      offset += response.data().size();
      return response.data().empty() ? Pull::kEnd : Pull::kMessage;
    });
  });
}

void ControlService::WithReport(const std::string& run, std::function<void(absl::StatusOr<RunReport> report)> use) {
  const auto read = [this, &run]() -> absl::StatusOr<RunReport> {
    ASSIGN_OR_RETURN(const std::string run_id, ResolveRun(parts_.store, run));
    return ReadReport(parts_.store, run_id);
  };
  absl::StatusOr<RunReport> read_report = read();
  if (!read_report.ok()) {
    use(read_report.status());
    return;
  }
  auto report = std::make_shared<RunReport>(*std::move(read_report));
  AskCore(
      [report](Core& core, base::Time) {
        std::set<std::string> names;
        for (const v1::Job& job : report->stored.jobs) names.insert(job.machine());
        for (const std::string& name : names) {
          // Gone or not: the report does without.
          if (absl::StatusOr<v1::MachineStatus> status = core.FindMachine(name, Core::Detail::kBrief); status.ok()) {
            report->machines[name] = std::move(*status->mutable_machine());
          }
        }
        return absl::OkStatus();
      },
      [report, use = std::move(use)](const absl::Status& status) {
        if (status.ok()) {
          use(std::move(*report));
        } else {
          use(status);
        }
      });
}

grpc::ServerWriteReactor<v1::GetReportResponse>* ControlService::GetReport(Context* context,
                                                                           const v1::GetReportRequest* request) {
  return Pulled<v1::GetReportResponse>(context, [this, request](PullStream<v1::GetReportResponse>& stream) {
    WithReport(request->run_id(), [&stream, format = request->format()](absl::StatusOr<RunReport> report) {
      if (!report.ok()) {
        stream.Fail(report.status());
        return;
      }
      // Made at the first pull, on a worker.
      auto source = std::make_shared<RunReport>(*std::move(report));
      PullStream<v1::GetReportResponse>::Next chunks;
      stream.Begin([source, format, chunks](v1::GetReportResponse& response) mutable -> absl::StatusOr<Pull> {
        if (chunks == nullptr) {
          ASSIGN_OR_RETURN(std::string text, Render(std::move(*source), format));
          chunks = InChunks<v1::GetReportResponse>(std::move(text));
        }
        return chunks(response);
      });
    });
  });
}

}  // namespace muster::coordinator
