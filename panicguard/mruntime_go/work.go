package mruntime

import (
	"context"
	"os"
	"reflect"
	"runtime"
	"strings"
	"time"
)

// What a goroutine is of, in Goroutine.Kind.
const (
	plain      = "goroutine"
	member     = "member"
	supervised = "supervised"
)

// work is a goroutine of this package, from its start to its end. enter makes
// them, of those that have ended where it can.
type work struct {
	id        uint64 // its own, where the pointer may be that of one before
	component string
	kind      string
	source    uintptr       // the function that was passed, for its name
	began     time.Duration // as sinceStart has it
	counts    *counts

	ctx      context.Context
	policy   PanicRecoveryPolicy
	fn       func(context.Context)
	ended    func(*PanicError) // told of the end, and of the panic if there was one; nil: nobody is
	restarts int

	body       func() // run, made once
	prev, next *work  // in the registry
}

// start runs fn in the one bare goroutine that a program needs.
func (w *work) start(ctx context.Context, policy PanicRecoveryPolicy, fn func(context.Context)) {
	if ctx == nil {
		ctx = context.Background()
	}
	w.ctx, w.policy, w.fn = ctx, policy, fn
	go w.body()
}

// run has its pointer in a stack trace, by which Running finds the goroutine.
//
//go:noinline
func (w *work) run() {
	defer func() {
		var failure *PanicError
		if v := recover(); v != nil {
			if w.policy == CrashProcess {
				// Go asks the value what it says, and writes to standard error: both may block.
				time.AfterFunc(crashBudget+time.Second, func() { os.Exit(2) })
			}
			failure = w.report(w.policy, v)
		}
		// Not deferred: a goroutine that crashes the process does not end,
		// or main could return from Drain, and exit with 0, before that.
		if ended := leave(w); ended != nil {
			ended(failure)
		}
	}()
	record(StartedTotal, w.counts.label)
	w.fn(w.ctx)
}

// report is settle for a panic of this goroutine.
func (w *work) report(policy PanicRecoveryPolicy, value any) *PanicError {
	about := PanicInfo{Component: w.component, Name: w.name(), Policy: policy, Restarts: w.restarts}
	return &PanicError{settle(w.ctx, about, value), value}
}

func (w *work) name() string {
	return nameOf(w.source)
}

// pointer is where a function begins, 0 for nil.
func pointer(fn any) uintptr {
	return reflect.ValueOf(fn).Pointer()
}

// nameOf is the name of a function without the directories of its package:
// "mail.(*Sender).Run".
func nameOf(fn uintptr) string {
	name := runtime.FuncForPC(fn).Name()
	name = name[strings.LastIndexByte(name, '/')+1:]
	return strings.TrimSuffix(name, "-fm") // how the compiler marks a method value
}
