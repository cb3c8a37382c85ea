// LineSplitter: lines of a stream that comes in pieces.
//
//   LineSplitter splitter([](absl::string_view line) { ... });
//   splitter.Add("one\ntw");      // "one"
//   splitter.Add("o\n");          // "two"
//   splitter.Flush();             // what has no line break yet
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_LINE_SPLITTER_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_LINE_SPLITTER_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace rehearse::lambda_host {

// Ours: a longer line is passed on in pieces of this many bytes.
inline constexpr size_t kMaxLineBytes = 64 * 1024;

class LineSplitter {
 public:
  // `line` gets each line without its line break.
  explicit LineSplitter(std::function<void(absl::string_view)> line) : line_(std::move(line)) {}

  void Add(absl::string_view piece);
  void Flush();

 private:
  const std::function<void(absl::string_view)> line_;
  // At most kMaxLineBytes without a line break.
  std::string rest_;
};

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_LINE_SPLITTER_H_
