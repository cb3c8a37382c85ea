#include "service/http/http_server.h"

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/strand.hpp"
#include "boost/asio/write.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"

namespace rehearse {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;

// Wall time and bytes that a connection with nothing left to say waits for its client to stop
// sending, so that the last answer is not lost in a reset.
constexpr absl::Duration kDrainLimit = absl::Seconds(10);
constexpr size_t kMaxDrainBytes = 64 * 1024 * 1024;
constexpr size_t kReadBytes = 16 * 1024;
// After a failure to accept, such as no file descriptors left.
constexpr absl::Duration kAcceptRetryDelay = absl::Milliseconds(100);
constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";

std::string ToString(boost::string_view text) { return {text.data(), text.size()}; }

}  // namespace

// What the connections share; lives as long as the last of them.
class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  class Connection;

  Impl(Options options, Handler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        acceptor_(net::make_strand(io_)) {}

  absl::Status Listen();
  void Run();
  void Shutdown(absl::Duration limit);

  const Options& options() const { return options_; }
  const Handler& handler() const { return handler_; }
  int port() const { return port_; }
  bool shutting_down() const {
    absl::MutexLock lock(&mutex_);
    return shut_down_;
  }
  void OnClosed(Connection* connection);
  // Any thread. Runs `work` on the strand `executor`, or drops it when the threads are gone.
  template <typename Work>
  void Post(const tcp::socket::executor_type& executor, Work work) {
    absl::MutexLock lock(&mutex_);
    if (!joined_) net::post(executor, std::move(work));
  }

 private:
  std::vector<std::shared_ptr<Connection>> OpenConnections() const;

  // On the acceptor's strand.
  void Accept();
  void Add(tcp::socket socket);

  const Options options_;
  const Handler handler_;
  net::io_context io_;
  tcp::acceptor acceptor_;
  net::steady_timer accept_timer_{acceptor_.get_executor()};
  int port_ = 0;
  std::vector<std::thread> threads_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Connection*, std::weak_ptr<Connection>> connections_ ABSL_GUARDED_BY(mutex_);
  bool accepting_ ABSL_GUARDED_BY(mutex_) = false;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  // No thread is left to run what is posted.
  bool joined_ ABSL_GUARDED_BY(mutex_) = false;
};

