// Shows gRPC's completion queues, reactors and in-process messages to ThreadSanitizer.
//
// gRPC hands an operation from the thread that starts it to the thread that sees its tag through
// lock-free queues of a library that is not instrumented. The edge "start of an operation -> its
// completion" is made here, by the tag. A reactor's last reactions are handed to an executor
// in the same way; there a proxy makes the edge. An in-process channel hands the bytes that a
// message was written to over to its reader; that edge is made by the address of each slice. See
// absl_tsan.cc for how these definitions take effect.
//
// Built without -fsanitize=thread itself.
#include <dlfcn.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpcpp/server.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>
#include <sanitizer/tsan_interface.h>

#include <utility>

namespace {

template <typename Function>
Function* Next(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

grpc_event Completed(grpc_event event) {
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

// Stands for all calls that have ended.
char ended_calls;

void ReleaseMessage(const grpc_op& op) {
  if (op.op != GRPC_OP_SEND_MESSAGE || op.data.send_message.send_message == nullptr) return;
  grpc_slice_buffer& buffer = op.data.send_message.send_message->data.raw.slice_buffer;
  for (size_t i = 0; i < buffer.count; ++i) {
    __tsan_release(GRPC_SLICE_START_PTR(buffer.slices[i]));
  }
}

}  // namespace

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t nops, void* tag,
                                      void* reserved) {
  static auto* const next = Next(&grpc_call_start_batch, "grpc_call_start_batch");
  for (size_t i = 0; i < nops; ++i) ReleaseMessage(ops[i]);
  __tsan_release(tag);
  return next(call, ops, nops, tag, reserved);
}

void grpc_call_unref(grpc_call* call) {
  static auto* const next = Next(&grpc_call_unref, "grpc_call_unref");
  __tsan_release(&ended_calls);
  next(call);
}

int grpc_byte_buffer_reader_peek(grpc_byte_buffer_reader* reader, grpc_slice** slice) {
  static auto* const next = Next(&grpc_byte_buffer_reader_peek, "grpc_byte_buffer_reader_peek");
  const int found = next(reader, slice);
  if (found != 0) __tsan_acquire(GRPC_SLICE_START_PTR(**slice));
  return found;
}

grpc_call_error grpc_server_request_call(grpc_server* server, grpc_call** call,
                                         grpc_call_details* details, grpc_metadata_array* metadata,
                                         grpc_completion_queue* bound_to,
                                         grpc_completion_queue* notification, void* tag) {
  static auto* const next = Next(&grpc_server_request_call, "grpc_server_request_call");
  __tsan_release(tag);
  return next(server, call, details, metadata, bound_to, notification, tag);
}

grpc_call_error grpc_server_request_registered_call(
    grpc_server* server, void* method, grpc_call** call, gpr_timespec* deadline,
    grpc_metadata_array* metadata, grpc_byte_buffer** payload, grpc_completion_queue* bound_to,
    grpc_completion_queue* notification, void* tag) {
  static auto* const next =
      Next(&grpc_server_request_registered_call, "grpc_server_request_registered_call");
  __tsan_release(tag);
  return next(server, method, call, deadline, metadata, payload, bound_to, notification, tag);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  static auto* const next = Next(&grpc_completion_queue_next, "grpc_completion_queue_next");
  return Completed(next(queue, deadline, reserved));
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  static auto* const next = Next(&grpc_completion_queue_pluck, "grpc_completion_queue_pluck");
  return Completed(next(queue, tag, deadline, reserved));
}

}  // extern "C"

namespace grpc {

// Waits for the calls of the server, whose reactors' last reactions end in grpc_call_unref.
void Server::ShutdownInternal(gpr_timespec deadline) {
  static auto* const next = reinterpret_cast<void (*)(Server*, gpr_timespec)>(
      dlsym(RTLD_NEXT, "_ZN4grpc6Server16ShutdownInternalE12gpr_timespec"));
  next(this, deadline);
  __tsan_acquire(&ended_calls);
}

namespace internal {
namespace {

using ScheduleServerDone = void(ServerCallbackCall*, bool is_inlined);
using ScheduleServerCancel = void(ServerCallbackCall*, ServerReactor*);
using ScheduleClientDone = void(ClientReactor*, Status);

// Each deletes itself once it has run, which is once.

class ServerDone final : public ServerCallbackCall {
 public:
  ServerDone(ServerCallbackCall* call, ScheduleServerDone* schedule)
      : call_(call), schedule_(schedule) {}

 private:
  ServerReactor* reactor() override { return nullptr; }
  void CallOnDone() override {
    __tsan_acquire(call_);
    schedule_(call_, /*is_inlined=*/true);
    delete this;
  }

  ServerCallbackCall* const call_;
  ScheduleServerDone* const schedule_;
};

class ServerCancel final : public ServerReactor {
 public:
  ServerCancel(ServerCallbackCall* call, ServerReactor* reactor) : call_(call), reactor_(reactor) {}

 private:
  bool InternalInlineable() override { return reactor_->InternalInlineable(); }
  void OnDone() override {}
  void OnCancel() override {
    __tsan_acquire(call_);
    reactor_->OnCancel();
    __tsan_release(call_);
    delete this;
  }

  ServerCallbackCall* const call_;
  ServerReactor* const reactor_;
};

class ClientDone final : public ClientReactor {
 public:
  explicit ClientDone(ClientReactor* reactor) : reactor_(reactor) {}

 private:
  void OnDone(const Status& status) override {
    __tsan_acquire(reactor_);
    reactor_->OnDone(status);
    delete this;
  }

  ClientReactor* const reactor_;
};

}  // namespace

void ServerCallbackCall::ScheduleOnDone(bool is_inlined) {
  static auto* const next = reinterpret_cast<ScheduleServerDone*>(
      dlsym(RTLD_NEXT, "_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb"));
  // The last reference may have been the library's.
  __tsan_acquire(&callbacks_outstanding_);
  __tsan_release(this);
  next(new ServerDone(this, next), is_inlined);
}

void ServerCallbackCall::CallOnCancel(ServerReactor* reactor) {
  static auto* const next = reinterpret_cast<ScheduleServerCancel*>(dlsym(
      RTLD_NEXT, "_ZN4grpc8internal18ServerCallbackCall12CallOnCancelEPNS0_13ServerReactorE"));
  __tsan_release(this);
  next(this, new ServerCancel(this, reactor));
}

void ClientReactor::InternalScheduleOnDone(Status status) {
  static auto* const next = reinterpret_cast<ScheduleClientDone*>(
      dlsym(RTLD_NEXT, "_ZN4grpc8internal13ClientReactor22InternalScheduleOnDoneENS_6StatusE"));
  __tsan_release(this);
  next(new ClientDone(this), std::move(status));
}

}  // namespace internal
}  // namespace grpc
