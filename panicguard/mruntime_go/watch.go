package mruntime

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Watch logs, from now on, what runs for longer than that: a WARN for each,
// once, with its stack as Running has it. It looks four times in that time. Of
// components only these, if there are any; else work that is to go on for ever
// is told of as well. It returns what ends it.
func Watch(longerThan time.Duration, components ...string) (stop func()) {
	w := &watcher{longerThan: longerThan, components: components, told: map[uint64]bool{}}
	ticker, stopped := time.NewTicker(max(longerThan/4, time.Millisecond)), make(chan struct{})
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				w.look()
			case <-stopped:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(stopped) })
}

type watcher struct {
	longerThan time.Duration
	components []string
	told       map[uint64]bool // by work.id, those that still run
}

func (w *watcher) look() {
	for _, g := range w.news() {
		attrs := whose(g.Component, g.Name)
		if g.Stack != "" {
			attrs = append(attrs, slog.String("stack_trace", g.Stack))
		}
		note(context.Background(), slog.LevelWarn, fmt.Sprintf("%s runs for %.1f s", g.title(), g.Seconds), attrs...)
	}
}

// news is what is stuck and was not told yet.
func (w *watcher) news() (found []Goroutine) {
	works, done := look()
	defer done()
	now, told := sinceStart(), map[uint64]bool{}
	var stuck []*work
	for _, one := range works {
		if w.told[one.id] {
			told[one.id] = true
		} else if now-one.began > w.longerThan && w.watches(one.component) {
			told[one.id] = true
			stuck = append(stuck, one)
		}
	}
	w.told = told
	if len(stuck) > 0 {
		found = describe(stuck)
	}
	return found
}

func (w *watcher) watches(component string) bool {
	return len(w.components) == 0 || slices.Contains(w.components, component)
}
