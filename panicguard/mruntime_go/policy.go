package mruntime

// PanicRecoveryPolicy says what a panic does to the process once it has been
// reported. The zero value is KeepRunning, and so is every unknown value.
type PanicRecoveryPolicy int

const (
	// KeepRunning ends the goroutine, or the function that recovers, and
	// leaves the process alone.
	KeepRunning PanicRecoveryPolicy = iota
	// CrashProcess panics again with the same value. In a goroutine that
	// SafeGoWithContextAndComponent started nobody can recover that, so the
	// process ends with exit status 2.
	CrashProcess
)

// PanicPolicy is PanicRecoveryPolicy by its short name.
type PanicPolicy = PanicRecoveryPolicy

// String returns the name of the policy, or "Unknown".
func (p PanicRecoveryPolicy) String() string {
	switch p {
	case KeepRunning:
		return "KeepRunning"
	case CrashProcess:
		return "CrashProcess"
	default:
		return "Unknown"
	}
}
