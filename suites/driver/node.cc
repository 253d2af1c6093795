#include "suites/driver/node.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "suites/driver/machine.h"

namespace muster::driver {
namespace {

// " (group render, mode 0660)", or nothing.
std::string Access(const std::string& node) {
  struct stat info {};
  if (stat(RealPath(node).c_str(), &info) != 0) return "";
  const group* const owner = getgrgid(info.st_gid);
  return absl::StrFormat(" (group %s, mode %04o)", owner == nullptr ? absl::StrCat(info.st_gid) : owner->gr_name,
                         info.st_mode & 07777);
}

}  // namespace

int OpenError(const std::string& node) {
  const int descriptor = open(RealPath(node).c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return errno;
  close(descriptor);
  return 0;
}

void ExpectUsable(const std::string& node, const std::string& advice) {
  const int error = OpenError(node);
  EXPECT_EQ(error, 0) << "expected user " << geteuid() << " to be able to open " << node
                      << ", found: " << std::strerror(error) << Access(node) << "; " << advice;
}

}  // namespace muster::driver
