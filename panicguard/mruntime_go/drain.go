package mruntime

import (
	"context"
	"fmt"
	"sort"
	"strings"
)

// Drain waits until no goroutine of this package runs any more, and its panic
// has been reported. Tell them to stop first, by the context they were given:
//
//	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
//	...
//	<-ctx.Done()
//	grace, cancel := context.WithTimeout(context.Background(), 30*time.Second)
//	defer cancel()
//	err := mruntime.Drain(grace)
//
// If ctx is done before, the error says which components still run, and is
// ctx.Err() for errors.Is. A nil ctx is never done. Goroutines may be started
// meanwhile; they are waited for too, because what would refuse them would
// leave their WaitGroup waiting. One that calls Drain waits for itself.
func Drain(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	for {
		running, ended := stillRunning()
		if len(running) == 0 {
			return nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return fmt.Errorf("mruntime: still running: %s: %w", strings.Join(running, ", "), ctx.Err())
		}
	}
}

// stillRunning is what runs, "mailer (2)", in the order of the components, and
// a channel that is closed when one ends.
func stillRunning() (running []string, ended <-chan struct{}) {
	registry.Lock()
	defer registry.Unlock()
	for label, c := range registry.counts {
		if c.active > 0 {
			running = append(running, fmt.Sprintf("%s (%d)", label, c.active))
		}
	}
	sort.Strings(running)
	if registry.ended == nil {
		registry.ended = make(chan struct{})
	}
	return running, registry.ended
}
