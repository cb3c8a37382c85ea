#include "client/cpp/durable/handler.h"

#include <string>

#include "client/cpp/durable/durable.h"
#include "client/cpp/durable/internal/fake_service.h"
#include "gtest/gtest.h"

namespace durable {
namespace {

int Twice(DurableContext&, const int& number) { return 2 * number; }
DURABLE_FUNCTION("twice", Twice);

struct Adder {
  int amount;
  absl::StatusOr<int> operator()(DurableContext&, int number) const { return number + amount; }
};
DURABLE_FUNCTION("add-three", Adder{3});

TEST(HandlerTest, TakesFunctionsLambdasAndFunctionObjects) {
  internal::FakeService service("21");
  EXPECT_EQ(service.Run(Twice).result, "42");
  EXPECT_EQ(service.Run(&Twice).result, "42");
  EXPECT_EQ(service.Run(Adder{4}).result, "25");
  EXPECT_EQ(service.Run([](DurableContext&, Json input) { return input; }).result, "21");
}

TEST(HandlerTest, HandlerSeesItsExecution) {
  internal::FakeService service;
  const InvocationOutput output = service.Run([](DurableContext& ctx, const Json&) {
    return ctx.durable_execution_arn() + " " + ctx.request_id();
  });
  EXPECT_EQ(output.result, "\"" + std::string(internal::FakeService::kArn) + " request-1\"");
}

TEST(RegistryTest, HoldsWhatTheProgramRegistered) {
  const auto& functions = RegisteredFunctions();
  ASSERT_EQ(functions.size(), 2u);
  internal::FakeService service("2");
  EXPECT_EQ(service.Run(functions.at("twice")).result, "4");
  EXPECT_EQ(service.Run(functions.at("add-three")).result, "5");
}

TEST(RegistryDeathTest, NameIsRegisteredOnce) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(RegisterFunction("twice", Twice),
               "two durable functions are registered as \"twice\"");
}

}  // namespace
}  // namespace durable
