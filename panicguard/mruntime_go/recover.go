package mruntime

import "context"

// The functions of this file recover only if they are deferred themselves:
//
//	defer mruntime.RecoverAndLog("mailer")
//
// Called by a deferred function they are one frame too deep, recover returns
// nil to them, and the panic goes on. Without a panic they do nothing.

// RecoverAndLog stops a panic and reports it, as KeepRunning does.
func RecoverAndLog(component string) {
	if v := recover(); v != nil {
		settle(context.Background(), component, "", KeepRunning, v)
	}
}

// RecoverAndCrash reports a panic and panics again with the same value, as
// CrashProcess does. If no caller recovers it the process ends with exit
// status 2.
func RecoverAndCrash(component string) {
	if v := recover(); v != nil {
		settle(context.Background(), component, "", CrashProcess, v)
	}
}

// RecoverWithPolicy is RecoverAndCrash for CrashProcess, else RecoverAndLog.
func RecoverWithPolicy(component string, policy PanicRecoveryPolicy) {
	if v := recover(); v != nil {
		settle(context.Background(), component, "", policy, v)
	}
}

// RecoverAndLogWithContext is RecoverAndLog, with the context that the logger
// and the observers get.
func RecoverAndLogWithContext(ctx context.Context, component string) {
	if v := recover(); v != nil {
		settle(ctx, component, "", KeepRunning, v)
	}
}

// RecoverAndCrashWithContext is RecoverAndCrash, with the context that the
// logger and the observers get.
func RecoverAndCrashWithContext(ctx context.Context, component string) {
	if v := recover(); v != nil {
		settle(ctx, component, "", CrashProcess, v)
	}
}

// RecoverWithPolicyAndContext is RecoverWithPolicy, with the context that the
// logger and the observers get.
func RecoverWithPolicyAndContext(ctx context.Context, component string, policy PanicRecoveryPolicy) {
	if v := recover(); v != nil {
		settle(ctx, component, "", policy, v)
	}
}
