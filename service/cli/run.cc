#include "service/cli/run.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/cli/client.h"
#include "service/cli/log.h"
#include "service/cli/ready_file.h"
#include "service/cli/stop_signals.h"
#include "service/lambda_host/function_file.h"
#include "service/lambda_host/lambda_host.h"
#include "service/worker/channel.h"
#include "spdlog/spdlog.h"

namespace rehearse {
namespace {

using lambda_host::LambdaFunction;
using lambda_host::LambdaHost;

// Looked for when neither a function nor a file is named.
constexpr const char* kFiles[] = {"rehearse.yaml", "template.yaml", "template.yml"};
// Wall time that invocations under way get to end in.
constexpr absl::Duration kStopGrace = absl::Seconds(2);
// How often a signal is looked for while there is no service.
constexpr absl::Duration kConnectTimeout = absl::Milliseconds(500);

struct RunFlags {
  ClientFlags client;
  std::string function;
  std::string file;
  std::string handler;
  int concurrency = 1;
  int timeout_s = 900;
  int execution_timeout_s = 0;
  int retention_days = 0;
  int memory_mb = 128;
  bool durable = true;
  std::string tenancy = "shared";
  std::string ready_file;
  std::string log_level = "info";
};

LambdaFunction FunctionOf(const RunFlags& flags, const std::vector<std::string>& command) {
  LambdaFunction function;
  function.spec.set_function_name(flags.function);
  function.spec.set_durable(flags.durable);
  function.spec.mutable_timeout()->set_seconds(flags.timeout_s);
  v1::DurableConfig& config = *function.spec.mutable_durable_config();
  if (flags.execution_timeout_s > 0) config.set_execution_timeout(flags.execution_timeout_s);
  if (flags.retention_days > 0) config.set_retention_period_in_days(flags.retention_days);
  function.command = command;
  function.handler = flags.handler;
  function.memory_mb = flags.memory_mb;
  function.concurrency = flags.concurrency;
  function.per_tenant = flags.tenancy == "per-tenant";
  return function;
}

// Throws CLI::ValidationError when the command line does not say what to run.
absl::StatusOr<std::vector<LambdaFunction>> FunctionsOf(const RunFlags& flags,
                                                        const std::vector<std::string>& command) {
  if (!flags.function.empty()) {
    if (!command.empty()) return std::vector<LambdaFunction>{FunctionOf(flags, command)};
    throw CLI::ValidationError("the command that runs the function is missing: give it behind --");
  }
  std::string path = flags.file;
  for (const char* file : kFiles) {
    if (path.empty() && access(file, R_OK) == 0) path = file;
  }
  if (path.empty()) {
    throw CLI::ValidationError(
        absl::StrCat("nothing to run: name a function with --function, or a file with --file; "
                     "there is no ",
                     absl::StrJoin(kFiles, " or "), " here"));
  }
  absl::StatusOr<lambda_host::FunctionFile> file = lambda_host::ReadFunctionFile(path, command);
  if (!file.ok()) return file.status();
  for (const std::string& note : file->notes) spdlog::warn("{}", note);
  return std::move(file->functions);
}

// The URL of the AWS face for the session. One that listens everywhere is reached where gRPC is.
std::string EndpointUrl(const std::string& http_address, const ClientFlags& flags) {
  if (http_address.empty()) return "";
  const size_t colon = http_address.rfind(':');
  std::string host = http_address.substr(0, colon);
  if (host == "0.0.0.0" || host == "[::]") host = flags.server.substr(0, flags.server.rfind(':'));
  const std::string url = absl::StrCat("http://", host, http_address.substr(colon));
  return flags.session.empty() || flags.session == "default"
             ? url
             : absl::StrCat(url, "/sessions/", flags.session);
}

// One run of the command, from the first word with the service to the last.
class Run {
 public:
  explicit Run(const RunFlags& flags) : flags_(flags), refused_(eventfd(0, EFD_CLOEXEC)) {}
  ~Run() { close(refused_); }

