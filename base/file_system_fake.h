// A disk in memory that can crash, be full and fail.
//
// Crash() does to it what a power cut does: of each file's unsynced bytes a random part from the front stays, sometimes
// with its end garbled; of the names changed since their folder was synced a random number, the oldest first, stay
// changed (as a journaling file system has it). One thread.
#ifndef MUSTER_BASE_FILE_SYSTEM_FAKE_H_
#define MUSTER_BASE_FILE_SYSTEM_FAKE_H_

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file_system.h"

namespace muster::base {

class FakeFileSystem final : public FileSystem {
 public:
  // `random` gives 64 random bits; used by Crash() alone.
  explicit FakeFileSystem(std::function<uint64_t()> random) : random_(std::move(random)) {}

  // Bytes that fit on the disk.
  void SetCapacity(uint64_t bytes) { capacity_ = bytes; }
  // Every Sync() and SyncDirectory() fails from now on.
  void FailSyncs(bool fail) { fail_syncs_ = fail; }
  // Inverts one byte; for tests of damage that is no torn tail.
  void Damage(const std::string& path, uint64_t offset) { names_.at(path)->data.at(offset) ^= 0x5a; }
  uint64_t used_bytes() const {
    uint64_t sum = 0;
    for (const auto& [path, node] : names_) sum += node->data.size();
    return sum;
  }
  int syncs() const { return syncs_; }

  // Everything is gone, as on a new disk.
  void Wipe() {
    names_.clear();
    changes_.clear();
  }
  void Crash() {
    UndoNames();
    std::set<Node*> seen;
    for (auto& [path, node] : names_) {
      if (seen.insert(node.get()).second) TearTail(*node);
    }
  }

  absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    auto& node = names_[path];
    if (node == nullptr) {
      node = std::make_shared<Node>();
      changes_.push_back({path, nullptr});
    }
    return std::make_unique<File>(*this, node);
  }
  absl::StatusOr<std::string> Read(const std::string& path, uint64_t offset, size_t size) override {
    const auto found = names_.find(path);
    if (found == names_.end()) return Missing(path);
    const std::string& data = found->second->data;
    return offset >= data.size() ? std::string() : data.substr(offset, size);
  }
  absl::StatusOr<uint64_t> Size(const std::string& path) override {
    const auto found = names_.find(path);
    if (found == names_.end()) return Missing(path);
    return found->second->data.size();
  }
  absl::Status Truncate(const std::string& path, uint64_t size) override {
    const auto found = names_.find(path);
    if (found == names_.end()) return Missing(path);
    Node& node = *found->second;
    node.data.resize(std::min<uint64_t>(size, node.data.size()));
    node.synced = std::min<size_t>(node.synced, node.data.size());
    return absl::OkStatus();
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    const auto found = names_.find(from);
    if (found == names_.end()) return Missing(from);
    const auto node = found->second;
    Change(from, nullptr);
    Change(to, node);
    return absl::OkStatus();
  }
  absl::Status Remove(const std::string& path) override {
    if (!names_.contains(path)) return Missing(path);
    Change(path, nullptr);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    std::vector<std::string> names;
    const std::string prefix = directory + "/";
    for (auto it = names_.lower_bound(prefix); it != names_.end() && it->first.starts_with(prefix); ++it) {
      const std::string name = it->first.substr(prefix.size());
      if (name.find('/') == std::string::npos) names.push_back(name);
    }
    return names;
  }
  absl::Status MakeDirectory(const std::string&) override { return absl::OkStatus(); }
  absl::Status SyncDirectory(const std::string& path) override {
    if (fail_syncs_) return absl::DataLossError(absl::StrCat("cannot sync ", path, ": the fake disk fails"));
    ++syncs_;
    const std::string prefix = path + "/";
    std::erase_if(changes_, [&](const NameChange& change) { return change.path.starts_with(prefix); });
    return absl::OkStatus();
  }

 private:
  struct Node {
    std::string data;
    size_t synced = 0;
  };
  struct NameChange {
    std::string path;
    std::shared_ptr<Node> before;  // Null: there was none.
  };
  class File final : public AppendFile {
   public:
    File(FakeFileSystem& disk, std::shared_ptr<Node> node) : disk_(disk), node_(std::move(node)) {}
    absl::Status Append(std::string_view data) override {
      const uint64_t used = disk_.capacity_ == UINT64_MAX ? 0 : disk_.used_bytes();
      const uint64_t free = used >= disk_.capacity_ ? 0 : disk_.capacity_ - used;
      node_->data.append(data.substr(0, free));
      if (free < data.size()) return absl::ResourceExhaustedError("cannot write: no space left on the fake disk");
      return absl::OkStatus();
    }
    absl::Status Sync() override {
      if (disk_.fail_syncs_) return absl::DataLossError("cannot sync: the fake disk fails");
      ++disk_.syncs_;
      node_->synced = node_->data.size();
      return absl::OkStatus();
    }

   private:
    FakeFileSystem& disk_;
    const std::shared_ptr<Node> node_;
  };

  static absl::Status Missing(const std::string& path) { return absl::NotFoundError(absl::StrCat("no file ", path)); }

  void Change(const std::string& path, std::shared_ptr<Node> node) {
    const auto found = names_.find(path);
    changes_.push_back({path, found == names_.end() ? nullptr : found->second});
    Put(path, std::move(node));
  }
  void Put(const std::string& path, std::shared_ptr<Node> node) {
    if (node == nullptr) {
      names_.erase(path);
    } else {
      names_[path] = std::move(node);
    }
  }
  void UndoNames() {
    const size_t keep = changes_.empty() ? 0 : random_() % (changes_.size() + 1);
    for (; changes_.size() > keep; changes_.pop_back()) Put(changes_.back().path, std::move(changes_.back().before));
    changes_.clear();
  }
  void TearTail(Node& node) {
    const size_t unsynced = node.data.size() - node.synced;
    if (unsynced == 0) return;
    const size_t kept = random_() % (unsynced + 1);
    node.data.resize(node.synced + kept);
    if (kept > 0 && random_() % 4 == 0) node.data[node.synced + random_() % kept] ^= 0x5a;
    node.synced = node.data.size();
  }

  const std::function<uint64_t()> random_;
  std::map<std::string, std::shared_ptr<Node>> names_;
  std::vector<NameChange> changes_;  // Not yet synced, oldest first.
  uint64_t capacity_ = UINT64_MAX;
  bool fail_syncs_ = false;
  int syncs_ = 0;
};

}  // namespace muster::base

#endif  // MUSTER_BASE_FILE_SYSTEM_FAKE_H_
