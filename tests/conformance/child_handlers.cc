// Suite 3: child contexts.
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "client/cpp/durable/durable.h"
#include "tests/conformance/function_host.h"

namespace rehearse::conformance {
namespace {

using ::durable::ChildOptions;
using ::durable::DurableContext;
using ::durable::Json;
using ::durable::StepContext;
using ::durable::StepOptions;

// More than a record holds.
constexpr size_t kLargeResultBytes = 300 << 10;

absl::StatusOr<std::string> Echo(DurableContext& ctx, const std::string& value) {
  return ctx.Step("echo", [&](StepContext&) { return value; });
}

absl::Status FailStep(DurableContext& ctx) {
  return ctx.Step(
      "fail", [](StepContext&) { return durable::MakeError("StepFailure", "always fails"); },
      StepOptions().set_retry(durable::NoRetry()));
}

absl::StatusOr<std::string> OneStep(DurableContext& ctx, const std::string& input) {
  return ctx.RunInChildContext("", [&](DurableContext& child) { return Echo(child, input); });
}
DURABLE_FUNCTION("3-1", OneStep);

absl::StatusOr<std::string> Named(DurableContext& ctx, const Json& input) {
  return ctx.RunInChildContext(input.at("name").get<std::string>(), [&](DurableContext& child) {
    return Echo(child, input.at("value").get<std::string>());
  });
}
DURABLE_FUNCTION("3-2", Named);

absl::StatusOr<std::string> TwoSteps(DurableContext& ctx, const std::string& input) {
  return ctx.RunInChildContext("child", [&](DurableContext& child) -> absl::StatusOr<std::string> {
    DURABLE_ASSIGN_OR_RETURN(std::string first, Echo(child, input));
    return Echo(child, first);
  });
}
DURABLE_FUNCTION("3-3", TwoSteps);

absl::Status FailInChild(DurableContext& ctx, const Json&) {
  return ctx.RunInChildContext("child", FailStep);
}
DURABLE_FUNCTION("3-4", FailInChild);

absl::StatusOr<std::string> RecoverFromChild(DurableContext& ctx, const std::string& input) {
  const absl::Status failed = ctx.RunInChildContext("child", FailStep);
  if (!durable::IsError(failed, durable::ErrorKind::kChildContext)) return failed;
  return ctx.Step("recover", [&](StepContext&) { return input; });
}
DURABLE_FUNCTION("3-5", RecoverFromChild);

absl::StatusOr<std::string> Nested(DurableContext& ctx, const std::string& input) {
  return ctx.RunInChildContext("outer", [&](DurableContext& outer) -> absl::StatusOr<std::string> {
    DURABLE_ASSIGN_OR_RETURN(std::string value, Echo(outer, input));
    return outer.RunInChildContext("inner",
                                   [&](DurableContext& inner) { return Echo(inner, value); });
  });
}
DURABLE_FUNCTION("3-6", Nested);

absl::StatusOr<std::string> RetryInChild(DurableContext& ctx, const std::string& input) {
  return ctx.RunInChildContext("child", [&](DurableContext& child) {
    return child.Step(
        "flaky",
        [&](StepContext& step) -> absl::StatusOr<std::string> {
          if (step.attempt() == 1) return durable::MakeError("FlakyError", "not yet");
          return input;
        },
        StepOptions().set_retry(durable::FixedRetry(absl::Seconds(1))));
  });
}
DURABLE_FUNCTION("3-7", RetryInChild);

absl::Status ExhaustRetriesInChild(DurableContext& ctx, const Json&) {
  return ctx.RunInChildContext("child", [](DurableContext& child) {
    return child.Step(
        "fail", [](StepContext&) { return durable::MakeError("StepFailure", "always fails"); },
        StepOptions().set_retry(durable::ExponentialBackoff()
                                    .set_max_attempts(2)
                                    .set_initial_delay(absl::Seconds(1))
                                    .set_jitter(durable::Jitter::kNone)
                                    .Build()));
  });
}
DURABLE_FUNCTION("3-8", ExhaustRetriesInChild);

absl::StatusOr<std::string> ReplayClosedChild(DurableContext& ctx, const std::string& input) {
  DURABLE_ASSIGN_OR_RETURN(
      std::string value,
      ctx.RunInChildContext("child", [&](DurableContext& child) { return Echo(child, input); }));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return value;
}
DURABLE_FUNCTION("3-9", ReplayClosedChild);

absl::StatusOr<std::string> EchoThenWait(DurableContext& ctx, const std::string& input) {
  DURABLE_ASSIGN_OR_RETURN(std::string value, Echo(ctx, input));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return value;
}

absl::StatusOr<std::string> StepAndWaitInChild(DurableContext& ctx, const std::string& input) {
  return ctx.RunInChildContext("child",
                               [&](DurableContext& child) { return EchoThenWait(child, input); });
}
DURABLE_FUNCTION("3-10", StepAndWaitInChild);

absl::Status LargeResult(DurableContext& ctx, const std::string& input) {
  DURABLE_ASSIGN_OR_RETURN(
      std::string large,
      ctx.RunInChildContext("child", [&](DurableContext& child) -> absl::StatusOr<std::string> {
        child.logger().Info(input);
        DURABLE_ASSIGN_OR_RETURN(std::string value, Echo(child, input));
        value.resize(kLargeResultBytes, 'x');
        return value;
      }));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return large.size() == kLargeResultBytes ? absl::OkStatus()
                                           : durable::MakeError("WrongSize", "bytes were lost");
}
DURABLE_FUNCTION("3-11", LargeResult);

absl::StatusOr<std::string> DieInChild(DurableContext& ctx, const std::string& input) {
  return ctx.RunInChildContext("child", [&](DurableContext& child) {
    return child.Step("interrupted", [&](StepContext&) -> absl::StatusOr<std::string> {
      if (FirstTime(ctx)) return DieHere();
      return input;
    });
  });
}
DURABLE_FUNCTION("3-12", DieInChild);

absl::StatusOr<std::string> StepAfterChild(DurableContext& ctx, const std::string& input) {
  DURABLE_ASSIGN_OR_RETURN(
      std::string value,
      ctx.RunInChildContext("child", [&](DurableContext& child) -> absl::StatusOr<std::string> {
        DURABLE_RETURN_IF_ERROR(child.Wait("pause", absl::Seconds(1)));
        return input;
      }));
  return Echo(ctx, value);
}
DURABLE_FUNCTION("3-13", StepAfterChild);

absl::StatusOr<std::string> CustomSerdes(DurableContext& ctx, const std::string& input) {
  return ctx.RunInChildContext(
      "child", [&](DurableContext& child) { return Echo(child, input); },
      ChildOptions().set_serdes<std::string>(
          [](const std::string& value, const auto&) { return absl::AsciiStrToUpper(value); },
          [](absl::string_view text, const auto&) { return std::string(text); }));
}
DURABLE_FUNCTION("3-14", CustomSerdes);

absl::Status FailWithoutStep(DurableContext& ctx, const Json&) {
  return ctx.RunInChildContext("child", [](DurableContext&) {
    return durable::MakeError("ChildFailure", "failed without a step");
  });
}
DURABLE_FUNCTION("3-15", FailWithoutStep);

absl::Status ReturnNothing(DurableContext& ctx, const Json&) {
  return ctx.RunInChildContext("child", [](DurableContext&) {});
}
DURABLE_FUNCTION("3-16", ReturnNothing);

absl::StatusOr<std::string> OnlyLog(DurableContext& ctx, const std::string& input) {
  DURABLE_ASSIGN_OR_RETURN(std::string value,
                           ctx.RunInChildContext("child", [&](DurableContext& child) {
                             child.logger().Info(input);
                             return input;
                           }));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return value;
}
DURABLE_FUNCTION("3-17", OnlyLog);

absl::StatusOr<std::string> InsideAndAfter(DurableContext& ctx, const std::string& input) {
  DURABLE_ASSIGN_OR_RETURN(std::string value,
                           ctx.RunInChildContext("child", [&](DurableContext& child) {
                             return EchoThenWait(child, input);
                           }));
  return EchoThenWait(ctx, value);
}
DURABLE_FUNCTION("3-18", InsideAndAfter);

// A body that ran again must show.
void LogWhileReplaying(FunctionSettings& settings) { settings.runtime.log_while_replaying = true; }

// The start of a step is recorded when its body runs.
void SendStartsAtOnce(FunctionSettings& settings) {
  settings.runtime.checkpoint_window = absl::ZeroDuration();
}

[[maybe_unused]] const bool configured = ConfigureFunction("3-11", LogWhileReplaying) &&
                                         ConfigureFunction("3-17", LogWhileReplaying) &&
                                         ConfigureFunction("3-12", SendStartsAtOnce);

}  // namespace
}  // namespace rehearse::conformance
