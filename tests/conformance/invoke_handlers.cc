// Suite 5: chained invokes, and the functions that they invoke.
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "client/cpp/durable/durable.h"

namespace rehearse::conformance {
namespace {

using ::durable::DurableContext;
using ::durable::InvokeOptions;
using ::durable::Json;
using ::durable::StepContext;

constexpr absl::string_view kEcho = "echo";
constexpr absl::string_view kFail = "fail";

// A chained invoke takes 1 MiB.
constexpr size_t kLargePayloadBytes = 1000 << 10;

absl::StatusOr<Json> Echo(DurableContext&, const Json& input) { return input; }
DURABLE_FUNCTION(kEcho, Echo);

absl::Status Fail(DurableContext&, const Json&) {
  return durable::MakeError("TargetFailure", "the target fails");
}
DURABLE_FUNCTION(kFail, Fail);

absl::StatusOr<Json> Basic(DurableContext& ctx, const Json& input) {
  return ctx.Invoke<Json>("", kEcho, input);
}
DURABLE_FUNCTION("5-1", Basic);
DURABLE_FUNCTION("5-3", Basic);
DURABLE_FUNCTION("5-4", Basic);

absl::StatusOr<Json> Named(DurableContext& ctx, const Json& input) {
  return ctx.Invoke<Json>(input.at("name").get<std::string>(), kEcho, input.at("payload"));
}
DURABLE_FUNCTION("5-2", Named);

absl::StatusOr<Json> TargetFails(DurableContext& ctx, const Json& input) {
  return ctx.Invoke<Json>("target", kFail, input);
}
DURABLE_FUNCTION("5-5", TargetFails);

absl::StatusOr<Json> CatchFailure(DurableContext& ctx, const Json& input) {
  absl::StatusOr<Json> result = ctx.Invoke<Json>("target", kFail, input);
  if (durable::IsError(result.status(), durable::ErrorKind::kInvoke)) return Json("fallback");
  return result;
}
DURABLE_FUNCTION("5-6", CatchFailure);

absl::StatusOr<size_t> LargePayload(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(
      std::string result,
      ctx.Invoke<std::string>("target", kEcho, std::string(kLargePayloadBytes, 'x')));
  return result.size();
}
DURABLE_FUNCTION("5-7", LargePayload);

absl::StatusOr<Json> Tenant(DurableContext& ctx, const Json& input) {
  return ctx.Invoke<Json>("target", kEcho, input.at("payload"),
                          InvokeOptions().set_tenant_id(input.at("tenantId").get<std::string>()));
}
DURABLE_FUNCTION("5-8", Tenant);

absl::StatusOr<Json> WaitAfterwards(DurableContext& ctx, const Json& input) {
  DURABLE_ASSIGN_OR_RETURN(Json result, ctx.Invoke<Json>("target", kEcho, input));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return result;
}
DURABLE_FUNCTION("5-9", WaitAfterwards);

absl::StatusOr<std::string> CatchThenWait(DurableContext& ctx, const Json& input) {
  const absl::StatusOr<Json> result = ctx.Invoke<Json>("target", kFail, input);
  DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
  return std::string(result.status().message());
}
DURABLE_FUNCTION("5-10", CatchThenWait);

absl::StatusOr<std::string> StepThenInvoke(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(
      std::string value, ctx.Step("prepare", [](StepContext&) { return std::string("prepared"); }));
  return ctx.Invoke<std::string>("target", kEcho, value);
}
DURABLE_FUNCTION("5-11", StepThenInvoke);

absl::StatusOr<std::string> InvokeThenStep(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(std::string value,
                           ctx.Invoke<std::string>("target", kEcho, std::string("value")));
  return ctx.Step("finish", [&](StepContext&) { return value + " finished"; });
}
DURABLE_FUNCTION("5-12", InvokeThenStep);

absl::StatusOr<Json> InChild(DurableContext& ctx, const Json& input) {
  return ctx.RunInChildContext(
      "child", [&](DurableContext& child) { return child.Invoke<Json>("target", kEcho, input); });
}
DURABLE_FUNCTION("5-13", InChild);

absl::StatusOr<std::string> OneAfterTheOther(DurableContext& ctx, const Json&) {
  DURABLE_ASSIGN_OR_RETURN(std::string first,
                           ctx.Invoke<std::string>("first", kEcho, std::string("value")));
  return ctx.Invoke<std::string>("second", kEcho, first);
}
DURABLE_FUNCTION("5-14", OneAfterTheOther);

absl::StatusOr<std::string> PlainText(absl::string_view text, const durable::SerdesContext&) {
  return std::string(text);
}

absl::StatusOr<std::string> CustomPayload(DurableContext& ctx, const Json& input) {
  return ctx.Invoke<std::string>("target", kEcho, input.at("data").get<std::string>(),
                                 InvokeOptions().set_payload_serdes<std::string>(
                                     [](const std::string& value, const auto&) {
                                       return Json(absl::AsciiStrToUpper(value)).dump();
                                     },
                                     PlainText));
}
DURABLE_FUNCTION("5-15", CustomPayload);

// The target's answer is text: a JSON string with its quotes.
absl::StatusOr<std::string> CustomResult(DurableContext& ctx, const std::string& input) {
  return ctx.Invoke<std::string>(
      "target", kEcho, input,
      InvokeOptions().set_result_serdes<std::string>(
          [](const std::string& value, const auto&) { return value; },
          [](absl::string_view text, const auto&) { return absl::AsciiStrToUpper(text); }));
}
DURABLE_FUNCTION("5-16", CustomResult);

}  // namespace
}  // namespace rehearse::conformance
