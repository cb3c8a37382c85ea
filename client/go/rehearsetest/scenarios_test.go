package rehearsetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"rehearse.dev/rehearse"
	"rehearse.dev/rehearse/rehearsetest"
)

// See tests/scenarios/README.md.
type scenario struct {
	Name          string
	Functions     map[string]function
	Time          string
	ExecutionName string `json:"execution_name"`
	session
	Sessions []session
}

type function struct {
	Body                    []operation
	Plain                   bool
	ExecutionTimeoutSeconds int `json:"execution_timeout_seconds"`
}

func (f function) executionTimeout() time.Duration {
	return time.Duration(f.ExecutionTimeoutSeconds) * time.Second
}

type session struct {
	Input   any
	Actions []action
	Expect  expectation
}

type action struct {
	Do, Name, ID, Of, Event, Refused string
	Result                           any
	Error                            *errorObject
	Count, Seconds                   int
}

type expectation struct {
	Status, Invocations string
	Result              any
	Error               map[string]any
	History             []map[string]any
}

// expanded replaces {"$repeat": [text, times]} by the text, that many times.
func expanded(value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = expanded(value[i])
		}
	case map[string]any:
		if repeat, ok := value["$repeat"].([]any); ok {
			return strings.Repeat(repeat[0].(string), int(repeat[1].(float64)))
		}
		copied := map[string]any{}
		for name, member := range value {
			copied[name] = expanded(member)
		}
		return copied
	}
	return value
}

