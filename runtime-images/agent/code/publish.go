package code

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// move is a complete tree on its way to where it belongs.
type move struct {
	staging string
	place   Place
	names   []string // what has arrived
}

// publish moves everything out of the stagings; when one move fails those before it are taken back.
func publish(moves []move) error {
	for i := range moves {
		if err := moves[i].all(); err != nil {
			for _, m := range moves {
				m.takeBack()
			}
			return err
		}
	}
	for _, m := range moves {
		if err := m.protect(); err != nil {
			return err
		}
	}
	return nil
}

func (m *move) all() error {
	names, err := os.ReadDir(m.staging)
	if err != nil {
		return err
	}
	for _, name := range names {
		// Not os.Rename: an empty folder may be there already, and is replaced.
		from, to := filepath.Join(m.staging, name.Name()), filepath.Join(m.place.Target, name.Name())
		if err := syscall.Rename(from, to); err != nil {
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
		m.names = append(m.names, name.Name())
	}
	return nil
}

func (m *move) takeBack() {
	for _, name := range m.names {
		_ = os.RemoveAll(filepath.Join(m.place.Target, name))
	}
}

// protect takes the right to write from the folders; the files never had it.
func (m *move) protect() error {
	if !m.place.ReadOnly {
		return nil
	}
	for _, name := range m.names {
		err := filepath.WalkDir(filepath.Join(m.place.Target, name), func(at string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			return os.Chmod(at, 0o555)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
