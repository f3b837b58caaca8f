// Package mruntime runs goroutines that cannot take the process down unheard.
//
// A panic in a bare goroutine ends the process; one that is recovered and
// forgotten is an outage that nobody hears. Here each panic is counted, logged
// and told to observers once, and then a policy, which the spawn had to name,
// decides what becomes of the process:
//
//	mruntime.SafeGoWithContextAndComponent(ctx, "mailer", mruntime.KeepRunning, func(ctx context.Context) {
//		send(ctx, message)
//	})
//
// Supervise starts work again when it panics or fails, a Group is work that
// ends together, and Running is what runs now. Drain waits until all that was
// started so has ended. Nothing recovers what Go
// itself does not let recover: a concurrent map write, a stack overflow,
// os.Exit, log.Fatal.
//
// # Recovering
//
// In functions that others call on goroutines of their own, RecoverAndLog,
// RecoverAndCrash and RecoverWithPolicy do the same. They have to be deferred
// themselves:
//
//	defer mruntime.RecoverAndLog("mailer")
//
// Called by a deferred function they are one frame too deep: recover returns
// nil to them, and the panic goes on. Without a panic they do nothing.
// HandlePanicValue is for what a framework has recovered.
//
// # Observers
//
// Of a panic the metrics recorder is told, then the logger, the functions of
// ObservePanics, the error reporter, and those of OnCrash if it is to end the
// process. They cannot change what becomes of the code they observe: if one
// panics or calls runtime.Goexit, that is a line on standard error, one in a
// second at most, and the next one gets its turn. The observed goroutine waits
// for them, but two seconds at most if it is to end the process. An observer
// must start nothing with this package that could panic each time.
//
// # What runs now
//
// Running as a page, for operators alone:
//
//	http.HandleFunc("/debug/running", func(w http.ResponseWriter, _ *http.Request) {
//		_ = json.NewEncoder(w).Encode(mruntime.Running())
//	})
//
// Goroutines have no labels for pprof: to set them takes longer than to start
// one. Where profiles are to show the component, ask for it:
//
//	mruntime.SafeGoWithContextAndComponent(ctx, "mailer", mruntime.KeepRunning, func(ctx context.Context) {
//		pprof.Do(ctx, pprof.Labels("component", "mailer"), work)
//	})
//
// # Metrics
//
// Metrics returns the counts since the process began. A Recorder gets each of
// them as it happens; MetricsVar is for expvar:
//
//	expvar.Publish("mruntime", mruntime.MetricsVar{})
//
// # Prometheus
//
//	type recorder map[string]*prometheus.CounterVec
//
//	func (r recorder) Add(counter, component string) {
//		r[counter].WithLabelValues(component).Inc()
//	}
//
//	r := recorder{}
//	for _, name := range []string{mruntime.StartedTotal, mruntime.PanicsTotal, mruntime.RestartsTotal} {
//		r[name] = promauto.NewCounterVec(prometheus.CounterOpts{Name: name}, []string{"component"})
//	}
//	mruntime.SetRecorder(r)
//
// # OpenTelemetry
//
//	type recorder map[string]metric.Int64Counter
//
//	func (r recorder) Add(counter, component string) {
//		r[counter].Add(context.Background(), 1, metric.WithAttributes(attribute.String("component", component)))
//	}
//
//	r := recorder{}
//	for _, name := range []string{mruntime.StartedTotal, mruntime.PanicsTotal, mruntime.RestartsTotal} {
//		r[name], _ = otel.Meter("mruntime").Int64Counter(name)
//	}
//	mruntime.SetRecorder(r)
//
// A panic as an event of the span it happened in:
//
//	mruntime.ObservePanics(func(ctx context.Context, p mruntime.PanicInfo) {
//		span := trace.SpanFromContext(ctx)
//		if !span.IsRecording() {
//			return
//		}
//		span.AddEvent("panic.recovered", trace.WithAttributes(
//			attribute.String("panic.value", p.Value),
//			attribute.String("panic.stack", p.Stack),
//			attribute.String("panic.goroutine_name", p.Name),
//			attribute.String("panic.component", p.Component),
//		))
//		span.RecordError(fmt.Errorf("%w: %s", mruntime.ErrPanic, p.Value))
//		span.SetStatus(codes.Error, "panic recovered in "+p.Component+"/"+p.Name)
//	})
//
// # Sentry
//
//	type reporter struct{}
//
//	func (reporter) CaptureException(ctx context.Context, err error, tags map[string]string) {
//		sentry.WithScope(func(scope *sentry.Scope) {
//			scope.SetTags(tags)
//			sentry.CaptureException(err)
//		})
//	}
//
//	mruntime.SetErrorReporter(reporter{})
//	mruntime.OnCrash(func() { sentry.Flush(time.Second) })
package mruntime

// Version is that of panicguard, which this package is a part of.
//
// By the next line the linter knows a copy of this package, whatever its name.
//
//panicguard:runtime 1
const Version = "0.1.0"
