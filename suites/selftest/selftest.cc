// A suite that goes wrong in every way that the agent must get right: each case is one misbehaviour, and the tests of
// the executor and of the whole system assert what becomes of it. Needs no GPU.
//
// Prints OCPTV by itself, without the SDK, since most of it is meant to be wrong. MUSTER_CASES names the cases to run
// (comma-separated; default: pass,skip). By hand: `MUSTER_CASES=fail ./selftest`.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace {

int sequence = 0;
int steps = 0;
bool failed = false;

std::string Now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  char text[64];
  const size_t length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(text + length, sizeof(text) - length, ".%03ldZ", now.tv_nsec / 1'000'000);
  return text;
}

void Print(const std::string& artifact) {
  printf("{\"sequenceNumber\":%d,\"timestamp\":\"%s\",%s}\n", sequence++, Now().c_str(), artifact.c_str());
  fflush(stdout);
}

// Within the step that is open.
void Step(const std::string& artifact) {
  Print("\"testStepArtifact\":{\"testStepId\":\"" + std::to_string(steps) + "\"," + artifact + "}");
}
void StepStart(std::string_view name) { Step("\"testStepStart\":{\"name\":\"" + std::string(name) + "\"}"); }
void StepEnd(std::string_view status) {
  Step("\"testStepEnd\":{\"status\":\"" + std::string(status) + "\"}");
  ++steps;
}
void Diagnose(std::string_view type, std::string_view verdict, std::string_view message) {
  Step("\"diagnosis\":{\"verdict\":\"" + std::string(verdict) + "\",\"type\":\"" + std::string(type) +
       "\",\"message\":\"" + std::string(message) + "\"}");
}

void Pass() {
  Step(
      R"("measurement":{"name":"answer","value":42,"unit":"1","validators":[{"type":"EQUAL","value":42,"name":"the answer"}]})");
  Diagnose("PASS", "in-order", "all is well");
}

void Fail() {
  failed = true;
  Diagnose("FAIL", "broken-on-purpose", "this case always fails");
}

[[noreturn]] void SleepForever() {
  while (true) pause();
}

void FloodBoth() {
  const std::string line(1023, 'x');
  for (int i = 0; i < 100 * 1024; ++i) {
    fprintf(stdout, "%s\n", line.c_str());
    fprintf(stderr, "%s\n", line.c_str());
  }
  fflush(stdout);
}

void Garbage() {
  printf("\x01\x02\xff\xfe not OCPTV\n{\"sequenceNumber\":\n{'single':1}\n[[[[[[\n{\"a\":{\"a\":{\"a\":1}}}\n");
  fflush(stdout);
}

void NoNewline() {
  const std::string block(1 << 20, 'y');
  for (int i = 0; i < 100; ++i) fwrite(block.data(), 1, block.size(), stdout);
  fputc('\n', stdout);
  fflush(stdout);
}

void NulBytes() {
  const char line[] = "a\0b\0{\0}\n";
  fwrite(line, 1, sizeof(line) - 1, stdout);
  fflush(stdout);
}

// A grandchild that lives on and holds our pipes.
void LeaveOrphan(bool escape) {
  const pid_t child = fork();
  if (child != 0) return;
  if (escape) {  // A session of its own and no environment: only a control group or its descent gives it away.
    setsid();
    if (fork() != 0) _exit(0);
    char* const no_environment[] = {nullptr};
    const char* const sleep[] = {"sleep", "600", nullptr};
    execve("/bin/sleep", const_cast<char* const*>(sleep), no_environment);
  }
  SleepForever();
}

void LeaveArtifact() {
  const char* const folder = getenv("MUSTER_ARTIFACT_DIR");
  if (folder == nullptr) return;
  FILE* const file = fopen((std::string(folder) + "/hello.txt").c_str(), "w");
  fputs("left by selftest\n", file);
  fclose(file);
  (void)!symlink("/etc/passwd", (std::string(folder) + "/link.txt").c_str());
}

// A number of MUSTER_PARAMETERS; the agent has checked them, and prints them without white space inside names.
int Parameter(const std::string& name, int otherwise) {
  const char* const all = getenv("MUSTER_PARAMETERS");
  const char* const found = all == nullptr ? nullptr : strstr(all, ("\"" + name + "\":").c_str());
  return found == nullptr ? otherwise : atoi(found + name.size() + 3);
}

// The numbers 0, 1, 2, … one at a time: whoever counts them sees which were lost or came twice.
void Steady() {
  const int count = Parameter("count", 20);
  const int interval_ms = Parameter("interval_ms", 50);
  for (int i = 0; i < count; ++i) {
    Step(R"("measurement":{"name":"step","value":)" + std::to_string(i) + "}");
    usleep(static_cast<useconds_t>(interval_ms) * 1000);
  }
}

