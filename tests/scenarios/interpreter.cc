#include "tests/scenarios/interpreter.h"

#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace rehearse::scenarios {
namespace {

using durable::DurableContext;
using durable::StepContext;

absl::Status ToStatus(const Json& error) {
  return durable::MakeError(error.at("type").get<std::string>(),
                            error.at("message").get<std::string>());
}

absl::Duration Seconds(const Json& operation, const std::string& member) {
  return absl::Seconds(operation.value(member, 0));
}

durable::CallbackOptions CallbackOptionsOf(const Json& operation) {
  return durable::CallbackOptions()
      .set_timeout(Seconds(operation, "timeout_seconds"))
      .set_heartbeat_timeout(Seconds(operation, "heartbeat_timeout_seconds"));
}

// One invocation of a function.
class Invocation {
 public:
  explicit Invocation(const Json& input) : input_(input) {}

  absl::StatusOr<Json> RunBody(DurableContext& ctx, const Json& body) {
    Json value;
    for (const Json& operation : body) {
      absl::StatusOr<Json> outcome = RunOperation(ctx, operation);
      const bool failed = !outcome.ok() && !durable::IsSuspended(outcome.status());
      if (failed && operation.contains("fallback")) outcome = operation["fallback"];
      if (!outcome.ok()) return outcome;
      value = *std::move(outcome);
    }
    return value;
  }

 private:
  absl::StatusOr<Json> RunOperation(DurableContext& ctx, const Json& operation) {
    const auto op = operation.at("op").get<std::string>();
    if (op == "input") return input_;
    if (op == "value") return operation.at("value");
    if (op == "fail") return ToStatus(operation.at("error"));
    const auto name = operation.at("name").get<std::string>();
    if (op == "step") return RunStep(ctx, name, operation);
    if (op == "wait") return AsJson(ctx.Wait(name, Seconds(operation, "seconds")));
    if (op == "wait_for_condition") return RunWaitForCondition(ctx, name, operation);
    if (op == "child_context") {
      return ctx.RunInChildContext(
          name, [&](DurableContext& child) { return RunBody(child, operation.at("body")); });
    }
    if (op == "invoke") {
      return ctx.Invoke<Json>(name, operation.at("function").get<std::string>(),
                              operation.at("payload"));
    }
    if (op == "create_callback") return CreateCallback(ctx, name, operation);
    if (op == "callback_result") return AsJson(callbacks_.at(name).Result());
    if (op == "wait_for_callback") {
      return AsJson(ctx.WaitForCallback(
          name, [](absl::string_view, StepContext&) {}, CallbackOptionsOf(operation)));
    }
    return absl::InvalidArgumentError(absl::StrCat("unknown operation ", op));
  }

  static absl::StatusOr<Json> AsJson(const absl::Status& status) {
    if (!status.ok()) return status;
    return Json();
  }
  static absl::StatusOr<Json> AsJson(absl::StatusOr<std::string> text) {
    if (!text.ok()) return std::move(text).status();
    return Json(*std::move(text));
  }

  static absl::StatusOr<Json> RunStep(DurableContext& ctx, const std::string& name,
                                      const Json& operation) {
    const Json& attempts = operation.at("attempts");
    const auto retry = [&](const durable::ErrorInfo&, int attempt) {
      return durable::RetryDecision{attempt < static_cast<int>(attempts.size()),
                                    Seconds(operation, "retry_delay_seconds")};
    };
    return ctx.Step(
        name,
        [&](StepContext& step) -> absl::StatusOr<Json> {
          const Json& attempt = attempts.at(step.attempt() - 1);
          if (attempt.contains("error")) return ToStatus(attempt["error"]);
          return attempt.at("result");
        },
        durable::StepOptions().set_retry(retry));
  }

  static absl::StatusOr<Json> RunWaitForCondition(DurableContext& ctx, const std::string& name,
                                                  const Json& operation) {
    const Json& states = operation.at("states");
    return ctx.WaitForCondition(
        name, Json(),
        [&](const Json&, durable::CheckContext& check) { return states.at(check.attempt() - 1); },
        [&](const Json&, int attempt) {
          return durable::WaitDecision{attempt == static_cast<int>(states.size()),
                                       Seconds(operation, "delay_seconds")};
        });
  }

  absl::StatusOr<Json> CreateCallback(DurableContext& ctx, const std::string& name,
                                      const Json& operation) {
    absl::StatusOr<durable::Callback<std::string>> callback =
        ctx.CreateCallback(name, CallbackOptionsOf(operation));
    if (!callback.ok()) return std::move(callback).status();
    callbacks_.emplace(name, *std::move(callback));
    return Json();
  }

  const Json& input_;
  std::map<std::string, durable::Callback<std::string>> callbacks_;
};

}  // namespace

durable::Handler DurableFunction(Json body) {
  return [body = std::move(body)](DurableContext& ctx, const Json& input) {
    return Invocation(input).RunBody(ctx, body);
  };
}

std::function<absl::StatusOr<Json>(const Json& input)> PlainFunction(Json body) {
  return [body = std::move(body)](const Json& input) -> absl::StatusOr<Json> {
    const Json& operation = body.back();
    if (operation.at("op") == "fail") return ToStatus(operation.at("error"));
    return operation.at("op") == "input" ? input : operation.at("value");
  };
}

std::vector<std::string> CrashingSteps(const Json& body) {
  std::vector<std::string> names;
  for (const Json& operation : body) {
    if (operation.value("crash", false)) {
      names.push_back(operation.at("name").get<std::string>());
    }
    if (!operation.contains("body")) continue;
    for (std::string& name : CrashingSteps(operation["body"])) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace rehearse::scenarios
