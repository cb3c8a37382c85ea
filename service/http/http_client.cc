#include "service/http/http_client.h"

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/types/optional.h"
#include "boost/asio/connect.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/ssl.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"
#include "boost/beast/ssl/ssl_stream.hpp"

namespace rehearse {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;

using WireRequest = http::request<http::string_body>;
using WireParser = http::response_parser<http::string_body>;
using Handler = std::function<void(error_code)>;

// Headers first: Boost 1.74 checks a response's Content-Length against the limit only then.
template <typename AsyncStream>
void ReadMessage(AsyncStream& stream, boost::beast::flat_buffer& buffer, WireParser& parser,
                 Handler done) {
  http::async_read_header(
      stream, buffer, parser, [&stream, &buffer, &parser, done](error_code error, size_t) {
        if (error) return done(error);
        http::async_read(stream, buffer, parser, [done](error_code error, size_t) { done(error); });
      });
}

// A connection, with or without TLS. One operation at a time.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual tcp::socket& socket() = 0;
  virtual void Handshake(const std::string& host, Handler done) = 0;
  virtual void Write(WireRequest& request, Handler done) = 0;
  virtual void Read(boost::beast::flat_buffer& buffer, WireParser& parser, Handler done) = 0;
};

class PlainStream final : public Stream {
 public:
  explicit PlainStream(net::io_context& io) : socket_(io) {}
  tcp::socket& socket() override { return socket_; }
  void Handshake(const std::string&, Handler done) override { done({}); }
  void Write(WireRequest& request, Handler done) override {
    http::async_write(socket_, request, [done](error_code error, size_t) { done(error); });
  }
  void Read(boost::beast::flat_buffer& buffer, WireParser& parser, Handler done) override {
    ReadMessage(socket_, buffer, parser, std::move(done));
  }

 private:
  tcp::socket socket_;
};

class TlsStream final : public Stream {
 public:
  TlsStream(net::io_context& io, net::ssl::context& context) : stream_(io, context) {}
  tcp::socket& socket() override { return stream_.next_layer(); }
  void Handshake(const std::string& host, Handler done) override {
    if (SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str()) != 1) {
      return done(net::error::invalid_argument);
    }
    stream_.set_verify_callback(net::ssl::host_name_verification(host));
    stream_.async_handshake(net::ssl::stream_base::client,
                            [done](error_code error) { done(error); });
  }
  void Write(WireRequest& request, Handler done) override {
    http::async_write(stream_, request, [done](error_code error, size_t) { done(error); });
  }
  void Read(boost::beast::flat_buffer& buffer, WireParser& parser, Handler done) override {
    ReadMessage(stream_, buffer, parser, std::move(done));
  }

 private:
  boost::beast::ssl_stream<tcp::socket> stream_;
};

std::string KeyOf(const HttpUrl& server) {
  return absl::StrCat(server.tls ? "https" : "http", "://", server.host, ":", server.port);
}

}  // namespace

absl::StatusOr<HttpUrl> ParseHttpUrl(absl::string_view text) {
  const absl::Status bad = absl::InvalidArgumentError(
      absl::StrCat("bad URL '", text, "': expected http://HOST:PORT/PATH"));
  HttpUrl url;
  absl::string_view rest = text;
  url.tls = absl::ConsumePrefix(&rest, "https://");
  if (!url.tls && !absl::ConsumePrefix(&rest, "http://")) return bad;
  url.port = url.tls ? 443 : 80;
  const absl::string_view authority = rest.substr(0, rest.find('/'));
  url.path = std::string(absl::StripSuffix(rest.substr(authority.size()), "/"));
  const size_t colon = authority.rfind(':');
  url.host = std::string(authority.substr(0, colon));
  if (colon != absl::string_view::npos &&
      (!absl::SimpleAtoi(authority.substr(colon + 1), &url.port) || url.port < 1 ||
       url.port > 65535)) {
    return bad;
  }
  if (url.host.empty() || url.path.find_first_of("?#") != std::string::npos) return bad;
  return url;
}

