package mruntime

import (
	"context"
	"sync"
)

var observers struct {
	sync.Mutex
	fns []*func(context.Context, PanicInfo)
}

// ObservePanics calls fn with each panic, and with the context of the code
// that panicked, after the panic was logged: to mark a span, or to flush what
// buffers if Policy is CrashProcess. It returns what takes fn back.
//
// The panicking goroutine waits for fn. If fn panics that is a line on
// standard error and changes nothing else.
func ObservePanics(fn func(ctx context.Context, info PanicInfo)) (undo func()) {
	key := &fn
	observers.Lock()
	defer observers.Unlock()
	observers.fns = append(observers.fns, key)
	return func() {
		observers.Lock()
		defer observers.Unlock()
		var kept []*func(context.Context, PanicInfo)
		for _, one := range observers.fns {
			if one != key {
				kept = append(kept, one)
			}
		}
		observers.fns = kept
	}
}

func tellObservers(ctx context.Context, info PanicInfo) {
	observers.Lock()
	// What undo leaves is a slice of its own, and append writes behind this one.
	fns := observers.fns
	observers.Unlock()
	for _, fn := range fns {
		guarded("an observer of panics", func() { (*fn)(ctx, info) })
	}
}
