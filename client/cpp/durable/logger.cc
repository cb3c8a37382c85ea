#include "client/cpp/durable/logger.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace durable {
namespace {

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarning:
      return "WARN";
    case LogLevel::kError:
      return "ERROR";
  }
  return "INFO";
}

void SetField(const LogField& field, std::vector<LogField>& fields) {
  const auto same_name = [&](const LogField& other) { return other.name == field.name; };
  const auto found = std::find_if(fields.begin(), fields.end(), same_name);
  if (found != fields.end()) {
    found->value = field.value;
  } else {
    fields.push_back(field);
  }
}

}  // namespace

LogSink JsonLinesSink(std::FILE* file) {
  return [file](const LogRecord& record) {
    nlohmann::ordered_json line;
    line["timestamp"] =
        absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", record.timestamp, absl::UTCTimeZone());
    line["level"] = LevelName(record.level);
    line["message"] = record.message;
    for (const LogField& field : record.fields) line[field.name] = field.value;
    const std::string text =
        line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    std::fwrite(text.data(), 1, text.size(), file);
    std::fflush(file);
  };
}

void Logger::Debug(absl::string_view message, std::initializer_list<LogField> fields) const {
  Log(LogLevel::kDebug, message, fields);
}

void Logger::Info(absl::string_view message, std::initializer_list<LogField> fields) const {
  Log(LogLevel::kInfo, message, fields);
}

void Logger::Warning(absl::string_view message, std::initializer_list<LogField> fields) const {
  Log(LogLevel::kWarning, message, fields);
}

void Logger::Error(absl::string_view message, std::initializer_list<LogField> fields) const {
  Log(LogLevel::kError, message, fields);
}

void Logger::Log(LogLevel level, absl::string_view message,
                 std::initializer_list<LogField> fields) const {
  if (replaying_ != nullptr && replaying_->load(std::memory_order_relaxed)) return;
  if (!*sink_) return;
  LogRecord record;
  record.timestamp = absl::Now();
  record.level = level;
  record.message = std::string(message);
  record.fields = fields_;
  for (const LogField& field : fields) SetField(field, record.fields);
  (*sink_)(record);
}

}  // namespace durable
