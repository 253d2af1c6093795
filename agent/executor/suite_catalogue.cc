#include "agent/executor/suite_catalogue.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/manifest.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "base/textproto.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxSuites = 1000;

absl::StatusOr<v1::SuiteManifest> ReadManifest(const std::string& folder, const std::string& name) {
  v1::SuiteManifest manifest;
  RETURN_IF_ERROR(base::ReadTextProto(base::JoinPath(folder, "suite.textproto"), &manifest));
  RETURN_IF_ERROR(base::ValidateManifest(manifest));
  if (manifest.name() != name) {
    return absl::InvalidArgumentError(
        base::Text("the manifest's name is \"", manifest.name(), "\", expected that of its folder, \"", name, "\""));
  }
  const std::string program = base::JoinPath(folder, manifest.program());
  std::error_code error;
  if (!std::filesystem::is_regular_file(program, error) || access(program.c_str(), X_OK) != 0) {
    return absl::NotFoundError(base::Text("the program ", program, " is missing or may not be executed"));
  }
  return manifest;
}

}  // namespace

SuiteCatalogue SuiteCatalogue::Load(const std::string& folder) {
  std::error_code error;
  // Programs start in their suite's folder: a relative path would mean something else there.
  SuiteCatalogue catalogue(std::filesystem::absolute(folder, error).string());
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code not_folder;
    if (entry->is_directory(not_folder)) names.push_back(entry->path().filename().string());
  }
  if (error)
    catalogue.problems_.push_back(base::Text("cannot read the folder of suites, ", folder, ": ", error.message()));
  std::sort(names.begin(), names.end());
  if (names.size() > kMaxSuites) {
    catalogue.problems_.push_back(
        base::Text(folder, " holds ", names.size(), " suites; only the first ", kMaxSuites, " are used"));
    names.resize(kMaxSuites);
  }
  for (const std::string& name : names) catalogue.LoadSuite(name);
  return catalogue;
}

void SuiteCatalogue::LoadSuite(const std::string& name) {
  absl::StatusOr<v1::SuiteManifest> manifest = ReadManifest(base::JoinPath(folder_, name), name);
  if (manifest.ok()) {
    manifests_.emplace(name, *std::move(manifest));
  } else {
    problems_.push_back(base::Text("suite ", name, ": ", std::string(manifest.status().message())));
  }
}

const v1::SuiteManifest* SuiteCatalogue::Find(const std::string& suite) const {
  const auto found = manifests_.find(suite);
  return found == manifests_.end() ? nullptr : &found->second;
}

std::vector<v1::SuiteManifest> SuiteCatalogue::Manifests() const {
  std::vector<v1::SuiteManifest> all;
  for (const auto& [name, manifest] : manifests_) all.push_back(manifest);
  return all;
}

std::string SuiteCatalogue::FolderOf(const v1::SuiteManifest& manifest) const {
  return base::JoinPath(folder_, manifest.name());
}

std::string SuiteCatalogue::ProgramOf(const v1::SuiteManifest& manifest) const {
  return base::JoinPath(FolderOf(manifest), manifest.program());
}

}  // namespace muster::agent
