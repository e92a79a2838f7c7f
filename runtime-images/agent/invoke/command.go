package invoke

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kappa.dev/agent/environment"
	"kappa.dev/agent/link"
)

// commandFor is how a runtime process is started, and with which environment. A function's own bootstrap knows nothing of Kappa, and
// as on Lambda no wrapper script comes before it.
func (e *Engine) commandFor(env map[string]string, generic bool) (command []string, forProcess map[string]string, err error) {
	if image := e.image(); image != nil {
		return image.Process, env, nil
	}
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

// image is what the function's image starts; nil where the code is a zip.
func (e *Engine) image() *link.Image {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.attempt == nil {
		return nil
	}
	return e.attempt.head.Image
}

// placeOf is where a process is started and which program that is. A word without a slash is looked up in the function's PATH, as container
// engines do; a relative path is one from the working directory.
func (e *Engine) placeOf(command []string, env map[string]string) (dir, path string, err error) {
	image := e.image()
	if image == nil {
		return e.Pod.TaskDir, command[0], nil
	}
	dir = image.WorkingDirectory
	if dir == "" {
		if dir, err = os.Getwd(); err != nil {
			return "", "", err
		}
	}
	path, err = findProgram(command[0], env["PATH"], dir)
	return dir, path, err
}

func findProgram(word, searchPath, dir string) (string, error) {
	if strings.Contains(word, "/") {
		if filepath.IsAbs(word) {
			return word, nil
		}
		return filepath.Join(dir, word), nil
	}
	for _, folder := range filepath.SplitList(searchPath) {
		path := filepath.Join(folder, word)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", missingProgram(word)
}

// missingProgram is a word that is no program in PATH.
type missingProgram string

func (m missingProgram) Error() string {
	return fmt.Sprintf("exec: %q: executable file not found in $PATH", string(m))
}

func (m missingProgram) Is(target error) bool { return target == fs.ErrNotExist }

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
