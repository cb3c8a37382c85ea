// Suite 7: wait for a callback.
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/durable/durable.h"

namespace rehearse::conformance {
namespace {

using ::durable::CallbackOptions;
using ::durable::DurableContext;
using ::durable::ErrorKind;
using ::durable::IsError;
using ::durable::Json;
using ::durable::StepContext;

// Here a real function would hand the id to whoever is to answer.
void Submit(absl::string_view, StepContext&) {}

absl::StatusOr<Json> Basic(DurableContext& ctx, const std::string& name) {
  return ctx.WaitForCallback<Json>(name, Submit);
}
DURABLE_FUNCTION("7-1", Basic);
DURABLE_FUNCTION("7-4", Basic);
DURABLE_FUNCTION("7-15", Basic);

absl::StatusOr<Json> Named(DurableContext& ctx, const Json&) {
  return ctx.WaitForCallback<Json>("approval", Submit);
}
DURABLE_FUNCTION("7-2", Named);

absl::StatusOr<Json> Unnamed(DurableContext& ctx, const Json&) {
  return ctx.WaitForCallback<Json>("", Submit);
}
DURABLE_FUNCTION("7-3", Unnamed);

absl::StatusOr<Json> Timeout(DurableContext& ctx, const std::string& name) {
  return ctx.WaitForCallback<Json>(name, Submit, CallbackOptions().set_timeout(absl::Seconds(3)));
}
DURABLE_FUNCTION("7-5", Timeout);

absl::StatusOr<Json> CatchFailure(DurableContext& ctx, const std::string& name) {
  absl::StatusOr<Json> answer = ctx.WaitForCallback<Json>(name, Submit);
  if (IsError(answer.status(), ErrorKind::kCallbackExternal)) return Json("recovered");
  return answer;
}
DURABLE_FUNCTION("7-6", CatchFailure);

absl::StatusOr<Json> SubmitterFails(DurableContext& ctx, const std::string& name) {
  return ctx.WaitForCallback<Json>(
      name,
      [](absl::string_view, StepContext&) {
        return durable::MakeError("SubmitterFailure", "nobody to ask");
      },
      CallbackOptions().set_retry(durable::ExponentialBackoff()
                                      .set_max_attempts(2)
                                      .set_initial_delay(absl::Seconds(1))
                                      .set_jitter(durable::Jitter::kNone)
                                      .Build()));
}
DURABLE_FUNCTION("7-7", SubmitterFails);

absl::StatusOr<Json> InChild(DurableContext& ctx, const std::string& name) {
  return ctx.RunInChildContext(
      "wrapper", [&](DurableContext& child) { return child.WaitForCallback<Json>(name, Submit); });
}
DURABLE_FUNCTION("7-8", InChild);

absl::StatusOr<Json> OneAfterTheOther(DurableContext& ctx, const Json&) {
  DURABLE_RETURN_IF_ERROR(ctx.WaitForCallback<Json>("first", Submit).status());
  return ctx.WaitForCallback<Json>("second", Submit);
}
DURABLE_FUNCTION("7-9", OneAfterTheOther);

absl::StatusOr<Json> AfterWaitAndStep(DurableContext& ctx, const std::string& name) {
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  DURABLE_RETURN_IF_ERROR(
      ctx.Step("fetch", [](StepContext&) { return std::string("fixed"); }).status());
  return ctx.WaitForCallback<Json>(name, Submit);
}
DURABLE_FUNCTION("7-10", AfterWaitAndStep);

absl::StatusOr<std::string> ParsedAnswer(DurableContext& ctx, const std::string& name) {
  DURABLE_ASSIGN_OR_RETURN(Json answer, ctx.WaitForCallback<Json>(name, Submit));
  return answer.at("status").get<std::string>();
}
DURABLE_FUNCTION("7-11", ParsedAnswer);

absl::StatusOr<Json> HeartbeatTimeout(DurableContext& ctx, const std::string& name) {
  return ctx.WaitForCallback<Json>(name, Submit,
                                   CallbackOptions().set_heartbeat_timeout(absl::Seconds(5)));
}
DURABLE_FUNCTION("7-12", HeartbeatTimeout);

absl::StatusOr<Json> Heartbeat(DurableContext& ctx, const std::string& name) {
  return ctx.WaitForCallback<Json>(name, Submit,
                                   CallbackOptions().set_heartbeat_timeout(absl::Seconds(10)));
}
DURABLE_FUNCTION("7-13", Heartbeat);

absl::StatusOr<Json> CatchTimeout(DurableContext& ctx, const std::string& name) {
  absl::StatusOr<Json> answer =
      ctx.WaitForCallback<Json>(name, Submit, CallbackOptions().set_timeout(absl::Seconds(3)));
  if (IsError(answer.status(), ErrorKind::kCallbackTimeout)) return Json("timed-out-handled");
  return answer;
}
DURABLE_FUNCTION("7-14", CatchTimeout);

}  // namespace
}  // namespace rehearse::conformance
