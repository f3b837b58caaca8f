package mruntime

import (
	"encoding/json"
	"sync/atomic"
)

// The names of the metrics. Each has one label, the component: cut to 64
// bytes, and "_other" after 256 of them.
const (
	// StartedTotal counts the goroutines that were started.
	StartedTotal = "goroutine_started_total"
	// PanicsTotal counts the panics, those that were recovered without a
	// goroutine of ours too.
	PanicsTotal = "goroutine_panics_total"
	// RestartsTotal counts how often Supervise started something again.
	RestartsTotal = "goroutine_restarts_total"
	// Active is how many of the started goroutines run now.
	Active = "goroutine_active"
)

// Recorder is a metrics library, to which the three counters go as well.
type Recorder interface {
	// Add adds 1 to the counter: StartedTotal, PanicsTotal or RestartsTotal.
	Add(counter, component string)
}

var recorder atomic.Pointer[Recorder]

// SetRecorder makes each count go to the recorder as well; nil: no longer. The
// goroutine that starts, or panics, waits for the recorder; one that panics is
// a line on standard error.
func SetRecorder(r Recorder) {
	if r == nil {
		recorder.Store(nil)
		return
	}
	recorder.Store(&r)
}

func record(counter, label string) {
	if r := recorder.Load(); r != nil {
		guarded("the metrics recorder", func() { (*r).Add(counter, label) })
	}
}

// Metrics returns the counts since the process began: name of the metric ->
// component -> value.
func Metrics() map[string]map[string]int64 {
	registry.Lock()
	defer registry.Unlock()
	started, panics, restarts, active := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	for label, c := range registry.counts {
		if c.started > 0 {
			started[label] = c.started
			active[label] = c.active
		}
		if c.panics > 0 {
			panics[label] = c.panics
		}
		if c.restarts > 0 {
			restarts[label] = c.restarts
		}
	}
	return map[string]map[string]int64{StartedTotal: started, PanicsTotal: panics, RestartsTotal: restarts, Active: active}
}

// MetricsVar is Metrics as an expvar.Var. This package does not import expvar,
// which would serve /debug/vars on http.DefaultServeMux, asked or not.
type MetricsVar struct{}

// String returns Metrics as JSON.
func (MetricsVar) String() string {
	text, _ := json.Marshal(Metrics()) // maps of numbers always have one
	return string(text)
}
