package code

import (
	"bufio"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"

	"kappa.dev/agent/limits"
)

// Unpack writes the zip's contents into target, an existing empty folder, which may be a mount point. Either everything
// appears, by renaming what is complete, or nothing. maxBytes bounds the unpacked bytes; 0 means the default.
// Errors that wrap ErrBadCode are the package's fault, others the machine's.
func Unpack(r io.ReaderAt, size int64, target string, maxBytes int64) (err error) {
	if maxBytes <= 0 {
		maxBytes = limits.UnpackedBytes
	}
	entries, err := readDirectory(r, size)
	if err != nil {
		return err
	}
	if err := checkTree(entries); err != nil {
		return err
	}
	// A folder inside the target takes the files until all of them are there: the target may be a mount point.
	staging, err := os.MkdirTemp(target, ".unpacking-*")
	if err != nil {
		return fmt.Errorf("cannot prepare unpacking: %w", err)
	}
	defer func() {
		if removeErr := os.RemoveAll(staging); err == nil && removeErr != nil {
			err = removeErr
		}
	}()
	u := unpacker{source: r, root: staging, left: maxBytes, made: map[string]bool{staging: true}}
	if err := u.all(entries); err != nil {
		return err
	}
	return publish(staging, target)
}

// publish moves everything out of staging; when one move fails those before it are taken back.
func publish(staging, target string) error {
	names, err := os.ReadDir(staging)
	if err != nil {
		return err
	}
	for i, name := range names {
		if err := os.Rename(filepath.Join(staging, name.Name()), filepath.Join(target, name.Name())); err != nil {
			for _, moved := range names[:i] {
				_ = os.RemoveAll(filepath.Join(target, moved.Name()))
			}
			return err
		}
	}
	return nil
}

type unpacker struct {
	source io.ReaderAt
	root   string
	left   int64
	made   map[string]bool
	links  []entry
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
		return u.folder(filepath.Join(u.root, e.name))
	case symlink:
		u.links = append(u.links, e)
		return nil
	default:
		return u.file(e)
	}
}

func (u *unpacker) folder(path string) error {
	if u.made[path] {
		return nil
	}
	u.made[path] = true
	return os.MkdirAll(path, 0o755)
}

func (u *unpacker) file(e entry) error {
	path := filepath.Join(u.root, e.name)
	if err := u.folder(filepath.Dir(path)); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if e.executable {
		mode = 0o755
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
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
	path := filepath.Join(u.root, e.name)
	if err := u.folder(filepath.Dir(path)); err != nil {
		return err
	}
	return os.Symlink(target.text, path)
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