// Everything but Send, Cancel and Shutdown runs on the one thread of `io_`.
class HttpClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  class Exchange;

  explicit Impl(Options options) : options_(std::move(options)) {}

  void Run() {
    thread_ = std::thread([this] { io_.run(); });
  }
  std::shared_ptr<Call> Send(const HttpUrl& server, HttpRequest request, absl::Duration limit,
                             Done done);
  void Shutdown();

  const Options& options() const { return options_; }
  net::io_context& io() { return io_; }
  // Any thread. Runs `work` on the client's, or returns false: it has shut down.
  template <typename Work>
  bool Post(Work work) {
    absl::MutexLock lock(&mutex_);
    if (!shut_down_) net::post(io_, std::move(work));
    return !shut_down_;
  }
  std::unique_ptr<Stream> NewStream(bool tls);
  // Null when none is idle.
  std::unique_ptr<Stream> TakeIdle(const HttpUrl& server);
  void KeepIdle(const HttpUrl& server, std::unique_ptr<Stream> stream);
  void OnEnded(const std::shared_ptr<Exchange>& exchange) { exchanges_.erase(exchange); }

 private:
  net::ssl::context& TlsContext();

  const Options options_;
  net::io_context io_;
  // Made when it is first needed: reading the system's certificates takes some 15 ms.
  absl::optional<net::ssl::context> tls_;
  net::executor_work_guard<net::io_context::executor_type> work_{io_.get_executor()};
  absl::flat_hash_map<std::string, std::vector<std::unique_ptr<Stream>>> idle_;
  absl::flat_hash_set<std::shared_ptr<Exchange>> exchanges_;
  std::thread thread_;
  absl::Mutex mutex_;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

// One request and its answer.
class HttpClient::Impl::Exchange final : public HttpClient::Call,
                                         public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::shared_ptr<Impl> client, const HttpUrl& server, HttpRequest request,
           absl::Duration limit, Done done)
      : client_(std::move(client)),
        server_(server),
        limit_(limit),
        done_(std::move(done)),
        resolver_(client_->io()),
        deadline_(client_->io()) {
    wire_.method_string(request.method);
    wire_.target(request.target);
    wire_.version(11);
    for (const auto& header : request.headers) {
      // Nobody puts headers of his own behind the end of another.
      is_valid_ = is_valid_ && header.second.find_first_of("\r\n") == std::string::npos;
      wire_.insert(header.first, header.second);
    }
    const bool standard_port = server.port == (server.tls ? 443 : 80);
    wire_.set(http::field::host,
              standard_port ? server.host : absl::StrCat(server.host, ":", server.port));
    wire_.body() = std::move(request.body);
    wire_.content_length(wire_.body().size());
  }

  void Cancel() override {
    client_->Post([self = shared_from_this()] { self->OnCancelled(); });
  }
  void OnCancelled() { End(absl::CancelledError("the request was cancelled")); }

  // For a call that comes too late.
  void Refuse() { std::exchange(done_, nullptr)(absl::CancelledError("the client has shut down")); }

  void Start() {
    if (!is_valid_) return End(absl::InvalidArgumentError("a header has a line break"));
    if (limit_ < absl::InfiniteDuration()) {
      deadline_.expires_after(absl::ToChronoNanoseconds(limit_));
      deadline_.async_wait([self = shared_from_this()](error_code error) {
        if (error) return;
        self->End(absl::DeadlineExceededError(absl::StrCat(
            KeyOf(self->server_), " did not answer within ", absl::FormatDuration(self->limit_))));
      });
    }
    stream_ = client_->TakeIdle(server_);
    reused_ = stream_ != nullptr;
    if (reused_) return Write();
    Connect();
  }

 private:
  // Goes on with `next` unless the call has ended or failed meanwhile.
  Handler Then(void (Exchange::*next)()) {
    return [self = shared_from_this(), next](error_code error) {
      if (self->done_ == nullptr) return;
      if (error) return self->OnError(error);
      ((*self).*next)();
    };
  }

  void Connect() {
    reused_ = false;
    stream_ = client_->NewStream(server_.tls);
    resolver_.async_resolve(
        server_.host, absl::StrCat(server_.port),
        [self = shared_from_this()](error_code error, tcp::resolver::results_type found) {
          if (self->done_ == nullptr) return;
          if (error) return self->OnError(error);
          net::async_connect(self->stream_->socket(), found,
                             [self](error_code error, const tcp::endpoint&) {
                               self->Then (&Exchange::Handshake)(error);
                             });
        });
  }

  void Handshake() {
    error_code ignored;
    stream_->socket().set_option(tcp::no_delay(true), ignored);
    stream_->Handshake(server_.host, Then(&Exchange::Write));
  }

  void Write() { stream_->Write(wire_, Then(&Exchange::Read)); }

  void Read() {
    parser_.emplace();
    parser_->body_limit(client_->options().max_body_bytes);
    stream_->Read(buffer_, *parser_, Then(&Exchange::Finish));
  }

  void Finish() {
    http::response<http::string_body> answer = parser_->release();
    if (answer.keep_alive()) client_->KeepIdle(server_, std::move(stream_));
    HttpResponse response(static_cast<int>(answer.result_int()));
    for (const auto& field : answer) {
      response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    response.body = std::move(answer.body());
    End(std::move(response));
  }

  void OnError(error_code error) {
    if (reused_ && (!parser_.has_value() || !parser_->got_some())) {
      parser_.reset();
      buffer_.clear();
      return Connect();
    }
    End(absl::UnavailableError(absl::StrCat(KeyOf(server_), ": ", error.message())));
  }

  void End(absl::StatusOr<HttpResponse> response) {
    if (done_ == nullptr) return;
    deadline_.cancel();
    resolver_.cancel();
    error_code ignored;
    if (stream_ != nullptr) stream_->socket().close(ignored);
    client_->OnEnded(shared_from_this());
    std::exchange(done_, nullptr)(std::move(response));
  }

  const std::shared_ptr<Impl> client_;
  const HttpUrl server_;
  const absl::Duration limit_;
  // Null once the call has ended.
  Done done_;
  WireRequest wire_;
  tcp::resolver resolver_;
  net::steady_timer deadline_;
  std::unique_ptr<Stream> stream_;
  boost::beast::flat_buffer buffer_;
  absl::optional<WireParser> parser_;
  bool is_valid_ = true;
  bool reused_ = false;
};

