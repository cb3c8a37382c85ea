#include "service/http/http_client.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/http/http_server.h"

namespace rehearse {
namespace {

using ::testing::Optional;

HttpUrl UrlOf(const HttpServer& server) { return {false, "127.0.0.1", server.port(), ""}; }

void Echo(HttpRequest request, HttpServer::Responder respond) {
  HttpResponse response(201);
  response.headers.emplace_back("X-Method", request.method);
  response.headers.emplace_back("X-Host",
                                std::string(FindHeader(request.headers, "host").value_or("")));
  response.body = absl::StrCat(request.target, " ", request.body);
  respond(std::move(response));
}

TEST(HttpClientTest, SendsARequestAndHandsBackTheAnswer) {
  const auto server = *HttpServer::Start({}, Echo);
  HttpClient client;
  const absl::StatusOr<HttpResponse> response = client.Send(
      UrlOf(*server), {"POST", "/a%2Fb?c=d", {{"X-Mine", "1"}}, "body"}, absl::InfiniteDuration());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "/a%2Fb?c=d body");
  EXPECT_THAT(FindHeader(response->headers, "x-method"), Optional(absl::string_view("POST")));
  EXPECT_EQ(*FindHeader(response->headers, "x-host"), absl::StrCat("127.0.0.1:", server->port()));
}

TEST(HttpClientTest, KeepsConnectionsAndReplacesThoseThatTheServerHasClosed) {
  HttpServer::Options options;
  options.max_connections = 1;
  auto server = *HttpServer::Start(options, Echo);
  HttpClient client;
  const HttpUrl url = UrlOf(*server);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send(url, {"GET", "/", {}, ""}, absl::InfiniteDuration()).ok());
  }
  options.port = server->port();
  server->Shutdown();
  server = *HttpServer::Start(options, Echo);
  EXPECT_TRUE(client.Send(url, {"GET", "/", {}, ""}, absl::InfiniteDuration()).ok());
}

TEST(HttpClientTest, GivesUpAfterItsLimit) {
  HttpServer::Responder held;
  const auto server = *HttpServer::Start(
      {}, [&held](HttpRequest, HttpServer::Responder respond) { held = std::move(respond); });
  HttpClient client;
  const absl::Status status =
      client.Send(UrlOf(*server), {"GET", "/", {}, ""}, absl::Milliseconds(20)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(),
            absl::StrCat("http://127.0.0.1:", server->port(), " did not answer within 20ms"));
}

TEST(HttpClientTest, EndsACallThatIsCancelledOrShutDown) {
  absl::Notification handled;
  HttpServer::Responder held;
  const auto server = *HttpServer::Start({}, [&](HttpRequest, HttpServer::Responder respond) {
    held = std::move(respond);
    if (!handled.HasBeenNotified()) handled.Notify();
  });
  HttpClient client;
  absl::Status status;
  absl::Notification ended;
  const auto call = client.Send(UrlOf(*server), {"GET", "/", {}, ""}, absl::InfiniteDuration(),
                                [&](absl::StatusOr<HttpResponse> response) {
                                  status = response.status();
                                  ended.Notify();
                                });
  handled.WaitForNotification();
  call->Cancel();
  ended.WaitForNotification();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);

  client.Send(UrlOf(*server), {"GET", "/", {}, ""}, absl::InfiniteDuration(),
              [&](absl::StatusOr<HttpResponse> response) { status = response.status(); });
  client.Shutdown();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(client.Send(UrlOf(*server), {"GET", "/", {}, ""}, absl::InfiniteDuration()).status(),
            absl::CancelledError("the client has shut down"));
  call->Cancel();  // Does nothing any more.
}

TEST(HttpClientTest, SaysWhichServerItCannotReach) {
  int port = 0;
  {
    const auto server = *HttpServer::Start({}, Echo);
    port = server->port();
  }
  HttpClient client;
  const absl::Status status =
      client.Send({false, "127.0.0.1", port, ""}, {"GET", "/", {}, ""}, absl::InfiniteDuration())
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), absl::StrCat("http://127.0.0.1:", port, ": Connection refused"));
}

TEST(HttpClientTest, FailsWhenTheAnswerIsTooLong) {
  const auto server = *HttpServer::Start({}, Echo);
  HttpClient::Options options;
  options.max_body_bytes = 10;
  HttpClient client(options);
  EXPECT_TRUE(
      client.Send(UrlOf(*server), {"POST", "/", {}, "12345678"}, absl::InfiniteDuration()).ok());
  EXPECT_EQ(client.Send(UrlOf(*server), {"POST", "/", {}, "123456789"}, absl::InfiniteDuration())
                .status(),
            absl::UnavailableError(
                absl::StrCat("http://127.0.0.1:", server->port(), ": body limit exceeded")));
}

TEST(HttpClientTest, RefusesHeadersWithALineBreak) {
  const auto server = *HttpServer::Start({}, Echo);
  HttpClient client;
  EXPECT_EQ(
      client.Send(UrlOf(*server), {"GET", "/", {{"X", "a\r\nY: b"}}, ""}, absl::InfiniteDuration())
          .status(),
      absl::InvalidArgumentError("a header has a line break"));
}

TEST(HttpClientTest, RefusesAServerWithoutTls) {
  const auto server = *HttpServer::Start({}, Echo);
  HttpClient client;
  HttpUrl url = UrlOf(*server);
  url.tls = true;
  EXPECT_EQ(client.Send(url, {"GET", "/", {}, ""}, absl::InfiniteDuration()).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(ParseHttpUrlTest, TakesUrlsApart) {
  const absl::StatusOr<HttpUrl> plain = ParseHttpUrl("http://localhost:3001/a/b/");
  ASSERT_TRUE(plain.ok());
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "localhost");
  EXPECT_EQ(plain->port, 3001);
  EXPECT_EQ(plain->path, "/a/b");
  const absl::StatusOr<HttpUrl> tls = ParseHttpUrl("https://lambda.us-east-1.amazonaws.com");
  ASSERT_TRUE(tls.ok());
  EXPECT_TRUE(tls->tls);
  EXPECT_EQ(tls->port, 443);
  EXPECT_EQ(tls->path, "");
  for (const char* bad : {"", "localhost:1", "ftp://a", "http://", "http://:80", "http://a:0",
                          "http://a:65536", "http://a:b", "http://a/b?c", "http://a/b#c"}) {
    EXPECT_EQ(ParseHttpUrl(bad).status(),
              absl::InvalidArgumentError(
                  absl::StrCat("bad URL '", bad, "': expected http://HOST:PORT/PATH")));
  }
}

}  // namespace
}  // namespace rehearse
