// Options of the durable operations: small values with chained setters.
//
//   ctx.Step("charge", Charge,
//            durable::StepOptions()
//                .set_semantics(durable::StepSemantics::kAtMostOncePerRetry)
//                .set_retry(durable::NoRetry()));
//
// A sub type labels operations in histories: 1 to 32 letters, digits, '-' and '_'; it is part of an
// operation's identity, so changing it breaks executions in flight.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_OPTIONS_H_
#define REHEARSE_CLIENT_CPP_DURABLE_OPTIONS_H_

#include <functional>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/durable/retry.h"
#include "client/cpp/durable/serdes.h"

namespace durable {

// What happens to an attempt during which the invocation died: it runs again, or it counts as
// failed with StepInterruptedError and the retry strategy decides.
enum class StepSemantics { kAtLeastOncePerRetry, kAtMostOncePerRetry };

class StepOptions {
 public:
  StepOptions& set_semantics(StepSemantics semantics) {
    semantics_ = semantics;
    return *this;
  }
  // Default: DefaultRetry().
  StepOptions& set_retry(RetryStrategy strategy) {
    retry_ = std::move(strategy);
    return *this;
  }
  // T is the step's result type. See Serdes for the contract of both functions.
  template <typename T, typename Serialize, typename Deserialize>
  StepOptions& set_serdes(Serialize serialize, Deserialize deserialize) {
    serdes_ = internal::AnySerdes(
        internal::AnySerdes::Functions<T>{std::move(serialize), std::move(deserialize)});
    return *this;
  }
  // Default: "Step".
  StepOptions& set_sub_type(absl::string_view sub_type) {
    sub_type_ = std::string(sub_type);
    return *this;
  }

  StepSemantics semantics() const { return semantics_; }
  const RetryStrategy& retry() const { return retry_; }
  const internal::AnySerdes& serdes() const { return serdes_; }
  const std::string& sub_type() const { return sub_type_; }

 private:
  StepSemantics semantics_ = StepSemantics::kAtLeastOncePerRetry;
  RetryStrategy retry_;
  internal::AnySerdes serdes_;
  std::string sub_type_;
};

class CallbackOptions {
 public:
  // How long the outsider has to answer; zero (the default) is for ever. At most 99,999,999 s.
  CallbackOptions& set_timeout(absl::Duration timeout) {
    timeout_ = timeout;
    return *this;
  }
  // How long the outsider may stay silent between heartbeats; zero (the default) is for ever.
  CallbackOptions& set_heartbeat_timeout(absl::Duration timeout) {
    heartbeat_timeout_ = timeout;
    return *this;
  }
  // T is the callback's result type.
  template <typename T, typename Serialize, typename Deserialize>
  CallbackOptions& set_serdes(Serialize serialize, Deserialize deserialize) {
    serdes_ = internal::AnySerdes(
        internal::AnySerdes::Functions<T>{std::move(serialize), std::move(deserialize)});
    return *this;
  }
  // Of WaitForCallback's submitter. Default: DefaultRetry().
  CallbackOptions& set_retry(RetryStrategy strategy) {
    retry_ = std::move(strategy);
    return *this;
  }
  // Of the callback itself. Default: "Callback".
  CallbackOptions& set_sub_type(absl::string_view sub_type) {
    sub_type_ = std::string(sub_type);
    return *this;
  }

  absl::Duration timeout() const { return timeout_; }
  absl::Duration heartbeat_timeout() const { return heartbeat_timeout_; }
  const internal::AnySerdes& serdes() const { return serdes_; }
  const RetryStrategy& retry() const { return retry_; }
  const std::string& sub_type() const { return sub_type_; }

 private:
  absl::Duration timeout_;
  absl::Duration heartbeat_timeout_;
  internal::AnySerdes serdes_;
  RetryStrategy retry_;
  std::string sub_type_;
};

class ChildOptions {
 public:
  // T is the body's result type.
  template <typename T, typename Serialize, typename Deserialize>
  ChildOptions& set_serdes(Serialize serialize, Deserialize deserialize) {
    serdes_ = internal::AnySerdes(
        internal::AnySerdes::Functions<T>{std::move(serialize), std::move(deserialize)});
    return *this;
  }
  // What is recorded in place of a result of more than 256 KiB, for people to read; such a result
  // itself is not recorded, the body runs again over its recorded operations instead. Default:
  // nothing.
  template <typename T>
  ChildOptions& set_summary(std::function<std::string(const T&)> summarize) {
    summary_ = [summarize = std::move(summarize)](const void* value) {
      return summarize(*static_cast<const T*>(value));
    };
    summary_type_ = &typeid(T);
    return *this;
  }
  // A virtual context numbers its operations and leaves no record of its own.
  ChildOptions& set_virtual(bool is_virtual) {
    is_virtual_ = is_virtual;
    return *this;
  }
  // Default: "RunInChildContext".
  ChildOptions& set_sub_type(absl::string_view sub_type) {
    sub_type_ = std::string(sub_type);
    return *this;
  }

  const internal::AnySerdes& serdes() const { return serdes_; }
  const std::function<std::string(const void*)>& summary() const { return summary_; }
  // Null when no summary is set.
  const std::type_info* summary_type() const { return summary_type_; }
  bool is_virtual() const { return is_virtual_; }
  const std::string& sub_type() const { return sub_type_; }

 private:
  internal::AnySerdes serdes_;
  std::function<std::string(const void*)> summary_;
  const std::type_info* summary_type_ = nullptr;
  bool is_virtual_ = false;
  std::string sub_type_;
};

class ConditionOptions {
 public:
  // S is the type of the state.
  template <typename S, typename Serialize, typename Deserialize>
  ConditionOptions& set_serdes(Serialize serialize, Deserialize deserialize) {
    serdes_ = internal::AnySerdes(
        internal::AnySerdes::Functions<S>{std::move(serialize), std::move(deserialize)});
    return *this;
  }

  const internal::AnySerdes& serdes() const { return serdes_; }

 private:
  internal::AnySerdes serdes_;
};

class InvokeOptions {
 public:
  // P is the payload's type.
  template <typename P, typename Serialize, typename Deserialize>
  InvokeOptions& set_payload_serdes(Serialize serialize, Deserialize deserialize) {
    payload_serdes_ = internal::AnySerdes(
        internal::AnySerdes::Functions<P>{std::move(serialize), std::move(deserialize)});
    return *this;
  }
  // R is the result's type.
  template <typename R, typename Serialize, typename Deserialize>
  InvokeOptions& set_result_serdes(Serialize serialize, Deserialize deserialize) {
    result_serdes_ = internal::AnySerdes(
        internal::AnySerdes::Functions<R>{std::move(serialize), std::move(deserialize)});
    return *this;
  }
  // 1 to 256 characters.
  InvokeOptions& set_tenant_id(absl::string_view tenant_id) {
    tenant_id_ = std::string(tenant_id);
    return *this;
  }

  const internal::AnySerdes& payload_serdes() const { return payload_serdes_; }
  const internal::AnySerdes& result_serdes() const { return result_serdes_; }
  const std::string& tenant_id() const { return tenant_id_; }

 private:
  internal::AnySerdes payload_serdes_;
  internal::AnySerdes result_serdes_;
  std::string tenant_id_;
};

}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_OPTIONS_H_
