// FileLock: keeps a file to one process at a time, by a lock on another file beside it. It ends
// with the process, however that ends.
//
//   absl::StatusOr<FileLock> lock = FileLock::Take(absl::StrCat(path, "-lock"));
#ifndef REHEARSE_SERVICE_STORE_SQLITE_FILE_LOCK_H_
#define REHEARSE_SERVICE_STORE_SQLITE_FILE_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace rehearse::sqlite {

class FileLock {
 public:
  // Creates the file if it is not there, and leaves it there. AlreadyExists, with the process id of
  // whoever has it, when it is taken; FailedPrecondition when there can be no such file.
  static absl::StatusOr<FileLock> Take(const std::string& path);

  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace rehearse::sqlite

#endif  // REHEARSE_SERVICE_STORE_SQLITE_FILE_LOCK_H_
