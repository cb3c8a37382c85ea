// Durable functions whose file is compiled without exceptions, for suspend_by_status_test.
//
//   service.Run(WaitsAndWorks());
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_FUNCTIONS_WITHOUT_EXCEPTIONS_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_FUNCTIONS_WITHOUT_EXCEPTIONS_H_

#include "client/cpp/durable/handler.h"

namespace durable {
namespace internal {

// Waits, then runs a step in a child context.
Handler WaitsAndWorks();
// Takes a suspension for an error, and goes on.
Handler IgnoresSuspension();

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_FUNCTIONS_WITHOUT_EXCEPTIONS_H_
