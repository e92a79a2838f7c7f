package code

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file is one entry of a zip that a test makes.
type file struct {
	name, text string
	mode       fs.FileMode
	store      bool
}

func makeZip(t testing.TB, files ...file) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if f.store {
			header.Method = zip.Store
		}
		if f.mode != 0 {
			header.SetMode(f.mode)
		}
		entry, err := writer.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(f.text)); err != nil && f.text != "" {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func zips(list ...[]byte) []Zip {
	made := make([]Zip, 0, len(list))
	for _, zipped := range list {
		made = append(made, Zip{Reader: bytes.NewReader(zipped), Size: int64(len(zipped))})
	}
	return made
}

func unpack(t testing.TB, zipped []byte, maxBytes int64) (string, error) {
	t.Helper()
	outer := t.TempDir()
	target := filepath.Join(outer, "task")
	if err := os.Mkdir(target, 0o755); err != nil {
		t.Fatal(err)
	}
	err := Unpack([]Place{{Target: target, Zips: zips(zipped)}}, maxBytes)
	if left, _ := os.ReadDir(outer); len(left) != 1 {
		t.Fatalf("something was written outside: %v", left)
	}
	return target, err
}

func TestAPackageIsUnpacked(t *testing.T) {
	target, err := unpack(t, makeZip(t,
		file{name: "index.mjs", text: "code", mode: 0o600},
		file{name: "bin/", mode: fs.ModeDir | 0o700},
		file{name: "bin/tool", text: "#!/bin/sh", mode: 0o700},
		file{name: "deep/er/file", text: strings.Repeat("x", 100000)},
		file{name: "./dot", text: "dot", store: true},
		file{name: "node_modules/.bin/tool", text: "../../bin/tool", mode: fs.ModeSymlink | 0o777},
		file{name: "empty", text: ""},
	), 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{
		"index.mjs": 0o644, "bin/tool": 0o755, "deep/er/file": 0o644, "dot": 0o644, "empty": 0o644, "bin": fs.ModeDir | 0o755,
	} {
		info, err := os.Lstat(filepath.Join(target, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, mode)
		}
	}
	if text, err := os.ReadFile(filepath.Join(target, "node_modules/.bin/tool")); err != nil || string(text) != "#!/bin/sh" {
		t.Errorf("the link: %q %v", text, err)
	}
	if names, _ := os.ReadDir(target); len(names) != 6 {
		t.Errorf("%v", names)
	}
}

func TestBadPackagesLeaveNothing(t *testing.T) {
	good := file{name: "a-good-one", text: "x"}
	link := func(name, target string) file { return file{name: name, text: target, mode: fs.ModeSymlink | 0o777} }
	rows := []struct {
		reason string
		zipped []byte
	}{
		{"climbs out", makeZip(t, good, file{name: "../slip", text: "x"})},
		{"climbs out in the middle", makeZip(t, good, file{name: "a/../../slip", text: "x"})},
		{"absolute", makeZip(t, good, file{name: "/tmp/slip", text: "x"})},
		{"drive", makeZip(t, good, file{name: "C:/slip", text: "x"})},
		{"backslash", makeZip(t, good, file{name: `..\slip`, text: "x"})},
		{"zero byte", makeZip(t, good, file{name: "a\x00b", text: "x"})},
		{"not UTF-8", makeZip(t, good, file{name: "a\xff", text: "x"})},
		{"empty name", makeZip(t, good, file{name: "", text: "x"})},
		{"two slashes", makeZip(t, good, file{name: "a//b", text: "x"})},
		{"name too long", makeZip(t, good, file{name: strings.Repeat("n", 256), text: "x"})},
		{"duplicate", makeZip(t, good, good)},
		{"duplicate by another spelling", makeZip(t, good, file{name: "./a-good-one", text: "y"})},
		{"below a file", makeZip(t, good, file{name: "a-good-one/b", text: "x"})},
		{"link to an absolute path", makeZip(t, good, link("l", "/etc/passwd"))},
		{"link out", makeZip(t, good, link("l", "../x"))},
		{"link out from below", makeZip(t, good, link("d/l", "../../x"))},
		{"link out through another link", makeZip(t, good, link("x/sub", ".."), link("l", "x/sub/../y"))},
		{"write through a link", makeZip(t, good, link("l", "d"), file{name: "l/x", text: "x"})},
		{"empty link", makeZip(t, good, link("l", ""))},
		{"device", makeZip(t, good, file{name: "dev", mode: fs.ModeDevice | 0o600})},
		{"pipe", makeZip(t, good, file{name: "pipe", mode: fs.ModeNamedPipe | 0o600})},
		{"socket", makeZip(t, good, file{name: "socket", mode: fs.ModeSocket | 0o600})},
		{"bomb", makeZip(t, good, file{name: "bomb", text: strings.Repeat("\x00", 2<<20)})},
		{"not a zip", []byte("PK but not really")},
		{"nothing", nil},
		{"truncated", makeZip(t, good)[:100]},
		{"encrypted", edit(makeZip(t, good), func(c []byte) { c[8] |= 1 })},
		{"unknown method", edit(makeZip(t, good), func(c []byte) { c[10] = 99 })},
		{"wrong checksum", edit(makeZip(t, good), func(c []byte) { c[16] ^= 1 })},
		{"claims to be larger", edit(makeZip(t, good), func(c []byte) { c[24]++ })},
		{"claims to be smaller", edit(makeZip(t, file{name: "big", text: "12345"}), func(c []byte) { c[24]-- })},
		{"claims 4 GiB", edit(makeZip(t, good), func(c []byte) { binary.LittleEndian.PutUint32(c[24:], 0xfffffffe) })},
		{"ZIP64", edit(makeZip(t, good), func(c []byte) { binary.LittleEndian.PutUint32(c[24:], 0xffffffff) })},
		{"another name in the local header", rename(makeZip(t, good), "a-good-one", "b-good-one")},
		{"entries that overlap", overlap(makeZip(t, file{name: "aa", text: "x"}, file{name: "ab", text: "x"}))},
		{"more entries than there are", count(makeZip(t, good), 2)},
		{"fewer entries than there are", count(makeZip(t, good, file{name: "b"}), 1)},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			target, err := unpack(t, row.zipped, 1<<20)
			if !errors.Is(err, ErrBadCode) {
				t.Fatalf("%v", err)
			}
			if left, _ := os.ReadDir(target); len(left) != 0 {
				t.Fatalf("left behind: %v", left)
			}
		})
	}
}

