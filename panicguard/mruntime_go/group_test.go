package mruntime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestGroup(t *testing.T) {
	broken := errors.New("broken")
	parent, cancel := context.WithCancel(context.Background())
	cancel()
	type run = func(context.Context) error
	good := func(context.Context) error { return nil }
	for name, c := range map[string]struct {
		ctx     context.Context
		members []run
		is      []error // what the error is
		text    string
		logged  int
	}{
		"no members":          {},
		"all return":          {members: []run{good, good, good}},
		"one fails":           {members: []run{good, func(context.Context) error { return broken }}, is: []error{broken}, text: "broken"},
		"one panics":          {members: []run{good, func(context.Context) error { panic("boom") }}, is: []error{ErrPanic}, text: "panic recovered in a/f: boom", logged: 1},
		"with an error":       {members: []run{func(context.Context) error { panic(broken) }}, is: []error{ErrPanic, broken}, text: "panic recovered in a/f: broken", logged: 1},
		"one exits":           {members: []run{func(context.Context) error { runtime.Goexit(); return nil }}, is: []error{ErrGoexit}, text: "mruntime: runtime.Goexit was called"},
		"none":                {members: []run{nil}, is: []error{errNilFunc}, text: "mruntime: Go called with nil callback"},
		"done before":         {ctx: parent, members: []run{good, good}},
		"done before, waited": {ctx: parent, members: []run{waitForContext, waitForContext}, is: []error{context.Canceled}, text: "context canceled"},
		"told to stop":        {members: []run{waitForContext, func(context.Context) error { return broken }, waitForContext}, is: []error{broken}, text: "broken"},
		"a panic when told":   {members: []run{func(ctx context.Context) error { panic(waitForContext(ctx)) }, func(context.Context) error { return broken }}, is: []error{broken, ErrPanic, context.Canceled}, text: "broken\npanic recovered in a/f: context canceled", logged: 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t)
			g := NewGroup(c.ctx, "a", KeepRunning)
			for _, fn := range c.members {
				g.Go(fn)
			}
			err := g.Wait()
			for _, want := range c.is {
				equal(t, "whether the error is "+want.Error(), errors.Is(err, want), true)
			}
			equal(t, "the error", functions.ReplaceAllString(fmt.Sprint(err), "f"), text(c.text))
			equal(t, "the number of records", len(l.messages()), c.logged)
			drain(t)
			equal(t, "what was counted", Metrics()[PanicsTotal]["a"], int64(c.logged))
			equal(t, "whether the context is done", g.ctx.Err(), context.Canceled)
		})
	}
}

// functions are the names of those that are written in TestGroup.
var functions = regexp.MustCompile(`mruntime\.TestGroup\.func\d+`)

func text(of string) string {
	if of == "" {
		return "<nil>"
	}
	return of
}

func waitForContext(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("%w", ctx.Err())
}

func TestTheFirstErrorIsTheCause(t *testing.T) {
	start(t)
	g := NewGroup(context.Background(), "a", KeepRunning)
	var cause error
	g.Go(func(ctx context.Context) error {
		<-ctx.Done()
		cause = context.Cause(ctx)
		return io.ErrUnexpectedEOF // its own
	})
	g.Go(func(context.Context) error { return io.EOF })
	err := g.Wait()
	equal(t, "the cause", cause, io.EOF)
	equal(t, "the errors", err.Error(), "EOF\nunexpected EOF")
}

func TestWithoutCancelOnErrorAllGoOn(t *testing.T) {
	start(t)
	g := NewGroup(context.Background(), "a", KeepRunning, WithoutCancelOnError())
	failed := make(chan struct{})
	g.Go(func(context.Context) error {
		defer close(failed)
		return io.EOF
	})
	var seen error
	g.Go(func(ctx context.Context) error {
		<-failed
		seen = ctx.Err()
		return io.EOF // the same one is not lost
	})
	equal(t, "the errors", g.Wait().Error(), "EOF\nEOF")
	equal(t, "the error of the context", seen, nil)
}

