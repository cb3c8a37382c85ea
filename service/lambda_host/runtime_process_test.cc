#include "service/lambda_host/runtime_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rehearse::lambda_host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Only there to fail.
constexpr absl::Duration kTestTimeout = absl::Seconds(60);

// A shell script, with what it has written and how it ended.
class Script {
 public:
  explicit Script(const std::string& text, std::vector<std::string> environment = {}) {
    RuntimeProcess::Options options;
    options.command = {"/bin/sh", "-c", text};
    options.environment = std::move(environment);
    options.output = [this](int stream, absl::string_view line) {
      lines_.push_back(absl::StrCat(stream, ": ", line));
    };
    process_ =
        *RuntimeProcess::Start(options, [this](absl::string_view how) { how_ = std::string(how); });
  }

  RuntimeProcess& process() { return *process_; }
  std::string AwaitEnd() {
    EXPECT_TRUE(process_->AwaitEnd(kTestTimeout));
    return how_;
  }
  // After the end.
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
  std::string how_ = "not yet";
  std::unique_ptr<RuntimeProcess> process_;
};

TEST(RuntimeProcessTest, TellsHowTheProcessEnded) {
  EXPECT_EQ(Script("exit 0").AwaitEnd(), "");
  EXPECT_EQ(Script("exit 3").AwaitEnd(), "exit status 3");
  EXPECT_EQ(Script("kill -9 $$").AwaitEnd(), "signal: killed");
  EXPECT_EQ(Script("kill -SEGV $$").AwaitEnd(), "signal: segmentation fault");
}

TEST(RuntimeProcessTest, PassesOnEachLineOfBothStreams) {
  Script script("echo one; echo; echo two >&2; printf 'three\\r\\n'; printf rest");
  script.AwaitEnd();
  std::vector<std::string> out;
  std::vector<std::string> err;
  for (const std::string& line : script.lines()) (line[0] == '1' ? out : err).push_back(line);
  EXPECT_THAT(out, ElementsAre("1: one", "1: ", "1: three", "1: rest"));
  EXPECT_THAT(err, ElementsAre("2: two"));
}

TEST(RuntimeProcessTest, SplitsLinesAtTheBound) {
  const std::string script = absl::StrCat("head -c ", kMaxLineBytes, " /dev/zero | tr '\\0' x; ");
  Script fits(script + "echo; echo end");
  fits.AwaitEnd();
  EXPECT_THAT(fits.lines(), ElementsAre("1: " + std::string(kMaxLineBytes, 'x'), "1: end"));
  Script split(script + "echo y");
  split.AwaitEnd();
  EXPECT_THAT(split.lines(), ElementsAre("1: " + std::string(kMaxLineBytes, 'x'), "1: y"));
}

TEST(RuntimeProcessTest, GivesTheProcessItsEnvironmentAndNothingElse) {
  Script script(
      "cat; echo $A; echo $HOME; for i in 0 1 2 3 4 5 6 7 8 9; do "
      "[ -e /proc/$$/fd/$i ] && echo $i; done",
      {"A=b c"});
  script.AwaitEnd();
  EXPECT_THAT(script.lines(), ElementsAre("1: b c", "1: ", "1: 0", "1: 1", "1: 2"));
}

TEST(RuntimeProcessTest, SignalsReachTheWholeGroupAndMasksAreNotInherited) {
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  Script script("sleep 600 & wait");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  script.process().Signal(SIGTERM);
  EXPECT_EQ(script.AwaitEnd(), "signal: terminated");
}

// Whether the process is gone, or goes.
bool AwaitGone(pid_t pid) {
  pollfd event = {static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), POLLIN, 0};
  if (event.fd < 0) return errno == ESRCH;
  const bool gone = poll(&event, 1, absl::ToInt64Milliseconds(kTestTimeout)) == 1;
  close(event.fd);
  return gone;
}

TEST(RuntimeProcessTest, ChildrenDieWithTheProcessAndDoNotHoldUpItsEnd) {
  // It keeps standard output open.
  Script script("sleep 600 & echo $!; exit 0");
  EXPECT_EQ(script.AwaitEnd(), "");
  pid_t child = 0;
  ASSERT_EQ(script.lines().size(), 1);
  ASSERT_TRUE(absl::SimpleAtoi(script.lines()[0].substr(3), &child));
  EXPECT_TRUE(AwaitGone(child));
}

TEST(RuntimeProcessTest, DestructionKillsWhatStillRuns) {
  pid_t pid = 0;
  {
    Script script("trap '' TERM; while true; do sleep 600; done");
    pid = script.process().pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(RuntimeProcessTest, CommandsThatCannotRunSayWhy) {
  const auto start = [](const std::vector<std::string>& command, const std::string& folder) {
    RuntimeProcess::Options options;
    options.command = command;
    options.folder = folder;
    return RuntimeProcess::Start(options, [](absl::string_view) {}).status();
  };
  EXPECT_EQ(start({"no-such-program"}, ""),
            absl::NotFoundError("cannot run no-such-program: No such file or directory"));
  EXPECT_EQ(start({"/etc"}, ""), absl::PermissionDeniedError("cannot run /etc: Permission denied"));
  EXPECT_EQ(start({"/bin/true"}, "/no/such/folder"),
            absl::NotFoundError("cannot run /bin/true: No such file or directory"));
}

}  // namespace
}  // namespace rehearse::lambda_host