  absl::Status Serve(std::vector<LambdaFunction> functions) {
    ReadyFile ready_file(flags_.ready_file);
    const absl::StatusOr<v1::GetSessionResponse> session = AwaitService();
    if (absl::IsCancelled(session.status())) return absl::OkStatus();
    if (!session.ok()) return session.status();

    std::vector<std::string> names;
    for (const LambdaFunction& function : functions) {
      names.push_back(function.spec.function_name());
    }
    absl::StatusOr<std::unique_ptr<LambdaHost>> host =
        LambdaHost::Start(HostOptionsOf(session->http_address(), std::move(functions)));
    if (!host.ok()) return host.status();
    absl::Status served = ServeUntilStopped(**host, names, ready_file);
    signals_.Release();
    (*host)->Stop(kStopGrace);
    return served;
  }

 private:
  // CANCELLED when a signal comes first.
  absl::StatusOr<v1::GetSessionResponse> AwaitService() {
    Client client(flags_.client);
    v1::GetSessionRequest request;
    request.set_name(flags_.client.session);
    bool told = false;
    while (true) {
      absl::StatusOr<v1::GetSessionResponse> session =
          client.Call(&v1::TestSessions::Stub::GetSession, request, kConnectTimeout);
      const bool is_there =
          !absl::IsUnavailable(session.status()) && !absl::IsDeadlineExceeded(session.status());
      if (is_there) return session;
      if (!std::exchange(told, true)) {
        spdlog::warn("{}; waiting for it", std::string(session.status().message()));
      }
      if (AwaitEvent(kConnectTimeout)) return absl::CancelledError(StopReason());
    }
  }

  LambdaHost::Options HostOptionsOf(const std::string& http_address,
                                    std::vector<LambdaFunction> functions) {
    LambdaHost::Options options;
    options.channel = worker::CreateChannel(flags_.client.server);
    options.session = flags_.client.session;
    options.endpoint_url = EndpointUrl(http_address, flags_.client);
    if (options.endpoint_url.empty()) {
      spdlog::warn("the service has no AWS face: the functions' SDK will not find it");
    }
    options.functions = std::move(functions);
    options.output = [](absl::string_view function, int stream, absl::string_view line) {
      // In one piece, so that lines of different functions do not mix.
      const std::string text = absl::StrCat("[", function, "] ", line, "\n");
      size_t written = 0;
      while (written < text.size()) {
        const ssize_t bytes = write(stream, text.data() + written, text.size() - written);
        if (bytes <= 0) return;
        written += static_cast<size_t>(bytes);
      }
    };
    options.log = [](absl::string_view line) { spdlog::warn("{}", std::string(line)); };
    options.refused = [this](const absl::Status& why) {
      {
        absl::MutexLock lock(&mutex_);
        refusal_ = why;
      }
      eventfd_write(refused_, 1);
    };
    return options;
  }

  absl::Status ServeUntilStopped(LambdaHost& host, const std::vector<std::string>& names,
                                 ReadyFile& ready_file) {
    while (true) {
      const absl::Status serving = host.WaitUntilServing(kConnectTimeout);
      if (serving.ok()) break;
      if (!absl::IsDeadlineExceeded(serving)) return serving;
      if (AwaitEvent(absl::ZeroDuration())) return Stopped();
    }
    absl::Status written = ready_file.Write(
        absl::StrCat("{\"functions\": [\"", absl::StrJoin(names, "\", \""), "\"]}\n"));
    if (!written.ok()) return written;
    spdlog::info("serving {} at {}", absl::StrJoin(names, ", "), flags_.client.server);
    AwaitEvent(absl::InfiniteDuration());
    return Stopped();
  }

  // False when neither a signal nor a refusal has come within `limit`.
  bool AwaitEvent(absl::Duration limit) {
    events_[0] = {signals_.fd(), POLLIN, 0};
    events_[1] = {refused_, POLLIN, 0};
    const int limit_ms =
        limit == absl::InfiniteDuration() ? -1 : static_cast<int>(absl::ToInt64Milliseconds(limit));
    while (true) {
      const int ready = poll(events_, 2, limit_ms);
      if (ready >= 0) return ready > 0;
    }
  }

