package rehearsetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rehearse.dev/rehearse"
	"rehearse.dev/rehearse/rehearsetest"
	rehearsev1 "rehearse.dev/rehearse/v1"
)

// withBody is a durable function with the operations of a scenario.
func withBody(t testing.TB, text string) rehearse.Handler {
	t.Helper()
	var body []operation
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatal(err)
	}
	return durableFunction(body, &sync.Map{})
}

const (
	approval = `[{"op": "wait_for_callback", "name": "approval", "timeout_seconds": 86400}]`
	aDay     = `[{"op": "wait", "name": "think", "seconds": 86400}, {"op": "value", "value": "done"}]`
	order    = `[
		{"op": "step", "name": "reserve", "attempts": [{"result": {"pieces": 3}}]},
		{"op": "wait", "name": "pack", "seconds": 60},
		{"op": "child_context", "name": "pay", "body": [
			{"op": "step", "name": "charge", "attempts": [
				{"error": {"type": "Busy", "message": "later"}}, {"result": "receipt"}], "retry_delay_seconds": 5},
			{"op": "invoke", "name": "price", "function": "price", "payload": 17, "fallback": null}]},
		{"op": "create_callback", "name": "open", "timeout_seconds": 60}]`
)

func run(t *testing.T, runner *rehearsetest.Runner, input any) *rehearsetest.Result {
	t.Helper()
	result, err := runner.Run(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func runAsync(t *testing.T, runner *rehearsetest.Runner) string {
	t.Helper()
	arn, err := runner.RunAsync(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

func types(events []*rehearsetest.Event) string {
	var types []string
	for _, event := range events {
		types = append(types, event.Type)
	}
	return strings.Join(types, " ")
}

func TestRunHasAResult(t *testing.T) {
	t.Parallel()
	result := run(t, rehearsetest.New(t, withBody(t, `[{"op": "input"}]`)), map[string]int{"id": 17})
	var value map[string]int
	if err := result.Decode(&value); err != nil || value["id"] != 17 {
		t.Error(value, err)
	}
	if result.Status != rehearsetest.ExecutionStatusSucceeded || !result.HasResult ||
		result.Err != nil || result.InvocationCount != 1 || result.EndTime.Before(result.StartTime) {
		t.Error(result)
	}
}

func TestInputMayBeRawJSON(t *testing.T) {
	t.Parallel()
	result := run(t, rehearsetest.New(t, withBody(t, `[{"op": "input"}]`)), json.RawMessage(`[1,2]`))
	if result.Result != "[1,2]" {
		t.Error(result)
	}
}

func TestAFailedRunIsAResult(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, `[{"op": "fail", "error": {"type": "Boom", "message": "it broke"}}]`))
	result := run(t, runner, nil)
	if result.Status != rehearsetest.ExecutionStatusFailed || result.HasResult || result.Err == nil ||
		result.Err.Error() != "Boom: it broke" {
		t.Error(result)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, order))
	if err := runner.RegisterFunction("price", plainFunction([]operation{{Op: "value", Value: 42}})); err != nil {
		t.Fatal(err)
	}
	result := run(t, runner, nil)

	var reserved struct{ Pieces int }
	if err := result.Step("reserve").Decode(&reserved); err != nil || reserved.Pieces != 3 {
		t.Error(result.Step("reserve"), err)
	}
	wait := result.Wait("pack")
	if wait.ScheduledEndTime.Sub(wait.StartTime) != time.Minute || wait.EndTime.IsZero() {
		t.Errorf("%+v", wait)
	}
	charge := result.Context("pay").Step("charge")
	if charge.Attempt != 2 || charge.Result != `"receipt"` || charge.SubType != "Step" ||
		charge.ParentID != result.Context("pay").ID || charge.Status != rehearsetest.OperationStatusSucceeded {
		t.Errorf("%+v", charge)
	}
	if price := result.Context("pay").Invoke("price"); price.Result != "42" || price.InvokedExecutionARN != "" {
		t.Errorf("%+v", price)
	}
	open := result.Callback("open")
	if open.CallbackID == "" || !open.EndTime.IsZero() || open.HasResult || open.Status != rehearsetest.OperationStatusStarted {
		t.Errorf("%+v", open)
	}
	if result.Operation("charge") != charge || result.OperationByID(charge.ID) != charge ||
		result.OperationByIndex(3) != charge || len(result.AllOperations()) != 6 ||
		len(result.Operations()) != 4 || len(result.Context("pay").Operations()) != 2 {
		t.Error(result.AllOperations())
	}
	if text := charge.String(); text != `STEP "charge" SUCCEEDED, result "receipt"` {
		t.Error(text)
	}
}

// recorder is a test that notes how it fails.
type recorder struct {
	*testing.T
	fatal    string
	logged   strings.Builder
	cleanups []func()
}

type ended struct{}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Failed() bool     { return r.fatal != "" }
func (r *recorder) Logf(format string, arguments ...any) {
	fmt.Fprintf(&r.logged, format+"\n", arguments...)
}
func (r *recorder) Fatalf(format string, arguments ...any) {
	r.fatal = fmt.Sprintf(format, arguments...)
	panic(ended{})
}

func (r *recorder) cleanUp() {
	for _, cleanup := range slices.Backward(r.cleanups) {
		cleanup()
	}
}

// run returns what test fails with.
func (r *recorder) run(test func()) string {
	func() {
		defer func() {
			if value := recover(); value != nil && value != (ended{}) {
				panic(value)
			}
		}()
		test()
	}()
	return r.fatal
}

func TestAMissingOperationEndsTheTestAndShowsTheHistory(t *testing.T) {
	t.Parallel()
	recorder := &recorder{T: t}
	var result *rehearsetest.Result
	runner := rehearsetest.New(recorder, withBody(t, `[{"op": "step", "name": "charge", "attempts": [{"result": 1}]}]`))
	result = run(t, runner, nil)
	for name, look := range map[string]func(){
		`no STEP "refund"`:                     func() { result.Step("refund") },
		`no WAIT "charge"`:                     func() { result.Wait("charge") },
		`no operation "refund"`:                func() { result.Operation("refund") },
		`no operation with the id "x"`:         func() { result.OperationByID("x") },
		`there are 1 operations, none has ind`: func() { result.OperationByIndex(1) },
	} {
		text := recorder.run(look)
		for _, part := range []string{name, "StepSucceeded", "SUCCEEDED, result 1"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in %s", part, text)
			}
		}
	}
	// The test has failed: its histories are logged.
	recorder.cleanUp()
	if logged := recorder.logged.String(); !strings.Contains(logged, result.DurableExecutionARN) ||
		!strings.Contains(logged, "StepSucceeded") {
		t.Error(logged)
	}
}

