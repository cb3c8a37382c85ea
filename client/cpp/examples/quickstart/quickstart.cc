#include "client/cpp/examples/quickstart/quickstart.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

using durable::DurableContext;
using durable::StepContext;

namespace {

std::string JoinPair(int a, int b) { return absl::StrCat(a, " ", b); }

absl::StatusOr<std::string> Two(DurableContext& ctx, int a, int b) {
  DURABLE_ASSIGN_OR_RETURN(const std::string first,
                           ctx.Step("two_1", [=](StepContext&) { return JoinPair(a, b); }));
  DURABLE_ASSIGN_OR_RETURN(const std::string second,
                           ctx.Step("two_2", [=](StepContext&) { return JoinPair(b, a); }));
  return absl::StrCat(first, " ", second);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> QuickStart(DurableContext& ctx, const std::string& input) {
  ctx.logger().Info("started", {{"input", input}});
  DURABLE_ASSIGN_OR_RETURN(const std::string one,
                           ctx.Step("one", [](StepContext&) { return JoinPair(1, 2); }));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  DURABLE_ASSIGN_OR_RETURN(
      const std::string two,
      ctx.RunInChildContext("two", [](DurableContext& child) { return Two(child, 3, 4); }));
  DURABLE_ASSIGN_OR_RETURN(const std::string three,
                           ctx.Step("three", [](StepContext&) { return JoinPair(5, 6); }));
  return std::vector<std::string>{one, two, three};
}
