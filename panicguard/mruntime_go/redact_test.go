package mruntime

import "testing"

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"no route to host":                        "no route to host",
		"password=hunter2":                        "password=[REDACTED]",
		`{"password": "hunter2", "user": "ann"}`:  `{"password": [REDACTED], "user": "ann"}`,
		"postgres: DB_PASSWORD = 'a b', port 5":   "postgres: DB_PASSWORD = [REDACTED], port 5",
		"Authorization: Bearer abcdefgh123":       "Authorization: [REDACTED]",
		"sent bearer abcdefgh123 to it":           "sent bearer [REDACTED] to it",
		"api key: k1; token=t2&x=1":               "api key: [REDACTED]; token=[REDACTED]&x=1",
		"the token was missing":                   "the token was missing",
		"client_secret=x credential:y API-KEY= z": "client_secret=[REDACTED] credential:[REDACTED] API-KEY= [REDACTED]",
	} {
		equal(t, text, redact(text), want)
	}
}

func TestCut(t *testing.T) {
	equal(t, "a short one", cut("abc", 3), "abc")
	equal(t, "a long one", cut("abcd", 3), "abc")
	equal(t, "one cut in a character", cut("abä", 3), "ab")
	equal(t, "what is no UTF-8", cut("\xbf\xbf\xbf\xbf", 3), "")
}
