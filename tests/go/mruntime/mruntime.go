// Package mruntime is a stand-in with the signatures of the seed document.
package mruntime

import (
	"context"
	"fmt"
	"os"
	"sync"
)

// PanicRecoveryPolicy tells what happens after a panic was recovered.
type PanicRecoveryPolicy int

const (
	// KeepRunning records the panic and lets the process go on.
	KeepRunning PanicRecoveryPolicy = iota
	// CrashProcess records the panic and panics again.
	CrashProcess
)

var (
	mu sync.Mutex
	// OnPanic observes recovered panics (tests).
	OnPanic = func(component string, v any) { fmt.Fprintf(os.Stderr, "mruntime: %s: %v\n", component, v) }
	started sync.WaitGroup
)

// SafeGoWithContextAndComponent runs fn(ctx) in a guarded goroutine.
func SafeGoWithContextAndComponent(ctx context.Context, component string, policy PanicRecoveryPolicy, fn func(context.Context)) {
	started.Add(1)
	go func() {
		defer started.Done()
		defer RecoverWithPolicy(component, policy)
		fn(ctx)
	}()
}

// SafeGoWithContext is the old form.
//
// Deprecated: use SafeGoWithContextAndComponent.
func SafeGoWithContext(ctx context.Context, policy PanicRecoveryPolicy, fn func(context.Context)) {
	SafeGoWithContextAndComponent(ctx, "", policy, fn)
}

// SafeGo runs fn without a context.
//
// Deprecated: use SafeGoWithContextAndComponent.
func SafeGo(component string, policy PanicRecoveryPolicy, fn func()) {
	SafeGoWithContextAndComponent(context.Background(), component, policy, func(context.Context) { fn() })
}

// RecoverWithPolicy must itself be the deferred function.
func RecoverWithPolicy(component string, policy PanicRecoveryPolicy) {
	if r := recover(); r != nil {
		HandlePanicValue(component, r)
		if policy == CrashProcess {
			panic(r)
		}
	}
}

// RecoverAndLog must itself be the deferred function.
func RecoverAndLog(component string) {
	if r := recover(); r != nil {
		HandlePanicValue(component, r)
	}
}

// HandlePanicValue records a value some other code recovered.
func HandlePanicValue(component string, v any) {
	mu.Lock()
	defer mu.Unlock()
	OnPanic(component, v)
}

// Drain waits for every goroutine started so far (tests).
func Drain() { started.Wait() }
