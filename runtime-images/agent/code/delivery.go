package code

import (
	"fmt"

	"kappa.dev/agent/limits"
)

// Announced is one zip that is about to arrive.
type Announced struct {
	Sha256 string
	Bytes  int64
}

// Delivery takes several zips one behind the other: a function's code and its layers.
type Delivery struct {
	packages []*Package
	at       int
}

// NewDelivery prepares for zips in that order; none where the code is the pod's image. spoolDir takes large ones. Close it.
func NewDelivery(announced []Announced, spoolDir string) (*Delivery, error) {
	var total int64
	d := &Delivery{packages: make([]*Package, 0, len(announced))}
	for _, a := range announced {
		p, err := NewPackage(a.Bytes, a.Sha256, spoolDir)
		if err == nil {
			d.packages = append(d.packages, p)
			if total += a.Bytes; total > limits.CodeBytes {
				err = bad("code and layers have more than %d bytes", limits.CodeBytes)
			}
		}
		if err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// Write takes the next piece, which may be the end of one zip and the beginning of the next. More bytes than announced are an error.
func (d *Delivery) Write(piece []byte) (int, error) {
	if len(d.packages) == 0 && len(piece) > 0 {
		return 0, bad("%d bytes of code for an image", len(piece))
	}
	if len(piece) == 0 {
		return 0, nil
	}
	taken := 0
	for d.at < len(d.packages)-1 {
		p := d.packages[d.at]
		part := piece[taken:]
		if missing := p.size - p.received; int64(len(part)) > missing {
			part = part[:missing]
		}
		if _, err := p.Write(part); err != nil {
			return taken, err
		}
		taken += len(part)
		if p.received < p.size {
			return taken, nil
		}
		d.at++
	}
	n, err := d.packages[d.at].Write(piece[taken:])
	return taken + n, err
}

// Verify compares sizes and digests with what was announced.
func (d *Delivery) Verify() error {
	for i, p := range d.packages {
		if err := p.Verify(); err != nil {
			if i > 0 {
				return fmt.Errorf("layer %d: %w", i, err)
			}
			return err
		}
	}
	return nil
}

// Zips gives what has arrived, in its order. Only valid after Verify and before Close.
func (d *Delivery) Zips() []Zip {
	zips := make([]Zip, 0, len(d.packages))
	for _, p := range d.packages {
		reader, size := p.Reader()
		zips = append(zips, Zip{Reader: reader, Size: size})
	}
	return zips
}

// Close frees the bytes.
func (d *Delivery) Close() {
	for _, p := range d.packages {
		p.Close()
	}
}
