#include "client/cpp/examples/order_saga/order_saga.h"

#include <utility>
#include <vector>

using durable::DurableContext;
using durable::Json;

namespace {

// Everything that happens is durable, the undoing included: a crash in its middle does not end it.
class Saga {
 public:
  Saga(DurableContext& ctx, const Order& order) : ctx_(ctx), order_(order) {}

  // Invokes `function`; once it has succeeded, `undo` is what takes it back.
  absl::StatusOr<Json> Do(const std::string& function, const std::string& undo) {
    DURABLE_ASSIGN_OR_RETURN(Json result, ctx_.Invoke<Json>(function, function, order_));
    undo_.push_back(undo);
    return result;
  }

  absl::Status Undo() {
    for (; !undo_.empty(); undo_.pop_back()) {
      DURABLE_RETURN_IF_ERROR(ctx_.Invoke<Json>(undo_.back(), undo_.back(), order_).status());
    }
    return absl::OkStatus();
  }

 private:
  DurableContext& ctx_;
  const Order& order_;
  std::vector<std::string> undo_;
};

absl::StatusOr<std::string> Ship(DurableContext& ctx, const Order& order, Saga& saga) {
  DURABLE_RETURN_IF_ERROR(saga.Do("reserve", "release").status());
  DURABLE_RETURN_IF_ERROR(saga.Do("charge", "refund").status());
  return ctx.Invoke<std::string>("ship", "ship", order);
}

}  // namespace

absl::StatusOr<OrderOutcome> PlaceOrder(DurableContext& ctx, const Order& order) {
  Saga saga(ctx, order);
  const absl::StatusOr<std::string> tracking = Ship(ctx, order, saga);
  OrderOutcome outcome;
  if (tracking.ok()) {
    outcome.shipped = true;
    outcome.tracking = *tracking;
    return outcome;
  }
  DURABLE_RETURN_IF_ERROR(saga.Undo());
  outcome.reason = std::string(tracking.status().message());
  return outcome;
}
