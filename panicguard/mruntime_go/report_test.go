package mruntime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
)

type reporterOfTests struct {
	sync.Mutex
	errs []error
	tags []map[string]string
	ctxs []context.Context
}

func (r *reporterOfTests) CaptureException(ctx context.Context, err error, tags map[string]string) {
	r.Lock()
	defer r.Unlock()
	r.errs = append(r.errs, err)
	r.tags = append(r.tags, tags)
	r.ctxs = append(r.ctxs, ctx)
}

func TestTheReporterGetsTheErrorAndTags(t *testing.T) {
	start(t)
	r := &reporterOfTests{}
	SetErrorReporter(r)
	equal(t, "the reporter", GetErrorReporter(), ErrorReporter(r))
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, 1)
	cause := fmt.Errorf("reading: %w", fs.ErrNotExist)
	SafeGoWithContextAndComponent(ctx, "mailer", KeepRunning, func(context.Context) { panic(cause) })
	drain(t)
	equal(t, "the error", r.errs[0], cause)
	equal(t, "the context", r.ctxs[0], ctx)
	contains(t, r.tags[0]["stack_trace"], "report_test.go")
	delete(r.tags[0], "stack_trace")
	equal(t, "the tags", fmt.Sprint(r.tags[0]), "map[component:mailer goroutine_name:mruntime.TestTheReporterGetsTheErrorAndTags.func1 panic_type:recovered]")

	SetErrorReporter(nil)
	equal(t, "the reporter", GetErrorReporter(), nil)
	HandlePanicValue("mailer", "boom")
	equal(t, "the number of reports", len(r.errs), 1)
}

func TestWhatIsNoErrorIsMadeOne(t *testing.T) {
	var none *fs.PathError
	for want, value := range map[string]any{"panic: boom": "boom", "panic: 42": 42, "panic: <nil>": error(none)} {
		start(t)
		r := &reporterOfTests{}
		SetErrorReporter(r)
		HandlePanicValue("a", value)
		equal(t, "the error", r.errs[0].Error(), want)
		equal(t, "whether it is ErrPanic", errors.Is(r.errs[0], ErrPanic), true)
	}
}

func TestALongStackIsCutInTheTags(t *testing.T) {
	start(t)
	r := &reporterOfTests{}
	SetErrorReporter(r)
	var deep func(n int)
	deep = func(n int) {
		if n == 0 {
			panic("boom")
		}
		deep(n - 1)
	}
	SafeGo("a", KeepRunning, func() { deep(100) })
	drain(t)
	stack := r.tags[0]["stack_trace"]
	equal(t, "the length", len(stack), maxText+len(truncated))
	equal(t, "whether it says so", strings.HasSuffix(stack, truncated), true)
}

func TestNoDetailsLeaveInProduction(t *testing.T) {
	l := start(t)
	SetProductionMode(true)
	equal(t, "the mode", IsProductionMode(), true)
	r := &reporterOfTests{}
	SetErrorReporter(r)
	var seen PanicInfo
	ObservePanics(func(_ context.Context, p PanicInfo) { seen = p })
	SafeGo("a", KeepRunning, func() { panic(errors.New("hunter2")) })
	drain(t)
	equal(t, "the value", l.attr(t, "panic_value"), redacted)
	equal(t, "the stack", l.attr(t, "stack_trace"), "(missing)")
	equal(t, "the error", r.errs[0].Error(), redacted)
	equal(t, "whether it is ErrPanic", errors.Is(r.errs[0], ErrPanic), true)
	equal(t, "the number of tags", len(r.tags[0]), 3)
	everything := fmt.Sprintf("%v %+v %+v %v", l.messages(), seen, r.tags, r.errs)
	equal(t, "whether the secret leaked", strings.Contains(everything, "hunter2"), false)
	equal(t, "whether the stack leaked", strings.Contains(everything, "report_test.go"), false)
}

func TestReportersChangeWhileReporting(t *testing.T) {
	start(t)
	r := &reporterOfTests{}
	SetErrorReporter(r)
	var wg sync.WaitGroup
	for i := 0; i < 50; i++ {
		wg.Add(2)
		SafeGo("setter", KeepRunning, func() {
			defer wg.Done()
			SetErrorReporter(nil)
			GetErrorReporter()
			SetErrorReporter(r)
			SetProductionMode(false)
			SetLogger(currentLogger())
			ObservePanics(func(context.Context, PanicInfo) {})()
			OnCrash(func() {})()
		})
		SafeGo("panics", KeepRunning, func() {
			defer wg.Done()
			panic("boom")
		})
	}
	wg.Wait()
	drain(t)
	equal(t, "what was counted", Metrics()[PanicsTotal]["panics"], 50)
}
