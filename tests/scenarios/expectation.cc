#include "tests/scenarios/expectation.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"

namespace rehearse::scenarios {
namespace {

using durable::ErrorObject;
using durable::testing::Event;
using Json = nlohmann::json;

// A payload as a value: JSON, or where it is none, the text.
Json ValueOf(const std::string& payload) {
  Json value = Json::parse(payload, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(payload) : value;
}

Json ErrorOf(const absl::optional<ErrorObject>& error) {
  if (!error.has_value()) return Json();
  return {{"type", error->type}, {"message", error->message}};
}

Json MemberOf(const Json& object, const std::string& name) {
  return object.contains(name) ? object[name] : Json();
}

// Every member of `expected` has its value in `actual`, too.
bool Covers(const Json& actual, const Json& expected) {
  for (const auto& [name, value] : expected.items()) {
    if (MemberOf(actual, name) != value) return false;
  }
  return true;
}

// An event in the form of the file; `parent` is the name of the context around it.
Json Describe(const Event& event, const std::string& parent) {
  const absl::string_view type = EventTypeName(event.type);
  Json members = {{"event", type}};
  if (!absl::StartsWith(type, "Execution")) {
    if (!event.name.empty()) members["name"] = event.name;
    if (!event.sub_type.empty()) members["sub_type"] = event.sub_type;
    if (!event.parent_id.empty()) members["parent"] = parent;
  }
  if (event.payload.has_value()) members["payload"] = ValueOf(*event.payload);
  if (event.error.has_value()) members["error"] = ErrorOf(event.error);
  if (!event.function_name.empty()) members["function"] = event.function_name;
  const std::pair<const char*, int> numbers[] = {
      {"attempt", event.attempt},
      {"retry_delay_seconds", event.next_attempt_delay_seconds.value_or(0)},
      {"duration_seconds", event.duration_seconds},
      {"timeout_seconds", event.timeout_seconds},
      {"heartbeat_timeout_seconds", event.heartbeat_timeout_seconds},
  };
  for (const auto& [name, number] : numbers) {
    if (number > 0) members[name] = number;
  }
  return members;
}

bool Matches(const Json& expected, const Json& actual) {
  for (const char* name : {"event", "name", "sub_type", "parent"}) {
    const Json wanted = MemberOf(expected, name);
    if (wanted != "*" && wanted != MemberOf(actual, name)) return false;
  }
  // An invocation that failed has to be expected.
  if (expected["event"] == "InvocationCompleted" &&
      expected.contains("error") != actual.contains("error")) {
    return false;
  }
  Json rest = expected;
  for (const char* name : {"name", "sub_type", "parent", "error"}) rest.erase(name);
  return Covers(actual, rest) && Covers(MemberOf(actual, "error"), MemberOf(expected, "error"));
}

// Without what `expectation` says is not to be compared.
Json Compared(const Json& expectation, const Json& events) {
  if (!expectation.contains("invocations")) return events;
  Json compared = Json::array();
  std::copy_if(events.begin(), events.end(), std::back_inserter(compared),
               [](const Json& event) { return event["event"] != "InvocationCompleted"; });
  return compared;
}

std::string HistoryDifference(const Json& expectation, const std::vector<Event>& history) {
  std::map<std::string, std::string> names;
  Json described = Json::array();
  for (const Event& event : history) {
    names[event.operation_id] = event.name;
    described.push_back(Describe(event, names[event.parent_id]));
  }
  const Json actual = Compared(expectation, described);
  const Json expected = Compared(expectation, expectation.at("history"));
  for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    if (Matches(expected[i], actual[i])) continue;
    return absl::StrCat("event ", i + 1, " is ", actual[i].dump(), ", not ", expected[i].dump());
  }
  if (actual.size() == expected.size()) return "";
  return absl::StrCat("the history has ", actual.size(), " events, not ", expected.size());
}

}  // namespace

std::string Difference(const Json& expectation, const durable::testing::RunResult& result) {
  const std::string status(ExecutionStatusName(result.status()));
  if (status != expectation.at("status")) return absl::StrCat("the status is ", status);
  const Json value = result.has_result() ? ValueOf(result.result()) : Json();
  if (value != MemberOf(expectation, "result")) {
    return absl::StrCat("the result is ", value.dump());
  }
  const Json error = ErrorOf(result.error());
  if (!Covers(error, MemberOf(expectation, "error"))) {
    return absl::StrCat("the error is ", error.dump());
  }
  return HistoryDifference(expectation, result.History());
}

}  // namespace rehearse::scenarios
