package mruntime

import (
	"log/slog"
	"runtime"
	"strings"
	"testing"
)

type shy struct{ how func() }

func (s shy) String() string { s.how(); return "" }

func TestNilIsNoPanic(t *testing.T) {
	l := start(t)
	HandlePanicValue("a", nil)
	l.expect(t)
	equal(t, "what was counted", Metrics()[PanicsTotal]["a"], 0)
}

func TestWhatCannotBePrinted(t *testing.T) {
	quiet(t)
	l := start(t)
	HandlePanicValue("a", shy{runtime.Goexit})
	l.expect(t, "ERROR panic recovered in a: <unprintable mruntime.shy>")

	l = start(t)
	HandlePanicValue("a", shy{func() { panic("no") }})
	contains(t, l.messages()[0], "panic recovered in a: ", "PANIC=String method: no")

	l = start(t)
	HandlePanicValue("a", strings.Repeat("ä", maxText))
	equal(t, "the length", len(l.attr(t, "panic_value")), maxText)

	l = start(t)
	HandlePanicValue("a", strings.Repeat("-", maxText-14)+`password="two words"`)
	contains(t, l.attr(t, "panic_value"), "--password=[REDA")
}

func TestTheStackBeginsWithWhatPanicked(t *testing.T) {
	l := start(t)
	func() {
		defer RecoverAndLog("a")
		(&worker{}).run(nil) //nolint:staticcheck // it does not look at it
	}()
	lines := strings.Split(l.attr(t, "stack_trace"), "\n")
	contains(t, lines[0], "goroutine ")
	contains(t, lines[1], "panic(")
	contains(t, lines[3], "mruntime.(*worker).run")
}

func TestTheRecordNamesTheLineThatPanicked(t *testing.T) {
	l := start(t)
	var table map[string]int
	for name, fn := range map[string]func(){
		"run":  func() { (&worker{}).run(nil) }, //nolint:staticcheck // it does not look at it
		"Line": func() { table["a"] = 1 },
	} {
		l.records = nil
		func() {
			defer RecoverAndLog("a")
			fn()
		}()
		frame, _ := runtime.CallersFrames([]uintptr{l.records[0].PC}).Next()
		contains(t, frame.Function, name)
	}
	l.records = nil
	HandlePanicValue("a", "of another goroutine")
	equal(t, "the place", l.records[0].PC, 0)
}

func TestStackText(t *testing.T) {
	start(t)
	whole := "goroutine 7 [running]:\n" + strings.Repeat("a", maxText-len("goroutine 7 [running]:\n"))
	equal(t, "a stack of 4096 bytes", stackText(whole), whole)
	equal(t, "a longer one", stackText(whole+"b"), whole+"\n...[truncated]")
	equal(t, "one that is nobody's", stackText(""), "")
	stack := "goroutine 7 [running]:\nruntime/debug.Stack()\n\tstack.go:26\npanic({0x1, 0x2})\n\tpanic.go:8\nmain.f()\n\tmain.go:5"
	equal(t, "the stack", stackText(stack), "goroutine 7 [running]:\npanic({0x1, 0x2})\n\tpanic.go:8\nmain.f()\n\tmain.go:5")
	SetProductionMode(true)
	equal(t, "the stack in production", stackText(stack), "")
}

func TestGuardedTellsWhetherItReturned(t *testing.T) {
	quiet(t)
	equal(t, "a return", guarded("it", func() {}), true)
	equal(t, "a panic", guarded("it", func() { panic("no") }), false)
	equal(t, "a nil panic", guarded("it", func() { panic(nil) }), false)
	equal(t, "an exit", guarded("it", runtime.Goexit), false)
}

func TestALoggerThatFailsChangesNothing(t *testing.T) {
	for name, handle := range map[string]func(){"panics": func() { panic("no") }, "exits": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			start(t)
			quiet(t)
			SetLogger(slog.New(failing{handle: handle}))
			caught := &reporterOfTests{}
			SetErrorReporter(caught)
			after := false
			value := panicked(func() {
				func() {
					defer RecoverAndLog("a")
					panic("boom")
				}()
				after = true
			})
			equal(t, "what escaped", value, nil)
			equal(t, "whether it went on", after, true)
			equal(t, "what was reported", len(caught.errs), 1)
			SafeGo("a", KeepRunning, nil) // its warning is guarded too
		})
	}
}
