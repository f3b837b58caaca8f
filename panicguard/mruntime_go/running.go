package mruntime

import (
	"fmt"
	"runtime"
	"strings"
)

// maxDumped is for how many goroutines of the process stacks are taken: all of
// them stand still meanwhile, for 7 ms or so.
const maxDumped = 1000

// Goroutine is one that was started with this package and has not ended.
type Goroutine struct {
	// Kind is "goroutine", "member", of a Group, or "supervised".
	Kind      string `json:"kind"`
	Component string `json:"component"`
	// Name is the function that was spawned, as in PanicInfo.
	Name string `json:"name"`
	// Seconds is for how long it has been running; one that is supervised since
	// its first start.
	Seconds float64 `json:"seconds"`
	// Stack is where it is, at most 4096 bytes. It is empty in production mode,
	// and if it has not begun.
	Stack string `json:"stack"`
}

// String returns "kind component/name, 12.3 s", and below it the stack.
func (g Goroutine) String() string {
	return strings.TrimRight(fmt.Sprintf("%s, %.1f s\n%s", g.title(), g.Seconds, g.Stack), "\n")
}

func (g Goroutine) title() string {
	return g.Kind + " " + PanicInfo{Component: g.Component, Name: g.Name}.where()
}

// Running returns what runs now, the oldest first, the caller too. There are
// no values of the program in it.
//
// Go names no goroutine, so the stacks are looked up in a trace of all, while
// which the whole process stands still. That is done in processes of at most
// 1,000 goroutines; in others each Stack is empty.
func Running() []Goroutine {
	works, done := look()
	defer done()
	return describe(works)
}

// describe is goroutines in words, before look is done. Some may have ended.
func describe(works []*work) []Goroutine {
	now, traces := sinceStart(), traces()
	found := make([]Goroutine, 0, len(works))
	for _, w := range works {
		found = append(found, Goroutine{
			Kind:      w.kind,
			Component: w.component,
			Name:      w.name(),
			Seconds:   (now - w.began).Seconds(),
			Stack:     shortened(traces[fmt.Sprintf("%p", w)]), // there are no values in it to redact
		})
	}
	return found
}

// traces is where each goroutine of this package is, by the pointer that run
// has in a trace; nil if nobody is to see it, or if it would take too long.
func traces() map[string]string {
	if IsProductionMode() || runtime.NumGoroutine() > maxDumped {
		return nil
	}
	const run = ".(*work).run("
	found := map[string]string{}
	for _, trace := range strings.Split(dump(), "\n\n") {
		if at := strings.LastIndex(trace, run); at >= 0 {
			pointer, _, _ := strings.Cut(trace[at+len(run):], ")")
			found[pointer] = trace
		}
	}
	return found
}

// dump is the trace of all goroutines, at most 16 MiB of it.
func dump() string {
	for size := 1 << 18; ; size *= 2 {
		text := make([]byte, size)
		if n := runtime.Stack(text, true); n < size || size >= 1<<24 {
			return string(text[:n])
		}
	}
}
