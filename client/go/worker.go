package rehearse

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	rehearsev1 "rehearse.dev/rehearse/v1"
)

// Handler runs one invocation: it gets the payload that Lambda would hand it and returns the
// answer. ctx ends with the invocation's time-out, its abort (context.Cause is an AbortError) or
// its worker; InvocationFromContext has what a durable SDK needs.
//
// A durable function gets AWS's {"DurableExecutionArn", "CheckpointToken", "InitialExecutionState",
// "UpdatedOperationIds"} and answers {"Status", "Result", "Error"}. An error, or a panic, fails the
// invocation, as it does in Lambda: a FunctionError as it is, another one under its Go type.
type Handler func(ctx context.Context, payload []byte) ([]byte, error)

// FunctionError is an error as functions and operations report it.
type FunctionError struct {
	Type, Message, Data string
	StackTrace          []string
}

func (e *FunctionError) Error() string {
	if e.Type == "" {
		return e.Message
	}
	return e.Type + ": " + e.Message
}

// Function is what a worker serves.
type Function struct {
	// Name may have a qualifier, "orders:live".
	Name    string
	Handler Handler
	// Durable: an invocation of it runs an execution. Otherwise it is one request, one answer.
	Durable bool
	// ExecutionTimeout of durable functions, on the execution's clock, in whole seconds; 0: none.
	ExecutionTimeout time.Duration
	// InvocationTimeout, on the wall clock, in whole seconds; 0: 900 s.
	InvocationTimeout time.Duration
}

// WorkerOptions say where and how functions are served.
type WorkerOptions struct {
	// Session; empty: the service's default session.
	Session string
	// Concurrency is how many invocations may run at the same time; 0: 4.
	Concurrency int
	// Name tells workers apart in the service's listings; at most 256 characters.
	Name string
}

const (
	defaultConcurrency = 4
	firstReconnect     = 50 * time.Millisecond
	lastReconnect      = 5 * time.Second
)

// Worker serves functions until it is closed. It connects again when the service comes back.
type Worker struct {
	client   *Client
	register *rehearsev1.ServeRequest
	handlers map[string]Handler
	cancel   context.CancelFunc
	// Slots, and handlers that outlive their slot's stream.
	running sync.WaitGroup
}

// StartWorker serves functions to a session; it returns when they can be invoked. The end of ctx
// ends the attempt, not the worker.
func (c *Client) StartWorker(ctx context.Context, options WorkerOptions,
	functions ...Function) (*Worker, error) {
	registration := &rehearsev1.ServeRequest_Register{Session: options.Session, Worker: options.Name}
	handlers := map[string]Handler{}
	for _, function := range functions {
		registration.Functions = append(registration.Functions, function.spec())
		handlers[function.Name] = function.Handler
	}
	life, cancel := context.WithCancel(context.Background())
	worker := &Worker{
		client:   c,
		handlers: handlers,
		register: &rehearsev1.ServeRequest{
			Message: &rehearsev1.ServeRequest_Register_{Register: registration}},
		cancel: cancel,
	}
	slots := options.Concurrency
	if slots == 0 {
		slots = defaultConcurrency
	}
	started := make(chan error, slots)
	for range slots {
		worker.running.Go(func() { worker.serve(life, started) })
	}
	for range slots {
		select {
		case err := <-started:
			if err != nil {
				worker.Close()
				return nil, err
			}
		case <-ctx.Done():
			worker.Close()
			return nil, context.Cause(ctx)
		}
	}
	return worker, nil
}

// Close ends the worker: the contexts of its handlers end, and it returns when the handlers have.
func (w *Worker) Close() {
	w.cancel()
	w.running.Wait()
}

func (f Function) spec() *rehearsev1.FunctionSpec {
	spec := &rehearsev1.FunctionSpec{FunctionName: f.Name, Durable: f.Durable}
	if f.ExecutionTimeout > 0 {
		seconds := int32(f.ExecutionTimeout / time.Second)
		spec.DurableConfig = &rehearsev1.DurableConfig{ExecutionTimeout: &seconds}
	}
	if f.InvocationTimeout > 0 {
		spec.Timeout = durationpb.New(f.InvocationTimeout)
	}
	return spec
}

