// ReadyFile: tells whoever started the service where it serves.
//
//   ReadyFile file("/tmp/rehearse.json");
//   absl::Status status = file.Write("{\"grpc\": \"127.0.0.1:4242\"}");
#ifndef REHEARSE_SERVICE_CLI_READY_FILE_H_
#define REHEARSE_SERVICE_CLI_READY_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rehearse {

class ReadyFile {
 public:
  // Removes what an earlier run may have left, so that nobody reads that. Empty: there is no file,
  // and Write does nothing.
  explicit ReadyFile(std::string path);
  // Removes the file.
  ~ReadyFile() { Remove(); }
  ReadyFile(const ReadyFile&) = delete;
  ReadyFile& operator=(const ReadyFile&) = delete;

  // The file appears with all of its content or not at all.
  absl::Status Write(absl::string_view content);
  // Harmless when it is not there.
  void Remove();

 private:
  const std::string path_;
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_CLI_READY_FILE_H_
