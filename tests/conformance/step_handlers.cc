// Suite 1: step.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/durable/durable.h"
#include "tests/conformance/function_host.h"

namespace rehearse::conformance {
namespace {

using ::durable::DurableContext;
using ::durable::ExponentialBackoff;
using ::durable::Json;
using ::durable::StepContext;
using ::durable::StepOptions;

const StepOptions& NoRetry() {
  static const auto* const options = new StepOptions(StepOptions().set_retry(durable::NoRetry()));
  return *options;
}

// Fails until the given attempt.
absl::StatusOr<std::string> SucceedInAttempt(int attempt, StepContext& step) {
  if (step.attempt() < attempt) return durable::MakeError("FlakyError", "not yet");
  return std::string("Operation succeeded");
}

absl::Status AlwaysFail(StepContext&) { return durable::MakeError("StepFailure", "always fails"); }

absl::StatusOr<std::string> Greet(DurableContext& ctx, const std::string& name) {
  return ctx.Step("", [&](StepContext&) { return absl::StrCat("Hello, ", name, "!"); });
}
DURABLE_FUNCTION("1-1", Greet);

absl::StatusOr<std::string> GreetByName(DurableContext& ctx, const std::string& name) {
  return ctx.Step("custom_step_name",
                  [&](StepContext&) { return absl::StrCat("Hello, ", name, "!"); });
}
DURABLE_FUNCTION("1-2", GreetByName);

absl::StatusOr<std::string> Chain(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(std::string first,
                           ctx.Step("first", [](StepContext&) { return std::string("first"); }));
  return ctx.Step("second", [&](StepContext&) { return first + "_second"; });
}
DURABLE_FUNCTION("1-3", Chain);

absl::StatusOr<Json> ReturnObject(DurableContext& ctx, const Json& user) {
  return ctx.Step("describe", [&](StepContext&) {
    return Json{{"user", user}, {"count", user.at("tags").size()}};
  });
}
DURABLE_FUNCTION("1-4", ReturnObject);

absl::Status ReturnNothing(DurableContext& ctx, const Json&) {
  return ctx.Step("nothing", [](StepContext&) {});
}
DURABLE_FUNCTION("1-5", ReturnNothing);

// The first run, too, sees the value that went through both functions.
absl::StatusOr<std::string> CustomSerdes(DurableContext& ctx, const std::string& input) {
  return ctx.Step(
      "shout", [&](StepContext&) { return input; },
      StepOptions().set_serdes<std::string>(
          [](const std::string& value, const auto&) { return absl::AsciiStrToUpper(value); },
          [](absl::string_view text, const auto&) { return std::string(text); }));
}
DURABLE_FUNCTION("1-6", CustomSerdes);

absl::StatusOr<std::string> LogFromStep(DurableContext& ctx, const std::string& name) {
  return ctx.Step("greet", [&](StepContext& step) {
    step.logger().Info(absl::StrCat("Greeting step started for: ", name));
    std::string greeting = absl::StrCat("Hello, ", name, "!");
    step.logger().Info(absl::StrCat("Greeting step completed with: ", greeting));
    return greeting;
  });
}
DURABLE_FUNCTION("1-7", LogFromStep);

absl::StatusOr<std::string> StepThenWait(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(
      std::string value, ctx.Step("compute", [](StepContext&) { return std::string("computed"); }));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(2)));
  return value;
}
DURABLE_FUNCTION("1-8", StepThenWait);

absl::StatusOr<std::string> ReplaySucceededStep(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(std::string value, ctx.Step("compute", [](StepContext&) {
    return std::string("cached_value");
  }));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return value;
}
DURABLE_FUNCTION("1-9", ReplaySucceededStep);

absl::StatusOr<std::string> ReplayFailedStep(DurableContext& ctx, const Json&) {
  const absl::Status failed = ctx.Step("fail", AlwaysFail, NoRetry());
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return std::string(failed.message());
}
DURABLE_FUNCTION("1-10", ReplayFailedStep);

absl::StatusOr<std::string> RetryOnce(DurableContext& ctx, const Json&) {
  return ctx.Step(
      "flaky", [](StepContext& step) { return SucceedInAttempt(2, step); },
      StepOptions().set_retry(durable::FixedRetry(absl::Seconds(1))));
}
DURABLE_FUNCTION("1-11", RetryOnce);

