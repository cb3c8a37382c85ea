#include "service/http/http_server.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/write.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rehearse {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using ::testing::HasSubstr;

struct Answer {
  int status = 0;
  std::string body;
  bool keep_alive = false;
};

// A client that sends what it is told to, byte for byte.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(io_) {
    socket_.connect({net::ip::make_address("127.0.0.1"), static_cast<uint16_t>(port)});
  }

  void Send(const std::string& bytes) {
    boost::system::error_code ignored;
    net::write(socket_, net::buffer(bytes), ignored);
  }
  Answer Receive(bool head = false) {
    http::response_parser<http::string_body> parser;
    parser.skip(head);
    parser.body_limit(64 * 1024 * 1024);
    boost::system::error_code error;
    http::read(socket_, buffer_, parser, error);
    if (error) return {};
    return {static_cast<int>(parser.get().result_int()), parser.get().body(),
            parser.get().keep_alive()};
  }
  Answer Exchange(const std::string& bytes) {
    Send(bytes);
    return Receive();
  }
  // Waits for the first bytes of an answer.
  void AwaitBytes() { socket_.wait(net::socket_base::wait_read); }
  bool IsClosed() {
    char byte;
    boost::system::error_code error;
    socket_.read_some(net::buffer(&byte, 1), error);
    return static_cast<bool>(error);
  }
  void Close() { socket_.close(); }

 private:
  net::io_context io_;
  net::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
};

void Echo(HttpRequest request, HttpServer::Responder respond) {
  HttpResponse response(200);
  response.body = absl::StrCat(request.method, " ", request.target, " ", request.body);
  respond(std::move(response));
}

std::unique_ptr<HttpServer> StartServer(HttpServer::Handler handler,
                                        HttpServer::Options options = {}) {
  return *HttpServer::Start(std::move(options), std::move(handler));
}

std::string Post(absl::string_view body) {
  return absl::StrCat("POST /a%2Fb?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: ", body.size(),
                      "\r\n\r\n", body);
}

TEST(HttpServerTest, AnswersOneRequestAfterTheOtherOnAConnection) {
  const auto server = StartServer(Echo);
  RawClient client(server->port());
  for (const char* body : {"one", "", "three"}) {
    const Answer answer = client.Exchange(Post(body));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, absl::StrCat("POST /a%2Fb?c=d ", body));
    EXPECT_TRUE(answer.keep_alive);
  }
}

TEST(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  const auto server = StartServer(Echo);
  RawClient client(server->port());
  client.Send(Post("one") + Post("two") + Post("three"));
  for (const char* body : {"one", "two", "three"})
    EXPECT_THAT(client.Receive().body, HasSubstr(body));
}