net::ssl::context& HttpClient::Impl::TlsContext() {
  if (tls_.has_value()) return *tls_;
  tls_.emplace(net::ssl::context::tls_client);
  error_code ignored;
  tls_->set_default_verify_paths(ignored);
  tls_->set_verify_mode(net::ssl::verify_peer);
  if (!options_.trusted_certificates.empty()) {
    tls_->add_certificate_authority(net::buffer(options_.trusted_certificates), ignored);
  }
  return *tls_;
}

std::unique_ptr<Stream> HttpClient::Impl::NewStream(bool tls) {
  if (tls) return std::make_unique<TlsStream>(io_, TlsContext());
  return std::make_unique<PlainStream>(io_);
}

std::unique_ptr<Stream> HttpClient::Impl::TakeIdle(const HttpUrl& server) {
  std::vector<std::unique_ptr<Stream>>& idle = idle_[KeyOf(server)];
  if (idle.empty()) return nullptr;
  std::unique_ptr<Stream> stream = std::move(idle.back());
  idle.pop_back();
  return stream;
}

void HttpClient::Impl::KeepIdle(const HttpUrl& server, std::unique_ptr<Stream> stream) {
  std::vector<std::unique_ptr<Stream>>& idle = idle_[KeyOf(server)];
  if (idle.size() < options_.max_idle_connections) idle.push_back(std::move(stream));
}

std::shared_ptr<HttpClient::Call> HttpClient::Impl::Send(const HttpUrl& server, HttpRequest request,
                                                         absl::Duration limit, Done done) {
  auto exchange = std::make_shared<Exchange>(shared_from_this(), server, std::move(request), limit,
                                             std::move(done));
  const bool posted = Post([this, exchange] {
    exchanges_.insert(exchange);
    exchange->Start();
  });
  if (!posted) exchange->Refuse();
  return exchange;
}

void HttpClient::Impl::Shutdown() {
  {
    absl::MutexLock lock(&mutex_);
    if (shut_down_) return;
    shut_down_ = true;
  }
  net::post(io_, [this] {
    // A copy: each leaves the set when it ends.
    const absl::flat_hash_set<std::shared_ptr<Exchange>> exchanges = exchanges_;
    for (const std::shared_ptr<Exchange>& exchange : exchanges) exchange->OnCancelled();
    idle_.clear();
    work_.reset();
  });
  thread_.join();
}

HttpClient::HttpClient(Options options) : impl_(std::make_shared<Impl>(std::move(options))) {
  impl_->Run();
}

HttpClient::~HttpClient() { Shutdown(); }

std::shared_ptr<HttpClient::Call> HttpClient::Send(const HttpUrl& server, HttpRequest request,
                                                   absl::Duration limit, Done done) {
  return impl_->Send(server, std::move(request), limit, std::move(done));
}

absl::StatusOr<HttpResponse> HttpClient::Send(const HttpUrl& server, HttpRequest request,
                                              absl::Duration limit) {
  absl::Notification answered;
  absl::StatusOr<HttpResponse> answer = absl::UnknownError("");
  Send(server, std::move(request), limit, [&](absl::StatusOr<HttpResponse> response) {
    answer = std::move(response);
    answered.Notify();
  });
  answered.WaitForNotification();
  return answer;
}

void HttpClient::Shutdown() { impl_->Shutdown(); }

}  // namespace rehearse
