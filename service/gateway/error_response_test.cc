#include "service/gateway/error_response.h"

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/errors.h"

namespace rehearse {
namespace {

using ::testing::Contains;
using ::testing::Optional;
using ::testing::Pair;

struct Case {
  absl::Status status;
  int http_status;
  const char* name;
  const char* body;
};

// Every error that an operation of the AWS face can end with.
std::vector<Case> Cases() {
  return {
      {errors::InvalidParameter("m"), 400, "InvalidParameterValueException",
       R"({"Type":"InvalidParameterValueException","message":"m"})"},
      {errors::StaleCheckpointToken(StaleTokenSpelling::kReal), 400,
       "InvalidParameterValueException",
       R"({"Type":"InvalidParameterValueException","message":"Invalid checkpoint token"})"},
      {errors::StaleCheckpointToken(StaleTokenSpelling::kLegacy), 400,
       "InvalidParameterValueException",
       R"({"Type":"InvalidParameterValueException","message":"Invalid Checkpoint Token"})"},
      {errors::InvalidRequestContent("m"), 400, "InvalidRequestContentException",
       R"({"Type":"InvalidRequestContentException","message":"m"})"},
      {errors::ExecutionNotFound("a"), 404, "ResourceNotFoundException",
       R"({"Message":"Durable Execution does not exist: a","Type":"ResourceNotFoundException"})"},
      {errors::CallbackNotFound(), 404, "ResourceNotFoundException",
       R"({"Message":"Callback does not exist","Type":"ResourceNotFoundException"})"},
      {errors::CallbackClosed(), 400, "CallbackTimeoutException",
       R"({"Message":"Callback is closed: it has timed out or been completed, or its execution )"
       R"(has ended","Type":"CallbackTimeoutException"})"},
      {errors::MissingSignature(), 403, "MissingAuthenticationTokenException",
       R"({"Type":"MissingAuthenticationTokenException",)"
       R"("message":"Missing Authentication Token"})"},
      {errors::IncompleteSignature("m"), 403, "IncompleteSignatureException",
       R"({"Type":"IncompleteSignatureException","message":"m"})"},
      {errors::UnknownCredentials(), 403, "UnrecognizedClientException",
       R"({"Type":"UnrecognizedClientException",)"
       R"("message":"The security token included in the request is invalid."})"},
      {errors::InvalidSignature("m"), 403, "InvalidSignatureException",
       R"({"Type":"InvalidSignatureException","message":"m"})"},
      {errors::ExecutionAlreadyStarted("n"), 409, "DurableExecutionAlreadyStartedException",
       R"({"Message":"Durable Execution already started with another input: n",)"
       R"("Type":"DurableExecutionAlreadyStartedException"})"},
      {errors::SessionAlreadyExists("s"), 409, "ResourceConflictException",
       R"({"Type":"ResourceConflictException","message":"Session already exists: s"})"},
      {errors::Conflict("m"), 409, "ResourceConflictException",
       R"({"Type":"ResourceConflictException","message":"m"})"},
      {errors::RequestTooLarge("m"), 413, "RequestTooLargeException",
       R"({"Type":"RequestTooLargeException","message":"m"})"},
      {errors::TooManyRequests("m", "CallerRateLimitExceeded", absl::Milliseconds(1500)), 429,
       "TooManyRequestsException",
       R"({"Reason":"CallerRateLimitExceeded","Type":"TooManyRequestsException","message":"m"})"},
      {errors::Internal("m"), 500, "ServiceException",
       R"({"Message":"m","Type":"ServiceException"})"},
      {errors::ShuttingDown(), 503, "ServiceException",
       R"({"Message":"The service is shutting down","Type":"ServiceException"})"},
      {errors::UnknownPath("/x"), 404, "UnknownOperationException",
       R"({"Message":"No operation at /x","Type":"UnknownOperationException"})"},
      {errors::UnknownMethod("PUT", "/x"), 405, "UnknownOperationException",
       R"({"Message":"No operation for method PUT at /x","Type":"UnknownOperationException"})"},
      {absl::UnknownError("m"), 500, "ServiceException",
       R"({"Message":"m","Type":"ServiceException"})"},
  };
}

TEST(ErrorResponseTest, AnswersEachErrorAsTheApiModelSpellsIt) {
  for (const Case& error : Cases()) {
    const HttpResponse response = ErrorResponse(error.status, ErrorTypeMember::kName);
    EXPECT_EQ(response.status, error.http_status) << error.status;
    EXPECT_EQ(response.body, error.body);
    EXPECT_THAT(FindHeader(response.headers, "x-amzn-errortype"),
                Optional(absl::string_view(error.name)));
    EXPECT_THAT(response.headers, Contains(Pair("Content-Type", "application/json")));
  }
}

// "| name | status | member of the text | gRPC |", as docs/error-responses.md has it.
std::string DocumentedRow(const Case& error) {
  const bool lower_case = absl::StrContains(error.body, "\"message\"");
  return absl::StrCat("| ", error.name, " | ", error.http_status, " | ",
                      lower_case ? "message" : "Message", " | ",
                      absl::StatusCodeToString(error.status.code()), " |");
}

TEST(ErrorResponseTest, IsDocumentedErrorByError) {
  std::set<std::string> documented;
  std::ifstream file("docs/error-responses.md");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> cells = absl::StrSplit(line, " | ");
    if (cells.size() == 6 && absl::EndsWith(cells[0], "Exception")) {
      documented.insert(absl::StrCat(absl::StrJoin(cells.begin(), cells.begin() + 4, " | "), " |"));
    }
  }
  std::set<std::string> raised;
  for (const Case& error : Cases()) {
    // A status that is none of errors.h is a fault, however it came about.
    if (absl::IsUnknown(error.status)) continue;
    raised.insert(DocumentedRow(error));
  }
  EXPECT_EQ(documented, raised);
}

TEST(ErrorResponseTest, SaysWhenToTryAgainInWholeSeconds) {
  EXPECT_THAT(ErrorResponse(errors::TooManyRequests("m", "r", absl::Milliseconds(1500)),
                            ErrorTypeMember::kName)
                  .headers,
              Contains(Pair("Retry-After", "2")));
}

TEST(ErrorResponseTest, SaysWhoseFaultItIsWhenAskedTo) {
  EXPECT_EQ(ErrorResponse(errors::Conflict("m"), ErrorTypeMember::kFault).body,
            R"({"Type":"User","message":"m"})");
  EXPECT_EQ(ErrorResponse(errors::Internal("m"), ErrorTypeMember::kFault).body,
            R"({"Message":"m","Type":"Server"})");
}

}  // namespace
}  // namespace rehearse
