#include "client/cpp/durable/logger.h"

#include <atomic>
#include <cstdio>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace durable {
namespace {

TEST(LoggerTest, LinesHaveLevelMessageAndFields) {
  std::vector<LogRecord> records;
  const LogSink sink = [&](const LogRecord& record) { records.push_back(record); };
  const Logger logger(&sink, nullptr, {{"executionArn", "arn"}, {"attempt", 1}});
  logger.Debug("d");
  logger.Info("i", {{"attempt", 7}, {"extra", {1, 2}}});
  logger.Warning("w");
  logger.Error("e");
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].level, LogLevel::kDebug);
  EXPECT_EQ(records[2].level, LogLevel::kWarning);
  EXPECT_EQ(records[3].level, LogLevel::kError);
  EXPECT_EQ(records[1].message, "i");
  ASSERT_EQ(records[1].fields.size(), 3u);
  EXPECT_EQ(records[1].fields[1].value, 7);
  EXPECT_EQ(records[1].fields[2].value.dump(), "[1,2]");
}

TEST(LoggerTest, IsSilentWhileReplaying) {
  int lines = 0;
  const LogSink sink = [&](const LogRecord&) { ++lines; };
  std::atomic<bool> replaying{true};
  const Logger logger(&sink, &replaying, {});
  logger.Info("dropped");
  EXPECT_EQ(lines, 0);
  replaying = false;
  logger.Info("kept");
  EXPECT_EQ(lines, 1);
}

TEST(LoggerTest, LogsWhileReplayingWhereAskedTo) {
  std::vector<LogRecord> records;
  const LogSink sink = [&](const LogRecord& record) { records.push_back(record); };
  const std::atomic<bool> replaying{true};
  const Logger logger(&sink, &replaying, {{"executionArn", "arn"}});
  logger.AlsoWhileReplaying().Info("kept");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].fields[0].value, "arn");
}

TEST(LoggerTest, WithoutASinkLinesAreDropped) {
  const LogSink none;
  Logger(&none, nullptr, {}).Info("nobody hears");
}

TEST(JsonLinesSinkTest, WritesOneObjectPerLine) {
  std::FILE* file = std::tmpfile();
  LogRecord record;
  record.timestamp = absl::FromUnixMillis(1767225600123);
  record.level = LogLevel::kWarning;
  record.message = "two\nlines \xff";
  record.fields = {{"attempt", 2}};
  JsonLinesSink(file)(record);
  std::rewind(file);
  char buffer[256] = {};
  const size_t bytes = std::fread(buffer, 1, sizeof(buffer) - 1, file);
  std::fclose(file);
  EXPECT_EQ(std::string(buffer, bytes),
            "{\"timestamp\":\"2026-01-01T00:00:00.123Z\",\"level\":\"WARN\","
            "\"message\":\"two\\nlines \xef\xbf\xbd\",\"attempt\":2}\n");
}

}  // namespace
}  // namespace durable
