package mruntime

import (
	"context"
	"sync"
)

// hooks are functions to call, in the order they were added.
type hooks[F any] struct {
	sync.Mutex
	fns []*F
}

var (
	observers  hooks[func(context.Context, PanicInfo)]
	crashHooks hooks[func()]
)

// ObservePanics calls fn with each panic, and with the context of the code
// that panicked, after the panic was logged: to mark a span, say. It returns
// what takes fn back.
func ObservePanics(fn func(ctx context.Context, info PanicInfo)) (undo func()) {
	return observers.add(fn)
}

// OnCrash calls fn before CrashProcess panics again, when all have been told
// of the panic: to flush what buffers. It returns what takes fn back.
func OnCrash(fn func()) (undo func()) {
	return crashHooks.add(fn)
}

func (h *hooks[F]) add(fn F) (undo func()) {
	key := &fn
	h.Lock()
	defer h.Unlock()
	h.fns = append(h.fns, key)
	return func() {
		h.Lock()
		defer h.Unlock()
		var kept []*F
		for _, one := range h.fns {
			if one != key {
				kept = append(kept, one)
			}
		}
		h.fns = kept
	}
}

// all returns them; what is added or taken back meanwhile changes nothing.
func (h *hooks[F]) all() []*F {
	h.Lock()
	defer h.Unlock()
	return h.fns
}