func TestATimeoutSaysWhatTheRunWaitsFor(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, approval))
	arn := runAsync(t, runner)
	if _, err := runner.WaitForCallback(t.Context(), arn, "approval"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	calls := map[string]func() error{
		"WaitForResult": func() error { _, err := runner.WaitForResult(ctx, arn); return err },
		"WaitForOperation": func() error {
			_, err := runner.WaitForOperation(ctx, arn, "approval", rehearsetest.OperationStatusSucceeded)
			return err
		},
		"WaitForCallback": func() error { _, err := runner.WaitForCallback(ctx, arn, "rejection"); return err },
		"Watch":           func() error { return runner.Watch(ctx, arn, func(*rehearsetest.Event) bool { return true }) },
	}
	for name, call := range calls {
		err := call()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, part := range []string{`waiting for callback "approval-callback"`, "CallbackStarted", "RUNNING"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q is not in %v", name, part, err)
			}
		}
	}
}

func TestACancelledContextEndsTheWait(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, approval))
	arn := runAsync(t, runner)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := runner.WaitForResult(ctx, arn); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestCallbacksAreFoundByName(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, `[{"op": "create_callback", "name": "a"},
		{"op": "child_context", "name": "c", "body": [{"op": "wait_for_callback", "name": "b"}]},
		{"op": "callback_result", "name": "a"}]`))
	arn := runAsync(t, runner)
	find := func(name string) string {
		id, err := runner.WaitForCallback(t.Context(), arn, name)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	a, b := find("a"), find("b")
	if a == b || find("") != b || find("b-callback") != b {
		t.Error(a, b, find(""))
	}
	for id, answer := range map[string]string{b: "B", a: "A"} {
		if err := runner.SendCallbackSuccess(t.Context(), id, []byte(answer)); err != nil {
			t.Fatal(err)
		}
	}
	result, err := runner.WaitForResult(t.Context(), arn)
	if err != nil || result.Result != `"A"` {
		t.Fatal(result, err)
	}
	if _, err := runner.WaitForCallback(t.Context(), arn, "a"); err == nil ||
		!strings.Contains(err.Error(), `without an open callback "a"`) {
		t.Error(err)
	}
}

