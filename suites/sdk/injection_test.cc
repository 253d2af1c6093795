#include "suites/sdk/injection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::sdk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(InjectionWarnings, NameEachFaultThatIsAskedFor) {
  Environment environment;
  environment.parameters = {
      {"inject", std::string("flip:7:3")}, {"inject_count", 2.0}, {"inject_slow", true}, {"seed", 1.0}};
  EXPECT_THAT(InjectionWarnings(environment),
              ElementsAre(HasSubstr("inject is \"flip:7:3\""), HasSubstr("inject_count is \"2\""),
                          HasSubstr("inject_slow is \"true\"")));
}

TEST(InjectionWarnings, AreNotForDefaults) {
  Environment environment;
  environment.parameters = {
      {"inject", std::string()}, {"inject_count", 0.0}, {"inject_slow", false}, {"note", std::string("inject")}};
  EXPECT_THAT(InjectionWarnings(environment), IsEmpty());
}

}  // namespace
}  // namespace muster::sdk
