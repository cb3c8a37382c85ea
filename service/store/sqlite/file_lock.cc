#include "service/store/sqlite/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace rehearse::sqlite {

absl::StatusOr<FileLock> FileLock::Take(const std::string& path) {
  FileLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.descriptor_ < 0) {
    return absl::FailedPreconditionError(absl::StrCat("cannot open ", path, ": ", strerror(errno)));
  }
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    const ssize_t size = pread(lock.descriptor_, holder, sizeof(holder) - 1, 0);
    return absl::AlreadyExistsError(
        absl::StrCat(path, " is held by process ", size > 0 ? holder : "?"));
  }
  // For whoever comes second; the lock does not depend on it.
  const std::string self = absl::StrCat(getpid());
  if (ftruncate(lock.descriptor_, 0) != 0 ||
      pwrite(lock.descriptor_, self.data(), self.size(), 0) < 0) {
    return lock;
  }
  return lock;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace rehearse::sqlite
