package mruntime

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestDrainOfNothing(t *testing.T) {
	start(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	equal(t, "the error", Drain(ctx), nil)
	var none context.Context
	equal(t, "the error", Drain(none), nil)
}

func TestDrainWaitsForTheReport(t *testing.T) {
	l := start(t)
	telling, hold := make(chan struct{}), make(chan struct{})
	ObservePanics(func(context.Context, PanicInfo) {
		close(telling)
		<-hold
	})
	SafeGo("a", KeepRunning, func() { panic("boom") })
	<-telling
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	equal(t, "whether it waited", errors.Is(Drain(ctx), context.DeadlineExceeded), true)
	close(hold)
	drain(t)
	equal(t, "the number of records", len(l.messages()), 1)
}

func TestDrainWaitsForWhatIsStartedMeanwhile(t *testing.T) {
	start(t)
	hold := make(chan struct{})
	last := false
	SafeGo("first", KeepRunning, func() {
		<-hold
		SafeGo("second", KeepRunning, func() {
			SafeGo("third", KeepRunning, func() { last = true })
		})
	})
	close(hold)
	drain(t)
	equal(t, "whether the last one ran", last, true)
}

func TestDrainSaysWhatStillRuns(t *testing.T) {
	start(t)
	hold := make(chan struct{})
	for _, component := range []string{"poller", "mailer", "poller"} {
		SafeGo(component, KeepRunning, func() { <-hold })
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := Drain(ctx)
	equal(t, "the error", err.Error(), "mruntime: still running: mailer (1), poller (2): context deadline exceeded")
	equal(t, "whether it is that of the context", errors.Is(err, context.DeadlineExceeded), true)
	close(hold)
	drain(t)
}

func TestTwoDrain(t *testing.T) {
	start(t)
	hold := make(chan struct{})
	SafeGo("a", KeepRunning, func() { <-hold })
	done := make(chan error)
	for i := 0; i < 2; i++ {
		go func() { done <- Drain(context.Background()) }()
	}
	close(hold)
	equal(t, "the error", <-done, nil)
	equal(t, "the error", <-done, nil)
}
