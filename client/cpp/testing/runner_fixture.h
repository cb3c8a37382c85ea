// RunnerFixture: tests of the runner, each on the service in this process and on a server behind a
// socket.
//
//   using CallbackTest = RunnerFixture;
//   TEST_P(CallbackTest, IsAnswered) {
//     DurableFunctionTestRunner runner(Approval, Options());
//     ...
//   }
//   REHEARSE_ON_BOTH_SERVICES(CallbackTest);
#ifndef REHEARSE_CLIENT_CPP_TESTING_RUNNER_FIXTURE_H_
#define REHEARSE_CLIENT_CPP_TESTING_RUNNER_FIXTURE_H_

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cpp/testing/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/server/server.h"

namespace durable::testing {

// Only to fail.
inline constexpr absl::Duration kFar = absl::Seconds(60);

inline std::unique_ptr<rehearse::Server> StartServer() {
  rehearse::Server::Options options;
  options.grpc_address = "127.0.0.1:0";
  return rehearse::Server::Start(std::move(options)).value();
}

inline std::string AddressOf(const rehearse::Server& server) {
  return absl::StrCat("127.0.0.1:", server.port());
}

enum class Service { kEmbedded, kRemote };

class RunnerFixture : public ::testing::TestWithParam<Service> {
 protected:
  // Empty for the embedded service.
  static std::string Address() {
    if (GetParam() == Service::kEmbedded) return "";
    // Serves until the process ends, as the embedded one does.
    static const rehearse::Server* const server = StartServer().release();
    return AddressOf(*server);
  }
  static RunnerOptions Options() { return RunnerOptions().set_service(Address()); }
};

}  // namespace durable::testing

#define REHEARSE_ON_BOTH_SERVICES(suite)                                                           \
  INSTANTIATE_TEST_SUITE_P(                                                                        \
      Services, suite,                                                                             \
      ::testing::Values(durable::testing::Service::kEmbedded, durable::testing::Service::kRemote), \
      [](const auto& info) {                                                                       \
        return info.param == durable::testing::Service::kEmbedded ? "Embedded" : "Remote";         \
      })

#endif  // REHEARSE_CLIENT_CPP_TESTING_RUNNER_FIXTURE_H_
