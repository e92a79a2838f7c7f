package extensions

import (
	"os"
	"path/filepath"
)

// Folder is where external extensions are, below the folder of layers.
const Folder = "extensions"

// Find gives the paths of the external extensions below optDir, by name. As on Lambda every file in the folder is one, and folders in it
// are not: they hold what extensions need.
func Find(optDir string) []string {
	entries, err := os.ReadDir(filepath.Join(optDir, Folder))
	if err != nil {
		return nil
	}
	var paths []string
	for _, entry := range entries {
		path := filepath.Join(optDir, Folder, entry.Name())
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			paths = append(paths, path)
		}
	}
	return paths
}
