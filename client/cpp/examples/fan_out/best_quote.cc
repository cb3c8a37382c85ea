#include "client/cpp/examples/fan_out/best_quote.h"

#include <algorithm>

using durable::BatchOptions;
using durable::BatchResult;
using durable::CompletionConfig;
using durable::DurableContext;
using durable::NoRetry;
using durable::StepContext;
using durable::StepOptions;

absl::StatusOr<Quote> BestQuote::operator()(DurableContext& ctx,
                                            const QuoteRequest& request) const {
  const auto ask = [&](DurableContext& branch,
                       const std::string& supplier) -> absl::StatusOr<Quote> {
    DURABLE_ASSIGN_OR_RETURN(
        const int cents, branch.Step(
                             "ask", [&](StepContext&) { return supplier_(supplier, request.part); },
                             StepOptions().set_retry(NoRetry())));
    return Quote{supplier, cents};
  };
  DURABLE_ASSIGN_OR_RETURN(
      const BatchResult<Quote> answers,
      ctx.Map("suppliers", request.suppliers, ask,
              BatchOptions()
                  .set_max_concurrency(3)
                  .set_completion(CompletionConfig::AllCompleted())
                  .set_item_namer([&](int index) { return request.suppliers[index]; })));
  const std::vector<Quote> quotes = answers.Results();
  const auto cheapest =
      std::min_element(quotes.begin(), quotes.end(),
                       [](const Quote& a, const Quote& b) { return a.cents < b.cents; });
  if (cheapest == quotes.end()) return durable::MakeError("NoQuote", "no supplier answered");
  return *cheapest;
}
