// Fuzz targets: each takes any bytes and stops the process when a promise is broken.
//
//   FuzzCheckpoint(mutator.Next());
#ifndef REHEARSE_TESTS_FUZZ_TARGETS_H_
#define REHEARSE_TESTS_FUZZ_TARGETS_H_

#include "absl/strings/string_view.h"

namespace rehearse {

// A serialized CheckpointRequest for an execution with an operation of every type. Returns whether
// the batch was applied. A request that is refused changes nothing; one that is applied leaves
// a history without gaps, and is answered the same when it is repeated.
bool FuzzCheckpoint(absl::string_view bytes);

// What is accepted says the same when it is written and read again; what is not is an
// InvalidParameter. Each returns whether the text was accepted.
bool FuzzExecutionArn(absl::string_view text);
bool FuzzFunctionReference(absl::string_view text);
bool FuzzToken(absl::string_view text);
bool FuzzMarker(absl::string_view text);

}  // namespace rehearse

#endif  // REHEARSE_TESTS_FUZZ_TARGETS_H_
