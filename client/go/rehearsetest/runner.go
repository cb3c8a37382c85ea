// Package rehearsetest runs durable functions in tests, on a real service, with waits that cost no
// time.
//
//	func TestGreets(t *testing.T) {
//		runner := rehearsetest.New(t, greet)
//		result, err := runner.Run(t.Context(), "Ada")
//		if err != nil {
//			t.Fatal(err)
//		}
//		if result.Status != rehearsetest.ExecutionStatusSucceeded {
//			t.Fatal(result)
//		}
//	}
//
// The service is started once per test process - the program is found as rehearse.FindBinary says -
// or, with REHEARSE_SERVER in the environment, a running one. Each Runner has a session of its own:
// functions, executions and clock are apart from those of every other one, so tests may be parallel.
// Handlers run in the test's process. When a test fails, the histories of its runs are logged.
package rehearsetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"rehearse.dev/rehearse"
	rehearsev1 "rehearse.dev/rehearse/v1"
)

const (
	defaultTimeout = time.Minute
	// grace is what a call has beyond its time-out, so that the service can say what a run waits for.
	grace = 10 * time.Second
)

// Runner runs a durable function. It may be used by any number of goroutines.
//
// Errors of the service are those of package rehearse. A context without a deadline gives a method
// that waits one minute; one that ran out of time says what the run waits for, and shows its
// history. All waiting is done by the service.
type Runner struct {
	t        testing.TB
	settings settings
	client   *rehearse.Client
	session  string

	mutex   sync.Mutex
	workers []interface{ Close() }
	started []string
}

// New makes a runner of a durable function, and connects it. The end of the test ends its session.
// Without a handler (nil) the function is one that RegisterBootstrap makes.
func New(t testing.TB, handler rehearse.Handler, options ...Option) *Runner {
	t.Helper()
	runner := &Runner{t: t, settings: settings{
		session:  &rehearsev1.SessionConfig{ClockMode: rehearsev1.ClockMode_CLOCK_MODE_SKIP},
		function: rehearse.Function{Name: "test-function", Durable: true, Handler: handler},
	}}
	for _, option := range options {
		option(&runner.settings)
	}
	if err := runner.connect(); err != nil {
		t.Fatalf("rehearsetest: %v", err)
	}
	return runner
}

func (r *Runner) connect() error {
	address, err := serverAddress()
	if err != nil {
		return err
	}
	if r.client, err = rehearse.Dial(address); err != nil {
		return err
	}
	r.t.Cleanup(func() { r.client.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), defaultTimeout)
	defer cancel()
	created, err := r.client.CreateSession(ctx,
		&rehearsev1.CreateSessionRequest{Config: r.settings.session})
	if err != nil {
		return err
	}
	r.session = created.GetSession().GetName()
	if err := r.hold(); err != nil {
		return err
	}
	if r.settings.function.Handler == nil {
		return nil
	}
	return r.register(r.settings.function)
}

// hold ties the session to this process, and ends it with the test.
func (r *Runner) hold() error {
	ctx, release := context.WithCancel(context.Background())
	hold, err := r.client.HoldSession(ctx, &rehearsev1.HoldSessionRequest{Name: r.session})
	if err == nil {
		_, err = hold.Recv()
	}
	if err != nil {
		release()
		return err
	}
	r.t.Cleanup(func() {
		defer release()
		r.close()
	})
	return nil
}

func (r *Runner) close() {
	if r.t.Failed() {
		r.logHistories()
	}
	ctx, cancel := context.WithTimeout(context.Background(), defaultTimeout)
	defer cancel()
	// Aborts what runs, so that handlers end. Without a service there is nothing to delete.
	_, _ = r.client.DeleteSession(ctx, &rehearsev1.DeleteSessionRequest{Name: r.session})
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, worker := range r.workers {
		worker.Close()
	}
}

func (r *Runner) logHistories() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, arn := range r.started {
		r.t.Logf("%s\n%s", arn, r.describe(context.Background(), arn))
	}
	for _, worker := range r.workers {
		if bootstrap, ok := worker.(*rehearse.Bootstrap); ok {
			r.t.Logf("%s", bootstrap.Output())
		}
	}
}

// Session is the name of the runner's session.
func (r *Runner) Session() string { return r.session }

// Client is the connection to the service, for what the runner has no method for.
func (r *Runner) Client() *rehearse.Client { return r.client }

