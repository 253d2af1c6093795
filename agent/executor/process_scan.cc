#include "agent/executor/process_scan.h"

#include <dirent.h>

#include <cstdio>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr uint64_t kMaxStatBytes = 4096;
constexpr uint64_t kMaxEnvironmentBytes = 4 << 20;

// "PID (NAME) STATE PPID PGRP SESSION …"; the name may hold anything, so from the last parenthesis on.
bool ParseStat(const std::string& stat, ProcessEntry& entry) {
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return false;
  char state = 0;
  int group = 0;
  if (std::sscanf(stat.c_str() + name_end + 1, " %c %d %d %d", &state, &entry.parent, &group, &entry.session) != 4)
    return false;
  entry.zombie = state == 'Z' || state == 'X';
  return true;
}

}  // namespace

std::vector<ProcessEntry> ListProcesses() {
  std::vector<ProcessEntry> processes;
  DIR* const folder = opendir("/proc");
  if (folder == nullptr) return processes;
  while (const dirent* const entry = readdir(folder)) {
    char* end = nullptr;
    ProcessEntry process{.pid = static_cast<pid_t>(std::strtol(entry->d_name, &end, 10))};
    if (*end != '\0' || process.pid <= 0) continue;
    const auto stat = base::ReadFile(base::Text("/proc/", process.pid, "/stat"), kMaxStatBytes);
    if (stat.ok() && ParseStat(*stat, process)) processes.push_back(process);
  }
  closedir(folder);
  return processes;
}

bool EnvironmentHas(pid_t pid, std::string_view text) {
  const auto environment = base::ReadFile(base::Text("/proc/", pid, "/environ"), kMaxEnvironmentBytes);
  if (!environment.ok()) return false;
  const std::string_view all = *environment;
  for (size_t at = 0; at < all.size();) {
    if (all.substr(at, text.size()) == text) return true;
    const size_t end = all.find('\0', at);
    if (end == std::string_view::npos) return false;
    at = end + 1;
  }
  return false;
}

}  // namespace muster::agent
