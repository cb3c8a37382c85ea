#include "service/cli/ready_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rehearse {

ReadyFile::ReadyFile(std::string path) : path_(std::move(path)) { Remove(); }

void ReadyFile::Remove() {
  if (!path_.empty()) unlink(path_.c_str());
}

absl::Status ReadyFile::Write(absl::string_view content) {
  if (path_.empty()) return absl::OkStatus();
  const std::string temporary = absl::StrCat(path_, ".", getpid());
  FILE* file = std::fopen(temporary.c_str(), "w");
  bool written = file != nullptr;
  if (written) {
    written = std::fwrite(content.data(), 1, content.size(), file) == content.size();
    written = std::fclose(file) == 0 && written;
    written = written && std::rename(temporary.c_str(), path_.c_str()) == 0;
  }
  if (written) return absl::OkStatus();
  absl::Status error = absl::UnavailableError(
      absl::StrCat("cannot write the ready file ", path_, ": ", strerror(errno)));
  unlink(temporary.c_str());
  return error;
}

}  // namespace rehearse