// RegisterDurableFunction makes a durable function that others can invoke. A name that is known
// gets the new function for later invocations. executionTimeout is on the execution's clock, in
// whole seconds; 0: none.
func (r *Runner) RegisterDurableFunction(name string, handler rehearse.Handler,
	executionTimeout time.Duration) error {
	return r.register(rehearse.Function{
		Name: name, Durable: true, Handler: handler, ExecutionTimeout: executionTimeout})
}

// RegisterFunction makes a plain function - one request, one answer - that others can invoke.
func (r *Runner) RegisterFunction(name string, handler rehearse.Handler) error {
	return r.register(rehearse.Function{Name: name, Handler: handler})
}

func (r *Runner) register(function rehearse.Function) error {
	if function.InvocationTimeout == 0 {
		function.InvocationTimeout = r.settings.function.InvocationTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), defaultTimeout)
	defer cancel()
	worker, err := r.client.StartWorker(ctx, r.workerOptions(), function)
	if err != nil {
		return err
	}
	r.keep(worker)
	return nil
}

// RegisterBootstrap makes a durable function of a command that speaks Lambda's Runtime API, for
// example the bootstrap of a function with aws-lambda-go. It runs in processes of its own, and
// returns when the function can be invoked. A function of the runner's name has the runner's
// time-outs.
func (r *Runner) RegisterBootstrap(ctx context.Context, name string, command ...string) error {
	function := rehearse.Function{Name: name, Durable: true}
	if name == r.settings.function.Name {
		function = r.settings.function
	}
	call, _, cancel := waiting(ctx)
	defer cancel()
	bootstrap, err := r.client.StartBootstrap(call, r.workerOptions(), function, command...)
	if err != nil {
		return err
	}
	r.keep(bootstrap)
	return nil
}

func (r *Runner) workerOptions() rehearse.WorkerOptions {
	return rehearse.WorkerOptions{Session: r.session, Concurrency: r.settings.concurrency}
}

func (r *Runner) keep(worker interface{ Close() }) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.workers = append(r.workers, worker)
}

// Run starts an execution and waits for its end. The input is written as JSON; json.RawMessage is
// taken as it is. An execution that failed is a result that says so; an error says that the run
// itself broke.
func (r *Runner) Run(ctx context.Context, input any) (*Result, error) {
	arn, err := r.RunAsync(ctx, input)
	if err != nil {
		return nil, err
	}
	return r.WaitForResult(ctx, arn)
}

