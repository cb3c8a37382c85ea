#include "client/cpp/examples/fulfil/fulfil.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

using durable::DurableContext;
using durable::StepContext;

namespace {

// They stand for calls of other systems.
std::string Charge(const Order& order) { return absl::StrCat("receipt of ", order.id); }
std::string Ship(const Order& order, const std::string& receipt) {
  return absl::StrCat("parcel of ", order.id, ", paid by ", receipt);
}

}  // namespace

absl::StatusOr<std::string> Fulfil(DurableContext& ctx, const Order& order) {
  DURABLE_ASSIGN_OR_RETURN(const std::string receipt,
                           ctx.Step("charge", [&](StepContext&) { return Charge(order); }));
  DURABLE_RETURN_IF_ERROR(ctx.Wait("packing", absl::Hours(4)));
  return ctx.Step("ship", [&](StepContext&) { return Ship(order, receipt); });
}
DURABLE_FUNCTION("fulfil", Fulfil);
