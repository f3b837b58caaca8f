package mruntime

import (
	"regexp"
	"sync/atomic"
	"unicode/utf8"
)

const redacted = "panic recovered (details redacted)"

var production atomic.Bool

var secret = regexp.MustCompile(`(?i)\b(\w*(?:passw(?:or)?d|pwd|token|secret|api[ _-]?key|credential|authorization|bearer)\w*["']?\s*[=:]\s*)` +
	`(?:(?:bearer|basic|token)\s+)?(?:"[^"]*"|'[^']*'|[^\s,;&)}\]]+)` +
	`|\b(bearer\s+)[\w.~+/=-]{8,}`)

// SetProductionMode keeps the values and stacks of panics out of the log, the
// observers and the error reporter. Otherwise only what looks like a secret is
// taken out: "password=...", "token: ..." and the like; an error reporter gets
// the error itself.
//
// It does not reach what Go itself writes to standard error when CrashProcess
// ends the process.
func SetProductionMode(on bool) {
	production.Store(on)
}

// IsProductionMode tells what was set; false in the beginning.
func IsProductionMode() bool {
	return production.Load()
}

// redact is the text without what looks like a secret.
func redact(text string) string {
	return secret.ReplaceAllString(text, "${1}${2}[REDACTED]")
}

// cut is at most max bytes of the text, without half a character at the end.
func cut(text string, max int) string {
	if len(text) <= max {
		return text
	}
	for max > 0 && !utf8.RuneStart(text[max]) {
		max--
	}
	return text[:max]
}