func TestAPanicErrorHasTheReport(t *testing.T) {
	start(t)
	var seen []PanicInfo
	ObservePanics(func(_ context.Context, p PanicInfo) { seen = append(seen, p) })
	g := NewGroup(context.Background(), "a", KeepRunning)
	g.Go(func(context.Context) error { panic(io.EOF) })
	var failure *PanicError
	equal(t, "whether it is one", errors.As(g.Wait(), &failure), true)
	equal(t, "the number of reports", len(seen), 1)
	equal(t, "the report", failure.Info, seen[0])
	contains(t, failure.Info.Stack, "group_test.go")
	equal(t, "the component", failure.Info.Component, "a")
}

func TestALimit(t *testing.T) {
	for _, limit := range []int{1, 3} {
		start(t)
		g := NewGroup(context.Background(), "a", KeepRunning, WithLimit(limit))
		var now, most atomic.Int32
		for i := 0; i < 50; i++ {
			g.Go(func(context.Context) error {
				n := now.Add(1)
				defer now.Add(-1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				if n == 2 {
					panic("boom") // a slot is given back then too
				}
				if n == 3 {
					runtime.Goexit()
				}
				return nil
			})
		}
		_ = g.Wait()
		equal(t, "whether more ran than may", most.Load() <= int32(limit), true)
	}
}

func TestALimitIsReached(t *testing.T) {
	start(t)
	for _, limit := range []int{-1, 0, 2} {
		g := NewGroup(context.Background(), "a", KeepRunning, WithLimit(limit))
		var both sync.WaitGroup
		both.Add(2)
		for i := 0; i < 2; i++ {
			g.Go(func(context.Context) error {
				both.Done()
				both.Wait() // for the other one
				return nil
			})
		}
		equal(t, "the error", g.Wait(), nil)
	}
}

func TestMembersStartMembers(t *testing.T) {
	start(t)
	g := NewGroup(context.Background(), "a", KeepRunning)
	var ran atomic.Int32
	var grow func(n int) func(context.Context) error
	grow = func(n int) func(context.Context) error {
		return func(context.Context) error {
			ran.Add(1)
			for i := 0; i < n; i++ {
				g.Go(grow(n - 1))
			}
			return nil
		}
	}
	g.Go(grow(4))
	equal(t, "the error", g.Wait(), nil)
	equal(t, "how many ran", ran.Load(), 65)
}

func TestNestedGroups(t *testing.T) {
	l := start(t)
	outer := NewGroup(context.Background(), "outer", KeepRunning)
	outer.Go(func(ctx context.Context) error {
		inner := NewGroup(ctx, "inner", KeepRunning)
		inner.Go(func(context.Context) error { panic("boom") })
		inner.Go(waitForContext)
		return inner.Wait()
	})
	outer.Go(waitForContext)
	err := outer.Wait()
	equal(t, "whether it is the panic", errors.Is(err, ErrPanic), true)
	equal(t, "the number of lines", strings.Count(err.Error(), "\n"), 0)
	equal(t, "the number of records", len(l.messages()), 1)
}

func TestResultsAreInOrder(t *testing.T) {
	start(t)
	g := NewResultGroup[int](context.Background(), "square", KeepRunning, WithLimit(4), WithoutCancelOnError())
	for i := 0; i < 20; i++ {
		i := i
		g.Go(func(context.Context) (int, error) {
			for n := 20 - i; n > 0; n-- {
				runtime.Gosched()
			}
			switch i {
			case 3:
				panic("boom")
			case 5:
				return -1, io.EOF
			}
			return i * i, nil
		})
	}
	results, err := g.Wait()
	equal(t, "the results", fmt.Sprint(results), "[0 1 4 0 16 -1 36 49 64 81 100 121 144 169 196 225 256 289 324 361]")
	equal(t, "whether one panicked", errors.Is(err, ErrPanic), true)
	equal(t, "whether one failed", errors.Is(err, io.EOF), true)
	equal(t, "what was started", Metrics()[StartedTotal]["square"], 20)
}

func TestNoResults(t *testing.T) {
	start(t)
	results, err := NewResultGroup[string](context.Background(), "a", KeepRunning).Wait()
	equal(t, "the number of results", len(results), 0)
	equal(t, "the error", err, nil)
	g := NewResultGroup[string](context.Background(), "a", KeepRunning)
	g.Go(nil)
	results, err = g.Wait()
	equal(t, "the number of results", len(results), 1)
	equal(t, "the error", errors.Is(err, errNilFunc), true)
}
