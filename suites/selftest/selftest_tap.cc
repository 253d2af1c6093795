// The self-test of TAP results. MUSTER_CASES names what to run.
#include <stdio.h>
#include <stdlib.h>

#include <string>

int main() {
  const char* const given = getenv("MUSTER_CASES");
  const std::string cases = std::string(",") + (given == nullptr ? "passes,skipped" : given) + ",";
  const auto chosen = [&cases](const char* name) {
    return cases.find(std::string(",") + name + ",") != std::string::npos;
  };
  int points = 0;
  printf("TAP version 14\n");
  if (chosen("passes")) printf("ok %d - passes\n", ++points);
  if (chosen("skipped")) printf("ok %d - skipped # SKIP needs what no machine has\n", ++points);
  if (chosen("fails")) printf("not ok %d - fails\n  ---\n  message: on purpose\n  ...\n", ++points);
  if (chosen("todo")) printf("not ok %d - todo # TODO later\n", ++points);
  if (chosen("bails")) {
    printf("Bail out! no power\n");
    return 255;
  }
  printf("1..%d\n", points);
  return chosen("fails") ? 1 : 0;
}
