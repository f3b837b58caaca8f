package mruntime

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

const (
	maxText     = 4096 // bytes of a value and of a stack
	truncated   = "\n...[truncated]"
	crashBudget = 2 * time.Second // for all that is told of a panic that ends the process
)

// PanicInfo is a panic in words. It holds no value of the program, and what
// looks like a secret has been taken out of it.
type PanicInfo struct {
	Component string
	// Name is the function that was spawned, "mail.(*Sender).Run". Where none
	// was it is the component.
	Name   string
	Policy PanicRecoveryPolicy
	// Type is that of the value: "runtime.boundsError".
	Type string
	// Value is what the value says, at most 4096 bytes of it.
	Value string
	// Stack begins with the function that panicked. It is cut after 4096
	// bytes, and says so. It is empty in production mode.
	Stack string
	// Restarts is how often Supervise had started it again.
	Restarts int
	Time     time.Time
}

// Message is what a log says of the panic: "panic recovered in
// component/name: value".
func (p PanicInfo) Message() string {
	return "panic recovered in " + p.where() + ": " + p.Value
}

func (p PanicInfo) where() string {
	if p.Component == "" || p.Component == p.Name {
		return p.Name
	}
	return p.Component + "/" + p.Name
}

// HandlePanicValue reports a value that other code has recovered, a web
// framework for one. It does nothing for nil, and it never panics.
func HandlePanicValue(component string, value any) {
	HandlePanicValueWithContext(context.Background(), component, value)
}

// HandlePanicValueWithContext is HandlePanicValue, with the context that the
// logger and the observers get.
func HandlePanicValueWithContext(ctx context.Context, component string, value any) {
	if value != nil {
		recovered(ctx, component, KeepRunning, value)
	}
}

// recovered is settle for a panic of no goroutine of ours.
func recovered(ctx context.Context, component string, policy PanicRecoveryPolicy, value any) {
	settle(ctx, PanicInfo{Component: component, Name: component, Policy: policy}, value)
}

// settle reports a panic, of which info says whose it is, and does what the
// policy says. It is called on the goroutine of the panic, whose stack it takes.
func settle(ctx context.Context, info PanicInfo, value any) PanicInfo {
	if ctx == nil {
		ctx = context.Background()
	}
	component, name := info.Component, info.Name
	stack, origin := string(debug.Stack()), panicOrigin()
	tell := func() {
		info.Type = fmt.Sprintf("%T", value)
		info.Value = valueText(value)
		info.Stack = stackText(stack)
		info.Time = time.Now()
		record(PanicsTotal, countPanic(component))
		logPanic(ctx, info, origin)
		for _, observer := range observers.all() {
			guarded("an observer of panics", func() { (*observer)(ctx, info) })
		}
		tellReporter(ctx, info, value)
	}
	if info.Policy != CrashProcess {
		tell()
		return info
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		tell()
		for _, hook := range crashHooks.all() {
			guarded("a hook of OnCrash", *hook)
		}
	}()
	select {
	case <-told:
	case <-time.After(crashBudget):
		writeLine("mruntime: crash: the observers of the panic in " + component + "/" + name + " took too long")
	}
	panic(value)
}

// guarded calls code that is not ours and tells whether it returned. It runs
// on a goroutine of its own, which is waited for, so that neither a panic nor
// runtime.Goexit (t.FailNow in a test's logger) reaches the observed one.
func guarded(what string, call func()) (returned bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				complain(fmt.Sprintf("%s panicked (%T)", what, v))
			} else if !returned {
				complain(what + " called runtime.Goexit")
			}
		}()
		call()
		returned = true
	}()
	<-done
	return returned
}

// valueText is what a value says, as far as that may leave the process.
func valueText(value any) string {
	if IsProductionMode() {
		return redacted
	}
	text := fmt.Sprintf("<unprintable %T>", value)
	guarded("formatting a panic value", func() { text = fmt.Sprint(value) })
	return cut(redact(text), maxText) // what is cut first may have lost the end of a secret
}

// stackText is a stack without the frames of this package, secrets and what
// is too much.
func stackText(stack string) string {
	if IsProductionMode() {
		return ""
	}
	head := strings.IndexByte(stack, '\n')
	if at := strings.Index(stack, "\npanic("); at > head && head > 0 {
		stack = stack[:head] + stack[at:]
	}
	return shortened(redact(stack))
}

func shortened(stack string) string {
	if short := cut(stack, maxText); short != stack {
		return short + truncated
	}
	return stack
}

// panicOrigin is the program counter of the statement that panicked, 0 if the
// goroutine is not panicking.
func panicOrigin() uintptr {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicking := false
	for {
		frame, more := frames.Next()
		if frame.Function == "runtime.gopanic" {
			panicking = true
		} else if panicking && !strings.HasPrefix(frame.Function, "runtime.") {
			return frame.PC + 1 // as runtime.Callers has it
		}
		if !more {
			return 0
		}
	}
}
