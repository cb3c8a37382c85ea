// How many bytes an update takes in a checkpoint, counted as the JSON that the service's limits are
// about.
//
//   bytes += internal::UpdateBytes(update);
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_UPDATE_SIZE_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_UPDATE_SIZE_H_

#include <cstddef>

#include "client/cpp/durable/operation.h"

namespace durable {
namespace internal {

size_t UpdateBytes(const OperationUpdate& update);

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_UPDATE_SIZE_H_
