package mruntime

import (
	"encoding/json"
	"strings"
	"sync"
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
	// Active is how many of the started goroutines run now.
	Active = "goroutine_active"
)

const (
	maxLabelBytes = 64
	maxLabels     = 256
	otherLabel    = "_other"
)

// Recorder is a metrics library, to which the two counters go as well.
type Recorder interface {
	// Add adds 1 to the counter, StartedTotal or PanicsTotal.
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
	started, panics, active := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for label, c := range registry.counts {
		if c.started > 0 {
			started[label] = c.started
			active[label] = c.active
		}
		if c.panics > 0 {
			panics[label] = c.panics
		}
	}
	return map[string]map[string]int64{StartedTotal: started, PanicsTotal: panics, Active: active}
}

// MetricsVar is Metrics as an expvar.Var. This package does not import expvar,
// which would serve /debug/vars on http.DefaultServeMux, asked or not.
type MetricsVar struct{}

// String returns Metrics as JSON.
func (MetricsVar) String() string {
	text, _ := json.Marshal(Metrics()) // maps of numbers always have one
	return string(text)
}

type counts struct{ started, panics, active int64 }

// registry is what runs and what was counted, by label.
var registry struct {
	sync.Mutex
	counts map[string]*counts
	ended  chan struct{} // closed, and forgotten, when a goroutine ends
}

// countsOf is where a component is counted. The registry is locked.
func countsOf(component string) (label string, c *counts) {
	label = cut(strings.ToValidUTF8(component, "\uFFFD"), maxLabelBytes) // Prometheus takes no other
	c = registry.counts[label]
	if c == nil && len(registry.counts) >= maxLabels {
		label = otherLabel
		c = registry.counts[label]
	}
	if c == nil {
		if registry.counts == nil {
			registry.counts = map[string]*counts{}
		}
		c = &counts{}
		registry.counts[label] = c
	}
	return label, c
}

func countStarted(component string) (label string) {
	registry.Lock()
	defer registry.Unlock()
	label, c := countsOf(component)
	c.started++
	c.active++
	return label
}

func countPanic(component string) (label string) {
	registry.Lock()
	defer registry.Unlock()
	label, c := countsOf(component)
	c.panics++
	return label
}

func countEnded(label string) {
	registry.Lock()
	defer registry.Unlock()
	registry.counts[label].active--
	if registry.ended != nil {
		close(registry.ended)
		registry.ended = nil
	}
}
