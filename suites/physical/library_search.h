// Where a library that programs load at run time may lie on the test machine.
#ifndef MUSTER_SUITES_PHYSICAL_LIBRARY_SEARCH_H_
#define MUSTER_SUITES_PHYSICAL_LIBRARY_SEARCH_H_

#include <string>
#include <vector>

namespace muster::physical {

struct LibraryNames {
  // For the loader, best first: "libnccl.so.2".
  std::vector<std::string> names;
  // A pattern of its file's name: "libnccl.so.[0-9]*".
  std::string file;
  // Folders of the packages of Python that bring it, under site-packages/nvidia: "nccl".
  std::vector<std::string> packages;
};

// Best first: `named` (a path, may be empty), what the loader finds by LD_LIBRARY_PATH and its cache, the toolkit's
// folder, and the packages of each Python whose bin folder is in `path` (the PATH variable).
std::vector<std::string> LibraryCandidates(const LibraryNames& names, const std::string& named,
                                           const std::string& path);
// The same with this process's PATH.
std::vector<std::string> LibraryCandidates(const LibraryNames& names, const std::string& named);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_LIBRARY_SEARCH_H_
