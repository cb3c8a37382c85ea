// The function of docs/sdk.md, as a library that registers it and as a program that is a worker or,
// on Lambda, the runtime.
//
//   {"id": "o-17", "cents": 4200}  ->  "parcel of o-17, paid by receipt of o-17"
#ifndef REHEARSE_CLIENT_CPP_EXAMPLES_FULFIL_FULFIL_H_
#define REHEARSE_CLIENT_CPP_EXAMPLES_FULFIL_FULFIL_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cpp/durable/durable.h"

struct Order {
  std::string id;
  int cents = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, cents)

absl::StatusOr<std::string> Fulfil(durable::DurableContext& ctx, const Order& order);

#endif  // REHEARSE_CLIENT_CPP_EXAMPLES_FULFIL_FULFIL_H_
