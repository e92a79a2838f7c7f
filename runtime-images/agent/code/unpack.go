package code

import (
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"kappa.dev/agent/limits"
)

// Zip is the bytes of one zip.
type Zip struct {
	Reader io.ReaderAt
	Size   int64
}

// Place is a folder and what is unpacked into it.
type Place struct {
	// Target is an existing folder, which may be a mount point. Nothing that the zips bring is in it.
	Target string
	// Zips are unpacked in this order: where two have the same name, the later one's is kept.
	Zips []Zip
	// Noun is what errors call one of the zips, with its number; empty where there is one only.
	Noun string
	// ReadOnly takes the right to write away from all that has appeared.
	ReadOnly bool
}

// Unpack writes the zips' contents into their places. Either everything appears, by renaming what is complete, or nothing.
// maxBytes bounds the unpacked bytes of all zips together; 0 means the default.
// Errors that wrap ErrBadCode are a package's fault, others the machine's.
func Unpack(places []Place, maxBytes int64) (err error) {
	if maxBytes <= 0 {
		maxBytes = limits.UnpackedBytes
	}
	left := maxBytes
	moves := make([]move, 0, len(places))
	defer func() {
		for _, m := range moves {
			if removeErr := os.RemoveAll(m.staging); err == nil && removeErr != nil {
				err = removeErr
			}
		}
	}()
	for _, place := range places {
		// A folder inside the target takes the files until all of them are there: the target may be a mount point.
		staging, err := os.MkdirTemp(place.Target, ".unpacking-*")
		if err != nil {
			return fmt.Errorf("cannot prepare unpacking: %w", err)
		}
		moves = append(moves, move{staging: staging, place: place})
		for i, zip := range place.Zips {
			u := unpacker{source: zip.Reader, root: staging, left: left, over: i > 0, readOnly: place.ReadOnly}
			if left, err = u.unpack(zip.Size); err != nil {
				return place.named(i, err)
			}
		}
	}
	return publish(moves)
}

// named says which zip an error is about.
func (p Place) named(index int, err error) error {
	if p.Noun == "" {
		return err
	}
	return fmt.Errorf("%s %d: %w", p.Noun, index+1, err)
}

// unpacker writes one zip over what earlier ones have left below root. Only folders are ever walked through, never links: so the
// depth of a name is its depth on disk, which checkLink relies on.
type unpacker struct {
	source io.ReaderAt
	root   string
	left   int64
	// over says that earlier zips are below root already.
	over     bool
	readOnly bool
	// made are the names of folders that are known to be there.
	made  map[string]bool
	links []entry
}

// unpack adds the zip to what is there, and gives what is left of the allowed bytes.
func (u *unpacker) unpack(size int64) (int64, error) {
	entries, err := readDirectory(u.source, size)
	if err != nil {
		return u.left, err
	}
	if err := checkTree(entries); err != nil {
		return u.left, err
	}
	u.made = map[string]bool{".": true}
	err = u.all(entries)
	return u.left, err
}

// all writes folders and files first and links last, so that nothing can be written through a link.
func (u *unpacker) all(entries []entry) error {
	for _, e := range entries {
		if e.unpacked > u.left {
			return bad("more than the allowed bytes when unpacked")
		}
		u.left -= e.unpacked
		if err := u.one(e); err != nil {
			return err
		}
	}
	for _, e := range u.links {
		if err := u.link(e); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) one(e entry) error {
	switch e.kind {
	case folder:
		return u.folder(e.name)
	case symlink:
		u.links = append(u.links, e)
		return nil
	default:
		return u.file(e)
	}
}

// folder makes a folder and those above it. What an earlier zip has put there, and is none, makes room.
func (u *unpacker) folder(name string) error {
	if u.made[name] {
		return nil
	}
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	at := filepath.Join(u.root, name)
	if u.over {
		if info, err := os.Lstat(at); err == nil && !info.IsDir() {
			if err := os.Remove(at); err != nil {
				return err
			}
		}
	}
	u.made[name] = true
	if err := os.Mkdir(at, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// room makes the folder that a file or link lies in, and removes what an earlier zip has put in its place.
func (u *unpacker) room(name string) (string, error) {
	at := filepath.Join(u.root, name)
	if err := u.folder(path.Dir(name)); err != nil || !u.over {
		return at, err
	}
	return at, os.RemoveAll(at)
}

func (u *unpacker) file(e entry) error {
	at, err := u.room(e.name)
	if err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if e.executable {
		mode = 0o755
	}
	if u.readOnly {
		mode &^= 0o222
	}
	file, err := os.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if err := u.content(e, file); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func (u *unpacker) link(e entry) error {
	target := &limitedText{}
	if err := u.content(e, target); err != nil {
		return err
	}
	if err := checkLink(e.name, target.text); err != nil {
		return err
	}
	at, err := u.room(e.name)
	if err != nil {
		return err
	}
	return os.Symlink(target.text, at)
}

// content copies the entry's unpacked bytes and checks their number and checksum on the way.
func (u *unpacker) content(e entry, w io.Writer) error {
	tools, _ := toolsPool.Get().(*tools)
	defer toolsPool.Put(tools)
	var reader io.Reader = io.NewSectionReader(u.source, e.start, e.packed)
	if e.method == methodDeflate {
		reader = tools.inflate(reader)
	}
	sum := crc32.NewIEEE()
	// One byte more than declared is asked for, so that a lie is found without unpacking the rest of it.
	written, err := copyChecked(w, sum, io.LimitReader(reader, e.unpacked+1), tools.buffer)
	if err != nil {
		return fmt.Errorf("%q: %w", e.name, err)
	}
	if written != e.unpacked {
		return bad("%q: its size is not the declared one", e.name)
	}
	if sum.Sum32() != e.crc {
		return bad("%q: wrong checksum", e.name)
	}
	return nil
}

func copyChecked(w, sum io.Writer, r io.Reader, buffer []byte) (int64, error) {
	var written int64
	for {
		n, err := r.Read(buffer)
		written += int64(n)
		_, _ = sum.Write(buffer[:n])
		if _, writeErr := w.Write(buffer[:n]); writeErr != nil {
			return written, writeErr
		}
		if err == io.EOF {
			return written, nil
		}
		if err != nil {
			return written, bad("its data is damaged: %v", err)
		}
	}
}

// tools are the large buffers of one unpacking, kept for the next entry and then left to the collector.
type tools struct {
	buffer []byte
	input  *bufio.Reader
	flate  io.ReadCloser
}

var toolsPool = sync.Pool{New: func() any {
	return &tools{buffer: make([]byte, 32<<10), input: bufio.NewReaderSize(nil, 16<<10)}
}}

func (t *tools) inflate(r io.Reader) io.Reader {
	t.input.Reset(r)
	if resetter, ok := t.flate.(flate.Resetter); ok && resetter.Reset(t.input, nil) == nil {
		return t.flate
	}
	t.flate = flate.NewReader(t.input)
	return t.flate
}

// limitedText collects a link's target.
type limitedText struct{ text string }

func (l *limitedText) Write(p []byte) (int, error) {
	if len(l.text)+len(p) > maxPathBytes {
		return 0, bad("a link's target is too long")
	}
	l.text += string(p)
	return len(p), nil
}