func TestACallbackIsHandedOutAfterItsInvocation(t *testing.T) {
	t.Parallel()
	created, goOn := make(chan bool), make(chan bool)
	open := withBody(t, `[{"op": "create_callback", "name": "late"}]`)
	rest := withBody(t, `[{"op": "create_callback", "name": "late"}, {"op": "callback_result", "name": "late"}]`)
	var once sync.Once
	runner := rehearsetest.New(t, func(ctx context.Context, payload []byte) ([]byte, error) {
		handler := rest
		once.Do(func() {
			handler = func(ctx context.Context, payload []byte) ([]byte, error) {
				_, err := open(ctx, payload)
				close(created)
				<-goOn
				return []byte(`{"Status": "PENDING"}`), err
			}
		})
		return handler(ctx, payload)
	})
	arn := runAsync(t, runner)
	<-created
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if id, err := runner.WaitForCallback(ctx, arn, "late"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(id, err)
	}
	close(goOn)
	if _, err := runner.WaitForCallback(t.Context(), arn, "late"); err != nil {
		t.Fatal(err)
	}
	result, err := runner.Result(t.Context(), arn)
	if err != nil || types(result.History) != "ExecutionStarted CallbackStarted InvocationCompleted" {
		t.Error(result, err)
	}
}

func TestExecutionNamesAreTakenOnce(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, `[{"op": "input"}]`), rehearsetest.WithExecutionName("order-17"))
	first, again := run(t, runner, 1), run(t, runner, 1)
	if first.DurableExecutionARN != again.DurableExecutionARN || !strings.Contains(first.DurableExecutionARN, "/order-17/") {
		t.Error(first.DurableExecutionARN, again.DurableExecutionARN)
	}
	_, err := runner.Run(t.Context(), 2)
	var taken *rehearse.DurableExecutionAlreadyStartedException
	if !errors.As(err, &taken) {
		t.Error(err)
	}
}

func TestManualTimeStandsStill(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, aDay), rehearsetest.WithManualTime())
	arn := runAsync(t, runner)
	if _, err := runner.WaitForOperation(t.Context(), arn, "think"); err != nil {
		t.Fatal(err)
	}
	if err := runner.AdvanceTime(t.Context(), 86399*time.Second); err != nil {
		t.Fatal(err)
	}
	result, err := runner.Result(t.Context(), arn)
	if err != nil || result.Status != rehearsetest.ExecutionStatusRunning || len(result.WaitingFor) != 1 {
		t.Fatal(result, err)
	}
	if fired, err := runner.AdvanceToNextTimer(t.Context()); fired != 1 || err != nil {
		t.Error(fired, err)
	}
	if result, err = runner.WaitForResult(t.Context(), arn); err != nil || result.Result != `"done"` {
		t.Error(result, err)
	}
}

func TestDeadlinesMayBeSkipped(t *testing.T) {
	t.Parallel()
	result := run(t, rehearsetest.New(t, withBody(t, approval), rehearsetest.WithSkipDeadlines()), nil)
	if callback := result.Context("approval").Callback("approval-callback"); callback.Status != rehearsetest.OperationStatusTimedOut ||
		callback.Err.Type != "Callback.Timeout" {
		t.Error(result)
	}
}

func TestExecutionsTimeOut(t *testing.T) {
	t.Parallel()
	result := run(t, rehearsetest.New(t, withBody(t, approval), rehearsetest.WithSkipDeadlines(),
		rehearsetest.WithExecutionTimeout(time.Minute)), nil)
	if result.Status != rehearsetest.ExecutionStatusTimedOut || result.EndTime.Sub(result.StartTime) < time.Minute {
		t.Error(result)
	}
}

func TestSteppedInvocationsStartWhenAsked(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, aDay), rehearsetest.WithStepping())
	arn := runAsync(t, runner)
	for i, expected := range []bool{true, true, false} {
		if invoked, err := runner.InvokeNext(t.Context(), arn); invoked != expected || err != nil {
			t.Error(i, invoked, err)
		}
	}
	if result, err := runner.Result(t.Context(), arn); err != nil || result.Result != `"done"` || result.InvocationCount != 2 {
		t.Error(result, err)
	}
}

