// The files that docs/lambda.md shows are read as it says.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/lambda_host/function_file.h"

namespace rehearse::lambda_host {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> NamesIn(const std::string& text) {
  const std::string path = ::testing::TempDir() + "/functions.yaml";
  std::ofstream(path) << text;
  const absl::StatusOr<FunctionFile> file = ReadFunctionFile(path, {});
  EXPECT_EQ(file.status(), absl::OkStatus());
  std::vector<std::string> names;
  if (!file.ok()) return names;
  EXPECT_THAT(file->notes, ::testing::IsEmpty());
  for (const LambdaFunction& function : file->functions) {
    names.push_back(function.spec.function_name());
  }
  return names;
}

TEST(LambdaGuideTest, ItsFilesAreRead) {
  std::stringstream text;
  text << std::ifstream("docs/lambda.md").rdbuf();
  std::vector<std::string> blocks;
  const std::vector<std::string> parts = absl::StrSplit(text.str(), "```");
  for (size_t i = 1; i < parts.size(); i += 2) {
    absl::string_view block = parts[i];
    if (absl::ConsumePrefix(&block, "yaml\n")) blocks.emplace_back(block);
  }
  ASSERT_EQ(blocks.size(), 2);
  EXPECT_THAT(NamesIn(blocks[0]), ElementsAre("orders", "receipts"));
  EXPECT_THAT(NamesIn(blocks[1]), ElementsAre("orders-test"));
}

}  // namespace
}  // namespace rehearse::lambda_host
