// A Lambda runtime that answers every invocation at once: what is measured around it is not its
// own.
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "service/http/http_client.h"
#include "tests/benchmark/measuring.h"

namespace rehearse::benchmark {
namespace {

int Main() {
  const char* api = std::getenv("AWS_LAMBDA_RUNTIME_API");
  Require(api != nullptr, "`rehearse run` starts this program");
  const HttpUrl url = Require(ParseHttpUrl(absl::StrCat("http://", api)));
  const std::string invocations = "/2018-06-01/runtime/invocation/";
  HttpClient client;
  while (true) {
    const absl::StatusOr<HttpResponse> next = client.Send(
        url, {"GET", absl::StrCat(invocations, "next"), {}, ""}, absl::InfiniteDuration());
    // The host ends before its processes do.
    if (!next.ok()) return 0;
    const absl::string_view id =
        FindHeader(next->headers, "Lambda-Runtime-Aws-Request-Id").value_or("");
    Require(client.Send(url, {"POST", absl::StrCat(invocations, id, "/response"), {}, "{}"},
                        absl::InfiniteDuration()));
  }
}

}  // namespace
}  // namespace rehearse::benchmark

int main() { return rehearse::benchmark::Main(); }
