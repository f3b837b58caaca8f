package mruntime_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sort"
	"sync"
	"time"

	"mruntime"
)

// readable makes what is logged the same in each run.
func readable() {
	mruntime.SetLogger(slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.LevelKey || a.Key == slog.MessageKey {
				return a
			}
			return slog.Attr{}
		},
	})))
}

func Example() {
	readable()
	mruntime.SafeGoWithContextAndComponent(context.Background(), "mailer", mruntime.KeepRunning, func(context.Context) {
		panic("no route to ann")
	})
	fmt.Println("drained:", mruntime.Drain(context.Background()))
	// Output:
	// level=ERROR msg="panic recovered in mailer/mruntime_test.Example.func1: no route to ann"
	// drained: <nil>
}

// A worker in the background that runs until its context is done. What can
// panic in one round is recovered in that round, so that the next one comes.
func Example_backgroundWorker() {
	readable()
	ctx, stop := context.WithCancel(context.Background())
	rounds := make(chan int)
	round := func(n int) {
		defer mruntime.RecoverAndLog("poller")
		if n == 2 {
			panic("a bad message")
		}
		fmt.Println("round", n)
	}
	mruntime.SafeGoWithContextAndComponent(ctx, "poller", mruntime.KeepRunning, func(ctx context.Context) {
		for {
			select {
			case n := <-rounds: // or the channel of a time.Ticker
				round(n)
			case <-ctx.Done():
				fmt.Println("stopped")
				return
			}
		}
	})
	for n := 1; n <= 3; n++ {
		rounds <- n
	}
	stop()
	_ = mruntime.Drain(context.Background())
	// Output:
	// round 1
	// level=ERROR msg="panic recovered in poller: a bad message"
	// round 3
	// stopped
}

// Work that outlives the request it comes from: its context keeps the values
// of the request, but is not done when that is.
func Example_afterARequest() {
	handle := func(request context.Context) string {
		audit, cancel := context.WithTimeout(context.WithoutCancel(request), time.Minute)
		mruntime.SafeGoWithContextAndComponent(audit, "audit", mruntime.KeepRunning, func(ctx context.Context) {
			defer cancel()
			fmt.Println("audited, with an error of", ctx.Err())
		})
		return "202 Accepted"
	}
	request, done := context.WithCancel(context.Background())
	answer := handle(request)
	done()
	_ = mruntime.Drain(context.Background())
	fmt.Println(answer)
	// Output:
	// audited, with an error of <nil>
	// 202 Accepted
}

// Many at once. Each says in a deferred call how it ended, so that a panic is
// neither a success nor a wait for ever.
func Example_parallel() {
	readable()
	accounts := []string{"ann", "bob", "eve"}
	failures := make(chan error, len(accounts))
	var wg sync.WaitGroup
	for _, account := range accounts {
		account := account // until Go 1.22
		wg.Add(1)
		mruntime.SafeGoWithContextAndComponent(context.Background(), "balance", mruntime.KeepRunning, func(context.Context) {
			err := errors.New(account + ": panicked")
			defer wg.Done()
			defer func() { failures <- err }()
			if account == "bob" {
				panic("no account of " + account)
			}
			err = nil
		})
	}
	wg.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			fmt.Println("failed:", err)
		}
	}
	_ = mruntime.Drain(context.Background())
	// Unordered output:
	// level=ERROR msg="panic recovered in balance/mruntime_test.Example_parallel.func1: no account of bob"
	// failed: bob: panicked
}