absl::Status ExhaustRetries(DurableContext& ctx, const Json&) {
  return ctx.Step("fail", AlwaysFail,
                  StepOptions().set_retry(ExponentialBackoff()
                                              .set_max_attempts(4)
                                              .set_initial_delay(absl::Seconds(1))
                                              .set_backoff_rate(1)
                                              .set_jitter(durable::Jitter::kNone)
                                              .Build()));
}
DURABLE_FUNCTION("1-12", ExhaustRetries);

absl::StatusOr<std::string> DefaultRetry(DurableContext& ctx, const Json&) {
  return ctx.Step("flaky", [](StepContext& step) { return SucceedInAttempt(3, step); });
}
DURABLE_FUNCTION("1-13", DefaultRetry);

absl::StatusOr<std::string> CustomBackoff(DurableContext& ctx, const Json&) {
  return ctx.Step(
      "flaky", [](StepContext& step) { return SucceedInAttempt(3, step); },
      StepOptions().set_retry(ExponentialBackoff()
                                  .set_initial_delay(absl::Seconds(2))
                                  .set_backoff_rate(3)
                                  .set_jitter(durable::Jitter::kNone)
                                  .Build()));
}
DURABLE_FUNCTION("1-14", CustomBackoff);

durable::RetryStrategy RetryOnly(std::string type) {
  return ExponentialBackoff()
      .set_initial_delay(absl::Seconds(1))
      .set_jitter(durable::Jitter::kNone)
      .RetryOnTypes({std::move(type)})
      .Build();
}

absl::StatusOr<std::string> RetryListedError(DurableContext& ctx, const Json&) {
  return ctx.Step(
      "flaky",
      [](StepContext& step) -> absl::StatusOr<std::string> {
        if (step.attempt() == 1) return durable::MakeError("TransientError", "try again");
        return std::string("recovered");
      },
      StepOptions().set_retry(RetryOnly("TransientError")));
}
DURABLE_FUNCTION("1-15", RetryListedError);

absl::Status FailWithUnlistedError(DurableContext& ctx, const Json&) {
  return ctx.Step(
      "fail", [](StepContext&) { return durable::MakeError("TransientError", "no use"); },
      StepOptions().set_retry(RetryOnly("OtherError")));
}
DURABLE_FUNCTION("1-16", FailWithUnlistedError);

StepOptions AtMostOnce(durable::RetryStrategy retry) {
  return StepOptions()
      .set_semantics(durable::StepSemantics::kAtMostOncePerRetry)
      .set_retry(std::move(retry));
}

absl::Status DieAtMostOnce(DurableContext& ctx, const std::string& input) {
  return ctx.Step(
      "at_most_once_flaky_step",
      [&](StepContext& step) {
        step.logger().Info(input);
        return DieHere();
      },
      AtMostOnce(durable::NoRetry()));
}
DURABLE_FUNCTION("1-17", DieAtMostOnce);

absl::StatusOr<std::string> DieAtMostOnceAndRetry(DurableContext& ctx, const std::string& input) {
  return ctx.Step(
      "at_most_once_flaky_step",
      [&](StepContext& step) -> absl::StatusOr<std::string> {
        step.logger().Info(input);
        if (step.attempt() == 1) return DieHere();
        return std::string("succeeded on second attempt");
      },
      AtMostOnce(durable::FixedRetry(absl::Seconds(1))));
}
DURABLE_FUNCTION("1-18", DieAtMostOnceAndRetry);

absl::Status FailStep(DurableContext& ctx, const Json&) {
  return ctx.Step("fail", AlwaysFail, NoRetry());
}
DURABLE_FUNCTION("1-19", FailStep);

absl::StatusOr<std::string> FallBack(DurableContext& ctx, const Json&) {
  const absl::Status failed = ctx.Step("fail", AlwaysFail, NoRetry());
  if (!durable::IsError(failed, durable::ErrorKind::kStep)) return failed;
  return ctx.Step("fall_back", [](StepContext&) { return std::string("fallback_result"); });
}
DURABLE_FUNCTION("1-20", FallBack);

}  // namespace
}  // namespace rehearse::conformance
