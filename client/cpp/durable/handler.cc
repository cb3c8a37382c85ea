#include "client/cpp/durable/handler.h"

#include <cstdio>
#include <cstdlib>

namespace durable {
namespace {

std::map<std::string, Handler>& Registry() {
  static auto* const registry = new std::map<std::string, Handler>();
  return *registry;
}

}  // namespace

bool RegisterFunction(absl::string_view name, Handler handler) {
  const bool added = Registry().emplace(std::string(name), std::move(handler)).second;
  if (!added) {
    std::fprintf(stderr, "two durable functions are registered as \"%s\"\n",
                 std::string(name).c_str());
    std::abort();
  }
  return true;
}

const std::map<std::string, Handler>& RegisteredFunctions() { return Registry(); }

}  // namespace durable