func TestWatchShowsEventsAsTheyAreRecorded(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, approval))
	arn := runAsync(t, runner)
	var seen []*rehearsetest.Event
	err := runner.Watch(t.Context(), arn, func(event *rehearsetest.Event) bool {
		seen = append(seen, event)
		if event.Type == "InvocationCompleted" && len(seen) == 6 {
			if err := runner.SendCallbackSuccess(t.Context(), seen[2].CallbackID, []byte("yes")); err != nil {
				t.Error(err)
			}
		}
		return true
	})
	const expected = "ExecutionStarted ContextStarted CallbackStarted StepStarted StepSucceeded InvocationCompleted " +
		"CallbackSucceeded ContextSucceeded InvocationCompleted ExecutionSucceeded"
	if err != nil || types(seen) != expected {
		t.Error(types(seen), err)
	}
	if seen[2].Timeout != 24*time.Hour || seen[2].HeartbeatTimeout != 0 || *seen[6].Payload != "yes" || seen[5].RequestID == "" {
		t.Errorf("%+v", seen)
	}
}

func TestStoppingEndsAHandlersContext(t *testing.T) {
	t.Parallel()
	entered, cause := make(chan bool), make(chan error, 1)
	runner := rehearsetest.New(t, func(ctx context.Context, _ []byte) ([]byte, error) {
		close(entered)
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return nil, ctx.Err()
	})
	arn := runAsync(t, runner)
	<-entered
	if err := runner.Stop(t.Context(), arn, nil); err != nil {
		t.Fatal(err)
	}
	var abort *rehearse.AbortError
	if err := <-cause; !errors.As(err, &abort) || abort.Reason != rehearsev1.ServeResponse_Abort_EXECUTION_STOPPED {
		t.Error(err)
	}
	if result, err := runner.WaitForResult(t.Context(), arn); err != nil || result.Status != rehearsetest.ExecutionStatusStopped {
		t.Error(result, err)
	}
}

func TestAHandlersErrorFailsItsInvocation(t *testing.T) {
	t.Parallel()
	count := 0
	runner := rehearsetest.New(t, func(context.Context, []byte) ([]byte, error) {
		if count++; count == 1 {
			panic("first")
		}
		return []byte(`{"Status": "SUCCEEDED", "Result": "2"}`), nil
	})
	result := run(t, runner, nil)
	if result.Result != "2" || types(result.History) != "ExecutionStarted InvocationCompleted InvocationCompleted ExecutionSucceeded" ||
		result.History[1].Err == nil || result.History[1].Err.Message != "first" || result.History[2].Err != nil {
		t.Error(result)
	}
}

func TestAStaleTokenIsRefused(t *testing.T) {
	t.Parallel()
	var refused *rehearse.InvalidParameterValueException
	runner := rehearsetest.New(t, func(ctx context.Context, _ []byte) ([]byte, error) {
		invocation := rehearse.InvocationFromContext(ctx)
		request := &rehearsev1.CheckpointRequest{
			DurableExecutionArn: invocation.Durable.GetDurableExecutionArn(),
			CheckpointToken:     invocation.Durable.GetCheckpointToken(),
		}
		if _, err := invocation.Checkpoint(ctx, request); err != nil {
			return nil, err
		}
		if _, err := invocation.Checkpoint(ctx, request); !errors.As(err, &refused) {
			return nil, err
		}
		return []byte(`{"Status": "SUCCEEDED"}`), nil
	})
	if result := run(t, runner, nil); result.HasResult || refused == nil || refused.Metadata["stale_checkpoint_token"] != "true" {
		t.Error(result, refused)
	}
}

func TestThePayloadIsAWSs(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, func(ctx context.Context, payload []byte) ([]byte, error) {
		var input struct {
			DurableExecutionArn   string
			InitialExecutionState struct {
				Operations []struct{ Type, Status string }
			}
		}
		if err := json.Unmarshal(payload, &input); err != nil {
			return nil, err
		}
		invocation := rehearse.InvocationFromContext(ctx)
		state, err := invocation.GetExecutionState(ctx, &rehearsev1.GetExecutionStateRequest{
			DurableExecutionArn: input.DurableExecutionArn,
			CheckpointToken:     invocation.Durable.GetCheckpointToken(),
		})
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal([]any{input.InitialExecutionState.Operations, len(state.GetOperations())})
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]string{"Status": "SUCCEEDED", "Result": string(text)})
	})
	if result := run(t, runner, nil); result.Result != `[[{"Type":"EXECUTION","Status":"STARTED"}],1]` {
		t.Error(result)
	}
}