func TestScenarios(t *testing.T) {
	text, err := os.ReadFile(os.Getenv("SCENARIOS"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Scenarios []scenario }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, each := range file.Scenarios {
		t.Run(each.Name, func(t *testing.T) {
			t.Parallel()
			each.test(t)
		})
	}
}

func (s *scenario) test(t *testing.T) {
	if s.Sessions == nil {
		s.Sessions = []session{s.session}
	}
	var runs []*scenarioRun
	for _, each := range s.Sessions {
		run := s.newRun(t)
		if run.arn, run.err = run.runner.RunAsync(t.Context(), expanded(each.Input)); run.err != nil {
			t.Fatal(run.err)
		}
		runs = append(runs, run)
	}
	var atWork sync.WaitGroup
	for i, run := range runs {
		atWork.Go(func() { run.err = run.finish(t.Context(), s.Sessions[i]) })
	}
	atWork.Wait()
	for _, run := range runs {
		if run.err != nil {
			t.Error(run.err)
		}
	}
}

// scenarioRun is one execution of the main function, in a session of its own.
type scenarioRun struct {
	runner    *rehearsetest.Runner
	arn       string
	callbacks map[string]string
	err       error
}

func (s *scenario) newRun(t *testing.T) *scenarioRun {
	main := s.Functions["main"]
	options := []rehearsetest.Option{
		rehearsetest.WithFunctionName("main"),
		rehearsetest.WithExecutionName(s.ExecutionName),
		rehearsetest.WithExecutionTimeout(main.executionTimeout()),
		rehearsetest.WithConcurrency(1),
	}
	if s.Time == "manual" {
		options = append(options, rehearsetest.WithManualTime())
	}
	var crashed sync.Map
	runner := rehearsetest.New(t, durableFunction(main.Body, &crashed), options...)
	for name, function := range s.Functions {
		var err error
		switch {
		case name == "main":
		case function.Plain:
			err = runner.RegisterFunction(name, plainFunction(function.Body))
		default:
			err = runner.RegisterDurableFunction(name, durableFunction(function.Body, &crashed),
				function.executionTimeout())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return &scenarioRun{runner: runner, callbacks: map[string]string{}}
}

func (r *scenarioRun) finish(ctx context.Context, session session) error {
	for _, action := range session.Actions {
		err := r.do(ctx, action)
		var refusal *rehearse.APIError
		if errors.As(err, &refusal) && refusal.Code == action.Refused {
			continue
		}
		if err != nil || action.Refused != "" {
			return fmt.Errorf("%+v: %v", action, err)
		}
	}
	result, err := r.runner.WaitForResult(ctx, r.arn)
	if err != nil {
		return err
	}
	if difference := session.Expect.difference(result); difference != "" {
		return fmt.Errorf("%s\n%s", difference, result)
	}
	return nil
}

func (r *scenarioRun) do(ctx context.Context, action action) error {
	arn := r.arn
	if action.Of != "" {
		invoke, err := r.runner.WaitForOperation(ctx, arn, action.Of)
		if err != nil {
			return err
		}
		arn = invoke.InvokedExecutionARN
	}
	id := action.ID
	if id == "" {
		id = r.callbacks[action.Name]
	}
	switch action.Do {
	case "wait_for_callback":
		var err error
		r.callbacks[action.Name], err = r.runner.WaitForCallback(ctx, arn, action.Name)
		return err
	case "callback_success":
		return r.runner.SendCallbackSuccess(ctx, id, []byte(expanded(action.Result).(string)))
	case "callback_failure":
		return r.runner.SendCallbackFailure(ctx, id, action.Error.failure())
	case "callback_heartbeat":
		return r.runner.SendCallbackHeartbeat(ctx, id)
	case "wait_for_event":
		left := action.Count
		return r.runner.Watch(ctx, arn, func(event *rehearsetest.Event) bool {
			if event.Type == action.Event {
				left--
			}
			return left > 0
		})
	case "wait_for_end":
		_, err := r.runner.WaitForResult(ctx, arn)
		return err
	case "advance_time":
		return r.runner.AdvanceTime(ctx, time.Duration(action.Seconds)*time.Second)
	case "pause":
		return r.runner.Pause(ctx, arn)
	case "resume":
		return r.runner.Resume(ctx, arn)
	case "stop":
		return r.runner.Stop(ctx, arn, action.Error.failure())
	}
	return fmt.Errorf("unknown action %s", action.Do)
}

// difference is the first one between what is expected and what came; "" when there is none.
func (e *expectation) difference(result *rehearsetest.Result) string {
	if string(result.Status) != e.Status {
		return fmt.Sprintf("the status is %s, not %s", result.Status, e.Status)
	}
	var value any
	if result.HasResult {
		value = valueOf(result.Result)
	}
	if !reflect.DeepEqual(value, expanded(e.Result)) {
		return fmt.Sprintf("the result is not %v", e.Result)
	}
	if !covers(errorMembers(result.Err), e.Error) {
		return fmt.Sprintf("the error is %v, not %v", result.Err, e.Error)
	}
	return e.historyDifference(result.History)
}

func (e *expectation) historyDifference(history []*rehearsetest.Event) string {
	names := map[string]string{}
	var actual, expected []map[string]any
	for _, event := range history {
		names[event.OperationID] = event.Name
		if e.Invocations == "" || event.Type != "InvocationCompleted" {
			actual = append(actual, describe(event, names[event.ParentID]))
		}
	}
	for _, event := range e.History {
		if e.Invocations == "" || event["event"] != "InvocationCompleted" {
			expected = append(expected, event)
		}
	}
	for i := range min(len(actual), len(expected)) {
		if !matches(expanded(expected[i]).(map[string]any), actual[i]) {
			return fmt.Sprintf("event %d is %v, not %v", i+1, actual[i], expected[i])
		}
	}
	if len(actual) != len(expected) {
		return fmt.Sprintf("the history has %d events, not %d", len(actual), len(expected))
	}
	return ""
}

// describe is an event in the form of the file; parent is the name of the context around it.
func describe(event *rehearsetest.Event, parent string) map[string]any {
	members := map[string]any{"event": event.Type}
	texts := map[string]string{"function": event.FunctionName}
	if !strings.HasPrefix(event.Type, "Execution") {
		texts["name"], texts["sub_type"], texts["parent"] = event.Name, event.SubType, parent
	}
	for name, text := range texts {
		if text != "" {
			members[name] = text
		}
	}
	numbers := map[string]float64{
		"attempt":                   float64(event.Attempt),
		"retry_delay_seconds":       event.NextAttemptDelay.Seconds(),
		"duration_seconds":          event.Duration.Seconds(),
		"timeout_seconds":           event.Timeout.Seconds(),
		"heartbeat_timeout_seconds": event.HeartbeatTimeout.Seconds(),
	}
	for name, number := range numbers {
		if number != 0 {
			members[name] = number
		}
	}
	if event.Payload != nil {
		members["payload"] = valueOf(*event.Payload)
	}
	if event.Err != nil {
		members["error"] = errorMembers(event.Err)
	}
	return members
}

func matches(expected, actual map[string]any) bool {
	for _, name := range []string{"event", "name", "sub_type", "parent"} {
		if expected[name] == "*" {
			delete(expected, name)
		} else if expected[name] != actual[name] {
			return false
		}
	}
	// An invocation that failed has to be expected.
	if expected["event"] == "InvocationCompleted" &&
		(expected["error"] == nil) != (actual["error"] == nil) {
		return false
	}
	if failure, ok := expected["error"].(map[string]any); ok {
		delete(expected, "error")
		members, _ := actual["error"].(map[string]any)
		if !covers(members, failure) {
			return false
		}
	}
	return covers(actual, expected)
}

// covers says whether every expected member has its value in actual, too.
func covers(actual, expected map[string]any) bool {
	for name, value := range expected {
		if !reflect.DeepEqual(actual[name], expanded(value)) {
			return false
		}
	}
	return true
}

func errorMembers(failure *rehearse.FunctionError) map[string]any {
	if failure == nil {
		return nil
	}
	return map[string]any{"type": failure.Type, "message": failure.Message}
}

// valueOf is a payload as a value: JSON, or where it is none, the text.
func valueOf(payload string) any {
	value, err := decode(payload)
	if err != nil {
		return payload
	}
	return value
}
