#include "service/base/ids.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "service/base/bytes.h"
#include "service/base/check.h"
#include "service/base/text.h"

namespace rehearse {
namespace {

constexpr size_t kUuidBytes = 16;
constexpr size_t kUuidLength = 36;
constexpr size_t kSecretBytes = 16;
// First byte of each kind of token: its format.
constexpr char kCheckpointTokenVersion = 1;
constexpr char kCallbackIdVersion = 2;
// version, execution id, number, secret.
constexpr size_t kTokenBytes = 1 + kUuidBytes + sizeof(uint64_t) + kSecretBytes;

using UuidBytes = std::array<unsigned char, kUuidBytes>;

bool IsHyphenPosition(size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

// Values of the lower-case hex digits; -1: none.
constexpr std::array<int, 256> HexValues() {
  std::array<int, 256> values = {};
  for (size_t i = 0; i < values.size(); ++i) values[i] = -1;
  for (int digit = 0; digit < 10; ++digit) values[static_cast<size_t>('0' + digit)] = digit;
  for (int digit = 10; digit < 16; ++digit) values[static_cast<size_t>('a' + digit - 10)] = digit;
  return values;
}
constexpr std::array<int, 256> kHexValues = HexValues();

std::string FormatUuid(const UuidBytes& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(kUuidLength);
  for (const unsigned char byte : bytes) {
    if (IsHyphenPosition(text.size())) text.push_back('-');
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0xF]);
  }
  return text;
}

// nullopt unless `text` is what FormatUuid writes.
absl::optional<UuidBytes> ParseUuid(absl::string_view text) {
  if (text.size() != kUuidLength) return absl::nullopt;
  UuidBytes bytes;
  size_t position = 0;
  for (unsigned char& byte : bytes) {
    if (IsHyphenPosition(position) && text[position++] != '-') return absl::nullopt;
    const int high = kHexValues[static_cast<unsigned char>(text[position++])];
    const int low = kHexValues[static_cast<unsigned char>(text[position++])];
    if ((high | low) < 0) return absl::nullopt;
    byte = static_cast<unsigned char>(high << 4 | low);
  }
  return bytes;
}

// The layout of a version 4 UUID over 128 free bits.
UuidBytes UuidFrom(uint64_t high, uint64_t low) {
  UuidBytes bytes;
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<unsigned char>(high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<unsigned char>(low >> (56 - 8 * i));
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  return bytes;
}

std::string TaggedUuid(UuidBytes bytes, uint16_t tag) {
  bytes[14] = static_cast<unsigned char>(tag >> 8);
  bytes[15] = static_cast<unsigned char>(tag);
  return FormatUuid(bytes);
}

struct Token {
  std::string execution_id;
  int64_t number = 0;
  std::string secret;
};

// An execution id that is no UUID or a secret of another length is a broken invariant of the
// caller.
std::string EncodeToken(char version, absl::string_view execution_id, int64_t number,
                        absl::string_view secret) {
  const absl::optional<UuidBytes> uuid = ParseUuid(execution_id);
  REHEARSE_CHECK(uuid.has_value());
  REHEARSE_CHECK(secret.size() == kSecretBytes);
  std::string bytes;
  bytes.reserve(kTokenBytes);
  bytes.push_back(version);
  bytes.append(reinterpret_cast<const char*>(uuid->data()), uuid->size());
  AppendBigEndian(static_cast<uint64_t>(number), bytes);
  bytes.append(secret.data(), secret.size());
  return absl::Base64Escape(bytes);
}

absl::optional<Token> DecodeToken(char version, absl::string_view text) {
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes)) return absl::nullopt;
  if (bytes.size() != kTokenBytes || bytes[0] != version) return absl::nullopt;
  absl::string_view rest = bytes;
  rest.remove_prefix(1);
  UuidBytes uuid;
  std::memcpy(uuid.data(), rest.data(), uuid.size());
  rest.remove_prefix(uuid.size());
  const uint64_t number = ReadBigEndian(rest.substr(0, sizeof(uint64_t)));
  if (number > static_cast<uint64_t>(INT64_MAX)) return absl::nullopt;
  rest.remove_prefix(sizeof(uint64_t));
  return Token{FormatUuid(uuid), static_cast<int64_t>(number), std::string(rest)};
}

// Reads the kernel's generator in blocks, one per thread.
class KernelIdSource final : public IdSource {
 public:
  uint64_t Next() override {
    static constexpr size_t kBlockWords =
        32;  // 256 bytes: as much as getrandom gives without interruption
    thread_local std::array<uint64_t, kBlockWords> block;
    thread_local size_t used = kBlockWords;
    if (used == kBlockWords) {
      while (getrandom(block.data(), sizeof(block), 0) != static_cast<ssize_t>(sizeof(block))) {
        REHEARSE_CHECK(errno == EINTR);
      }
      used = 0;
    }
    return block[used++];
  }
};

}  // namespace

IdSource& RandomIdSource() {
  static KernelIdSource* const source = new KernelIdSource;
  return *source;
}

std::string NewUuid(IdSource& ids) {
  const uint64_t high = ids.Next();
  return FormatUuid(UuidFrom(high, ids.Next()));
}

std::string NewExecutionId(IdSource& ids, uint16_t tree_tag) {
  const uint64_t high = ids.Next();
  return TaggedUuid(UuidFrom(high, ids.Next()), tree_tag);
}

std::string ChildExecutionId(absl::string_view parent_execution_id,
                             absl::string_view operation_id) {
  std::string key(parent_execution_id);
  key.push_back('/');
  key.append(operation_id.data(), operation_id.size());
  return TaggedUuid(UuidFrom(StableHash64(key, 1), StableHash64(key, 2)),
                    TreeTagOf(parent_execution_id).value_or(0));
}

absl::optional<uint16_t> TreeTagOf(absl::string_view execution_id) {
  const absl::optional<UuidBytes> uuid = ParseUuid(execution_id);
  if (!uuid.has_value()) return absl::nullopt;
  return static_cast<uint16_t>((*uuid)[14] << 8 | (*uuid)[15]);
}

std::string NewSecret(IdSource& ids) {
  std::string secret;
  secret.reserve(kSecretBytes);
  AppendBigEndian(ids.Next(), secret);
  AppendBigEndian(ids.Next(), secret);
  return secret;
}

std::string EncodeCheckpointToken(const CheckpointToken& token) {
  return EncodeToken(kCheckpointTokenVersion, token.execution_id, token.sequence, token.secret);
}

absl::optional<CheckpointToken> DecodeCheckpointToken(absl::string_view text) {
  absl::optional<Token> token = DecodeToken(kCheckpointTokenVersion, text);
  if (!token.has_value()) return absl::nullopt;
  return CheckpointToken{std::move(token->execution_id), token->number, std::move(token->secret)};
}

std::string EncodeCallbackId(const CallbackId& id) {
  return EncodeToken(kCallbackIdVersion, id.execution_id, id.operation_index, id.secret);
}

absl::optional<CallbackId> DecodeCallbackId(absl::string_view text) {
  absl::optional<Token> token = DecodeToken(kCallbackIdVersion, text);
  if (!token.has_value()) return absl::nullopt;
  return CallbackId{std::move(token->execution_id), token->number, std::move(token->secret)};
}

}  // namespace rehearse
