#include "tests/benchmark/checkpoint_load.h"

#include <utility>

#include "tests/benchmark/load_client.h"
#include "tests/benchmark/measuring.h"

namespace rehearse::benchmark {

CheckpointLoad::CheckpointLoad(std::vector<RemoteService*> services, int clients, int steps)
    : services_(std::move(services)), clients_(clients), steps_(steps) {
  const int share = clients_ / static_cast<int>(services_.size());
  for (RemoteService* service : services_) {
    slots_.push_back(
        std::make_unique<Slots>(*service, share, "", "load", [this] { return NewScript(); }));
  }
}

double CheckpointLoad::Run() {
  ended_ = std::make_unique<absl::BlockingCounter>(clients_);
  std::vector<std::unique_ptr<LoadClient>> starts;
  const double microseconds = Microseconds([&] {
    for (int i = 0; i < clients_; ++i) {
      RemoteService& service = *services_[i % services_.size()];
      starts.push_back(
          std::make_unique<LoadClient>(service.executions, service.sessions,
                                       LoadClient::Options{"", "load", /*wait_for_end=*/false},
                                       [left = 1]() mutable { return left-- > 0; }));
    }
    ended_->Wait();
  });
  return clients_ * steps_ / microseconds * 1e6;
}

WorkerStream::Next CheckpointLoad::NewScript() {
  return [this, script = StepsScript(steps_)](v1::ServeResponse& response) mutable {
    absl::optional<v1::ServeRequest> request = script(response);
    if (request.has_value() && request->has_outcome()) ended_->DecrementCount();
    return request;
  };
}

}  // namespace rehearse::benchmark
