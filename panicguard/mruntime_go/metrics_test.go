package mruntime

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestCounts(t *testing.T) {
	start(t)
	var lock sync.Mutex
	recorded := map[string]int{}
	SetRecorder(recorderFunc(func(counter, component string) {
		lock.Lock()
		defer lock.Unlock()
		recorded[counter+" "+component]++
	}))
	hold := make(chan struct{})
	SafeGo("a", KeepRunning, func() { panic("boom") })
	SafeGo("a", KeepRunning, func() { <-hold })
	SafeGo("b", KeepRunning, func() { <-hold })
	HandlePanicValue("c", "boom")
	for Metrics()[PanicsTotal]["a"] == 0 || Metrics()[Active]["a"] == 2 {
		runtime.Gosched()
	}
	equal(t, "the metrics", fmt.Sprint(Metrics()), "map[goroutine_active:map[a:1 b:1] goroutine_panics_total:map[a:1 c:1] goroutine_restarts_total:map[] goroutine_started_total:map[a:2 b:1]]")
	var parsed map[string]map[string]int64
	if err := json.Unmarshal([]byte(MetricsVar{}.String()), &parsed); err != nil {
		t.Fatal(err)
	}
	equal(t, "the metrics as JSON", fmt.Sprint(parsed), fmt.Sprint(Metrics()))
	close(hold)
	drain(t)
	equal(t, "what is active", fmt.Sprint(Metrics()[Active]), "map[a:0 b:0]")
	equal(t, "what was recorded", fmt.Sprint(recorded), "map[goroutine_panics_total a:1 goroutine_panics_total c:1 goroutine_started_total a:2 goroutine_started_total b:1]")
	SetRecorder(nil)
	HandlePanicValue("c", "boom")
	equal(t, "what was recorded", recorded[PanicsTotal+" c"], 1)
}

func TestNothingCountedIsNoNumber(t *testing.T) {
	start(t)
	equal(t, "the metrics", MetricsVar{}.String(), `{"goroutine_active":{},"goroutine_panics_total":{},"goroutine_restarts_total":{},"goroutine_started_total":{}}`)
}

func TestLabelsAreCut(t *testing.T) {
	start(t)
	for _, c := range []struct{ component, label string }{
		{strings.Repeat("a", 63), strings.Repeat("a", 63)},
		{strings.Repeat("b", 64), strings.Repeat("b", 64)},
		{strings.Repeat("c", 65), strings.Repeat("c", 64)},
		{strings.Repeat("d", 63) + "ä", strings.Repeat("d", 63)},
		{strings.Repeat("世", 30), strings.Repeat("世", 21)},
		{"", ""},
		{"\xff", "\uFFFD"},
	} {
		HandlePanicValue(c.component, "boom")
		equal(t, "the count of "+c.label, Metrics()[PanicsTotal][c.label], 1)
	}
}

func TestLabelsAreFew(t *testing.T) {
	start(t)
	for i := 0; i < 300; i++ {
		SafeGo(fmt.Sprint("tenant", i), KeepRunning, func() {})
	}
	drain(t)
	started := Metrics()[StartedTotal]
	equal(t, "the number of labels", len(started), maxLabels+1)
	equal(t, "the rest", started[otherLabel], 300-maxLabels)
	equal(t, "what is active", Metrics()[Active][otherLabel], 0)
}
