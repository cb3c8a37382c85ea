#include "service/lambda_host/line_splitter.h"

#include "absl/strings/strip.h"

namespace rehearse::lambda_host {

void LineSplitter::Add(absl::string_view piece) {
  rest_.append(piece.data(), piece.size());
  absl::string_view left = rest_;
  while (!left.empty()) {
    const size_t end = left.substr(0, kMaxLineBytes + 1).find('\n');
    if (end != absl::string_view::npos) {
      line_(absl::StripSuffix(left.substr(0, end), "\r"));
      left.remove_prefix(end + 1);
    } else if (left.size() > kMaxLineBytes) {
      line_(left.substr(0, kMaxLineBytes));
      left.remove_prefix(kMaxLineBytes);
    } else {
      break;
    }
  }
  rest_.erase(0, rest_.size() - left.size());
}

void LineSplitter::Flush() {
  if (!rest_.empty()) line_(rest_);
  rest_.clear();
}

}  // namespace rehearse::lambda_host
