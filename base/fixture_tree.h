// A machine's /proc, /sys, /etc and /run, written into a folder of its own for one test.
#ifndef MUSTER_BASE_FIXTURE_TREE_H_
#define MUSTER_BASE_FIXTURE_TREE_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace muster::base {

class FixtureTree {
 public:
  FixtureTree() {
    std::string name = (std::filesystem::temp_directory_path() / "muster-tree-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root_ = name;
  }
  FixtureTree(const FixtureTree&) = delete;
  FixtureTree& operator=(const FixtureTree&) = delete;
  ~FixtureTree() { std::filesystem::remove_all(root_); }

  std::string root() const { return root_.string(); }

  // Paths as the machine sees them.
  void Write(const std::string& path, const std::string& content) {
    std::filesystem::create_directories(Real(path).parent_path());
    std::ofstream(Real(path), std::ios::binary) << content;
  }
  void MakeFolder(const std::string& path) { std::filesystem::create_directories(Real(path)); }
  void Link(const std::string& path, const std::string& target) {
    std::filesystem::create_directories(Real(path).parent_path());
    std::filesystem::create_symlink(target, Real(path));
  }

  // A Debian machine without GPUs.
  void AddHost() {
    Write("/proc/sys/kernel/hostname", "gpu7\n");
    Write("/proc/sys/kernel/osrelease", "6.12.41-amd64\n");
    Write("/proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
    Write("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Xeon 6960P\n\nprocessor\t: 1\nmodel name\t: Xeon 6960P\n");
    Write("/proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n");
    Write("/sys/devices/system/cpu/online", "0-3,8\n");
    Write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    Write("/etc/os-release", "NAME=Debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
    MakeFolder("/sys/bus/pci/devices");
  }

  // One PCI function at `place`, its folder under /sys/devices ("pci0000:40/0000:40:01.0/0000:41:00.0"), with a link.
  void AddPci(const std::string& place, const std::string& vendor, const std::string& device,
              const std::string& pci_class, const std::string& driver) {
    const std::string folder = "/sys/devices/" + place + "/";
    const std::string address = std::filesystem::path(place).filename().string();
    Write(folder + "vendor", vendor + "\n");
    Write(folder + "device", device + "\n");
    Write(folder + "class", pci_class + "\n");
    if (!driver.empty()) Link(folder + "driver", "../../../bus/pci/drivers/" + driver);
    Link("/sys/bus/pci/devices/" + address, "../../../devices/" + place);
  }

  void SetLink(const std::string& place, const std::string& speed, const std::string& width,
               const std::string& max_speed, const std::string& max_width) {
    const std::string folder = "/sys/devices/" + place + "/";
    Write(folder + "current_link_speed", speed + "\n");
    Write(folder + "current_link_width", width + "\n");
    Write(folder + "max_link_speed", max_speed + "\n");
    Write(folder + "max_link_width", max_width + "\n");
  }

 private:
  std::filesystem::path Real(const std::string& path) const { return root_ / path.substr(1); }

  std::filesystem::path root_;
};

}  // namespace muster::base

#endif  // MUSTER_BASE_FIXTURE_TREE_H_
