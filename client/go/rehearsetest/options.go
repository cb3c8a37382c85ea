package rehearsetest

import (
	"time"

	"rehearse.dev/rehearse"
	rehearsev1 "rehearse.dev/rehearse/v1"
)

type settings struct {
	session       *rehearsev1.SessionConfig
	function      rehearse.Function
	executionName string
	concurrency   int
}

// Option changes what a Runner does.
type Option func(*settings)

// WithRealTime makes waits and retries take the time they say. Without it they take none.
func WithRealTime() Option {
	return func(s *settings) { s.session.ClockMode = rehearsev1.ClockMode_CLOCK_MODE_REAL }
}

// WithManualTime makes time stand still until AdvanceTime moves it.
func WithManualTime() Option {
	return func(s *settings) { s.session.ClockMode = rehearsev1.ClockMode_CLOCK_MODE_MANUAL }
}

// WithSkipDeadlines skips callback, heartbeat and execution time-outs, too, when nothing else is
// left.
func WithSkipDeadlines() Option {
	return func(s *settings) { s.session.SkipDeadlines = true }
}

// WithStepping makes an invocation start only when InvokeNext asks for it.
func WithStepping() Option { return func(s *settings) { s.session.Stepped = true } }

// WithFunctionName names the function; without it, it is "test-function".
func WithFunctionName(name string) Option {
	return func(s *settings) { s.function.Name = name }
}

// WithExecutionName names every execution. A second run with the same input joins the first one,
// another input is a DurableExecutionAlreadyStartedException. Without it each run has a name of its
// own.
func WithExecutionName(name string) Option {
	return func(s *settings) { s.executionName = name }
}

// WithExecutionTimeout limits executions, on their clock, in whole seconds. Without it there is no
// limit, so that a test may move time as far as it likes.
func WithExecutionTimeout(timeout time.Duration) Option {
	return func(s *settings) { s.function.ExecutionTimeout = timeout }
}

// WithInvocationTimeout limits each invocation, on the wall clock, in whole seconds; without it, to
// 900 s.
func WithInvocationTimeout(timeout time.Duration) Option {
	return func(s *settings) { s.function.InvocationTimeout = timeout }
}

// WithConcurrency sets how many invocations of each registered function may run at the same time;
// without it, 4.
func WithConcurrency(invocations int) Option {
	return func(s *settings) { s.concurrency = invocations }
}

// WithLimitsProfile chooses limits on sizes and counts: "aws" or "aws-2025". Without it the service
// chooses.
func WithLimitsProfile(profile string) Option {
	return func(s *settings) { s.session.LimitsProfile = profile }
}

// WithFailurePolicy chooses what follows a failed invocation: "aws" or "python-testing". Without it
// the service chooses.
func WithFailurePolicy(policy string) Option {
	return func(s *settings) { s.session.FailurePolicy = policy }
}
