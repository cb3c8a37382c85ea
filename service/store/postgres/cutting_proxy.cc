#include "service/store/postgres/cutting_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/base/check.h"

namespace rehearse::postgres {
namespace {

// In the message that binds parameters: the name of the portal, which is empty, then that of the
// statement.
constexpr absl::string_view kCommit("\0commit\0", 8);

sockaddr_un AddressIn(const std::string& folder) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = folder + "/.s.PGSQL.5432";
  REHEARSE_CHECK(path.size() < sizeof(address.sun_path));
  path.copy(address.sun_path, path.size());
  return address;
}

bool WriteAll(int file, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = send(file, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// Empty: the other end has closed.
absl::string_view ReadSome(int file, std::string& buffer) {
  const ssize_t size = read(file, &buffer[0], buffer.size());
  return {buffer.data(), size > 0 ? static_cast<size_t>(size) : 0};
}

}  // namespace

CuttingProxy::CuttingProxy(std::string server) : server_(std::move(server)) {
  char folder[] = "/tmp/pgproxy.XXXXXX";
  REHEARSE_CHECK(mkdtemp(folder) != nullptr);
  folder_ = folder;
  REHEARSE_CHECK(pipe(stop_) == 0 && pipe(resume_) == 0);
  listener_ = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = AddressIn(folder_);
  REHEARSE_CHECK(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
                 0);
  REHEARSE_CHECK(listen(listener_, 64) == 0);
  accepting_ = std::thread([this] { Accept(); });
}

CuttingProxy::~CuttingProxy() {
  REHEARSE_CHECK(write(stop_[1], "x", 1) == 1);
  accepting_.join();
  std::vector<std::thread> serving;
  {
    absl::MutexLock lock(&mutex_);
    serving.swap(serving_);
  }
  for (std::thread& thread : serving) thread.join();
  for (const int file : {listener_, stop_[0], stop_[1], resume_[0], resume_[1]}) close(file);
  std::filesystem::remove_all(folder_);
}

void CuttingProxy::CutAtCommit(Moment moment) {
  absl::MutexLock lock(&mutex_);
  armed_ = true;
  cut_ = false;
  moment_ = moment;
}

void CuttingProxy::AwaitCut() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&cut_));
}

void CuttingProxy::Resume() {
  absl::MutexLock lock(&mutex_);
  stalled_ = false;
  close(std::exchange(resume_[1], -1));
}

bool CuttingProxy::stalled() const {
  absl::MutexLock lock(&mutex_);
  return stalled_;
}

void CuttingProxy::Accept() {
  while (true) {
    pollfd files[] = {{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    REHEARSE_CHECK(poll(files, 2, -1) > 0);
    if (files[1].revents != 0) return;
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    absl::MutexLock lock(&mutex_);
    serving_.emplace_back([this, client] { Serve(client); });
  }
}

void CuttingProxy::Serve(int client) {
  const int server = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = AddressIn(server_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  std::string buffer(64 * 1024, '\0');
  while (open) {
    const int from_client = stalled() ? resume_[0] : client;
    pollfd files[] = {{from_client, POLLIN, 0}, {server, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    REHEARSE_CHECK(poll(files, 3, -1) > 0);
    if (files[2].revents != 0) break;
    if (files[0].revents != 0 && from_client == client) {
      if (stalled()) continue;
      open = PassToServer(client, server);
    }
    if (open && files[1].revents != 0) {
      const absl::string_view answer = ReadSome(server, buffer);
      open = !answer.empty() && WriteAll(client, answer);
    }
  }
  close(server);
  close(client);
}

bool CuttingProxy::PassToServer(int client, int server) {
  std::string buffer(64 * 1024, '\0');
  const absl::string_view request = ReadSome(client, buffer);
  if (request.empty()) return false;
  absl::ReleasableMutexLock lock(&mutex_);
  if (!armed_ || !absl::StrContains(request, kCommit)) {
    lock.Release();
    return WriteAll(server, request);
  }
  armed_ = false;
  cut_ = true;
  stalled_ = moment_ == Moment::kStall;
  const Moment moment = moment_;
  lock.Release();
  // The server answers when it has committed.
  if (moment == Moment::kAfter && WriteAll(server, request)) (void)ReadSome(server, buffer);
  return moment == Moment::kStall;
}

}  // namespace rehearse::postgres
