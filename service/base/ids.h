// Ids and tokens: execution ids, checkpoint tokens, callback ids.
//
// An execution id is a UUID whose last four hex digits are the *tree tag*: an execution and its
// chained children share the tag, which is how an ARN or a callback id alone tells the lane it
// belongs to. Tokens and callback ids carry a random secret that only the execution knows; they are
// compared, not computed, so no key has to be kept.
//
//   IdSource& ids = ...;                                   // random in production, seeded in tests
//   std::string id = NewExecutionId(ids, tag);             // "0f8e...-...-....-....-........002a"
//   TreeTagOf(id);                                         // 0x002a
//   std::string token = EncodeCheckpointToken({id, 7, secret});
#ifndef REHEARSE_SERVICE_BASE_IDS_H_
#define REHEARSE_SERVICE_BASE_IDS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace rehearse {

// A source of random bits. Implementations are thread-safe.
class IdSource {
 public:
  virtual ~IdSource() = default;
  virtual uint64_t Next() = 0;
};

// Cryptographically strong, for production: tokens must not be guessable.
IdSource& RandomIdSource();

// 36 characters, version 4 layout.
std::string NewUuid(IdSource& ids);
std::string NewExecutionId(IdSource& ids, uint16_t tree_tag);
// Same arguments, same id, so that a repeated start of a child finds the first one. Keeps the
// parent's tag.
std::string ChildExecutionId(absl::string_view parent_execution_id, absl::string_view operation_id);
// nullopt unless `execution_id` is a UUID.
absl::optional<uint16_t> TreeTagOf(absl::string_view execution_id);

// 16 random bytes.
std::string NewSecret(IdSource& ids);

struct CheckpointToken {
  std::string execution_id;  // a UUID
  int64_t sequence = 0;
  std::string secret;  // 16 bytes, of the invocation
};
std::string EncodeCheckpointToken(const CheckpointToken& token);
absl::optional<CheckpointToken> DecodeCheckpointToken(absl::string_view text);

struct CallbackId {
  std::string execution_id;     // a UUID
  int64_t operation_index = 0;  // creation order within the execution
  std::string secret;           // 16 bytes
};
std::string EncodeCallbackId(const CallbackId& id);
absl::optional<CallbackId> DecodeCallbackId(absl::string_view text);

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_BASE_IDS_H_
