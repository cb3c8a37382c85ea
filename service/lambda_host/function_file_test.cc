#include "service/lambda_host/function_file.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rehearse::lambda_host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// A folder with one file.
class Folder {
 public:
  explicit Folder(const std::string& text) : path_(::testing::TempDir() + "/functions-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
    char* path = realpath(path_.c_str(), nullptr);
    path_ = path;
    free(path);
    std::ofstream(file()) << text;
  }
  const std::string& path() const { return path_; }
  std::string file() const { return path_ + "/functions.yaml"; }

 private:
  std::string path_;
};

FunctionFile Read(const Folder& folder, const std::vector<std::string>& command = {}) {
  absl::StatusOr<FunctionFile> file = ReadFunctionFile(folder.file(), command);
  EXPECT_EQ(file.status(), absl::OkStatus());
  return file.ok() ? *std::move(file) : FunctionFile{{LambdaFunction()}, {}};
}

// Without the path of the file.
std::string ErrorOf(const std::string& text) {
  const Folder folder(text);
  const std::string message(ReadFunctionFile(folder.file(), {}).status().message());
  EXPECT_EQ(message.substr(0, folder.file().size()), folder.file());
  return message.substr(folder.file().size());
}

TEST(FunctionFileTest, ReadsEverySettingOfAFunction) {
  const Folder folder(R"(
functions:
  orders:
    command: [python3, -m, awslambdaric, app.handler]
    handler: app.handler
    folder: src
    durable: true
    timeout: 30
    execution_timeout: 3600
    retention_days: 7
    concurrency: 2
    tenancy: per-tenant
    memory: 256
    environment: {TABLE: orders, COUNT: 3}
)");
  const FunctionFile file = Read(folder);
  ASSERT_EQ(file.functions.size(), 1);
  const LambdaFunction& orders = file.functions[0];
  EXPECT_EQ(orders.spec.ShortDebugString(),
            R"(function_name: "orders" durable: true durable_config { retention_period_in_days: 7 )"
            R"(execution_timeout: 3600 } timeout { seconds: 30 })");
  EXPECT_THAT(orders.command, ElementsAre("python3", "-m", "awslambdaric", "app.handler"));
  EXPECT_EQ(orders.handler, "app.handler");
  EXPECT_EQ(orders.folder, folder.path() + "/src");
  EXPECT_THAT(orders.environment,
              UnorderedElementsAre(Pair("TABLE", "orders"), Pair("COUNT", "3")));
  EXPECT_EQ(orders.concurrency, 2);
  EXPECT_EQ(orders.memory_mb, 256);
  EXPECT_TRUE(orders.per_tenant);
}

TEST(FunctionFileTest, FunctionsAreDurableAndRunNextToTheFile) {
  const Folder folder(
      "functions:\n  a:\n    command: ./a --fast | tee log\n  b:\n    durable: no\n");
  const FunctionFile file = Read(folder, {"run-b"});
  ASSERT_EQ(file.functions.size(), 2);
  EXPECT_EQ(file.functions[0].spec.ShortDebugString(), R"(function_name: "a" durable: true)");
  EXPECT_THAT(file.functions[0].command, ElementsAre("/bin/sh", "-c", "./a --fast | tee log"));
  EXPECT_EQ(file.functions[0].folder, folder.path());
  EXPECT_EQ(file.functions[1].spec.ShortDebugString(), R"(function_name: "b")");
  EXPECT_THAT(file.functions[1].command, ElementsAre("run-b"));
}

TEST(FunctionFileTest, MistakesAreNamedWithTheirLine) {
  const struct {
    std::string text;
    std::string error;
  } kRows[] = {
      {"functions:\n  a: [\n", ":3: end of sequence flow not found"},
      {"- a\n", ":1: the file: expected a map"},
      {"a: 1\n", ":1: unknown setting 'a': expected functions, or Resources of a SAM template"},
      {"{}\n", ":1: functions is missing"},
      {"functions: []\n", ":1: functions: expected a map"},
      {"functions: {}\n", ": there is no function in it"},
      {"functions:\n  a: 1\n", ":2: a: expected a map"},
      {"functions:\n  a: {}\n", ":2: a: command is missing"},
      {"functions:\n  a:\n    command: []\n",
       ":3: command: expected a line or a list of arguments"},
      {"functions:\n  a:\n    command: [[x]]\n", ":3: command: expected text"},
      {"functions:\n  a:\n    colour: red\n", ":3: a: unknown setting 'colour'"},
      {"functions:\n  a:\n    durable: perhaps\n", ":3: durable: expected true or false"},
      {"functions:\n  a:\n    tenancy: none\n", ":3: tenancy: expected per-tenant, got 'none'"},
      {"functions:\n  a:\n    environment: [x]\n", ":3: environment: expected a map"},
      {"functions:\n  a:\n    environment: {X: [y]}\n", ":3: X: expected text"},
      {"functions:\n  a:\n    timeout: 0\n",
       ":3: timeout: expected a whole number from 1 to 5400, got '0'"},
      {"functions:\n  a:\n    timeout: 5401\n",
       ":3: timeout: expected a whole number from 1 to 5400, got '5401'"},
      {"functions:\n  a:\n    execution_timeout: 1h\n",
       ":3: execution_timeout: expected a whole number from 1 to 31622400, got '1h'"},
      {"functions:\n  a:\n    retention_days: 91\n",
       ":3: retention_days: expected a whole number from 1 to 90, got '91'"},
      {"functions:\n  a:\n    concurrency: 0\n",
       ":3: concurrency: expected a whole number from 1 to 1000, got '0'"},
      {"functions:\n  a:\n    memory: 127\n",
       ":3: memory: expected a whole number from 128 to 10240, got '127'"},
  };
  for (const auto& row : kRows) EXPECT_EQ(ErrorOf(row.text), row.error) << row.text;
  EXPECT_EQ(ReadFunctionFile("/no/such/file", {}).status(),
            absl::NotFoundError("cannot read /no/such/file: No such file or directory"));
}