// One client. Everything but Start, Stop, StopWhenIdle and Respond runs on the socket's strand. At
// most one read and one write are under way: while a request is handled, a read waits for the
// client to go away or for its next request.
class HttpServer::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Impl> server, tcp::socket socket)
      : server_(std::move(server)), socket_(std::move(socket)), deadline_(socket_.get_executor()) {}

  void Start() {
    net::dispatch(socket_.get_executor(), [self = shared_from_this()] { self->AwaitRequest(); });
  }

  void Stop() {
    server_->Post(socket_.get_executor(), [self = shared_from_this()] { self->Close(); });
  }

  // Closes unless a request is under way, which closes at its end.
  void StopWhenIdle() {
    server_->Post(socket_.get_executor(), [self = shared_from_this()] {
      if (self->state_ == State::kIdle) self->Close();
    });
  }

  void Respond(HttpResponse response) {
    server_->Post(socket_.get_executor(),
                  [self = shared_from_this(), response = std::move(response)]() mutable {
                    self->Write(std::move(response));
                  });
  }

 private:
  enum class State { kIdle, kReceiving, kHandling, kSending, kDraining, kClosed };

  const Options& options() const { return server_->options(); }

  void AwaitRequest() {
    // The last answer may have been on its way when Shutdown closed what was idle.
    if (server_->shutting_down()) return Close();
    if (buffer_.size() > 0) return ReadHeader();
    state_ = State::kIdle;
    SetDeadline(options().idle_limit);
    Read();
  }

  void Read() {
    if (reading_) return;
    reading_ = true;
    socket_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code error, size_t bytes) {
                              self->reading_ = false;
                              if (error) return self->Close();
                              self->OnRead(bytes);
                            });
  }

  void OnRead(size_t bytes) {
    switch (state_) {
      case State::kIdle:
        buffer_.commit(bytes);
        return ReadHeader();
      case State::kDraining:
        drained_bytes_ += bytes;
        if (drained_bytes_ > kMaxDrainBytes) return Close();
        return Read();
      default:
        // The client's next request, ahead of its turn.
        buffer_.commit(bytes);
    }
  }

  void ReadHeader() {
    state_ = State::kReceiving;
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(options().max_header_bytes));
    parser_->body_limit(options().max_body_bytes);
    SetDeadline(options().header_limit);
    http::async_read_header(socket_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, size_t) {
                              if (error) return self->OnBadRequest(error);
                              self->OnHeader();
                            });
  }

  void OnHeader() {
    SetDeadline(options().transfer_limit);
    if (!boost::beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      return ReadBody();
    }
    net::async_write(socket_, net::buffer(kContinue, sizeof(kContinue) - 1),
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->Close();
                       self->ReadBody();
                     });
  }

  void ReadBody() {
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->OnBadRequest(error);
                       self->Handle();
                     });
  }

  void OnBadRequest(error_code error) {
    keep_alive_ = false;
    if (error == http::error::body_limit) {
      return Write(Refusal(413, absl::StrCat("The request body is longer than ",
                                             options().max_body_bytes, " bytes.")));
    }
    if (error == http::error::header_limit) {
      return Write(Refusal(431, absl::StrCat("The request line and headers are longer than ",
                                             options().max_header_bytes, " bytes.")));
    }
    if (error.category() != http::make_error_code(http::error::bad_method).category() ||
        error == http::error::end_of_stream || error == http::error::partial_message) {
      return Close();
    }
    Write(Refusal(400, absl::StrCat("This is not HTTP/1.1: ", error.message(), ".")));
  }

  HttpResponse Refusal(int status, const std::string& message) const {
    if (options().refuse) return options().refuse(status, message);
    HttpResponse response(status);
    response.headers.emplace_back("Content-Type", "text/plain");
    response.body = message + "\n";
    return response;
  }

  void Handle() {
    state_ = State::kHandling;
    deadline_.cancel();
    http::request<http::string_body>& message = parser_->get();
    keep_alive_ = message.keep_alive();
    without_body_ = message.method() == http::verb::head;
    HttpRequest request;
    request.method = ToString(message.method_string());
    request.target = ToString(message.target());
    for (const auto& field : message) {
      request.headers.emplace_back(ToString(field.name_string()), ToString(field.value()));
    }
    request.body = std::move(message.body());
    parser_.reset();
    // Notices a client that goes away. Not with its next request at hand: that is read first.
    if (buffer_.size() == 0) Read();
    server_->handler()(std::move(request),
                       [answer = Answer(shared_from_this())](HttpResponse response) mutable {
                         answer.Give(std::move(response));
                       });
  }

  // Closes the connection of a request that nobody answered.
  class Answer {
   public:
    explicit Answer(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
    Answer(Answer&&) = default;
    ~Answer() {
      if (connection_ != nullptr) connection_->Stop();
    }
    void Give(HttpResponse response) {
      if (connection_ == nullptr) return;
      std::exchange(connection_, nullptr)->Respond(std::move(response));
    }

   private:
    std::shared_ptr<Connection> connection_;
  };

  void Write(HttpResponse response) {
    if (state_ == State::kClosed) return;
    state_ = State::kSending;
    response_ = http::response<http::string_body>();
    response_.result(static_cast<unsigned>(response.status));
    for (const auto& header : response.headers) response_.insert(header.first, header.second);
    if (!without_body_) response_.body() = std::move(response.body);
    // RFC 9110, 8.6: none with 204.
    if (response.status != 204) response_.content_length(response_.body().size());
    keep_alive_ = keep_alive_ && !server_->shutting_down();
    response_.keep_alive(keep_alive_);
    SetDeadline(options().transfer_limit);
    http::async_write(socket_, response_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Close();
      if (self->keep_alive_) return self->AwaitRequest();
      self->Drain();
    });
  }

  void Drain() {
    state_ = State::kDraining;
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    SetDeadline(kDrainLimit);
    buffer_.clear();
    Read();
  }

  void SetDeadline(absl::Duration limit) {
    deadline_.expires_after(absl::ToChronoNanoseconds(limit));
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (error || self->deadline_.expiry() > std::chrono::steady_clock::now()) return;
      self->Close();
    });
  }

  void Close() {
    if (state_ == State::kClosed) return;
    state_ = State::kClosed;
    deadline_.cancel();
    error_code ignored;
    socket_.close(ignored);
    server_->OnClosed(this);
  }

  const std::shared_ptr<Impl> server_;
  tcp::socket socket_;
  net::steady_timer deadline_;
  boost::beast::flat_buffer buffer_;
  absl::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  State state_ = State::kIdle;
  bool reading_ = false;
  bool keep_alive_ = false;
  bool without_body_ = false;
  size_t drained_bytes_ = 0;
};

