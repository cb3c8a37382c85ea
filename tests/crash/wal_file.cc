#include "tests/crash/wal_file.h"

#include <cstdint>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace rehearse::crash {
namespace {

// As https://www.sqlite.org/fileformat2.html has it.
constexpr size_t kHeaderBytes = 32;
constexpr size_t kFrameHeaderBytes = 24;

uint32_t BigEndian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

void SetBigEndian(uint32_t value, std::string& bytes, size_t at) {
  for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (24 - 8 * i));
}

// The running checksum of a log.
class Checksum {
 public:
  explicit Checksum(bool big_endian) : big_endian_(big_endian) {}

  void Add(const std::string& bytes, size_t begin, size_t size) {
    for (size_t at = begin; at < begin + size; at += 8) {
      first_ += Word(bytes, at) + second_;
      second_ += Word(bytes, at + 4) + first_;
    }
  }
  bool Is(const std::string& bytes, size_t at) const {
    return BigEndian(bytes, at) == first_ && BigEndian(bytes, at + 4) == second_;
  }
  void Write(std::string& bytes, size_t at) const {
    SetBigEndian(first_, bytes, at);
    SetBigEndian(second_, bytes, at + 4);
  }

 private:
  uint32_t Word(const std::string& bytes, size_t at) const {
    const uint32_t value = BigEndian(bytes, at);
    return big_endian_ ? value : __builtin_bswap32(value);
  }

  bool big_endian_;
  uint32_t first_ = 0;
  uint32_t second_ = 0;
};

struct Log {
  std::string bytes;
  size_t page_bytes = 0;
  // Behind the last commit, and the checksum there.
  size_t end = 0;
  Checksum checksum{false};
};

Log Read(const std::string& path) {
  Log log;
  std::stringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  log.bytes = content.str();
  if (log.bytes.size() < kHeaderBytes) return log;
  log.page_bytes = BigEndian(log.bytes, 8);
  Checksum checksum((BigEndian(log.bytes, 0) & 1) != 0);
  checksum.Add(log.bytes, 0, 24);
  if (!checksum.Is(log.bytes, 24)) return log;
  const size_t frame_bytes = kFrameHeaderBytes + log.page_bytes;
  for (size_t at = kHeaderBytes; at + frame_bytes <= log.bytes.size(); at += frame_bytes) {
    if (log.bytes.compare(at + 8, 8, log.bytes, 16, 8) != 0) break;
    checksum.Add(log.bytes, at, 8);
    checksum.Add(log.bytes, at + kFrameHeaderBytes, log.page_bytes);
    if (!checksum.Is(log.bytes, at + 16)) break;
    if (BigEndian(log.bytes, at + 4) == 0) continue;
    log.end = at + frame_bytes;
    log.checksum = checksum;
  }
  return log;
}

// A frame of page 2 without a commit, as it would come next.
std::string NextFrame(Log& log, std::mt19937& random) {
  std::string frame(kFrameHeaderBytes + log.page_bytes, '\0');
  for (char& byte : frame) byte = static_cast<char>(random());
  SetBigEndian(2, frame, 0);
  SetBigEndian(0, frame, 4);
  frame.replace(8, 8, log.bytes, 16, 8);
  log.checksum.Add(frame, 0, 8);
  log.checksum.Add(frame, kFrameHeaderBytes, log.page_bytes);
  log.checksum.Write(frame, 16);
  return frame;
}

}  // namespace

void TearWal(const std::string& path, std::mt19937& random) {
  Log log = Read(path);
  if (log.end == 0) return;
  std::string torn = log.bytes.substr(0, log.end);
  const int frames = 1 + random() % 3;
  for (int i = 0; i < frames; ++i) torn += NextFrame(log, random);
  switch (random() % 3) {
    case 0:
      torn.resize(torn.size() - 1 - random() % log.page_bytes);
      break;
    case 1:
      torn.back() = static_cast<char>(torn.back() ^ 1);
      break;
    default:
      break;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << torn;
  EXPECT_TRUE(file.good()) << path;
}

}  // namespace rehearse::crash
