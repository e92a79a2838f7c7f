package code

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kappa.dev/agent/limits"
)

// unpackBoth unpacks code and layers as a claim does, and gives their two folders.
func unpackBoth(t testing.TB, maxBytes int64, readOnly bool, code []byte, layers ...[]byte) (task, opt string, err error) {
	t.Helper()
	task, opt = t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(opt, "lib"), 0o755); err != nil { // as Boot makes it
		t.Fatal(err)
	}
	places := []Place{{Target: task, Zips: zips(code)}, {Target: opt, Zips: zips(layers...), Noun: "layer", ReadOnly: readOnly}}
	return task, opt, Unpack(places, maxBytes)
}

func textAt(t testing.TB, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLaterLayersOverwriteEarlierOnes(t *testing.T) {
	link := func(name, target string) file { return file{name: name, text: target, mode: fs.ModeSymlink | 0o777} }
	_, opt, err := unpackBoth(t, 0, false, makeZip(t, file{name: "index.py", text: "code"}),
		makeZip(t, file{name: "python/a.py", text: "first a"}, file{name: "python/b.py", text: "first b"},
			file{name: "lib/libx.so", text: "library"}, file{name: "was-file", text: "x"}, file{name: "was-folder/x", text: "x"},
			link("was-link", "python"), link("deep/er/link", "../../lib")),
		makeZip(t, file{name: "python/b.py", text: "second b"}, file{name: "python/c.py", text: "second c"},
			file{name: "was-file/inside", text: "y"}, file{name: "was-folder", text: "y"},
			file{name: "was-link/inside", text: "y"}, link("python/a.py", "b.py")),
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"python/a.py": "second b", "python/b.py": "second b", "python/c.py": "second c", "lib/libx.so": "library",
		"was-file/inside": "y", "was-folder": "y", "was-link/inside": "y", "deep/er/link/libx.so": "library",
	} {
		if got := textAt(t, opt, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(opt, "python/inside")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("written through a link: %v", err)
	}
}

func TestALinkOfOneLayerTakesNoOtherLayerOut(t *testing.T) {
	// Through the first layer's link, a/b/c is one folder below the root: the second layer's link would lead out of it.
	link := func(name, target string) file { return file{name: name, text: target, mode: fs.ModeSymlink | 0o777} }
	_, opt, err := unpackBoth(t, 0, false, makeZip(t, file{name: "x"}),
		makeZip(t, file{name: "z/x"}, link("a/b/c", "../../z")), makeZip(t, link("a/b/c/out", "../../../etc")))
	if err != nil {
		t.Fatal(err)
	}
	stayInside(t, opt)
	if names, _ := os.ReadDir(filepath.Join(opt, "z")); len(names) != 1 {
		t.Errorf("written through a link: %v", names)
	}
}

func TestABadLayerLeavesNothingOfTheOthersNorOfTheCode(t *testing.T) {
	good := makeZip(t, file{name: "lib/good", text: "x"})
	for reason, layer := range map[string][]byte{
		"climbs out": makeZip(t, file{name: "../slip", text: "x"}),
		"link out":   makeZip(t, file{name: "l", text: "../x", mode: fs.ModeSymlink | 0o777}),
		"not a zip":  []byte("PK but not really"),
		"bomb":       makeZip(t, file{name: "bomb", text: strings.Repeat("\x00", 2<<20)}),
		"too much with the code and the other layer": makeZip(t, file{name: "big", text: strings.Repeat("x", 1<<20-8)}),
	} {
		t.Run(reason, func(t *testing.T) {
			task, opt, err := unpackBoth(t, 1<<20, false, makeZip(t, file{name: "index.py", text: "12345678"}), good, layer)
			if !errors.Is(err, ErrBadCode) || !strings.HasPrefix(err.Error(), "layer 2: ") {
				t.Fatal(err)
			}
			for _, folder := range []string{task, filepath.Join(opt, "lib")} {
				if left, _ := os.ReadDir(folder); len(left) != 0 {
					t.Fatalf("left behind: %v", left)
				}
			}
			if left, _ := os.ReadDir(opt); len(left) != 1 {
				t.Fatalf("left behind: %v", left)
			}
		})
	}
}

func TestLayersAreReadOnly(t *testing.T) {
	_, opt, err := unpackBoth(t, 0, true, makeZip(t, file{name: "x"}),
		makeZip(t, file{name: "bin/tool", text: "#!", mode: 0o755}, file{name: "python/a.py", text: "x"}), makeZip(t, file{name: "python/sub/b.py", text: "x"}))
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{
		"bin/tool": 0o555, "python/a.py": 0o444, "python": fs.ModeDir | 0o555, "python/sub": fs.ModeDir | 0o555,
	} {
		info, err := os.Lstat(filepath.Join(opt, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, mode)
		}
	}
	_ = filepath.WalkDir(opt, func(path string, _ fs.DirEntry, _ error) error { return os.Chmod(path, 0o755) })
}

func TestADeliveryIsCutWhereItsZipsEnd(t *testing.T) {
	for _, row := range []struct{ piece, repeated int }{
		{1, 1}, {3, 1}, {8, 1}, {9, 1}, {100, 1}, {262_144, 300_000}, {2_000_000, 300_000}, // the large one goes to a file
	} {
		contents := [][]byte{[]byte("the code"), bytes.Repeat([]byte("layer"), row.repeated), []byte("z")}
		announced := make([]Announced, 0, len(contents))
		for _, content := range contents {
			sum := sha256.Sum256(content)
			announced = append(announced, Announced{Sha256: hex.EncodeToString(sum[:]), Bytes: int64(len(content))})
		}
		d, err := NewDelivery(announced, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		for rest := bytes.Join(contents, nil); len(rest) > 0; {
			n := min(row.piece, len(rest))
			if taken, err := d.Write(rest[:n]); err != nil || taken != n {
				t.Fatal(taken, err)
			}
			rest = rest[n:]
		}
		if err := d.Verify(); err != nil {
			t.Fatal(err)
		}
		for i, zip := range d.Zips() {
			got := make([]byte, zip.Size)
			if _, err := zip.Reader.ReadAt(got, 0); err != nil || !bytes.Equal(got, contents[i]) {
				t.Fatalf("zip %d in pieces of %d: %v", i, row.piece, err)
			}
		}
		if _, err := d.Write([]byte("x")); !errors.Is(err, ErrBadCode) {
			t.Errorf("more than announced: %v", err)
		}
		d.Close()
	}
}

func TestADeliveryThatIsNotAsAnnouncedIsRefused(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	good := Announced{Sha256: hex.EncodeToString(sum[:]), Bytes: 1}
	for reason, row := range map[string]struct {
		announced []Announced
		arrives   string
	}{
		"a layer is missing":           {[]Announced{good, good}, "x"},
		"the layer is another one":     {[]Announced{good, good}, "xy"},
		"layers that were not told of": {[]Announced{good}, "xx"},
	} {
		t.Run(reason, func(t *testing.T) {
			d, err := NewDelivery(row.announced, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if _, err = d.Write([]byte(row.arrives)); err == nil {
				err = d.Verify()
			}
			if !errors.Is(err, ErrBadCode) {
				t.Fatal(err)
			}
		})
	}
	half := Announced{Bytes: limits.CodeBytes/2 + 1}
	if _, err := NewDelivery([]Announced{half, half}, t.TempDir()); !errors.Is(err, ErrBadCode) {
		t.Errorf("too much together: %v", err)
	}
}
