package mruntime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand"
	"time"
)

// SuperviseOption is an option of Supervise.
type SuperviseOption func(*supervision)

// WithBackoff sets the pauses before restarts: the first one, each further one
// twice as long, but none longer than longest; of each a random part of at
// least half. Without it they are 100 ms and 30 s.
func WithBackoff(first, longest time.Duration) SuperviseOption {
	return func(s *supervision) { s.first, s.longest = first, longest }
}

// WithMaxRestarts allows so many restarts within a time, 10 within 5 minutes
// without it. A negative n: as many as it takes.
func WithMaxRestarts(n int, within time.Duration) SuperviseOption {
	return func(s *supervision) { s.most, s.within = n, within }
}

// Supervise runs fn(ctx) in a new goroutine, and again when it panics or
// returns an error. It ends when fn returns nil, calls runtime.Goexit, or ends
// in whatever way after ctx is done; done is closed then.
//
// Each panic is reported as by SafeGoWithContextAndComponent, and each error
// is a WARN in the log; PanicInfo.Restarts and RestartsTotal count the
// restarts. Once there are too many of them the next panic is the last, or the
// next error becomes one, and the policy decides. An error after ctx is done
// is logged, if it is not that of ctx.
//
// A nil fn is a warning in the log, and no goroutine.
func Supervise(ctx context.Context, component string, policy PanicRecoveryPolicy, fn func(ctx context.Context) error, options ...SuperviseOption) (done <-chan struct{}) {
	ended := make(chan struct{})
	if fn == nil {
		warnNilFunc("Supervise", component)
		close(ended)
		return ended
	}
	s := &supervision{fn: fn, first: 100 * time.Millisecond, longest: 30 * time.Second, most: 10, within: 5 * time.Minute}
	for _, option := range options {
		option(s)
	}
	s.work = enter(component, supervised, pointer(fn))
	s.work.ended = func(*PanicError) { close(ended) }
	s.work.start(ctx, policy, s.run)
	return ended
}

const maxRecent = 64 // as many restarts are remembered where there may be any number

type supervision struct {
	work           *work
	fn             func(context.Context) error
	first, longest time.Duration
	most           int
	within         time.Duration
	recent         []time.Duration // when it was started again, as sinceStart has it
}

func (s *supervision) run(ctx context.Context) {
	for again := true; again; {
		var pause time.Duration
		if pause, again = s.once(ctx); again && !sleep(ctx, pause) {
			return
		}
	}
}

// sleep tells whether so much time has passed before ctx was done.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once runs fn, and tells whether it is to run again, and after what pause.
func (s *supervision) once(ctx context.Context) (pause time.Duration, again bool) {
	returned := false
	defer func() {
		if returned || panicOrigin() == 0 { // a Goexit is an end
			return
		}
		// What is not recovered here is the last one, of which the policy decides.
		if ctx.Err() == nil && s.isAllowed(ctx) {
			s.work.report(KeepRunning, recover())
			pause, again = s.restart(), true
			s.note(ctx, slog.LevelInfo, fmt.Sprintf("is started again in %s", pause))
		}
	}()
	err := s.fn(ctx)
	returned = true
	return s.after(ctx, err)
}

// after is what becomes of fn when it has returned.
func (s *supervision) after(ctx context.Context, err error) (pause time.Duration, again bool) {
	if err == nil {
		return 0, false
	}
	if ctx.Err() != nil {
		if !errors.Is(err, ctx.Err()) && !errors.Is(err, context.Cause(ctx)) {
			s.note(ctx, slog.LevelError, "failed when it was to end: "+valueText(err))
		}
		return 0, false
	}
	if !s.isAllowed(ctx) {
		panic(err)
	}
	pause = s.restart()
	s.note(ctx, slog.LevelWarn, fmt.Sprintf("failed: %s; it is started again in %s", valueText(err), pause))
	return pause, true
}

// isAllowed tells whether another restart is, and logs it if not.
func (s *supervision) isAllowed(ctx context.Context) bool {
	now := sinceStart()
	for len(s.recent) > 0 && now-s.recent[0] > s.within {
		s.recent = s.recent[1:]
	}
	if s.most < 0 || len(s.recent) < s.most {
		return true
	}
	s.note(ctx, slog.LevelError, fmt.Sprintf("is not started again: %d restarts within %s", s.most, s.within))
	return false
}

// restart counts a restart, and returns the pause before it.
func (s *supervision) restart() time.Duration {
	pause := max(0, min(s.first, s.longest))
	for n := 0; n < min(len(s.recent), maxRecent) && pause < s.longest; n++ {
		pause += min(pause, s.longest-pause)
	}
	pause = pause/2 + time.Duration(rand.Int63n(int64(pause-pause/2)+1))
	s.recent = append(s.recent, sinceStart())
	if s.most < 0 && len(s.recent) > maxRecent {
		s.recent = s.recent[1:]
	}
	s.work.restarts++
	record(RestartsTotal, countRestart(s.work.component))
	return pause
}

func (s *supervision) note(ctx context.Context, level slog.Level, text string) {
	name := s.work.name()
	attrs := append(whose(s.work.component, name), slog.Int("panic_restarts", s.work.restarts))
	note(ctx, level, PanicInfo{Component: s.work.component, Name: name}.where()+" "+text, attrs...)
}
