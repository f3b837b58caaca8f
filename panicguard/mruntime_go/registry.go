package mruntime

import (
	"strings"
	"sync"
	"time"
)

const (
	maxLabelBytes = 64
	maxLabels     = 256
	otherLabel    = "_other"

	maxSpare = 1024 // of 144 bytes each
)

type counts struct {
	label                             string
	started, panics, restarts, active int64
}

// registry is what runs, the oldest first, and what was counted, by label.
var registry struct {
	sync.Mutex
	counts      map[string]*counts
	first, last *work
	entered     uint64
	spare       *work // those that have ended, to be used again: a spawn then allocates nothing
	spares      int
	lookers     int           // while somebody looks none is used again, so that a pointer is one goroutine
	ended       chan struct{} // closed, and forgotten, when a goroutine ends
}

var processStart = time.Now()

// sinceStart is the time by a clock that cannot be set.
func sinceStart() time.Duration {
	return time.Since(processStart)
}

// countsOf is where a component is counted. The registry is locked.
func countsOf(component string) *counts {
	if c := registry.counts[component]; c != nil {
		return c
	}
	label := cut(strings.ToValidUTF8(component, "\uFFFD"), maxLabelBytes) // Prometheus takes no other
	c := registry.counts[label]
	if c == nil && len(registry.counts) >= maxLabels {
		label = otherLabel
		c = registry.counts[label]
	}
	if c == nil {
		if registry.counts == nil {
			registry.counts = map[string]*counts{}
		}
		c = &counts{label: label}
		registry.counts[label] = c
	}
	return c
}

// enter counts a goroutine that is about to start, and puts it into the registry.
func enter(component, kind string, source uintptr) *work {
	began := sinceStart()
	registry.Lock()
	defer registry.Unlock()
	w := registry.spare
	if w == nil {
		w = &work{}
		w.body = w.run
	} else {
		registry.spare, w.next = w.next, nil
		registry.spares--
	}
	registry.entered++
	w.id, w.component, w.kind, w.source, w.began = registry.entered, component, kind, source, began
	w.counts = countsOf(component)
	w.counts.started++
	w.counts.active++
	w.prev = registry.last
	if w.prev == nil {
		registry.first = w
	} else {
		w.prev.next = w
	}
	registry.last = w
	return w
}

// leave takes a goroutine that has ended out of the registry, and returns whom
// to tell. The goroutine must not be touched any more.
func leave(w *work) (ended func(*PanicError)) {
	registry.Lock()
	defer registry.Unlock()
	w.counts.active--
	if w.prev == nil {
		registry.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		registry.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	ended = w.ended
	w.prev, w.next, w.ctx, w.fn, w.ended, w.restarts = nil, nil, nil, nil, nil, 0
	if registry.lookers == 0 && registry.spares < maxSpare {
		registry.spare, w.next = w, registry.spare
		registry.spares++
	}
	if registry.ended != nil {
		close(registry.ended)
		registry.ended = nil
	}
	return ended
}

// look is what runs, the oldest first, until done is called.
func look() (found []*work, done func()) {
	registry.Lock()
	defer registry.Unlock()
	registry.lookers++
	for w := registry.first; w != nil; w = w.next {
		found = append(found, w)
	}
	return found, func() {
		registry.Lock()
		defer registry.Unlock()
		registry.lookers--
	}
}

func countPanic(component string) (label string) {
	registry.Lock()
	defer registry.Unlock()
	c := countsOf(component)
	c.panics++
	return c.label
}

func countRestart(component string) (label string) {
	registry.Lock()
	defer registry.Unlock()
	c := countsOf(component)
	c.restarts++
	return c.label
}
