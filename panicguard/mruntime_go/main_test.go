package mruntime

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const scenario = "MRUNTIME_SCENARIO"

// TestMain runs the tests, or, in a process of its own, one of the scenarios.
func TestMain(m *testing.M) {
	if name := os.Getenv(scenario); name != "" {
		scenarios[name]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// run runs a scenario in a process of its own.
func run(t *testing.T, name string) (code int, stdout, stderr string) {
	t.Helper()
	if scenarios[name] == nil {
		t.Fatalf("there is no scenario %q", name)
	}
	var out, err strings.Builder
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), scenario+"="+name)
	command.Stdout, command.Stderr = &out, &err
	if failed := command.Run(); failed != nil {
		var exit *exec.ExitError
		if !errors.As(failed, &exit) {
			t.Fatal(failed)
		}
	}
	return command.ProcessState.ExitCode(), out.String(), err.String()
}

// log is a handler that keeps what it is given.
type log struct {
	sync.Mutex
	records []slog.Record
	ctxs    []context.Context
}

func (l *log) Enabled(context.Context, slog.Level) bool { return true }
func (l *log) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *log) WithGroup(string) slog.Handler            { return l }

func (l *log) Handle(ctx context.Context, r slog.Record) error {
	l.Lock()
	defer l.Unlock()
	l.records = append(l.records, r)
	l.ctxs = append(l.ctxs, ctx)
	return nil
}

func (l *log) messages() []string {
	l.Lock()
	defer l.Unlock()
	var texts []string
	for _, r := range l.records {
		texts = append(texts, r.Level.String()+" "+r.Message)
	}
	return texts
}

func (l *log) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := l.messages(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func (l *log) attr(t *testing.T, key string) string {
	t.Helper()
	l.Lock()
	defer l.Unlock()
	if len(l.records) != 1 {
		t.Fatalf("%d records", len(l.records))
	}
	found := "(missing)"
	l.records[0].Attrs(func(a slog.Attr) bool {
		if a.Key == key {
			found = a.Value.String()
		}
		return true
	})
	return found
}

// start begins a test with nothing set and nothing counted, and with a logger.
func start(t testing.TB) *log {
	t.Helper()
	clear := func() {
		drain(t)
		SetErrorReporter(nil)
		SetRecorder(nil)
		SetLogger(nil)
		SetProductionMode(false)
		registry.Lock()
		registry.counts = nil
		registry.Unlock()
		observers.fns, crashHooks.fns = nil, nil
	}
	clear()
	t.Cleanup(clear)
	l := &log{}
	SetLogger(slog.New(l))
	return l
}

// quiet keeps a test from complaining about the observers that it lets fail.
func quiet(t *testing.T) {
	complained.Store(1 << 62)
	t.Cleanup(func() { complained.Store(0) })
}

func drain(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until it is so.
func eventually(t testing.TB, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it never was")
		}
	}
}

// panicked is what fn panics with, nil if it does not.
func panicked(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("there is no %q in:\n%s", part, text)
		}
	}
}
