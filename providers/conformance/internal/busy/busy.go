// Package busy measures for how long the provider has had calls to work on, so that a benchmark can tell its time from the
// host's.
//
// With CONFORMANCE_BUSY=FOLDER each process keeps a file there, named after its number, with that time in microseconds.
// Time during which several calls are worked on counts once.
package busy

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// interval is how often the file is brought up to date: what comes later than that before the end is lost.
const interval = 10 * time.Millisecond

var (
	mu      sync.Mutex
	running int
	since   time.Time
	total   time.Duration
)

func init() {
	if folder := os.Getenv("CONFORMANCE_BUSY"); folder != "" {
		go keep(filepath.Join(folder, strconv.Itoa(os.Getpid())))
	}
}

func keep(path string) {
	file, err := os.Create(path)
	if err != nil {
		return
	}
	var written time.Duration
	for range time.Tick(interval) {
		mu.Lock()
		now := total
		if running > 0 {
			now += time.Since(since)
		}
		mu.Unlock()
		if now != written {
			// Always as many digits, so that the file is whole whenever the process ends.
			_, _ = fmt.Fprintf(io.NewOffsetWriter(file, 0), "%020d", now.Microseconds())
			written = now
		}
	}
}

// Call is to be deferred at the beginning of a call: `defer busy.Call()()`.
func Call() func() {
	mu.Lock()
	defer mu.Unlock()
	if running == 0 {
		since = time.Now()
	}
	running++
	return done
}

func done() {
	mu.Lock()
	defer mu.Unlock()
	running--
	if running == 0 {
		total += time.Since(since)
	}
}
