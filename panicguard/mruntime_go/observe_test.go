package mruntime

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

type reporterFunc func()

func (f reporterFunc) CaptureException(context.Context, error, map[string]string) { f() }

type recorderFunc func(counter, component string)

func (f recorderFunc) Add(counter, component string) { f(counter, component) }

func TestTheOrderOfObservers(t *testing.T) {
	l := start(t)
	var order []string
	SetRecorder(recorderFunc(func(counter, _ string) { order = append(order, counter) }))
	ObservePanics(func(context.Context, PanicInfo) { order = append(order, fmt.Sprint(len(l.messages())), "first") })
	ObservePanics(func(context.Context, PanicInfo) { order = append(order, "second") })
	SetErrorReporter(reporterFunc(func() { order = append(order, "reporter") }))
	OnCrash(func() { order = append(order, "flush") })
	SafeGo("a", KeepRunning, func() { panic("boom") })
	drain(t)
	equal(t, "the order", fmt.Sprint(order), "[goroutine_started_total goroutine_panics_total 1 first second reporter]")
	order = nil
	panicked(func() { defer RecoverAndCrash("a"); panic("boom") })
	equal(t, "the order", fmt.Sprint(order), "[goroutine_panics_total 2 first second reporter flush]")
}

func TestAnObserverIsToldAndTakenBack(t *testing.T) {
	start(t)
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, 1)
	var seen []PanicInfo
	count := 0
	undo := ObservePanics(func(got context.Context, p PanicInfo) {
		seen = append(seen, p)
		equal(t, "the context", got, ctx)
	})
	other := ObservePanics(func(context.Context, PanicInfo) { count++ })
	HandlePanicValueWithContext(ctx, "a", errors.New("boom, password=hunter2"))
	undo()
	undo()
	HandlePanicValueWithContext(ctx, "a", "boom")
	other()
	HandlePanicValueWithContext(ctx, "a", "boom")
	equal(t, "what the other one saw", count, 2)
	equal(t, "what it saw", len(seen), 1)
	p := seen[0]
	equal(t, "the age", time.Since(p.Time) < time.Minute, true)
	contains(t, p.Stack, "observe_test.go")
	p.Time, p.Stack = time.Time{}, ""
	equal(t, "the panic", p, PanicInfo{Component: "a", Name: "a", Type: "*errors.errorString", Value: "boom, password=[REDACTED]"})
}

func TestEveryObserverFails(t *testing.T) {
	start(t)
	fails := 0
	fail := func() { fails++; panic("no") }
	quiet(t)
	SetRecorder(recorderFunc(func(string, string) { fail() }))
	ObservePanics(func(context.Context, PanicInfo) { fail() })
	ObservePanics(func(context.Context, PanicInfo) { fail() })
	SetErrorReporter(reporterFunc(fail))
	OnCrash(fail)
	OnCrash(func() { fails++ })
	ran := false
	SafeGo("a", KeepRunning, func() { ran = true; panic("boom") })
	drain(t)
	equal(t, "whether it ran", ran, true)
	equal(t, "the number of failures", fails, 5)
	equal(t, "the value", panicked(func() { defer RecoverAndCrash("a"); panic("boom") }), any("boom"))
	equal(t, "the number of failures", fails, 5+4+2)
}
