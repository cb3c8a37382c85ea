// OpenStore: the store that an address names, as `rehearse up --store=ADDRESS` takes it.
//
//   memory                                  for as long as the process lives
//   sqlite:PATH[?synchronous=FULL|NORMAL]   in a SQLite database
//   postgres://[USER@]HOST[:PORT]/DATABASE[?lease_seconds=N&...]   in a PostgreSQL database
//
//   absl::Status valid = ValidateStoreAddress(address);                   // touches nothing
//   absl::StatusOr<std::unique_ptr<ExecutionStore>> store = OpenStore(address);
#ifndef REHEARSE_SERVICE_STORE_OPEN_OPEN_STORE_H_
#define REHEARSE_SERVICE_STORE_OPEN_OPEN_STORE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/store/execution_store.h"

namespace rehearse {

// InvalidArgument says what is wrong with the address and what is expected.
absl::Status ValidateStoreAddress(absl::string_view address);

// As above, and whatever keeps the store from being opened. When another server takes a PostgreSQL
// database over, the process ends with status 1.
absl::StatusOr<std::unique_ptr<ExecutionStore>> OpenStore(absl::string_view address);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_STORE_OPEN_OPEN_STORE_H_
