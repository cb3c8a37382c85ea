// StopSignals: SIGINT and SIGTERM as events.
//
//   StopSignals signals;
//   pollfd event = {signals.fd(), POLLIN, 0};
//   poll(&event, 1, -1);
//   const std::string name = signals.Take();      // "SIGTERM"
#ifndef REHEARSE_SERVICE_CLI_STOP_SIGNALS_H_
#define REHEARSE_SERVICE_CLI_STOP_SIGNALS_H_

#include <csignal>
#include <string>

namespace rehearse {

// Keeps the signals from all threads of the process from construction on; construct it before the
// first thread.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The next signal. Blocks when there is none.
  std::string Take();

  // From now on a signal ends the process at once.
  void Release();

  int fd() const { return fd_; }

 private:
  sigset_t signals_;
  int fd_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_STOP_SIGNALS_H_
