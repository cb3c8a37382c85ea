// The cheapest of many quotes: all suppliers are asked, a few at a time; those that do not answer
// are left out.
//
//   {"part": "M4 bolt", "suppliers": ["acme", "bolts", "coils"]}  ->  {"supplier": "bolts",
//   "cents": 12}
#ifndef REHEARSE_CLIENT_CPP_EXAMPLES_FAN_OUT_BEST_QUOTE_H_
#define REHEARSE_CLIENT_CPP_EXAMPLES_FAN_OUT_BEST_QUOTE_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cpp/durable/durable.h"

struct QuoteRequest {
  std::string part;
  std::vector<std::string> suppliers;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(QuoteRequest, part, suppliers)

struct Quote {
  std::string supplier;
  int cents = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Quote, supplier, cents)

class BestQuote {
 public:
  // The price of a part in cents. Called on several threads at once.
  using Supplier =
      std::function<absl::StatusOr<int>(const std::string& supplier, const std::string& part)>;

  explicit BestQuote(Supplier supplier) : supplier_(std::move(supplier)) {}

  absl::StatusOr<Quote> operator()(durable::DurableContext& ctx, const QuoteRequest& request) const;

 private:
  Supplier supplier_;
};

#endif  // REHEARSE_CLIENT_CPP_EXAMPLES_FAN_OUT_BEST_QUOTE_H_
