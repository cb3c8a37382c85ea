// What a scenario (see README.md) expects of a run, compared with the run.
//
//   EXPECT_THAT(*runner.WaitForResult(arn, kFar), MeetsExpectation(scenario["expect"]));
#ifndef REHEARSE_TESTS_SCENARIOS_EXPECTATION_H_
#define REHEARSE_TESTS_SCENARIOS_EXPECTATION_H_

#include <string>

#include "client/cpp/testing/testing.h"
#include "gmock/gmock.h"

namespace rehearse::scenarios {

// The first difference, for a person; empty when there is none.
std::string Difference(const nlohmann::json& expectation,
                       const durable::testing::RunResult& result);

MATCHER_P(MeetsExpectation, expectation, "meets " + expectation.dump()) {
  const std::string difference = Difference(expectation, arg);
  *result_listener << difference;
  return difference.empty();
}

}  // namespace rehearse::scenarios

#endif  // REHEARSE_TESTS_SCENARIOS_EXPECTATION_H_