absl::Status HttpServer::Impl::Listen() {
  error_code error;
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(options_.host, absl::StrCat(options_.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (!error) acceptor_.open(found.begin()->endpoint().protocol(), error);
  if (!error) acceptor_.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(found.begin()->endpoint(), error);
  if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
  const std::string address = absl::StrCat(options_.host, ":", options_.port);
  if (error == net::error::address_in_use) {
    return absl::AlreadyExistsError(absl::StrCat("address already in use: ", address));
  }
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, ": ", error.message()));
  }
  port_ = acceptor_.local_endpoint().port();
  return absl::OkStatus();
}

void HttpServer::Impl::Run() {
  {
    absl::MutexLock lock(&mutex_);
    accepting_ = true;
  }
  net::dispatch(acceptor_.get_executor(), [self = shared_from_this()] { self->Accept(); });
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this] { io_.run(); });
  }
}

void HttpServer::Impl::Accept() {
  {
    absl::MutexLock lock(&mutex_);
    accepting_ = !shut_down_ && connections_.size() < static_cast<size_t>(options_.max_connections);
    if (!accepting_) return;
  }
  acceptor_.async_accept(
      net::make_strand(io_), [self = shared_from_this()](error_code error, tcp::socket socket) {
        if (error == net::error::operation_aborted) return;
        if (!error) {
          self->Add(std::move(socket));
          return self->Accept();
        }
        self->accept_timer_.expires_after(absl::ToChronoNanoseconds(kAcceptRetryDelay));
        self->accept_timer_.async_wait([self](error_code error) {
          if (!error) self->Accept();
        });
      });
}

void HttpServer::Impl::Add(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket));
  {
    absl::MutexLock lock(&mutex_);
    if (shut_down_) return;
    connections_[connection.get()] = connection;
  }
  connection->Start();
}

void HttpServer::Impl::OnClosed(Connection* connection) {
  absl::MutexLock lock(&mutex_);
  connections_.erase(connection);
  if (accepting_ || shut_down_) return;
  accepting_ = true;
  net::post(acceptor_.get_executor(), [self = shared_from_this()] { self->Accept(); });
}

std::vector<std::shared_ptr<HttpServer::Impl::Connection>> HttpServer::Impl::OpenConnections()
    const {
  std::vector<std::shared_ptr<Connection>> open;
  absl::MutexLock lock(&mutex_);
  for (const auto& entry : connections_) {
    if (std::shared_ptr<Connection> connection = entry.second.lock()) {
      open.push_back(std::move(connection));
    }
  }
  return open;
}

void HttpServer::Impl::Shutdown(absl::Duration limit) {
  {
    absl::MutexLock lock(&mutex_);
    if (shut_down_) return;
    shut_down_ = true;
  }
  net::post(acceptor_.get_executor(), [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_.close(ignored);
    self->accept_timer_.cancel();
  });
  for (const std::shared_ptr<Connection>& connection : OpenConnections()) {
    connection->StopWhenIdle();
  }
  {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](decltype(connections_)* connections) { return connections->empty(); },
            &connections_),
        limit);
  }
  for (const std::shared_ptr<Connection>& connection : OpenConnections()) connection->Stop();
  for (std::thread& thread : threads_) thread.join();
  {
    absl::MutexLock lock(&mutex_);
    joined_ = true;
  }
  // What was posted behind their backs keeps its connection, and that the server, until it runs.
  io_.restart();
  io_.poll();
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options, Handler handler) {
  auto impl = std::make_shared<Impl>(std::move(options), std::move(handler));
  absl::Status listening = impl->Listen();
  if (!listening.ok()) return listening;
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { Shutdown(); }

int HttpServer::port() const { return impl_->port(); }

void HttpServer::Shutdown(absl::Duration limit) { impl_->Shutdown(limit); }

}  // namespace rehearse
