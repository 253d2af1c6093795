// What all parts of one simulated world share.
#ifndef MUSTER_TESTS_SIMULATION_SCENE_H_
#define MUSTER_TESTS_SIMULATION_SCENE_H_

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/event_loop_fake.h"
#include "tests/simulation/network.h"
#include "tests/simulation/random.h"
#include "tests/simulation/truth.h"

namespace muster::simulation {

struct Scene {
  explicit Scene(uint64_t seed, bool trace) : random(seed), network(loop, random), trace(trace) {}

  int64_t now_ms() const { return loop.Now().mono_ms; }
  void After(int64_t delay_ms, std::function<void()> task) { loop.RunAfter(delay_ms, std::move(task)); }
  void Wrong(const std::string& what) {
    Trace("WRONG: ", what);
    wrong.push_back(absl::StrCat("at ", now_ms(), " ms: ", what));
  }
  template <typename... Parts>
  void Trace(const Parts&... parts) const {
    if (trace) std::printf("%9.3f  %s\n", static_cast<double>(now_ms()) / 1e3, absl::StrCat(parts...).c_str());
  }

  base::FakeEventLoop loop;
  Random random;
  Network network;
  Truth truth;
  const bool trace;
  std::vector<std::string> wrong;
};

}  // namespace muster::simulation

#endif  // MUSTER_TESTS_SIMULATION_SCENE_H_
