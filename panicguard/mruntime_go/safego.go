package mruntime

import (
	"context"
	"log/slog"
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
	enter(component, plain, pointer(fn)).start(ctx, policy, fn)
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
	enter("", plain, pointer(fn)).start(ctx, policy, fn)
}

// SafeGo runs fn in a new goroutine.
//
// Deprecated: use SafeGoWithContextAndComponent, whose fn can be told to stop.
func SafeGo(component string, policy PanicRecoveryPolicy, fn func()) {
	if fn == nil {
		warnNilFunc("SafeGo", component)
		return
	}
	enter(component, plain, pointer(fn)).start(context.Background(), policy, func(context.Context) { fn() })
}

func warnNilFunc(caller, component string) {
	note(context.Background(), slog.LevelWarn, caller+" called with nil callback, ignoring", slog.String("panic_component", component))
}
