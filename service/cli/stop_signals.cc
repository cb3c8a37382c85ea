#include "service/cli/stop_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace rehearse {

StopSignals::StopSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  fd_ = signalfd(-1, &signals_, SFD_CLOEXEC);
}

StopSignals::~StopSignals() { close(fd_); }

std::string StopSignals::Take() {
  signalfd_siginfo info = {};
  if (read(fd_, &info, sizeof(info)) != sizeof(info)) return "signal";
  return info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM";
}

void StopSignals::Release() { pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr); }

}  // namespace rehearse
