// The documents show code that is compiled and run elsewhere: each block stands, as it is, in the
// file it comes from, and each call is one of the contract's.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "rehearse/v1/durable_executions.pb.h"
#include "rehearse/v1/function_host.pb.h"
#include "rehearse/v1/test_sessions.pb.h"
#include "tests/docs/documents.h"

namespace rehearse {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kDocuments[] = {"README.md", "CONTRIBUTING.md", "docs/architecture.md",
                                      "docs/grpc.md", "docs/time.md"};

// Of all documents.
std::vector<Block> Blocks() {
  std::vector<Block> blocks;
  for (const char* document : kDocuments) {
    for (Block& block : BlocksOf(document)) blocks.push_back(std::move(block));
  }
  return blocks;
}

std::vector<std::string> TextsIn(const std::string& language) {
  std::vector<std::string> texts;
  for (const Block& block : Blocks()) {
    if (block.language == language) texts.push_back(block.text);
  }
  return texts;
}

TEST(DocumentsTest, EveryBlockIsOfAKindThatIsTested) {
  for (const Block& block : Blocks()) {
    // Shell commands are run by commands_test, Python by //tests/interop and //client/python, Go,
    // Java and TypeScript by //client; a block without a language is a picture.
    EXPECT_THAT(block.language, ::testing::AnyOf("cpp", "go", "java", "python", "sh", "ts", ""))
        << block.document << ": " << block.text;
  }
}

TEST(DocumentsTest, CppBlocksAreTheExamplesCode) {
  const std::string sources = ReadFile("client/cpp/examples/quickstart/quickstart.cc") +
                              ReadFile("client/cpp/examples/quickstart/quickstart_test.cc");
  const std::vector<std::string> blocks = TextsIn("cpp");
  ASSERT_THAT(blocks, SizeIs(2));
  for (const std::string& block : blocks) EXPECT_THAT(sources, HasSubstr(block));
}

TEST(DocumentsTest, BuildBlockIsTheExamplesTarget) {
  const std::string build = ReadFile("client/cpp/examples/quickstart/BUILD.bazel");
  const std::vector<std::string> blocks = TextsIn("python");
  ASSERT_THAT(blocks, SizeIs(3));
  const std::vector<std::string> statements = absl::StrSplit(blocks[0], "\n\n");
  EXPECT_THAT(statements, SizeIs(2));
  for (const std::string& statement : statements) EXPECT_THAT(build, HasSubstr(statement));
}

TEST(DocumentsTest, ReadmeOpensWithTheTwoCommands) {
  const std::vector<std::string> blocks = TextsIn("sh");
  ASSERT_FALSE(blocks.empty());
  EXPECT_THAT(blocks[0], HasSubstr("./bazelw run //:quickstart"));
  EXPECT_THAT(blocks[0], HasSubstr("./bazelw test //..."));
}

// Each grpcurl command, its continuation lines joined.
std::vector<std::string> GrpcurlCommands() {
  std::vector<std::string> commands;
  for (const std::string& block : TextsIn("sh")) {
    const std::string joined = absl::StrReplaceAll(block, {{"\\\n    ", ""}});
    for (absl::string_view line : absl::StrSplit(joined, '\n')) {
      if (absl::StartsWith(line, "grpcurl ")) commands.emplace_back(line);
    }
  }
  return commands;
}

// `request` as JSON for the method "package.Service/Method".
void ExpectCall(const std::string& request, const std::string& method) {
  const MethodDescriptor* descriptor =
      DescriptorPool::generated_pool()->FindMethodByName(absl::StrReplaceAll(method, {{"/", "."}}));
  ASSERT_NE(descriptor, nullptr) << method;
  google::protobuf::DynamicMessageFactory factory;
  const std::unique_ptr<google::protobuf::Message> message(
      factory.GetPrototype(descriptor->input_type())->New());
  const auto status = google::protobuf::util::JsonStringToMessage(request, message.get());
  EXPECT_TRUE(status.ok()) << request << ": " << status.ToString();
}

TEST(DocumentsTest, GrpcurlCommandsAreCallsOfTheContract) {
  // The generated code of the contract is linked in.
  v1::StartExecutionRequest().GetDescriptor();
  v1::ListFunctionsRequest().GetDescriptor();
  v1::GetSessionRequest().GetDescriptor();
  const std::vector<std::string> commands = GrpcurlCommands();
  EXPECT_THAT(commands, SizeIs(::testing::Ge(4u)));
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    EXPECT_THAT(command, StartsWith("grpcurl -plaintext "));
    const std::vector<std::string> quoted = absl::StrSplit(command, '\'');
    const std::vector<std::string> words = absl::StrSplit(command, ' ');
    if (quoted.size() == 3) {
      ExpectCall(quoted[1], words.back());
    } else if (words[words.size() - 2] == "describe") {
      EXPECT_NE(DescriptorPool::generated_pool()->FindServiceByName(words.back()), nullptr);
    } else {
      EXPECT_EQ(words.back(), "list");
    }
  }
}

}  // namespace
}  // namespace rehearse
