package mruntime

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

var (
	logger     atomic.Pointer[slog.Logger]
	complained atomic.Int64 // when, in nanoseconds since 1970
)

// SetLogger makes panics go to the logger; nil, as in the beginning, to
// slog.Default().
//
// A panic is one record: an ERROR, or 4 above that if it ends the process. Its
// message is PanicInfo.Message, its attributes are panic_component,
// panic_source, panic_policy, panic_type, panic_value, panic_restarts, which is
// missing if it is 0, and stack_trace. If the logger does not take it the
// message goes to standard error.
func SetLogger(l *slog.Logger) {
	logger.Store(l)
}

func currentLogger() *slog.Logger {
	if l := logger.Load(); l != nil {
		return l
	}
	return slog.Default()
}

// logPanic writes one record, or at least one line.
func logPanic(ctx context.Context, info PanicInfo, origin uintptr) {
	level := slog.LevelError
	if info.Policy == CrashProcess {
		level += 4
	}
	why := "the logger failed"
	guarded("the logger", func() {
		handler := currentLogger().Handler()
		if !handler.Enabled(ctx, level) {
			why = "the logger is off"
			return
		}
		r := slog.NewRecord(info.Time, level, info.Message(), origin)
		r.AddAttrs(
			slog.String("panic_component", info.Component),
			slog.String("panic_source", info.Name),
			slog.String("panic_policy", info.Policy.String()),
			slog.String("panic_type", info.Type),
			slog.String("panic_value", info.Value),
		)
		if info.Restarts > 0 {
			r.AddAttrs(slog.Int("panic_restarts", info.Restarts))
		}
		if info.Stack != "" {
			r.AddAttrs(slog.String("stack_trace", info.Stack))
		}
		if handler.Handle(ctx, r) == nil {
			why = ""
		}
	})
	if why != "" {
		writeLine("mruntime: " + info.Message() + " [" + info.Type + "; not logged: " + why + "]")
	}
}

// whose is the first attributes of each record.
func whose(component, name string) []slog.Attr {
	return []slog.Attr{slog.String("panic_component", component), slog.String("panic_source", name)}
}

// note writes a record that is about no panic.
func note(ctx context.Context, level slog.Level, text string, attrs ...slog.Attr) {
	guarded("the logger", func() {
		handler := currentLogger().Handler()
		if !handler.Enabled(ctx, level) {
			return
		}
		r := slog.NewRecord(time.Now(), level, text, 0)
		r.AddAttrs(attrs...)
		_ = handler.Handle(ctx, r)
	})
}

// complain writes a line about an observer that failed, one in a second.
func complain(text string) {
	now := time.Now().UnixNano()
	if last := complained.Load(); now-last >= int64(time.Second) && complained.CompareAndSwap(last, now) {
		writeLine("mruntime: " + text)
	}
}

// writeLine writes a line to standard error.
func writeLine(text string) {
	text = strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(text)
	_, _ = os.Stderr.WriteString(cut(text, 2047) + "\n")
}
