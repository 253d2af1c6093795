// The self-test of results by exit status: the parameter "status" says which.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main() {
  const char* const parameters = getenv("MUSTER_PARAMETERS");
  const char* const found = parameters == nullptr ? nullptr : strstr(parameters, "\"status\":");
  const int status = found == nullptr ? 0 : atoi(found + strlen("\"status\":"));
  while (status >= 1000) pause();
  return status;
}