func TestAHandlerMayIdleUntilATimer(t *testing.T) {
	t.Parallel()
	var waited time.Duration
	think := withBody(t, aDay)
	runner := rehearsetest.New(t, func(ctx context.Context, payload []byte) ([]byte, error) {
		start := rehearse.InvocationFromContext(ctx).Durable.GetInitialExecutionState().GetOperations()[0].
			GetStartTimestamp().AsTime()
		answer, err := think(ctx, payload)
		if err == nil && string(answer) == `{"Status":"PENDING"}` {
			var now time.Time
			now, err = rehearse.InvocationFromContext(ctx).Idle(ctx, start.Add(24*time.Hour))
			waited = now.Sub(start)
		}
		return answer, err
	})
	if result := run(t, runner, nil); result.Result != `"done"` || waited < 24*time.Hour {
		t.Error(result, waited)
	}
}

func TestInvokedFunctionsHaveResults(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, withBody(t, `[{"op": "invoke", "name": "call", "function": "child", "payload": 1}]`))
	if err := runner.RegisterDurableFunction("child", withBody(t, aDay), 0); err != nil {
		t.Fatal(err)
	}
	result := run(t, runner, nil)
	child, err := runner.Result(t.Context(), result.Invoke("call").InvokedExecutionARN)
	if err != nil || child.Wait("think").Status != rehearsetest.OperationStatusSucceeded || child.Result != `"done"` {
		t.Error(child, err)
	}
	// A known name gets the new function.
	if err := runner.RegisterDurableFunction("child", withBody(t, `[{"op": "value", "value": 2}]`), 0); err != nil {
		t.Fatal(err)
	}
}

func TestLongRunsAreReadWhole(t *testing.T) {
	t.Parallel()
	const steps = 250
	var body []string
	for i := range steps {
		body = append(body, fmt.Sprintf(`{"op": "step", "name": "s%d", "attempts": [{"result": %d}]}`, i, i))
	}
	result := run(t, rehearsetest.New(t, withBody(t, "["+strings.Join(body, ",")+"]")), nil)
	if len(result.AllOperations()) != steps || len(result.History) != 2*steps+3 || result.OperationByIndex(steps-1).Result != "249" {
		t.Error(len(result.AllOperations()), len(result.History))
	}
}

func TestFormatHistory(t *testing.T) {
	start := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	long := strings.Repeat("x", 100) + "\n"
	text := rehearsetest.FormatHistory([]*rehearsetest.Event{
		{ID: 1, Type: "ExecutionStarted", Time: start, OperationID: "e", Name: "order", Payload: &long},
		{ID: 2, Type: "ContextStarted", Time: start.Add(time.Second), OperationID: "1", Name: "pay"},
		{ID: 3, Type: "StepFailed", Time: start.Add(24 * time.Hour), OperationID: "1-1", ParentID: "1", Name: "charge",
			Err: &rehearse.FunctionError{Type: "Declined", Message: "\"no\""}},
		{ID: 4, Type: "WaitStarted", Time: start.Add(24 * time.Hour), OperationID: "2", Name: "think", Duration: time.Hour},
	})
	const expected = "" +
		"id  time      event             name      recorded\n" +
		"1   +0s       ExecutionStarted  order     xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (101 bytes)\n" +
		"2   +1s       ContextStarted    pay       \n" +
		"3   +24h0m0s  StepFailed          charge  Declined: \"no\"\n" +
		"4   +24h0m0s  WaitStarted       think     1h0m0s\n"
	if text != expected {
		t.Errorf("got\n%s\nnot\n%s", text, expected)
	}
}

func TestHostsABootstrap(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, nil)
	if err := runner.RegisterBootstrap(t.Context(), "test-function", os.Getenv("BOOTSTRAP")); err != nil {
		t.Fatal(err)
	}
	result := run(t, runner, "Ada")
	if result.Step("greet").Result != `"Hello, Ada"` || result.Result != `"Hello, Ada"` {
		t.Error(result)
	}
}

func TestABootstrapThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	err := rehearsetest.New(t, nil).RegisterBootstrap(t.Context(), "test-function", "/no/such/bootstrap")
	if err == nil || !strings.Contains(err.Error(), "cannot run /no/such/bootstrap") {
		t.Error(err)
	}
}

