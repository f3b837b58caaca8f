package mruntime

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
)

// ErrPanic is what the error of a panic is, errors.Is(err, ErrPanic), if the
// program did not panic with an error of its own.
var ErrPanic = errors.New("panic")

// ErrorReporter sends panics to an error tracker.
type ErrorReporter interface {
	// CaptureException gets the error that the program panicked with, or
	// "panic: value". The tags are component, goroutine_name, panic_type, which
	// is "recovered", and stack_trace, which is missing in production mode.
	CaptureException(ctx context.Context, err error, tags map[string]string)
}

var reporter atomic.Pointer[ErrorReporter]

// SetErrorReporter makes every panic go to the reporter as well; nil: no
// longer.
func SetErrorReporter(r ErrorReporter) {
	if r == nil {
		reporter.Store(nil)
		return
	}
	reporter.Store(&r)
}

// GetErrorReporter returns what was set, or nil.
func GetErrorReporter() ErrorReporter {
	if r := reporter.Load(); r != nil {
		return *r
	}
	return nil
}

func tellReporter(ctx context.Context, info PanicInfo, value any) {
	r := GetErrorReporter()
	if r == nil {
		return
	}
	tags := map[string]string{
		"component":      info.Component,
		"goroutine_name": info.Name,
		"panic_type":     "recovered",
	}
	if info.Stack != "" {
		tags["stack_trace"] = info.Stack
	}
	err := panicAsError(value, info.Value)
	guarded("the error reporter", func() { r.CaptureException(ctx, err, tags) })
}

// panicError is an error without one of the program's in it.
type panicError string

func (e panicError) Error() string { return string(e) }
func (panicError) Unwrap() error   { return ErrPanic }

// PanicError is a panic as an error: what Group.Wait returns of a member that
// panicked. For errors.Is it is ErrPanic, and the error that the program
// panicked with if it was one.
type PanicError struct {
	Info  PanicInfo
	value any
}

// Error returns PanicInfo.Message.
func (e *PanicError) Error() string { return e.Info.Message() }

// Unwrap returns ErrPanic, and the error that the program panicked with.
func (e *PanicError) Unwrap() []error {
	if err, ok := e.value.(error); ok && !isNilPointer(err) {
		return []error{ErrPanic, err}
	}
	return []error{ErrPanic}
}

func panicAsError(value any, text string) error {
	if IsProductionMode() {
		return panicError(redacted)
	}
	// A nil pointer in an error panics when it is asked what it says.
	if err, ok := value.(error); ok && !isNilPointer(err) {
		return err
	}
	return panicError("panic: " + text)
}

func isNilPointer(err error) bool {
	v := reflect.ValueOf(err)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
