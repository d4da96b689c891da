// Package remote simulates the system that the provider manages.
//
// It is a file of JSON lines, each saying what happened to which object; the present objects follow from them. The
// file only grows, each line is written by one call, and a lock keeps processes apart: so nothing is lost when a process
// is killed, and a test can see from the history what was made, and whether it was made twice.
package remote

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// ErrExists says that an object of that name exists already.
var ErrExists = errors.New("an object of this name exists already")

// ErrMissing says that there is no object of that name.
var ErrMissing = errors.New("there is no object of this name")

// Event is one line of the history.
type Event struct {
	// Op is create, update, delete, or the name of something that is only noted.
	Op string `json:"op"`
	// Kind is the resource type.
	Kind string `json:"kind"`
	// Name is unique for its kind.
	Name string `json:"name"`
	// Object is what it is from now on.
	Object map[string]any `json:"object"`
}

// Remote is one such system.
type Remote struct {
	path    string
	mu      sync.Mutex
	read    int64
	objects map[string]map[string]any
	noted   map[string]int
}

// Open gives the system in a file, which need not exist yet. Without a path the system lives in memory.
func Open(path string) *Remote {
	return &Remote{path: path, objects: map[string]map[string]any{}, noted: map[string]int{}}
}

func key(kind, name string) string { return kind + "/" + name }

// Create makes an object.
func (r *Remote) Create(kind, name string, object map[string]any) error {
	return r.locked(func() (*Event, error) {
		if _, exists := r.objects[key(kind, name)]; exists {
			return nil, fmt.Errorf("%s %q: %w", kind, name, ErrExists)
		}
		return &Event{Op: "create", Kind: kind, Name: name, Object: object}, nil
	})
}

// Update replaces an object.
func (r *Remote) Update(kind, name string, object map[string]any) error {
	return r.locked(func() (*Event, error) {
		if _, exists := r.objects[key(kind, name)]; !exists {
			return nil, fmt.Errorf("%s %q: %w", kind, name, ErrMissing)
		}
		return &Event{Op: "update", Kind: kind, Name: name, Object: object}, nil
	})
}

// Delete removes an object. Removing one that is not there is no error.
func (r *Remote) Delete(kind, name string) error {
	return r.locked(func() (*Event, error) {
		if _, exists := r.objects[key(kind, name)]; !exists {
			return nil, nil
		}
		return &Event{Op: "delete", Kind: kind, Name: name}, nil
	})
}

// Get gives an object, or nil.
func (r *Remote) Get(kind, name string) (map[string]any, error) {
	var object map[string]any
	err := r.locked(func() (*Event, error) {
		object = r.objects[key(kind, name)]
		return nil, nil
	})
	return object, err
}

// Names gives the names of the objects of a kind that begin so, in order.
func (r *Remote) Names(kind, prefix string) ([]string, error) {
	var names []string
	err := r.locked(func() (*Event, error) {
		for of := range r.objects {
			if name, ok := strings.CutPrefix(of, kind+"/"); ok && strings.HasPrefix(name, prefix) {
				names = append(names, name)
			}
		}
		return nil, nil
	})
	slices.Sort(names)
	return names, err
}

// Note writes something into the history that changes no object, and says how often it was noted before.
func (r *Remote) Note(op, kind, name string) (before int, err error) {
	err = r.locked(func() (*Event, error) {
		before = r.noted[op+" "+key(kind, name)]
		return &Event{Op: op, Kind: kind, Name: name}, nil
	})
	return before, err
}

// locked brings the objects up to date, and appends the event that f asks for.
func (r *Remote) locked(f func() (*Event, error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.path == "" {
		event, err := f()
		if event != nil {
			r.apply(*event)
		}
		return err
	}
	file, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if err := r.catchUp(file); err != nil {
		return err
	}
	event, err := f()
	if event == nil || err != nil {
		return err
	}
	line, err := json.Marshal(event)
	if err != nil {
		return err
	}
	written, err := file.Write(append(line, '\n'))
	r.read += int64(written)
	r.apply(*event)
	return err
}

// catchUp reads what others have appended.
func (r *Remote) catchUp(file *os.File) error {
	if _, err := file.Seek(r.read, io.SeekStart); err != nil {
		return err
	}
	reader := bufio.NewReader(file)
	for {
		line, err := reader.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		r.read += int64(len(line))
		var event Event
		if err := json.Unmarshal(line, &event); err != nil {
			return fmt.Errorf("%s: %w", r.path, err)
		}
		r.apply(event)
	}
}

func (r *Remote) apply(event Event) {
	switch event.Op {
	case "create", "update":
		r.objects[key(event.Kind, event.Name)] = event.Object
	case "delete":
		delete(r.objects, key(event.Kind, event.Name))
	default:
		r.noted[event.Op+" "+key(event.Kind, event.Name)]++
	}
}

var (
	shared   = map[string]*Remote{}
	sharedMu sync.Mutex
)

// Shared gives the system that everybody in this process means by a path; the empty path means what the variable
// CONFORMANCE_REMOTE says.
func Shared(path string) *Remote {
	if path == "" {
		path = os.Getenv("CONFORMANCE_REMOTE")
	}
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if shared[path] == nil {
		shared[path] = Open(path)
	}
	return shared[path]
}
