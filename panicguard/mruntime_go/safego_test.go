package mruntime

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// What linted programs call, and what fixes write.
var (
	_ func(context.Context, string, PanicRecoveryPolicy, func(context.Context))                                           = SafeGoWithContextAndComponent
	_ func(context.Context, PanicRecoveryPolicy, func(context.Context))                                                   = SafeGoWithContext
	_ func(string, PanicRecoveryPolicy, func())                                                                           = SafeGo
	_ func(context.Context, string, PanicRecoveryPolicy, func(context.Context) error, ...SuperviseOption) <-chan struct{} = Supervise
	_ func(context.Context, string, PanicRecoveryPolicy, ...GroupOption) *Group                                           = NewGroup
	_ func(*Group, func(context.Context) error)                                                                           = (*Group).Go
	_ func(*ResultGroup[int], func(context.Context) (int, error))                                                         = (*ResultGroup[int]).Go
	_ func(string)                                                                                                        = RecoverAndLog
	_ func(string)                                                                                                        = RecoverAndCrash
	_ func(string, PanicRecoveryPolicy)                                                                                   = RecoverWithPolicy
	_ func(string, any)                                                                                                   = HandlePanicValue
)

type worker struct{}

func (*worker) run(context.Context) { panic("boom") }

func TestNoPanicIsNoReport(t *testing.T) {
	l := start(t)
	var ran atomic.Int32
	SafeGo("a", KeepRunning, func() { ran.Add(1) })
	SafeGoWithContext(context.Background(), CrashProcess, func(context.Context) { ran.Add(1) })
	SafeGoWithContextAndComponent(context.Background(), "b", CrashProcess, func(context.Context) { ran.Add(1) })
	drain(t)
	equal(t, "the number of runs", ran.Load(), 3)
	l.expect(t)
}

func TestPanicIsLoggedOnce(t *testing.T) {
	l := start(t)
	SafeGoWithContextAndComponent(context.Background(), "mailer", KeepRunning, (&worker{}).run)
	drain(t)
	l.expect(t, "ERROR panic recovered in mailer/mruntime.(*worker).run: boom")
	equal(t, "panic_component", l.attr(t, "panic_component"), "mailer")
	equal(t, "panic_source", l.attr(t, "panic_source"), "mruntime.(*worker).run")
	equal(t, "panic_policy", l.attr(t, "panic_policy"), "KeepRunning")
	equal(t, "panic_type", l.attr(t, "panic_type"), "string")
	equal(t, "panic_value", l.attr(t, "panic_value"), "boom")
	contains(t, l.attr(t, "stack_trace"), "safego_test.go", "goroutine ")
}

func TestEachWayToSpawnSaysWhoseItIs(t *testing.T) {
	for want, spawn := range map[string]func(){
		"TestEachWayToSpawnSaysWhoseItIs.": func() {
			SafeGoWithContext(context.Background(), KeepRunning, func(context.Context) { panic("boom") })
		},
		"mailer/mruntime.TestEachWayToSpawnSaysWhoseItIs.": func() {
			SafeGo("mailer", KeepRunning, func() { panic("boom") })
		},
	} {
		l := start(t)
		spawn()
		drain(t)
		contains(t, strings.Join(l.messages(), "\n"), "panic recovered in ", want, ": boom")
	}
}

func TestTheGoroutineGetsTheSameContext(t *testing.T) {
	l := start(t)
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, 1))
	cancel() // it is started none the less
	got := make(chan context.Context, 2)
	SafeGoWithContextAndComponent(ctx, "a", KeepRunning, func(ctx context.Context) {
		got <- ctx
		panic("boom")
	})
	drain(t)
	equal(t, "the context", <-got, ctx)
	equal(t, "the context of the logger", l.ctxs[0], ctx)
}

func TestNilContextIsBackground(t *testing.T) {
	l := start(t)
	var none context.Context
	got := make(chan context.Context, 1)
	SafeGoWithContextAndComponent(none, "a", KeepRunning, func(ctx context.Context) {
		got <- ctx
		panic(ctx.Err())
	})
	drain(t)
	equal(t, "the context", <-got, context.Background())
	equal(t, "the context of the logger", l.ctxs[0], context.Background())
}

func TestNilFunctionIsAWarning(t *testing.T) {
	l := start(t)
	SafeGo("a", CrashProcess, nil)
	SafeGoWithContext(context.Background(), CrashProcess, nil)
	SafeGoWithContextAndComponent(context.Background(), "b", CrashProcess, nil)
	drain(t)
	l.expect(
		t,
		"WARN SafeGo called with nil callback, ignoring",
		"WARN SafeGoWithContext called with nil callback, ignoring",
		"WARN SafeGoWithContextAndComponent called with nil callback, ignoring",
	)
	equal(t, "what was started", len(Metrics()[StartedTotal]), 0)
}

func TestGoexitIsANormalEnd(t *testing.T) {
	l := start(t)
	SafeGo("a", CrashProcess, runtime.Goexit)
	drain(t)
	l.expect(t)
	equal(t, "what is active", Metrics()[Active]["a"], 0)
}

func TestUnknownPolicyKeepsRunning(t *testing.T) {
	l := start(t)
	SafeGo("a", PanicRecoveryPolicy(7), func() { panic("boom") })
	drain(t)
	equal(t, "panic_policy", l.attr(t, "panic_policy"), "Unknown")
}

func TestPanicOfNilIsAPanic(t *testing.T) {
	l := start(t)
	SafeGo("a", KeepRunning, func() { panic(nil) })
	drain(t)
	equal(t, "panic_type", l.attr(t, "panic_type"), "*runtime.PanicNilError")
}

func TestErrorsOfTheRuntimeAndValues(t *testing.T) {
	var table map[string]int
	var list []int
	for want, fn := range map[string]func(){
		"assignment to entry in nil map":                  func() { table["a"] = 1 },
		"runtime error: index out of range [3] with leng": func() { _ = list[len(table)+3] },
		"an error": func() { panic(errors.New("an error")) },
		"42":       func() { panic(42) },
		"{1 two}": func() {
			panic(struct {
				a int
				b string
			}{1, "two"})
		},
		"context deadline exceeded": func() { panic(context.DeadlineExceeded) },
	} {
		l := start(t)
		SafeGo("a", KeepRunning, fn)
		drain(t)
		contains(t, l.attr(t, "panic_value"), want)
	}
}