// RunAsync starts an execution and returns its ARN.
func (r *Runner) RunAsync(ctx context.Context, input any) (string, error) {
	text, err := json.Marshal(input)
	if err != nil {
		return "", err
	}
	payload := string(text)
	request := &rehearsev1.StartExecutionRequest{
		Session:        r.session,
		FunctionName:   r.settings.function.Name,
		Input:          &payload,
		InvocationType: rehearsev1.InvocationType_INVOCATION_TYPE_REQUEST_RESPONSE,
	}
	if r.settings.executionName != "" {
		request.DurableExecutionName = &r.settings.executionName
	}
	started, err := r.client.StartExecution(ctx, request)
	if err != nil {
		return "", err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.started = append(r.started, started.GetDurableExecutionArn())
	return started.GetDurableExecutionArn(), nil
}

// WaitForResult waits until the execution is closed and its last invocation has ended.
func (r *Runner) WaitForResult(ctx context.Context, arn string) (*Result, error) {
	if err := r.waitForExecution(ctx, arn); err != nil {
		return nil, err
	}
	return r.Result(ctx, arn)
}

func (r *Runner) waitForExecution(ctx context.Context, arn string,
	statuses ...rehearsev1.ExecutionStatus) error {
	call, timeout, cancel := waiting(ctx)
	defer cancel()
	_, err := r.client.WaitForExecution(call, &rehearsev1.WaitForExecutionRequest{
		Session: &r.session, DurableExecutionArn: arn, Statuses: statuses, InvocationEnded: true,
		Timeout: timeout})
	return r.explain(ctx, arn, err)
}

// Result is what is recorded of an execution so far; also of one that an invoke has started.
func (r *Runner) Result(ctx context.Context, arn string) (*Result, error) {
	return r.read(ctx, arn)
}

// WaitForOperation waits until an operation of that name, wherever it is, has one of the statuses;
// with none, until there is one.
func (r *Runner) WaitForOperation(ctx context.Context, arn, name string,
	statuses ...OperationStatus) (*Operation, error) {
	request := &rehearsev1.WaitForOperationRequest{DurableExecutionArn: arn, Name: &name}
	for _, status := range statuses {
		request.Statuses = append(request.Statuses, status.number())
	}
	return r.waitForOperation(ctx, request)
}

func (r *Runner) waitForOperation(ctx context.Context, request *rehearsev1.WaitForOperationRequest) (
	*Operation, error) {
	call, timeout, cancel := waiting(ctx)
	defer cancel()
	request.Session, request.Timeout = &r.session, timeout
	found, err := r.client.WaitForOperation(call, request)
	if err != nil {
		return nil, r.explain(ctx, request.DurableExecutionArn, err)
	}
	result, err := r.read(ctx, request.DurableExecutionArn)
	if err != nil {
		return nil, err
	}
	return result.find(func(o *Operation) bool { return o.ID == found.GetOperation().GetId() }), nil
}

// WaitForCallback waits for an open callback and for the end of the invocation that created it, and
// returns the callback's id. The name is the callback's, or that of a wait-for-callback around it;
// "" is the newest callback.
func (r *Runner) WaitForCallback(ctx context.Context, arn, name string) (string, error) {
	if name == "" {
		newest, err := r.waitForOperation(ctx, &rehearsev1.WaitForOperationRequest{
			DurableExecutionArn: arn,
			Type:                rehearsev1.OperationType_OPERATION_TYPE_CALLBACK,
			Latest:              true,
			Statuses:            []rehearsev1.OperationStatus{OperationStatusStarted.number()},
			InvocationEnded:     true,
		})
		if err != nil {
			return "", err
		}
		return newest.CallbackID, nil
	}
	return r.waitForNamedCallback(ctx, arn, name)
}

// waitForNamedCallback looks at what is recorded, because SDKs name the callback inside a
// wait-for-callback in different ways.
func (r *Runner) waitForNamedCallback(ctx context.Context, arn, name string) (string, error) {
	around := map[string]bool{}
	var id string
	var failure error
	err := r.Watch(ctx, arn, func(event *Event) bool {
		if event.SubType == "WaitForCallback" && event.Name == name {
			around[event.OperationID] = true
		}
		if event.Type == "CallbackStarted" && (event.Name == name || around[event.ParentID]) {
			id, failure = r.openCallback(ctx, arn, event.OperationID)
		}
		return id == "" && failure == nil
	})
	if err == nil {
		err = failure
	}
	if err == nil && id == "" {
		err = fmt.Errorf("rehearsetest: the execution ended without an open callback %q\n%s", name,
			r.describe(ctx, arn))
	}
	return id, err
}

// openCallback waits for the end of the invocation; "" when the callback is open no longer.
func (r *Runner) openCallback(ctx context.Context, arn, operationID string) (string, error) {
	callback, err := r.waitForOperation(ctx, &rehearsev1.WaitForOperationRequest{
		DurableExecutionArn: arn, OperationId: &operationID, InvocationEnded: true})
	if err != nil || callback.Status != OperationStatusStarted {
		return "", err
	}
	return callback.CallbackID, nil
}

// SendCallbackSuccess answers a callback with a text.
func (r *Runner) SendCallbackSuccess(ctx context.Context, callbackID string, result []byte) error {
	_, err := r.client.SendCallbackSuccess(ctx, &rehearsev1.SendCallbackSuccessRequest{
		CallbackId: callbackID, Result: result, Session: &r.session})
	return err
}

// SendCallbackFailure answers a callback with an error; nil: one without members.
func (r *Runner) SendCallbackFailure(ctx context.Context, callbackID string,
	failure *rehearse.FunctionError) error {
	_, err := r.client.SendCallbackFailure(ctx, &rehearsev1.SendCallbackFailureRequest{
		CallbackId: callbackID, Error: failure.Object(), Session: &r.session})
	return err
}

// SendCallbackHeartbeat starts a callback's heartbeat time-out again.
func (r *Runner) SendCallbackHeartbeat(ctx context.Context, callbackID string) error {
	_, err := r.client.SendCallbackHeartbeat(ctx, &rehearsev1.SendCallbackHeartbeatRequest{
		CallbackId: callbackID, Session: &r.session})
	return err
}

// AdvanceTime moves the time of every execution of this runner. All timers on the way fire,
// deadlines included, in due order; it returns when all executions have arrived.
func (r *Runner) AdvanceTime(ctx context.Context, duration time.Duration) error {
	_, err := r.client.AdvanceTime(ctx, &rehearsev1.AdvanceTimeRequest{
		Session: r.session,
		Target:  &rehearsev1.AdvanceTimeRequest_Duration{Duration: durationpb.New(duration)}})
	return err
}

// AdvanceToNextTimer moves each execution to its next timer, deadlines included, if it has one, and
// returns how many timers fired.
func (r *Runner) AdvanceToNextTimer(ctx context.Context) (int, error) {
	advanced, err := r.client.AdvanceTime(ctx, &rehearsev1.AdvanceTimeRequest{
		Session: r.session, Target: &rehearsev1.AdvanceTimeRequest_NextTimer{NextTimer: true}})
	return int(advanced.GetFiredCount()), err
}

// Pause holds an execution; it returns when no invocation of it runs.
func (r *Runner) Pause(ctx context.Context, arn string) error {
	_, err := r.client.PauseExecution(ctx, &rehearsev1.PauseExecutionRequest{
		DurableExecutionArn: arn, Session: &r.session})
	if err != nil {
		return err
	}
	return r.waitForExecution(ctx, arn,
		rehearsev1.ExecutionStatus_EXECUTION_STATUS_PAUSED,
		rehearsev1.ExecutionStatus_EXECUTION_STATUS_SUCCEEDED,
		rehearsev1.ExecutionStatus_EXECUTION_STATUS_FAILED,
		rehearsev1.ExecutionStatus_EXECUTION_STATUS_TIMED_OUT,
		rehearsev1.ExecutionStatus_EXECUTION_STATUS_STOPPED)
}

// Resume lets a paused execution go on.
func (r *Runner) Resume(ctx context.Context, arn string) error {
	_, err := r.client.ResumeExecution(ctx, &rehearsev1.ResumeExecutionRequest{
		DurableExecutionArn: arn, Session: &r.session})
	return err
}

// Stop ends an execution with that error; nil: one that says that it was stopped.
func (r *Runner) Stop(ctx context.Context, arn string, failure *rehearse.FunctionError) error {
	_, err := r.client.StopExecution(ctx, &rehearsev1.StopExecutionRequest{
		DurableExecutionArn: arn, Error: failure.Object(), Session: &r.session})
	return err
}

// InvokeNext runs the invocation that is due in a runner WithStepping and returns when it has
// ended. False: none was due.
func (r *Runner) InvokeNext(ctx context.Context, arn string) (bool, error) {
	call, timeout, cancel := waiting(ctx)
	defer cancel()
	invoked, err := r.client.InvokeNext(call, &rehearsev1.InvokeNextRequest{
		Session: &r.session, DurableExecutionArn: arn, Timeout: timeout})
	return invoked.GetInvoked(), r.explain(ctx, arn, err)
}

// Watch hands every event from the first on to onEvent, as it is recorded, until that returns false
// or the execution is closed.
func (r *Runner) Watch(ctx context.Context, arn string, onEvent func(*Event) bool) error {
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	if _, ok := ctx.Deadline(); !ok {
		call, cancel = context.WithTimeout(ctx, defaultTimeout)
		defer cancel()
	}
	events, err := r.client.WatchExecution(call, &rehearsev1.WatchExecutionRequest{
		DurableExecutionArn: arn, Session: &r.session})
	for err == nil {
		var next *rehearsev1.WatchExecutionResponse
		if next, err = events.Recv(); err == nil && !onEvent(newEvent(next.GetEvent())) {
			return nil
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return r.explain(ctx, arn, err)
}

// waiting returns a context for a call that waits until the deadline of ctx, and the time until
// then. The call may end later, so that it is the service that says that the time is up.
func waiting(ctx context.Context) (context.Context, *durationpb.Duration, context.CancelFunc) {
	timeout := defaultTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(0, time.Until(deadline))
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout+grace)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})
	return call, durationpb.New(timeout), func() {
		stop()
		cancel()
	}
}

// explain adds to the end of the time what the run has done so far.
func (r *Runner) explain(ctx context.Context, arn string, err error) error {
	if status.Code(err) != codes.DeadlineExceeded {
		return err
	}
	return fmt.Errorf("%w: %w\n%s", context.DeadlineExceeded, err,
		r.describe(context.WithoutCancel(ctx), arn))
}

// describe is the history so far, or why there is none.
func (r *Runner) describe(ctx context.Context, arn string) string {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	result, err := r.read(ctx, arn)
	if err != nil {
		return err.Error()
	}
	return result.String()
}
