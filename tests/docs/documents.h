// The documents of the project, as the tests of this folder read them.
//
//   for (const Block& block : BlocksOf("README.md")) EXPECT_NE(block.language, "java");
#ifndef REHEARSE_TESTS_DOCS_DOCUMENTS_H_
#define REHEARSE_TESTS_DOCS_DOCUMENTS_H_

#include <string>
#include <vector>

namespace rehearse {

// Fails the test when there is no such file.
std::string ReadFile(const std::string& path);

// A fenced block.
struct Block {
  std::string document;
  // Empty where the fence names none.
  std::string language;
  std::string text;
};

// In the order in which they stand.
std::vector<Block> BlocksOf(const std::string& document);

}  // namespace rehearse

#endif  // REHEARSE_TESTS_DOCS_DOCUMENTS_H_
