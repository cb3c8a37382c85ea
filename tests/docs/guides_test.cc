// The guides show code that is compiled and run: each block stands, as it is, in a file that is
// built.
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/docs/documents.h"

namespace rehearse {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

struct Guide {
  std::string name;
  std::string document;
  std::vector<std::string> files;
};

class GuideTest : public ::testing::TestWithParam<Guide> {};

TEST_P(GuideTest, ShowsWhatIsBuilt) {
  std::string code;
  for (const std::string& file : GetParam().files) code += ReadFile(file);
  const std::vector<Block> blocks = BlocksOf(GetParam().document);
  EXPECT_FALSE(blocks.empty());
  for (const Block& block : blocks) {
    if (block.language == "cpp") {
      EXPECT_THAT(code, HasSubstr(block.text));
    } else if (block.language == "python") {
      for (absl::string_view target : absl::StrSplit(block.text, "\n\n")) {
        EXPECT_THAT(code, HasSubstr(std::string(target)));
      }
    } else {
      // Shell commands are run by commands_test; a block without a language is a picture.
      EXPECT_THAT(block.language, AnyOf("sh", "")) << block.text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    , GuideTest,
    ::testing::Values(
        Guide{"Sdk",
              "docs/sdk.md",
              {"client/cpp/examples/fulfil/BUILD.bazel", "client/cpp/examples/fulfil/main.cc",
               "client/cpp/examples/fulfil/fulfil.cc", "client/cpp/examples/fulfil/fulfil.h",
               "tests/docs/sdk_guide_test.cc"}},
        Guide{"Testing", "docs/testing.md", {"tests/docs/testing_guide_test.cc"}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace rehearse
