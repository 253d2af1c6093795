// logs, artifacts, artifact get, report: what runs left behind.
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

absl::StatusOr<v1::LogStream> ParseStream(const std::string& text) {
  if (text.empty()) return v1::LOG_STREAM_UNSPECIFIED;
  if (text == "stderr") return v1::LOG_STREAM_STDERR;
  if (text == "stdout") return v1::LOG_STREAM_STDOUT;
  if (text == "agent") return v1::LOG_STREAM_AGENT;
  return absl::InvalidArgumentError(
      absl::StrCat("--stream expects stderr, stdout or agent, found ", base::Quoted(text)));
}

absl::StatusOr<v1::ReportFormat> ParseFormat(const std::string& text) {
  if (text == "junit") return v1::REPORT_FORMAT_JUNIT;
  if (text == "ocptv") return v1::REPORT_FORMAT_OCPTV;
  if (text == "json") return v1::REPORT_FORMAT_JSON;
  return absl::InvalidArgumentError(absl::StrCat("--format expects junit, ocptv or json, found ", base::Quoted(text)));
}

absl::Status PrintLog(Client& client, const std::string& job_id, const LogsOptions& options, v1::LogStream stream,
                      Context& context) {
  v1::ReadLogRequest request;
  request.set_job_id(job_id);
  request.set_attempt(options.attempt);
  request.set_stream(stream);
  request.set_follow(options.follow);
  const bool terminal = context.environment().out_is_terminal;
  return client.ReadLog(request, [&](const v1::LogChunk& chunk) {
    context.out() << (terminal ? SanitizeLog(chunk.data()) : chunk.data()) << std::flush;
    return context.out().good() ? absl::OkStatus() : absl::AbortedError("standard output is closed");
  });
}

absl::Status FetchReport(Client& client, const std::string& run_id, v1::ReportFormat format, const std::string& path,
                         Context& context) {
  v1::GetReportRequest request;
  request.set_run_id(run_id);
  request.set_format(format);
  std::string content;
  RETURN_IF_ERROR(client.GetReport(request, [&content](absl::string_view data) {
    absl::StrAppend(&content, data);
    return absl::OkStatus();
  }));
  return context.WriteFile(path, content);
}

}  // namespace

absl::StatusOr<int> RunLogs(const LogsOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  ASSIGN_OR_RETURN(const v1::LogStream stream, ParseStream(options.stream));
  if (absl::StrContains(options.id, "/")) {
    RETURN_IF_ERROR(PrintLog(*client, options.id, options, stream, context));
    return kExitGreen;
  }
  v1::GetRunRequest request;
  request.set_run_id(options.id);
  ASSIGN_OR_RETURN(const v1::GetRunResponse result, client->GetRun(request));
  if (options.follow && result.jobs_size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(result.run().id(), " has ", result.jobs_size(),
                                                   " jobs: --follow takes one, e.g. `muster logs --follow ",
                                                   result.jobs(0).id(), "`"));
  }
  for (const v1::Job& job : result.jobs()) {
    if (job.attempts().empty()) continue;
    context.out() << context.palette().Paint(
                         Style::kBold, absl::StrCat("==> ", Sanitize(job.id(), 64), "  ", Sanitize(job.machine(), 253),
                                                    "  ", Sanitize(job.spec().suite(), 64), " <=="))
                  << "\n";
    const absl::Status status = PrintLog(*client, job.id(), options, stream, context);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
  }
  return kExitGreen;
}

absl::StatusOr<int> RunArtifacts(const ArtifactsOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  v1::ListArtifactsRequest request;
  request.set_run_id(options.run_id);
  ASSIGN_OR_RETURN(const v1::ListArtifactsResponse response, client->ListArtifacts(request));
  if (options.json) {
    context.out() << Context::Json(response);
    return kExitGreen;
  }
  Table table({{"JOB"}, {"ATTEMPT", true}, {"NAME", false, true}, {"SIZE", true}, {"TYPE", false, true}});
  for (const v1::Artifact& a : response.artifacts()) {
    table.AddRow({{Sanitize(a.job_id(), 64)},
                  {absl::StrCat(a.attempt())},
                  {Sanitize(a.name(), 128)},
                  {base::FormatBytes(a.size_bytes())},
                  {Sanitize(a.content_type(), 64), Style::kDim}});
  }
  if (table.empty()) {
    context.err() << "the run left no artifacts\n";
  } else {
    context.out() << table.Render(context.palette(), context.table_width());
  }
  return kExitGreen;
}

absl::StatusOr<int> RunArtifactGet(const ArtifactOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  RETURN_IF_ERROR(base::CheckArtifactName(options.name));
  v1::ReadArtifactRequest request;
  request.set_job_id(options.job_id);
  request.set_name(options.name);
  request.set_attempt(options.attempt);
  const std::string path = options.output.empty() ? options.name : options.output;
  if (path == "-") {
    RETURN_IF_ERROR(client->ReadArtifact(request, [&](absl::string_view data) {
      context.out() << data;
      return absl::OkStatus();
    }));
    return kExitGreen;
  }
  const std::string partial = path + ".part";
  std::ofstream file(partial, std::ios::binary | std::ios::trunc);
  if (!file) return base::ErrnoStatus(errno, absl::StrCat("cannot write ", partial));
  const absl::Status status = client->ReadArtifact(request, [&](absl::string_view data) {
    file.write(data.data(), static_cast<std::streamsize>(data.size()));
    return file ? absl::OkStatus() : base::ErrnoStatus(errno, absl::StrCat("cannot write ", partial));
  });
  file.close();
  if (!status.ok() || !file) {
    std::remove(partial.c_str());
    return status.ok() ? absl::InternalError(absl::StrCat("cannot write ", partial)) : status;
  }
  if (std::rename(partial.c_str(), path.c_str()) != 0)
    return base::ErrnoStatus(errno, absl::StrCat("cannot rename ", partial, " to ", path));
  context.err() << "wrote " << path << "\n";
  return kExitGreen;
}

absl::StatusOr<int> RunReport(const ReportOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  ASSIGN_OR_RETURN(const v1::ReportFormat format, ParseFormat(options.format));
  RETURN_IF_ERROR(FetchReport(*client, options.run_id, format, options.output, context));
  return kExitGreen;
}

absl::Status WriteReports(const ReportFiles& files, const std::string& run_id, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  if (!files.junit.empty())
    RETURN_IF_ERROR(FetchReport(*client, run_id, v1::REPORT_FORMAT_JUNIT, files.junit, context));
  if (!files.ocptv.empty())
    RETURN_IF_ERROR(FetchReport(*client, run_id, v1::REPORT_FORMAT_OCPTV, files.ocptv, context));
  if (files.json.empty()) return absl::OkStatus();
  v1::GetRunRequest request;
  request.set_run_id(run_id);
  request.set_with_measurements(true);
  ASSIGN_OR_RETURN(const v1::GetRunResponse result, client->GetRun(request));
  return context.WriteFile(files.json, Context::Json(result));
}

}  // namespace muster::cli
