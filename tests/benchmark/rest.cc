// Checkpoints over the AWS API, next to what HTTP takes for an empty answer of the same server.
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "service/aws_json/aws_json.h"
#include "service/http/http_client.h"
#include "service/http/url.h"
#include "tests/benchmark/figures.h"
#include "tests/benchmark/held_invocation.h"
#include "tests/benchmark/measuring.h"
#include "tests/benchmark/remote_service.h"

namespace rehearse::benchmark {
namespace {

constexpr int kConcurrent = 64;

HttpRequest Health() { return {"GET", "/health", {}, ""}; }

// One invocation whose checkpoints travel over HTTP, one after the other.
class RestInvocation {
 public:
  explicit RestInvocation(RemoteService& service)
      : held_(service.executions, service.host), token_(held_.token()) {}

  HttpRequest NextCheckpoint() {
    return {
        "POST",
        absl::StrCat("/2025-12-01/durable-executions/", PercentEncode(held_.arn()), "/checkpoint"),
        {{"Content-Type", "application/json"}},
        ToAwsJson(StepCheckpoint(held_.arn(), token_, step_++))};
  }

  void Answered(const absl::StatusOr<HttpResponse>& response) {
    Require(response.status().ok() && response->status == 200, "a checkpoint failed");
    v1::CheckpointResponse answer;
    Require(FromAwsJson(response->body, answer).ok(), "an answer is unreadable");
    token_ = answer.checkpoint_token();
  }

 private:
  HeldInvocation held_;
  std::string token_;
  int step_ = 0;
};

double MeasureOne(RemoteService& service, HttpClient& client, const HttpUrl& url,
                  const Options& options) {
  RestInvocation invocation(service);
  std::vector<double> empty;
  std::vector<double> checkpoints;
  for (int i = 0; i < options.Repeat(3000, 20); ++i) {
    empty.push_back(Microseconds(
        [&] { Require(client.Send(url, Health(), absl::InfiniteDuration()).ok(), "no answer"); }));
    HttpRequest request = invocation.NextCheckpoint();
    absl::StatusOr<HttpResponse> response = absl::UnknownError("");
    checkpoints.push_back(Microseconds(
        [&] { response = client.Send(url, std::move(request), absl::InfiniteDuration()); }));
    invocation.Answered(response);
  }
  return Median(checkpoints) / Median(empty);
}

// Sends the invocation's next checkpoint until `left` says that there were enough.
void KeepSending(RestInvocation& invocation, HttpClient& client, const HttpUrl& url,
                 std::atomic<int>& left, Signal& done) {
  client.Send(url, invocation.NextCheckpoint(), absl::InfiniteDuration(),
              [&](absl::StatusOr<HttpResponse> response) {
                invocation.Answered(response);
                const int before = left.fetch_sub(1);
                if (before == 1) done.Notify();
                if (before > kConcurrent) KeepSending(invocation, client, url, left, done);
              });
}

double MeasureMany(RemoteService& service, HttpClient& client, const HttpUrl& url,
                   const Options& options) {
  std::vector<std::unique_ptr<RestInvocation>> invocations;
  for (int i = 0; i < kConcurrent; ++i) {
    invocations.push_back(std::make_unique<RestInvocation>(service));
  }
  const int count = options.Repeat(30000, 500);
  std::atomic<int> left{count};
  Signal done;
  const double microseconds = Microseconds([&] {
    for (const auto& invocation : invocations) {
      KeepSending(*invocation, client, url, left, done);
    }
    done.Wait();
  });
  return count / microseconds * 1e6;
}

}  // namespace

Values MeasureRest(const Options& options) {
  RemoteService service;
  const HttpUrl url =
      Require(ParseHttpUrl(absl::StrCat("http://", service.process.Address("http"))));
  HttpClient::Options client_options;
  client_options.max_idle_connections = kConcurrent;
  HttpClient client(client_options);
  Values values;
  values["rest_checkpoint_vs_empty_http"] = MeasureOne(service, client, url, options);
  values["rest_checkpoints_per_s_64"] = MeasureMany(service, client, url, options);
  return values;
}

}  // namespace rehearse::benchmark
