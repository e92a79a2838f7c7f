package code

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"kappa.dev/agent/limits"
)

// entry is one file, folder or link of a zip as its central directory describes it.
type entry struct {
	name       string // cleaned: relative, slashes only, no "." or ".."
	kind       kind
	executable bool
	method     uint16
	crc        uint32
	packed     int64
	unpacked   int64
	header     int64 // offset of the local header
	start      int64 // offset of the data
}

const (
	endSignature     = 0x06054b50
	centralSignature = 0x02014b50
	localSignature   = 0x04034b50
	endBytes         = 22
	centralBytes     = 46
	localBytes       = 30
	maxCommentBytes  = 65535
	methodStore      = 0
	methodDeflate    = 8
	flagEncrypted    = 0x1 | 0x40 | 0x2000
	zip64Marker32    = 0xffffffff
	zip64Marker16    = 0xffff
)

func bad(format string, values ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrBadCode}, values...)...)
}

// readDirectory reads and checks all entries of a zip. ZIP64 is refused: the allowed sizes never need it. Own code
// instead of archive/zip, because that reads any number of entries, and never looks at overlaps or local names.
func readDirectory(r io.ReaderAt, size int64) ([]entry, error) {
	count, offset, length, err := findEnd(r, size)
	if err != nil {
		return nil, err
	}
	directory := make([]byte, length)
	if _, err := r.ReadAt(directory, offset); err != nil {
		return nil, bad("the directory cannot be read: %v", err)
	}
	entries := make([]entry, 0, count)
	for range count {
		var e entry
		if e, directory, err = parseCentral(directory); err != nil {
			return nil, err
		}
		if err := locate(r, &e, offset); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if len(directory) != 0 {
		return nil, bad("the directory is longer than its entries")
	}
	return entries, checkOverlaps(entries)
}

// findEnd finds the end record: the last one whose comment ends exactly with the file.
func findEnd(r io.ReaderAt, size int64) (count int, offset, length int64, err error) {
	tail := make([]byte, min(size, endBytes+maxCommentBytes))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return 0, 0, 0, bad("the end cannot be read: %v", err)
	}
	for at := len(tail) - endBytes; at >= 0; at-- {
		record := tail[at:]
		comment := int(binary.LittleEndian.Uint16(record[20:]))
		if binary.LittleEndian.Uint32(record) == endSignature && at+endBytes+comment == len(tail) {
			return parseEnd(record, size-int64(len(tail)-at))
		}
	}
	return 0, 0, 0, bad("this is not a zip")
}

func parseEnd(record []byte, position int64) (count int, offset, length int64, err error) {
	disk, entries := binary.LittleEndian.Uint16(record[4:]), binary.LittleEndian.Uint16(record[10:])
	length = int64(binary.LittleEndian.Uint32(record[12:]))
	offset = int64(binary.LittleEndian.Uint32(record[16:]))
	switch {
	case entries == zip64Marker16 || length == zip64Marker32 || offset == zip64Marker32:
		return 0, 0, 0, bad("ZIP64 is not supported")
	case disk != 0 || binary.LittleEndian.Uint16(record[8:]) != entries:
		return 0, 0, 0, bad("zips in several parts are not supported")
	case int(entries) > limits.CodeEntries:
		return 0, 0, 0, bad("more than %d entries", limits.CodeEntries)
	case offset+length != position:
		return 0, 0, 0, bad("the directory is not where the end record says")
	case int64(entries)*centralBytes > length:
		return 0, 0, 0, bad("the directory is too short for its entries")
	}
	return int(entries), offset, length, nil
}

func parseCentral(b []byte) (entry, []byte, error) {
	if len(b) < centralBytes || binary.LittleEndian.Uint32(b) != centralSignature {
		return entry{}, nil, bad("the directory is malformed")
	}
	nameLength := int(binary.LittleEndian.Uint16(b[28:]))
	end := centralBytes + nameLength + int(binary.LittleEndian.Uint16(b[30:])) + int(binary.LittleEndian.Uint16(b[32:]))
	if len(b) < end {
		return entry{}, nil, bad("the directory is cut off")
	}
	e := entry{
		method:   binary.LittleEndian.Uint16(b[10:]),
		crc:      binary.LittleEndian.Uint32(b[16:]),
		packed:   int64(binary.LittleEndian.Uint32(b[20:])),
		unpacked: int64(binary.LittleEndian.Uint32(b[24:])),
		header:   int64(binary.LittleEndian.Uint32(b[42:])),
		name:     string(b[centralBytes : centralBytes+nameLength]),
	}
	switch {
	case binary.LittleEndian.Uint16(b[8:])&flagEncrypted != 0:
		return entry{}, nil, bad("%q is encrypted", e.name)
	case e.packed == zip64Marker32 || e.unpacked == zip64Marker32 || e.header == zip64Marker32:
		return entry{}, nil, bad("ZIP64 is not supported")
	case e.method != methodStore && e.method != methodDeflate:
		return entry{}, nil, bad("%q: compression method %d is not supported", e.name, e.method)
	case e.method == methodStore && e.packed != e.unpacked:
		return entry{}, nil, bad("%q: sizes contradict each other", e.name)
	}
	err := e.setKind(b[5], binary.LittleEndian.Uint32(b[38:]))
	return e, b[end:], err
}

// locate finds the entry's data and checks that the local header speaks of the same entry.
func locate(r io.ReaderAt, e *entry, directory int64) error {
	header := make([]byte, localBytes)
	if _, err := r.ReadAt(header, e.header); err != nil || binary.LittleEndian.Uint32(header) != localSignature {
		return bad("%q has no local header", e.name)
	}
	name := make([]byte, binary.LittleEndian.Uint16(header[26:]))
	if _, err := r.ReadAt(name, e.header+localBytes); err != nil || string(name) != e.name {
		return bad("%q has another name in its local header", e.name)
	}
	if binary.LittleEndian.Uint16(header[6:])&flagEncrypted != 0 || binary.LittleEndian.Uint16(header[8:]) != e.method {
		return bad("%q: the local header contradicts the directory", e.name)
	}
	e.start = e.header + localBytes + int64(len(name)) + int64(binary.LittleEndian.Uint16(header[28:]))
	if e.start+e.packed > directory {
		return bad("%q reaches into the directory", e.name)
	}
	clean, err := cleanName(e.name, e.kind)
	e.name = clean
	return err
}

// checkOverlaps refuses bombs whose entries share their bytes.
func checkOverlaps(entries []entry) error {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, func(a, b entry) int { return int(a.header - b.header) })
	for i := 1; i < len(sorted); i++ {
		before := sorted[i-1]
		if sorted[i].header < before.start+before.packed {
			return bad("%q and %q share bytes", before.name, sorted[i].name)
		}
	}
	return nil
}
