// How values become payload text and back. Everything is compact JSON by default: what
// nlohmann::json converts (to_json / from_json found by argument-dependent lookup), protobuf
// messages as proto3 JSON, absl::Time as RFC 3339 text, absl::optional and absl::monostate with
// null. Not-a-number and infinities are refused.
//
//   struct Order { std::string id; int cents = 0; };
//   NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, cents)    // Order may now be input or result
//
// A type may specialize durable::Serdes, and a single operation may bring its own pair of
// functions:
//
//   auto options = durable::StepOptions().set_serdes<std::string>(
//       [](const std::string& value, const auto&) { return absl::AsciiStrToUpper(value); },
//       [](absl::string_view text, const auto&) { return std::string(text); });
#ifndef REHEARSE_CLIENT_CPP_DURABLE_SERDES_H_
#define REHEARSE_CLIENT_CPP_DURABLE_SERDES_H_

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/variant.h"
#include "nlohmann/json.hpp"

namespace google {
namespace protobuf {
class Message;
}  // namespace protobuf
}  // namespace google

namespace durable {

using Json = nlohmann::json;

// Where a value belongs; valid during the call.
struct SerdesContext {
  absl::string_view operation_id;
  absl::string_view durable_execution_arn;
};

namespace internal {

// Compact text of `value`; InvalidArgument for text that is not UTF-8 and for numbers that are not
// finite.
absl::StatusOr<std::string> DumpJson(const Json& value);
absl::StatusOr<Json> ParseJson(absl::string_view text);

absl::StatusOr<std::string> DumpTime(absl::Time time);
absl::StatusOr<absl::Time> ParseTime(absl::string_view text);

absl::StatusOr<std::string> DumpMessage(const google::protobuf::Message& message);
absl::Status ParseMessage(absl::string_view text, google::protobuf::Message& message);

// The text is JSON null.
bool IsNull(absl::string_view text);

template <typename T, typename = void>
struct IsReadFromJson : std::false_type {};
template <typename T>
struct IsReadFromJson<T, std::void_t<decltype(std::declval<const Json&>().template get<T>())>>
    : std::true_type {};

}  // namespace internal

// Errors are permanent failures - the operation fails with kind kSerdes - except UnavailableError,
// which fails the invocation so that the service runs it again. Both functions may throw instead;
// that is a permanent failure. An absent payload never reaches Deserialize: see NoValue below.
template <typename T, typename Enable = void>
struct Serdes {
  static absl::StatusOr<std::string> Serialize(const T& value, const SerdesContext&) {
    static_assert(std::is_constructible_v<Json, const T&>,
                  "this type cannot be written as JSON: give it to_json and from_json "
                  "(NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE makes both) or a durable::Serdes");
    if constexpr (std::is_constructible_v<Json, const T&>) return internal::DumpJson(Json(value));
  }
  static absl::StatusOr<T> Deserialize(absl::string_view text, const SerdesContext&) {
    static_assert(internal::IsReadFromJson<T>::value,
                  "this type cannot be read from JSON: give it to_json and from_json "
                  "(NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE makes both) and a default constructor, or a "
                  "durable::Serdes");
    absl::StatusOr<Json> json = internal::ParseJson(text);
    if (!json.ok()) return std::move(json).status();
    if constexpr (internal::IsReadFromJson<T>::value) return json->template get<T>();
  }
};

template <>
struct Serdes<Json> {
  static constexpr bool kNullIsDefault = true;
  static absl::StatusOr<std::string> Serialize(const Json& value, const SerdesContext&) {
    return internal::DumpJson(value);
  }
  static absl::StatusOr<Json> Deserialize(absl::string_view text, const SerdesContext&) {
    return internal::ParseJson(text);
  }
};

template <>
struct Serdes<absl::monostate> {
  static constexpr bool kNullIsDefault = true;
  static absl::StatusOr<std::string> Serialize(absl::monostate, const SerdesContext&) {
    return std::string("null");
  }
  static absl::StatusOr<absl::monostate> Deserialize(absl::string_view, const SerdesContext&) {
    return absl::monostate();
  }
};

template <typename T>
struct Serdes<absl::optional<T>> {
  static constexpr bool kNullIsDefault = true;
  static absl::StatusOr<std::string> Serialize(const absl::optional<T>& value,
                                               const SerdesContext& context) {
    if (!value.has_value()) return std::string("null");
    return Serdes<T>::Serialize(*value, context);
  }
  static absl::StatusOr<absl::optional<T>> Deserialize(absl::string_view text,
                                                       const SerdesContext& context) {
    if (internal::IsNull(text)) return absl::optional<T>();
    absl::StatusOr<T> value = Serdes<T>::Deserialize(text, context);
    if (!value.ok()) return std::move(value).status();
    return absl::optional<T>(*std::move(value));
  }
};

template <>
struct Serdes<absl::Time> {
  static absl::StatusOr<std::string> Serialize(absl::Time value, const SerdesContext&) {
    return internal::DumpTime(value);
  }
  static absl::StatusOr<absl::Time> Deserialize(absl::string_view text, const SerdesContext&) {
    return internal::ParseTime(text);
  }
};

template <typename T>
struct Serdes<T, std::enable_if_t<std::is_base_of<google::protobuf::Message, T>::value>> {
  static absl::StatusOr<std::string> Serialize(const T& value, const SerdesContext&) {
    return internal::DumpMessage(value);
  }
  static absl::StatusOr<T> Deserialize(absl::string_view text, const SerdesContext&) {
    T message;
    absl::Status status = internal::ParseMessage(text, message);
    if (!status.ok()) return status;
    return message;
  }
};

namespace internal {

// Whether Serdes<T> says that an absent payload is T{}: `static constexpr bool kNullIsDefault =
// true;`.
template <typename T, typename = void>
struct NullIsDefault : std::false_type {};
template <typename T>
struct NullIsDefault<T, std::enable_if_t<Serdes<T>::kNullIsDefault>> : std::true_type {};

// The value of an absent payload.
template <typename T>
absl::StatusOr<T> NoValue() {
  if constexpr (NullIsDefault<T>::value) {
    return T{};
  } else {
    return absl::InvalidArgumentError("there is no payload, and the type has no empty value");
  }
}

// One operation's own pair of functions, type-erased so that options are no templates. Copies share
// the functions.
class AnySerdes {
 public:
  template <typename T>
  struct Functions {
    std::function<absl::StatusOr<std::string>(const T&, const SerdesContext&)> serialize;
    std::function<absl::StatusOr<T>(absl::string_view, const SerdesContext&)> deserialize;
  };

  AnySerdes() = default;
  template <typename T>
  explicit AnySerdes(Functions<T> functions)
      : functions_(std::make_shared<const Functions<T>>(std::move(functions))), type_(&typeid(T)) {}

  bool is_set() const { return functions_ != nullptr; }
  bool Fits(const std::type_info& type) const { return !is_set() || *type_ == type; }

  // Null unless functions for exactly T are set.
  template <typename T>
  const Functions<T>* Get() const {
    if (!is_set() || *type_ != typeid(T)) return nullptr;
    return static_cast<const Functions<T>*>(functions_.get());
  }

 private:
  std::shared_ptr<const void> functions_;
  const std::type_info* type_ = nullptr;
};

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_SERDES_H_