func TestWhatABootstrapWroteIsShownWhenTheTestFails(t *testing.T) {
	t.Parallel()
	recorder := &recorder{T: t, fatal: "failed"}
	runner := rehearsetest.New(recorder, nil)
	err := runner.RegisterBootstrap(t.Context(), "test-function", "/bin/sh", "-c", "echo no handler >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	result := run(t, runner, nil)
	if result.Status != rehearsetest.ExecutionStatusFailed || result.Err.Type != "Runtime.ExitError" {
		t.Error(result)
	}
	recorder.cleanUp()
	if !strings.Contains(recorder.logged.String(), "no handler") {
		t.Error(recorder.logged.String())
	}
}

func TestOptionsAreThoseOfTheSession(t *testing.T) {
	t.Parallel()
	runner := rehearsetest.New(t, nil, rehearsetest.WithRealTime(), rehearsetest.WithLimitsProfile("aws-2025"),
		rehearsetest.WithFailurePolicy("python-testing"))
	session, err := runner.Client().GetSession(t.Context(), &rehearsev1.GetSessionRequest{Name: runner.Session()})
	config := session.GetSession().GetConfig()
	if err != nil || config.GetClockMode() != rehearsev1.ClockMode_CLOCK_MODE_REAL ||
		config.GetLimitsProfile() != "aws-2025" || config.GetFailurePolicy() != "python-testing" {
		t.Error(config, err)
	}
}

func TestTheSessionEndsWithTheTest(t *testing.T) {
	t.Parallel()
	recorder := &recorder{T: t}
	name := rehearsetest.New(recorder, withBody(t, approval)).Session()
	recorder.cleanUp()
	_, err := rehearsetest.New(t, nil).Client().GetSession(t.Context(), &rehearsev1.GetSessionRequest{Name: name})
	var missing *rehearse.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Error(err)
	}
}

func TestAnInvocationThatTakesTooLongIsRunAgain(t *testing.T) {
	t.Parallel()
	var once sync.Once
	runner := rehearsetest.New(t, func(ctx context.Context, _ []byte) ([]byte, error) {
		once.Do(func() { <-ctx.Done() })
		return []byte(`{"Status": "SUCCEEDED", "Result": "1"}`), nil
	}, rehearsetest.WithInvocationTimeout(time.Second))
	result := run(t, runner, nil)
	if result.Result != "1" || result.InvocationCount != 2 || result.History[1].Err == nil ||
		result.History[1].Err.Type != "Sandbox.Timedout" {
		t.Error(result)
	}
}

func TestAsManyInvocationsRunAtATimeAsAskedFor(t *testing.T) {
	t.Parallel()
	const invocations = 7
	var together sync.WaitGroup
	together.Add(invocations)
	runner := rehearsetest.New(t, func(context.Context, []byte) ([]byte, error) {
		together.Done()
		together.Wait()
		return []byte(`{"Status": "SUCCEEDED"}`), nil
	}, rehearsetest.WithConcurrency(invocations))
	var arns []string
	for range invocations {
		arns = append(arns, runAsync(t, runner))
	}
	for _, arn := range arns {
		if _, err := runner.WaitForResult(t.Context(), arn); err != nil {
			t.Error(err)
		}
	}
}

// again runs one test of this program in another process.
func again(test string, environment ...string) (string, error) {
	process := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	process.Env = append(os.Environ(), append(environment, rehearse.BinaryVariable+"=/no/such/program", "PATH=")...)
	output, err := process.CombinedOutput()
	return string(output), err
}

func TestWithoutAServiceATestFailsAtOnce(t *testing.T) {
	t.Parallel()
	for text, environment := range map[string]string{
		"/no/such/program": rehearsetest.ServerVariable + "=",
		"127.0.0.1:1":      rehearsetest.ServerVariable + "=127.0.0.1:1",
	} {
		if output, err := again("TestRunHasAResult", environment); err == nil || !strings.Contains(output, text) {
			t.Errorf("%v: %s", err, output)
		}
	}
}

func TestRunsOnARunningService(t *testing.T) {
	t.Parallel()
	server, err := rehearse.StartServer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	output, err := again("TestRunHasAResult", rehearsetest.ServerVariable+"="+server.Address)
	if err != nil || !strings.Contains(output, "--- PASS: TestRunHasAResult") {
		t.Errorf("%v: %s", err, output)
	}
}
