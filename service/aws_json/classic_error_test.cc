#include "service/aws_json/classic_error.h"

#include <string>

#include "gtest/gtest.h"

namespace rehearse {
namespace {

TEST(ClassicErrorTest, ReadsWhatFunctionsReport) {
  const struct {
    std::string text;
    std::string error;
  } kRows[] = {
      {R"({"errorMessage":"no","errorType":"E","errorData":"d","stackTrace":["a",{"b":1}]})",
       R"(error_message: "no" error_type: "E" error_data: "d" stack_trace: "a" )"
       R"(stack_trace: "{\"b\":1}")"},
      {R"({"errorType":"E","trace":["a"]})", R"(error_type: "E" stack_trace: "a")"},
      {R"({"errorMessage":17,"errorType":null,"stackTrace":"a"})", ""},
      {"{}", ""},
      {"[1]", R"(error_message: "[1]")"},
      {"text", R"(error_message: "text")"},
      {"", R"(error_message: "")"},
      {"a\xff", R"(error_message: "a\357\277\275")"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(FromClassicError(row.text).ShortDebugString(), row.error) << row.text;
  }
}

}  // namespace
}  // namespace rehearse