constexpr char kTemplate[] = R"(
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: test}
  Key: {Type: String}
Globals:
  Function:
    Timeout: 20
    Runtime: python3.13
    Environment:
      Variables: {STAGE: !Ref Stage, SHARED: globals}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "orders-${Stage}"
      Handler: app.handler
      CodeUri: orders/
      MemorySize: 512
      DurableConfig: {ExecutionTimeout: 3600, RetentionPeriodInDays: 7}
      Environment:
        Variables:
          TABLE: !Ref Table
          SHARED: own
          PAYMENTS: {Ref: Payments}
          NAME: {"Fn::Sub": "${Payments}!"}
          KEY: !Ref Key
          ARN: !GetAtt Table.Arn
          CONDITION: !If [a, b, c]
  Payments:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      DurableConfig: {}
  Plain:
    Type: AWS::Serverless::Function
    Properties: {Handler: plain.handler}
)";

TEST(SamTemplateTest, TakesTheFunctionsThatHaveADurableConfig) {
  const Folder folder(kTemplate);
  const FunctionFile file = Read(folder);
  ASSERT_EQ(file.functions.size(), 2);
  const LambdaFunction& orders = file.functions[0];
  EXPECT_EQ(orders.spec.ShortDebugString(),
            R"(function_name: "orders-test" durable: true durable_config { )"
            R"(retention_period_in_days: 7 execution_timeout: 3600 } timeout { seconds: 20 })");
  EXPECT_THAT(orders.command, ElementsAre("python3", "-m", "awslambdaric", "app.handler"));
  EXPECT_EQ(orders.handler, "app.handler");
  EXPECT_EQ(orders.folder, folder.path() + "/orders/");
  EXPECT_EQ(orders.memory_mb, 512);
  EXPECT_THAT(
      orders.environment,
      UnorderedElementsAre(Pair("STAGE", "test"), Pair("SHARED", "own"), Pair("TABLE", "Table"),
                           Pair("PAYMENTS", "Payments"), Pair("NAME", "Payments!")));
  EXPECT_THAT(file.notes,
              UnorderedElementsAre("orders-test: environment variable KEY is left out: only text, "
                                   "!Ref and !Sub are evaluated",
                                   "orders-test: environment variable ARN is left out: only text, "
                                   "!Ref and !Sub are evaluated",
                                   "orders-test: environment variable CONDITION is left out: only "
                                   "text, !Ref and !Sub are evaluated"));
  const LambdaFunction& payments = file.functions[1];
  EXPECT_EQ(
      payments.spec.ShortDebugString(),
      R"(function_name: "Payments" durable: true durable_config { } timeout { seconds: 20 })");
  EXPECT_THAT(payments.command, ElementsAre("./bootstrap"));
  EXPECT_EQ(payments.folder, folder.path());
}

TEST(SamTemplateTest, ACommandRunsAllFunctions) {
  const FunctionFile file = Read(Folder(kTemplate), {"./host", "--verbose"});
  for (const LambdaFunction& function : file.functions) {
    EXPECT_THAT(function.command, ElementsAre("./host", "--verbose"));
  }
}

TEST(SamTemplateTest, MistakesAreNamedWithTheirLine) {
  const std::string head = "Resources:\n  A:\n    Type: AWS::Serverless::Function\n";
  const struct {
    std::string text;
    std::string error;
  } kRows[] = {
      {"Resources: []\n", ":1: Resources: expected a map"},
      {head, ": there is no function with a DurableConfig in it"},
      {head + "    Properties: {DurableConfig: {}, Runtime: java21}\n",
       ":2: A: no command is known for runtime 'java21': give one behind --"},
      {head + "    Properties: {DurableConfig: 1}\n", ":4: DurableConfig: expected a map"},
      {head + "    Properties: {DurableConfig: {ExecutionTimeout: 0}}\n",
       ":4: ExecutionTimeout: expected a whole number from 1 to 31622400, got '0'"},
      {head + "    Properties: {DurableConfig: {}, Timeout: 901}\n",
       ":4: Timeout: expected a whole number from 1 to 900, got '901'"},
      {head + "    Properties: {DurableConfig: {}, Handler: !Select [0, [a]]}\n",
       ":4: Handler: expected text, !Ref or !Sub"},
  };
  for (const auto& row : kRows) EXPECT_EQ(ErrorOf(row.text), row.error) << row.text;
}

}  // namespace
}  // namespace rehearse::lambda_host
