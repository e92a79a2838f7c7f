// Package install brings the agent's program into pods whose image is the user's.
package install

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Into copies the running program to DIR/agent, for everybody to start and nobody to change. A copy that is cut short is never seen
// under that name.
func Into(dir string) error {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("cannot read the agent: %w", err)
	}
	defer self.Close()
	path := filepath.Join(dir, "agent")
	part, err := os.CreateTemp(dir, ".agent-*")
	if err != nil {
		return fmt.Errorf("cannot install the agent: %w", err)
	}
	_, err = io.Copy(part, self)
	if failed := part.Chmod(0o555); err == nil {
		err = failed
	}
	if failed := part.Close(); err == nil {
		err = failed
	}
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("cannot install the agent: %w", err)
	}
	return nil
}
