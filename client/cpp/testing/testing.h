// Everything needed to test durable functions: the runner, its results, and the matchers.
//
//   #include "client/cpp/testing/testing.h"
//
//   TEST(OrdersTest, Charges) {
//     durable::testing::DurableFunctionTestRunner runner(Orders);
//     EXPECT_THAT(runner.Run({{"id", 17}}, absl::Seconds(10)),
//                 durable::testing::IsOkAndHolds(durable::testing::Succeeded()));
//   }
//
// durable_cc_test (//bazel:durable.bzl) builds such a test; //client/cpp/testing is the one
// dependency that it, or any other cc_test, needs.
#ifndef REHEARSE_CLIENT_CPP_TESTING_TESTING_H_
#define REHEARSE_CLIENT_CPP_TESTING_TESTING_H_

#include "client/cpp/testing/event.h"            // IWYU pragma: export
#include "client/cpp/testing/history_printer.h"  // IWYU pragma: export
#include "client/cpp/testing/matchers.h"         // IWYU pragma: export
#include "client/cpp/testing/run_result.h"       // IWYU pragma: export
#include "client/cpp/testing/runner.h"           // IWYU pragma: export

#endif  // REHEARSE_CLIENT_CPP_TESTING_TESTING_H_
