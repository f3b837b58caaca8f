package mruntime

import (
	"context"
	"log/slog"
	"os"
	"reflect"
	"runtime"
	"strings"
	"time"
)

// SafeGoWithContextAndComponent runs fn(ctx) in a new goroutine.
//
// The component names a part of the program. It is a label of the metrics, so
// it is a fixed word, never an identifier.
//
// A panic in fn is counted, logged and told to the observers once; then the
// policy decides. With KeepRunning the goroutine ends and nothing else does.
// With CrashProcess the goroutine panics again and the process ends with exit
// status 2, within three seconds whatever the observers do.
//
// fn gets ctx itself, and nothing here looks at ctx: to stop when it is done
// is up to fn, and fn runs even if ctx is done already. For a nil ctx fn gets
// context.Background(). A nil fn is a warning in the log, and no goroutine.
// runtime.Goexit in fn is a normal end.
//
// The deferred calls of fn run before the panic is reported. A WaitGroup that
// fn is done with in one of them does not wait for the report; Drain does.
func SafeGoWithContextAndComponent(ctx context.Context, component string, policy PanicRecoveryPolicy, fn func(ctx context.Context)) {
	if fn == nil {
		warnNilFunc("SafeGoWithContextAndComponent", component)
		return
	}
	spawn(ctx, component, policy, fn, fn)
}

// SafeGoWithContext runs fn(ctx) in a new goroutine, for the component "".
//
// Deprecated: use SafeGoWithContextAndComponent, which says whose goroutine
// it is.
func SafeGoWithContext(ctx context.Context, policy PanicRecoveryPolicy, fn func(ctx context.Context)) {
	if fn == nil {
		warnNilFunc("SafeGoWithContext", "")
		return
	}
	spawn(ctx, "", policy, fn, fn)
}

// SafeGo runs fn in a new goroutine.
//
// Deprecated: use SafeGoWithContextAndComponent, whose fn can be told to stop.
func SafeGo(component string, policy PanicRecoveryPolicy, fn func()) {
	if fn == nil {
		warnNilFunc("SafeGo", component)
		return
	}
	spawn(context.Background(), component, policy, fn, func(context.Context) { fn() })
}

// spawn runs fn, which is there for source, in the one bare goroutine that a
// program needs.
func spawn(ctx context.Context, component string, policy PanicRecoveryPolicy, source any, fn func(context.Context)) {
	if ctx == nil {
		ctx = context.Background()
	}
	label := countStarted(component)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				if policy == CrashProcess {
					// Go asks the value what it says, and writes to standard error: both may block.
					time.AfterFunc(crashBudget+time.Second, func() { os.Exit(2) })
				}
				settle(ctx, component, funcName(source), policy, v)
			}
			// Not deferred: a goroutine that crashes the process does not end,
			// or main could return from Drain, and exit with 0, before that.
			countEnded(label)
		}()
		record(StartedTotal, label)
		fn(ctx)
	}()
}

// funcName is the name of a function without the directories of its package:
// "mail.(*Sender).Run".
func funcName(fn any) string {
	name := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
	name = name[strings.LastIndexByte(name, '/')+1:]
	return strings.TrimSuffix(name, "-fm") // how the compiler marks a method value
}

func warnNilFunc(caller, component string) {
	text := caller + " called with nil callback, ignoring"
	guarded("the logger", func() {
		currentLogger().Warn(text, slog.String("panic_component", component))
	})
}
