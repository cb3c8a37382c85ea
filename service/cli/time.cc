#include "absl/time/time.h"

#include <iostream>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "service/aws_json/aws_json.h"
#include "service/base/arn.h"
#include "service/cli/client.h"
#include "service/cli/client_commands.h"
#include "service/cli/text_table.h"

namespace rehearse {
namespace {

struct TimeFlags {
  ClientFlags client;
  std::string duration;
  std::string until;
  bool next = false;
};

// "90s", "1h30m", "30d"; more than 0.
absl::optional<absl::Duration> ParseSpan(const std::string& text) {
  absl::Duration span;
  absl::string_view days = text;
  int64_t count = 0;
  const bool is_span = absl::ConsumeSuffix(&days, "d") && absl::SimpleAtoi(days, &count)
                           ? (span = absl::Hours(24 * count), true)
                           : absl::ParseDuration(text, &span);
  if (!is_span || span <= absl::ZeroDuration() || span == absl::InfiniteDuration()) {
    return absl::nullopt;
  }
  return span;
}

// The validators return what is wrong, or nothing.
std::string CheckSpan(const std::string& text) {
  return ParseSpan(text).has_value()
             ? ""
             : absl::StrCat("bad duration '", text, "': expected one like 90s, 1h30m or 30d");
}

std::string CheckTime(const std::string& text) {
  absl::Time time;
  return absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)
             ? ""
             : absl::StrCat("bad time '", text, "': expected one like 2026-11-27T09:00:00Z");
}

v1::AdvanceTimeRequest RequestOf(const TimeFlags& flags) {
  v1::AdvanceTimeRequest request;
  request.set_session(flags.client.session);
  if (flags.next) {
    request.set_next_timer(true);
  } else if (!flags.until.empty()) {
    absl::Time until;
    absl::ParseTime(absl::RFC3339_full, flags.until, &until, nullptr);
    const timespec spec = absl::ToTimespec(until);
    request.mutable_until()->set_seconds(spec.tv_sec);
    request.mutable_until()->set_nanos(static_cast<int>(spec.tv_nsec));
  } else {
    absl::Duration rest;
    const absl::Duration span = *ParseSpan(flags.duration);
    request.mutable_duration()->set_seconds(absl::IDivDuration(span, absl::Seconds(1), &rest));
    request.mutable_duration()->set_nanos(static_cast<int>(absl::ToInt64Nanoseconds(rest)));
  }
  return request;
}

std::string ExecutionNameIn(const std::string& arn) {
  const absl::optional<ExecutionArn> parsed = ExecutionArn::Parse(arn);
  return parsed.has_value() ? parsed->execution_name : arn;
}

absl::Status Advance(const TimeFlags& flags) {
  const absl::StatusOr<v1::AdvanceTimeResponse> response =
      Client(flags.client)
          .Call(&v1::TestSessions::Stub::AdvanceTime, RequestOf(flags), absl::Minutes(10));
  if (!response.ok()) return response.status();
  if (flags.client.json) {
    PrintJson(*response);
    return absl::OkStatus();
  }
  TextTable table({"due", "timer", "execution", "operation"});
  for (const v1::FiredTimer& timer : response->fired()) {
    table.Add({FormatTime(timer.due()),
               AwsEnumName(*v1::FiredTimer::Kind_descriptor()->FindValueByNumber(timer.kind())),
               ExecutionNameIn(timer.durable_execution_arn()), timer.operation_id()});
  }
  std::cout << table.ToString();
  const int64_t unseen = response->fired_count() - response->fired_size();
  if (response->fired_count() == 0) std::cout << "no timer was due\n";
  if (unseen > 0) std::cout << "and " << unseen << " more\n";
  return absl::OkStatus();
}

}  // namespace

void AddTimeCommand(CLI::App& app, int& exit_code) {
  CLI::App& time = *app.add_subcommand("time", "Move the time of a session.");
  time.require_subcommand(1);
  CLI::App& advance = *time.add_subcommand(
      "advance",
      "Move the clocks of all executions of the session, fire the timers on the way, and print "
      "them.");
  advance.footer(
      "Examples:\n"
      "  rehearse time advance 24h\n"
      "  rehearse time advance --next\n\n"
      "Exit codes: 0 success, 1 the service cannot do it, 2 wrong usage.");
  auto flags = std::make_shared<TimeFlags>();
  CLI::Option_group* target = advance.add_option_group("target", "How far; one of these");
  target->add_option("duration", flags->duration, "By so much, for example 90s, 1h30m or 30d")
      ->check(CLI::Validator(CheckSpan, ""))
      ->type_name("DURATION");
  target->add_option("--until", flags->until, "To a moment, as RFC 3339 writes it")
      ->check(CLI::Validator(CheckTime, ""))
      ->type_name("TIME");
  target->add_flag("--next", flags->next, "Each execution to its next timer");
  target->require_option(1);
  AddClientFlags(advance, flags->client);
  advance.callback(
      [flags, &exit_code] { exit_code = ExitCodeOf("rehearse time advance", Advance(*flags)); });
}

}  // namespace rehearse
