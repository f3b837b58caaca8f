package mruntime

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// waits is a function with a name, that is in its own stack.
func waits(begun chan<- struct{}, hold <-chan struct{}) {
	close(begun)
	<-hold
}

func TestRunningIsWhatHasNotEnded(t *testing.T) {
	start(t)
	equal(t, "what runs", len(Running()), 0)
	hold := make(chan struct{})
	var order []string
	spawned := func(spawn func(begun chan<- struct{})) {
		begun := make(chan struct{})
		spawn(begun)
		<-begun
	}
	spawned(func(begun chan<- struct{}) { SafeGo("mailer", KeepRunning, func() { waits(begun, hold) }) })
	spawned(func(begun chan<- struct{}) {
		NewGroup(context.Background(), "balance", KeepRunning).Go(func(context.Context) error { waits(begun, hold); return nil })
	})
	spawned(func(begun chan<- struct{}) {
		Supervise(context.Background(), "link", KeepRunning, func(context.Context) error { waits(begun, hold); return nil })
	})
	found := Running()
	for _, g := range found {
		order = append(order, g.Kind+" "+g.Component)
		contains(t, g.Stack, "goroutine ", "[chan receive]", "mruntime.waits(", "running_test.go")
		equal(t, "whether the stack is of one goroutine", strings.Count(g.Stack, "\ncreated by "), 1)
		equal(t, "whether it has an age", g.Seconds > 0 && g.Seconds < 60, true)
		contains(t, g.Name, "mruntime.TestRunningIsWhatHasNotEnded.")
		contains(t, g.Stack, "\n"+g.Name+"(") // the stack is its own
	}
	equal(t, "what runs", strings.Join(order, ", "), "goroutine mailer, member balance, supervised link")
	close(hold)
	drain(t)
	equal(t, "what runs", len(Running()), 0)
}

func TestRunningAsTextAndJSON(t *testing.T) {
	g := Goroutine{"goroutine", "mailer", "main.work", 61.25, "goroutine 7 [select]:\nmain.work()"}
	equal(t, "the text", g.String(), "goroutine mailer/main.work, 61.2 s\ngoroutine 7 [select]:\nmain.work()")
	equal(t, "the text without a stack", Goroutine{Kind: "member", Component: "a", Name: "f"}.String(), "member a/f, 0.0 s")
	text, err := json.Marshal([]Goroutine{g})
	equal(t, "the error", err, nil)
	equal(t, "the JSON", string(text), `[{"kind":"goroutine","component":"mailer","name":"main.work","seconds":61.25,"stack":"goroutine 7 [select]:\nmain.work()"}]`)
	text, _ = json.Marshal(Running())
	equal(t, "the JSON of nothing", string(text), "[]")
}

func TestRunningHasNoStacksInProductionAndOfVeryMany(t *testing.T) {
	start(t)
	hold := make(chan struct{})
	begun := make(chan struct{})
	SafeGo("a", KeepRunning, func() { waits(begun, hold) })
	<-begun
	SetProductionMode(true)
	equal(t, "the stack in production", Running()[0].Stack, "")
	SetProductionMode(false)
	for i := 0; i < maxDumped; i++ {
		SafeGo("b", KeepRunning, func() { <-hold })
	}
	found := Running()
	equal(t, "how many run", len(found), 1+maxDumped)
	equal(t, "the stack", found[0].Stack, "")
	equal(t, "the oldest", found[0].Component, "a")
	close(hold)
	drain(t)
}

func TestADeepStackIsFoundToo(t *testing.T) {
	start(t)
	hold, begun := make(chan struct{}), make(chan struct{})
	var deep func(n int)
	deep = func(n int) {
		if n > 0 {
			deep(n - 1)
			return
		}
		waits(begun, hold)
	}
	SafeGo("a", KeepRunning, func() { deep(500) })
	<-begun
	contains(t, Running()[0].Stack, "mruntime.waits(")
	close(hold)
	drain(t)
}

func TestRunningWhileOthersComeAndGo(t *testing.T) {
	start(t)
	ctx, stop := context.WithCancel(context.Background())
	for i := 0; i < 4; i++ {
		component := fmt.Sprint("c", i)
		SafeGoWithContextAndComponent(ctx, component, KeepRunning, func(ctx context.Context) {
			for ctx.Err() == nil {
				done := make(chan struct{})
				SafeGo(component, KeepRunning, func() { close(done) })
				<-done
			}
		})
	}
	for i := 0; i < 50; i++ {
		seen := map[string]int{}
		for _, g := range Running() {
			contains(t, g.Name, "TestRunningWhileOthersComeAndGo")
			if g.Stack != "" {
				seen[g.Stack[:strings.IndexByte(g.Stack, '[')]]++
			}
		}
		for id, n := range seen {
			equal(t, "how often "+id+"is listed", n, 1)
		}
	}
	stop()
	drain(t)
}

func TestManyDoNotGrow(t *testing.T) {
	start(t)
	spawn := func(n int) uint64 {
		for i := 0; i < n; i++ {
			SafeGo("a", KeepRunning, func() {})
			if i%100 == 0 {
				drain(t)
			}
		}
		drain(t)
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := spawn(1000)
	after := spawn(100_000)
	if after > before+256<<10 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	equal(t, "what is kept", registry.spares <= maxSpare, true)
}

func TestWhatHasEndedKeepsNothingAlive(t *testing.T) {
	start(t)
	freed := make(chan struct{})
	func() {
		big := &[1 << 20]byte{}
		runtime.SetFinalizer(big, func(any) { close(freed) })
		type key struct{}
		ctx := context.WithValue(context.Background(), key{}, big)
		SafeGoWithContextAndComponent(ctx, "a", KeepRunning, func(context.Context) { _ = big[0] })
	}()
	drain(t)
	for {
		runtime.GC()
		select {
		case <-freed:
			return
		default:
			runtime.Gosched()
		}
	}
}
