// The quick start: three steps, a wait, and a child context with two steps of its own.
//
//   ["1 2", "3 4 4 3", "5 6"]
#ifndef REHEARSE_CLIENT_CPP_EXAMPLES_QUICKSTART_QUICKSTART_H_
#define REHEARSE_CLIENT_CPP_EXAMPLES_QUICKSTART_QUICKSTART_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cpp/durable/durable.h"

absl::StatusOr<std::vector<std::string>> QuickStart(durable::DurableContext& ctx,
                                                    const std::string& input);

#endif  // REHEARSE_CLIENT_CPP_EXAMPLES_QUICKSTART_QUICKSTART_H_
