package mruntime

import "context"

// RecoverAndLog stops a panic and reports it, as KeepRunning does. It has to be
// deferred itself, as all that recover.
func RecoverAndLog(component string) {
	if v := recover(); v != nil {
		recovered(context.Background(), component, KeepRunning, v)
	}
}

// RecoverAndCrash reports a panic and panics again with the same value, as
// CrashProcess does. If no caller recovers it the process ends with exit
// status 2.
func RecoverAndCrash(component string) {
	if v := recover(); v != nil {
		recovered(context.Background(), component, CrashProcess, v)
	}
}

// RecoverWithPolicy is RecoverAndCrash for CrashProcess, else RecoverAndLog.
func RecoverWithPolicy(component string, policy PanicRecoveryPolicy) {
	if v := recover(); v != nil {
		recovered(context.Background(), component, policy, v)
	}
}

// RecoverAndLogWithContext is RecoverAndLog, with the context that the logger
// and the observers get.
func RecoverAndLogWithContext(ctx context.Context, component string) {
	if v := recover(); v != nil {
		recovered(ctx, component, KeepRunning, v)
	}
}

// RecoverAndCrashWithContext is RecoverAndCrash, with the context that the
// logger and the observers get.
func RecoverAndCrashWithContext(ctx context.Context, component string) {
	if v := recover(); v != nil {
		recovered(ctx, component, CrashProcess, v)
	}
}

// RecoverWithPolicyAndContext is RecoverWithPolicy, with the context that the
// logger and the observers get.
func RecoverWithPolicyAndContext(ctx context.Context, component string, policy PanicRecoveryPolicy) {
	if v := recover(); v != nil {
		recovered(ctx, component, policy, v)
	}
}
