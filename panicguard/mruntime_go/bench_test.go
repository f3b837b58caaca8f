package mruntime

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
)

// What SafeGo adds to a bare goroutine: go test -run '^$' -bench . -benchmem
//
// Each goroutine is waited for before the next, so that not the scheduler is measured.

func BenchmarkGo(b *testing.B) {
	var wg sync.WaitGroup
	for i := 0; i < b.N; i++ {
		wg.Add(1)
		go func() { wg.Done() }()
		wg.Wait()
	}
}

func BenchmarkSafeGo(b *testing.B) {
	var wg sync.WaitGroup
	for i := 0; i < b.N; i++ {
		wg.Add(1)
		SafeGoWithContextAndComponent(context.Background(), "bench", KeepRunning, func(context.Context) { wg.Done() })
		wg.Wait()
	}
}

func BenchmarkSafeGoPanics(b *testing.B) {
	start(b)
	SetLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		SafeGoWithContextAndComponent(context.Background(), "bench", KeepRunning, func(context.Context) { panic("boom") })
		if err := Drain(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGroup(b *testing.B) {
	g := NewGroup(context.Background(), "bench", KeepRunning, WithLimit(1))
	for i := 0; i < b.N; i++ {
		g.Go(func(context.Context) error { return nil })
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSupervise has a restart in each turn.
func BenchmarkSupervise(b *testing.B) {
	start(b)
	SetLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	n := 0
	fails := func(context.Context) error {
		if n++; n <= b.N {
			return io.EOF
		}
		return nil
	}
	b.ResetTimer()
	<-Supervise(context.Background(), "bench", KeepRunning, fails, WithBackoff(0, 0), WithMaxRestarts(-1, 0))
}

// BenchmarkRunning is with 900 goroutines.
func BenchmarkRunning(b *testing.B) {
	start(b)
	hold := make(chan struct{})
	for i := 0; i < 900; i++ {
		SafeGo("bench", KeepRunning, func() { <-hold })
	}
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		Running()
	}
	close(hold)
}
