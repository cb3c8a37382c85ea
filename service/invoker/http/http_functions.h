// HttpFunctions: functions that are reached through a Lambda-compatible endpoint - SAM local, a
// runtime interface emulator, another backend. Each is a number of slots of the StreamInvoker, so
// it queues and is bounded as functions on worker streams are.
//
//   HttpFunctions functions(invoker);
//   functions.Set("default", "orders",
//                 *ParseHttpUrl("http://127.0.0.1:3001/2015-03-31/functions/orders/invocations"));
//
// Thread-safe.
#ifndef REHEARSE_SERVICE_INVOKER_HTTP_HTTP_FUNCTIONS_H_
#define REHEARSE_SERVICE_INVOKER_HTTP_HTTP_FUNCTIONS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "service/http/http_client.h"
#include "service/invoker/stream/stream_invoker.h"

namespace rehearse {

class HttpFunctions {
 public:
  // `invoker` outlives this.
  explicit HttpFunctions(StreamInvoker& invoker) : invoker_(invoker) {}
  // Cancels what runs.
  ~HttpFunctions() { Shutdown(); }

  // `function_name` as registered with the executor; `endpoint` is what is posted to, from the next
  // invocation on. At most kSlotsPerHttpFunction run at once.
  void Set(const std::string& session, const std::string& function_name, const HttpUrl& endpoint);

  // Whether anything serves the function, over HTTP or a worker stream.
  bool IsServed(const std::string& session, const std::string& function_name) {
    return invoker_.HasPlace({session, function_name});
  }

  // Ends what runs as crashed. Later calls do nothing.
  void Shutdown() { client_.Shutdown(); }

 private:
  class Slot;

  StreamInvoker& invoker_;
  HttpClient client_;
  absl::Mutex mutex_;
  // By session and name.
  std::map<std::pair<std::string, std::string>, std::vector<std::shared_ptr<Slot>>> functions_
      ABSL_GUARDED_BY(mutex_);
};

// Ours.
inline constexpr int kSlotsPerHttpFunction = 64;

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_INVOKER_HTTP_HTTP_FUNCTIONS_H_
