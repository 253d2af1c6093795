// Shared libraries as files: which one a process really has loaded, its version, and what it will load later.
#ifndef MUSTER_SUITES_DRIVER_LIBRARY_FILE_H_
#define MUSTER_SUITES_DRIVER_LIBRARY_FILE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace muster::driver {

// Two to four numbers with dots: "580.159.04", "1.3.24595".
bool IsVersion(absl::string_view word);
// "580.159.04" out of ".../libcuda.so.580.159.04"; empty when the name carries no version.
std::string VersionOfLibraryFile(absl::string_view path);

// Where the library with this soname lies that this process has loaded, without symbolic links; empty when it has none.
std::string LoadedLibrary(const char* soname);

// The libraries loaded in this process that give Level Zero's loader a driver's tables, the loader's own layers left
// out. Intel's is libze_intel_gpu.so.1.
std::vector<std::string> LoadedLevelZeroDrivers();

// Where the loader finds what `library`, which this process has loaded, asks for by name: in the library's own search
// path first, as an installation under /nix/store needs. The name alone when it is in none of these folders.
std::string FindForLibrary(const std::string& library, const std::string& soname);

// Sonames "STEM.so.N" that the file holds as text, each once: a library that is loaded by name at run time stands in no
// table of the file's. Nothing when it cannot be read.
std::vector<std::string> SonamesInFile(const std::string& path, absl::string_view stem);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_LIBRARY_FILE_H_