// A call that may take too long, and one that ends without an answer.
func Example_timeout() {
	readable()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ask := func(answer func() string) (string, error) {
		answers := make(chan string, 1) // with room, or the goroutine would stay when nobody waits any more
		mruntime.SafeGoWithContextAndComponent(ctx, "prices", mruntime.KeepRunning, func(context.Context) {
			defer close(answers)
			answers <- answer()
		})
		select {
		case found, ok := <-answers:
			if !ok {
				return "", errors.New("no answer")
			}
			return found, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	fmt.Println(ask(func() string { return "42" }))
	fmt.Println(ask(func() string { panic("boom") }))
	_ = mruntime.Drain(context.Background())
	cancel()
	hold := make(chan struct{})
	_, err := ask(func() string { <-hold; return "too late" })
	fmt.Println(err)
	close(hold)
	_ = mruntime.Drain(context.Background())
	// Unordered output:
	// 42 <nil>
	//  no answer
	// level=ERROR msg="panic recovered in prices/mruntime_test.Example_timeout.func1.1: boom"
	// context canceled
}

// Work that ends together: the first error cancels the context of the others.
func ExampleGroup() {
	readable()
	group := mruntime.NewGroup(context.Background(), "balance", mruntime.KeepRunning, mruntime.WithLimit(8))
	for _, account := range []string{"ann", "bob", "eve"} {
		account := account // until Go 1.22
		group.Go(func(ctx context.Context) error {
			if account == "bob" {
				panic("no account of bob")
			}
			<-ctx.Done() // a request that takes long
			return ctx.Err()
		})
	}
	err := group.Wait()
	fmt.Println(err, "-", errors.Is(err, mruntime.ErrPanic))
	// Output:
	// level=ERROR msg="panic recovered in balance/mruntime_test.ExampleGroup.func1: no account of bob"
	// panic recovered in balance/mruntime_test.ExampleGroup.func1: no account of bob - true
}

// A result of each, in the order of the calls of Go.
func ExampleResultGroup() {
	squares := mruntime.NewResultGroup[int](context.Background(), "squares", mruntime.KeepRunning)
	for n := 1; n <= 4; n++ {
		n := n // until Go 1.22
		squares.Go(func(context.Context) (int, error) { return n * n, nil })
	}
	fmt.Println(squares.Wait())
	// Output:
	// [1 4 9 16] <nil>
}

// A connection that is made again when it is lost.
func ExampleSupervise() {
	failures := []error{errors.New("no route to host"), errors.New("connection reset")}
	connect := func(context.Context) error {
		if len(failures) > 0 {
			err := failures[0]
			failures = failures[1:]
			return err
		}
		fmt.Println("connected")
		return nil
	}
	done := mruntime.Supervise(context.Background(), "link", mruntime.CrashProcess, connect,
		mruntime.WithBackoff(time.Millisecond, time.Minute), mruntime.WithMaxRestarts(5, time.Minute))
	<-done
	fmt.Println("restarts:", mruntime.Metrics()[mruntime.RestartsTotal]["link"])
	// Output:
	// connected
	// restarts: 2
}

// What runs, as text; as JSON it has the same fields.
func ExampleRunning() {
	ctx, stop := context.WithCancel(context.Background())
	mruntime.SafeGoWithContextAndComponent(ctx, "poller", mruntime.KeepRunning, func(ctx context.Context) {
		<-ctx.Done()
	})
	for _, one := range mruntime.Running() {
		fmt.Println(one.Kind, one.Component, one.Name, one.Seconds < 60)
	}
	stop()
	_ = mruntime.Drain(context.Background())
	// Output:
	// goroutine poller mruntime_test.ExampleRunning.func1 true
}

// A shutdown: tell all to stop, wait for them, say what did not stop.
func ExampleDrain() {
	ctx, stop := context.WithCancel(context.Background()) // signal.NotifyContext, in a server
	mruntime.SafeGoWithContextAndComponent(ctx, "poller", mruntime.CrashProcess, func(ctx context.Context) {
		<-ctx.Done()
	})
	deaf := make(chan struct{})
	mruntime.SafeGoWithContextAndComponent(ctx, "deaf", mruntime.KeepRunning, func(context.Context) {
		<-deaf
	})
	stop()
	grace, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	fmt.Println(mruntime.Drain(grace))
	close(deaf)
	fmt.Println(mruntime.Drain(context.Background()))
	// Output:
	// mruntime: still running: deaf (1): context deadline exceeded
	// <nil>
}

// The counts as a program reads them; MetricsVar is the same for expvar.
func ExampleMetrics() {
	mruntime.SafeGoWithContextAndComponent(context.Background(), "metrics", mruntime.KeepRunning, func(context.Context) {})
	_ = mruntime.Drain(context.Background())
	var names []string
	for name, values := range mruntime.Metrics() {
		if _, there := values["metrics"]; there {
			names = append(names, fmt.Sprint(name, " ", values["metrics"]))
		}
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Println(name)
	}
	// Output:
	// goroutine_active 0
	// goroutine_started_total 1
}