// Cases that end as others do: what they do between start and end of their step, and how that ends. False: not one of
// them.
bool RunPlain(std::string_view name) {
  struct Row {
    std::string_view name;
    void (*body)();
    std::string_view status;
  };
  static constexpr Row kRows[] = {
      {"pass", Pass, "COMPLETE"},
      {"pass-together", Pass, "COMPLETE"},
      {"fail", Fail, "COMPLETE"},
      {"destructive",
       [] {
         if (getenv("MUSTER_DESTRUCTIVE") == nullptr) Fail();
       },
       "COMPLETE"},
      {"skip", [] { Diagnose("UNKNOWN", "skipped", "needs what no machine has"); }, "SKIP"},
      {"error", [] { Step(R"("error":{"symptom":"no-tool","message":"the tool it needs is missing"})"); }, "ERROR"},
      {"hang", [] { SleepForever(); }, ""},
      {"crash", [] { raise(SIGSEGV); }, ""},
      {"abort", [] { abort(); }, ""},
      {"flood", FloodBoth, "COMPLETE"},
      {"garbage", Garbage, "COMPLETE"},
      {"no-newline", NoNewline, "COMPLETE"},
      {"nul-bytes", NulBytes, "COMPLETE"},
      {"half-line",
       [] {
         printf("{\"sequenceNumber\":%d,\"timestamp\":\"%s\",\"testStepArt", sequence, Now().c_str());
         fflush(stdout);
         _exit(0);
       },
       ""},
      {"lies",
       [] {
         Step(
             R"("measurement":{"name":"bandwidth","value":1,"unit":"GB/s","validators":[{"type":"GREATER_THAN_OR_EQUAL","value":2}]})");
         Diagnose("PASS", "fast-enough", "");
       },
       "COMPLETE"},
      {"fail-diagnosis-but-pass", [] { Diagnose("FAIL", "broken-on-purpose", "and the run is declared PASS"); },
       "COMPLETE"},
      {"vacuous", [] { Step(R"("measurement":{"name":"work.iterations","value":0})"); }, "COMPLETE"},
      {"orphan", [] { LeaveOrphan(false); }, "COMPLETE"},
      {"escaped-orphan", [] { LeaveOrphan(true); }, "COMPLETE"},
      {"ignores-sigterm",
       [] {
         signal(SIGTERM, SIG_IGN);
         SleepForever();
       },
       ""},
      {"sequence-gap", [] { ++sequence; }, "COMPLETE"},
      {"unsupported-validator",
       [] { Step(R"("measurement":{"name":"t","value":"hot","validators":[{"type":"LESS_THAN","value":90}]})"); },
       "COMPLETE"},
      {"exits-early", [] { _exit(3); }, ""},
      {"artifact", LeaveArtifact, "COMPLETE"},
      {"steady", Steady, "COMPLETE"},
      {"slow", [] { usleep(300'000); }, "COMPLETE"},
  };
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    StepStart(name);
    row.body();
    StepEnd(row.status);
    return true;
  }
  return false;
}

void Run(std::string_view name) {
  if (name == "missed" || name == "wrong-schema" || RunPlain(name))
    return;  // Never reported, and begun wrongly in main.
  if (name == "twice") {
    StepStart(name);
    Fail();
    StepEnd("COMPLETE");
    StepStart(name);
    StepEnd("COMPLETE");
  } else if (name == "unasked") {  // Reports a case that nobody asked for.
    StepStart("surprise");
    StepEnd("COMPLETE");
    StepStart(name);
    StepEnd("COMPLETE");
  }
}

}  // namespace

int main() {
  const char* const given = getenv("MUSTER_CASES");
  std::string cases = given == nullptr ? "pass,skip" : given;
  const bool wrong_schema = cases.find("wrong-schema") != std::string::npos;
  Print(wrong_schema ? R"("schemaVersion":{"major":1,"minor":0})" : R"("schemaVersion":{"major":2,"minor":0})");
  Print(
      R"("testRunArtifact":{"testRunStart":{"name":"selftest","version":"1","commandLine":"selftest","parameters":{},)"
      R"("dutInfo":{"dutInfoId":"this-machine"}}})");
  while (!cases.empty()) {
    const size_t comma = cases.find(',');
    Run(cases.substr(0, comma));
    cases.erase(0, comma == std::string::npos ? comma : comma + 1);
  }
  Print(failed ? R"("testRunArtifact":{"testRunEnd":{"status":"COMPLETE","result":"FAIL"}})"
               : R"("testRunArtifact":{"testRunEnd":{"status":"COMPLETE","result":"PASS"}})");
  return failed ? 1 : 0;
}
