#include "service/cli/text_table.h"

#include "gtest/gtest.h"

namespace rehearse {
namespace {

TEST(TextTableTest, ColumnsAreAsWideAsTheirWidestCell) {
  TextTable table({"a", "b", "c"}, /*has_colours=*/false);
  EXPECT_EQ(table.ToString(), "");
  table.Add({std::string("1"), std::string("\u00e9\u00e9\u00e9"), std::string("x")});
  table.Add({std::string("12"), std::string(""), std::string("y")});
  table.Add({std::string("3"), std::string("z"), std::string("")});
  EXPECT_EQ(table.ToString(),
            "a   b    c\n"
            "1   \u00e9\u00e9\u00e9  x\n"
            "12       y\n"
            "3   z\n");
}

TEST(TextTableTest, ColoursDoNotCountAsWidth) {
  TextTable table({"status", "name"}, /*has_colours=*/true);
  table.Add({Cell("FAILED", ColourOf("FAILED")), std::string("a")});
  table.Add({Cell("OK"), std::string("b")});
  EXPECT_EQ(table.ToString(),
            "status  name\n"
            "\x1b[31mFAILED\x1b[0m  a\n"
            "OK      b\n");
}

TEST(TextTableTest, StatusesAndEventsHaveColours) {
  EXPECT_EQ(ColourOf("SUCCEEDED"), Colour::kGreen);
  EXPECT_EQ(ColourOf("StepSucceeded"), Colour::kGreen);
  EXPECT_EQ(ColourOf("TIMED_OUT"), Colour::kRed);
  EXPECT_EQ(ColourOf("CallbackTimedOut"), Colour::kRed);
  EXPECT_EQ(ColourOf("ExecutionFailed"), Colour::kRed);
  EXPECT_EQ(ColourOf("PAUSED"), Colour::kYellow);
  EXPECT_EQ(ColourOf("ExecutionStopped"), Colour::kYellow);
  EXPECT_EQ(ColourOf("RUNNING"), Colour::kCyan);
  EXPECT_EQ(ColourOf("StepStarted"), Colour::kNone);
}

TEST(OneLineTest, EscapesAndCuts) {
  EXPECT_EQ(OneLine("a\nb\tc\x1b[0m\x7f", 60), "a\\nb\\tc\\x1b[0m\\x7f");
  EXPECT_EQ(OneLine(std::string(60, 'x'), 60), std::string(60, 'x'));
  EXPECT_EQ(OneLine(std::string(61, 'x'), 60), std::string(46, 'x') + "... (61 bytes)");
  EXPECT_EQ(OneLine(std::string(61, 'x'), 3), "... (61 bytes)");
  EXPECT_EQ(OneLine("", 3), "");
}

}  // namespace
}  // namespace rehearse
