package mruntime

import (
	"context"
	"errors"
	"sync"
)

// ErrGoexit is the error of a member of a Group that called runtime.Goexit, as
// t.FailNow does: it has not returned.
var ErrGoexit = errors.New("mruntime: runtime.Goexit was called")

var errNilFunc = errors.New("mruntime: Go called with nil callback")

// GroupOption is an option of NewGroup.
type GroupOption func(*Group)

// WithLimit lets at most n members of a Group run at once; Go waits for its
// turn. With 0 or less, as without it, there is no limit.
func WithLimit(n int) GroupOption {
	return func(g *Group) {
		g.slots = nil
		if n > 0 {
			g.slots = make(chan struct{}, n)
		}
	}
}

// WithoutCancelOnError lets the other members of a Group go on when one fails.
func WithoutCancelOnError() GroupOption {
	return func(g *Group) { g.goesOn = true }
}

// Group is goroutines that belong together: it waits for them, and has their
// errors. NewGroup makes one.
type Group struct {
	ctx       context.Context
	cancel    context.CancelCauseFunc
	component string
	policy    PanicRecoveryPolicy
	slots     chan struct{}
	goesOn    bool

	members sync.WaitGroup
	lock    sync.Mutex
	errs    []error
}

// NewGroup returns a Group without members. The context that these get is a
// child of ctx; it is done when the first of them fails, and after Wait. Its
// context.Cause is the error.
func NewGroup(ctx context.Context, component string, policy PanicRecoveryPolicy, options ...GroupOption) *Group {
	if ctx == nil {
		ctx = context.Background()
	}
	g := &Group{component: component, policy: policy}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	for _, option := range options {
		option(g)
	}
	return g
}

// Go runs fn in a new goroutine, as SafeGoWithContextAndComponent does. It
// fails with the error that it returns, with a *PanicError if it panics, which
// has been reported then, and with ErrGoexit.
//
// fn runs even if the group's context is done already. A member must not call
// Go of a group with a limit: it would wait for itself.
func (g *Group) Go(fn func(ctx context.Context) error) {
	g.start(pointer(fn), fn)
}

func (g *Group) start(source uintptr, fn func(context.Context) error) {
	if source == 0 {
		g.fail(errNilFunc)
		return
	}
	if g.slots != nil {
		g.slots <- struct{}{}
	}
	g.members.Add(1)
	err := ErrGoexit
	w := enter(g.component, member, source)
	w.ended = func(failure *PanicError) {
		if failure != nil {
			err = failure
		}
		g.fail(err)
		if g.slots != nil {
			<-g.slots
		}
		g.members.Done()
	}
	w.start(g.ctx, g.policy, func(ctx context.Context) { err = fn(ctx) })
}

// fail keeps the error of a member, if it is one.
func (g *Group) fail(err error) {
	g.lock.Lock()
	defer g.lock.Unlock()
	if err == nil || (len(g.errs) > 0 && wasTold(g.ctx, err)) {
		return
	}
	g.errs = append(g.errs, err)
	if !g.goesOn {
		g.cancel(err)
	}
}

// wasTold tells whether an error is only that the context is done.
func wasTold(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, ctx.Err()) && !errors.Is(err, ErrPanic)
}

// Wait waits until all members have ended, in whatever way, and returns their
// errors, joined by errors.Join: the first one first. What members return
// because the group's context is done is left out, after the first error.
func (g *Group) Wait() error {
	g.members.Wait()
	g.lock.Lock()
	defer g.lock.Unlock()
	g.cancel(nil)
	return errors.Join(g.errs...)
}

// ResultGroup is a Group whose members return something.
type ResultGroup[T any] struct {
	group   *Group
	lock    sync.Mutex
	results []T
}

// NewResultGroup is NewGroup.
func NewResultGroup[T any](ctx context.Context, component string, policy PanicRecoveryPolicy, options ...GroupOption) *ResultGroup[T] {
	return &ResultGroup[T]{group: NewGroup(ctx, component, policy, options...)}
}

// Go is Group.Go.
func (g *ResultGroup[T]) Go(fn func(ctx context.Context) (T, error)) {
	g.lock.Lock()
	var none T
	at := len(g.results)
	g.results = append(g.results, none)
	g.lock.Unlock()
	g.group.start(pointer(fn), func(ctx context.Context) error {
		result, err := fn(ctx)
		g.lock.Lock()
		defer g.lock.Unlock()
		g.results[at] = result
		return err
	})
}

// Wait is Group.Wait, with a result for each Go, in their order. That of a
// member that did not return is the zero value.
func (g *ResultGroup[T]) Wait() ([]T, error) {
	err := g.group.Wait()
	g.lock.Lock()
	defer g.lock.Unlock()
	return g.results, err
}
