// Clients that send nonsense, or next to nothing, cost nobody else anything.
#include <random>
#include <string>
#include <vector>

#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/write.hpp"
#include "gtest/gtest.h"
#include "tests/interop/rest/rest_fixture.h"

namespace rehearse {
namespace {

namespace net = boost::asio;

class RudeClientsTest : public RestFixture {
 protected:
  net::ip::tcp::socket Connect() {
    net::ip::tcp::socket socket(io_);
    socket.connect({net::ip::make_address("127.0.0.1"), static_cast<uint16_t>(http_port())});
    return socket;
  }

  static void Write(net::ip::tcp::socket& socket, const std::string& bytes) {
    boost::system::error_code ignored;
    net::write(socket, net::buffer(bytes), ignored);
  }

  // Everything a client can see of the state.
  std::string Snapshot(const std::string& arn) {
    return Send("GET", ExecutionPath(arn)).body + Send("GET", ExecutionPath(arn, "/history")).body +
           Send("GET", "/2025-12-01/durable-executions").body;
  }

  net::io_context io_;
};

TEST_F(RudeClientsTest, SurvivesRandomBytes) {
  Invocation invocation = StartDurable();
  const std::string before = Snapshot(invocation.arn());
  std::mt19937 random(20261127);
  for (int i = 0; i < 300; ++i) {
    net::ip::tcp::socket socket = Connect();
    std::string bytes;
    // Every other one begins like a request.
    if (i % 2 == 1) bytes = "POST /2025-12-01/durable-executions/";
    const size_t length = random() % 2000;
    while (bytes.size() < length) bytes.push_back(static_cast<char>(random() % 256));
    Write(socket, bytes);
    boost::system::error_code ignored;
    socket.shutdown(net::ip::tcp::socket::shutdown_send, ignored);
    char buffer[512];
    while (!ignored) socket.read_some(net::buffer(buffer), ignored);
  }
  EXPECT_EQ(Snapshot(invocation.arn()), before);
}

TEST_F(RudeClientsTest, ServesOthersWhileSlowClientsHoldConnections) {
  std::vector<net::ip::tcp::socket> slow;
  for (int i = 0; i < 300; ++i) {
    slow.push_back(Connect());
    Write(slow.back(), "POST /2015-03-31/functions/durable/invocations HTTP/1.1\r\nX-Slow: ");
  }
  for (net::ip::tcp::socket& socket : slow) Write(socket, "1");
  EXPECT_EQ(Send("GET", "/health").status, 200);
  Invocation invocation = StartDurable();
  EXPECT_EQ(Send("GET", ExecutionPath(invocation.arn())).status, 200);
}

}  // namespace
}  // namespace rehearse
