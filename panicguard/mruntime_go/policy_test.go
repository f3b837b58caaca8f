package mruntime

import "testing"

func TestPolicies(t *testing.T) {
	var zero PanicPolicy
	equal(t, "the zero value", zero, KeepRunning)
	equal(t, "CrashProcess", CrashProcess, 1)
	for policy, want := range map[PanicRecoveryPolicy]string{KeepRunning: "KeepRunning", CrashProcess: "CrashProcess", 2: "Unknown", -1: "Unknown"} {
		equal(t, "the name", policy.String(), want)
	}
}
