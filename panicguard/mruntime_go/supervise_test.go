package mruntime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// quick restarts at once.
var quick = WithBackoff(0, 0)

func TestSupervise(t *testing.T) {
	type run = func(n int, cancel func()) error
	fails := func(int, func()) error { return io.EOF }
	panics := func(int, func()) error { panic("boom") }
	twice := func(fn run) run {
		return func(n int, cancel func()) error {
			if n > 2 {
				return nil
			}
			return fn(n, cancel)
		}
	}
	few := WithMaxRestarts(2, time.Hour)
	const failed = "WARN a/ failed: EOF; it is started again in 0s"
	const panicked, again = "ERROR panic recovered in a/: boom", "INFO a/ is started again in 0s"
	for name, c := range map[string]struct {
		fn      run
		options []SuperviseOption
		runs    int
		logged  []string
		panics  int64
	}{
		"it returns": {func(int, func()) error { return nil }, nil, 1, nil, 0},
		"it exits":   {func(int, func()) error { runtime.Goexit(); return nil }, nil, 1, nil, 0},
		"it exits later": {func(n int, _ func()) error {
			if n == 2 {
				runtime.Goexit()
			}
			return io.EOF
		}, nil, 2, []string{failed}, 0},
		"two errors":       {twice(fails), nil, 3, []string{failed, failed}, 0},
		"two panics":       {twice(panics), nil, 3, []string{panicked, again, panicked, again}, 2},
		"errors, too many": {fails, []SuperviseOption{few}, 3, []string{failed, failed, "ERROR a/ is not started again: 2 restarts within 1h0m0s", "ERROR panic recovered in a/: EOF"}, 1},
		"panics, too many": {panics, []SuperviseOption{few}, 3, []string{panicked, again, panicked, again, "ERROR a/ is not started again: 2 restarts within 1h0m0s", panicked}, 3},
		"no restart":       {fails, []SuperviseOption{WithMaxRestarts(0, time.Hour)}, 1, []string{"ERROR a/ is not started again: 0 restarts within 1h0m0s", "ERROR panic recovered in a/: EOF"}, 1},
		"any number": {func(n int, _ func()) error {
			if n > 200 {
				return nil
			}
			return io.EOF
		}, []SuperviseOption{WithMaxRestarts(-1, time.Hour)}, 201, nil, 0},
		"long ago": {func(n int, _ func()) error {
			if n > 50 {
				return nil
			}
			return io.EOF
		}, []SuperviseOption{WithMaxRestarts(1, -1)}, 51, nil, 0},
		"done":                {func(_ int, cancel func()) error { cancel(); return context.Canceled }, nil, 1, nil, 0},
		"done, another error": {func(_ int, cancel func()) error { cancel(); return io.EOF }, nil, 1, []string{"ERROR a/ failed when it was to end: EOF"}, 0},
		"done, a panic":       {func(_ int, cancel func()) error { cancel(); panic("boom") }, nil, 1, []string{panicked}, 1},
		"Canceled by another": {twice(func(int, func()) error { return context.Canceled }), nil, 3, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			runs := 0
			fn := func(got context.Context) error {
				equal(t, "the context", got, ctx)
				runs++
				return c.fn(runs, cancel)
			}
			<-Supervise(ctx, "a", KeepRunning, fn, append(c.options, quick)...)
			drain(t)
			equal(t, "the number of runs", runs, c.runs)
			equal(t, "what was counted", Metrics()[PanicsTotal]["a"], c.panics)
			equal(t, "the restarts", Metrics()[RestartsTotal]["a"], int64(c.runs-1))
			equal(t, "what was started", Metrics()[StartedTotal]["a"], 1)
			if c.logged != nil || c.runs == 1 {
				messages := strings.Join(l.messages(), "\n")
				messages = strings.ReplaceAll(messages, nameOf(pointer(fn)), "")
				equal(t, "the log", messages, strings.Join(c.logged, "\n"))
			}
		})
	}
}

