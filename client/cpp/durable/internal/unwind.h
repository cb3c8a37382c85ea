// Unwind: the one exception of the SDK. It leaves user code when the invocation cannot go on here,
// runs destructors on its way, and is caught by the SDK only.
//
//   throw internal::Unwind(internal::Unwind::Reason::kSuspended);
//
// It does not derive from std::exception, so that `catch (const std::exception&)` does not see it.
#ifndef REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_UNWIND_H_
#define REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_UNWIND_H_

namespace durable {
namespace internal {

// The default of RuntimeOptions::suspend_by_status, for all of a program built with
// --define=durable_suspend=status.
#ifdef DURABLE_SUSPEND_BY_STATUS
inline constexpr bool kSuspendByStatus = true;
#else
inline constexpr bool kSuspendByStatus = false;
#endif

// Visible from every shared object, so that its type matches everywhere.
class __attribute__((visibility("default"))) Unwind final {
 public:
  enum class Reason {
    kSuspended,  // something has to happen outside first
    kOrphaned,   // nobody waits for the outcome any more
    kFatal,      // the invocation has failed
  };

  explicit Unwind(Reason reason) : reason_(reason) {}
  Reason reason() const { return reason_; }

 private:
  Reason reason_;
};

// True inside a catch block that has caught an Unwind.
bool CurrentExceptionIsUnwind();

// Once per process: makes std::terminate say so when it is an Unwind that could not pass, then
// calls the handler that was there before.
void InstallTerminateHook();

}  // namespace internal
}  // namespace durable

#endif  // REHEARSE_CLIENT_CPP_DURABLE_INTERNAL_UNWIND_H_
