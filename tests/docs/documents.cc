#include "tests/docs/documents.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace rehearse {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Block> BlocksOf(const std::string& document) {
  std::vector<Block> blocks;
  const std::vector<std::string> parts = absl::StrSplit(ReadFile(document), "```");
  for (size_t i = 1; i < parts.size(); i += 2) {
    const std::pair<std::string, std::string> block =
        absl::StrSplit(parts[i], absl::MaxSplits('\n', 1));
    blocks.push_back({document, block.first, block.second});
  }
  return blocks;
}

}  // namespace rehearse
