// An order as a saga: reserve, charge, ship - each in a service of somebody else - and when one of
// them refuses, what was done before is undone, last first.
//
//   {"id": "order-17", "cents": 4200}  ->  {"shipped": true, "tracking": "T-order-17"}
//                                      or  {"shipped": false, "reason": "no courier"}
#ifndef REHEARSE_CLIENT_CPP_EXAMPLES_ORDER_SAGA_ORDER_SAGA_H_
#define REHEARSE_CLIENT_CPP_EXAMPLES_ORDER_SAGA_ORDER_SAGA_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cpp/durable/durable.h"

struct Order {
  std::string id;
  int cents = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, cents)

struct OrderOutcome {
  bool shipped = false;
  std::string tracking;
  std::string reason;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OrderOutcome, shipped, tracking, reason)

// Invokes the functions "reserve", "charge" and "ship", and to undo the first two, "release" and
// "refund". All take the Order; "ship" returns the tracking number.
absl::StatusOr<OrderOutcome> PlaceOrder(durable::DurableContext& ctx, const Order& order);

#endif  // REHEARSE_CLIENT_CPP_EXAMPLES_ORDER_SAGA_ORDER_SAGA_H_
