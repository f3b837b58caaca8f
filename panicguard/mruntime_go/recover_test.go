package mruntime

import (
	"context"
	"errors"
	"testing"
)

func TestRecoveringNothing(t *testing.T) {
	l := start(t)
	func() {
		defer RecoverAndLog("a")
		defer RecoverAndCrash("a")
		defer RecoverWithPolicy("a", CrashProcess)
		defer RecoverAndLogWithContext(context.Background(), "a")
		defer RecoverAndCrashWithContext(context.Background(), "a")
		defer RecoverWithPolicyAndContext(context.Background(), "a", CrashProcess)
	}()
	l.expect(t)
	equal(t, "what was counted", len(Metrics()[PanicsTotal]), 0)
}

func TestEachRecover(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, 1)
	var none context.Context
	value := &struct{ name string }{"the very value"}
	for name, c := range map[string]struct {
		fn      func()
		crashes bool
		ctx     context.Context
	}{
		"log":            {func() { defer RecoverAndLog("a"); panic(value) }, false, context.Background()},
		"crash":          {func() { defer RecoverAndCrash("a"); panic(value) }, true, context.Background()},
		"policy, keep":   {func() { defer RecoverWithPolicy("a", KeepRunning); panic(value) }, false, context.Background()},
		"policy, crash":  {func() { defer RecoverWithPolicy("a", CrashProcess); panic(value) }, true, context.Background()},
		"log, ctx":       {func() { defer RecoverAndLogWithContext(ctx, "a"); panic(value) }, false, ctx},
		"log, nil ctx":   {func() { defer RecoverAndLogWithContext(none, "a"); panic(value) }, false, context.Background()},
		"crash, ctx":     {func() { defer RecoverAndCrashWithContext(ctx, "a"); panic(value) }, true, ctx},
		"policy and ctx": {func() { defer RecoverWithPolicyAndContext(ctx, "a", CrashProcess); panic(value) }, true, ctx},
		"handle":         {func() { defer func() { HandlePanicValue("a", recover()) }(); panic(value) }, false, context.Background()},
		"handle, ctx": {func() {
			defer func() { HandlePanicValueWithContext(ctx, "a", recover()) }()
			panic(value)
		}, false, ctx},
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t)
			got := panicked(c.fn)
			want := "ERROR panic recovered in a: &{the very value}"
			if c.crashes {
				equal(t, "the value", got, any(value))
				want = "ERROR+4 panic recovered in a: &{the very value}"
			} else {
				equal(t, "the value", got, nil)
			}
			l.expect(t, want)
			equal(t, "the context", l.ctxs[0], c.ctx)
			equal(t, "panic_source", l.attr(t, "panic_source"), "a")
			equal(t, "what was counted", Metrics()[PanicsTotal]["a"], 1)
			equal(t, "what was started", Metrics()[StartedTotal]["a"], 0)
		})
	}
}

func TestRecoverAndCrashKeepsEachKindOfValue(t *testing.T) {
	type pair struct{ a, b int }
	for _, value := range []any{"text", 42, pair{1, 2}, errors.New("an error"), context.Canceled, true} {
		start(t)
		equal(t, "the value", panicked(func() { defer RecoverAndCrash("a"); panic(value) }), value)
	}
}

func TestOneFrameTooDeepRecoversNothing(t *testing.T) {
	l := start(t)
	got := panicked(func() {
		defer func() { RecoverAndLog("a") }()
		panic("boom")
	})
	equal(t, "the value", got, any("boom"))
	l.expect(t)
}
