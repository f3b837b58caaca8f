package mruntime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// failing is a handler that does something else.
type failing struct{ handle func() }

func (failing) Enabled(context.Context, slog.Level) bool { return true }
func (f failing) WithAttrs([]slog.Attr) slog.Handler     { return f }
func (f failing) WithGroup(string) slog.Handler          { return f }

func (f failing) Handle(context.Context, slog.Record) error {
	f.handle()
	return nil
}

// stuck never says what it is.
type stuck struct{}

func (stuck) Error() string {
	time.Sleep(time.Minute)
	return ""
}

func crash() {
	SafeGo("mailer", CrashProcess, func() { panic("boom") })
	time.Sleep(time.Minute)
	fmt.Println("still here")
}

var scenarios = map[string]func(){
	"crash":                crash,
	"crash, unused logger": func() { SetLogger(slog.New(failing{func() {}})); crash() },
	"logger panics":        func() { SetLogger(slog.New(failing{func() { panic("no") }})); crash() },
	"logger exits":         func() { SetLogger(slog.New(failing{runtime.Goexit})); crash() },
	"logger hangs":         func() { SetLogger(slog.New(failing{func() { select {} }})); crash() },
	"main drains": func() {
		SafeGo("mailer", CrashProcess, func() { panic("boom") })
		_ = Drain(context.Background())
		fmt.Println("still here")
	},
	"a caller recovers": func() {
		defer func() { _ = recover() }()
		crash()
	},
	"two at once": func() {
		SafeGo("other", CrashProcess, func() { panic("boom") })
		crash()
	},
	"a member": func() {
		g := NewGroup(context.Background(), "mailer", CrashProcess)
		g.Go(func(context.Context) error { panic("boom") })
		fmt.Println(g.Wait(), "still here")
	},
	"supervised, panics": func() {
		<-Supervise(context.Background(), "mailer", CrashProcess, func(context.Context) error { panic("boom") }, WithBackoff(0, 0))
		fmt.Println("still here")
	},
	"supervised, fails": func() {
		fails := func(context.Context) error { return errors.New("boom") }
		<-Supervise(context.Background(), "mailer", CrashProcess, fails, WithBackoff(0, 0))
		fmt.Println("still here")
	},
	"recover and crash": func() {
		defer RecoverAndCrash("main")
		panic("boom")
	},
	"flush": func() {
		OnCrash(func() { fmt.Println("flushed") })
		crash()
	},
	"a bare goroutine of theirs": func() {
		SafeGo("mailer", KeepRunning, func() {
			go panic("boom")
			time.Sleep(time.Minute)
		})
		_ = Drain(context.Background())
	},

	"value hangs": func() {
		SafeGo("mailer", CrashProcess, func() { panic(stuck{}) })
		time.Sleep(time.Minute)
	},

	"nothing set": func() {
		SafeGo("mailer", KeepRunning, func() { panic("boom\nand more") })
		_ = Drain(context.Background())
	},
	"logger off": func() {
		off := slog.LevelError + 100
		SetLogger(slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: off})))
		HandlePanicValue("mailer", "boom\nand more")
	},
	"logger fails": func() {
		closed, _ := os.Open(os.DevNull)
		_ = closed.Close()
		SetLogger(slog.New(slog.NewTextHandler(closed, nil)))
		HandlePanicValue("mailer", "boom")
	},
	"many observers fail": func() {
		SetErrorReporter(reporterFunc(func() { panic("a secret") }))
		for i := 0; i < 20; i++ {
			HandlePanicValue("mailer", "boom")
		}
	},
}

func TestCrash(t *testing.T) {
	t.Parallel()
	const report = "panic recovered in mailer/mruntime.crash.func1: boom"
	for name, says := range map[string][]string{
		"crash":                      {"ERROR+4 " + report, "panic_policy=CrashProcess"},
		"crash, unused logger":       {},
		"logger panics":              {"mruntime: the logger panicked (string)", "mruntime: " + report + " [string; not logged: the logger failed]"},
		"logger exits":               {"mruntime: the logger called runtime.Goexit", report},
		"logger hangs":               {"mruntime: crash: the observers of the panic in mailer/mruntime.crash.func1 took too long"},
		"main drains":                {"panic recovered in mailer/"},
		"a caller recovers":          {report},
		"two at once":                {"panic recovered in "},
		"recover and crash":          {"panic recovered in main: boom"},
		"a member":                   {"panic recovered in mailer/", "panic_policy=CrashProcess"},
		"supervised, panics":         {"panic_policy=KeepRunning", "is not started again: 10 restarts within 5m0s", "panic_policy=CrashProcess", "panic_restarts=10"},
		"supervised, fails":          {"failed: boom; it is started again in 0s", "is not started again", "panic_policy=CrashProcess"},
		"flush":                      {report},
		"a bare goroutine of theirs": {},
	} {
		name, says := name, says
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			code, stdout, stderr := run(t, name)
			equal(t, "the exit status", code, 2)
			place := "crash_test.go"
			if name == "supervised, fails" {
				place = "supervise.go" // an error says not where it was made
			}
			contains(t, stderr, append(says, "panic: boom", "goroutine ", place)...)
			want := ""
			if name == "flush" {
				want = "flushed\n"
			}
			equal(t, "standard output", stdout, want)
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestAValueThatHangsDoesNotStopTheCrash(t *testing.T) {
	t.Parallel()
	began := time.Now()
	code, _, stderr := run(t, "value hangs")
	equal(t, "the exit status", code, 2)
	contains(t, stderr, "took too long")
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestKeepRunning(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"nothing set":         "ERROR panic recovered in mailer/mruntime.",
		"logger off":          `mruntime: panic recovered in mailer: boom\nand more [string; not logged: the logger is off]` + "\n",
		"logger fails":        `mruntime: panic recovered in mailer: boom [string; not logged: the logger failed]` + "\n",
		"many observers fail": "mruntime: the error reporter panicked (string)\n",
	} {
		name, says := name, says
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := run(t, name)
			equal(t, "the exit status", code, 0)
			equal(t, "standard output", stdout, "")
			contains(t, stderr, says)
			if complaints := strings.Count(stderr, "mruntime: the error reporter panicked"); complaints > 1 {
				t.Errorf("%d complaints in less than a second", complaints)
			}
		})
	}
}
