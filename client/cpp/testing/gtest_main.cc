// Main of tests with durable functions: GoogleTest's, with libraries that keep quiet.
#include "client/cpp/durable/internal/unwind.h"
#include "gmock/gmock.h"
#include "grpc/support/log.h"

int main(int argc, char** argv) {
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  durable::internal::InstallTerminateHook();
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
