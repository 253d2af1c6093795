// The files that i915 and xe show of an Arc A770 and an Arc Pro B60, for tests.
#ifndef MUSTER_AGENT_TELEMETRY_INTEL_TREE_FAKE_H_
#define MUSTER_AGENT_TELEMETRY_INTEL_TREE_FAKE_H_

#include <string>

#include "base/fixture_tree.h"

namespace muster::agent {

inline const std::string kA770Address = "0000:03:00.0";
inline const std::string kA770Folder = "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:03:00.0";
inline const std::string kA770Hwmon = kA770Folder + "/hwmon/hwmon4";
inline const std::string kB60Address = "0000:07:00.0";
inline const std::string kB60Folder = "/sys/devices/pci0000:00/0000:00:03.0/0000:05:00.0/0000:06:01.0/0000:07:00.0";
inline const std::string kB60Hwmon = kB60Folder + "/hwmon/hwmon5";

// Kernel 6.14 or so, under load and held down by its power limit, in a slot of eight lanes of generation 3.
inline void AddArcA770(base::FixtureTree& tree, const std::string& driver = "i915") {
  const std::string place = kA770Folder.substr(std::string("/sys/devices/").size());
  tree.AddPci("pci0000:00/0000:00:01.0", "0x8086", "0x460d", "0x060400", "pcieport");
  tree.SetLink("pci0000:00/0000:00:01.0", "8.0 GT/s PCIe", "8", "8.0 GT/s PCIe", "8");
  tree.AddPci("pci0000:00/0000:00:01.0/0000:01:00.0", "0x8086", "0x4fa0", "0x060400", "pcieport");
  tree.SetLink("pci0000:00/0000:00:01.0/0000:01:00.0", "8.0 GT/s PCIe", "8", "16.0 GT/s PCIe", "16");
  tree.AddPci("pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0", "0x8086", "0x4fa4", "0x060400", "pcieport");
  tree.AddPci(place, "0x8086", "0x56a0", "0x030000", driver);
  tree.SetLink(place, "2.5 GT/s PCIe", "1", "2.5 GT/s PCIe", "1");
  if (driver != "i915") return;
  const std::string gt = kA770Folder + "/drm/card1/gt/gt0/";
  tree.MakeFolder(kA770Folder + "/drm/renderD128");
  tree.Write(gt + "rps_act_freq_mhz", "2400\n");
  tree.Write(gt + "rps_RP0_freq_mhz", "2450\n");
  tree.Write(gt + "throttle_reason_status", "1\n");
  for (const char* reason : {"pl2", "pl4", "thermal", "prochot", "ratl", "vr_thermalert", "vr_tdc"}) {
    tree.Write(gt + "throttle_reason_" + reason, "0\n");
  }
  tree.Write(gt + "throttle_reason_pl1", "1\n");
  tree.Write(kA770Folder + "/hwmon/hwmon3/name", "i915_gt0\n");
  tree.Write(kA770Folder + "/hwmon/hwmon3/energy1_input", "1\n");
  tree.Write(kA770Hwmon + "/name", "i915\n");
  tree.Write(kA770Hwmon + "/energy1_input", "100000000000\n");
  tree.Write(kA770Hwmon + "/power1_max", "190000000\n");
  tree.Write(kA770Hwmon + "/power1_rated_max", "225000000\n");
  tree.Write(kA770Hwmon + "/power1_crit", "300000000\n");
  tree.Write(kA770Hwmon + "/in0_input", "1050\n");
  tree.Write(kA770Hwmon + "/temp1_input", "54000\n");
  tree.Write(kA770Hwmon + "/fan1_input", "0\n");
}

// Kernel 6.17 or so, hot.
inline void AddArcProB60(base::FixtureTree& tree) {
  const std::string place = kB60Folder.substr(std::string("/sys/devices/").size());
  tree.AddPci(place, "0x8086", "0xe211", "0x030000", "xe");
  tree.SetLink(place, "2.5 GT/s PCIe", "1", "2.5 GT/s PCIe", "1");
  tree.MakeFolder(kB60Folder + "/drm/card0");
  tree.MakeFolder(kB60Folder + "/drm/renderD129");
  tree.Write(kB60Folder + "/tile0/physical_vram_size_bytes", "0x5ad800000\n");
  for (const char* gt : {"gt0", "gt1"}) {
    const std::string freq = kB60Folder + "/tile0/" + gt + "/freq0/";
    const bool graphics = std::string(gt) == "gt0";
    tree.Write(freq + "act_freq", graphics ? "2400\n" : "1500\n");
    tree.Write(freq + "rp0_freq", graphics ? "2800\n" : "1500\n");
    tree.Write(freq + "throttle/status", graphics ? "1\n" : "0\n");
    for (const char* reason : {"pl1", "pl2", "pl4", "prochot", "ratl", "vr_thermalert", "vr_tdc"}) {
      tree.Write(freq + "throttle/reason_" + reason, "0\n");
    }
    tree.Write(freq + "throttle/reason_thermal", graphics ? "1\n" : "0\n");
  }
  tree.Write(kB60Hwmon + "/name", "xe\n");
  tree.Write(kB60Hwmon + "/energy1_input", "1000000\n");
  tree.Write(kB60Hwmon + "/energy1_label", "card\n");
  tree.Write(kB60Hwmon + "/energy2_input", "500000\n");
  tree.Write(kB60Hwmon + "/energy2_label", "pkg\n");
  tree.Write(kB60Hwmon + "/power1_max", "200000000\n");
  tree.Write(kB60Hwmon + "/power1_label", "card\n");
  tree.Write(kB60Hwmon + "/power1_cap", "0\n");
  tree.Write(kB60Hwmon + "/power2_max", "150000000\n");
  tree.Write(kB60Hwmon + "/temp2_input", "61000\n");
  tree.Write(kB60Hwmon + "/temp2_label", "pkg\n");
  tree.Write(kB60Hwmon + "/temp2_emergency", "110000\n");
  tree.Write(kB60Hwmon + "/temp3_input", "70000\n");
  tree.Write(kB60Hwmon + "/temp3_label", "vram\n");
  tree.Write(kB60Hwmon + "/fan1_input", "1200\n");
  tree.Write(kB60Hwmon + "/fan2_input", "1300\n");
}

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_INTEL_TREE_FAKE_H_
