package supervise

import (
	"strconv"
	"testing"
	"time"
)

func TestAProcessHasLambdasOpenFiles(t *testing.T) {
	_, _, lines := shell(t, "while [ $(ulimit -Hn) != 1024 ]; do :; done; ulimit -Sn; sh -c 'ulimit -Hn'")
	done := make(chan string, 1)
	go func() {
		seen := ""
		for range 2 {
			if lines.Scan() {
				seen += lines.Text() + " "
			}
		}
		done <- seen
	}()
	select {
	case seen := <-done:
		if seen != "1024 1024 " {
			t.Errorf("%q", seen)
		}
	case <-time.After(10 * time.Second):
		t.Error("there is no limit")
	}
}

func TestWhoseUsersTheyAre(t *testing.T) {
	for text, want := range map[string]bool{
		"         0          0 4294967295\n": true, "         0     100000      65536\n": false, "": false,
	} {
		if got := isWholeMap(text); got != want {
			t.Errorf("%s: %s", strconv.Quote(text), strconv.FormatBool(got))
		}
	}
}
