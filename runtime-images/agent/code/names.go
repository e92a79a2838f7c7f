package code

import (
	"path"
	"strings"
	"unicode/utf8"
)

// kind is what an entry becomes on disk.
type kind int

const (
	regular kind = iota
	folder
	symlink
)

const (
	creatorUnix   = 3
	creatorDarwin = 19
	modeTypeMask  = 0o170000
	modeRegular   = 0o100000
	modeFolder    = 0o040000
	modeSymlink   = 0o120000
	modeExecute   = 0o111
	maxPathBytes  = 4000
	maxNameBytes  = 255
)

// setKind reads the Unix mode, where there is one. Devices, pipes and sockets are refused; of the permissions only "may
// be executed" is kept.
func (e *entry) setKind(creator byte, attributes uint32) error {
	mode := attributes >> 16
	if creator != creatorUnix && creator != creatorDarwin {
		mode = 0
	}
	e.executable = mode&modeExecute != 0
	isFolderName := strings.HasSuffix(e.name, "/")
	switch mode & modeTypeMask {
	case 0, modeRegular:
		if isFolderName {
			e.kind = folder
		}
	case modeFolder:
		e.kind = folder
	case modeSymlink:
		e.kind = symlink
	default:
		return bad("%q is neither a file nor a folder nor a link", e.name)
	}
	if e.kind == folder && e.unpacked != 0 || e.kind == symlink && isFolderName {
		return bad("%q: its name contradicts what it is", e.name)
	}
	return nil
}

// cleanName gives the path below the target folder, or refuses the name.
func cleanName(name string, k kind) (string, error) {
	short := strings.TrimPrefix(name, "./")
	if k == folder {
		short = strings.TrimSuffix(short, "/")
	}
	if k == folder && (short == "" || short == ".") {
		return ".", nil
	}
	switch {
	case short == "" || len(short) > maxPathBytes || !utf8.ValidString(short) || strings.ContainsAny(short, "\x00\\"):
		return "", bad("%q is not a usable name", name)
	case strings.HasPrefix(short, "/") || len(short) > 1 && short[1] == ':':
		return "", bad("%q is not a relative path", name)
	case path.Clean(short) != short || short == "." || short == ".." || strings.HasPrefix(short, "../"):
		return "", bad("%q does not stay inside the package", name)
	}
	for part := range strings.SplitSeq(short, "/") {
		if len(part) > maxNameBytes {
			return "", bad("%q has too long a name", name)
		}
	}
	return short, nil
}

// checkTree refuses duplicates and entries below something that is not a folder (so nothing is written through a link).
func checkTree(entries []entry) error {
	kinds := make(map[string]kind, len(entries))
	for _, e := range entries {
		if before, ok := kinds[e.name]; ok && (before != folder || e.kind != folder) {
			return bad("%q is there twice", e.name)
		}
		kinds[e.name] = e.kind
	}
	for _, e := range entries {
		for parent := path.Dir(e.name); parent != "."; parent = path.Dir(parent) {
			if k, ok := kinds[parent]; ok && k != folder {
				return bad("%q is below %q, which is not a folder", e.name, parent)
			}
		}
	}
	return nil
}

// checkLink refuses a link that could lead out of the package. ".." is only allowed at the start of the target, at most
// as often as the link is deep: then every link ends inside, whatever other links it passes.
func checkLink(name, target string) error {
	if target == "" || len(target) > maxPathBytes || strings.ContainsAny(target, "\x00\\") || strings.HasPrefix(target, "/") {
		return bad("the link %q has no usable target", name)
	}
	depth, leading := strings.Count(name, "/"), true
	for part := range strings.SplitSeq(target, "/") {
		if part != ".." {
			leading = leading && (part == "." || part == "")
			continue
		}
		if depth--; depth < 0 || !leading {
			return bad("the link %q leads out of the package", name)
		}
	}
	return nil
}
