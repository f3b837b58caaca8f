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
