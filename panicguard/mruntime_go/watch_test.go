package mruntime

import (
	"strings"
	"testing"
	"time"
)

func TestWatchTellsOnce(t *testing.T) {
	l := start(t)
	hold, begun := make(chan struct{}), make(chan struct{})
	SafeGo("import", KeepRunning, func() { waits(begun, hold) })
	SafeGo("poller", KeepRunning, func() { <-hold })
	<-begun
	w := &watcher{components: []string{"import"}, longerThan: time.Hour}
	w.look()
	l.expect(t) // not yet
	w.longerThan = 0
	for i := 0; i < 3; i++ {
		w.look()
	}
	equal(t, "the number of records", len(l.messages()), 1)
	contains(t, l.messages()[0], "WARN goroutine import/mruntime.TestWatchTellsOnce.func1 runs for 0.")
	contains(t, l.attr(t, "stack_trace"), "mruntime.waits(")
	equal(t, "panic_component", l.attr(t, "panic_component"), "import")
	equal(t, "panic_source", l.attr(t, "panic_source"), "mruntime.TestWatchTellsOnce.func1")
	close(hold)
	drain(t)
	w.look()
	equal(t, "what is remembered", len(w.told), 0)
}

func TestAllAreWatchedWithoutComponents(t *testing.T) {
	l := start(t)
	hold := make(chan struct{})
	stop := Watch(time.Nanosecond)
	SafeGo("a", KeepRunning, func() { <-hold })
	SafeGo("b", KeepRunning, func() { <-hold })
	eventually(t, func() bool { return len(l.messages()) == 2 })
	text := strings.Join(l.messages(), "\n")
	contains(t, text, "goroutine a/", "goroutine b/")
	stop()
	stop()
	close(hold)
	drain(t)
}

func TestAWatchThatWasStoppedTellsNothing(t *testing.T) {
	l := start(t)
	hold := make(chan struct{})
	Watch(time.Nanosecond)()
	other := Watch(time.Nanosecond, "b")
	SafeGo("a", KeepRunning, func() { <-hold })
	SafeGo("b", KeepRunning, func() { <-hold })
	eventually(t, func() bool { return len(l.messages()) > 0 })
	contains(t, l.messages()[0], "goroutine b/")
	other()
	close(hold)
	drain(t)
}
