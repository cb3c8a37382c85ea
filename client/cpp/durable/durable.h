// Everything needed to write durable functions.
//
//   #include "client/cpp/durable/durable.h"
//
//   absl::StatusOr<std::string> Hello(durable::DurableContext& ctx, const std::string& name) {
//     DURABLE_RETURN_IF_ERROR(ctx.Wait("pause", absl::Seconds(1)));
//     return ctx.Step("greet", [&](durable::StepContext&) { return "Hello, " + name; });
//   }
//   DURABLE_FUNCTION("hello", Hello);
#ifndef REHEARSE_CLIENT_CPP_DURABLE_DURABLE_H_
#define REHEARSE_CLIENT_CPP_DURABLE_DURABLE_H_

#include "client/cpp/durable/batch_options.h"    // IWYU pragma: export
#include "client/cpp/durable/batch_result.h"     // IWYU pragma: export
#include "client/cpp/durable/callback.h"         // IWYU pragma: export
#include "client/cpp/durable/durable_context.h"  // IWYU pragma: export
#include "client/cpp/durable/errors.h"           // IWYU pragma: export
#include "client/cpp/durable/handler.h"          // IWYU pragma: export
#include "client/cpp/durable/logger.h"           // IWYU pragma: export
#include "client/cpp/durable/options.h"          // IWYU pragma: export
#include "client/cpp/durable/plugin.h"           // IWYU pragma: export
#include "client/cpp/durable/retry.h"            // IWYU pragma: export
#include "client/cpp/durable/serdes.h"           // IWYU pragma: export
#include "client/cpp/durable/status_macros.h"    // IWYU pragma: export
#include "client/cpp/durable/wait_strategy.h"    // IWYU pragma: export

#endif  // REHEARSE_CLIENT_CPP_DURABLE_DURABLE_H_
