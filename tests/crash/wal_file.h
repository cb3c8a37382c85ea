// A SQLite write-ahead log whose last write was torn: what a machine that loses power leaves behind
// a commit that nobody was told of.
//
//   TearWal("/tmp/store.db-wal", random);
#ifndef REHEARSE_TESTS_CRASH_WAL_FILE_H_
#define REHEARSE_TESTS_CRASH_WAL_FILE_H_

#include <random>
#include <string>

namespace rehearse::crash {

// Replaces what stands behind the last commit by the beginning of another one: a part of a frame, a
// frame with a wrong checksum, or whole frames without their commit. The file's process must be
// gone. Does nothing to a file without a commit.
void TearWal(const std::string& path, std::mt19937& random);

}  // namespace rehearse::crash

#endif  // REHEARSE_TESTS_CRASH_WAL_FILE_H_
