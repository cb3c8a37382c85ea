// SessionHold: keeps a session of the service alive; the session is deleted when the hold ends,
// however it ends.
//
//   SessionHold hold(*stub, "s-3f2a");
#ifndef REHEARSE_CLIENT_CPP_TESTING_SESSION_HOLD_H_
#define REHEARSE_CLIENT_CPP_TESTING_SESSION_HOLD_H_

#include <string>

#include "absl/synchronization/notification.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "rehearse/v1/test_sessions.grpc.pb.h"

namespace durable::testing::internal {

class SessionHold final : public grpc::ClientReadReactor<rehearse::v1::HoldSessionResponse> {
 public:
  SessionHold(rehearse::v1::TestSessions::Stub& stub, const std::string& session) {
    request_.set_name(session);
    stub.async()->HoldSession(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }
  ~SessionHold() override { End(); }

  // Calling it again is harmless.
  void End() {
    context_.TryCancel();
    done_.WaitForNotification();
  }

 private:
  void OnReadDone(bool ok) override {
    if (ok) StartRead(&response_);
  }
  void OnDone(const grpc::Status&) override { done_.Notify(); }

  grpc::ClientContext context_;
  rehearse::v1::HoldSessionRequest request_;
  rehearse::v1::HoldSessionResponse response_;
  absl::Notification done_;
};

}  // namespace durable::testing::internal

#endif  // REHEARSE_CLIENT_CPP_TESTING_SESSION_HOLD_H_
