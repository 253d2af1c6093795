// The suites on this machine: one folder each, with its manifest and its program.
#ifndef MUSTER_AGENT_EXECUTOR_SUITE_CATALOGUE_H_
#define MUSTER_AGENT_EXECUTOR_SUITE_CATALOGUE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "muster/v1/suite.pb.h"

namespace muster::agent {

class SuiteCatalogue {
 public:
  // Reads FOLDER/NAME/suite.textproto for every NAME. What cannot be used becomes a problem, in a sentence, and nothing
  // else.
  static SuiteCatalogue Load(const std::string& folder);

  // Null when there is none.
  const v1::SuiteManifest* Find(const std::string& suite) const;
  std::vector<v1::SuiteManifest> Manifests() const;  // By name.
  const std::vector<std::string>& problems() const { return problems_; }
  std::string FolderOf(const v1::SuiteManifest& manifest) const;
  std::string ProgramOf(const v1::SuiteManifest& manifest) const;

 private:
  explicit SuiteCatalogue(std::string folder) : folder_(std::move(folder)) {}
  void LoadSuite(const std::string& name);

  std::string folder_;
  std::map<std::string, v1::SuiteManifest> manifests_;
  std::vector<std::string> problems_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_SUITE_CATALOGUE_H_
