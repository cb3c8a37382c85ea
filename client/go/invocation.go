package rehearse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	rehearsev1 "rehearse.dev/rehearse/v1"
)

// ErrInvocationEnded is what the calls of an invocation return when it is over.
var ErrInvocationEnded = errors.New("rehearse: the invocation has ended")

// AbortError is the cause, in the sense of context.Cause, of the end of a handler's context whose
// invocation is of no more use: what it still asks for is refused, its answer is ignored.
type AbortError struct {
	Reason rehearsev1.ServeResponse_Abort_Reason
}

func (e *AbortError) Error() string {
	return fmt.Sprintf("rehearse: the invocation was aborted: %v", e.Reason)
}

// Invocation is one run of a handler: what Lambda's context tells, and the calls with which a
// durable SDK records what was done. It may be used by any number of goroutines.
type Invocation struct {
	RequestID          string
	FunctionName       string
	InvokedFunctionARN string
	FunctionVersion    string
	// TenantID, TraceID and ClientContext (JSON) are empty when the invocation has none.
	TenantID, TraceID, ClientContext string
	// Durable is what a durable function is invoked with; the handler's payload is the same in AWS's
	// JSON. Nil for a plain function.
	Durable *rehearsev1.DurableExecutionInvocationInput

	link *link
}

type invocationKey struct{}

// InvocationFromContext returns the invocation of a handler's context; nil in any other context.
func InvocationFromContext(ctx context.Context) *Invocation {
	invocation, _ := ctx.Value(invocationKey{}).(*Invocation)
	return invocation
}

// Checkpoint applies updates to the invocation's execution. See CheckpointRequest.
func (i *Invocation) Checkpoint(ctx context.Context, request *rehearsev1.CheckpointRequest) (
	*rehearsev1.CheckpointResponse, error) {
	reply, err := i.link.ask(ctx, &rehearsev1.ServeRequest{
		Message: &rehearsev1.ServeRequest_Checkpoint{Checkpoint: request}})
	return reply.GetCheckpoint(), err
}

// GetExecutionState reads the operations that are not part of the input: the pages behind
// Durable.InitialExecutionState.NextMarker.
func (i *Invocation) GetExecutionState(ctx context.Context,
	request *rehearsev1.GetExecutionStateRequest) (*rehearsev1.GetExecutionStateResponse, error) {
	reply, err := i.link.ask(ctx, &rehearsev1.ServeRequest{
		Message: &rehearsev1.ServeRequest_GetExecutionState{GetExecutionState: request}})
	return reply.GetGetExecutionState(), err
}

// Idle says that the handler has nothing to do before a recorded timer is due, so that time may be
// skipped. It returns the execution's time when that is reached, or when something has changed
// from outside.
func (i *Invocation) Idle(ctx context.Context, until time.Time) (time.Time, error) {
	reply, err := i.link.ask(ctx, &rehearsev1.ServeRequest{Message: &rehearsev1.ServeRequest_Idle_{
		Idle: &rehearsev1.ServeRequest_Idle{Until: timestamppb.New(until)}}})
	return reply.GetIdle().GetNow().AsTime(), err
}

// Crash ends the invocation as the death of its process would. What the handler does afterwards is
// lost; it should return.
func (i *Invocation) Crash() { i.link.crash() }

// link is the part of a stream that an invocation may use while it runs.
type link struct {
	send    func(*rehearsev1.ServeRequest) error
	crash   func()
	replies chan *rehearsev1.ServeResponse
	ended   chan struct{}

	// Held by whoever sends: one request, or the outcome, at a time.
	mutex sync.Mutex
	end   sync.Once
}

// close makes requests, also one that waits for its answer, fail.
func (l *link) close() { l.end.Do(func() { close(l.ended) }) }

// finish sends the outcome.
func (l *link) finish(answer *outcome) error {
	l.close()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.send(&rehearsev1.ServeRequest{
		Message: &rehearsev1.ServeRequest_Outcome_{Outcome: answer}})
}

func (l *link) ask(ctx context.Context, request *rehearsev1.ServeRequest) (
	*rehearsev1.ServeResponse, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	select {
	case <-l.ended:
		return nil, ErrInvocationEnded
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := l.send(request); err != nil {
		return nil, err
	}
	// Also when ctx ends: an answer that nobody takes would be that of the next request.
	select {
	case <-l.ended:
		return nil, ErrInvocationEnded
	case reply := <-l.replies:
		if refusal := reply.GetError(); refusal != nil {
			return nil, fromStatus(status.FromProto(&spb.Status{
				Code: refusal.GetCode(), Message: refusal.GetMessage(), Details: refusal.GetDetails()}))
		}
		return reply, nil
	}
}