TEST(HttpServerTest, TakesChunkedBodies) {
  const auto server = StartServer(Echo);
  RawClient client(server->port());
  EXPECT_EQ(client
                .Exchange("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                .body,
            "PUT / abcde");
}

TEST(HttpServerTest, ClosesWhenTheClientAsksForIt) {
  const auto server = StartServer(Echo);
  RawClient client(server->port());
  const Answer answer = client.Exchange("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.keep_alive);
  EXPECT_TRUE(client.IsClosed());
}

TEST(HttpServerTest, AnswersHeadWithoutABody) {
  const auto server = StartServer(Echo);
  RawClient client(server->port());
  client.Send("HEAD / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.Receive(/*head=*/true).status, 200);
  EXPECT_EQ(client.Exchange(Post("next")).status, 200);
}

TEST(HttpServerTest, AsksForABodyThatTheClientHoldsBack) {
  const auto server = StartServer(Echo);
  RawClient client(server->port());
  client.Send("POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 100);
  EXPECT_EQ(client.Exchange("abc").body, "POST / abc");
}

TEST(HttpServerTest, AnswersLaterAndOnAnotherThread) {
  std::vector<std::thread> threads;
  const auto server = StartServer([&threads](HttpRequest, HttpServer::Responder respond) {
    threads.emplace_back([respond = std::move(respond)]() mutable { respond(HttpResponse(202)); });
  });
  RawClient client(server->port());
  EXPECT_EQ(client.Exchange(Post("x")).status, 202);
  for (std::thread& thread : threads) thread.join();
}

TEST(HttpServerTest, BoundsBodiesAtTheBoundAndOnePast) {
  HttpServer::Options options;
  options.max_body_bytes = 1000;
  const auto server = StartServer(Echo, options);
  RawClient fits(server->port());
  EXPECT_EQ(fits.Exchange(Post(std::string(1000, 'x'))).status, 200);
  RawClient announced(server->port());
  const Answer answer = announced.Exchange(Post(std::string(1001, 'x')));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, "The request body is longer than 1000 bytes.\n");
  EXPECT_FALSE(answer.keep_alive);
  RawClient chunked(server->port());
  EXPECT_EQ(
      chunked
          .Exchange(absl::StrCat("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
                                 std::string(1001, 'x'), "\r\n0\r\n\r\n"))
          .status,
      413);
}

TEST(HttpServerTest, DrainsAnOversizedBodySoThatTheAnswerArrives) {
  HttpServer::Options options;
  options.max_body_bytes = 10;
  const auto server = StartServer(Echo, options);
  RawClient client(server->port());
  // More than the socket's buffers hold.
  client.Send(Post(std::string(32 * 1024 * 1024, 'x')));
  EXPECT_EQ(client.Receive().status, 413);
}

TEST(HttpServerTest, BoundsHeaders) {
  HttpServer::Options options;
  options.max_header_bytes = 1000;
  const auto server = StartServer(Echo, options);
  RawClient client(server->port());
  EXPECT_EQ(client.Exchange("GET / HTTP/1.1\r\nX: " + std::string(1000, 'x') + "\r\n\r\n").status,
            431);
}

TEST(HttpServerTest, RefusesWhatIsNotHttpInTheWordsOfItsUser) {
  HttpServer::Options options;
  options.refuse = [](int status, absl::string_view message) {
    HttpResponse response(status);
    response.body = absl::StrCat("refused: ", message);
    return response;
  };
  const auto server = StartServer(Echo, options);
  RawClient client(server->port());
  const Answer answer = client.Exchange("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("refused: This is not HTTP/1.1: "));
  EXPECT_TRUE(client.IsClosed());
}

TEST(HttpServerTest, ClosesConnectionsThatAreTooSlow) {
  HttpServer::Options options;
  options.idle_limit = options.header_limit = options.transfer_limit = absl::Milliseconds(20);
  const auto server = StartServer(Echo, options);
  for (const char* sent : {"", "GET / HT", "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"}) {
    RawClient client(server->port());
    client.Send(sent);
    EXPECT_TRUE(client.IsClosed()) << sent;
  }
}

TEST(HttpServerTest, LetsAClientInWhenAnotherHasGone) {
  HttpServer::Options options;
  options.max_connections = 1;
  const auto server = StartServer(Echo, options);
  RawClient first(server->port());
  EXPECT_EQ(first.Exchange(Post("x")).status, 200);
  RawClient second(server->port());
  second.Send(Post("y"));
  first.Close();
  EXPECT_EQ(second.Receive().status, 200);
}

TEST(HttpServerTest, FreesTheConnectionOfAClientThatLeavesWhileItsRequestIsHandled) {
  absl::Notification handled;
  HttpServer::Responder held;
  HttpServer::Options options;
  options.max_connections = 1;
  const auto server = StartServer(
      [&](HttpRequest request, HttpServer::Responder respond) {
        if (request.body == "next") return Echo(std::move(request), std::move(respond));
        held = std::move(respond);
        handled.Notify();
      },
      options);
  RawClient leaver(server->port());
  leaver.Send(Post("x"));
  handled.WaitForNotification();
  leaver.Close();
  RawClient next(server->port());
  EXPECT_EQ(next.Exchange(Post("next")).status, 200);
  held(HttpResponse(200));
}

TEST(HttpServerTest, ClosesTheConnectionOfARequestThatNobodyAnswers) {
  const auto server = StartServer([](HttpRequest, HttpServer::Responder) {});
  RawClient client(server->port());
  client.Send(Post("x"));
  EXPECT_TRUE(client.IsClosed());
}

TEST(HttpServerTest, StopsWithRequestsUnderWayAndIgnoresTheirAnswers) {
  absl::Notification handled;
  HttpServer::Responder held;
  const auto server = StartServer([&](HttpRequest, HttpServer::Responder respond) {
    held = std::move(respond);
    handled.Notify();
  });
  RawClient waiting(server->port());
  waiting.Send(Post("x"));
  RawClient idle(server->port());
  handled.WaitForNotification();
  server->Shutdown();
  EXPECT_TRUE(waiting.IsClosed());
  EXPECT_TRUE(idle.IsClosed());
  held(HttpResponse(200));
}

TEST(HttpServerTest, LetsRequestsUnderWayBeAnsweredBeforeItStops) {
  absl::Notification handled;
  HttpServer::Responder held;
  const auto server = StartServer([&](HttpRequest, HttpServer::Responder respond) {
    held = std::move(respond);
    handled.Notify();
  });
  RawClient waiting(server->port());
  waiting.Send(Post("x"));
  RawClient idle(server->port());
  handled.WaitForNotification();
  std::thread stopping([&server] { server->Shutdown(absl::InfiniteDuration()); });
  EXPECT_TRUE(idle.IsClosed());
  held(HttpResponse(200));
  const Answer answer = waiting.Receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.keep_alive);
  waiting.Close();
  stopping.join();
}

TEST(HttpServerTest, ClosesAConnectionWhoseAnswerWasOnItsWayWhenItStopped) {
  absl::Notification answered;
  HttpServer::Options options;
  options.idle_limit = absl::Hours(1);
  const auto server = StartServer(
      [&](HttpRequest, HttpServer::Responder respond) {
        HttpResponse response(200);
        // More than the socket's buffers hold.
        response.body = std::string(32 * 1024 * 1024, 'x');
        respond(std::move(response));
        answered.Notify();
      },
      options);
  RawClient receiving(server->port());
  receiving.Send(Post("x"));
  RawClient idle(server->port());
  answered.WaitForNotification();
  receiving.AwaitBytes();
  std::thread stopping([&server] { server->Shutdown(absl::InfiniteDuration()); });
  EXPECT_TRUE(idle.IsClosed());
  EXPECT_EQ(receiving.Receive().status, 200);
  EXPECT_TRUE(receiving.IsClosed());
  stopping.join();
}

TEST(HttpServerTest, SaysWhyItCannotListen) {
  const auto server = StartServer(Echo);
  HttpServer::Options options;
  options.port = server->port();
  const absl::Status taken = HttpServer::Start(options, Echo).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(taken.message(), absl::StrCat("address already in use: 127.0.0.1:", server->port()));
  options.host = "256.1.1.1";
  EXPECT_EQ(HttpServer::Start(options, Echo).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace rehearse
