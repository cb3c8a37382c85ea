#include "client/cpp/durable/plugin.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace durable {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class Nothing final : public Plugin {};

std::unique_ptr<Plugin> MakeNothing(const InvocationInfo&) { return std::make_unique<Nothing>(); }

DURABLE_PLUGIN("alone", {MakeNothing, ""});
DURABLE_PLUGIN("traces", {MakeNothing, "tracing"});
DURABLE_PLUGIN("other-traces", {MakeNothing, "tracing"});

std::vector<std::string> GroupsOf(const std::vector<PluginFactory>& plugins) {
  std::vector<std::string> groups;
  for (const PluginFactory& plugin : plugins) groups.push_back(plugin.exclusive_group);
  return groups;
}

TEST(ResolvePluginsTest, ChosenOnesComeFirst) {
  const auto plugins = ResolvePlugins({{MakeNothing, "mine"}}, " traces , alone");
  ASSERT_TRUE(plugins.ok()) << plugins.status();
  EXPECT_THAT(GroupsOf(*plugins), ::testing::ElementsAre("mine", "tracing", ""));
}

TEST(ResolvePluginsTest, WithoutNamesOnlyTheChosen) {
  EXPECT_THAT(*ResolvePlugins({{MakeNothing, ""}}, ""), SizeIs(1));
}

TEST(ResolvePluginsTest, RefusesListsThatAreWrong) {
  const struct {
    const char* names;
    const char* message;
  } kCases[] = {
      {"unknown",
       "no plugin is registered as \"unknown\"; this program has alone, other-traces, traces"},
      {"alone,,traces", "empty name"},
      {",", "empty name"},
      {"alone,", "empty name"},
      {"alone,alone", "plugin \"alone\" is listed twice"},
      {"traces,other-traces", "two plugins of the group \"tracing\""},
  };
  for (const auto& test : kCases) {
    const absl::Status status = ResolvePlugins({}, test.names).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << test.names;
    EXPECT_THAT(std::string(status.message()), HasSubstr(test.message));
  }
}

TEST(ResolvePluginsTest, GroupsCountForChosenOnesToo) {
  EXPECT_FALSE(ResolvePlugins({{MakeNothing, "tracing"}}, "traces").ok());
}

TEST(RegisterPluginDeathTest, NameRegisteredTwiceStopsTheProgram) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(RegisterPlugin("alone", {MakeNothing, ""}),
               "two plugins are registered as \"alone\"");
}

}  // namespace
}  // namespace durable
