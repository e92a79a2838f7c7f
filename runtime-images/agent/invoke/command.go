package invoke

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kappa.dev/agent/environment"
)

// commandFor is how a runtime process is started, and with which environment. A function's own bootstrap knows nothing of Kappa, and
// as on Lambda no wrapper script comes before it.
func (e *Engine) commandFor(env map[string]string, generic bool) (command []string, forProcess map[string]string, err error) {
	if len(e.Command) == 0 {
		path, err := findBootstrap(e.Pod.TaskDir, e.Pod.OptDir)
		return []string{path}, env, err
	}
	forProcess, wrapper := environment.ForBootstrap(e.Pod, env, generic)
	if wrapper != "" {
		return append([]string{wrapper}, e.Command...), forProcess, nil
	}
	return e.Command, forProcess, nil
}

// findBootstrap gives the first file of that name in the folders; whether it can be executed shows when it is.
func findBootstrap(folders ...string) (string, error) {
	places := make([]string, len(folders))
	for i, folder := range folders {
		places[i] = filepath.Join(folder, "bootstrap")
		if info, err := os.Stat(places[i]); err == nil && !info.IsDir() {
			return places[i], nil
		}
	}
	return "", missingBootstrap(places)
}

// missingBootstrap are the places where none is. The text is Lambda's.
type missingBootstrap []string

func (m missingBootstrap) Error() string {
	return fmt.Sprintf("Couldn't find valid bootstrap(s): %s", []string(m))
}

func (m missingBootstrap) Is(target error) bool { return target == fs.ErrNotExist }
