// The README shows code that is compiled and run elsewhere: each block must stand, as it is, in the file it comes from.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Contents of the fenced blocks of `language`.
std::vector<std::string> Blocks(const std::string& markdown, const std::string& language) {
  const std::string fence = "```" + language + "\n";
  std::vector<std::string> blocks;
  for (size_t begin = markdown.find(fence); begin != std::string::npos;
       begin = markdown.find(fence, begin)) {
    begin += fence.size();
    const size_t end = markdown.find("```", begin);
    blocks.push_back(markdown.substr(begin, end - begin));
    begin = end;
  }
  return blocks;
}

TEST(ReadmeTest, CppBlocksAreTheExamplesCode) {
  const std::string sources = Read("client/cpp/examples/quickstart/quickstart.cc") +
                              Read("client/cpp/examples/quickstart/quickstart_test.cc");
  const std::vector<std::string> blocks = Blocks(Read("README.md"), "cpp");
  ASSERT_EQ(blocks.size(), 2u);
  for (const std::string& block : blocks) EXPECT_THAT(sources, testing::HasSubstr(block));
}

TEST(ReadmeTest, BuildBlockIsTheExamplesTarget) {
  const std::string build = Read("client/cpp/examples/quickstart/BUILD.bazel");
  const std::vector<std::string> blocks = Blocks(Read("README.md"), "python");
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_THAT(build, testing::HasSubstr(blocks[0].substr(blocks[0].find("durable_cc_test(\n"))));
}

TEST(ReadmeTest, OpensWithTheTwoCommands) {
  const std::vector<std::string> blocks = Blocks(Read("README.md"), "sh");
  ASSERT_FALSE(blocks.empty());
  EXPECT_THAT(blocks[0], testing::HasSubstr("./bazelw run //:quickstart"));
  EXPECT_THAT(blocks[0], testing::HasSubstr("./bazelw test //..."));
}

}  // namespace
