// REHEARSE_CHECK: stops the process when an invariant of our own is broken. Input from outside
// never reaches one.
//
//   REHEARSE_CHECK(operation != nullptr);
#ifndef REHEARSE_SERVICE_BASE_CHECK_H_
#define REHEARSE_SERVICE_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define REHEARSE_CHECK(condition)                                                            \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)

#endif  // REHEARSE_SERVICE_BASE_CHECK_H_
