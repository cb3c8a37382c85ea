#include "service/cli/up.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "service/base/arn.h"
#include "service/base/text.h"
#include "service/cli/credentials_flag.h"
#include "service/cli/function_flag.h"
#include "service/cli/log.h"
#include "service/cli/ready_file.h"
#include "service/cli/stop_signals.h"
#include "service/http/http_client.h"
#include "service/server/server.h"
#include "spdlog/spdlog.h"

namespace rehearse {
namespace {

// Where executions are kept if nobody says where: as AWS's local Python runner is told. Both of its
// stores on disk are a SQLite database here.
std::string DefaultStore() {
  const char* type = std::getenv("AWS_DEX_STORE_TYPE");
  if (type == nullptr) return "memory";
  const char* path = std::getenv("AWS_DEX_STORE_PATH");
  const absl::string_view kind = type;
  if (kind == "sqlite")
    return absl::StrCat("sqlite:", path == nullptr ? "durable-executions.db" : path);
  if (kind == "filesystem") {
    return absl::StrCat("sqlite:", path == nullptr ? ".durable_executions" : path, ".db");
  }
  return type;
}

struct UpFlags {
  std::string grpc_address = "127.0.0.1:9013";
  std::string http_address;
  std::string advertise_address;
  std::vector<std::string> functions;
  std::string lambda_endpoint;
  std::string function_configs;
  std::string credentials_file;
  std::string error_type = "name";
  std::string time = "real";
  bool skip_deadlines = false;
  std::string store = DefaultStore();
  std::string ready_file;
  std::string limits = "aws";
  std::string failure_policy = "aws";
  std::string region = "us-east-1";
  std::string account = "123456789012";
  int session_idle_minutes = 10;
  std::string log_level = "info";
  bool exit_with_stdin = false;
};

const std::map<std::string, v1::ClockMode>& ClockModes() {
  static const auto& modes = *new std::map<std::string, v1::ClockMode>{
      {"real", v1::CLOCK_MODE_REAL},
      {"skip", v1::CLOCK_MODE_SKIP},
      {"manual", v1::CLOCK_MODE_MANUAL},
  };
  return modes;
}

// The validators below return what is wrong, or nothing.
std::string CheckAddress(const std::string& address) {
  const absl::Status status = ValidateAddress(address);
  return status.ok() ? ""
                     : absl::StrCat(std::string(status.message()), "; port 0 takes a free one");
}

std::string CheckRegion(const std::string& region) {
  return IsId(region) ? "" : absl::StrCat("bad region '", region, "': expected one like us-east-1");
}

std::string CheckAccount(const std::string& account) {
  return IsAccount(account) ? "" : absl::StrCat("bad account '", account, "': expected 12 digits");
}

std::string CheckUrl(const std::string& url) {
  const absl::Status status = ParseHttpUrl(url).status();
  return status.ok() ? "" : std::string(status.message());
}

std::string CheckFunction(const std::string& function) {
  const absl::Status status = ParseHttpFunction(function).status();
  return status.ok() ? "" : std::string(status.message());
}

// The runner's own default.
std::string LambdaEndpointOf(const UpFlags& flags) {
  return flags.lambda_endpoint.empty() ? "http://127.0.0.1:3001" : flags.lambda_endpoint;
}

std::string CheckFunctionConfigs(const std::string& value) {
  const absl::Status status = ParseFunctionConfigs(value, {}).status();
  return status.ok() ? "" : std::string(status.message());
}

std::string CheckCredentialsFile(const std::string& path) {
  const absl::Status status = ReadCredentialsFile(path).status();
  return status.ok() ? "" : std::string(status.message());
}

// As Python names them, in any case of letters.
std::string LogLevelOf(std::string level) {
  level = absl::AsciiStrToLower(level);
  if (level == "warning") return "warn";
  if (level == "critical" || level == "fatal") return "error";
  return level == "notset" ? "debug" : level;
}

// Where the AWS face is served if nobody says where. Next to a gRPC port that is chosen freely, a
// fixed one would stand in the way of a second service.
std::string HttpAddressOf(const UpFlags& flags) {
  if (!flags.http_address.empty()) return flags.http_address;
  // As AWS's local Python runner is told.
  const char* host = std::getenv("AWS_DEX_HOST");
  const char* port = std::getenv("AWS_DEX_PORT");
  if (host != nullptr || port != nullptr) {
    return absl::StrCat(host == nullptr ? "127.0.0.1" : host, ":", port == nullptr ? "9014" : port);
  }
  return absl::EndsWith(flags.grpc_address, ":0") ? "127.0.0.1:0" : "127.0.0.1:9014";
}

// An empty value, as of a variable that is not set, would swallow the flag behind it.
std::string CheckPath(const std::string& path) {
  return path.empty() || path[0] == '-' ? absl::StrCat("expected a path, got '", path, "'") : "";
}

std::string CheckStore(const std::string& store) {
  return std::string(Server::ValidateStore(store).message());
}

Server::Options ServerOptionsOf(const UpFlags& flags) {
  Server::Options options;
  options.grpc_address = flags.grpc_address;
  options.http_address = HttpAddressOf(flags);
  options.advertise_address = flags.advertise_address;
  for (const std::string& function : flags.functions) {
    options.http_functions.push_back(*ParseHttpFunction(function));
  }
  if (!flags.function_configs.empty()) {
    std::vector<HttpFunction> configured =
        *ParseFunctionConfigs(flags.function_configs, *ParseHttpUrl(LambdaEndpointOf(flags)));
    std::move(configured.begin(), configured.end(), std::back_inserter(options.http_functions));
  }
  options.gateway.lambda_endpoint = flags.lambda_endpoint;
  options.gateway.region = flags.region;
  options.gateway.error_type_member =
      flags.error_type == "fault" ? ErrorTypeMember::kFault : ErrorTypeMember::kName;
  if (!flags.credentials_file.empty()) {
    options.gateway.credentials = *ReadCredentialsFile(flags.credentials_file);
  }
  options.location.region = flags.region;
  options.location.account = flags.account;
  options.store = flags.store;
  options.session_idle_limit = absl::Minutes(flags.session_idle_minutes);
  v1::SessionConfig& defaults = options.session_defaults;
  defaults.set_clock_mode(ClockModes().at(flags.time));
  defaults.set_skip_deadlines(flags.skip_deadlines);
  defaults.set_limits_profile(flags.limits);
  defaults.set_failure_policy(flags.failure_policy);
  return options;
}

// False once standard input has ended.
bool DrainStandardInput() {
  char buffer[4096];
  return read(STDIN_FILENO, buffer, sizeof(buffer)) > 0;
}

// Returns why to stop. After a signal another one ends the process at once; a parent that has
// closed our standard input may still send its first.
std::string WaitForStop(StopSignals& signals, bool exit_with_stdin) {
  pollfd events[] = {{signals.fd(), POLLIN, 0}, {exit_with_stdin ? STDIN_FILENO : -1, POLLIN, 0}};
  while (true) {
    if (poll(events, 2, -1) < 0) continue;
    if (events[0].revents != 0) {
      const std::string signal = signals.Take();
      signals.Release();
      return signal;
    }
    if (events[1].revents != 0 && !DrainStandardInput()) return "end of standard input";
  }
}

std::string ServedAddress(const std::string& address, int port) {
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

absl::Status RunUp(const UpFlags& flags) {
  // A parent that dies takes the reader of our log along.
  std::signal(SIGPIPE, SIG_IGN);
  StopSignals signals;
  ReadyFile ready_file(flags.ready_file);
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(ServerOptionsOf(flags));
  if (absl::IsAlreadyExists(server.status())) {
    return absl::AlreadyExistsError(
        absl::StrCat(server.status().message(),
                     "; choose another with --grpc-address or --http-address, port 0 takes a "
                     "free one"));
  }
  if (!server.ok()) return server.status();
  const std::string address = ServedAddress(flags.grpc_address, (*server)->port());
  const std::string http_address = ServedAddress(HttpAddressOf(flags), (*server)->http_port());
  absl::Status written = ready_file.Write(
      absl::StrCat("{\"grpc\": \"", address, "\", \"http\": \"", http_address, "\"}\n"));
  if (!written.ok()) return written;
  spdlog::info("serving gRPC on {} and the AWS API on http://{}, time is {}", address, http_address,
               flags.time);
  if (!(*server)->advertised_address().empty()) {
    spdlog::info("other services that share the store reach this one at {}",
                 (*server)->advertised_address());
  }
  if (flags.skip_deadlines && flags.time != "skip") {
    spdlog::warn("--skip-deadlines is of no effect without --time=skip");
  }

  const std::string reason = WaitForStop(signals, flags.exit_with_stdin);
  spdlog::info("stopping: {}", reason);
  ready_file.Remove();
  (*server)->Shutdown();
  spdlog::info("stopped");
  return absl::OkStatus();
}

void AddFlags(CLI::App& up, UpFlags& flags) {
  up.add_option("--grpc-address", flags.grpc_address,
                "Where to serve gRPC, as HOST:PORT; port 0 takes a free one")
      ->check(CLI::Validator(CheckAddress, ""))
      ->type_name("HOST:PORT")
      ->capture_default_str();
  up.add_option("--http-address", flags.http_address,
                "Where to serve the AWS API over HTTP, as HOST:PORT [127.0.0.1:9014; any free port "
                "if gRPC takes one]")
      ->check(CLI::Validator(CheckAddress, ""))
      ->type_name("HOST:PORT");
  up.add_option("--function", flags.functions,
                "A function behind a Lambda-compatible endpoint, as NAME=URL, where URL ends in "
                "/invocations. It is durable, with an execution timeout of 300 s; "
                "NAME,execution-timeout=S=URL sets another, NAME,plain=URL is a plain function. "
                "May be given several times")
      ->check(CLI::Validator(CheckFunction, ""))
      ->type_name("NAME=URL");
  up.add_option("--lambda-endpoint", flags.lambda_endpoint,
                "Endpoint through which POST /start-durable-execution reaches functions that "
                "nobody has registered, as SAM CLI needs it")
      ->envname("AWS_DEX_LAMBDA_ENDPOINT")
      ->check(CLI::Validator(CheckUrl, ""))
      ->type_name("URL");
  up.add_option("--function-configs", flags.function_configs,
                "Functions behind the Lambda endpoint, as AWS's local Python runner takes them: a "
                "JSON object, or file://PATH of a file with one, from names to {} for a plain "
                "function or {\"DurableConfig\": {\"ExecutionTimeout\": S, "
                "\"RetentionPeriodInDays\": D}} for a durable one, 120 s and 1 day by default. "
                "The endpoint is http://127.0.0.1:3001 unless --lambda-endpoint names another")
      ->check(CLI::Validator(CheckFunctionConfigs, ""))
      ->type_name("JSON");
  up.add_option("--credentials-file", flags.credentials_file,
                "Take requests of the AWS API only if a profile of this file has signed them; the "
                "file is like ~/.aws/credentials. Without it anybody may call")
      ->check(CLI::Validator(CheckCredentialsFile, ""))
      ->type_name("PATH");
  up.add_option("--error-type", flags.error_type,
                "What the member Type of an error's body holds: name - the error's name, as in "
                "AWS's local Python runner; fault - User or Server, as in AWS")
      ->check(CLI::IsMember({"name", "fault"}))
      ->capture_default_str();
  up.add_option("--time", flags.time,
                "How time goes in sessions that do not say: real; skip - it jumps to the next "
                "wait, retry or back-off when nothing else is left to do; manual - only a client "
                "moves it")
      ->check(CLI::IsMember({"real", "skip", "manual"}))
      ->capture_default_str();
  up.add_flag("--skip-deadlines", flags.skip_deadlines,
              "With --time=skip: also jump over callback, heartbeat and execution timeouts, for "
              "runs in which nobody will answer");
  up.add_option("--store", flags.store,
                "Where executions are kept: memory - for as long as the process lives; "
                "sqlite:PATH - in a SQLite database, to go on after a restart. "
                "sqlite:PATH?synchronous=NORMAL writes faster, and may lose the last moments when "
                "the machine crashes. postgres://HOST/DATABASE - in a PostgreSQL database, "
                "which several services may share, in real time")
      ->check(CLI::Validator(CheckStore, ""))
      ->type_name("STORE")
      ->capture_default_str();
  up.add_option("--advertise-address", flags.advertise_address,
                "Where other services that share a PostgreSQL store reach this one's gRPC, as "
                "HOST:PORT; port 0 is that of --grpc-address [--grpc-address, with the name of the "
                "machine in place of 0.0.0.0]")
      ->check(CLI::Validator(CheckAddress, ""))
      ->type_name("HOST:PORT");
  up.add_option(
        "--ready-file", flags.ready_file,
        "Written once the service serves, as {\"grpc\": \"HOST:PORT\", \"http\": \"HOST:PORT\"}; "
        "removed when it stops")
      ->check(CLI::Validator(CheckPath, ""))
      ->type_name("PATH");
  up.add_option("--limits", flags.limits,
                "Limits profile: aws - the service today; aws-2025 - before autumn 2026")
      ->check(CLI::IsMember({"aws", "aws-2025"}))
      ->capture_default_str();
  up.add_option("--failure-policy", flags.failure_policy,
                "What follows failed invocations: aws - back-off from 1 s to 60 s; python-testing "
                "- 5 s each, as AWS's Python test runner")
      ->check(CLI::IsMember({"aws", "python-testing"}))
      ->capture_default_str();
  up.add_option("--region", flags.region, "Region in ARNs")
      ->envname(std::getenv("AWS_DEX_LOCAL_RUNNER_REGION") == nullptr
                    ? "AWS_REGION"
                    : "AWS_DEX_LOCAL_RUNNER_REGION")
      ->check(CLI::Validator(CheckRegion, ""))
      ->type_name("REGION")
      ->capture_default_str();
  up.add_option("--account", flags.account, "Account in ARNs")
      ->check(CLI::Validator(CheckAccount, ""))
      ->type_name("DIGITS")
      ->capture_default_str();
  up.add_option("--session-idle-minutes", flags.session_idle_minutes,
                "Minutes without a call or an open stream after which a session is deleted; the "
                "session 'default' never is")
      ->check(CLI::Range(1, 525600))
      ->capture_default_str();
  up.add_option("--log-level", flags.log_level, "Least severe lines to log on standard error")
      ->envname("AWS_DEX_LOG_LEVEL")
      ->transform(LogLevelOf)
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  up.add_flag("--exit-with-stdin", flags.exit_with_stdin,
              "Stop when standard input ends, so that a parent that dies takes the service along");
}

}  // namespace

void AddUpCommand(CLI::App& app, int& exit_code) {
  CLI::App& up = *app.add_subcommand(
      "up", "Run the service until SIGINT or SIGTERM; a second signal ends it at once.");
  up.footer(
      "Example: thirty days of waiting pass at once, on any free port\n"
      "  rehearse up --grpc-address=127.0.0.1:0 --time=skip --ready-file=/tmp/rehearse.json\n\n"
      "Exit codes: 0 stopped as asked, 1 could not start, 2 wrong usage.");
  // Lives as long as the parser, which writes the flags.
  auto flags = std::make_shared<UpFlags>();
  AddFlags(up, *flags);
  up.callback([flags, &exit_code] {
    SetUpLog(flags->log_level);
    const absl::Status status = RunUp(*flags);
    if (status.ok()) return;
    // Whatever the log level is.
    std::cerr << "rehearse up: " << status.message() << "\n";
    exit_code = 1;
  });
}

}  // namespace rehearse
