// Structured logging from durable code. Lines are dropped while their context is replaying, so that
// each appears once however often the handler runs.
//
//   ctx.logger().Info("charging", {{"order", order.id}, {"cents", order.cents}});
//
// Where lines go is a property of the runtime:
//
//   durable::RuntimeOptions options;
//   options.log_sink = durable::JsonLinesSink(stdout);
#ifndef REHEARSE_CLIENT_CPP_DURABLE_LOGGER_H_
#define REHEARSE_CLIENT_CPP_DURABLE_LOGGER_H_

#include <atomic>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace durable {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string name;
  nlohmann::json value;
};

struct LogRecord {
  absl::Time timestamp;
  LogLevel level = LogLevel::kInfo;
  std::string message;
  // Names are unique. First the SDK's own (requestId, executionArn, operationId, operationName,
  // parentId, attempt; those that are known), then the caller's; a caller's field replaces one of
  // the SDK's with the same name.
  std::vector<LogField> fields;
};

// Called on the thread that logs; lines of one execution may come from several threads.
using LogSink = std::function<void(const LogRecord&)>;

// One JSON object per line: timestamp, level, message, then the fields. `file` must outlive the
// sink.
LogSink JsonLinesSink(std::FILE* file);

class Logger {
 public:
  // Lines are dropped while `*replaying` is true; null: never. Both pointers outlive the logger.
  Logger(const LogSink* sink, const std::atomic<bool>* replaying, std::vector<LogField> fields)
      : sink_(sink), replaying_(replaying), fields_(std::move(fields)) {}

  // The same logger, not silent while replaying: lines appear again in every invocation.
  Logger AlsoWhileReplaying() const { return Logger(sink_, nullptr, fields_); }

  void Debug(absl::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Info(absl::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Warning(absl::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Error(absl::string_view message, std::initializer_list<LogField> fields = {}) const;

 private:
  void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) const;

  const LogSink* sink_;
  const std::atomic<bool>* replaying_;
  std::vector<LogField> fields_;
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_LOGGER_H_
