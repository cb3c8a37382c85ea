// How the SDK names itself to a service.
//
//   arguments.SetUserAgentPrefix(internal::kUserAgent);
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_USER_AGENT_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_USER_AGENT_H_

namespace durable {
namespace internal {

// The form of the published SDKs, by which a service can tell versions apart.
inline constexpr char kUserAgent[] = "aws-durable-execution-sdk-cpp/0.1.0";

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_USER_AGENT_H_
