// Suite 4: callbacks.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"

namespace rehearse::conformance {
namespace {

using ::durable::Callback;
using ::durable::CallbackOptions;
using ::durable::DurableContext;
using ::durable::Json;
using ::durable::StepContext;

absl::StatusOr<Json> CreateAndAwait(DurableContext& ctx, const std::string& name,
                                    const CallbackOptions& options = {}) {
  DURABLE_ASSIGN_OR_RETURN(Callback<Json> callback, ctx.CreateCallback<Json>(name, options));
  return callback.Result();
}

absl::StatusOr<Json> Basic(DurableContext& ctx, const std::string& name) {
  return CreateAndAwait(ctx, name);
}
DURABLE_FUNCTION("4-1", Basic);
DURABLE_FUNCTION("4-6", Basic);

absl::StatusOr<Json> Named(DurableContext& ctx, const Json&) {
  return CreateAndAwait(ctx, "approval");
}
DURABLE_FUNCTION("4-2", Named);

absl::StatusOr<Json> Timeout(DurableContext& ctx, const std::string& name) {
  return CreateAndAwait(ctx, name, CallbackOptions().set_timeout(absl::Seconds(5)));
}
DURABLE_FUNCTION("4-3", Timeout);

absl::StatusOr<Json> HeartbeatTimeout(DurableContext& ctx, const std::string& name) {
  return CreateAndAwait(ctx, name, CallbackOptions().set_heartbeat_timeout(absl::Seconds(5)));
}
DURABLE_FUNCTION("4-4", HeartbeatTimeout);

absl::StatusOr<Json> Heartbeat(DurableContext& ctx, const std::string& name) {
  return CreateAndAwait(ctx, name, CallbackOptions().set_heartbeat_timeout(absl::Seconds(10)));
}
DURABLE_FUNCTION("4-5", Heartbeat);

absl::StatusOr<Json> StepBetween(DurableContext& ctx, const std::string& name,
                                 const CallbackOptions& options) {
  DURABLE_ASSIGN_OR_RETURN(Callback<Json> callback, ctx.CreateCallback<Json>(name, options));
  DURABLE_RETURN_IF_ERROR(ctx.Step("between", [](StepContext&) {}));
  return callback.Result();
}

absl::StatusOr<Json> FailureAfterStep(DurableContext& ctx, const std::string& name) {
  return StepBetween(ctx, name, {});
}
DURABLE_FUNCTION("4-7", FailureAfterStep);

absl::StatusOr<Json> TimeoutAfterStep(DurableContext& ctx, const std::string& name) {
  return StepBetween(ctx, name, CallbackOptions().set_timeout(absl::Seconds(5)));
}
DURABLE_FUNCTION("4-8", TimeoutAfterStep);

absl::StatusOr<Json> WaitBetween(DurableContext& ctx, const std::string& name,
                                 absl::Duration duration, const CallbackOptions& options = {}) {
  DURABLE_ASSIGN_OR_RETURN(Callback<Json> callback, ctx.CreateCallback<Json>(name, options));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("between", duration));
  return callback.Result();
}

absl::StatusOr<Json> AnsweredDuringWait(DurableContext& ctx, const std::string& name) {
  return WaitBetween(ctx, name, absl::Seconds(5));
}
DURABLE_FUNCTION("4-9", AnsweredDuringWait);
DURABLE_FUNCTION("4-10", AnsweredDuringWait);

absl::StatusOr<Json> TimeoutDuringWait(DurableContext& ctx, const std::string& name) {
  return WaitBetween(ctx, name, absl::Seconds(6), CallbackOptions().set_timeout(absl::Seconds(3)));
}
DURABLE_FUNCTION("4-11", TimeoutDuringWait);

absl::StatusOr<Json> WaitAfterwards(DurableContext& ctx, const std::string& name) {
  DURABLE_ASSIGN_OR_RETURN(Json answer, CreateAndAwait(ctx, name));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(2)));
  return answer;
}
DURABLE_FUNCTION("4-12", WaitAfterwards);

