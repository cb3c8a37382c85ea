#include "client/cpp/durable/internal/unwind.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace durable {
namespace internal {
namespace {

std::terminate_handler previous_handler = nullptr;

[[noreturn]] void ExplainAndTerminate() {
  if (CurrentExceptionIsUnwind()) {
    std::fputs(
        "a durable operation suspended inside a noexcept function, a destructor or a thread of its "
        "own: nothing between an operation and the durable function may stop exceptions\n",
        stderr);
  }
  previous_handler();
  std::abort();
}

}  // namespace

bool CurrentExceptionIsUnwind() {
  if (std::current_exception() == nullptr) return false;
  try {
    throw;
  } catch (const Unwind&) {
    return true;
  } catch (...) {
    return false;
  }
}

void InstallTerminateHook() {
  static const bool installed = [] {
    previous_handler = std::set_terminate(&ExplainAndTerminate);
    return true;
  }();
  (void)installed;
}

}  // namespace internal
}  // namespace durable