// serve is one slot. It tells started once how its first registration went.
func (w *Worker) serve(ctx context.Context, started chan<- error) {
	var once sync.Once
	tell := func(err error) { once.Do(func() { started <- err }) }
	delay := firstReconnect
	for ctx.Err() == nil {
		registered := false
		err := w.serveStream(ctx, func() {
			registered = true
			delay = firstReconnect
			tell(nil)
		})
		if !registered && status.Code(err) != codes.Unavailable {
			tell(err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(delay):
			delay = min(2*delay, lastReconnect)
		}
	}
}

func (w *Worker) serveStream(ctx context.Context, registered func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.client.Serve(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(w.register); err != nil {
		_, err = stream.Recv()
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	registered()
	messages := make(chan *rehearsev1.ServeResponse)
	broken := make(chan error, 1)
	w.running.Go(func() {
		for {
			message, err := stream.Recv()
			if err != nil {
				broken <- err
				return
			}
			select {
			case messages <- message:
			case <-ctx.Done():
				return
			}
		}
	})
	for {
		select {
		case err := <-broken:
			return err
		case message := <-messages:
			// An abort of what has ended meanwhile is nothing to do.
			if invocation := message.GetInvocation(); invocation != nil {
				if err := w.run(ctx, cancel, stream.Send, messages, broken, invocation); err != nil {
					return err
				}
			}
		}
	}
}

type outcome = rehearsev1.ServeRequest_Outcome

// run runs one invocation to its outcome. An error says that the stream is gone.
func (w *Worker) run(ctx context.Context, breakStream context.CancelFunc,
	send func(*rehearsev1.ServeRequest) error, messages <-chan *rehearsev1.ServeResponse,
	broken <-chan error, message *rehearsev1.ServeResponse_Invocation) error {
	link := &link{
		send:    send,
		crash:   breakStream,
		replies: make(chan *rehearsev1.ServeResponse),
		ended:   make(chan struct{}),
	}
	defer link.close()
	handlerContext, abort := context.WithCancelCause(ctx)
	defer abort(ErrInvocationEnded)
	answered := make(chan *outcome, 1)
	w.running.Go(func() { answered <- w.call(handlerContext, link, message) })
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-broken:
			return err
		case answer := <-answered:
			return link.finish(answer)
		case reply := <-messages:
			if end := reply.GetAbort(); end != nil {
				abort(&AbortError{end.GetReason()})
				continue
			}
			select {
			case link.replies <- reply:
			case <-ctx.Done():
			}
		}
	}
}

func (w *Worker) call(ctx context.Context, link *link,
	message *rehearsev1.ServeResponse_Invocation) (answer *outcome) {
	defer func() {
		if value := recover(); value != nil {
			answer = failed(panicked(value))
		}
	}()
	ctx, cancel := context.WithDeadline(ctx, message.GetDeadline().AsTime())
	defer cancel()
	payload := message.GetPayload()
	if message.GetDurable() != nil {
		payload = marshalAWS(message.GetDurable())
	}
	invocation := &Invocation{
		RequestID:          message.GetRequestId(),
		FunctionName:       message.GetFunctionName(),
		InvokedFunctionARN: message.GetInvokedFunctionArn(),
		FunctionVersion:    message.GetVersion(),
		TenantID:           message.GetTenantId(),
		TraceID:            message.GetXAmznTraceId(),
		ClientContext:      message.GetClientContext(),
		Durable:            message.GetDurable(),
		link:               link,
	}
	ctx = context.WithValue(ctx, invocationKey{}, invocation)
	result, err := w.handlers[message.GetFunctionName()](ctx, payload)
	if err != nil {
		return failed(err)
	}
	return &outcome{Result: &rehearsev1.ServeRequest_Outcome_Payload{Payload: result}}
}

func panicked(value any) *FunctionError {
	var trace []string
	for line := range strings.Lines(string(debug.Stack())) {
		trace = append(trace, strings.TrimSpace(line))
	}
	return &FunctionError{Type: typeName(value), Message: fmt.Sprint(value), StackTrace: trace}
}

func failed(err error) *outcome {
	var reported *FunctionError
	if !errors.As(err, &reported) {
		reported = &FunctionError{Type: typeName(err), Message: err.Error()}
	}
	return &outcome{Result: &rehearsev1.ServeRequest_Outcome_Error{Error: reported.Object()}}
}

// typeName is the name that aws-lambda-go gives an error or a panic.
func typeName(value any) string {
	kind := reflect.TypeOf(value)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.Name()
}

// Object is the error in the contract; nil for nil.
func (e *FunctionError) Object() *rehearsev1.ErrorObject {
	if e == nil {
		return nil
	}
	optional := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	return &rehearsev1.ErrorObject{
		ErrorType:    optional(e.Type),
		ErrorMessage: optional(e.Message),
		ErrorData:    optional(e.Data),
		StackTrace:   e.StackTrace,
	}
}

// NewFunctionError is the FunctionError of an error object; nil for nil.
func NewFunctionError(object *rehearsev1.ErrorObject) *FunctionError {
	if object == nil {
		return nil
	}
	return &FunctionError{
		Type:       object.GetErrorType(),
		Message:    object.GetErrorMessage(),
		Data:       object.GetErrorData(),
		StackTrace: object.GetStackTrace(),
	}
}