  std::string StopReason() {
    const std::string signal = signals_.Take();
    spdlog::info("stopping: {}", signal);
    return signal;
  }

  absl::Status Stopped() {
    if (events_[0].revents != 0) {
      StopReason();
      return absl::OkStatus();
    }
    absl::MutexLock lock(&mutex_);
    return refusal_;
  }

  const RunFlags& flags_;
  StopSignals signals_;
  const int refused_;
  pollfd events_[2] = {};
  absl::Mutex mutex_;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
};

void AddFlags(CLI::App& run, RunFlags& flags) {
  AddServerFlags(run, flags.client);
  CLI::Option* function =
      run.add_option("--function", flags.function, "The function's name, behind -- its command")
          ->type_name("NAME");
  run.add_option("--file", flags.file,
                 "Functions: a rehearse.yaml, or a SAM template whose functions with a "
                 "DurableConfig are taken [rehearse.yaml or template.yaml, if there is no "
                 "--function]")
      ->type_name("PATH")
      ->excludes(function);
  run.add_option("--handler", flags.handler, "Set as _HANDLER for the runtime")
      ->type_name("HANDLER")
      ->needs(function);
  run.add_option("--concurrency", flags.concurrency,
                 "Invocations at a time, each in a process of its own")
      ->check(CLI::Range(1, 1000))
      ->needs(function)
      ->capture_default_str();
  run.add_option("--timeout", flags.timeout_s,
                 "Seconds of wall time that an invocation may take before its process is killed")
      ->check(CLI::Range(1, 5400))
      ->needs(function)
      ->capture_default_str();
  run.add_option("--execution-timeout", flags.execution_timeout_s,
                 "Seconds that an execution may take [no timeout]")
      ->check(CLI::Range(1, 31'622'400))
      ->needs(function);
  run.add_option("--retention-days", flags.retention_days,
                 "Days that a closed execution is kept [14]")
      ->check(CLI::Range(1, 90))
      ->needs(function);
  run.add_option("--memory", flags.memory_mb, "Megabytes that the runtime is told it has")
      ->check(CLI::Range(128, 10240))
      ->needs(function)
      ->capture_default_str();
  run.add_option("--durable", flags.durable, "false: a plain function, without executions")
      ->needs(function)
      ->type_name("true|false")
      ->default_str("true");
  run.add_option("--tenancy", flags.tenancy,
                 "per-tenant: a process serves one tenant id only, as with Lambda's tenant "
                 "isolation")
      ->check(CLI::IsMember({"shared", "per-tenant"}))
      ->needs(function)
      ->capture_default_str();
  run.add_option("--ready-file", flags.ready_file,
                 "Written once the functions are served, as {\"functions\": [\"NAME\"]}; removed "
                 "at exit")
      ->type_name("PATH");
  run.add_option("--log-level", flags.log_level, "Least severe lines to log on standard error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
}

}  // namespace

void AddRunCommand(CLI::App& app, const std::vector<std::string>& command, int& exit_code) {
  CLI::App& run = *app.add_subcommand(
      "run",
      "Run functions as Lambda does, from a command that speaks the Lambda Runtime API, until "
      "SIGINT or SIGTERM; a second signal ends it at once.");
  run.footer(
      "Examples:\n"
      "  rehearse run --function=orders -- python3 -m awslambdaric app.handler\n"
      "  rehearse run --file=template.yaml\n\n"
      "Exit codes: 0 stopped as asked, 1 could not start or refused by the service, 2 wrong "
      "usage.");
  // Lives as long as the parser, which writes the flags.
  auto flags = std::make_shared<RunFlags>();
  AddFlags(run, *flags);
  run.callback([flags, command, &exit_code] {
    SetUpLog(flags->log_level);
    // A parent that dies takes the reader of our log along.
    std::signal(SIGPIPE, SIG_IGN);
    absl::StatusOr<std::vector<LambdaFunction>> functions = FunctionsOf(*flags, command);
    absl::Status status = functions.status();
    if (functions.ok()) status = Run(*flags).Serve(*std::move(functions));
    exit_code = ExitCodeOf("rehearse run", status);
  });
}

}  // namespace rehearse