// edit changes the first entry of the central directory.
func edit(zipped []byte, change func(central []byte)) []byte {
	change(zipped[bytes.Index(zipped, []byte("PK\x01\x02")):])
	return zipped
}

// rename changes a name in the local header only.
func rename(zipped []byte, from, to string) []byte {
	at := bytes.Index(zipped, []byte(from))
	copy(zipped[at:], to)
	return zipped
}

// overlap makes the second entry point to the first one's data.
func overlap(zipped []byte) []byte {
	at := bytes.LastIndex(zipped, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(zipped[at+42:], 0)
	copy(zipped[at+46:], "aa")
	copy(zipped[at+46:], "aa")
	return zipped
}

func count(zipped []byte, entries uint16) []byte {
	end := zipped[bytes.LastIndex(zipped, []byte("PK\x05\x06")):]
	binary.LittleEndian.PutUint16(end[8:], entries)
	binary.LittleEndian.PutUint16(end[10:], entries)
	return zipped
}

func TestOnlyTheAnnouncedBytesAreTaken(t *testing.T) {
	text := []byte("the code")
	sum := sha256.Sum256(text)
	digest := hex.EncodeToString(sum[:])
	rows := []struct {
		reason string
		size   int64
		digest string
		pieces []string
		ok     bool
	}{
		{"as announced", 8, digest, []string{"the ", "code"}, true},
		{"upper case digest", 8, strings.ToUpper(digest), []string{"the code"}, true},
		{"another digest", 8, strings.Repeat("0", 64), []string{"the code"}, false},
		{"too few", 9, digest, []string{"the code"}, false},
		{"too many", 7, digest, []string{"the ", "code"}, false},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			p, err := NewPackage(row.size, row.digest, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			for _, piece := range row.pieces {
				if _, err = p.Write([]byte(piece)); err != nil {
					break
				}
			}
			if err == nil {
				err = p.Verify()
			}
			if (err == nil) != row.ok {
				t.Fatal(err)
			}
		})
	}
	for _, size := range []int64{0, -1, 1 << 40} {
		if _, err := NewPackage(size, digest, t.TempDir()); !errors.Is(err, ErrBadCode) {
			t.Errorf("a size of %d: %v", size, err)
		}
	}
}

func TestLargePackagesLeaveNoFile(t *testing.T) {
	dir := t.TempDir()
	p, err := NewPackage(2<<20, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if names, _ := os.ReadDir(dir); len(names) != 0 {
		t.Fatalf("%v", names)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(makeZip(f, file{name: "a", text: "text"}, file{name: "d/b", text: "text", store: true}))
	f.Add(makeZip(f, file{name: "../a", text: "text"}))
	f.Add(makeZip(f, file{name: "d/l", text: "../a", mode: fs.ModeSymlink | 0o777}, file{name: "a", text: "x"}))
	f.Add(overlap(makeZip(f, file{name: "aa", text: "x"}, file{name: "ab", text: "x"})))
	f.Fuzz(func(t *testing.T, zipped []byte) {
		target, err := unpack(t, zipped, 1<<16)
		if err == nil {
			stayInside(t, target)
			return
		}
		if left, _ := os.ReadDir(target); len(left) != 0 {
			t.Fatalf("left behind: %v", left)
		}
	})
}

// stayInside fails when some link resolves to a place outside.
func stayInside(t *testing.T, target string) {
	t.Helper()
	root, err := filepath.EvalSymlinks(target)
	if err != nil {
		t.Fatal(err)
	}
	_ = filepath.WalkDir(root, func(path string, _ fs.DirEntry, _ error) error {
		if resolved, err := filepath.EvalSymlinks(path); err == nil && resolved != root && !strings.HasPrefix(resolved, root+"/") {
			t.Fatalf("%s leads to %s", path, resolved)
		}
		return nil
	})
}
