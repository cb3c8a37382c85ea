// libpq, PostgreSQL's client library, loaded when it is first asked for: a service that keeps its
// executions elsewhere needs no PostgreSQL on the machine.
//
//   absl::StatusOr<const LibPq*> libpq = LibPq::Load();
//   if (!libpq.ok()) return libpq.status();           // says which package to install
//   PGconn* connection = (*libpq)->PQconnectdbParams(keywords, values, 1);
#ifndef REHEARSE_SERVICE_STORE_POSTGRES_LIBPQ_H_
#define REHEARSE_SERVICE_STORE_POSTGRES_LIBPQ_H_

#include "absl/status/statusor.h"
#include "postgresql/libpq-fe.h"

// What is used of libpq; all of it is there since version 14.
#define REHEARSE_LIBPQ_FUNCTIONS(F) \
  F(PQclear)                        \
  F(PQcmdTuples)                    \
  F(PQconnectdbParams)              \
  F(PQconninfoFree)                 \
  F(PQconninfoParse)                \
  F(PQconsumeInput)                 \
  F(PQenterPipelineMode)            \
  F(PQerrorMessage)                 \
  F(PQfinish)                       \
  F(PQfreemem)                      \
  F(PQgetResult)                    \
  F(PQgetisnull)                    \
  F(PQgetlength)                    \
  F(PQgetvalue)                     \
  F(PQnotifies)                     \
  F(PQntuples)                      \
  F(PQpipelineSync)                 \
  F(PQresultErrorField)             \
  F(PQresultErrorMessage)           \
  F(PQresultStatus)                 \
  F(PQsendPrepare)                  \
  F(PQsendQueryParams)              \
  F(PQsendQueryPrepared)            \
  F(PQsetNoticeProcessor)           \
  F(PQsocket)                       \
  F(PQstatus)

namespace rehearse::postgres {

// The functions by their own names. Never unloaded.
struct LibPq {
  // Unavailable when the library is missing or too old.
  static absl::StatusOr<const LibPq*> Load();
  // As above, from a file of another name.
  static absl::StatusOr<LibPq> LoadFrom(const char* file);

#define REHEARSE_LIBPQ_MEMBER(name) decltype(&::name) name = nullptr;
  REHEARSE_LIBPQ_FUNCTIONS(REHEARSE_LIBPQ_MEMBER)
#undef REHEARSE_LIBPQ_MEMBER
};

}  // namespace rehearse::postgres

#endif  // REHEARSE_SERVICE_STORE_POSTGRES_LIBPQ_H_