func TestRestartsAreInTheReport(t *testing.T) {
	l := start(t)
	var lock chan string = make(chan string, 10)
	SetRecorder(recorderFunc(func(counter, component string) { lock <- counter + " " + component }))
	var seen []PanicInfo
	ObservePanics(func(_ context.Context, p PanicInfo) { seen = append(seen, p) })
	<-Supervise(context.Background(), "a", KeepRunning, (&worker{}).fail, quick, WithMaxRestarts(1, time.Hour))
	equal(t, "the number of panics", len(seen), 2)
	for i, p := range seen {
		equal(t, "the restarts", p.Restarts, i)
		equal(t, "the name", p.Name, "mruntime.(*worker).fail")
		lines := strings.Split(p.Stack, "\n")
		contains(t, lines[1], "panic(")
		contains(t, lines[3], "mruntime.(*worker).fail")
	}
	l.records = l.records[len(l.records)-1:]
	equal(t, "panic_restarts", l.attr(t, "panic_restarts"), "1")
	close(lock)
	var counted []string
	for one := range lock {
		counted = append(counted, one)
	}
	equal(t, "what was recorded", fmt.Sprint(counted), "[goroutine_started_total a goroutine_panics_total a goroutine_restarts_total a goroutine_panics_total a]")
}

func (*worker) fail(context.Context) error { panic("boom") }

func TestAContextEndsThePause(t *testing.T) {
	l := start(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := Supervise(ctx, "a", CrashProcess, func(context.Context) error { return io.EOF }, WithBackoff(time.Hour, time.Hour))
	eventually(t, func() bool { return len(l.messages()) == 1 })
	select {
	case <-done:
		t.Error("it has ended")
	default:
	}
	cancel()
	<-done
	equal(t, "the number of records", len(l.messages()), 1)
}

func TestPausesGrow(t *testing.T) {
	start(t)
	for _, c := range []struct {
		first, longest time.Duration
		restarts       int
		want           time.Duration
	}{
		{time.Second, time.Minute, 0, time.Second},
		{time.Second, time.Minute, 1, 2 * time.Second},
		{time.Second, time.Minute, 5, 32 * time.Second},
		{time.Second, time.Minute, 6, time.Minute},
		{time.Second, time.Minute, 1000, time.Minute},
		{time.Minute, time.Second, 0, time.Second},
		{time.Second, 1<<63 - 1, 1000, 1<<63 - 1},
		{0, time.Minute, 3, 0},
		{-1, -1, 3, 0},
	} {
		s := &supervision{work: &work{component: "a"}, first: c.first, longest: c.longest, most: -1}
		s.recent = make([]time.Duration, c.restarts)
		pause := s.restart()
		equal(t, fmt.Sprintf("whether %s is from half of %s to it", pause, c.want), pause >= c.want/2 && pause <= c.want, true)
		equal(t, "what is remembered", len(s.recent) <= max(c.restarts, maxRecent), true)
	}
}

func TestErrorsAreRedacted(t *testing.T) {
	l := start(t)
	n := 0
	fn := func(context.Context) error {
		if n++; n == 1 {
			return errors.New("password=hunter2")
		}
		return nil
	}
	<-Supervise(context.Background(), "a", KeepRunning, fn, quick)
	contains(t, l.messages()[0], "failed: password=[REDACTED]; it is")
	equal(t, "panic_component", l.attr(t, "panic_component"), "a")
	equal(t, "panic_restarts", l.attr(t, "panic_restarts"), "1")
}

func TestSuperviseOfNothing(t *testing.T) {
	l := start(t)
	<-Supervise(context.Background(), "a", CrashProcess, nil)
	l.expect(t, "WARN Supervise called with nil callback, ignoring")
	equal(t, "what was started", len(Metrics()[StartedTotal]), 0)
}

func TestNilContextOfSuperviseAndGroup(t *testing.T) {
	start(t)
	var none context.Context
	<-Supervise(none, "a", KeepRunning, func(ctx context.Context) error { return ctx.Err() })
	g := NewGroup(none, "a", KeepRunning)
	g.Go(func(ctx context.Context) error { return ctx.Err() })
	equal(t, "the error", g.Wait(), nil)
}