absl::StatusOr<std::string> CatchThenWait(DurableContext& ctx, const std::string& name,
                                          const CallbackOptions& options) {
  const absl::StatusOr<Json> answer = CreateAndAwait(ctx, name, options);
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(2)));
  return absl::StrCat("caught: ", answer.status().message());
}

absl::StatusOr<std::string> CatchFailure(DurableContext& ctx, const std::string& name) {
  return CatchThenWait(ctx, name, {});
}
DURABLE_FUNCTION("4-13", CatchFailure);

absl::StatusOr<std::string> CatchTimeout(DurableContext& ctx, const std::string& name) {
  return CatchThenWait(ctx, name, CallbackOptions().set_timeout(absl::Seconds(3)));
}
DURABLE_FUNCTION("4-14", CatchTimeout);

absl::StatusOr<Json> ParseMessage(absl::string_view text, const durable::SerdesContext&) {
  Json message = Json::parse(text);
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, message.at("timestamp").get<std::string>(), &time,
                       &error)) {
    return absl::InvalidArgumentError(error);
  }
  message["timestamp"] = absl::ToUnixSeconds(time);
  return message;
}

absl::StatusOr<Json> CustomDeserializer(DurableContext& ctx, const std::string& name) {
  auto options = CallbackOptions().set_serdes<Json>(
      [](const Json& value, const auto&) { return value.dump(); }, ParseMessage);
  DURABLE_ASSIGN_OR_RETURN(Json message, CreateAndAwait(ctx, name, options));
  return Json{{"received", message}};
}
DURABLE_FUNCTION("4-15", CustomDeserializer);

absl::StatusOr<Json> ParsedIntoNumber(DurableContext& ctx, const std::string& name) {
  auto options = CallbackOptions().set_serdes<int64_t>(
      [](const int64_t& value, const auto&) { return absl::StrCat(value); },
      [](absl::string_view text, const auto&) -> absl::StatusOr<int64_t> {
        int64_t value = 0;
        if (!absl::SimpleAtoi(text, &value)) return absl::InvalidArgumentError("not a number");
        return value;
      });
  DURABLE_ASSIGN_OR_RETURN(Callback<int64_t> callback, ctx.CreateCallback<int64_t>(name, options));
  DURABLE_ASSIGN_OR_RETURN(const int64_t count, callback.Result());
  return Json{{"count", count}, {"doubled", 2 * count}};
}
DURABLE_FUNCTION("4-16", ParsedIntoNumber);

using Names = std::vector<std::string>;

absl::StatusOr<Json> OneAfterTheOther(DurableContext& ctx, const Names& names) {
  DURABLE_ASSIGN_OR_RETURN(Json first, CreateAndAwait(ctx, names.at(0)));
  DURABLE_ASSIGN_OR_RETURN(Json second, CreateAndAwait(ctx, names.at(1)));
  return Json::array({first, second});
}
DURABLE_FUNCTION("4-17", OneAfterTheOther);

absl::StatusOr<Json> BothAtOnce(DurableContext& ctx, const Names& names) {
  DURABLE_ASSIGN_OR_RETURN(Callback<Json> a, ctx.CreateCallback<Json>(names.at(0)));
  DURABLE_ASSIGN_OR_RETURN(Callback<Json> b, ctx.CreateCallback<Json>(names.at(1)));
  DURABLE_ASSIGN_OR_RETURN(Json first, a.Result());
  DURABLE_ASSIGN_OR_RETURN(Json second, b.Result());
  return Json::array({first, second});
}
DURABLE_FUNCTION("4-18", BothAtOnce);

absl::StatusOr<Json> BothInReverse(DurableContext& ctx, const Names& names) {
  DURABLE_ASSIGN_OR_RETURN(Callback<Json> a, ctx.CreateCallback<Json>(names.at(0)));
  DURABLE_ASSIGN_OR_RETURN(Callback<Json> b, ctx.CreateCallback<Json>(names.at(1)));
  DURABLE_ASSIGN_OR_RETURN(Json second, b.Result());
  DURABLE_ASSIGN_OR_RETURN(Json first, a.Result());
  return Json::array({first, second});
}
DURABLE_FUNCTION("4-19", BothInReverse);

}  // namespace
}  // namespace rehearse::conformance
