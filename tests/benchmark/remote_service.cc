#include "tests/benchmark/remote_service.h"

#include <utility>

#include "absl/synchronization/blocking_counter.h"

namespace rehearse::benchmark {

Slots::Slots(RemoteService& service, int count, const std::string& session,
             const std::string& function, const std::function<WorkerStream::Next()>& new_script) {
  auto registered = std::make_shared<absl::BlockingCounter>(count);
  for (int i = 0; i < count; ++i) {
    auto next = [registered, script = new_script()](v1::ServeResponse& response) {
      if (response.has_registered()) registered->DecrementCount();
      return script(response);
    };
    streams_.push_back(std::make_unique<WorkerStream>(
        OpenServe(service.host), Register(session, function), std::move(next)));
  }
  registered->Wait();
}

}  // namespace rehearse::benchmark
